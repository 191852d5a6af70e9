//! The loop with sound devices and a line of text instead of a window.

use super::args::RunArgs;
use super::clip::Clip;
use super::devices::Devices;
use super::headless::{recorder, tell};
use super::meter::{Meter, StatusLine, clock_text};
use super::player::Transport;
use super::say::say;
use super::session::{Parts, Play, Session, Wanted, longer_blocks};
use super::watch::{Trouble, Watch};
use crate::engine::{LoopState, ReportReceiver};
use crate::interrupt;
use crate::recording::Recorder;
use anyhow::{Result, bail};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often reports are read.
const PERIOD: Duration = Duration::from_millis(20);

/// Runs the devices until Ctrl-C or --duration.
///
/// # Errors
/// A device or file that can't be used, a device that goes away, a codec that fails.
pub fn run(args: &RunArgs, parts: &Parts, mut reports: ReportReceiver) -> Result<()> {
    let play = match args.file() {
        Some(path) => Play::Clip(Arc::new(Clip::open(path)?), Transport::new(true)),
        None => Play::Input,
    };
    let devices = Devices::list_preferred(args.host)?;
    let wanted = Wanted::from_args(args);
    let mut session = Session::open(&devices, &wanted, 0, &play, parts)?;
    let mut recorder = recorder(parts, args.record.as_deref(), None)?;
    session.notes.iter().for_each(|note| say!("{note}"));
    let source = match &session.clip {
        Some((clip, _)) => format!("{} ({:.1} s, looped)", clip.name, clip.seconds()),
        None => session.input.clone().unwrap_or_default(),
    };
    say!("source: {source}");
    say!("output: {}, {} Hz, blocks of {} samples", session.output, session.sample_rate, session.block);
    if parts.settings.muted() {
        say!("the output is muted (a microphone through speakers howls): --unmuted lets it sound");
    }

    parts.telemetry.set_view_open(true);
    let model = parts.models.model()?;
    let card = model.card();
    let mut meter = Meter::new(card.frame_rate(), card.codebooks);
    let mut line = StatusLine::new();
    let mut watch = Watch::new();
    let started = Instant::now();
    let mut running = false;
    // Why a recording ended early, which isn't the end of the sound.
    let mut failed = Ok(());
    while !interrupt::requested() && args.duration.is_none_or(|duration| started.elapsed() < duration) {
        while let Some(report) = reports.receive() {
            meter.push(&report);
        }
        let status = parts.telemetry.status();
        match status.state {
            LoopState::Failed(why) => bail!("the codec failed: {why}"),
            LoopState::Running if !running => {
                running = true;
                line.leave();
                say!("model: {} ({})", status.model, status.runtime);
                say!(
                    "{}, latency of the loop {} samples ({:.1} ms)",
                    parts.settings.rate(),
                    parts.telemetry.latency_samples(),
                    parts.telemetry.latency_ms()
                );
            }
            _ => {}
        }
        if let Some(recorded) = recorder.as_mut().and_then(Recorder::poll) {
            line.leave();
            failed = tell(Some(recorded));
            if let Err(error) = &failed {
                say!("{error}");
            }
        }
        match watch.check(&mut session) {
            Some(Trouble::Lost(why)) => {
                line.leave();
                bail!("{why}");
            }
            Some(Trouble::Note(text)) => {
                line.leave();
                say!("{text}");
            }
            None => {
                if let Some(longest) = session.needs_longer() {
                    line.leave();
                    say!("{}", longer_blocks(longest));
                    drop(session);
                    session = Session::open(&devices, &wanted, longest, &play, parts)?;
                    watch = Watch::new();
                }
            }
        }
        line.show(|| format!("{}  {}", clock_text(started.elapsed().as_secs_f64()), meter.line(&parts.telemetry)));
        std::thread::sleep(PERIOD);
    }
    line.leave();
    let recorded = recorder.as_mut().and_then(Recorder::finish);
    let stats = &session.stats;
    say!(
        "mean {:.2} kb/s, {} late frames, input buffer {} samples, {} underruns, {} overruns, {} device xruns, \
         longest callback {} µs",
        meter.bitrate().mean(),
        parts.telemetry.late_frames(),
        stats.input_buffer(),
        stats.underruns(),
        stats.overruns(),
        stats.xruns(),
        stats.take_longest_callback().as_micros()
    );
    tell(recorded)?;
    failed
}
