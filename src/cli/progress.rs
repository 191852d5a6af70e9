//! Messages and progress on standard error. Progress is for people: where standard error isn't a terminal there is none.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The bar on screen, which messages must not tear.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// A line on standard error, for warnings and errors.
pub fn warn(text: &str) {
    say(&format!("vrvq: {text}"));
}

/// A line on standard error.
pub fn say(text: &str) {
    let write = || {
        let _ = writeln!(std::io::stderr(), "{text}");
    };
    match &*SHOWN.lock().unwrap_or_else(PoisonError::into_inner) {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Whether progress and summaries are wanted: on a terminal, unless the user wants quiet.
pub fn wanted(quiet: bool) -> bool {
    !quiet && std::io::stderr().is_terminal()
}

/// Progress through several pieces of work with a bar and the time that is left.
pub struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Progress through `total` units; `unit` names them in the plural where they say something to people.
    pub fn new(total: u64, quiet: bool) -> Self {
        let target = if wanted(quiet) { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {eta} left  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ "));
        if wanted(quiet) {
            bar.enable_steady_tick(Duration::from_millis(250));
            *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        }
        Self { bar }
    }

    /// So many units more are done.
    pub fn advance(&self, units: u64) {
        self.bar.inc(units);
    }

    /// What is being done.
    pub fn doing(&self, what: impl Into<std::borrow::Cow<'static, str>>) {
        self.bar.set_message(what);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
