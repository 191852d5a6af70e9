//! Figures: the bitrate, and what the codec costs.

use super::axes::channel_colour;
use super::value::{self, Look};
use super::{Controls, Value, names, theme};
use crate::codec::BitrateMeter;
use crate::engine::{MAX_SAFETY_HOPS, Telemetry};
use egui::{Align2, Button, Color32, Rect, Response, RichText, Role, Sense, Ui, WidgetInfo, pos2, vec2};

/// Load from which frames may come late.
const HIGH_LOAD: f32 = 0.8;

const CURRENT_HINT: &str = "Bits packed over the last half second, all channels together: the count of codebooks and \
                            the code of each used one. Small: the channels one by one.";
const TOTAL_HINT: &str = "Mean: bits packed since the last reset, over its time. Peak: the highest half second since.\n\
                          Click to reset both.";
const LATENCY_HINT: &str = "Time from input to output in samples of the host and in milliseconds; the same for dry and \
                            decoded, and what the host is told.";
const LOAD_HINT: &str = "Time the codec thread works, as a share of real time. Near 100 % frames come too late.";
/// Hops in a call from which on that is said.
const WORTH_TELLING: f32 = 1.05;
const LATE_HINT: &str = "Frames that weren't ready in time and were faded out; marked in red on the map. More safety \
                         hops or a larger buffer help.\nClick to count from zero.";
const PRIORITY_HINT: &str =
    "The system refused the codec thread a real-time priority, so that other programs may hold it up.";
const RIGHT_HINT: &str = "JACK's users have the right to it (rtprio): by the group audio or realtime, as your distribution \
                          has it.";

/// The bitrate of a coded channel: its name and its meter.
pub type Share<'a> = (&'static str, &'a BitrateMeter);

