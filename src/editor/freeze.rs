//! Standing still and looking closer: the buttons and keys that freeze the map and zoom it, and the way back to live.

use super::theme;
use super::viewport::Viewport;
use egui::{Align2, Key, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

/// Width of the map in points, size of a pixel in points, frames a second.
type Across = (f32, f32, f64);

const FREEZE_HINT: &str = "Stops the map so that you can look at it. Sound and codec go on. Drag the map or turn the \
                           wheel over it to go back over the last three minutes. Keys: F or Space; arrows, Page Up, \
                           Page Down.";
const LIVE_HINT: &str = "Goes back to what is heard now. Keys: F, Space or End.";
const CLOSER_HINT: &str = "Shows fewer seconds, each wider. Key: +. Or turn the wheel with Ctrl over the map.";
const WIDER_HINT: &str = "Shows more seconds, up to a minute. Key: −. Or turn the wheel with Ctrl over the map.";

/// Draws the buttons in the bottom left corner of the map `rect` and does what they ask for.
pub fn controls(ui: &Ui, rect: Rect, scale: f32, viewport: &mut Viewport, received: u64, across: Across) {
    let frozen = viewport.frozen();
    let (width, pixel, rate) = across;
    let top = rect.bottom() - 16.0 * scale;
    let place = |left: f32, width: f32| {
        Rect::from_min_size(pos2(rect.left() + 1.0 + left * scale, top), vec2(width, 16.0) * scale)
    };
    let (text, name, hint) = if frozen { ("live", "Live", LIVE_HINT) } else { ("freeze", "Freeze", FREEZE_HINT) };
    if button(ui, place(0.0, 40.0), scale, text, name, hint) {
        toggle(viewport, received);
    }
    if button(ui, place(43.0, 17.0), scale, "−", "Zoom out", WIDER_HINT) {
        viewport.zoom_step(false, width, pixel, rate);
    }
    if button(ui, place(63.0, 17.0), scale, "+", "Zoom in", CLOSER_HINT) {
        viewport.zoom_step(true, width, pixel, rate);
    }
}

/// A small button beside the map, named `name` to screen readers; whether it was clicked.
pub fn button(ui: &Ui, place: Rect, scale: f32, text: &str, name: &str, hint: &str) -> bool {
    // Where it is, not what it says: the keyboard stays on a switch that changes its name.
    let corner = [place.left(), place.top()].map(|at| at.round() as i32);
    let response = ui.interact(place, ui.scope_id().with(("small", corner)), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    ui.painter().rect_filled(place, 3.0, if response.hovered() { theme::ink().grid } else { theme::ink().control });
    ui.painter().text(place.center(), Align2::CENTER_CENTER, text, theme::text(10.5 * scale), theme::ink().text);
    theme::focus_ring(ui, &response, place, 3.0);
    response.on_hover_text(hint).clicked()
}

fn toggle(viewport: &mut Viewport, received: u64) {
    if viewport.frozen() { viewport.resume() } else { viewport.freeze(received) }
}

/// Tells over the map `plot` that it stands still, how old it is, and leads back.
pub fn pill(ui: &Ui, plot: Rect, scale: f32, viewport: &mut Viewport, received: u64, rate: f64) {
    if !viewport.frozen() {
        return;
    }
    let text = format!("Frozen, {:.1} s ago: back to live", viewport.ago(received, rate));
    let body = ui.painter().layout_no_wrap(text.clone(), theme::text(12.5 * scale), theme::ink().background);
    let size = body.size() + vec2(22.0, 8.0) * scale;
    let place = Rect::from_min_size(pos2(plot.center().x - size.x / 2.0, plot.top() + 6.0 * scale), size);
    let response = ui.interact(place, ui.scope_id().with("back to live"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &text));
    let fill = if response.hovered() { theme::ink().text } else { theme::ink().accent };
    ui.painter().rect_filled(place, size.y / 2.0, fill);
    ui.painter().rect_stroke(place, size.y / 2.0, Stroke::new(1.0, theme::ink().background), StrokeKind::Outside);
    ui.painter().galley(place.center() - body.size() / 2.0, body, theme::ink().background);
    theme::focus_ring(ui, &response, place, size.y / 2.0);
    if response.on_hover_text(LIVE_HINT).clicked() {
        viewport.resume();
    }
}

/// F freezes and goes on, and Space where no other control would take it; + and − zoom.
pub fn keys(ui: &Ui, map: &Response, viewport: &mut Viewport, received: u64, (width, pixel, rate): Across) {
    if ui.ctx().text_edit_focused() {
        return;
    }
    let pressed = |key| ui.input(|i| !i.modifiers.command && !i.modifiers.alt && i.key_pressed(key));
    let free = map.has_focus() || ui.memory(|memory| memory.focused().is_none());
    if pressed(Key::F) || (free && pressed(Key::Space)) {
        toggle(viewport, received);
    }
    if pressed(Key::Plus) || pressed(Key::Equals) {
        viewport.zoom_step(true, width, pixel, rate);
    }
    if pressed(Key::Minus) {
        viewport.zoom_step(false, width, pixel, rate);
    }
}
