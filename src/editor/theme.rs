//! Colours and type of the view: dark and calm, one accent for what is decoded and one colour for what is wrong.

use egui::{Color32, CornerRadius, FontId, Stroke, Visuals};

pub const BACKGROUND: Color32 = Color32::from_rgb(14, 16, 20);
pub const PANEL: Color32 = Color32::from_rgb(23, 26, 32);
pub const CONTROL: Color32 = Color32::from_rgb(43, 48, 58);
pub const GRID: Color32 = Color32::from_rgb(52, 57, 67);
pub const TEXT: Color32 = Color32::from_rgb(232, 235, 240);
pub const FAINT: Color32 = Color32::from_rgb(158, 166, 178);
/// What is decoded: importance, bitrate, B.
pub const ACCENT: Color32 = Color32::from_rgb(86, 196, 222);
/// The second channel, the dry signal, a bypass.
pub const SECOND: Color32 = Color32::from_rgb(240, 184, 96);
/// The difference of the two.
pub const DIFFERENCE: Color32 = Color32::from_rgb(190, 156, 240);
/// Late frames and failures.
pub const WARNING: Color32 = Color32::from_rgb(255, 98, 82);
/// Frames lost on the simulated line.
pub const LOST: Color32 = Color32::from_rgb(190, 156, 240);
/// A codebook that a frame doesn't use.
pub const UNUSED: Color32 = Color32::from_rgb(27, 30, 37);

/// Proportional type.
pub fn text(size: f32) -> FontId {
    FontId::proportional(size)
}

/// Type of figures: digits of one width, so that running numbers stand still.
pub fn digits(size: f32) -> FontId {
    FontId::monospace(size)
}

/// Applies the theme to a context.
pub fn apply(context: &egui::Context) {
    let mut visuals = Visuals::dark();
    visuals.panel_fill = BACKGROUND;
    visuals.window_fill = PANEL;
    visuals.window_stroke = Stroke::new(1.0, GRID);
    visuals.override_text_color = Some(TEXT);
    visuals.selection.bg_fill = ACCENT.gamma_multiply(0.35);
    visuals.selection.stroke = Stroke::new(1.0, ACCENT);
    let round = CornerRadius::same(5);
    for widget in [&mut visuals.widgets.inactive, &mut visuals.widgets.hovered, &mut visuals.widgets.active] {
        widget.corner_radius = round;
    }
    visuals.widgets.inactive.bg_fill = CONTROL;
    visuals.widgets.inactive.weak_bg_fill = CONTROL;
    context.set_visuals(visuals);
    context.all_styles_mut(|style| {
        // Text is read here, not copied: a drag that starts on it must not select it.
        style.interaction.selectable_labels = false;
        style.interaction.tooltip_delay = 0.35;
    });
}

/// The ring around what the keyboard acts on.
pub fn focus_ring(ui: &egui::Ui, response: &egui::Response, rect: egui::Rect, round: f32) {
    if response.has_focus() {
        ui.painter().rect_stroke(rect, round, Stroke::new(2.0, TEXT), egui::StrokeKind::Inside);
    }
}

/// A card behind a group, with its name; returns the area left inside.
pub fn card(ui: &egui::Ui, rect: egui::Rect, scale: f32, name: &str) -> egui::Rect {
    ui.painter().rect_filled(rect, 6.0, PANEL);
    let at = rect.min + egui::vec2(9.0, 5.0);
    ui.painter().text(at, egui::Align2::LEFT_TOP, name, text(11.5 * scale), FAINT);
    let inner = rect.shrink2(egui::vec2(9.0, 7.0));
    egui::Rect::from_min_max(egui::pos2(inner.left(), inner.top() + 15.0 * scale), inner.max)
}
