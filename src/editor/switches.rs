//! What is heard: A/B and bypass.

use super::{Controls, theme};
use crate::engine::Monitor;
use egui::{Align2, Color32, Key, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2};

/// One switch of the card.
struct Switch<'a> {
    key: &'a str,
    name: &'a str,
    hint: &'a str,
    on: bool,
    colour: Color32,
}

/// Draws the switches in the card `rect` and turns them.
pub fn show(ui: &mut Ui, rect: Rect, scale: f32, controls: &mut dyn Controls) {
    let inner = theme::card(ui, rect, scale, "Listen to");
    let (monitor, bypass) = (controls.monitor(), controls.bypass());
    let gap = 5.0;
    let small = 24.0 * scale;
    let large = (inner.height() - small - 2.0 * gap) / 2.0;
    let area = |top: f32, height: f32| Rect::from_min_max(pos2(inner.left(), top), pos2(inner.right(), top + height));
    let dry = Switch {
        key: "A",
        name: "Dry",
        hint: "The input, delayed by the same latency, so that A and B are aligned to the sample. Key: A.",
        on: monitor == Monitor::Dry,
        colour: theme::SECOND,
    };
    let decoded = Switch {
        key: "B",
        name: "Decoded",
        hint: "What the decoder made of the packed bits, and of nothing else. Key: B.",
        on: monitor == Monitor::Decoded,
        colour: theme::ACCENT,
    };
    // While bypassed, neither is what is heard.
    let dimmed =
        |switch: Switch<'static>| Switch { colour: if bypass { theme::FAINT } else { switch.colour }, ..switch };
    if button(ui, area(inner.top(), large), scale, 17.0, &dimmed(dry)) {
        controls.set_monitor(Monitor::Dry);
    }
    if button(ui, area(inner.top() + large + gap, large), scale, 17.0, &dimmed(decoded)) {
        controls.set_monitor(Monitor::Decoded);
    }
    let switch = Switch {
        key: "",
        name: if bypass { "Bypassed" } else { "Bypass" },
        hint: "The aligned dry signal, whatever A and B say: the host's own bypass.",
        on: bypass,
        colour: theme::SECOND,
    };
    if button(ui, area(inner.bottom() - small, small), scale, 12.5, &switch) {
        controls.set_bypass(!bypass);
    }
}

fn button(ui: &Ui, rect: Rect, scale: f32, size: f32, switch: &Switch<'_>) -> bool {
    let response = ui.interact(rect, ui.scope_id().with(switch.hint), Sense::click());
    let name = format!("{} {}", switch.key, switch.name);
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, switch.on, name.trim()));
    let painter = ui.painter();
    let (fill, text) = match (switch.on, response.hovered()) {
        (true, _) => (switch.colour, theme::BACKGROUND),
        (false, true) => (theme::GRID, theme::TEXT),
        (false, false) => (theme::CONTROL, theme::TEXT),
    };
    painter.rect_filled(rect, 5.0, fill);
    if response.has_focus() {
        painter.rect_stroke(rect, 5.0, Stroke::new(1.5, theme::TEXT), StrokeKind::Inside);
    }
    if switch.key.is_empty() {
        painter.text(rect.center(), Align2::CENTER_CENTER, switch.name, theme::text(size * scale), text);
    } else {
        let key = pos2(rect.left() + 11.0 * scale, rect.center().y);
        painter.text(key, Align2::LEFT_CENTER, switch.key, theme::digits((size + 3.0) * scale), text);
        let name = pos2(rect.left() + 31.0 * scale, rect.center().y);
        painter.text(name, Align2::LEFT_CENTER, switch.name, theme::text(size * scale), text);
    }
    response.on_hover_text(switch.hint).clicked()
}

/// A and B switch what is heard, unless text is being typed.
pub fn keys(ui: &Ui, controls: &mut dyn Controls) {
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
}
