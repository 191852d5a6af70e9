//! The knob: the level, the number of codebooks of constant bitrate, or the target of average bitrate; turned by
//! dragging, wheel, keys or an exact entry.

use super::value::{self, Look};
use super::{Controls, Value, theme};
use crate::codec::RateMode;
use egui::accesskit::{Action, ActionData};
use egui::{
    Align2, CursorIcon, EventFilter, Key, Pos2, Rect, Response, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2,
};
use std::f32::consts::{FRAC_PI_2, PI};

/// Points of a drag over the whole range.
const DRAG_RANGE: f32 = 220.0;
/// Share of the range that a key or a notch of the wheel moves.
const NOTCH: f32 = 0.02;
/// What Shift makes of every movement.
const FINE: f32 = 0.12;

const HINT: &str = "How many bits the codec may spend. The level scales the importance map: the higher it is, the more \
                    codebooks each frame uses and the more bits it costs.\n\n\
                    Drag, scroll or use the arrow keys; with Shift it moves finely. Double click: 16.";

const CBR_HINT: &str = "How many codebooks every frame uses, whatever its importance: a constant bitrate.\n\n\
                        Drag, scroll or use the arrow keys. Double click: 4.";

const ABR_HINT: &str = "The mean bitrate that the codec aims at, all channels together. The level moves slowly to keep \
                        the mean over the window there; the level in use stands beside it.\n\n\
                        Drag, scroll or use the arrow keys; with Shift it moves finely. Double click: 4 kb/s.";

/// What the knob turns in `mode`.
fn turned(mode: RateMode) -> Value {
    match mode {
        RateMode::Vbr => Value::Level,
        RateMode::Cbr => Value::Codebooks,
        RateMode::Abr => Value::Target,
    }
}

/// Where `number` stands in a value's range, which is logarithmic.
fn to_share(number: f32, value: Value) -> f32 {
    let (low, high) = value.range();
    (number / low).ln() / (high / low).ln()
}

fn from_share(share: f32, value: Value) -> f32 {
    let (low, high) = value.range();
    (low * (high / low).powf(share.clamp(0.0, 1.0))).clamp(low, high)
}

/// The share of the knob's range that the settings stand at.
fn share_of(controls: &dyn Controls, codebooks: u8) -> f32 {
    match turned(controls.mode()) {
        value @ (Value::Level | Value::Target) => to_share(controls.value(value), value),
        _ => f32::from(controls.codebooks().clamp(1, codebooks) - 1) / f32::from(codebooks.max(2) - 1),
    }
}

/// Codebooks at a share of the knob's range.
fn codebooks_at(share: f32, codebooks: u8) -> u8 {
    1 + (share.clamp(0.0, 1.0) * f32::from(codebooks - 1)).round() as u8
}

fn set_codebooks(controls: &mut dyn Controls, number: u8) {
    if number != controls.codebooks() {
        controls.turn(Value::Codebooks, f32::from(number));
    }
}

/// Draws the knob with its value in the card `rect` and turns what the mode turns: the level, the number of the
/// model's `codebooks`, or the target, with the `level` then in use.
pub fn show(ui: &mut Ui, rect: Rect, scale: f32, codebooks: u8, level: Option<f32>, controls: &mut dyn Controls) {
    let mode = controls.mode();
    let (name, hint) = match mode {
        RateMode::Vbr => ("Level", HINT),
        RateMode::Cbr => ("Codebooks", CBR_HINT),
        RateMode::Abr => ("Target", ABR_HINT),
    };
    // The modes stand where other cards have their name.
    let inner = theme::card(ui, rect, scale, "");
    let value_height = 26.0 * scale;
    let diameter = (inner.height() - value_height + 8.0 * scale).min(inner.width());
    let centre = pos2(inner.center().x, inner.top() + diameter / 2.0 - 5.0 * scale);
    let response = ui.interact(
        Rect::from_center_size(centre, Vec2::splat(diameter)),
        ui.scope_id().with(("knob", name)),
        Sense::click_and_drag(),
    );
    match mode {
        RateMode::Vbr | RateMode::Abr => turn(ui, &response, codebooks, controls),
        RateMode::Cbr => step(ui, &response, codebooks, controls),
    }
    read(ui, &response, codebooks, name, controls);
    let ticks: Vec<f32> = match mode {
        RateMode::Vbr => [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 48.0].map(|level| to_share(level, Value::Level)).into(),
        RateMode::Abr => [1.0, 2.0, 4.0, 8.0, 16.0].map(|target| to_share(target, Value::Target)).into(),
        RateMode::Cbr => (0..codebooks).map(|k| f32::from(k) / f32::from(codebooks.max(2) - 1)).collect(),
    };
    paint(ui, centre, diameter / 2.0, scale, share_of(controls, codebooks), &ticks, &response);
    response.on_hover_cursor(CursorIcon::ResizeVertical).on_hover_text(hint);
    let caption = match (mode, level) {
        (RateMode::Vbr, _) => "level".to_owned(),
        (RateMode::Cbr, _) => "codebooks".to_owned(),
        (RateMode::Abr, Some(level)) => format!("kb/s, level {level:.1}"),
        (RateMode::Abr, None) => "kb/s".to_owned(),
    };
    let at = pos2(inner.center().x, inner.bottom() - value_height + 3.0);
    ui.painter().text(at, Align2::CENTER_BOTTOM, caption, theme::text(10.5 * scale), theme::ink().faint);
    let row = Rect::from_min_max(pos2(inner.left(), inner.bottom() - value_height + 2.0), inner.max + vec2(0.0, 2.0));
    let mut entry = Rect::from_center_size(row.center(), vec2(78.0 * scale, value_height));
    if mode == RateMode::Abr {
        let place = Rect::from_min_max(pos2(row.right() - 30.0 * scale, row.top() + 5.0), row.max - vec2(0.0, 5.0));
        window(ui, place, scale, controls);
        entry = Rect::from_min_max(row.min, pos2(place.left() - 4.0, row.bottom()));
    }
    exact(ui, entry, scale, codebooks, controls);
}

