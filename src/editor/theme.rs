//! Colours and sizes of the view: dark, calm, with one accent for what is decoded and one for what is wrong.

use egui::{Color32, Stroke, Visuals};

pub const BACKGROUND: Color32 = Color32::from_rgb(16, 18, 22);
pub const PANEL: Color32 = Color32::from_rgb(25, 28, 34);
pub const GRID: Color32 = Color32::from_rgb(52, 57, 66);
pub const TEXT: Color32 = Color32::from_rgb(226, 229, 234);
pub const FAINT: Color32 = Color32::from_rgb(150, 157, 168);
/// What is decoded: importance, bitrate, B.
pub const ACCENT: Color32 = Color32::from_rgb(86, 196, 222);
/// The second channel.
pub const SECOND: Color32 = Color32::from_rgb(240, 184, 96);
/// Late frames and failures.
pub const WARNING: Color32 = Color32::from_rgb(255, 104, 88);
/// A codebook that a frame doesn't use.
pub const UNUSED: Color32 = Color32::from_rgb(30, 33, 40);

/// Applies the theme to a context.
pub fn apply(context: &egui::Context) {
    let mut visuals = Visuals::dark();
    visuals.panel_fill = BACKGROUND;
    visuals.window_fill = PANEL;
    visuals.override_text_color = Some(TEXT);
    visuals.selection.bg_fill = ACCENT.gamma_multiply(0.35);
    visuals.selection.stroke = Stroke::new(1.0, ACCENT);
    visuals.widgets.inactive.bg_fill = Color32::from_rgb(44, 49, 58);
    visuals.widgets.inactive.weak_bg_fill = Color32::from_rgb(44, 49, 58);
    context.set_visuals(visuals);
}
