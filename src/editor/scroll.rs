//! A picture that scrolls: a texture as wide as the history, written column by column, drawn as at most two quads.

use super::theme;
use egui::{Color32, ColorImage, Painter, Rect, TextureHandle, TextureOptions, pos2};

/// Columns of the ring. Within what every graphics driver takes.
pub const CAPACITY: usize = 2048;

/// A ring of columns on the graphics side.
pub struct Scroll {
    texture: Option<TextureHandle>,
    name: &'static str,
    height: usize,
    options: TextureOptions,
}

impl Scroll {
    /// A ring of columns of `height` pixels; `smooth` blends them when they are stretched.
    pub fn new(name: &'static str, height: usize, smooth: bool) -> Self {
        let options = if smooth { TextureOptions::LINEAR } else { TextureOptions::NEAREST };
        Self { texture: None, name, height, options }
    }

    /// Uploads the column of frame `index`, top to bottom, and nothing else.
    pub fn write(&mut self, context: &egui::Context, index: u64, pixels: Vec<Color32>) {
        let (height, options) = (self.height, self.options);
        let texture = self.texture.get_or_insert_with(|| {
            context.load_texture(self.name, ColorImage::filled([CAPACITY, height], theme::PANEL), options)
        });
        let column = (index % CAPACITY as u64) as usize;
        texture.set_partial([column, 0], ColorImage::new([1, height], pixels), options);
    }

    /// Draws the columns of `frames` into `rect`, the last at its right edge, each `step` wide.
    pub fn draw(&self, painter: &Painter, rect: Rect, frames: std::ops::Range<u64>, step: f32) {
        let Some(texture) = &self.texture else { return };
        let mut right = rect.right();
        let mut end = frames.end;
        while end > frames.start {
            let last = ((end - 1) % CAPACITY as u64) as usize + 1;
            let run = ((end - frames.start) as usize).min(last);
            let left = right - run as f32 * step;
            let u = |column: usize| column as f32 / CAPACITY as f32;
            let uv = Rect::from_min_max(pos2(u(last - run), 0.0), pos2(u(last), 1.0));
            let piece = Rect::from_min_max(pos2(left, rect.top()), pos2(right, rect.bottom()));
            painter.image(texture.id(), piece, uv, Color32::WHITE);
            right = left;
            end -= run as u64;
        }
    }
}
