//! A picture that scrolls: a texture of columns, made when they come into sight and kept while they are in it.
//!
//! The texture is a ring: column c of the picture is at c modulo [`CAPACITY`]. What a column shows is made from frames
//! that are kept elsewhere, so going back in time or another zoom costs the columns that weren't there, and a picture
//! that isn't looked at costs nothing.

use super::theme;
use egui::{Color32, ColorImage, Painter, Rect, TextureHandle, TextureOptions, pos2};
use std::ops::Range;

/// Columns of the ring. Within what every graphics driver takes.
const CAPACITY: usize = 2048;
/// Most columns that can be on screen: one more than that may be in sight by a part.
pub const MOST_COLUMNS: usize = CAPACITY - 8;

/// A ring of columns on the graphics side.
pub struct Scroll {
    texture: Option<TextureHandle>,
    name: &'static str,
    height: usize,
    options: TextureOptions,
    /// The column that each column of the texture shows, and the frame that it ends before.
    shown: Vec<Option<(u64, u64)>>,
}

impl Scroll {
    /// A ring of columns of `height` pixels; `smooth` blends them when they are stretched.
    pub fn new(name: &'static str, height: usize, smooth: bool) -> Self {
        let options = if smooth { TextureOptions::LINEAR } else { TextureOptions::NEAREST };
        Self { texture: None, name, height, options, shown: vec![None; CAPACITY] }
    }

    /// Forgets all columns: what they are made of or how has changed.
    pub fn clear(&mut self) {
        self.shown.fill(None);
    }

    /// Makes those of `columns` that aren't there: `end` is the frame that a column ends before, `make` gives its
    /// pixels, top to bottom. Neighbours are uploaded at once.
    pub fn fill(
        &mut self,
        context: &egui::Context,
        columns: Range<u64>,
        end: impl Fn(u64) -> u64,
        mut make: impl FnMut(u64) -> Vec<Color32>,
    ) {
        let mut made: Vec<Vec<Color32>> = Vec::new();
        for column in columns.clone() {
            let place = (column % CAPACITY as u64) as usize;
            if !made.is_empty() && (place == 0 || self.shown[place] == Some((column, end(column)))) {
                self.upload(context, column, &mut made);
            }
            if self.shown[place] != Some((column, end(column))) {
                self.shown[place] = Some((column, end(column)));
                made.push(make(column));
            }
        }
        self.upload(context, columns.end, &mut made);
    }

    /// Uploads the columns before column `end`.
    fn upload(&mut self, context: &egui::Context, end: u64, made: &mut Vec<Vec<Color32>>) {
        let Some(first) = end.checked_sub(made.len() as u64).filter(|_| !made.is_empty()) else { return };
        let (height, options) = (self.height, self.options);
        let texture = self.texture.get_or_insert_with(|| {
            context.load_texture(self.name, ColorImage::filled([CAPACITY, height], theme::ink().unused), options)
        });
        let row = |row: usize| made.iter().map(move |column| column[row]);
        let pixels = (0..height).flat_map(row).collect();
        let place = (first % CAPACITY as u64) as usize;
        texture.set_partial([place, 0], ColorImage::new([made.len(), height], pixels), options);
        made.clear();
    }

    /// Draws `columns`, each `width` wide, the last with its right edge at `right`, over the height of `rect`.
    pub fn draw(&self, painter: &Painter, rect: Rect, columns: Range<u64>, right: f32, width: f32) {
        let Some(texture) = &self.texture else { return };
        let (mut right, mut end) = (right, columns.end);
        while end > columns.start {
            let last = ((end - 1) % CAPACITY as u64) as usize + 1;
            let run = ((end - columns.start) as usize).min(last);
            let left = right - run as f32 * width;
            let u = |column: usize| column as f32 / CAPACITY as f32;
            let uv = Rect::from_min_max(pos2(u(last - run), 0.0), pos2(u(last), 1.0));
            let piece = Rect::from_min_max(pos2(left, rect.top()), pos2(right, rect.bottom()));
            painter.image(texture.id(), piece, uv, Color32::WHITE);
            right = left;
            end -= run as u64;
        }
    }
}
