//! Where everything is, from 700 x 450 points on: a header, the map, and cards of controls and figures below it.

use egui::{Rect, pos2, vec2};

/// Smallest window that everything fits in.
const SMALLEST: (f32, f32) = (700.0, 450.0);
const MARGIN: f32 = 8.0;
const HEADER: f32 = 26.0;
const CARDS: f32 = 134.0;
const GAP: f32 = 8.0;
/// Widths in the header: the settings, and beside them the state, the colours and what saves the map.
const STRIP: f32 = 248.0;
const STATE: f32 = 150.0;
/// Smallest widths of the cards.
const WIDTHS: [f32; 5] = [110.0, 150.0, 170.0, 148.0, 70.0];
/// How much of the width left over each card takes.
const SHARES: [f32; 5] = [0.17, 0.18, 0.27, 0.24, 0.14];

/// Areas of the view.
pub struct Layout {
    /// Size of type and controls, 1 in the smallest window.
    pub scale: f32,
    pub header: Rect,
    /// The part of the header that holds the settings.
    pub strip: Rect,
    pub map: Rect,
    pub level: Rect,
    pub listen: Rect,
    pub bitrate: Rect,
    pub engine: Rect,
    pub meters: Rect,
}

impl Layout {
    /// The areas of a window of `whole`.
    pub fn new(whole: Rect) -> Self {
        let scale = (whole.width() / SMALLEST.0).min(whole.height() / SMALLEST.1).max(1.0).sqrt().min(1.4);
        let inner = whole.shrink(MARGIN);
        let header = Rect::from_min_size(inner.min, vec2(inner.width(), HEADER * scale));
        let right = header.right() - STATE * scale;
        let strip = header.with_min_x(right - STRIP * scale).with_max_x(right);
        let cards = Rect::from_min_max(pos2(inner.left(), inner.bottom() - CARDS * scale), inner.max);
        let map = Rect::from_min_max(pos2(inner.left(), header.bottom() + 4.0), pos2(inner.right(), cards.top() - GAP));
        let least: f32 = WIDTHS.iter().sum::<f32>() * scale;
        let left_over = (inner.width() - 4.0 * GAP - least).max(0.0);
        let mut left = cards.left();
        let [level, listen, bitrate, engine, meters] = std::array::from_fn(|index| {
            let width = WIDTHS[index] * scale + SHARES[index] * left_over;
            let card = Rect::from_min_size(pos2(left, cards.top()), vec2(width, cards.height()));
            left = card.right() + GAP;
            card
        });
        Self { scale, header, strip, map, level, listen, bitrate, engine, meters }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_stay_inside_and_apart_at_every_size() {
        for (width, height) in [(700.0, 450.0), (700.0, 1200.0), (1600.0, 450.0), (1600.0, 900.0), (3840.0, 2160.0)] {
            let whole = Rect::from_min_size(pos2(0.0, 0.0), vec2(width, height));
            let Layout { header, map, level, listen, bitrate, engine, meters, .. } = Layout::new(whole);
            let areas = [header, map, level, listen, bitrate, engine, meters];
            for (index, area) in areas.iter().enumerate() {
                assert!(whole.contains_rect(*area), "area {index} of {width} x {height}: {area:?}");
                assert!(areas[..index].iter().all(|other| !other.intersects(*area)), "{index} of {width} x {height}");
            }
            assert!(map.height() > 200.0);
        }
    }
}
