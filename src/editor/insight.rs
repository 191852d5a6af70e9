//! The panel beside the map that explains: how the codebooks are used, or what the bitrate buys.

use super::axes::Rows;
use super::distortion::Chart;
use super::freeze::button;
use super::header;
use super::history::History;
use super::theme;
use super::usage::Counted;
use super::viewport::Span;
use crate::model::Curves;
use egui::{Align2, Key, Rect, Ui, pos2, vec2};

/// What the panel shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Usage and entropy of the codebooks.
    Usage,
    /// Rate and distortion.
    Distortion,
}

impl Kind {
    fn title(self) -> &'static str {
        match self {
            Self::Usage => "Codebooks in use",
            Self::Distortion => "Rate and distortion",
        }
    }

    /// Text and hint of its button, and its key.
    fn button(self) -> (&'static str, &'static str, Key) {
        match self {
            Self::Usage => {
                ("usage", "Shows how the codebooks are used: which entries, how evenly, how often. Key: H.", Key::H)
            }
            Self::Distortion => (
                "quality",
                "Shows what the bitrate buys: distortion, measured live, on the model's curves. Key: R.",
                Key::R,
            ),
        }
    }
}

/// The panel, open or not.
#[derive(Default)]
pub struct Insight {
    open: Option<Kind>,
    counted: Counted,
    chart: Chart,
}

impl Insight {
    /// Parts the area of the map from that of the panel, where it is open.
    pub fn split(&self, map: Rect, scale: f32) -> (Rect, Option<Rect>) {
        if self.open.is_none() {
            return (map, None);
        }
        let width = (0.36 * map.width()).clamp(268.0 * scale, 400.0 * scale).min(0.5 * map.width());
        let left = map.right() - width;
        let panel = Rect::from_min_max(pos2(left, map.top()), map.max);
        (Rect::from_min_max(map.min, pos2(left - 8.0, map.bottom())), Some(panel))
    }

    /// Draws the switches of the panels below the name of the codebooks' row, where the names begin at `left`;
    /// takes their keys.
    pub fn switches(&mut self, ui: &Ui, left: f32, rows: &Rows, scale: f32) {
        for (kind, down) in [(Kind::Usage, 49.0), (Kind::Distortion, 67.0)] {
            let (text, hint, key) = kind.button();
            let at = pos2(left + 1.0, rows.codes.top() + down * scale);
            let place = Rect::from_min_size(at, vec2(46.0, 16.0) * scale);
            let typed = !ui.ctx().text_edit_focused() && ui.input(|i| i.modifiers.is_none() && i.key_pressed(key));
            let on = self.open == Some(kind);
            let clicked = header::button(ui, place, 0.88 * scale, (text, text), kind.title(), Some(on), hint);
            if clicked || typed {
                self.open = (!on).then_some(kind);
            }
        }
    }

    /// Draws the open panel over `rect`, of what is on screen.
    pub fn show(&mut self, ui: &Ui, rect: Rect, scale: f32, history: &History, span: &Span, curves: Option<&Curves>) {
        let Some(kind) = self.open else { return };
        let inner = theme::card(ui, rect, scale, kind.title());
        let close = Rect::from_min_size(pos2(rect.right() - 22.0 * scale, rect.top() + 4.0), vec2(16.0, 16.0) * scale);
        if button(ui, close, scale, "×", "Close the panel", "Closes the panel.") {
            self.open = None;
        }
        let inner = Rect::from_min_max(inner.min + vec2(0.0, 6.0 * scale), inner.max);
        match kind {
            Kind::Usage => self.counted.show(ui, inner, scale, history, span.frames.clone()),
            Kind::Distortion => self.chart.show(ui, inner, scale, history, span, curves),
        }
        let channels = if history.channels() > 1 { ", both channels" } else { "" };
        let text = format!("{:.1} s on screen{channels}", (span.frames.end - span.frames.start) as f64 / span.rate);
        if kind == Kind::Usage {
            let at = pos2(close.left() - 6.0 * scale, close.center().y);
            ui.painter().text(at, Align2::RIGHT_CENTER, text, theme::text(10.5 * scale), theme::ink().faint);
        }
    }
}
