//! The system's own dialog to choose a file: the plug-in's window can't be dropped on, and paths are no fun to type.
//!
//! On Linux it is the desktop portal's, or zenity's where there is none; what it needs is looked for when it is asked
//! for. The choice is waited for on a thread, so the window and the sound go on.

use egui::Context;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::time::{Duration, Instant};

/// Nobody closes a dialog so soon: there was none.
const AT_ONCE: Duration = Duration::from_millis(250);

/// What the files to choose from are called, and their extensions.
pub type Kind<'a> = (&'a str, &'a [&'a str]);

/// A dialog that may be open: what it will have chosen, and after what time.
#[derive(Default)]
pub struct FileDialog(Option<Receiver<(Option<PathBuf>, Duration)>>);

/// What became of a dialog.
#[derive(Debug, PartialEq, Eq)]
pub enum Chosen {
    File(PathBuf),
    /// Closed without a choice.
    Nothing,
    /// The system has no such dialog.
    NoDialog,
}

/// What is said where there is no dialog.
pub const NO_DIALOG: &str = "This system has no file dialog (xdg-desktop-portal or zenity): the path can be entered.";

impl FileDialog {
    pub fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Opens it, unless it is open.
    pub fn open(&mut self, ctx: &Context, title: &str, (kind, extensions): Kind<'_>) {
        if self.is_open() {
            return;
        }
        let (sender, receiver) = channel();
        self.0 = Some(receiver);
        if !stay_loaded() {
            // Without a sender there is no dialog.
            return;
        }
        // Made here, since macOS wants that on the thread of the window.
        let dialog = rfd::AsyncFileDialog::new().set_title(title).add_filter(kind, extensions);
        // There, extensions in capitals are other ones.
        let dialog = if cfg!(target_os = "linux") { dialog.add_filter("All files", &["*"]) } else { dialog };
        let choice = dialog.pick_file();
        let (ctx, since) = (ctx.clone(), Instant::now());
        let wait = move || {
            let chosen = pollster::block_on(choice).map(|file| file.path().to_owned());
            // A window that has closed meanwhile wants it no more.
            let _ = sender.send((chosen, since.elapsed()));
            ctx.request_repaint();
        };
        let _ = std::thread::Builder::new().name("vrvq dialog".into()).spawn(wait);
    }

    /// What was chosen, once.
    pub fn take(&mut self) -> Option<Chosen> {
        let chosen = match self.0.as_ref()?.try_recv() {
            Ok((Some(path), _)) => Chosen::File(path),
            Ok((None, time)) if cfg!(target_os = "linux") && time < AT_ONCE => Chosen::NoDialog,
            Ok((None, _)) => Chosen::Nothing,
            Err(TryRecvError::Disconnected) => Chosen::NoDialog,
            Err(TryRecvError::Empty) => return None,
        };
        self.0 = None;
        Some(chosen)
    }
}

/// A dialog can outlive the window, and its thread must not outlive the plug-in's code: from the first dialog on the host
/// can't unload it any more. `false` where that can't be had.
fn stay_loaded() -> bool {
    static HELD: OnceLock<bool> = OnceLock::new();
    *HELD.get_or_init(|| {
        // Either may be relative.
        let whole = |path: Option<PathBuf>| path.and_then(|path| path.canonicalize().ok());
        let program = whole(std::env::current_exe().ok());
        let own = whole(process_path::get_dylib_path()).filter(|own| program.as_ref() != Some(own));
        // A program stays.
        let Some(path) = own else { return true };
        // SAFETY: the library is loaded already, so nothing of it runs anew.
        unsafe { libloading::Library::new(path) }.map(std::mem::forget).is_ok()
    })
}