/// Draws current, mean and peak bitrate in the card `rect`, and what the channels have of the current one where there
/// are two; a click resets mean and peak.
pub fn bitrate(ui: &mut Ui, rect: Rect, scale: f32, meter: &mut BitrateMeter, channels: &[Share<'_>]) {
    let inner = theme::card(ui, rect, scale, "Bitrate");
    let split = inner.top() + 0.52 * inner.height();
    let current = Rect::from_min_max(inner.min, pos2(inner.right(), split));
    let painter = ui.painter();
    // The unit hangs on the figure, wherever it ends.
    let large = kilobits(meter.current());
    let base = current.bottom() - 2.0;
    let font = theme::digits(42.0 * scale);
    let end =
        painter.text(pos2(inner.left() - 1.0, base), Align2::LEFT_BOTTOM, &large, font, theme::ink().text).right();
    let unit = pos2(end + 6.0, base - 8.0 * scale);
    painter.text(unit, Align2::LEFT_BOTTOM, "kb/s", theme::text(14.0 * scale), theme::ink().faint);
    // Above the unit, whose place the figures leave free.
    for (index, (name, share)) in channels.iter().enumerate() {
        let at = pos2(inner.right(), current.top() + (4.0 + 13.0 * index as f32) * scale);
        let text = format!("{} {:.2}", &name[..1], share.current());
        ui.painter().text(at, Align2::RIGHT_TOP, text, theme::digits(11.0 * scale), channel_colour(index));
    }
    let mut label = format!("current {:.2} kb/s", meter.current());
    for (name, share) in channels {
        label += &format!(", {} {:.2}", name.to_lowercase(), share.current());
    }
    figure(ui, current, "current bitrate", label, Sense::hover()).on_hover_text(CURRENT_HINT);

    let total =
        Rect::from_min_max(pos2(inner.left() - 4.0, split + 2.0), pos2(inner.right() + 4.0, inner.bottom() + 3.0));
    let (mean, peak) = (kilobits(meter.mean()), kilobits(meter.peak()));
    let response = figure(
        ui,
        total,
        "total bitrate",
        format!("mean {:.2} peak {:.2} kb/s", meter.mean(), meter.peak()),
        Sense::click(),
    );
    if response.hovered() {
        ui.painter().rect_filled(total, 5.0, theme::ink().control);
    }
    theme::focus_ring(ui, &response, total, 5.0);
    for (index, (name, value)) in [("mean", &mean), ("peak", &peak)].into_iter().enumerate() {
        let at = pos2(inner.left() + index as f32 * inner.width() / 2.0, total.top() + 3.0);
        ui.painter().text(at, Align2::LEFT_TOP, name, theme::text(12.0 * scale), theme::ink().faint);
        let at = pos2(at.x, total.bottom() - 2.0);
        ui.painter().text(at, Align2::LEFT_BOTTOM, value, theme::digits(23.0 * scale), theme::ink().text);
    }
    if response.on_hover_text(TOTAL_HINT).clicked() {
        meter.reset();
    }
}

/// Three digits, or four from 10 kb/s on.
fn kilobits(value: f64) -> String {
    if value < 9.995 { format!("{value:.2}") } else { format!("{value:.1}") }
}

/// An area that explains a painted figure; also tells it to screen readers.
fn figure(ui: &Ui, rect: Rect, id: &str, label: String, sense: Sense) -> Response {
    let response = ui.interact(rect, ui.scope_id().with(id), sense);
    let role = if sense.senses_click() { Role::Button } else { Role::Label };
    response.widget_info(|| WidgetInfo::labeled(role, true, &label));
    response
}

/// Draws latency, load, late frames and safety in the card `rect`, with its name where it is to be `named`.
pub fn engine(
    ui: &mut Ui,
    rect: Rect,
    scale: f32,
    named: bool,
    telemetry: &Telemetry,
    (hop_ms, resting): (f64, bool),
    controls: &mut dyn Controls,
) {
    let inner = theme::card(ui, rect, scale, if named { "Engine" } else { "" });
    let height = inner.height() / 5.0;
    let row = |index: usize| {
        let top = inner.top() + index as f32 * height;
        Rect::from_min_max(pos2(inner.left(), top), pos2(inner.right(), top + height))
    };
    let latency = format!("{:.1} ms", telemetry.latency_ms());
    line(ui, row(0), scale, "Latency", &latency, theme::ink().text, Sense::hover()).on_hover_text(LATENCY_HINT);
    let samples = telemetry.latency_samples().to_string();
    line(ui, row(1), scale, "in samples", &samples, theme::ink().text, Sense::hover()).on_hover_text(LATENCY_HINT);

    let load = if resting { 0.0 } else { telemetry.load() };
    let colour = if load > HIGH_LOAD { theme::ink().warning } else { theme::ink().text };
    let text = format!("{:.0} %", 100.0 * load);
    let response = line(ui, row(2), scale, "Load", &text, colour, Sense::hover());
    response.on_hover_ui(|ui| {
        ui.label(LOAD_HINT);
        if telemetry.hops_per_call() > WORTH_TELLING {
            ui.label(format!(
                "Hops that wait go through the codec together, which takes less time: {:.1} in a call.",
                telemetry.hops_per_call()
            ));
        }
    });
    let (left, right) = (inner.left() + 42.0 * scale, inner.right() - 48.0 * scale);
    let track = Rect::from_min_max(pos2(left, row(2).center().y - 2.5), pos2(right, row(2).center().y + 2.5));
    ui.painter().rect_filled(track, 2.5, theme::ink().grid);
    let bar = if load > HIGH_LOAD { theme::ink().warning } else { theme::ink().accent };
    let lit = vec2(track.width() * load.clamp(0.0, 1.0), track.height());
    ui.painter().rect_filled(Rect::from_min_size(track.min, lit), 2.5, bar);

    let late = telemetry.late_frames();
    let colour = if late > 0 { theme::ink().warning } else { theme::ink().text };
    let needed = needed(telemetry.safety_needed(), controls.safety());
    let response = line(ui, row(3), scale, "Late frames", &late.to_string(), colour, Sense::click());
    let hinted = response.on_hover_ui(|ui| {
        ui.label(LATE_HINT);
        if let Some(needed) = &needed {
            ui.label(needed);
        }
        if telemetry.priority_refused() {
            ui.label(PRIORITY_HINT);
            if cfg!(target_os = "linux") {
                ui.label(RIGHT_HINT);
            }
        }
    });
    if hinted.clicked() {
        telemetry.clear_late_frames();
    }
    safety(ui, row(4), scale, hop_ms, needed.as_deref(), controls);
}

fn line(ui: &Ui, row: Rect, scale: f32, name: &str, value: &str, colour: Color32, sense: Sense) -> Response {
    let response = figure(ui, row, name, format!("{name} {value}"), sense);
    let painter = ui.painter();
    if sense.senses_click() && response.hovered() {
        painter.rect_filled(row.expand2(vec2(4.0, -1.0)), 4.0, theme::ink().control);
    }
    theme::focus_ring(ui, &response, row.expand2(vec2(4.0, -1.0)), 4.0);
    painter.text(row.left_center(), Align2::LEFT_CENTER, name, theme::text(12.5 * scale), theme::ink().faint);
    painter.text(row.right_center(), Align2::RIGHT_CENTER, value, theme::digits(12.5 * scale), colour);
    response
}

/// What is to be said of the safety hops that the model needs, where there are `hops`.
fn needed(needed: u32, hops: u32) -> Option<String> {
    match needed {
        enough if enough <= hops.max(1) => None,
        more if more <= MAX_SAFETY_HOPS => {
            Some(format!("This model needs {more} safety hops to keep up on this machine."))
        }
        _ => Some("This model is too slow for this machine.".into()),
    }
}

fn safety(ui: &mut Ui, row: Rect, scale: f32, hop_ms: f64, needed: Option<&str>, controls: &mut dyn Controls) {
    let hops = controls.safety();
    let cost = f64::from(hops) * hop_ms;
    let hint = format!(
        "Whole hops of extra latency that give the codec thread more time: {hops} cost {cost:.1} ms, each {hop_ms:.1} \
         ms. Raise it where frames come late: a model that is too slow hop by hop may keep up with 4 to 8, since hops \
         that wait go through it together. {}",
        needed.unwrap_or_default()
    );
    let name = figure(ui, row, "Safety", format!("Safety {hops}"), Sense::hover());
    name.on_hover_text(&hint);
    ui.painter().text(row.left_center(), Align2::LEFT_CENTER, "Safety", theme::text(12.5 * scale), theme::ink().faint);
    let side = vec2(22.0, 19.0) * scale;
    let key = |centre: f32| Rect::from_center_size(pos2(centre, row.center().y), side);
    let text = |text: &str| RichText::new(text).font(theme::digits(14.0 * scale));
    let less = ui.add_enabled_ui(hops > 0, |ui| {
        ui.spacing_mut().button_padding = vec2(0.0, 0.0);
        ui.put(key(row.right() - side.x * 2.5 - 48.0 * scale + side.x), Button::new(text("−")))
    });
    names::name(&less.inner, "Less safety");
    if less.inner.on_hover_text(&hint).clicked() {
        controls.turn(Value::Safety, hops.saturating_sub(1) as f32);
    }
    let more = ui.add_enabled_ui(hops < MAX_SAFETY_HOPS, |ui| {
        ui.spacing_mut().button_padding = vec2(0.0, 0.0);
        ui.put(key(row.right() - side.x / 2.0), Button::new(text("+")))
    });
    names::name(&more.inner, "More safety");
    if more.inner.on_hover_text(&hint).clicked() {
        controls.turn(Value::Safety, (hops + 1) as f32);
    }
    let centre = pos2(row.right() - side.x - 24.0 * scale, row.center().y);
    let look = Look {
        name: "Safety, exactly",
        hint: &hint,
        prefix: "",
        suffix: if hops == 1 { " hop" } else { " hops" },
        decimals: 0,
        size: 12.5 * scale,
        speed: 0.05,
        most: None,
    };
    value::show(ui, Rect::from_center_size(centre, vec2(48.0, 19.0) * scale), Value::Safety, &look, controls);
}