/// Tells screen readers of the knob, called `name`, and does what they ask for.
fn read(ui: &Ui, response: &Response, codebooks: u8, name: &str, controls: &mut dyn Controls) {
    let value = turned(controls.mode());
    let (low, mut high) = value.range();
    if value == Value::Codebooks {
        high = f32::from(codebooks);
    }
    let asked = ui.input(|input| {
        input.accesskit_action_requests(response.id, Action::SetValue).last().and_then(|request| match request.data {
            Some(ActionData::NumericValue(number)) if number.is_finite() => Some((number as f32).clamp(low, high)),
            _ => None,
        })
    });
    match asked {
        Some(number) if value == Value::Codebooks => set_codebooks(controls, number.round() as u8),
        Some(number) => controls.turn(value, number),
        None => {}
    }
    response.widget_info(|| WidgetInfo::slider(true, f64::from(controls.value(value)), name));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_min_numeric_value(f64::from(low));
        node.set_max_numeric_value(f64::from(high));
        for action in [Action::SetValue, Action::Increment, Action::Decrement] {
            node.add_action(action);
        }
    });
}

/// The window of the mean.
fn window(ui: &mut Ui, rect: Rect, scale: f32, controls: &mut dyn Controls) {
    let look = Look {
        name: "Window",
        hint: "Window that the mean bitrate is kept over, from 1 to 30 seconds.",
        prefix: "",
        suffix: " s",
        decimals: 0,
        size: 10.5 * scale,
        speed: 0.1,
        most: None,
    };
    value::show(ui, rect, Value::Window, &look, controls);
}

/// Movement by wheel, keys and screen readers since the last frame, in notches.
fn notches(ui: &Ui, response: &Response) -> f32 {
    let mut notches = 0.0;
    if response.hovered() {
        // Shift turns a vertical wheel into a horizontal one.
        let wheel = ui.input(|i| i.smooth_scroll_delta());
        notches += (wheel.x + wheel.y) / 40.0;
    }
    if response.has_focus() {
        let arrows = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, arrows));
        let pressed = |key| ui.input(|i| i.num_presses(key)) as f32;
        notches += pressed(Key::ArrowUp) + pressed(Key::ArrowRight) + 5.0 * pressed(Key::PageUp);
        notches -= pressed(Key::ArrowDown) + pressed(Key::ArrowLeft) + 5.0 * pressed(Key::PageDown);
    }
    let asked = |action| ui.input(|i| i.num_accesskit_action_requests(response.id, action)) as f32;
    notches + asked(Action::Increment) - asked(Action::Decrement)
}

