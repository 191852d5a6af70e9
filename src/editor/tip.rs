//! The frame under the pointer, in numbers.

use super::axes::{Rows, channel_colour};
use super::history::History;
use super::theme;
use super::viewport::Span;
use crate::codec::CodeSearch;
use crate::engine::{ChannelFrame, FrameReport, NOISE_FLOOR_DB};
use egui::{Response, RichText, Stroke, Tooltip, Ui};

/// Explains the frame under the pointer, at once and while the pointer moves.
pub fn show(ui: &Ui, response: &Response, rows: &Rows, history: &History, span: &Span) {
    let plot = rows.plot();
    let Some(pointer) = response.hover_pos().or_else(|| response.interact_pointer_pos()) else { return };
    let Some((frame, report)) = span.frame(plot, pointer.x).and_then(|f| Some((f, history.at(f)?))) else { return };
    let painter = ui.painter_at(plot);
    painter.vline(span.x(plot, frame), plot.y_range(), Stroke::new(1.0, theme::ink().text.gamma_multiply(0.8)));
    let ago = (history.received() - 1 - frame) as f64 / span.rate;
    Tooltip::for_widget(response).at_pointer().gap(14.0).width(400.0).show(|ui| describe(ui, report, ago));
}

/// What the map shows of the second before `end`, in words: for screen readers.
pub fn words(history: &History, end: u64, rate: f64) -> String {
    let start = end.saturating_sub(rate.round() as u64);
    let reports = history.range(start..end).filter(|report| !report.late);
    let (mut number, mut importance, mut count) = (0.0, 0.0, 0.0);
    for frame in reports.flat_map(FrameReport::channel_frames) {
        number += 1.0;
        importance += f64::from(frame.importance);
        count += f64::from(frame.count);
    }
    if number == 0.0 {
        return "no frames".to_owned();
    }
    let (importance, count) = (importance / number, count / number);
    format!("a second of importance {importance:.2} and {count:.1} of {} codebooks, in the mean", history.codebooks())
}

fn describe(ui: &mut Ui, report: &FrameReport, ago: f64) {
    let search = match report.search {
        CodeSearch::Latent => "",
        CodeSearch::Sound => ", codes by sound",
        CodeSearch::Refined => ", codes refined",
    };
    ui.label(RichText::new(format!("{ago:.2} s ago, packed at {}{search}", report.rate)).size(13.5));
    if report.lost {
        let text = "Lost on the simulated line: its bits were spent, but the decoder repeated an earlier packet.";
        ui.colored_label(theme::ink().lost, text);
    }
    if report.late {
        let text = "Late: the codec thread didn't finish this frame in time, so it was faded out.";
        ui.colored_label(theme::ink().warning, text);
    } else {
        for (channel, frame) in report.channel_frames().iter().enumerate() {
            if report.channels > 1 {
                let name = report.stereo.channel_names().get(channel).copied().unwrap_or_default();
                ui.label(RichText::new(name).size(12.0).color(channel_colour(channel)));
            }
            channel_lines(ui, frame, report.codebooks);
        }
    }
    if !report.late {
        let ratio = report.distortion.noise_to_mask_db();
        if ratio > NOISE_FLOOR_DB {
            let words = if ratio > 0.0 { "audible" } else { "masked in the mean" };
            pairs(ui, &[("noise to mask", format!("{ratio:+.1} dB, {words}"))]);
        }
    }
    ui.spacing_mut().item_spacing.y = 3.0;
    ui.label(
        RichText::new("Drag or turn the wheel to go back, with Ctrl to zoom. F stops the map.")
            .size(11.0)
            .color(theme::ink().faint),
    );
}

/// A line of names and their values.
fn pairs(ui: &mut Ui, pairs: &[(&str, String)]) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        for (name, value) in pairs {
            ui.label(RichText::new(*name).size(12.0).color(theme::ink().faint));
            ui.label(RichText::new(value).font(theme::digits(12.5)));
            ui.add_space(5.0);
        }
    });
}

fn channel_lines(ui: &mut Ui, frame: &ChannelFrame, codebooks: u8) {
    let used = format!("{} of {codebooks}", frame.count);
    let figures =
        [("importance p", format!("{:.3}", frame.importance)), ("codebooks n", used), ("bits", frame.bits.to_string())];
    pairs(ui, &figures);
    let codes = &frame.codes[..usize::from(frame.count).min(frame.codes.len())];
    for some in codes.chunks(8) {
        pairs(ui, &[("codes", some.iter().map(u16::to_string).collect::<Vec<_>>().join(" "))]);
    }
}
