//! The host's side as baseview asks for it.

use baseview::host::{Host, HostCallbacks, HostMainThreadCaller};
use baseview::{HandlerError, WindowSize};
use nice_plug::editor::{self, HostMethods};

struct Callbacks(Box<dyn editor::HostCallbacks>);

impl HostCallbacks for Callbacks {
    fn request_resize(&mut self, size: WindowSize) -> Result<(), HandlerError> {
        self.0.request_resize(size.physical.into(), size.scale_factor).map_err(HandlerError::from_boxed)
    }

    fn destroyed(&mut self) {
        self.0.destroyed();
    }
}

struct MainThread(Box<dyn editor::HostMainThreadCaller>);

impl HostMainThreadCaller for MainThread {
    fn call_main_thread(&mut self) {
        self.0.call_main_thread();
    }
}

/// What the window may ask of the host.
pub fn callbacks(host: HostMethods) -> Host {
    Host::new().with_callbacks(Callbacks(host.callbacks)).with_main_thread(MainThread(host.main_thread_caller))
}