/// Turns the number of codebooks.
fn step(ui: &Ui, response: &Response, codebooks: u8, controls: &mut dyn Controls) {
    let share = share_of(controls, codebooks);
    if response.drag_started() || response.clicked() {
        response.request_focus();
        ui.data_mut(|data| data.insert_temp(response.id, share));
    }
    if response.dragged() {
        let held: f32 = ui.data(|data| data.get_temp(response.id)).unwrap_or(share);
        let motion = response.drag_delta();
        let held = (held + (motion.x - motion.y) / DRAG_RANGE).clamp(0.0, 1.0);
        ui.data_mut(|data| data.insert_temp(response.id, held));
        set_codebooks(controls, codebooks_at(held, codebooks));
    }
    // What is less than a whole step is kept for the next frames.
    let kept = response.id.with("notches");
    let moved = notches(ui, response) + ui.data(|data| data.get_temp(kept)).unwrap_or(0.0);
    ui.data_mut(|data| data.insert_temp(kept, moved.fract()));
    if moved.trunc() != 0.0 {
        let number = (f32::from(controls.codebooks()) + moved.trunc()).clamp(1.0, f32::from(codebooks));
        set_codebooks(controls, number as u8);
    }
    if response.double_clicked() {
        set_codebooks(controls, (Value::Codebooks.default() as u8).min(codebooks));
    }
}

/// Turns the level or the target.
fn turn(ui: &Ui, response: &Response, codebooks: u8, controls: &mut dyn Controls) {
    let value = turned(controls.mode());
    let fine = if ui.input(|i| i.modifiers.shift) { FINE } else { 1.0 };
    let share = share_of(controls, codebooks);
    if response.drag_started() {
        response.request_focus();
        controls.begin(value);
        ui.data_mut(|data| data.insert_temp(response.id, share));
    }
    if response.dragged() {
        // Kept here and not read back: hosts may round a value or apply it later.
        let held = ui.data(|data| data.get_temp(response.id)).unwrap_or(share);
        let motion = response.drag_delta();
        let held = (held + (motion.x - motion.y) / DRAG_RANGE * fine).clamp(0.0, 1.0);
        ui.data_mut(|data| data.insert_temp(response.id, held));
        controls.set(value, from_share(held, value));
    }
    if response.drag_stopped() {
        controls.end(value);
    }
    if response.clicked() {
        response.request_focus();
    }
    let notches = notches(ui, response);
    if notches != 0.0 {
        controls.turn(value, from_share(share + notches * NOTCH * fine, value));
    }
    if response.double_clicked() {
        controls.turn(value, value.default());
    }
}

/// The value, large.
fn exact(ui: &mut Ui, rect: Rect, scale: f32, codebooks: u8, controls: &mut dyn Controls) {
    let value = turned(controls.mode());
    let size = 21.0 * scale;
    let look = match value {
        Value::Codebooks => Look {
            name: "Codebooks, exactly",
            hint: "The number of codebooks of every frame.",
            prefix: "",
            suffix: "",
            decimals: 0,
            size,
            speed: 0.05,
            most: Some(f32::from(codebooks)),
        },
        Value::Target => Look {
            name: "Target, exactly",
            hint: "The target in kb/s, from 1 to 16.",
            prefix: "",
            suffix: "",
            decimals: 2,
            size,
            speed: 0.05,
            most: None,
        },
        _ => Look {
            name: "Level, exactly",
            hint: "The level, from 1 to 48.",
            prefix: "",
            suffix: "",
            decimals: 2,
            size,
            speed: 0.05,
            most: None,
        },
    };
    value::show(ui, rect, value, &look, controls);
}

fn paint(ui: &Ui, centre: Pos2, radius: f32, scale: f32, share: f32, ticks: &[f32], response: &Response) {
    let painter = ui.painter();
    // 280 degrees, open at the bottom.
    let sweep = PI * 14.0 / 9.0;
    let at = |share: f32, radius: f32| {
        let angle = FRAC_PI_2 + (2.0 * PI - sweep) / 2.0 + share * sweep;
        centre + radius * vec2(angle.cos(), angle.sin())
    };
    let width = 5.0 * scale;
    let ring = radius - 11.0 * scale;
    let arc = |to: f32| -> Vec<Pos2> { (0..=48).map(|i| at(to * i as f32 / 48.0, ring)).collect() };
    painter.add(Shape::line(arc(1.0), Stroke::new(width, theme::ink().grid)));
    painter.add(Shape::line(arc(share), Stroke::new(width, theme::ink().accent)));
    for &share in ticks {
        painter.line_segment(
            [at(share, ring + 5.0 * scale), at(share, ring + 8.0 * scale)],
            Stroke::new(1.0, theme::ink().faint),
        );
    }
    let lit = response.hovered() || response.dragged();
    let body = if lit { theme::ink().control } else { theme::ink().control.gamma_multiply(0.8) };
    let edge =
        if response.has_focus() { Stroke::new(2.5, theme::ink().text) } else { Stroke::new(1.0, theme::ink().grid) };
    painter.circle(centre, ring - 7.0 * scale, body, edge);
    let pointer = [at(share, ring * 0.32), at(share, ring - 10.0 * scale)];
    painter.line_segment(pointer, Stroke::new(3.0 * scale, theme::ink().text));
}
