//! Rows of the map, their names, scales and what they mean in plain words.

use super::freeze::button;
use super::history::History;
use super::pictures::{LADDER, Picture, Sound};
use super::theme;
use super::viewport::Span;
use crate::codec::{PacketFormat, kilobits_per_second};
use crate::engine::{SPECTRUM_HIGH_HZ, SPECTRUM_LOW_HZ, StereoMode};
use egui::{Align2, Color32, Key, Painter, Rect, Sense, Shape, Stroke, Ui, pos2, vec2};

const GAP: f32 = 5.0;
/// Room for names and scales at the left, and for the time below, at scale 1.
const LABELS: f32 = 88.0;
const TIME: f32 = 15.0;

const SPECTRUM_HINT: &str =
    "The sound that goes in: low frequencies at the bottom, high at the top, brighter is louder.";
const DECODED_HINT: &str =
    "The sound that the decoder made of the packed bits, at the same moments as the input. Brighter is louder.";
const DIFFERENCE_HINT: &str = "Where the decoded sound differs from the input, in loudness. Blue: it is softer, something was lost. \
                               Orange: it is louder, something was added. Plain: both are equally loud.";
const AUDIBLE_HINT: &str = "What the ear can hear of the codec's errors: how far they stand above what the sound itself masks \
                            (noise-to-mask ratio, by the ear model of ITU-R BS.1387, full scale at 92 dB SPL). Plain: \
                            masked. The stronger, the more audible.";
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
    [theme::ink().accent, theme::ink().second][channel % 2]
}

/// Top of the bitrate's scale in kb/s: every frame with all codebooks.
pub fn bitrate_top(history: &History, rate: f64) -> f32 {
    let format = PacketFormat::new(history.codebooks(), super::colours::CODEBOOK_SIZE);
    let bits = format.map_or(83, |format| format.frame_bits(history.codebooks())) * history.channels();
    1.06 * kilobits_per_second(bits as u64, 1, rate) as f32
}

/// Ticks of a scale that ends at `top`: three or so round values.
pub fn ticks(top: f32) -> impl Iterator<Item = f32> {
    let magnitude = 10f32.powf((top / 3.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * magnitude).into_iter().find(|step| top / step < 4.5);
    let step = step.unwrap_or(top);
    (1..).map(move |index| index as f32 * step).take_while(move |value| *value < 0.97 * top)
}

/// Grid lines over the curves and between the codebooks.
pub fn lines(painter: &Painter, rows: &Rows, history: &History, picture: Picture, top: f32, mean: f32) {
    let grid = Stroke::new(1.0, theme::ink().grid);
    let line = |row: Rect, share: f32| painter.hline(row.x_range(), row.bottom() - share * row.height(), grid);
    line(rows.importance, 0.5);
    for value in ticks(top) {
        line(rows.bitrate, value / top);
    }
    if mean > 0.0 {
        let y = rows.bitrate.bottom() - (mean / top).min(1.0) * rows.bitrate.height();
        let ends = [pos2(rows.bitrate.left(), y), pos2(rows.bitrate.right(), y)];
        painter.extend(Shape::dashed_line(&ends, Stroke::new(1.0, theme::ink().text.gamma_multiply(0.7)), 5.0, 4.0));
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
            painter.hline(rows.codes.x_range(), y, Stroke::new(3.0, theme::ink().background));
        } else if height >= 7.0 {
            painter.hline(rows.codes.x_range(), y, Stroke::new(1.0, theme::ink().background));
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
            painter.hline(area.x_range(), bottom, Stroke::new(3.0, theme::ink().background));
        }
        if let Some(level) = super::mode::level_in_use(history) {
            let y = bottom - rung(level) * height;
            painter.hline(area.x_range(), y, Stroke::new(1.0, theme::ink().text));
        }
    }
}

