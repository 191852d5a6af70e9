//! What runs, and what keeps it from running.

use super::theme;
use crate::engine::{LoopState, Status};
use egui::{Align, Align2, Color32, Label, Layout, Rect, RichText, Role, Sense, Stroke, StrokeKind, Ui, UiBuilder};
use egui::{WidgetInfo, pos2, vec2};

/// Draws name, model, runtime, state and the button that saves what is on screen; true where that was clicked. What is
/// between `taken` and the state is left free.
pub fn show(ui: &mut Ui, rect: Rect, scale: f32, taken: f32, status: &Status) -> bool {
    let painter = ui.painter();
    let title = painter.text(
        pos2(rect.left() + 1.0, rect.center().y),
        Align2::LEFT_CENTER,
        "VRVQ live",
        theme::text(19.0 * scale),
        theme::TEXT,
    );
    let (text, colour) = match &status.state {
        LoopState::Running => ("Running", theme::ACCENT),
        LoopState::Loading => ("Loading", theme::SECOND),
        LoopState::Stopped => ("Stopped", theme::FAINT),
        LoopState::Failed(_) => ("Failed", theme::WARNING),
    };
    let at = pos2(rect.right() - 1.0, rect.center().y);
    let state = painter.text(at, Align2::RIGHT_CENTER, text, theme::text(14.0 * scale), colour);
    painter.circle_filled(pos2(state.left() - 9.0 * scale, rect.center().y), 4.0 * scale, colour);
    let response = ui.interact(state, ui.scope_id().with("state"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));

    let middle =
        Rect::from_min_max(pos2(title.right() + 18.0 * scale, rect.top()), pos2(taken - 10.0 * scale, rect.bottom()));
    let builder = UiBuilder::new().max_rect(middle).layout(Layout::left_to_right(Align::Center));
    ui.scope_builder(builder, |ui| {
        let model = if status.model.is_empty() { "No model" } else { &status.model };
        let model = RichText::new(model).size(14.0 * scale);
        ui.add(Label::new(model).truncate()).on_hover_text("The model that encodes and decodes.");
        ui.add_space(6.0);
        let runtime = RichText::new(&status.runtime).color(theme::FAINT).size(13.0 * scale);
        ui.add(Label::new(runtime).truncate())
            .on_hover_text("What computes the model: the inference runtime and the device it runs on.");
    });
    let place = Rect::from_center_size(pos2(state.left() - 48.0 * scale, rect.center().y), vec2(44.0, 19.0) * scale);
    let response = ui.interact(place, ui.scope_id().with("save"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Save"));
    let lit = response.hovered() || response.has_focus();
    ui.painter().rect_filled(place, 4.0, if lit { theme::GRID } else { theme::CONTROL });
    ui.painter().text(place.center(), Align2::CENTER_CENTER, "Save", theme::text(12.0 * scale), theme::TEXT);
    let hint = "Saves what the map shows as a picture (PNG), and its frames as a table (CSV), in your documents.";
    response.on_hover_text(hint).clicked()
}

/// What keeps the map from moving, over the map.
pub fn message(ui: &mut Ui, map: Rect, scale: f32, status: &Status, empty: bool) {
    let (title, text, colour) = match &status.state {
        LoopState::Failed(reason) => {
            ("The codec can't run", format!("{reason}\nYou hear the dry signal."), theme::WARNING)
        }
        LoopState::Loading => {
            ("Loading the model…", "The decoded sound starts when it is ready.".into(), theme::SECOND)
        }
        LoopState::Stopped => ("No audio yet", "The map starts when sound is processed.".into(), theme::FAINT),
        LoopState::Running if empty => ("Waiting for sound", "The first frames are on their way.".into(), theme::FAINT),
        LoopState::Running => return,
    };
    // Beside the rows' names, not over them.
    let map = Rect::from_min_max(pos2(map.left() + 88.0 * scale, map.top()), map.max);
    let width = (520.0 * scale).min(map.width() - 40.0);
    let size = theme::text(14.0 * scale);
    let body = ui.painter().layout(text.clone(), size, theme::TEXT, width - 36.0);
    let heading = theme::text(19.0 * scale);
    let height = (body.size().y + 62.0 * scale).min(map.height());
    let panel = Rect::from_center_size(map.center(), vec2(width, height));
    let painter = ui.painter();
    painter.rect_filled(panel, 8.0, Color32::from_rgba_unmultiplied(14, 16, 20, 235));
    painter.rect_stroke(panel, 8.0, Stroke::new(1.5, colour), StrokeKind::Inside);
    painter.text(panel.min + vec2(18.0, 15.0 * scale), Align2::LEFT_TOP, title, heading, colour);
    painter.galley(panel.min + vec2(18.0, 44.0 * scale), body, theme::TEXT);
    let response = ui.interact(panel, ui.scope_id().with("message"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{title}: {text}")));
}
