//! The user's preferences: small JSON files in the folder where the system keeps settings. App and plug-ins share the
//! one of the view's look; the app has another one.

use crate::editor::{Look, LookMemory};
use serde::{Serialize, de::DeserializeOwned};
use std::io;
use std::path::{Path, PathBuf};

/// One file of preferences.
#[derive(Debug, Clone)]
pub struct Preferences {
    path: Option<PathBuf>,
}

impl Preferences {
    /// The look of the view.
    pub fn of_user() -> Self {
        Self::named("view.json")
    }

    /// What the app keeps from run to run.
    pub fn of_app() -> Self {
        Self::named("app.json")
    }

    fn named(name: &str) -> Self {
        let folders = directories::ProjectDirs::from("org", "VRVQ", "VRVQ live");
        Self { path: folders.map(|folders| folders.config_dir().join(name)) }
    }

    /// A file of its own.
    pub fn at(path: &Path) -> Self {
        Self { path: Some(path.to_owned()) }
    }

    /// What is kept; as at first where nothing is or the file is damaged, which the next change mends.
    pub fn read<T: DeserializeOwned + Default>(&self) -> T {
        let json = self.path.as_ref().and_then(|path| std::fs::read(path).ok());
        json.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }

    /// Keeps `value`, as a whole or not at all: another window may read it meanwhile.
    ///
    /// # Errors
    /// A text that names the file and why it can't be written.
    pub fn write(&self, value: &impl Serialize) -> Result<(), String> {
        let Some(path) = &self.path else { return Err("this system names no folder for settings".into()) };
        let write = || -> io::Result<()> {
            std::fs::create_dir_all(path.parent().unwrap_or(path))?;
            let unfinished = path.with_extension(format!("{}.new", std::process::id()));
            std::fs::write(&unfinished, serde_json::to_vec_pretty(value)?)?;
            std::fs::rename(&unfinished, path)
        };
        write().map_err(|error| format!("{}: {error}", path.display()))
    }
}

impl LookMemory for Preferences {
    fn recall(&self) -> Look {
        self.read()
    }

    fn keep(&mut self, look: Look) -> Result<(), String> {
        self.write(&look).map_err(|error| format!("The choice of colours can't be kept: {error}"))
    }
}
