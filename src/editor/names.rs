//! Names for screen readers, where a widget shows none or a mere sign.

use egui::Response;

/// Has screen readers call the widget `name`.
pub fn name(response: &Response, name: &str) {
    response.ctx.accesskit_node_builder(response.id, |node| node.set_label(name));
}
