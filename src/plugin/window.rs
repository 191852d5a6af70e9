//! The plug-in's window: the view in a nice-plug egui editor, its settings the host's parameters.

use super::controls::{Held, HostControls};
use super::params::{MIN_WINDOW, VrvqParams};
use crate::editor::View;
use crate::engine::{ReportReceiver, Telemetry};
use crate::export;
use crate::preferences::Preferences;
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::{HostMethods, SizeConstraints, SpawnedEditor, dpi};
use nice_plug::prelude::*;
use nice_plug_egui::baseview::{HandlerError, WindowSize};
use nice_plug_egui::{
    EguiEditor, EguiEditorHandle, EguiEditorState, EguiNiceSettings, Frame, NiceEguiApp, RepaintNotifier,
};
use parking_lot::Mutex;
use std::error::Error;
use std::sync::Arc;

/// What the editor draws. The view is shared, because a new editor is made where a session brings another size.
pub struct Window {
    params: Arc<VrvqParams>,
    view: Arc<Mutex<View>>,
    context: Option<GuiContext>,
    held: Held,
}

/// The editor of one instance. nice-plug-egui fixes the window's size when the instance is made, which is before the
/// host restores the session's size; so the egui editor is made anew when it opens.
pub struct SessionEditor {
    params: Arc<VrvqParams>,
    view: Arc<Mutex<View>>,
    state: Mutex<Arc<EguiEditorState>>,
}

impl SessionEditor {
    pub(super) fn new(params: Arc<VrvqParams>, telemetry: Arc<Telemetry>, reports: ReportReceiver) -> Self {
        let state = Mutex::new(saved_size(&params));
        Self {
            view: Arc::new(Mutex::new(
                View::new(reports, telemetry, Arc::new(export::save_for_user))
                    .with_models(params.model.0.clone())
                    .with_memory(Preferences::of_user()),
            )),
            params,
            state,
        }
    }

    fn inner(&self) -> Option<EguiEditor<Window>> {
        let mut state = self.state.lock();
        if !state.is_open() {
            *state = saved_size(&self.params);
        }
        let window =
            Window { params: self.params.clone(), view: self.view.clone(), context: None, held: Held::default() };
        let settings = EguiNiceSettings::new().with_tile("VRVQ live").with_resize_hint(self.resize_hint());
        nice_plug_egui::create_egui_editor(state.clone(), RepaintNotifier::new(), settings, window)
    }
}

fn saved_size(params: &VrvqParams) -> Arc<EguiEditorState> {
    let (width, height) = *params.window.lock();
    let size = |saved: u32, least: f32| (saved as f32).clamp(least, 8192.0);
    EguiEditorState::from_size(dpi::LogicalSize::new(size(width, MIN_WINDOW.0), size(height, MIN_WINDOW.1)), 1.0)
}

impl Editor for SessionEditor {
    type Handle = EguiEditorHandle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<Self::Handle>, Box<dyn Error>> {
        let inner = self.inner().ok_or("the window can't be made")?;
        inner.spawn(parent, wait_for_parent, fallback_scale_factor, gui_context, host)
    }

    fn size(&self) -> dpi::NativeSize<u32> {
        let (width, height) = *self.params.window.lock();
        self.inner().map_or_else(
            || dpi::NativeSize::from_size(dpi::LogicalSize::new(width as f32, height as f32).into(), 1.0),
            |inner| inner.size(),
        )
    }

    fn resize_hint(&self) -> ResizeHint {
        ResizeHint {
            size_constraints: SizeConstraints::Logical {
                min_size: Some(dpi::LogicalSize::new(MIN_WINDOW.0, MIN_WINDOW.1)),
                max_size: None,
            },
            ..ResizeHint::RESIZABLE
        }
    }

    unsafe fn assume_standalone_in_process(&self) {
        if let Some(inner) = self.inner() {
            // SAFETY: passed on under the same conditions.
            unsafe { inner.assume_standalone_in_process() }
        }
    }
}

impl NiceEguiApp for Window {
    fn build(&mut self, _egui: egui::Context, context: GuiContext, _frame: &mut Frame) -> Result<(), HandlerError> {
        self.context = Some(context);
        self.view.lock().painted_by_opengl();
        Ok(())
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut Frame) {
        let [red, green, blue, alpha] = View::background(ui.ctx());
        // Handed on to OpenGL as it is, so in sRGB like the rest.
        frame.set_clear_color(egui::Rgba::from_rgba_premultiplied(red, green, blue, alpha));
        if let Some(context) = &self.context {
            let mut controls = HostControls::new(&self.params, context.param_setter(), &mut self.held);
            self.view.lock().ui(ui, &mut controls);
        }
    }

    fn resized(&mut self, size: WindowSize) {
        *self.params.window.lock() = (size.logical.width.round() as u32, size.logical.height.round() as u32);
    }

    fn editor_closed(&mut self) {
        self.view.lock().closed();
        self.context = None;
    }
}
