//! What is heard: A/B, the difference, both sides apart, and bypass.

use super::value::{self, Look};
use super::{Controls, Value, names, theme};
use crate::engine::Monitor;
use egui::{Align2, Color32, Key, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2};

/// One switch of the card.
pub struct Switch<'a> {
    pub key: &'a str,
    pub name: &'a str,
    pub hint: &'a str,
    /// `None` for a button that switches nothing.
    pub on: Option<bool>,
    /// Its colour when it is on.
    pub colour: Color32,
}

/// Draws the switches in the card `rect` and turns them; `two` channels can be split, `match_gain` is the gain of the
/// level match in dB.
pub fn show(ui: &mut Ui, rect: Rect, scale: f32, two: bool, match_gain: f32, controls: &mut dyn Controls) {
    let inner = theme::card(ui, rect, scale, "Listen to");
    let (monitor, bypass) = (controls.monitor(), controls.bypass());
    let heard = match monitor {
        _ if bypass => "dry, bypassed",
        Monitor::Dry => "dry",
        Monitor::Decoded => "decoded",
        Monitor::Difference => "the difference",
        Monitor::Split => "dry on the left, decoded on the right",
    };
    // Keys switch it without the focus moving.
    names::say(ui, rect, scale, &format!("Listening to {heard}, setting {}", controls.slot().name()));
    let gap = 4.0;
    let small = 20.0 * scale;
    let large = (inner.height() - small - 3.0 * gap) / 3.0;
    let area = |top: f32, height: f32| Rect::from_min_max(pos2(inner.left(), top), pos2(inner.right(), top + height));
    let choices = [
        (
            Monitor::Dry,
            "A",
            "Dry",
            theme::ink().second,
            "The input, delayed by the same latency, so that A and B are aligned to the sample. Key: A.",
        ),
        (
            Monitor::Decoded,
            "B",
            "Decoded",
            theme::ink().accent,
            "What the decoder made of the packed bits, and of nothing else. Key: B.",
        ),
        (
            Monitor::Difference,
            "D",
            "Difference",
            theme::ink().difference,
            "What the codec took away or added: dry less decoded, aligned to the sample. Key: D.",
        ),
    ];
    for (row, (choice, key, name, colour, hint)) in choices.into_iter().enumerate() {
        // While bypassed, none of them is what is heard.
        let colour = if bypass { theme::ink().faint } else { colour };
        let switch = Switch { key, name, hint, on: Some(monitor == choice), colour };
        let place = area(inner.top() + row as f32 * (large + gap), large);
        if button(ui, place, scale, 14.5, &switch) {
            controls.set_monitor(choice);
        }
        match choice {
            Monitor::Dry => {}
            Monitor::Decoded => match_chip(ui, place, scale, match_gain, controls),
            Monitor::Difference if monitor == Monitor::Difference || controls.difference_gain() > 0.0 => {
                gain_chip(ui, place, scale, controls);
            }
            Monitor::Difference | Monitor::Split => {}
        }
    }
    let mut small_row = area(inner.bottom() - small, small);
    if two {
        let split = Switch {
            key: "S",
            name: "Split",
            hint: "Dry on the left, decoded on the right, each as the sum of its channels: what is the same is heard in \
                   the middle. For headphones. Key: S.",
            on: Some(monitor == Monitor::Split),
            colour: if bypass { theme::ink().faint } else { theme::ink().difference },
        };
        let (left, right) = small_row.split_left_right_at_fraction(0.5);
        if button(ui, left.with_max_x(left.right() - gap / 2.0), scale, 12.5, &split) {
            controls.set_monitor(Monitor::Split);
        }
        small_row = right.with_min_x(right.left() + gap / 2.0);
    }
    let switch = Switch {
        key: "",
        name: if bypass { "Bypassed" } else { "Bypass" },
        hint: "The aligned dry signal, whatever A, B and D say: the host's own bypass.",
        on: Some(bypass),
        colour: theme::ink().second,
    };
    if button(ui, small_row, scale, 12.5, &switch) {
        controls.set_bypass(!bypass);
    }
}

/// The gain of the difference, in its switch.
fn gain_chip(ui: &mut Ui, switch: Rect, scale: f32, controls: &mut dyn Controls) {
    let look = Look {
        name: "Difference gain",
        hint: "Gain of the difference, up to 24 dB.",
        prefix: "+",
        suffix: " dB",
        decimals: 0,
        size: 10.5 * scale,
        speed: 0.2,
        most: None,
    };
    value::show(ui, chip_place(switch, scale), Value::DifferenceGain, &look, controls);
}

