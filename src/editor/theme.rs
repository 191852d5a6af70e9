//! Colours and type of the view, dark and bright: calm, one accent for what is decoded and one colour for what is wrong.
//!
//! A hundred places ask for a colour, so the palette in force isn't passed to them: it belongs to the thread that draws,
//! and each pass of a view sets it first ([`adopt`]). A thread that draws no view has the dark one.

use egui::{Color32, Context, CornerRadius, FontId, Response, Stroke, StrokeKind, Theme, Ui, Visuals};
use std::cell::Cell;

/// The colours of a theme.
#[derive(Debug)]
pub struct Palette {
    pub bright: bool,
    pub background: Color32,
    pub panel: Color32,
    pub control: Color32,
    pub grid: Color32,
    pub text: Color32,
    pub faint: Color32,
    /// What is decoded: importance, bitrate, B.
    pub accent: Color32,
    /// The second channel, the dry signal, a bypass.
    pub second: Color32,
    /// The difference of the two.
    pub difference: Color32,
    /// Late frames and failures.
    pub warning: Color32,
    /// Frames lost on the simulated line.
    pub lost: Color32,
    /// A codebook that a frame doesn't use.
    pub unused: Color32,
}

/// For dark rooms.
pub static DARK: Palette = Palette {
    bright: false,
    background: Color32::from_rgb(14, 16, 20),
    panel: Color32::from_rgb(23, 26, 32),
    control: Color32::from_rgb(43, 48, 58),
    grid: Color32::from_rgb(52, 57, 67),
    text: Color32::from_rgb(232, 235, 240),
    faint: Color32::from_rgb(158, 166, 178),
    accent: Color32::from_rgb(86, 196, 222),
    second: Color32::from_rgb(240, 184, 96),
    difference: Color32::from_rgb(190, 156, 240),
    warning: Color32::from_rgb(255, 98, 82),
    lost: Color32::from_rgb(190, 156, 240),
    unused: Color32::from_rgb(27, 30, 37),
};

/// For bright rooms and print.
pub static BRIGHT: Palette = Palette {
    bright: true,
    background: Color32::from_rgb(236, 238, 241),
    panel: Color32::from_rgb(250, 251, 252),
    control: Color32::from_rgb(218, 222, 228),
    grid: Color32::from_rgb(198, 203, 211),
    text: Color32::from_rgb(22, 26, 32),
    faint: Color32::from_rgb(84, 92, 104),
    accent: Color32::from_rgb(0, 104, 136),
    second: Color32::from_rgb(150, 82, 0),
    difference: Color32::from_rgb(112, 66, 184),
    warning: Color32::from_rgb(196, 36, 20),
    lost: Color32::from_rgb(112, 66, 184),
    unused: Color32::from_rgb(226, 229, 234),
};

thread_local! {
    static IN_FORCE: Cell<&'static Palette> = const { Cell::new(&DARK) };
}

/// The palette in force on this thread.
pub fn ink() -> &'static Palette {
    IN_FORCE.get()
}

/// Makes the palette of a context's theme the one in force on this thread.
pub fn adopt(context: &Context) {
    set(context.theme() == Theme::Light);
}

/// Makes the bright or the dark palette the one in force on this thread.
pub fn set(bright: bool) {
    IN_FORCE.set(if bright { &BRIGHT } else { &DARK });
}

/// Proportional type.
pub fn text(size: f32) -> FontId {
    FontId::proportional(size)
}

/// Type of figures: digits of one width, so that running numbers stand still.
pub fn digits(size: f32) -> FontId {
    FontId::monospace(size)
}

fn visuals(palette: &Palette) -> Visuals {
    let mut visuals = if palette.bright { Visuals::light() } else { Visuals::dark() };
    visuals.panel_fill = palette.background;
    visuals.window_fill = palette.panel;
    visuals.window_stroke = Stroke::new(1.0, palette.grid);
    visuals.override_text_color = Some(palette.text);
    visuals.selection.bg_fill = palette.accent.gamma_multiply(0.35);
    visuals.selection.stroke = Stroke::new(1.0, palette.accent);
    let round = CornerRadius::same(5);
    let widgets = &mut visuals.widgets;
    for widget in [&mut widgets.inactive, &mut widgets.hovered, &mut widgets.active] {
        widget.corner_radius = round;
    }
    widgets.inactive.bg_fill = palette.control;
    widgets.inactive.weak_bg_fill = palette.control;
    // What has the focus looks like what is hovered: the ring must tell it.
    widgets.hovered.bg_stroke = Stroke::new(1.5, palette.text);
    visuals
}

/// Gives a context both themes.
pub fn apply(context: &Context) {
    context.set_visuals_of(Theme::Dark, visuals(&DARK));
    context.set_visuals_of(Theme::Light, visuals(&BRIGHT));
    context.all_styles_mut(|style| {
        // Text is read here, not copied: a drag that starts on it must not select it.
        style.interaction.selectable_labels = false;
        style.interaction.tooltip_delay = 0.35;
    });
}

/// The ring around what the keyboard acts on.
pub fn focus_ring(ui: &Ui, response: &Response, rect: egui::Rect, round: f32) {
    if response.has_focus() {
        let painter = ui.painter();
        painter.rect_stroke(rect, round, Stroke::new(2.0, ink().text), StrokeKind::Inside);
        painter.rect_stroke(rect, round, Stroke::new(1.0, ink().background), StrokeKind::Outside);
    }
}

/// A card behind a group, with its name; returns the area left inside.
pub fn card(ui: &Ui, rect: egui::Rect, scale: f32, name: &str) -> egui::Rect {
    ui.painter().rect_filled(rect, 6.0, ink().panel);
    let at = rect.min + egui::vec2(9.0, 5.0);
    ui.painter().text(at, egui::Align2::LEFT_TOP, name, text(11.5 * scale), ink().faint);
    let inner = rect.shrink2(egui::vec2(9.0, 7.0));
    egui::Rect::from_min_max(egui::pos2(inner.left(), inner.top() + 15.0 * scale), inner.max)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast ratio of WCAG 2.2.
    fn contrast(one: Color32, other: Color32) -> f32 {
        let luminance = |colour: Color32| {
            let linear = |value| egui::ecolor::linear_f32_from_gamma_u8(value);
            0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b()) + 0.05
        };
        let (one, other) = (luminance(one), luminance(other));
        one.max(other) / one.min(other)
    }

    #[test]
    fn everything_written_can_be_read_in_both_themes() {
        for palette in [&DARK, &BRIGHT] {
            for ground in [palette.background, palette.panel] {
                assert!(contrast(palette.text, ground) > 7.0, "text: {palette:?}");
                for ink in [palette.faint, palette.accent, palette.second, palette.difference, palette.warning] {
                    assert!(contrast(ink, ground) > 4.5, "{ink:?} on {ground:?}: {}", contrast(ink, ground));
                }
            }
            assert!(contrast(palette.text, palette.control) > 7.0);
            for lit in [palette.accent, palette.second, palette.difference] {
                assert!(contrast(palette.background, lit) > 4.5, "on {lit:?}: {}", contrast(palette.background, lit));
            }
        }
    }
}
