//! The frames on screen: a ring of reports, the textures that scroll with them, and the frame at the right edge.

use super::scroll::{CAPACITY, Scroll};
use super::{colours, theme};
use crate::codec::count;
use crate::engine::{FrameReport, SPECTRUM_BANDS};
use egui::{Color32, Painter, Rect};
use std::collections::VecDeque;
use std::ops::Range;

/// Time constant in seconds that the right edge follows new frames with: bursts of frames (large host blocks) scroll
/// evenly.
const GLIDE: f32 = 0.04;
/// Most frames that can be on screen, so that a held map keeps a second of room in the ring.
pub const MOST_VISIBLE: usize = CAPACITY - 256;

/// Levels of the ladder: those of the poster's figures.
pub const LADDER: [f32; 12] = [4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0, 20.0, 22.0, 24.0, 26.0];

/// The last frames and their pictures. Frames are numbered as received.
pub struct History {
    reports: VecDeque<FrameReport>,
    received: u64,
    /// Frame after the newest one on screen, gliding towards `received`.
    head: f64,
    spectrogram: Scroll,
    codes: Scroll,
    ladder: Scroll,
    /// Codebooks and channels that the textures are laid out for.
    layout: (usize, usize),
}

impl Default for History {
    fn default() -> Self {
        Self {
            reports: VecDeque::with_capacity(CAPACITY + 1),
            received: 0,
            head: 0.0,
            spectrogram: Scroll::new("vrvq spectrogram", SPECTRUM_BANDS, true),
            codes: Scroll::new("vrvq codes", 8, false),
            ladder: Scroll::new("vrvq ladder", LADDER.len(), false),
            layout: (8, 1),
        }
    }
}

impl History {
    /// Takes in the next frame.
    pub fn push(&mut self, context: &egui::Context, report: FrameReport) {
        // A sum of two channels leaves the second one's row empty, rather than the map.
        let known = if report.index > 0 && self.received > 0 { self.layout.1 } else { 1 };
        let layout = (usize::from(report.codebooks.max(1)), report.channel_frames().len().max(known));
        if self.layout != layout {
            *self = Self {
                layout,
                codes: Scroll::new("vrvq codes", layout.0 * layout.1, false),
                ladder: Scroll::new("vrvq ladder", LADDER.len() * layout.1, false),
                ..Self::default()
            };
        }
        let spectrum = report.spectrum.iter().rev().map(|&db| colours::loudness(db)).collect();
        self.spectrogram.write(context, self.received, spectrum);
        self.codes.write(context, self.received, code_column(&report, layout.1));
        self.ladder.write(context, self.received, ladder_column(&report, layout.1));
        self.received += 1;
        self.reports.push_back(report);
        if self.reports.len() > CAPACITY {
            self.reports.pop_front();
        }
    }

    /// Moves the right edge on by `elapsed` seconds, or not where it is held. True while it is on its way.
    pub fn glide(&mut self, elapsed: f32, held: bool, visible: usize) -> bool {
        let newest = self.received as f64;
        if !held {
            self.head += (newest - self.head) * f64::from(1.0 - (-elapsed / GLIDE).exp());
            if newest - self.head < 0.5 {
                self.head = newest;
            }
        }
        // What left the ring can't be shown.
        self.head = self.head.max(newest - (CAPACITY - visible.min(CAPACITY)) as f64);
        self.head < newest
    }

    /// Frames on screen when `count` fit.
    pub fn visible(&self, count: usize) -> Range<u64> {
        let end = self.head.round() as u64;
        let kept = self.received - self.reports.len() as u64;
        end.saturating_sub(count as u64).max(kept).min(end)..end
    }

    /// The report of a frame, where it is still kept.
    pub fn at(&self, frame: u64) -> Option<&FrameReport> {
        let kept = self.received - self.reports.len() as u64;
        self.reports.get(usize::try_from(frame.checked_sub(kept)?).ok()?)
    }

    /// The reports of `frames`, oldest first.
    pub fn range(&self, frames: Range<u64>) -> impl Iterator<Item = &FrameReport> {
        frames.filter_map(|frame| self.at(frame))
    }

    /// All reports that are still kept, oldest first.
    pub fn kept(&self) -> impl Iterator<Item = &FrameReport> {
        self.reports.iter()
    }

    /// Frames received since the view was made.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Codebooks of the model.
    pub fn codebooks(&self) -> usize {
        self.layout.0
    }

    /// Channels on screen.
    pub fn channels(&self) -> usize {
        self.layout.1
    }

    /// Draws the input's spectrum, each frame `step` wide.
    pub fn draw_spectrogram(&self, painter: &Painter, rect: Rect, frames: Range<u64>, step: f32) {
        self.spectrogram.draw(painter, rect, frames, step);
    }

    /// Draws the ladder of all channels, each frame `step` wide.
    pub fn draw_ladder(&self, painter: &Painter, rect: Rect, frames: Range<u64>, step: f32) {
        self.ladder.draw(painter, rect, frames, step);
    }

    /// Draws the codebooks of all channels, each frame `step` wide.
    pub fn draw_codes(&self, painter: &Painter, rect: Rect, frames: Range<u64>, step: f32) {
        self.codes.draw(painter, rect, frames, step);
    }
}

/// Pixels of one frame of the ladder, top to bottom: the first channel's highest level first; what each level would use.
fn ladder_column(report: &FrameReport, channels: usize) -> Vec<Color32> {
    let codebooks = usize::from(report.codebooks.max(1));
    let rungs = |importance: f32| {
        LADDER.iter().rev().map(move |&level| colours::count(count(importance, level, codebooks), codebooks))
    };
    let mut rows = Vec::with_capacity(LADDER.len() * channels);
    if !report.late {
        rows.extend(report.channel_frames().iter().flat_map(|frame| rungs(frame.importance)));
    }
    rows.resize(LADDER.len() * channels, theme::UNUSED);
    rows
}

/// Pixels of one frame, top to bottom: the first channel's last codebook first, so that use grows upwards.
fn code_column(report: &FrameReport, channels: usize) -> Vec<Color32> {
    let codebooks = usize::from(report.codebooks.max(1));
    let mut rows = Vec::with_capacity(codebooks * channels);
    for frame in report.channel_frames() {
        rows.extend((0..codebooks).rev().map(|k| match frame.codes.get(k) {
            Some(&code) if k < usize::from(frame.count) && !report.late => colours::code(code),
            _ => theme::UNUSED,
        }));
    }
    rows.resize(codebooks * channels, theme::UNUSED);
    rows
}