/// The level match, in the switch of the decoded signal: the gain it gives, or that it is off.
fn match_chip(ui: &Ui, switch: Rect, scale: f32, gain: f32, controls: &mut dyn Controls) {
    let on = controls.level_match();
    let hint = "Level match: brings the decoded signal to the loudness of the dry one (BS.1770), so \
                that the louder one doesn't win. The difference stays as it is. Key: L.";
    let info = WidgetInfo::selected(Role::Button, true, on, "Level match");
    let text = if on { format!("{gain:+.1} dB") } else { "match".to_owned() };
    if chip(ui, switch, scale, (text, on), hint, info) {
        controls.set_level_match(!on);
    }
}

/// The right end of a switch.
fn chip_place(switch: Rect, scale: f32) -> Rect {
    switch.with_min_x(switch.right() - 44.0 * scale).shrink(3.0)
}

/// A small button in the right end of a switch, lit or not; whether it was clicked.
fn chip(ui: &Ui, switch: Rect, scale: f32, (text, lit): (String, bool), hint: &str, info: WidgetInfo) -> bool {
    let rect = chip_place(switch, scale);
    let response = ui.interact(rect, ui.scope_id().with(hint), Sense::click());
    response.widget_info(|| info.clone());
    let stroke = if response.hovered() || response.has_focus() { theme::ink().text } else { theme::ink().grid };
    ui.painter().rect_filled(rect, 4.0, theme::ink().background.gamma_multiply(if lit { 0.85 } else { 0.6 }));
    ui.painter().rect_stroke(rect, 4.0, Stroke::new(1.0, stroke), StrokeKind::Inside);
    let colour = if lit { theme::ink().text } else { theme::ink().faint };
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, text, theme::text(10.5 * scale), colour);
    response.on_hover_text(hint).clicked()
}

/// Draws a switch with its name in type of `size`; whether it was clicked.
pub fn button(ui: &Ui, rect: Rect, scale: f32, size: f32, switch: &Switch<'_>) -> bool {
    let response = ui.interact(rect, ui.scope_id().with(switch.hint), Sense::click());
    let name = format!("{} {}", switch.key, switch.name);
    response.widget_info(|| WidgetInfo { selected: switch.on, ..WidgetInfo::labeled(Role::Button, true, name.trim()) });
    let painter = ui.painter();
    let (fill, text) = match (switch.on == Some(true), response.hovered()) {
        (true, _) => (switch.colour, theme::ink().background),
        (false, true) => (theme::ink().grid, theme::ink().text),
        (false, false) => (theme::ink().control, theme::ink().text),
    };
    painter.rect_filled(rect, 5.0, fill);
    theme::focus_ring(ui, &response, rect, 5.0);
    if switch.key.is_empty() {
        painter.text(rect.center(), Align2::CENTER_CENTER, switch.name, theme::text(size * scale), text);
    } else {
        let key = pos2(rect.left() + 9.0 * scale, rect.center().y);
        painter.text(key, Align2::LEFT_CENTER, switch.key, theme::digits((size + 3.0) * scale), text);
        let name = pos2(rect.left() + 26.0 * scale, rect.center().y);
        painter.text(name, Align2::LEFT_CENTER, switch.name, theme::text(size * scale), text);
    }
    response.on_hover_text(switch.hint).clicked()
}

/// A, B, D and, with `two` channels, S switch what is heard and L the level match, unless text is being typed.
pub fn keys(ui: &Ui, two: bool, controls: &mut dyn Controls) {
    if ui.ctx().text_edit_focused() {
        return;
    }
    let pressed = |key| ui.input(|i| i.modifiers.is_none() && i.key_pressed(key));
    if pressed(Key::A) {
        controls.set_monitor(Monitor::Dry);
    }
    if pressed(Key::B) {
        controls.set_monitor(Monitor::Decoded);
    }
    if pressed(Key::D) {
        controls.set_monitor(Monitor::Difference);
    }
    if two && pressed(Key::S) {
        controls.set_monitor(Monitor::Split);
    }
    if pressed(Key::L) {
        controls.set_level_match(!controls.level_match());
    }
}
