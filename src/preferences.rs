//! The user's preferences: one small file that app and plug-ins share.

use crate::editor::{Look, LookMemory};
use std::path::{Path, PathBuf};

/// The look of the view in a JSON file.
#[derive(Debug, Clone)]
pub struct Preferences {
    path: Option<PathBuf>,
}

impl Preferences {
    /// The user's file, in the folder where the system keeps settings.
    pub fn of_user() -> Self {
        let folders = directories::ProjectDirs::from("org", "VRVQ", "VRVQ live");
        Self { path: folders.map(|folders| folders.config_dir().join("view.json")) }
    }

    /// A file of its own.
    pub fn at(path: &Path) -> Self {
        Self { path: Some(path.to_owned()) }
    }
}

impl LookMemory for Preferences {
    fn recall(&self) -> Look {
        // Missing at first, and no reason to trouble the user where it is damaged: the next choice mends it.
        let json = self.path.as_ref().and_then(|path| std::fs::read(path).ok());
        json.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }

    fn keep(&mut self, look: Look) -> Result<(), String> {
        let Some(path) = &self.path else { return Err("this system names no folder for settings".into()) };
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(path.parent().unwrap_or(path))?;
            // Whole or not at all: another window may read it meanwhile.
            let unfinished = path.with_extension(format!("{}.new", std::process::id()));
            std::fs::write(&unfinished, serde_json::to_vec_pretty(&look)?)?;
            std::fs::rename(&unfinished, path)
        };
        write().map_err(|error| format!("The choice of colours can't be kept in {}: {error}", path.display()))
    }
}
