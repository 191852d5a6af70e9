//! The level knob: logarithmic, turned by dragging, wheel, keys or an exact entry.

use super::{Controls, theme};
use crate::codec::{LEVEL_MAX, LEVEL_MIN, clamp_level};
use egui::{DragValue, Key, Pos2, Sense, Shape, Stroke, Ui, Vec2, WidgetInfo, pos2, vec2};
use std::f32::consts::PI;

/// Level that a double click goes back to.
pub const DEFAULT_LEVEL: f32 = 16.0;
/// Pixels of a drag over the whole range.
const DRAG_RANGE: f32 = 220.0;
/// Share of the range that a key or a notch of the wheel moves.
const NOTCH: f32 = 0.02;

const HINT: &str = "How many bits the codec may spend. The level scales the importance map: a higher level gives each \
                    frame more codebooks.\nDrag or scroll (Shift: finer), arrow keys, double click for 16.";

fn to_share(level: f32) -> f32 {
    (level / LEVEL_MIN).ln() / (LEVEL_MAX / LEVEL_MIN).ln()
}

fn from_share(share: f32) -> f32 {
    clamp_level(LEVEL_MIN * (LEVEL_MAX / LEVEL_MIN).powf(share.clamp(0.0, 1.0)))
}

/// Draws the knob with its value and turns the level.
pub fn show(ui: &mut Ui, diameter: f32, controls: &mut dyn Controls) {
    ui.vertical_centered(|ui| {
        let (rect, response) = ui.allocate_exact_size(Vec2::splat(diameter), Sense::click_and_drag());
        let level = controls.level();
        let mut share = to_share(level);
        let fine = if ui.input(|i| i.modifiers.shift) { 0.15 } else { 1.0 };
        if response.drag_started() {
            response.request_focus();
            controls.begin_level();
        }
        if response.dragged() {
            let motion = response.drag_motion();
            share += (motion.x - motion.y) / DRAG_RANGE * fine;
            controls.set_level(from_share(share));
        }
        if response.drag_stopped() {
            controls.end_level();
        }
        let mut notches = 0.0;
        if response.hovered() {
            notches += ui.input(|i| i.smooth_scroll_delta().y) / 40.0;
        }
        if response.has_focus() {
            ui.memory_mut(|memory| {
                let arrows = egui::EventFilter { horizontal_arrows: true, vertical_arrows: true, ..Default::default() };
                memory.set_focus_lock_filter(response.id, arrows);
            });
            let pressed = |key| ui.input(|i| i.num_presses(key)) as f32;
            notches += pressed(Key::ArrowUp) + pressed(Key::ArrowRight);
            notches -= pressed(Key::ArrowDown) + pressed(Key::ArrowLeft);
        }
        if notches != 0.0 {
            set(controls, from_share(share + notches * NOTCH * fine));
        }
        if response.double_clicked() {
            set(controls, DEFAULT_LEVEL);
        }
        paint(ui, rect.center(), diameter / 2.0, to_share(controls.level()), response.has_focus());
        response.widget_info(|| WidgetInfo::slider(true, f64::from(level), "Level"));
        response.on_hover_text(HINT);

        let mut exact = controls.level();
        let entry = DragValue::new(&mut exact)
            .range(LEVEL_MIN..=LEVEL_MAX)
            .speed(0.05)
            .custom_formatter(|v, _| if v < 9.95 { format!("{v:.2}") } else { format!("{v:.1}") });
        let entry = ui.add_sized(vec2(70.0, 24.0), entry).on_hover_text("Click to type a level from 1 to 48.");
        if entry.changed() {
            set(controls, exact);
        }
        ui.label(egui::RichText::new("Level").color(theme::FAINT).size(12.5));
    });
}

/// One whole gesture.
fn set(controls: &mut dyn Controls, level: f32) {
    controls.begin_level();
    controls.set_level(clamp_level(level));
    controls.end_level();
}

fn paint(ui: &Ui, centre: Pos2, radius: f32, share: f32, focused: bool) {
    let painter = ui.painter();
    // 300 degrees, open at the bottom.
    let angle = |share: f32| PI * (5.0 / 6.0 - 2.0 / 3.0 + share * 5.0 / 3.0) + PI * 0.5;
    let at = |share: f32, radius: f32| {
        let angle = angle(share);
        pos2(centre.x + radius * angle.cos(), centre.y + radius * angle.sin())
    };
    let arc = |from: f32, to: f32| -> Vec<Pos2> {
        (0..=40).map(|i| at(from + (to - from) * i as f32 / 40.0, radius - 4.0)).collect()
    };
    painter.add(Shape::line(arc(0.0, 1.0), Stroke::new(5.0, theme::GRID)));
    painter.add(Shape::line(arc(0.0, share), Stroke::new(5.0, theme::ACCENT)));
    let ring = if focused { Stroke::new(2.0, theme::ACCENT) } else { Stroke::new(1.0, theme::GRID) };
    painter.circle(centre, radius - 11.0, theme::PANEL, ring);
    painter.line_segment([at(share, radius * 0.35), at(share, radius - 14.0)], Stroke::new(3.0, theme::TEXT));
}
