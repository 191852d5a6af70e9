//! Curves over time as a texture that scrolls, like the pictures: a texture column for each pixel across, made when it
//! comes into sight. As shapes they were some ten triangles a column, which a graphics driver in software spent more
//! time on than on all else of the view.

use super::scroll::{MOST_COLUMNS, Scroll};
use super::theme;
use super::viewport::Span;
use egui::{Color32, Painter, Rect, lerp};

/// Width of a curve's line, and room for it at the top of its row, in points.
const LINE: f32 = 1.5;
const ROOM: f32 = 2.0;
/// Opacity of the shade below a curve: at the line and at the bottom of the row.
const SHADE: [f32; 2] = [0.34, 0.16];

/// One curve of a row: a value for each visible column.
pub struct Curve<'a> {
    pub values: &'a [f32],
    pub colour: Color32,
    /// Shaded below.
    pub shaded: bool,
}

/// The texture of one row.
pub struct Trace {
    scroll: Scroll,
    name: &'static str,
    /// What its columns are made for: a change makes them anew.
    made_for: Option<Made>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Made {
    height: usize,
    pixel: f32,
    fold: u64,
    parts: u64,
    top: f32,
    curves: usize,
    bright: bool,
}

impl Trace {
    /// A row whose texture has this name.
    pub fn new(name: &'static str) -> Self {
        Self { scroll: Scroll::new(name, 1, false), name, made_for: None }
    }

    /// Draws `curves` from 0 to `top` over `rect`, the later ones above.
    pub fn draw(&mut self, painter: &Painter, rect: Rect, span: &Span, curves: &[Curve<'_>], top: f32) {
        let pixel = 1.0 / painter.ctx().pixels_per_point();
        let height = (rect.height() / pixel).round().max(1.0) as usize;
        let columns = span.columns();
        let width = span.step * span.fold as f32;
        let parts = parts((width / pixel).round() as u64, columns.end - columns.start);
        let bright = theme::ink().bright;
        let wanted = Made { height, pixel, fold: span.fold, parts, top, curves: curves.len(), bright };
        if self.made_for.is_none_or(|made| made.height != height) {
            self.scroll = Scroll::new(self.name, height, false);
        } else if self.made_for != Some(wanted) {
            self.scroll.clear();
        }
        self.made_for = Some(wanted);
        let end = |part: u64| span.frames_of(part / parts).end;
        let make = |part: u64| {
            let index = (part / parts - columns.start) as usize;
            let mut pixels = vec![theme::ink().panel; height];
            for curve in curves {
                // From the column before to this one, part by part.
                let ends = [curve.values[index.saturating_sub(1)], curve.values[index]];
                let at = |part: u64| lerp(ends[0]..=ends[1], (part % parts) as f32 / parts as f32);
                let step = (ends[1] - ends[0]) / parts as f32;
                let y = |value: f32| {
                    let share = (value / top).clamp(0.0, 1.0);
                    height as f32 - (0.5 + share * (rect.height() - ROOM)) / pixel
                };
                paint(&mut pixels, curve, y(at(part)), y(at(part) + step), LINE / pixel);
            }
            pixels
        };
        let shown = columns.start * parts..columns.end * parts;
        self.scroll.fill(painter.ctx(), shown.clone(), end, make);
        let right = span.at(rect, (columns.end * span.fold) as f64);
        let painter = painter.with_clip_rect(painter.clip_rect().intersect(rect));
        self.scroll.draw(&painter, rect, shown, right, width / parts as f32);
    }
}

/// Texture columns for each of `columns` that are `pixels` wide: one a pixel, fewer where the texture hasn't as many.
fn parts(pixels: u64, columns: u64) -> u64 {
    let fits = |parts: &u64| pixels.is_multiple_of(*parts) && columns * parts <= MOST_COLUMNS as u64;
    (1..=pixels).rev().find(fits).unwrap_or(1)
}

/// Paints one texture column of a curve that goes from height `from` to `to`, in pixels below the top.
fn paint(pixels: &mut [Color32], curve: &Curve<'_>, from: f32, to: f32, line: f32) {
    let middle = 0.5 * (from + to);
    let bottom = pixels.len() as f32;
    let (above, below) = (from.min(to) - 0.5 * line, from.max(to) + 0.5 * line);
    for (row, pixel) in pixels.iter_mut().enumerate() {
        let row = row as f32;
        if curve.shaded {
            let covered = (row + 1.0 - middle).clamp(0.0, 1.0);
            let down = ((row + 0.5 - middle) / (bottom - middle).max(1.0)).clamp(0.0, 1.0);
            *pixel = pixel.blend(curve.colour.gamma_multiply(covered * lerp(SHADE[0]..=SHADE[1], down)));
        }
        let covered = ((row + 1.0).min(below) - row.max(above)).clamp(0.0, 1.0);
        *pixel = pixel.blend(curve.colour.gamma_multiply(covered));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_pixels_as_long_as_the_texture_has_room() {
        assert_eq!(parts(1, 1500), 1);
        assert_eq!(parts(2, 730), 2);
        assert_eq!(parts(4, 730), 2, "four don't fit");
        assert_eq!(parts(7, 1000), 1, "no part of a pixel");
    }

    #[test]
    fn a_line_covers_its_width_wherever_it_lies() {
        for at in [4.0, 4.3, 4.5, 9.9] {
            let mut pixels = [Color32::TRANSPARENT; 16];
            let curve = Curve { values: &[], colour: Color32::WHITE, shaded: false };
            paint(&mut pixels, &curve, at, at, 1.5);
            let covered: f32 = pixels.iter().map(|pixel| f32::from(pixel.a()) / 255.0).sum();
            assert!((covered - 1.5).abs() < 0.02, "{covered} at {at}");
            let centre = pixels.iter().enumerate().map(|(row, p)| (row as f32 + 0.5) * f32::from(p.a()) / 255.0);
            assert!((centre.sum::<f32>() / covered - at).abs() < 0.1);
        }
    }
}
