//! Many files: which ones there are.

use super::failure::Failure;
use std::path::PathBuf;
use walkdir::{DirEntry, WalkDir};

/// Endings of the files that are taken from folders for encoding and measuring.
pub const AUDIO: &[&str] = &["wav", "wave", "flac", "mp3", "ogg", "oga", "opus"];

fn hidden(entry: &DirEntry) -> bool {
    entry.depth() > 0 && entry.file_name().to_string_lossy().starts_with('.')
}

fn find(inputs: &[PathBuf], endings: &[&str]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for input in inputs {
        if !input.is_dir() {
            found.push(input.clone());
            continue;
        }
        let before = found.len();
        let walk = WalkDir::new(input).follow_links(true).sort_by_file_name().into_iter();
        for entry in walk.filter_entry(|entry| !hidden(entry)) {
            let entry = entry.map_err(|error| Failure::about(input.display(), error))?;
            let ending = entry.path().extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
            if entry.file_type().is_file() && ending.is_some_and(|ending| endings.contains(&ending.as_str())) {
                found.push(entry.into_path());
            }
        }
        if found.len() == before {
            let text = format!("{}: the folder holds no .{} file", input.display(), endings.join(", ."));
            return Err(Failure::Failed(text));
        }
    }
    Ok(found)
}

/// Audio files among `inputs` and in the folders among them.
pub fn audio_files(inputs: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    find(inputs, AUDIO)
}
