//! One thing that is installed.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};

enum Source {
    /// A file, or a folder with all that is in it.
    File(PathBuf),
    Text(String),
}

/// What it is made from, and the place it goes to.
pub struct Piece {
    source: Source,
    place: PathBuf,
}

impl Piece {
    pub fn file(made: &Path, place: PathBuf) -> Self {
        Self { source: Source::File(made.to_owned()), place }
    }

    pub fn text(text: String, place: PathBuf) -> Self {
        Self { source: Source::Text(text), place }
    }

    pub fn place(&self) -> &Path {
        &self.place
    }

    /// Removes it from its place. Returns false where it wasn't there.
    ///
    /// # Errors
    /// Where it can't be removed.
    pub fn remove(&self) -> Result<bool> {
        let there = self.place.symlink_metadata().is_ok();
        remove(&self.place).with_context(|| format!("{} can't be removed", self.place.display()))?;
        Ok(there)
    }

    /// Writes it beside its place and then swaps them, so that a host never loads half of one. Gives the place.
    ///
    /// # Errors
    /// Where something can't be read or written; what was there before is there then.
    pub fn install(&self) -> Result<PathBuf> {
        let Self { source, place } = self;
        let (Some(folder), Some(name)) = (place.parent(), place.file_name()) else {
            bail!("{} is no place for a file", place.display());
        };
        // Names that no host takes for a plug-in.
        let beside = |what: &str| folder.join(format!(".{}.{what}", name.to_string_lossy()));
        let (new, old) = (beside("new"), beside("old"));
        let failed = || format!("{} can't be written", place.display());
        fs::create_dir_all(folder).with_context(failed)?;
        remove(&new).and_then(|()| remove(&old)).with_context(failed)?;
        match source {
            Source::File(made) => {
                copy(made, &new).with_context(|| format!("{} can't be copied to {}", made.display(), new.display()))?
            }
            Source::Text(text) => fs::write(&new, text).with_context(failed)?,
        }
        if place.symlink_metadata().is_ok() {
            fs::rename(place, &old).with_context(failed)?;
        }
        if let Err(error) = fs::rename(&new, place) {
            let _ = fs::rename(&old, place);
            return Err(error).with_context(failed);
        }
        // On Windows a host may hold the old one: it goes at the next time.
        let _ = remove(&old);
        Ok(place.clone())
    }
}

/// A file or a folder and all that is in it, with what may be executed.
///
/// # Errors
/// Where something can't be read or written.
pub fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Removes a file or a folder, if there is one.
fn remove(path: &Path) -> std::io::Result<()> {
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_takes_the_place_of_an_older_one() {
        let scratch = tempfile::tempdir().unwrap();
        let made = scratch.path().join("made/vrvq.vst3");
        let folder = scratch.path().join("plug-ins/VST3");
        let piece = Piece::file(&made, folder.join("vrvq.vst3"));
        fs::create_dir_all(made.join("Contents/x86_64-linux")).unwrap();
        fs::write(made.join("Contents/x86_64-linux/vrvq.so"), "first").unwrap();
        fs::write(made.join("Contents/old"), "").unwrap();
        assert_eq!(piece.install().unwrap(), folder.join("vrvq.vst3"));
        assert!(folder.join("vrvq.vst3/Contents/old").exists());

        fs::write(made.join("Contents/x86_64-linux/vrvq.so"), "second").unwrap();
        fs::remove_file(made.join("Contents/old")).unwrap();
        // What an attempt before has left.
        fs::write(folder.join(".vrvq.vst3.new"), "half").unwrap();
        piece.install().unwrap();
        let library = fs::read_to_string(folder.join("vrvq.vst3/Contents/x86_64-linux/vrvq.so")).unwrap();
        assert_eq!(library, "second");
        assert!(!folder.join("vrvq.vst3/Contents/old").exists(), "it is replaced, not merged");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");

        // A build that isn't there leaves what is installed.
        let missing = Piece::file(&scratch.path().join("made/nothing/vrvq.vst3"), folder.join("vrvq.vst3"));
        let error = format!("{:#}", missing.install().unwrap_err());
        assert!(error.contains("nothing"), "{error}");
        assert!(folder.join("vrvq.vst3/Contents/x86_64-linux/vrvq.so").exists());
    }
}
