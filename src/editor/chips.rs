//! Small buttons, and a choice of two or three words at the top of a card.

use super::theme;
use egui::{Align2, Color32, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

/// A choice: its value, its short name and what it means.
pub type Choice<T> = (T, &'static str, &'static str);

/// Draws a small button with a text; screen readers call it `name`.
pub fn button(ui: &Ui, rect: Rect, scale: f32, (text, name): (&str, &str)) -> Response {
    let response = paint(ui, rect, scale, (text, name), None);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    response
}

/// As [`button`], one that switches and is lit in a colour where it is on.
pub fn switch(ui: &Ui, rect: Rect, scale: f32, (text, name): (&str, &str), colour: Option<Color32>) -> Response {
    let response = paint(ui, rect, scale, (text, name), colour);
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, colour.is_some(), name));
    response
}

fn paint(ui: &Ui, rect: Rect, scale: f32, (text, name): (&str, &str), colour: Option<Color32>) -> Response {
    let on = colour.is_some();
    let response = ui.interact(rect, ui.scope_id().with(name), Sense::click());
    let fill = match (colour, response.hovered()) {
        (Some(colour), _) => colour,
        (None, true) => theme::ink().grid,
        (None, false) => theme::ink().control,
    };
    ui.painter().rect_filled(rect, 4.0, fill);
    if response.has_focus() {
        ui.painter().rect_stroke(rect, 4.0, Stroke::new(1.5, theme::ink().text), StrokeKind::Inside);
    }
    let colour = if on { theme::ink().background } else { theme::ink().text };
    let painter = ui.painter().with_clip_rect(rect);
    painter.text(rect.center(), Align2::CENTER_CENTER, text, theme::text(12.0 * scale), colour);
    response
}

/// Draws `choices` in the top right corner of the card `rect`; the one that was clicked, unless it is `current`.
pub fn choose<T: Copy + PartialEq>(
    ui: &Ui,
    rect: Rect,
    scale: f32,
    choices: &[Choice<T>],
    current: Option<T>,
) -> Option<T> {
    let left = rect.right() - 6.0 - choices.len() as f32 * 31.0 * scale;
    row(
        ui,
        Rect::from_min_max(pos2(left, rect.top()), pos2(rect.right() - 6.0, rect.bottom())),
        scale,
        choices,
        current,
    )
}

/// As [`choose`], over the whole width of the card, which then has no room for a name.
pub fn fill<T: Copy + PartialEq>(
    ui: &Ui,
    rect: Rect,
    scale: f32,
    choices: &[Choice<T>],
    current: Option<T>,
) -> Option<T> {
    row(ui, rect.shrink2(vec2(6.0, 0.0)), scale, choices, current)
}

fn row<T: Copy + PartialEq>(ui: &Ui, rect: Rect, scale: f32, choices: &[Choice<T>], current: Option<T>) -> Option<T> {
    let (width, height) = (rect.width() / choices.len() as f32, 16.0 * scale);
    let mut chosen = None;
    for (index, &(value, name, hint)) in choices.iter().enumerate() {
        let left = rect.left() + index as f32 * width;
        let place = Rect::from_min_max(pos2(left, rect.top() + 4.0), pos2(left + width, rect.top() + 4.0 + height));
        let response = ui.interact(place, ui.scope_id().with(name), Sense::click());
        let on = current == Some(value);
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, on, name));
        let fill = match (on, response.hovered()) {
            (true, _) => theme::ink().accent,
            (false, true) => theme::ink().grid,
            (false, false) => theme::ink().control,
        };
        ui.painter().rect_filled(place, 3.0, fill);
        let colour = if on { theme::ink().background } else { theme::ink().text };
        ui.painter().text(place.center(), Align2::CENTER_CENTER, name, theme::text(10.5 * scale), colour);
        theme::focus_ring(ui, &response, place, 3.0);
        if response.on_hover_text(hint).clicked() && !on {
            chosen = Some(value);
        }
    }
    chosen
}
