//! The scrolling map: spectrogram, importance, codebooks and bitrate over time, newest at the right.

use super::axes::{self, Rows};
use super::history::{History, MOST_VISIBLE};
use super::{theme, tip};
use egui::{Color32, Mesh, Painter, Pos2, Rect, Sense, Shape, Stroke, Ui, pos2};
use std::ops::Range;

/// Seconds that the map aims to show; whole pixels a frame decide.
const SECONDS: f64 = 8.5;
/// Frames that the bitrate curve is averaged over: a tenth of a second.
const SMOOTHING: usize = 9;

/// What the row of the codebooks shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Picture {
    /// The codes sent.
    #[default]
    Codes,
    /// The codebooks that each of several levels would use.
    Ladder,
}

/// What is on screen, and how wide.
pub struct Span {
    /// Frames shown.
    pub frames: Range<u64>,
    /// Points a frame.
    pub step: f32,
    /// Frames a second.
    pub rate: f64,
}

impl Span {
    /// Middle of a frame.
    pub fn x(&self, rect: Rect, frame: u64) -> f32 {
        rect.right() - (self.frames.end as f32 - frame as f32 - 0.5) * self.step
    }

    /// The frame at a position, where there is one.
    pub fn frame(&self, rect: Rect, x: f32) -> Option<u64> {
        let ago = ((rect.right() - x) / self.step).max(0.0) as u64 + 1;
        self.frames.end.checked_sub(ago).filter(|frame| self.frames.contains(frame))
    }
}

/// Draws the map over the whole of `rect`; hovering explains the frame under the pointer, holding stops the map.
/// True while it moves by itself.
pub fn show(
    ui: &mut Ui,
    rect: Rect,
    scale: f32,
    history: &mut History,
    picture: &mut Picture,
    (rate, mean): (f64, f64),
) -> bool {
    let pixel = 1.0 / ui.pixels_per_point();
    let rows = Rows::new(rect, scale, history.codebooks(), history.channels(), pixel);
    let plot = rows.plot();
    // Whole pixels a frame: a texture that is neither stretched nor squeezed scrolls without flicker.
    let step = (plot.width() / pixel / (SECONDS * rate) as f32).round().max(1.0) * pixel;
    let count = ((plot.width() / step) as usize).clamp(1, MOST_VISIBLE);
    let response = ui.interact(plot, ui.scope_id().with("map"), Sense::click_and_drag());
    let held = response.is_pointer_button_down_on();
    let moving = history.glide(ui.input(|i| i.stable_dt).min(0.1), held, count);
    let span = Span { frames: history.visible(count), step, rate };

    let painter = ui.painter_at(plot);
    for row in rows.all() {
        painter.rect_filled(row, 0.0, theme::PANEL);
    }
    history.draw_spectrogram(&painter, rows.spectrogram, span.frames.clone(), step);
    match picture {
        Picture::Codes => history.draw_codes(&painter, rows.codes, span.frames.clone(), step),
        Picture::Ladder => history.draw_ladder(&painter, rows.codes, span.frames.clone(), step),
    }
    let kbps = bitrate(history, &span);
    let top = axes::bitrate_top(history, rate).max(kbps.iter().fold(0.0, |top, &value| value.max(top)) * 1.02);
    axes::behind(&painter, &rows, history, *picture, top, mean as f32);
    for channel in (0..history.channels()).rev() {
        let p = |frame: &crate::engine::FrameReport| frame.frames[channel].importance;
        let values: Vec<f32> = history.range(span.frames.clone()).map(p).collect();
        curve(&painter, rows.importance, &span, &values, 1.0, axes::channel_colour(channel), channel == 0);
    }
    curve(&painter, rows.bitrate, &span, &kbps, top, theme::ACCENT, true);
    late(&painter, plot, history, &span, pixel);
    axes::labels(ui, rect, &rows, history, picture, &span, scale, top);
    tip::show(ui, &response, &rows, history, &span);
    moving && !held
}

/// The bitrate in kb/s of each visible frame, averaged over the frames before it.
fn bitrate(history: &History, span: &Span) -> Vec<f32> {
    let lead = span.frames.start.saturating_sub(SMOOTHING as u64 - 1)..span.frames.end;
    let bits: Vec<u32> = history.range(lead).map(crate::engine::FrameReport::bits).collect();
    let shown = (span.frames.end - span.frames.start) as usize;
    (bits.len().saturating_sub(shown)..bits.len())
        .map(|index| {
            let window = &bits[(index + 1).saturating_sub(SMOOTHING)..=index];
            window.iter().sum::<u32>() as f32 / window.len() as f32 * span.rate as f32 / 1000.0
        })
        .collect()
}

/// A curve over the visible frames; shaded below where `fill`.
fn curve(painter: &Painter, rect: Rect, span: &Span, values: &[f32], top: f32, colour: Color32, fill: bool) {
    let height = rect.height() - 2.0;
    let points: Vec<Pos2> = span
        .frames
        .clone()
        .zip(values)
        .map(|(frame, value)| pos2(span.x(rect, frame), rect.bottom() - 0.5 - (value / top).clamp(0.0, 1.0) * height))
        .collect();
    if fill {
        let mut mesh = Mesh::default();
        for (index, point) in points.iter().enumerate() {
            mesh.colored_vertex(*point, colour.gamma_multiply(0.34));
            mesh.colored_vertex(pos2(point.x, rect.bottom()), colour.gamma_multiply(0.16));
            if index > 0 {
                let at = 2 * index as u32;
                mesh.add_triangle(at - 2, at - 1, at);
                mesh.add_triangle(at - 1, at, at + 1);
            }
        }
        painter.add(Shape::mesh(mesh));
    }
    painter.add(Shape::line(points, Stroke::new(1.5, colour)));
}

/// Marks the late frames across all rows.
fn late(painter: &Painter, plot: Rect, history: &History, span: &Span, pixel: f32) {
    let mut run: Option<Range<u64>> = None;
    let mark = |run: Range<u64>| {
        let half = 0.5 * span.step;
        let (left, right) = (span.x(plot, run.start) - half, span.x(plot, run.end - 1) + half);
        let right = right.max(left + 2.0 * pixel);
        let area = Rect::from_min_max(pos2(left, plot.top()), pos2(right, plot.bottom()));
        painter.rect_filled(area, 0.0, theme::WARNING.gamma_multiply(0.42));
        let flag = Rect::from_min_max(pos2(left - 1.0, plot.top()), pos2(right + 1.0, plot.top() + 5.0));
        painter.rect_filled(flag, 0.0, theme::WARNING);
    };
    for (frame, report) in span.frames.clone().zip(history.range(span.frames.clone())) {
        match (&mut run, report.late) {
            (Some(run), true) => run.end = frame + 1,
            (None, true) => run = Some(frame..frame + 1),
            (Some(_), false) => run.take().into_iter().for_each(&mark),
            (None, false) => (),
        }
    }
    run.into_iter().for_each(mark);
}
