//! The plug-in's window: the view on baseview, painted by egui's OpenGL painter, its settings the host's parameters.
//!
//! Of our own rather than of nice-plug-egui, since a host needs what that leaves out: files can be dropped, the keys of the
//! view aren't the host's as well and the others are, a field of text gets the keys that a VST3 host hands over, screen readers
//! read the view, the size is the session's, and a window that is closed lets go of what it held.

mod handle;
mod host;
mod input;
mod keys;
mod link;
mod open;
mod page;
mod painter;
mod pointer;
mod reader;
mod surface;

use super::params::{MIN_WINDOW, VrvqParams};
use crate::editor::View;
use crate::engine::{ReportReceiver, Telemetry};
use crate::export;
use crate::preferences::Preferences;
use baseview::gl::GlConfig;
use baseview::{Window, WindowSettings};
use handle::WindowHandle;
use link::Link;
use nice_plug::context::gui::GuiContext;
use nice_plug::editor::{HostMethods, SizeConstraints, SpawnedEditor, dpi};
use nice_plug::prelude::*;
use open::OpenWindow;
use page::Page;
use parking_lot::Mutex;
use std::error::Error;
use std::sync::Arc;
use surface::Surface;

/// Longest side of a window that a session may ask for, in points.
const MAX_SIDE: f32 = 8192.0;

/// The window of one instance. The view stays while windows come and go.
pub struct SessionEditor {
    params: Arc<VrvqParams>,
    view: Arc<Mutex<View>>,
    link: Arc<Link>,
}

impl SessionEditor {
    pub(super) fn new(params: Arc<VrvqParams>, telemetry: Arc<Telemetry>, reports: ReportReceiver) -> Self {
        let view = View::new(reports, telemetry, Arc::new(export::save_for_user))
            .with_models(params.model.0.clone())
            .with_memory(Preferences::of_user());
        Self { params, view: Arc::new(Mutex::new(view)), link: Arc::default() }
    }

    /// The session's size in points.
    fn points(&self) -> dpi::LogicalSize<f32> {
        let (width, height) = *self.params.window.lock();
        let side = |saved: u32, least: f32| (saved as f32).clamp(least, MAX_SIDE);
        dpi::LogicalSize::new(side(width, MIN_WINDOW.0), side(height, MIN_WINDOW.1))
    }
}

/// Any size from the smallest that shows everything.
fn resize_hint() -> ResizeHint {
    let least = dpi::LogicalSize::new(MIN_WINDOW.0, MIN_WINDOW.1);
    ResizeHint { size_constraints: SizeConstraints::min_logical_size(least), ..ResizeHint::RESIZABLE }
}

impl Editor for SessionEditor {
    type Handle = WindowHandle;

    fn spawn(
        &self,
        parent: Option<ParentWindowHandle>,
        wait_for_parent: bool,
        fallback_scale_factor: Option<f64>,
        gui_context: GuiContext,
        host: Option<HostMethods>,
    ) -> Result<SpawnedEditor<WindowHandle>, Box<dyn Error>> {
        let settings = WindowSettings::new()
            .with_title("VRVQ live")
            .with_size(self.points())
            .with_min_size(dpi::LogicalSize::new(MIN_WINDOW.0, MIN_WINDOW.1))
            .with_parent(parent.as_ref())
            .with_wait_for_parent(wait_for_parent)
            .with_fallback_scale_factor(fallback_scale_factor)
            .with_gl_config(GlConfig::default());
        let page = Page::new(self.params.clone(), self.view.clone(), gui_context);
        let link = self.link.clone();
        let (alive, ended) = open::life();
        let surface = move |context| {
            open::keep(alive);
            Surface::new(context, page, link)
        };
        let window = Window::create_with_host(settings, surface, host.map(host::callbacks))?;
        self.link.set_scale(window.size().scale_factor);
        Ok(SpawnedEditor { handle: WindowHandle::new(self.link.clone()), window: OpenWindow::new(window, ended) })
    }

    fn size(&self) -> dpi::NativeSize<u32> {
        dpi::NativeSize::from_size(self.points().into(), self.link.scale())
    }

    fn resize_hint(&self) -> ResizeHint {
        resize_hint()
    }

    unsafe fn assume_standalone_in_process(&self) {
        // SAFETY: passed on under the same conditions.
        unsafe { baseview::assume_standalone_in_process() }
    }
}
