//! Ctrl-C and the system's request to end, as a flag.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// Exit code of a program that was interrupted: 128 and the number of SIGINT.
pub const INTERRUPTED: i32 = 130;

static REQUESTED: AtomicBool = AtomicBool::new(false);
static HANDLER: OnceLock<bool> = OnceLock::new();

/// Turns Ctrl-C and SIGTERM into the flag. Asked for a second time, they end the program at once; with `patience`, so
/// does a program that hasn't ended by then, because it waits for a pipe. Unfinished files are removed in either case.
pub fn watch(patience: Option<Duration>) {
    HANDLER.get_or_init(|| {
        ctrlc::set_handler(move || {
            if REQUESTED.swap(true, Relaxed) {
                end();
            }
            if let Some(patience) = patience {
                std::thread::spawn(move || {
                    std::thread::sleep(patience);
                    end();
                });
            }
        })
        .is_ok()
    });
}

/// Whether the user asked for the end.
pub fn requested() -> bool {
    REQUESTED.load(Relaxed)
}

fn end() {
    crate::audio::discard_unfinished();
    std::process::exit(INTERRUPTED);
}
