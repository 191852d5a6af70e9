//! What runs, and what keeps it from running.

use super::look::ThemeChoice;
use super::models::Models;
use super::{names, rest, theme};
use crate::engine::{LoopState, Status};
use crate::model::BUILT_IN;
use egui::{
    Align, Align2, Key, Label, Layout, Painter, Pos2, Rect, RichText, Role, Sense, Shape, Stroke, StrokeKind, Ui,
    UiBuilder,
};
use egui::{WidgetInfo, pos2, vec2};

const RUNTIME_HINT: &str = "What computes the model: the inference runtime and the device it runs on.";
const FASTER_HINT: &str = "\n\nThis one is compiled in. ONNX Runtime takes somewhat less, and runs large models on several cores or a \
                           GPU; \"cargo xtask runtime\" fetches it, and it is found at the next start.";

/// What was asked for in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// To save what is on screen.
    Save,
    /// The next choice of colours.
    Theme,
}

/// Draws name, model, runtime and state, and the buttons of the view; what is between `taken` and those is left free.
pub fn show(
    ui: &mut Ui,
    rect: Rect,
    scale: f32,
    taken: f32,
    (status, resting, models): (&Status, bool, &mut Models),
    theme: ThemeChoice,
) -> Option<Asked> {
    let painter = ui.painter();
    let title = painter.text(
        pos2(rect.left() + 1.0, rect.center().y),
        Align2::LEFT_CENTER,
        "VRVQ live",
        theme::text(19.0 * scale),
        theme::ink().text,
    );
    let (text, colour) = match &status.state {
        LoopState::Running if resting => ("Idle", theme::ink().faint),
        LoopState::Running => ("Running", theme::ink().accent),
        LoopState::Loading => ("Loading", theme::ink().second),
        LoopState::Stopped => ("Stopped", theme::ink().faint),
        LoopState::Failed(_) => ("Failed", theme::ink().warning),
    };
    let at = pos2(rect.right() - 1.0, rect.center().y);
    let state = painter.text(at, Align2::RIGHT_CENTER, text, theme::text(14.0 * scale), colour);
    painter.circle_filled(pos2(state.left() - 9.0 * scale, rect.center().y), 4.0 * scale, colour);
    let response = ui.interact(state, ui.scope_id().with("state"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    if resting {
        response.on_hover_text(rest::HINT);
    }

    let mut asked = None;
    let mut right = state.left() - 22.0 * scale;
    let mut place = |width: f32| {
        let size = vec2(width, 19.0) * scale;
        let place = Rect::from_min_size(pos2(right - size.x, rect.center().y - size.y / 2.0), size);
        right = place.left() - 4.0 * scale;
        place
    };
    let (save, colours) = (place(40.0), place(22.0));
    let hint = format!("Colours: {}. Click for {}. Key: C.", theme.name(), theme.next().name());
    let typed = !ui.ctx().text_edit_focused() && ui.input(|i| i.modifiers.is_none() && i.key_pressed(Key::C));
    if button(ui, colours, scale, ("colours", ""), &format!("Colours: {}", theme.name()), None, &hint) || typed {
        asked = Some(Asked::Theme);
    }
    half_moon(ui.painter(), colours.center(), 5.5 * scale, theme);
    let hint = "Saves what the map shows as a picture (PNG), and its frames as a table (CSV), in your documents.";
    if button(ui, save, scale, ("save", "Save"), "Save", None, hint) {
        asked = Some(Asked::Save);
    }

    let middle =
        Rect::from_min_max(pos2(title.right() + 18.0 * scale, rect.top()), pos2(taken - 10.0 * scale, rect.bottom()));
    let builder = UiBuilder::new().max_rect(middle).layout(Layout::left_to_right(Align::Center));
    ui.scope_builder(builder, |ui| {
        models.show(ui, scale, status);
        ui.add_space(6.0);
        let runtime = RichText::new(&status.runtime).color(theme::ink().faint).size(13.0 * scale);
        let faster = if status.runtime.starts_with(BUILT_IN) { FASTER_HINT } else { "" };
        ui.add(Label::new(runtime).truncate()).on_hover_text(format!("{RUNTIME_HINT}{faster}"));
    });
    asked
}

/// The sign of the colours: a disc that is filled where they are bright, empty where they are dark, half where the system
/// decides.
fn half_moon(painter: &Painter, centre: Pos2, radius: f32, theme: ThemeChoice) {
    let ink = theme::ink().text;
    painter.circle_stroke(centre, radius, Stroke::new(1.2, ink));
    match theme {
        ThemeChoice::Bright => _ = painter.circle_filled(centre, radius, ink),
        ThemeChoice::Dark => {}
        ThemeChoice::System => {
            let arc = (0..=16).map(|step| {
                let angle = std::f32::consts::PI * (0.5 + step as f32 / 16.0);
                centre + radius * vec2(angle.cos(), angle.sin())
            });
            painter.add(Shape::convex_polygon(arc.collect(), ink, Stroke::NONE));
        }
    }
}

/// A button of the header, named `name` to screen readers, lit where it is one that switches and is on; whether it was clicked.
pub fn button(
    ui: &Ui,
    place: Rect,
    scale: f32,
    (id, text): (&str, &str),
    name: &str,
    on: Option<bool>,
    hint: &str,
) -> bool {
    let response = ui.interact(place, ui.scope_id().with(("header", id)), Sense::click());
    response.widget_info(|| WidgetInfo { selected: on, ..WidgetInfo::labeled(Role::Button, true, name) });
    let (fill, colour) = match (on == Some(true), response.hovered()) {
        (true, _) => (theme::ink().accent, theme::ink().background),
        (false, true) => (theme::ink().grid, theme::ink().text),
        (false, false) => (theme::ink().control, theme::ink().text),
    };
    ui.painter().rect_filled(place, 4.0, fill);
    ui.painter().text(place.center(), Align2::CENTER_CENTER, text, theme::text(12.0 * scale), colour);
    theme::focus_ring(ui, &response, place, 4.0);
    response.on_hover_text(hint).clicked()
}

/// What keeps the map from moving, over the map.
pub fn message(ui: &mut Ui, map: Rect, scale: f32, status: &Status, resting: bool, empty: bool) {
    let (title, text, colour) = match &status.state {
        LoopState::Failed(reason) => {
            ("The codec can't run", format!("{reason}\nYou hear the dry signal."), theme::ink().warning)
        }
        LoopState::Loading => {
            ("Loading the model…", "The decoded sound starts when it is ready.".into(), theme::ink().second)
        }
        LoopState::Stopped => ("No audio yet", "The map starts when sound is processed.".into(), theme::ink().faint),
        LoopState::Running if empty && resting => ("Waiting for sound", rest::HINT.into(), theme::ink().faint),
        LoopState::Running if empty => {
            ("Waiting for sound", "The first frames are on their way.".into(), theme::ink().faint)
        }
        LoopState::Running => return,
    };
    // Beside the rows' names, not over them.
    let map = Rect::from_min_max(pos2(map.left() + 88.0 * scale, map.top()), map.max);
    let width = (520.0 * scale).min(map.width() - 40.0);
    let size = theme::text(14.0 * scale);
    let body = ui.painter().layout(text.clone(), size, theme::ink().text, width - 36.0);
    let heading = theme::text(19.0 * scale);
    let height = (body.size().y + 62.0 * scale).min(map.height());
    let panel = Rect::from_center_size(map.center(), vec2(width, height));
    let painter = ui.painter();
    painter.rect_filled(panel, 8.0, theme::ink().background.gamma_multiply(0.94));
    painter.rect_stroke(panel, 8.0, Stroke::new(1.5, colour), StrokeKind::Inside);
    painter.text(panel.min + vec2(18.0, 15.0 * scale), Align2::LEFT_TOP, title, heading, colour);
    painter.galley(panel.min + vec2(18.0, 44.0 * scale), body, theme::ink().text);
    let response = ui.interact(panel, ui.scope_id().with("message"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{title}: {text}")));
    names::announce(&response);
}
