//! Ctrl-C and the system's request to end, as a flag.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

static REQUESTED: AtomicBool = AtomicBool::new(false);
static HANDLER: OnceLock<bool> = OnceLock::new();

/// Turns Ctrl-C and SIGTERM into the flag. Asked for a second time, they end the program at once.
pub fn watch() {
    HANDLER.get_or_init(|| {
        ctrlc::set_handler(|| {
            if REQUESTED.swap(true, Relaxed) {
                std::process::exit(130);
            }
        })
        .is_ok()
    });
}

/// Whether the user asked for the end.
pub fn requested() -> bool {
    REQUESTED.load(Relaxed)
}
