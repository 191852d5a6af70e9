//! What the host's calls and the window tell each other; they may come from different threads.

use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Shared by the windows of one instance and the host's handle of them.
pub struct Link {
    /// A parameter was changed from outside: what is on screen may be out of date.
    stale: AtomicBool,
    /// A field of text has the keyboard.
    typing: AtomicBool,
    /// Keys that the host has handed over, for the next frame.
    typed: Mutex<Vec<egui::Event>>,
    /// Pixels for each point, as the bits of an `f64`.
    scale: AtomicU64,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            stale: AtomicBool::new(false),
            typing: AtomicBool::new(false),
            typed: Mutex::default(),
            scale: AtomicU64::new(1.0f64.to_bits()),
        }
    }
}

impl Link {
    /// Asks for a new frame. Only sets a flag, since hosts may say so on the audio thread.
    pub fn mark_stale(&self) {
        self.stale.store(true, Ordering::Relaxed);
    }

    /// Whether a new frame was asked for since the last call.
    pub fn take_stale(&self) -> bool {
        self.stale.swap(false, Ordering::Relaxed)
    }

    pub fn set_typing(&self, typing: bool) {
        self.typing.store(typing, Ordering::Relaxed);
    }

    /// Hands events over to a field of text. Returns false where none has the keyboard.
    pub fn hand_over(&self, mut events: Vec<egui::Event>) -> bool {
        let typing = self.typing.load(Ordering::Relaxed);
        if typing {
            self.typed.lock().append(&mut events);
            self.mark_stale();
        }
        typing
    }

    /// Moves what was handed over to `events`.
    pub fn take_typed(&self, events: &mut Vec<egui::Event>) {
        events.append(&mut self.typed.lock());
    }

    pub fn set_scale(&self, scale: f64) {
        self.scale.store(scale.to_bits(), Ordering::Relaxed);
    }

    pub fn scale(&self) -> f64 {
        f64::from_bits(self.scale.load(Ordering::Relaxed))
    }
}
