//! The host's hold of an open window.

use super::link::Link;
use super::open::OpenWindow;
use super::{keys, resize_hint};
use baseview::Error;
use nice_plug::editor::dpi::NativeSize;
use nice_plug::editor::{EditorHandle, Modifiers, VirtualKeyCode};
use nice_plug::prelude::ParentWindowHandle;
use std::sync::Arc;

/// Passes the host's wishes on to the window.
pub struct WindowHandle {
    link: Arc<Link>,
}

impl WindowHandle {
    pub(super) fn new(link: Arc<Link>) -> Self {
        Self { link }
    }
}

impl EditorHandle for WindowHandle {
    type Window = OpenWindow;
    type Error = Error;

    fn run_until_closed(window: OpenWindow) -> Result<(), Error> {
        window.run_until_closed()
    }

    fn set_parent(&self, parent: ParentWindowHandle, window: &OpenWindow) -> Result<(), Error> {
        window.set_parent(&parent)
    }

    fn show(&self, window: &OpenWindow) -> Result<(), Error> {
        // A window that is shown for the first time isn't told so on every platform.
        self.link.mark_stale();
        window.show()
    }

    fn hide(&self, window: &OpenWindow) -> Result<(), Error> {
        window.hide()
    }

    fn set_size(&self, size: NativeSize<u32>, window: &OpenWindow) -> Result<(), Error> {
        window.resize(size)
    }

    fn host_main_thread_callback(&self, window: &OpenWindow) {
        window.host_main_thread_callback();
    }

    fn adjust_size(&self, size: NativeSize<u32>, window: &OpenWindow) -> Option<NativeSize<u32>> {
        let now = window.size();
        let current = NativeSize::from_logical_or_physical(now.logical, now.physical);
        Some(resize_hint().adjust_size(size, current, now.scale_factor))
    }

    fn set_fallback_scale_factor(&self, scale: f64, window: &OpenWindow) -> Result<(), Error> {
        window.suggest_fallback_scale_factor(scale)?;
        self.link.set_scale(window.size().scale_factor);
        Ok(())
    }

    fn on_virtual_key_from_host(&self, key: VirtualKeyCode, is_down: bool, modifiers: Modifiers) -> bool {
        let events = keys::from_host(key, is_down, modifiers);
        !events.is_empty() && self.link.hand_over(events)
    }

    fn state_changed(&self) {
        self.link.mark_stale();
    }

    fn param_value_changed(&self, _: &str, _: f32) {
        self.link.mark_stale();
    }

    fn param_modulation_changed(&self, _: &str, _: f32) {
        self.link.mark_stale();
    }
}
