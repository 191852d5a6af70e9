//! What the map's curves show by column, and marks of frames that went wrong.

use super::history::History;
use super::viewport::Span;
use crate::engine::FrameReport;
use egui::{Color32, Painter, Rect, pos2};
use std::ops::Range;

/// Frames that the bitrate curve is averaged over at least: a tenth of a second.
const SMOOTHING: u64 = 9;

/// The bitrate in kb/s at the end of each visible column, averaged over its frames or a tenth of a second.
pub fn bitrate(history: &History, span: &Span) -> Vec<f32> {
    let columns = span.columns();
    let window = SMOOTHING.max(span.fold);
    let start = span.frames_of(columns.start).end.saturating_sub(window).max(history.kept().start);
    // sums[i]: bits of the frames from `start` up to `start + i`.
    let mut sums = vec![0u64];
    for report in history.range(start..span.frames.end) {
        sums.push(sums[sums.len() - 1] + u64::from(report.bits()));
    }
    columns
        .map(|column| {
            let end = span.frames_of(column).end;
            let from = end.saturating_sub(window).max(start);
            let sum = |frame: u64| sums[((frame - start) as usize).min(sums.len() - 1)];
            (sum(end) - sum(from)) as f32 / (end - from).max(1) as f32 * span.rate as f32 / 1000.0
        })
        .collect()
}

/// The highest importance of a channel in each visible column.
pub fn importance(history: &History, span: &Span, channel: usize) -> Vec<f32> {
    let highest =
        |frames: Range<u64>| history.range(frames).map(|report| report.frames[channel].importance).fold(0.0, f32::max);
    span.columns().map(|column| highest(span.frames_of(column))).collect()
}

/// Marks the frames that `is` holds of across all rows of `plot`.
pub fn mark(
    painter: &Painter,
    plot: Rect,
    history: &History,
    span: &Span,
    colour: Color32,
    is: impl Fn(&FrameReport) -> bool,
) {
    let pixel = 1.0 / painter.ctx().pixels_per_point();
    let draw = |run: Range<u64>| {
        let (left, right) = (span.at(plot, run.start as f64), span.at(plot, run.end as f64));
        let right = right.max(left + 2.0 * pixel);
        let area = Rect::from_min_max(pos2(left, plot.top()), pos2(right, plot.bottom()));
        painter.rect_filled(area, 0.0, colour.gamma_multiply(0.42));
        let flag = Rect::from_min_max(pos2(left - 1.0, plot.top()), pos2(right + 1.0, plot.top() + 5.0));
        painter.rect_filled(flag, 0.0, colour);
    };
    let mut run: Option<Range<u64>> = None;
    for (frame, report) in span.frames.clone().zip(history.range(span.frames.clone())) {
        match (&mut run, is(report)) {
            (Some(run), true) => run.end = frame + 1,
            (None, true) => run = Some(frame..frame + 1),
            (Some(_), false) => run.take().into_iter().for_each(&draw),
            (None, false) => (),
        }
    }
    run.into_iter().for_each(draw);
}