/// Names and scales beside the rows with the switches of what they show, and the time below them. Hovering a name
/// explains it.
#[allow(clippy::too_many_arguments, reason = "one call, and what it draws has that many parts")]
pub fn labels(
    ui: &Ui,
    rect: Rect,
    rows: &Rows,
    history: &History,
    (picture, sound): (&mut Picture, &mut Sound),
    span: &Span,
    scale: f32,
    top: f32,
) {
    let painter = ui.painter_at(rect);
    let small = theme::text(11.0 * scale);
    let name = |row: Rect, text: &str, hint: &str| {
        let at = pos2(rect.left() + 1.0, row.top() - 1.0);
        painter.text(at, Align2::LEFT_TOP, text, theme::text(13.0 * scale), theme::ink().text);
        let area = Rect::from_min_max(pos2(rect.left(), row.top()), row.left_bottom());
        ui.interact(area, ui.scope_id().with(text), Sense::hover()).on_hover_text(hint);
    };
    let (text, hint) = match sound {
        Sound::Input => ("Input", SPECTRUM_HINT),
        Sound::Decoded => ("Decoded", DECODED_HINT),
        Sound::Difference => ("Difference", DIFFERENCE_HINT),
        Sound::Audible => ("Audible", AUDIBLE_HINT),
    };
    name(rows.spectrogram, text, hint);
    name(rows.importance, "Importance", IMPORTANCE_HINT);
    let (text, hint) = match picture {
        Picture::Codes => ("Codebooks", CODEBOOKS_HINT),
        Picture::Ladder => ("By level", LADDER_HINT),
    };
    name(rows.codes, text, hint);
    name(rows.bitrate, "Bitrate", BITRATE_HINT);
    let unit = |row: Rect, text: &str| {
        let at = pos2(rect.left() + 1.0, row.top() + 15.0 * scale);
        painter.text(at, Align2::LEFT_TOP, text, small.clone(), theme::ink().faint);
    };
    unit(rows.spectrogram, "Hz");
    if *picture == Picture::Codes {
        unit(rows.codes, &format!("1 to {}", history.codebooks()));
    }
    switch_picture(ui, rect, rows.codes, picture, scale);
    switch_sound(ui, rect, rows.spectrogram, sound, scale);
    unit(rows.bitrate, "kb/s");
    let tick = |row: Rect, share: f32, text: String, colour: Color32| {
        // Kept inside the row, so that the scales of two rows never meet.
        let y = (row.bottom() - share * row.height()).clamp(row.top() + 6.0 * scale, row.bottom() - 6.0 * scale);
        painter.text(pos2(row.left() - 5.0, y), Align2::RIGHT_CENTER, text, small.clone(), colour);
    };
    let octaves = (SPECTRUM_HIGH_HZ / SPECTRUM_LOW_HZ).log2();
    for (hz, text) in [(100.0f32, "100"), (1000.0, "1k"), (10_000.0, "10k")] {
        tick(rows.spectrogram, (hz / SPECTRUM_LOW_HZ).log2() / octaves, text.into(), theme::ink().faint);
    }
    tick(rows.importance, 0.0, "0".into(), theme::ink().faint);
    tick(rows.importance, 1.0, "1".into(), theme::ink().faint);
    for value in ticks(top) {
        tick(rows.bitrate, value / top, format!("{value}"), theme::ink().faint);
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
                    theme::ink().faint,
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
    time(&painter, rect, rows, span, scale);
}

/// A switch below the name of a row: goes on where it is clicked or its key pressed.
fn switch(ui: &Ui, rect: Rect, row: Rect, scale: f32, key: Key, text: &str, hint: &str) -> bool {
    let width = if text.len() > 8 { 54.0 } else { 46.0 };
    let place = Rect::from_min_size(pos2(rect.left() + 1.0, row.top() + 31.0 * scale), vec2(width, 16.0) * scale);
    let pressed = !ui.ctx().text_edit_focused() && ui.input(|i| i.modifiers.is_none() && i.key_pressed(key));
    button(ui, place, scale, text, &format!("Show {text}"), hint) || pressed
}

/// The switch between the codes and the ladder.
fn switch_picture(ui: &Ui, rect: Rect, row: Rect, picture: &mut Picture, scale: f32) {
    let (next, text, hint) = match picture {
        Picture::Codes => {
            (Picture::Ladder, "by level", "Shows what each frame would use at levels from 4 to 26. Key: K.")
        }
        Picture::Ladder => (Picture::Codes, "codes", "Shows the codes that are sent. Key: K."),
    };
    if switch(ui, rect, row, scale, Key::K, text, hint) {
        *picture = next;
    }
}

/// The switch between input, decoded sound, their difference and what is heard of it.
fn switch_sound(ui: &Ui, rect: Rect, row: Rect, sound: &mut Sound, scale: f32) {
    let (next, text, hint) = match sound {
        Sound::Input => (Sound::Decoded, "decoded", "Shows what the decoder made of it. Key: V."),
        Sound::Decoded => {
            (Sound::Difference, "difference", "Shows where the decoded sound is softer or louder. Key: V.")
        }
        Sound::Difference => (Sound::Audible, "audible", "Shows what the ear can hear of the codec's errors. Key: V."),
        Sound::Audible => (Sound::Input, "input", "Shows the sound that goes in. Key: V."),
    };
    if switch(ui, rect, row, scale, Key::V, text, hint) {
        *sound = next;
    }
}

/// Seconds between the marks of the time axis, where a second is `second` points wide and a label `width`.
fn time_step(second: f32, width: f32) -> f64 {
    let steps = [0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0];
    steps.into_iter().find(|&step| step as f32 * second > width).unwrap_or(30.0)
}

/// The time in seconds: before now, or before the moment at which the map was frozen.
fn time(painter: &Painter, rect: Rect, rows: &Rows, span: &Span, scale: f32) {
    let row = rows.bitrate;
    let step = time_step(span.step * span.rate as f32, 58.0 * scale);
    let first = ((span.origin - span.edge) / span.rate / step).ceil().max(0.0) as u64;
    for index in first.. {
        let ago = index as f64 * step;
        let x = span.at(row, span.origin - ago * span.rate);
        if x < row.left() {
            break;
        }
        let text = match (index, span.frozen) {
            (0, false) => "now".to_owned(),
            (0, true) => "frozen".to_owned(),
            _ if step < 1.0 => format!("−{ago:.1} s"),
            _ => format!("−{ago:.0} s"),
        };
        // Not over the window's edge.
        let align = if x > row.right() - 16.0 * scale { Align2::RIGHT_BOTTOM } else { Align2::CENTER_BOTTOM };
        let at = if align == Align2::RIGHT_BOTTOM { row.right() } else { x };
        if x > row.left() + 16.0 * scale {
            painter.text(pos2(at, rect.bottom() + 1.0), align, text, theme::text(11.0 * scale), theme::ink().faint);
        }
        let mark = [pos2(x, row.bottom()), pos2(x, row.bottom() + 3.0)];
        painter.line_segment(mark, Stroke::new(1.0, theme::ink().grid));
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
