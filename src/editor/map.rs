//! The scrolling map: spectrogram, importance, codebooks and bitrate over time, and the frame under the pointer.

use super::history::History;
use super::theme;
use crate::codec::kilobits_per_second;
use crate::engine::{FrameReport, SPECTRUM_HIGH_HZ, SPECTRUM_LOW_HZ};
use egui::{Align2, Color32, FontId, Mesh, Painter, Pos2, Rect, Sense, Shape, Stroke, Ui, pos2, vec2};

/// Seconds on screen.
const SECONDS: f64 = 9.0;
/// Room for the labels at the left.
const LABELS: f32 = 74.0;
/// Room between rows.
const GAP: f32 = 5.0;
/// Frames that the bitrate curve is averaged over: a tenth of a second.
const SMOOTHING: usize = 9;

/// Where the rows of the map are.
struct Rows {
    spectrogram: Rect,
    importance: Rect,
    codes: Rect,
    bitrate: Rect,
}

impl Rows {
    fn new(rect: Rect) -> Self {
        let width = (rect.left() + LABELS, rect.right());
        let height = rect.height() - 3.0 * GAP - 16.0;
        let mut top = rect.top();
        let mut row = |share: f32| {
            let row = Rect::from_min_max(pos2(width.0, top), pos2(width.1, top + share * height));
            top = row.bottom() + GAP;
            row
        };
        Self { spectrogram: row(0.36), importance: row(0.14), codes: row(0.32), bitrate: row(0.18) }
    }
}

/// Draws the map over the whole of `rect`; hovering explains the frame under the pointer.
pub fn show(ui: &mut Ui, rect: Rect, history: &History, frame_rate: f64) {
    let rows = Rows::new(rect);
    let painter = ui.painter_at(rect);
    let count = ((SECONDS * frame_rate) as usize).clamp(16, super::history::CAPACITY - 1);
    for row in [rows.spectrogram, rows.importance, rows.codes, rows.bitrate] {
        painter.rect_filled(row, 0.0, theme::PANEL);
    }
    history.draw_spectrogram(&painter, rows.spectrogram, count);
    history.draw_codes(&painter, rows.codes, count);
    let importance = |channel: usize| {
        move |report: &FrameReport| report.channel_frames().get(channel).map_or(0.0, |frame| frame.importance)
    };
    let colours = [theme::ACCENT, theme::SECOND];
    for channel in 0..history.channels() {
        let values: Vec<f32> = history.last(count).map(importance(channel)).collect();
        curve(&painter, rows.importance, &values, count, 1.0, colours[channel % 2], channel == 0);
    }
    let codebooks = history.newest().map_or(8, |r| usize::from(r.codebooks.max(1)));
    let full = kilobits_per_second(((10 * codebooks + 3) * history.channels()) as u64, 1, frame_rate) as f32;
    let bits: Vec<f32> = history.last(count + SMOOTHING).map(|r| r.bits() as f32).collect();
    let smooth: Vec<f32> = (0..bits.len()).map(|i| mean(&bits[i.saturating_sub(SMOOTHING - 1)..=i])).collect();
    let kbps: Vec<f32> =
        smooth[smooth.len().saturating_sub(count)..].iter().map(|&bits| bits * frame_rate as f32 / 1000.0).collect();
    curve(&painter, rows.bitrate, &kbps, count, full * 1.05, theme::ACCENT, true);
    labels(&painter, &rows, rect, history.channels(), full);
    hover(ui, &rows, rect, history, count, frame_rate);
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len().max(1) as f32
}

/// A curve whose last value is at the right edge; filled below where `fill`.
fn curve(painter: &Painter, rect: Rect, values: &[f32], count: usize, top: f32, colour: Color32, fill: bool) {
    let step = rect.width() / count as f32;
    let first = rect.right() - values.len() as f32 * step;
    let point = |index: usize| {
        let height = (values[index] / top).clamp(0.0, 1.0) * rect.height();
        pos2(first + (index as f32 + 0.5) * step, rect.bottom() - height)
    };
    let points: Vec<Pos2> = (0..values.len()).map(point).collect();
    if fill {
        let mut mesh = Mesh::default();
        let shade = colour.gamma_multiply(0.28);
        for (index, point) in points.iter().enumerate() {
            mesh.colored_vertex(*point, shade);
            mesh.colored_vertex(pos2(point.x, rect.bottom()), shade);
            if index > 0 {
                let at = 2 * index as u32;
                mesh.add_triangle(at - 2, at - 1, at);
                mesh.add_triangle(at - 1, at, at + 1);
            }
        }
        painter.add(Shape::mesh(mesh));
    }
    painter.add(Shape::line(points, Stroke::new(1.4, colour)));
}

