//! The user's presets: one JSON file each, so that they can be copied, sent and read.

use super::Preset;
use crate::engine::Setting;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What a file says that it is.
const KIND: &str = "VRVQ live preset";
/// The form of the files written here; older ones are read too.
const VERSION: u32 = 1;
/// Longest name, in characters.
const LONGEST_NAME: usize = 60;
/// Largest file read, in bytes.
const LARGEST_FILE: u64 = 1 << 16;

/// Why a preset can't be read or kept.
#[derive(Debug, Error)]
pub enum PresetError {
    /// A name of nothing but spaces.
    #[error("a preset needs a name")]
    Name,
    /// The folder or the file can't be read.
    #[error("{path} can't be read: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    /// The file is none of a preset.
    #[error("{path} isn't a preset: {reason}")]
    Content { path: PathBuf, reason: String },
    /// The folder or the file can't be written.
    #[error("the preset can't be written to {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
}

/// A file.
#[derive(Serialize, Deserialize)]
struct File {
    kind: String,
    version: u32,
    name: String,
    setting: Setting,
}

/// The folder of the user's presets.
pub fn user_folder() -> Folder {
    let dirs = directories::ProjectDirs::from("org", "VRVQ", "VRVQ live");
    Folder(dirs.map_or_else(std::env::temp_dir, |dirs| dirs.data_dir().to_owned()).join("presets"))
}

/// A folder of presets; it is made when the first one is saved.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The presets by name, and what is wrong with the files that are none: they are passed over, and stay.
    pub fn load(&self) -> (Vec<Preset>, Vec<PresetError>) {
        let (mut presets, mut errors) = (Vec::new(), Vec::new());
        for path in self.files().unwrap_or_else(|error| {
            errors.push(error);
            Vec::new()
        }) {
            match read(&path) {
                Ok(preset) => presets.push(preset),
                Err(error) => errors.push(error),
            }
        }
        presets.sort_by_key(|preset| preset.name.to_lowercase());
        (presets, errors)
    }

    /// Keeps `setting` under `name`, in place of a preset of the same name; returns the file.
    ///
    /// # Errors
    /// [`PresetError`] where the name is empty or the file can't be written. What was there stays then.
    pub fn save(&self, name: &str, setting: &Setting) -> Result<PathBuf, PresetError> {
        let name: String = name.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(LONGEST_NAME).collect();
        if name.is_empty() {
            return Err(PresetError::Name);
        }
        let path = self.place(&name);
        let failed = |source| PresetError::Write { path: path.clone(), source };
        std::fs::create_dir_all(&self.0).map_err(failed)?;
        let file = File { kind: KIND.into(), version: VERSION, name, setting: setting.clamped() };
        let text = serde_json::to_string_pretty(&file).map_err(|error| failed(error.into()))?;
        // Whole or not at all.
        let draft = path.with_extension("draft");
        std::fs::write(&draft, text + "\n").and_then(|()| std::fs::rename(&draft, &path)).map_err(failed)?;
        Ok(path)
    }

    /// Deletes the preset named `name`, where there is one.
    ///
    /// # Errors
    /// [`PresetError::Write`] where its file can't be deleted.
    pub fn remove(&self, name: &str) -> Result<(), PresetError> {
        match self.file_of(name) {
            Some(path) => std::fs::remove_file(&path).map_err(|source| PresetError::Write { path, source }),
            None => Ok(()),
        }
    }

    fn files(&self) -> Result<Vec<PathBuf>, PresetError> {
        let failed = |source| PresetError::Read { path: self.0.clone(), source };
        let entries = match std::fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
        let is_json = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
        let mut paths: Vec<PathBuf> = paths.map_err(failed)?.into_iter().filter(is_json).collect();
        paths.sort();
        Ok(paths)
    }

    fn file_of(&self, name: &str) -> Option<PathBuf> {
        self.files().ok()?.into_iter().find(|path| read(path).is_ok_and(|preset| preset.name == name))
    }

    /// The file of the preset `name`, or a free one that says what is in it.
    fn place(&self, name: &str) -> PathBuf {
        let letter = |c: char| if c.is_alphanumeric() { c } else { '-' };
        let plain: String = name.to_lowercase().chars().map(letter).collect();
        let words: Vec<&str> = plain.split('-').filter(|word| !word.is_empty()).collect();
        let stem = if words.is_empty() { "preset".to_owned() } else { words.join("-") };
        let free = |number: usize| {
            let suffix = if number > 1 { format!("-{number}") } else { String::new() };
            Some(self.0.join(format!("{stem}{suffix}.json"))).filter(|path| !path.exists())
        };
        self.file_of(name).or_else(|| (1..).find_map(free)).expect("there is always a free number")
    }
}

fn read(path: &Path) -> Result<Preset, PresetError> {
    let failed = |source| PresetError::Read { path: path.to_owned(), source };
    let wrong = |reason: String| PresetError::Content { path: path.to_owned(), reason };
    let size = std::fs::metadata(path).map_err(failed)?.len();
    if size > LARGEST_FILE {
        return Err(wrong(format!("it has {size} bytes")));
    }
    let bytes = std::fs::read(path).map_err(failed)?;
    // What it says of itself first: a later version may have anything else.
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?;
    if value["kind"] != KIND {
        return Err(wrong(format!("its kind is not \"{KIND}\"")));
    }
    if value["version"].as_u64().is_none_or(|version| version > u64::from(VERSION)) {
        return Err(wrong(format!("its version is {}, this program reads {VERSION}", value["version"])));
    }
    let file: File = serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
    Ok(Preset { name: file.name, setting: file.setting.clamped() })
}
