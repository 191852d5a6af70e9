//! A window that is gone when it is dropped. On Linux baseview has a thread for each; it is told to end when a window is dropped,
//! and would be waited for, did baseview not ask it to show the window first, which fails where it has ended its loop. It would
//! close OpenGL's libraries then while a host ends, which crashed one run in five of a test.

use baseview::{Error, Window};
use std::cell::Cell;
use std::ops::Deref;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Longest wait for a window's thread: a host hangs that long where a driver doesn't end.
const PATIENCE: Duration = Duration::from_secs(2);

thread_local! {
    /// Dropped when the thread ends, with all else done.
    static ALIVE: Cell<Option<Sender<()>>> = const { Cell::new(None) };
}

/// A window and the end of its thread, dropped in this order.
pub struct OpenWindow {
    window: Window,
    _ended: Ended,
}

impl OpenWindow {
    pub(super) fn new(window: Window, ended: Ended) -> Self {
        Self { window, _ended: ended }
    }

    /// Opens it and waits until it is closed from within.
    ///
    /// # Errors
    /// Those of [`Window::run_until_closed`].
    pub(super) fn run_until_closed(self) -> Result<(), Error> {
        self.window.run_until_closed()
    }
}

impl Deref for OpenWindow {
    type Target = Window;

    fn deref(&self) -> &Window {
        &self.window
    }
}

/// Waits for a thread where it is dropped.
pub(super) struct Ended(Receiver<()>);

impl Drop for Ended {
    fn drop(&mut self) {
        // Nothing is ever sent: the sender's end is what comes.
        let _ = self.0.recv_timeout(PATIENCE);
    }
}

/// To be kept by the thread of a window, as [`keep`] does.
pub(super) struct Alive(Sender<()>);

/// The two ends: for the thread of a window and for who closes it.
pub(super) fn life() -> (Alive, Ended) {
    let (alive, ended) = channel();
    (Alive(alive), Ended(ended))
}

/// Keeps it to the end of this thread. Elsewhere than on Linux windows are the host's main thread's, which isn't to be waited for.
pub(super) fn keep(alive: Alive) {
    if cfg!(target_os = "linux") {
        ALIVE.set(Some(alive.0));
    }
}
