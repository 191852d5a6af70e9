//! The level knob: logarithmic, turned by dragging, wheel, keys or an exact entry.

use super::{Controls, theme};
use crate::codec::{LEVEL_MAX, LEVEL_MIN, clamp_level};
use egui::{
    CursorIcon, DragValue, EventFilter, Key, Pos2, Rect, Response, Sense, Shape, Stroke, TextStyle, Ui, UiBuilder,
    Vec2, WidgetInfo, pos2, vec2,
};
use std::f32::consts::{FRAC_PI_2, PI};

/// Level that a double click goes back to.
pub const DEFAULT_LEVEL: f32 = 16.0;
/// Points of a drag over the whole range.
const DRAG_RANGE: f32 = 220.0;
/// Share of the range that a key or a notch of the wheel moves.
const NOTCH: f32 = 0.02;
/// What Shift makes of every movement.
const FINE: f32 = 0.12;

const HINT: &str = "How many bits the codec may spend. The level scales the importance map: the higher it is, the more \
                    codebooks each frame uses and the more bits it costs.\n\n\
                    Drag, scroll or use the arrow keys; with Shift it moves finely. Double click: 16.";

fn to_share(level: f32) -> f32 {
    (level / LEVEL_MIN).ln() / (LEVEL_MAX / LEVEL_MIN).ln()
}

fn from_share(share: f32) -> f32 {
    clamp_level(LEVEL_MIN * (LEVEL_MAX / LEVEL_MIN).powf(share.clamp(0.0, 1.0)))
}

/// Draws the knob with its value in the card `rect` and turns the level.
pub fn show(ui: &mut Ui, rect: Rect, scale: f32, controls: &mut dyn Controls) {
    let inner = theme::card(ui, rect, scale, "Level");
    let value_height = 26.0 * scale;
    let diameter = (inner.height() - value_height + 8.0 * scale).min(inner.width());
    let centre = pos2(inner.center().x, inner.top() + diameter / 2.0 - 8.0 * scale);
    let response = ui.interact(
        Rect::from_center_size(centre, Vec2::splat(diameter)),
        ui.scope_id().with("knob"),
        Sense::click_and_drag(),
    );
    turn(ui, &response, controls);
    paint(ui, centre, diameter / 2.0, scale, to_share(controls.level()), &response);
    let level = f64::from(controls.level());
    response.widget_info(|| WidgetInfo::slider(true, level, "Level"));
    response.on_hover_cursor(CursorIcon::ResizeVertical).on_hover_text(HINT);
    let entry = Rect::from_center_size(
        pos2(inner.center().x, inner.bottom() - value_height / 2.0 + 2.0),
        vec2(78.0 * scale, value_height),
    );
    exact(ui, entry, scale, controls);
}

fn turn(ui: &Ui, response: &Response, controls: &mut dyn Controls) {
    let fine = if ui.input(|i| i.modifiers.shift) { FINE } else { 1.0 };
    let share = to_share(controls.level());
    if response.drag_started() {
        response.request_focus();
        controls.begin_level();
        ui.data_mut(|data| data.insert_temp(response.id, share));
    }
    if response.dragged() {
        // Kept here and not read back: hosts may round a value or apply it later.
        let held = ui.data(|data| data.get_temp(response.id)).unwrap_or(share);
        let motion = response.drag_delta();
        let held = (held + (motion.x - motion.y) / DRAG_RANGE * fine).clamp(0.0, 1.0);
        ui.data_mut(|data| data.insert_temp(response.id, held));
        controls.set_level(from_share(held));
    }
    if response.drag_stopped() {
        controls.end_level();
    }
    if response.clicked() {
        response.request_focus();
    }
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
    if notches != 0.0 {
        set(controls, from_share(share + notches * NOTCH * fine));
    }
    if response.double_clicked() {
        set(controls, DEFAULT_LEVEL);
    }
}

/// The value, large; a click makes it a field to type in.
fn exact(ui: &mut Ui, rect: Rect, scale: f32, controls: &mut dyn Controls) {
    ui.scope_builder(UiBuilder::new().max_rect(rect), |ui| {
        ui.style_mut().text_styles.insert(TextStyle::Button, theme::digits(21.0 * scale));
        ui.style_mut().drag_value_text_style = TextStyle::Button;
        ui.spacing_mut().button_padding = vec2(4.0, 0.0);
        ui.spacing_mut().interact_size = rect.size();
        let mut level = controls.level();
        let entry = DragValue::new(&mut level)
            .range(LEVEL_MIN..=LEVEL_MAX)
            .speed(0.05)
            .update_while_editing(false)
            .custom_formatter(|v, _| if v < 9.95 { format!("{v:.2}") } else { format!("{v:.1}") });
        let entry = ui.put(rect, entry).on_hover_text("Click to type a level from 1 to 48.");
        if entry.changed() {
            set(controls, level);
        }
    });
}

/// One whole gesture.
fn set(controls: &mut dyn Controls, level: f32) {
    controls.begin_level();
    controls.set_level(clamp_level(level));
    controls.end_level();
}

fn paint(ui: &Ui, centre: Pos2, radius: f32, scale: f32, share: f32, response: &Response) {
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
    painter.add(Shape::line(arc(1.0), Stroke::new(width, theme::GRID)));
    painter.add(Shape::line(arc(share), Stroke::new(width, theme::ACCENT)));
    for level in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 48.0] {
        let share = to_share(level);
        painter.line_segment(
            [at(share, ring + 5.0 * scale), at(share, ring + 8.0 * scale)],
            Stroke::new(1.0, theme::FAINT),
        );
    }
    let lit = response.hovered() || response.dragged();
    let body = if lit { theme::CONTROL } else { theme::CONTROL.gamma_multiply(0.8) };
    let edge = if response.has_focus() { Stroke::new(2.0, theme::ACCENT) } else { Stroke::new(1.0, theme::GRID) };
    painter.circle(centre, ring - 7.0 * scale, body, edge);
    let pointer = [at(share, ring * 0.32), at(share, ring - 10.0 * scale)];
    painter.line_segment(pointer, Stroke::new(3.0 * scale, theme::TEXT));
}
