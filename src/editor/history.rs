//! The frames on screen: a ring of reports and the textures that scroll with it.

use super::{colours, theme};
use crate::engine::{FrameReport, SPECTRUM_BANDS};
use egui::{Color32, ColorImage, Painter, Rect, TextureHandle, TextureOptions, pos2};
use std::collections::VecDeque;

/// Frames kept: 23 seconds of the live model.
pub const CAPACITY: usize = 2048;
/// Entries that the hue of a code is spread over.
const CODEBOOK_SIZE: usize = 1024;

/// A texture as wide as the ring, written column by column, drawn as two pieces.
struct Scroll {
    texture: Option<TextureHandle>,
    name: &'static str,
    height: usize,
}

impl Scroll {
    fn new(name: &'static str, height: usize) -> Self {
        Self { texture: None, name, height }
    }

    fn write(&mut self, context: &egui::Context, column: usize, pixels: Vec<Color32>) {
        let height = self.height;
        let texture = self.texture.get_or_insert_with(|| {
            let empty = ColorImage::filled([CAPACITY, height], theme::BACKGROUND);
            context.load_texture(self.name, empty, TextureOptions::NEAREST)
        });
        texture.set_partial([column, 0], ColorImage::new([1, height], pixels), TextureOptions::NEAREST);
    }

    /// Draws the last `count` columns up to `end` (exclusive) into `rect`.
    fn draw(&self, painter: &Painter, rect: Rect, end: u64, count: usize) {
        let Some(texture) = &self.texture else { return };
        let first = end.saturating_sub(count as u64);
        let missing = count as u64 - (end - first);
        let column = rect.width() / count as f32;
        let mut x = rect.left() + missing as f32 * column;
        let mut at = first;
        while at < end {
            let start = (at % CAPACITY as u64) as usize;
            let run = ((end - at) as usize).min(CAPACITY - start);
            let u = |i: usize| i as f32 / CAPACITY as f32;
            let piece = Rect::from_min_max(pos2(x, rect.top()), pos2(x + run as f32 * column, rect.bottom()));
            let uv = Rect::from_min_max(pos2(u(start), 0.0), pos2(u(start + run), 1.0));
            painter.image(texture.id(), piece, uv, Color32::WHITE);
            x = piece.right();
            at += run as u64;
        }
    }
}

/// The last frames and their pictures.
pub struct History {
    reports: VecDeque<FrameReport>,
    /// Frames received since the view was made.
    received: u64,
    spectrogram: Scroll,
    codes: Option<Scroll>,
    /// Codebooks and channels that the textures are laid out for.
    layout: (u8, u8),
}

impl Default for History {
    fn default() -> Self {
        Self {
            reports: VecDeque::with_capacity(CAPACITY + 1),
            received: 0,
            spectrogram: Scroll::new("vrvq spectrogram", SPECTRUM_BANDS),
            codes: None,
            layout: (0, 0),
        }
    }
}

impl History {
    /// Takes in the next frame.
    pub fn push(&mut self, context: &egui::Context, report: FrameReport) {
        let layout = (report.codebooks.max(1), report.channels.max(1));
        if self.layout != layout {
            self.layout = layout;
            self.codes = Some(Scroll::new("vrvq codes", self.code_rows()));
            self.reports.clear();
        }
        let column = (self.received % CAPACITY as u64) as usize;
        let spectrum = report.spectrum.iter().rev().map(|&db| colours::loudness(db)).collect();
        self.spectrogram.write(context, column, spectrum);
        if let Some(codes) = &mut self.codes {
            codes.write(context, column, code_column(&report));
        }
        self.received += 1;
        self.reports.push_back(report);
        if self.reports.len() > CAPACITY {
            self.reports.pop_front();
        }
    }

    /// The report of the frame `ago` frames before the newest (0 is the newest).
    pub fn ago(&self, ago: usize) -> Option<&FrameReport> {
        self.reports.len().checked_sub(ago + 1).map(|index| &self.reports[index])
    }

    /// The newest frame.
    pub fn newest(&self) -> Option<&FrameReport> {
        self.reports.back()
    }

    /// The last `count` frames, oldest first.
    pub fn last(&self, count: usize) -> impl Iterator<Item = &FrameReport> {
        self.reports.iter().skip(self.reports.len().saturating_sub(count))
    }

    /// Codebook rows of all channels.
    pub fn code_rows(&self) -> usize {
        usize::from(self.layout.0) * usize::from(self.layout.1)
    }

    /// Channels on screen.
    pub fn channels(&self) -> usize {
        usize::from(self.layout.1).max(1)
    }

    pub fn draw_spectrogram(&self, painter: &Painter, rect: Rect, count: usize) {
        self.spectrogram.draw(painter, rect, self.received, count);
    }

    pub fn draw_codes(&self, painter: &Painter, rect: Rect, count: usize) {
        if let Some(codes) = &self.codes {
            codes.draw(painter, rect, self.received, count);
        }
    }
}

/// Pixels of one frame, top to bottom: the first channel's last codebook first, so that use grows upwards.
fn code_column(report: &FrameReport) -> Vec<Color32> {
    let codebooks = usize::from(report.codebooks.max(1));
    let rows = report.channel_frames().iter().flat_map(|frame| {
        (0..codebooks).rev().map(move |k| match () {
            () if report.late => theme::WARNING.gamma_multiply(0.45),
            () if k < usize::from(frame.count) => colours::code(frame.codes[k], CODEBOOK_SIZE),
            () => theme::UNUSED,
        })
    });
    rows.collect()
}
