//! The view for screen readers: AccessKit hands egui's tree of names and values to the system's service, of which baseview knows
//! nothing. The tree is made only while something reads it.
//!
//! On Linux and Windows. On macOS AccessKit makes a class of a fixed name, of which a process can have one: two plug-ins built on
//! it, or the CLAP and the VST3 of this one, would end their host.

use crate::editor::Telling;
use baseview::{WindowContext, WindowWaker};
use egui::accesskit::{ActionHandler, ActionRequest, ActivationHandler, DeactivationHandler, TreeUpdate};
use egui::{Context, Event, FullOutput};
use parking_lot::Mutex;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a screen reader asks of the window, on a thread of AccessKit's.
struct Asked {
    /// For the tree.
    tree: AtomicBool,
    /// For buttons to be pressed, values to be set and the like.
    actions: Mutex<Vec<ActionRequest>>,
    waker: WindowWaker,
}

/// Passes what is asked for on to the next frame.
struct Ear(Arc<Asked>);

impl Ear {
    fn ask_for_tree(&self, asked: bool) {
        self.0.tree.store(asked, Ordering::Relaxed);
        self.0.waker.request_redraw();
    }
}

impl ActivationHandler for Ear {
    fn request_initial_tree(&mut self) -> Option<TreeUpdate> {
        self.ask_for_tree(true);
        None
    }
}

impl ActionHandler for Ear {
    fn do_action(&mut self, request: ActionRequest) {
        self.0.actions.lock().push(request);
        self.0.waker.request_redraw();
    }
}

impl DeactivationHandler for Ear {
    fn deactivate_accessibility(&mut self) {
        self.ask_for_tree(false);
    }
}

/// One window's side of the screen reader.
pub struct Reader {
    asked: Arc<Asked>,
    telling: RefCell<Telling>,
    adapter: RefCell<system::Adapter>,
}

impl Reader {
    /// To be made before the window is shown for the first time.
    pub fn new(window: &WindowContext) -> Self {
        let asked = Asked { tree: AtomicBool::new(false), actions: Mutex::default(), waker: window.waker() };
        let asked = Arc::new(asked);
        let adapter = system::Adapter::new(window, || Ear(asked.clone()));
        Self { adapter: RefCell::new(adapter), telling: RefCell::default(), asked }
    }

    /// Before a frame at `seconds`: adds to `events` what is to be done, and has the tree made where it is asked for and due.
    pub fn prepare(&self, egui: &Context, seconds: f64, events: &mut Vec<Event>) {
        events.extend(self.asked.actions.lock().drain(..).map(Event::AccessKitActionRequest));
        if !self.asked.tree.load(Ordering::Relaxed) {
            egui.disable_accesskit();
            self.telling.take();
        } else if let Ok(mut telling) = self.telling.try_borrow_mut() {
            telling.prepare(egui, seconds, events);
        }
    }

    /// Hands the frame's tree over.
    pub fn read(&self, output: &mut FullOutput) {
        let Some(tree) = output.platform_output.accesskit_update.take() else { return };
        // A system that calls back meanwhile may ask for a frame within this one; the next one has it all again.
        let Ok(mut adapter) = self.adapter.try_borrow_mut() else { return };
        let raise = adapter.update(tree);
        drop(adapter);
        raise();
    }

    /// The window got or lost the keyboard.
    pub fn focus(&self, focused: bool) {
        if let Ok(mut adapter) = self.adapter.try_borrow_mut() {
            adapter.focus(focused);
        }
    }
}

#[cfg(target_os = "linux")]
mod system {
    use super::Ear;
    use baseview::WindowContext;
    use egui::accesskit::TreeUpdate;
    use std::sync::Once;

    /// AT-SPI, whose service is reached by D-Bus.
    pub struct Adapter(accesskit_unix::Adapter);

    impl Adapter {
        pub fn new(_: &WindowContext, ear: impl Fn() -> Ear) -> Self {
            keep_code();
            Self(accesskit_unix::Adapter::new(ear(), ear(), ear()))
        }

        pub fn update(&mut self, tree: TreeUpdate) -> impl FnOnce() + use<> {
            self.0.update_if_active(|| tree);
            || ()
        }

        pub fn focus(&mut self, focused: bool) {
            self.0.update_window_focus_state(focused);
        }
    }

    /// Keeps the plug-in's library in memory to the end of the process: AccessKit's thread stays as long, and hosts may unload
    /// plug-ins.
    fn keep_code() {
        static KEPT: Once = Once::new();
        KEPT.call_once(|| {
            // A program can't be opened like this, and needn't be.
            // SAFETY: the library is in memory already, so that none of its code runs for this.
            let library = process_path::get_dylib_path().map(|path| unsafe { libloading::Library::new(path) });
            if let Some(Ok(library)) = library {
                std::mem::forget(library);
            }
        });
    }
}

#[cfg(windows)]
mod system {
    use super::Ear;
    use accesskit_windows::{HWND, SubclassingAdapter};
    use baseview::WindowContext;
    use egui::accesskit::TreeUpdate;
    use raw_window_handle::{HasWindowHandle, RawWindowHandle};

    /// UI Automation; its messages are taken from the window's own before baseview gets them, the keyboard's too.
    pub struct Adapter(Option<SubclassingAdapter>);

    impl Adapter {
        pub fn new(window: &WindowContext, ear: impl Fn() -> Ear) -> Self {
            let handle = window.window_handle().ok().and_then(|handle| match handle.as_raw() {
                RawWindowHandle::Win32(handle) => Some(HWND(handle.hwnd.get() as _)),
                _ => None,
            });
            Self(handle.map(|handle| SubclassingAdapter::new(handle, ear(), ear())))
        }

        pub fn update(&mut self, tree: TreeUpdate) -> impl FnOnce() + use<> {
            let events = self.0.as_mut().and_then(|adapter| adapter.update_if_active(|| tree));
            move || {
                if let Some(events) = events {
                    events.raise();
                }
            }
        }

        pub fn focus(&mut self, _: bool) {}
    }
}

#[cfg(not(any(target_os = "linux", windows)))]
mod system {
    use super::Ear;
    use baseview::WindowContext;
    use egui::accesskit::TreeUpdate;

    /// None.
    pub struct Adapter;

    impl Adapter {
        pub fn new(_: &WindowContext, _: impl Fn() -> Ear) -> Self {
            Self
        }

        pub fn update(&mut self, _: TreeUpdate) -> impl FnOnce() + use<> {
            || ()
        }

        pub fn focus(&mut self, _: bool) {}
    }
}
