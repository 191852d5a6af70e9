//! Rows of the map, their names, scales and what they mean in plain words.

use super::history::{History, LADDER};
use super::map::{Picture, Span};
use super::theme;
use crate::codec::{PacketFormat, kilobits_per_second};
use crate::engine::{SPECTRUM_HIGH_HZ, SPECTRUM_LOW_HZ, StereoMode};
use egui::{Align2, Color32, Key, Painter, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

const GAP: f32 = 5.0;
/// Room for names and scales at the left, and for the time below, at scale 1.
const LABELS: f32 = 88.0;
const TIME: f32 = 15.0;

const SPECTRUM_HINT: &str =
    "The sound that goes in: low frequencies at the bottom, high at the top, brighter is louder.";
const IMPORTANCE_HINT: &str = "How much the model thinks each frame (11.6 ms) matters, from 0 to 1. Important frames are \
                               given more codebooks: level x importance, rounded down, plus one.";
const CODEBOOKS_HINT: &str = "A codebook is a list of sounds that both ends know; a frame sends only the number of an \
                              entry in each. The first is a coarse sketch, each further one mends what is left.\n\
                              Lit: used. Hue: which entry. Dark: not sent, so it costs no bits.";
const LADDER_HINT: &str = "How many codebooks each frame would use at levels from 4 (bottom) to 26 (top): the darker the fewer, \
                           the brighter the more. White: the level in use.";
const BITRATE_HINT: &str = "Bits that were packed, over a tenth of a second. Dashed: the mean since the last reset.";

/// Where the rows of the map are.
pub struct Rows {
    pub spectrogram: Rect,
    pub importance: Rect,
    pub codes: Rect,
    pub bitrate: Rect,
}

impl Rows {
    /// The rows in `rect`; each codebook gets whole pixels.
    pub fn new(rect: Rect, scale: f32, codebooks: usize, channels: usize, pixel: f32) -> Self {
        let snap = |value: f32| (value / pixel).round() * pixel;
        let (left, right) = (snap(rect.left() + LABELS * scale), snap(rect.right()));
        let height = rect.height() - 3.0 * GAP - TIME * scale;
        let (importance, codes, bitrate) = if channels > 1 { (0.14, 0.40, 0.17) } else { (0.15, 0.33, 0.19) };
        let count = (codebooks * channels) as f32;
        let codes = ((codes * height / pixel / count).round().max(1.0) * count * pixel).min(0.6 * height);
        let (importance, bitrate) = (snap(importance * height), snap(bitrate * height));
        let mut top = snap(rect.top());
        let mut row = |height: f32| {
            let row = Rect::from_min_max(pos2(left, top), pos2(right, top + height));
            top = snap(row.bottom() + GAP);
            row
        };
        Self {
            spectrogram: row(snap(height - importance - codes - bitrate)),
            importance: row(importance),
            codes: row(codes),
            bitrate: row(bitrate),
        }
    }

    /// All rows, top to bottom.
    pub fn all(&self) -> [Rect; 4] {
        [self.spectrogram, self.importance, self.codes, self.bitrate]
    }

    /// The area of all rows.
    pub fn plot(&self) -> Rect {
        self.spectrogram.union(self.bitrate)
    }
}

/// Colour of a channel's curve.
pub fn channel_colour(channel: usize) -> Color32 {
    [theme::ACCENT, theme::SECOND][channel % 2]
}

/// Top of the bitrate's scale in kb/s: every frame with all codebooks.
pub fn bitrate_top(history: &History, rate: f64) -> f32 {
    let format = PacketFormat::new(history.codebooks(), super::colours::CODEBOOK_SIZE);
    let bits = format.map_or(83, |format| format.frame_bits(history.codebooks())) * history.channels();
    1.06 * kilobits_per_second(bits as u64, 1, rate) as f32
}

/// Ticks of a scale that ends at `top`: three or so round values.
fn ticks(top: f32) -> impl Iterator<Item = f32> {
    let magnitude = 10f32.powf((top / 3.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude).into_iter().find(|step| top / step < 4.5);
    let step = step.unwrap_or(top);
    (1..).map(move |index| index as f32 * step).take_while(move |value| *value < 0.97 * top)
}

/// Grid lines under the curves and between the codebooks.
pub fn behind(painter: &Painter, rows: &Rows, history: &History, picture: Picture, top: f32, mean: f32) {
    let grid = Stroke::new(1.0, theme::GRID);
    let line = |row: Rect, share: f32| painter.hline(row.x_range(), row.bottom() - share * row.height(), grid);
    line(rows.importance, 0.5);
    for value in ticks(top) {
        line(rows.bitrate, value / top);
    }
    if mean > 0.0 {
        let y = rows.bitrate.bottom() - (mean / top).min(1.0) * rows.bitrate.height();
        let ends = [pos2(rows.bitrate.left(), y), pos2(rows.bitrate.right(), y)];
        painter.extend(Shape::dashed_line(&ends, Stroke::new(1.0, theme::TEXT.gamma_multiply(0.7)), 5.0, 4.0));
    }
    let (codebooks, channels) = (history.codebooks(), history.channels());
    if picture == Picture::Ladder {
        ladder(painter, rows.codes, history);
        return;
    }
    let height = rows.codes.height() / (codebooks * channels) as f32;
    for row in 1..codebooks * channels {
        let y = rows.codes.top() + row as f32 * height;
        if row % codebooks == 0 {
            painter.hline(rows.codes.x_range(), y, Stroke::new(3.0, theme::BACKGROUND));
        } else if height >= 7.0 {
            painter.hline(rows.codes.x_range(), y, Stroke::new(1.0, theme::BACKGROUND));
        }
    }
}

/// Where a level stands on the ladder, 0 at the bottom of its area to 1 at the top; each rung has a height of its own.
fn rung(level: f32) -> f32 {
    let step = LADDER[1] - LADDER[0];
    (((level - LADDER[0]) / step + 0.5) / LADDER.len() as f32).clamp(0.0, 1.0)
}

/// Parts the channels of the ladder and marks the level in use.
fn ladder(painter: &Painter, area: Rect, history: &History) {
    let channels = history.channels();
    let height = area.height() / channels as f32;
    for channel in 0..channels {
        let bottom = area.top() + (channel + 1) as f32 * height;
        if channel + 1 < channels {
            painter.hline(area.x_range(), bottom, Stroke::new(3.0, theme::BACKGROUND));
        }
        if let Some(level) = super::mode::level_in_use(history) {
            let y = bottom - rung(level) * height;
            painter.hline(area.x_range(), y, Stroke::new(1.0, theme::TEXT));
        }
    }
}

/// Names and scales beside the rows, and the time below them. Hovering a name explains it.
#[allow(clippy::too_many_arguments, reason = "one call, and what it draws has that many parts")]
pub fn labels(
    ui: &Ui,
    rect: Rect,
    rows: &Rows,
    history: &History,
    picture: &mut Picture,
    span: &Span,
    scale: f32,
    top: f32,
) {
    let painter = ui.painter_at(rect);
    let small = theme::text(11.0 * scale);
    let name = |row: Rect, text: &str, hint: &str| {
        let at = pos2(rect.left() + 1.0, row.top() - 1.0);
        painter.text(at, Align2::LEFT_TOP, text, theme::text(13.0 * scale), theme::TEXT);
        let area = Rect::from_min_max(pos2(rect.left(), row.top()), row.left_bottom());
        ui.interact(area, ui.scope_id().with(text), Sense::hover()).on_hover_text(hint);
    };
    name(rows.spectrogram, "Input", SPECTRUM_HINT);
    name(rows.importance, "Importance", IMPORTANCE_HINT);
    let (text, hint) = match picture {
        Picture::Codes => ("Codebooks", CODEBOOKS_HINT),
        Picture::Ladder => ("By level", LADDER_HINT),
    };
    name(rows.codes, text, hint);
    name(rows.bitrate, "Bitrate", BITRATE_HINT);
    let unit = |row: Rect, text: &str| {
        let at = pos2(rect.left() + 1.0, row.top() + 15.0 * scale);
        painter.text(at, Align2::LEFT_TOP, text, small.clone(), theme::FAINT);
    };
    unit(rows.spectrogram, "Hz");
    if *picture == Picture::Codes {
        unit(rows.codes, &format!("1 to {}", history.codebooks()));
    }
    switch(ui, rect, rows.codes, picture, scale);
    unit(rows.bitrate, "kb/s");
    let tick = |row: Rect, share: f32, text: String, colour: Color32| {
        // Kept inside the row, so that the scales of two rows never meet.
        let y = (row.bottom() - share * row.height()).clamp(row.top() + 6.0 * scale, row.bottom() - 6.0 * scale);
        painter.text(pos2(row.left() - 5.0, y), Align2::RIGHT_CENTER, text, small.clone(), colour);
    };
    let octaves = (SPECTRUM_HIGH_HZ / SPECTRUM_LOW_HZ).log2();
    for (hz, text) in [(100.0f32, "100"), (1000.0, "1k"), (10_000.0, "10k")] {
        tick(rows.spectrogram, (hz / SPECTRUM_LOW_HZ).log2() / octaves, text.into(), theme::FAINT);
    }
    tick(rows.importance, 0.0, "0".into(), theme::FAINT);
    tick(rows.importance, 1.0, "1".into(), theme::FAINT);
    for value in ticks(top) {
        tick(rows.bitrate, value / top, format!("{value}"), theme::FAINT);
    }
    if *picture == Picture::Ladder {
        let height = rows.codes.height() / history.channels() as f32;
        for channel in 0..history.channels() {
            let below = (history.channels() - 1 - channel) as f32 * height;
            for &level in if height < 40.0 * scale { &[8.0f32, 24.0][..] } else { &[8.0, 16.0, 24.0] } {
                tick(
                    rows.codes,
                    (below + rung(level) * height) / rows.codes.height(),
                    format!("{level}"),
                    theme::FAINT,
                );
            }
        }
    }
    if history.channels() > 1 {
        let newest = history.received().checked_sub(1).and_then(|frame| history.at(frame));
        let names = newest.map_or(StereoMode::LeftRight, |report| report.stereo).channel_names();
        for (channel, text) in names.iter().map(|name| &name[..1]).enumerate() {
            let share = 0.75 - 0.5 * channel as f32;
            if *picture == Picture::Codes {
                tick(rows.codes, share, text.into(), channel_colour(channel));
            }
            let at = pos2(rect.left() + 1.0 + 13.0 * scale * channel as f32, rows.importance.top() + 15.0 * scale);
            painter.text(at, Align2::LEFT_TOP, text, small.clone(), channel_colour(channel));
        }
    }
    time(&painter, rect, rows, span, small);
}

/// The switch between the codes and the ladder.
fn switch(ui: &Ui, rect: Rect, row: Rect, picture: &mut Picture, scale: f32) {
    let (next, text, hint) = match picture {
        Picture::Codes => {
            (Picture::Ladder, "by level", "Shows what each frame would use at levels from 4 to 26. Key: K.")
        }
        Picture::Ladder => (Picture::Codes, "codes", "Shows the codes that are sent. Key: K."),
    };
    let at = pos2(rect.left() + 1.0, row.top() + 31.0 * scale);
    let place = Rect::from_min_size(at, vec2(46.0, 16.0) * scale);
    let response = ui.interact(place, ui.scope_id().with("picture"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Show {text}")));
    let lit = response.hovered() || response.has_focus();
    ui.painter().rect_filled(place, 3.0, if lit { theme::GRID } else { theme::CONTROL });
    ui.painter().text(place.center(), Align2::CENTER_CENTER, text, theme::text(10.5 * scale), theme::TEXT);
    let key = !ui.ctx().text_edit_focused() && ui.input(|i| i.modifiers.is_none() && i.key_pressed(Key::K));
    if response.on_hover_text(hint).clicked() || key {
        *picture = next;
    }
}

fn time(painter: &Painter, rect: Rect, rows: &Rows, span: &Span, font: egui::FontId) {
    let second = span.step * span.rate as f32;
    for ago in 0..=(rows.bitrate.width() / second) as usize {
        let x = rows.bitrate.right() - ago as f32 * second;
        let (text, align) = match ago {
            0 => ("now".to_owned(), Align2::RIGHT_BOTTOM),
            _ => (format!("−{ago} s"), Align2::CENTER_BOTTOM),
        };
        let mark = [pos2(x, rows.bitrate.bottom()), pos2(x, rows.bitrate.bottom() + 3.0)];
        painter.line_segment(mark, Stroke::new(1.0, theme::GRID));
        painter.text(pos2(x, rect.bottom()) + vec2(0.0, 1.0), align, text, font.clone(), theme::FAINT);
    }
}

#[cfg(test)]
mod tests {
    use super::ticks;

    #[test]
    fn scales_have_round_ticks_inside() {
        assert_eq!(ticks(7.58).collect::<Vec<_>>(), [2.0, 4.0, 6.0]);
        assert_eq!(ticks(15.2).collect::<Vec<_>>(), [5.0, 10.0]);
        assert_eq!(ticks(1.0).collect::<Vec<_>>(), [0.5]);
    }
}
