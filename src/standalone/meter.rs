//! The live figures as a line of text.

use crate::codec::{BitrateMeter, MAX_CODEBOOKS};
use crate::engine::{FrameReport, Telemetry};
use std::collections::VecDeque;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Time over which the current bitrate and the counts are taken.
const WINDOW_SECONDS: f64 = 1.0;
/// How often the line is renewed on a terminal, and how often one is added elsewhere.
const TERMINAL_PERIOD: Duration = Duration::from_millis(200);
const PLAIN_PERIOD: Duration = Duration::from_secs(2);
/// Bars of a share, from none to all.
const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Collects frame reports into figures.
pub struct Meter {
    bitrate: BitrateMeter,
    /// Counts of codebooks of the last frames, all channels.
    counts: VecDeque<u8>,
    window: usize,
    codebooks: usize,
}

impl Meter {
    /// A meter for `frame_rate` frames a second of a model with `codebooks`.
    pub fn new(frame_rate: f64, codebooks: usize) -> Self {
        let window = (frame_rate * WINDOW_SECONDS).round().max(1.0) as usize;
        let bitrate = BitrateMeter::new(frame_rate, WINDOW_SECONDS);
        Self { bitrate, counts: VecDeque::new(), window, codebooks: codebooks.clamp(1, MAX_CODEBOOKS) }
    }

    /// Counts one report.
    pub fn push(&mut self, report: &FrameReport) {
        if report.late {
            return;
        }
        self.bitrate.push(report.bits());
        for frame in report.channel_frames() {
            self.counts.push_back(frame.count);
        }
        while self.counts.len() > self.window * report.channel_frames().len().max(1) {
            self.counts.pop_front();
        }
    }

    /// The bitrate so far.
    pub fn bitrate(&self) -> &BitrateMeter {
        &self.bitrate
    }

    /// Shares of the counts 1 to Nq in the last second, as bars.
    pub fn histogram(&self) -> String {
        let total = self.counts.len().max(1);
        let bar = |count: usize| {
            let frames = self.counts.iter().filter(|&&n| usize::from(n) == count).count();
            // Any frame at all shows.
            BARS[(frames * (BARS.len() - 1)).div_ceil(total).min(BARS.len() - 1)]
        };
        (1..=self.codebooks).map(bar).collect()
    }

    /// The line: bitrate, counts, load and late frames.
    pub fn line(&self, telemetry: &Telemetry) -> String {
        format!(
            "{:5.2} kb/s  mean {:.2}  peak {:.2}  n|{}|  load {:.0} %  late {}",
            self.bitrate.current(),
            self.bitrate.mean(),
            self.bitrate.peak(),
            self.histogram(),
            100.0 * telemetry.load(),
            telemetry.late_frames(),
        )
    }
}

/// Minutes and seconds.
pub fn clock_text(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// A line that stays in its place on a terminal, and is repeated now and then elsewhere.
pub struct StatusLine {
    terminal: bool,
    last: Option<Instant>,
    width: usize,
}

impl StatusLine {
    /// A line on the standard output.
    pub fn new() -> Self {
        Self { terminal: std::io::stdout().is_terminal(), last: None, width: 0 }
    }

    /// Shows `line()` if it is time to.
    pub fn show(&mut self, line: impl FnOnce() -> String) {
        let period = if self.terminal { TERMINAL_PERIOD } else { PLAIN_PERIOD };
        if self.last.is_some_and(|last| last.elapsed() < period) {
            return;
        }
        self.last = Some(Instant::now());
        let line = line();
        let mut out = std::io::stdout().lock();
        // A terminal that is gone is no reason to stop.
        let _ = if self.terminal {
            let pad = self.width.saturating_sub(line.chars().count());
            self.width = line.chars().count();
            write!(out, "\r{line}{:pad$}", "")
        } else {
            writeln!(out, "{line}")
        };
        let _ = out.flush();
    }

    /// Leaves the line, so that other text can follow.
    pub fn leave(&mut self) {
        if self.terminal && self.width > 0 {
            let _ = writeln!(std::io::stdout());
            self.width = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ChannelFrame;

    #[test]
    fn figures_follow_the_reports() {
        let mut meter = Meter::new(100.0, 8);
        for index in 0..400 {
            let mut report = FrameReport { index, late: index >= 300, ..FrameReport::default() };
            let count = if index % 2 == 0 { 1 } else { 8 };
            report.frames[0] = ChannelFrame { count, bits: 3 + 10 * u16::from(count), ..ChannelFrame::default() };
            meter.push(&report);
        }
        assert!((meter.bitrate().mean() - 4.8).abs() < 1e-9, "late frames count nothing");
        assert_eq!(meter.histogram(), "▄      ▄");
        let (telemetry, _receiver) = Telemetry::new();
        let line = meter.line(&telemetry);
        assert!(line.contains("4.80 kb/s") && line.chars().count() < 70, "{line}");
        assert_eq!(clock_text(125.9), "2:05");
    }
}
