//! What is drawn: the view, with the host's parameters as its settings.

use super::super::controls::{Held, HostControls};
use super::super::params::VrvqParams;
use crate::editor::{View, hovering};
use crate::model::Library;
use egui::Ui;
use nice_plug::context::gui::GuiContext;
use parking_lot::Mutex;
use std::sync::Arc;

/// The view of one instance in one window.
pub struct Page {
    params: Arc<VrvqParams>,
    view: Arc<Mutex<View>>,
    context: GuiContext,
    held: Held,
}

impl Page {
    pub fn new(params: Arc<VrvqParams>, view: Arc<Mutex<View>>, context: GuiContext) -> Self {
        view.lock().painted_by_opengl();
        Self { params, view, context, held: Held::default() }
    }

    pub fn ui(&mut self, ui: &mut Ui) {
        let mut controls = HostControls::new(&self.params, self.context.param_setter(), &mut self.held);
        self.view.lock().ui(ui, &mut controls);
        let hovered = |file: &egui::HoveredFile| file.path.as_deref().is_some_and(Library::takes);
        let (any, models) = ui.input(|input| {
            let files = &input.raw.hovered_files;
            (!files.is_empty(), files.iter().any(hovered))
        });
        if any {
            let text =
                if models { "Drop a model or checkpoint to run it" } else { "Only models and checkpoints open here" };
            hovering(ui.ctx(), text);
        }
    }

    /// The session's size of the window, in points.
    pub fn size(&self) -> Arc<Mutex<(u32, u32)>> {
        self.params.window.clone()
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.view.lock().closed();
    }
}
