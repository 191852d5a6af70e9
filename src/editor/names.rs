//! Words for screen readers: names, where a widget shows none or a mere sign, and what they say by themselves.

use egui::accesskit::Live;
use egui::{Rect, Response, Role, Sense, Ui, WidgetInfo, vec2};

/// Has screen readers call the widget `name`.
pub fn name(response: &Response, name: &str) {
    response.ctx.accesskit_node_builder(response.id, |node| node.set_label(name));
}

/// Has them say the widget's text when it comes and when it changes, once they are through with what they say.
pub fn announce(response: &Response) {
    response.ctx.accesskit_node_builder(response.id, |node| node.set_live(Live::Polite));
}

/// Has them say `text` when it changes, which stands where the name of the card `rect` does.
pub fn say(ui: &Ui, rect: Rect, scale: f32, text: &str) {
    let title = Rect::from_min_size(rect.min, vec2(40.0, 18.0) * scale);
    let response = ui.interact(title, ui.scope_id().with("said"), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    announce(&response);
}