fn labels(painter: &Painter, rows: &Rows, rect: Rect, channels: usize, full: f32) {
    let title = FontId::proportional(12.5);
    let small = FontId::proportional(10.5);
    let left = rect.left() + 2.0;
    let name = |row: Rect, text: &str, hint: &str| {
        painter.text(row.left_top() - vec2(row.left() - left, 0.0), Align2::LEFT_TOP, text, title.clone(), theme::TEXT);
        let below = pos2(left, row.top() + 15.0);
        painter.text(below, Align2::LEFT_TOP, hint, small.clone(), theme::FAINT);
    };
    name(rows.spectrogram, "Input", "spectrum");
    name(rows.importance, "Importance", "p, 0 to 1");
    name(rows.codes, "Codebooks", if channels > 1 { "1–8, L over R" } else { "1–8, lit: used" });
    name(rows.bitrate, "Bitrate", "kb/s");
    let tick = |at: Pos2, text: String| painter.text(at, Align2::RIGHT_CENTER, text, small.clone(), theme::FAINT);
    let octaves = (SPECTRUM_HIGH_HZ / SPECTRUM_LOW_HZ).log2();
    for (hz, text) in [(100.0, "100"), (1000.0, "1 k"), (10_000.0, "10 k")] {
        let share = (hz / SPECTRUM_LOW_HZ).log2() / octaves;
        let y = rows.spectrogram.bottom() - share * rows.spectrogram.height();
        if y > rows.spectrogram.top() + 32.0 {
            tick(pos2(rows.spectrogram.left() - 4.0, y), text.into());
        }
    }
    tick(rows.bitrate.right_top() + vec2(-3.0, 8.0), format!("{full:.1}"));
    if channels > 1 {
        let middle = rows.codes.center().y;
        let line = [pos2(rows.codes.left(), middle), pos2(rows.codes.right(), middle)];
        painter.line_segment(line, Stroke::new(1.5, theme::BACKGROUND));
    }
    let y = rect.bottom() - 7.0;
    for second in 0..=SECONDS as usize {
        let x = rows.bitrate.right() - second as f32 / SECONDS as f32 * rows.bitrate.width();
        let text = if second == 0 { "now".to_owned() } else { format!("−{second} s") };
        let align = if second == 0 { Align2::RIGHT_CENTER } else { Align2::CENTER_CENTER };
        painter.text(pos2(x, y), align, text, small.clone(), theme::FAINT);
    }
}

fn hover(ui: &mut Ui, rows: &Rows, rect: Rect, history: &History, count: usize, frame_rate: f64) {
    let area = Rect::from_min_max(rows.spectrogram.left_top(), pos2(rect.right(), rows.bitrate.bottom()));
    let response = ui.interact(area, ui.scope_id().with("map"), Sense::hover());
    let Some(pointer) = response.hover_pos() else { return };
    let step = area.width() / count as f32;
    let ago = ((area.right() - pointer.x) / step).max(0.0) as usize;
    let Some(report) = history.ago(ago).copied() else { return };
    let x = area.right() - (ago as f32 + 0.5) * step;
    ui.painter().line_segment([pos2(x, area.top()), pos2(x, area.bottom())], Stroke::new(1.0, theme::TEXT));
    response.on_hover_ui_at_pointer(|ui| {
        ui.set_max_width(330.0);
        ui.strong(format!("{:.2} s ago · frame {} · level {:.1}", ago as f64 / frame_rate, report.index, report.level));
        if report.late {
            ui.colored_label(theme::WARNING, "Late: the codec thread didn't finish this frame in time.");
        }
        for (channel, frame) in report.channel_frames().iter().enumerate() {
            let name = if report.channels > 1 { ["Left: ", "Right: "][channel % 2] } else { "" };
            let codes = &frame.codes[..usize::from(frame.count).min(frame.codes.len())];
            let codes = codes.iter().map(u16::to_string).collect::<Vec<_>>().join(" ");
            ui.label(format!(
                "{name}importance p = {:.3} → n = {} of {} codebooks, {} bits",
                frame.importance, frame.count, report.codebooks, frame.bits
            ));
            ui.label(format!("codes {codes}"));
        }
    });
}
