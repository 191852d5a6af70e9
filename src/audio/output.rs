//! Where files go: a temporary name that becomes the final one, or standard output.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::{NamedTempFile, TempPath};

/// The name that stands for standard input or output.
pub const STDIO: &str = "-";

/// Temporary names in use.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes the files that aren't finished, for a program that ends on the spot.
pub fn discard_unfinished() {
    for path in unfinished().drain(..) {
        let _ = std::fs::remove_file(path);
    }
}

enum Sink {
    File { file: BufWriter<File>, temporary: TempPath, path: PathBuf },
    Growing { file: BufWriter<File>, path: PathBuf },
    Stdout(BufWriter<io::Stdout>),
}

/// A file on its way, or standard output.
///
/// Dropped before [`Self::finish`], the file is removed unless it is a recording; nothing stands under the final name then but what stood there
/// before.
pub struct Output(Sink);

impl Output {
    /// A file that will be `path`, or standard output where `path` is [`STDIO`].
    ///
    /// # Errors
    /// Where the folder isn't there or can't be written to.
    pub fn create(path: &Path) -> io::Result<Self> {
        if path.as_os_str() == STDIO {
            return Ok(Self(Sink::Stdout(BufWriter::with_capacity(1 << 16, io::stdout()))));
        }
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (file, temporary) = temporary(folder, path)?.into_parts();
        unfinished().push(temporary.to_path_buf());
        let file = BufWriter::with_capacity(1 << 16, file);
        Ok(Self(Sink::File { file, temporary, path: path.to_owned() }))
    }

    /// A new file that is `path` from the start and stays whatever happens: for recordings, of which half is worth keeping.
    ///
    /// # Errors
    /// Where there is such a file, the folder isn't there or can't be written to.
    pub fn create_new(path: &Path) -> io::Result<Self> {
        let file = BufWriter::with_capacity(1 << 16, File::create_new(path)?);
        Ok(Self(Sink::Growing { file, path: path.to_owned() }))
    }

    /// The name for messages.
    pub fn name(&self) -> String {
        match &self.0 {
            Sink::File { path, .. } | Sink::Growing { path, .. } => path.display().to_string(),
            Sink::Stdout(_) => "standard output".into(),
        }
    }

    /// Whether one can go back in it.
    pub fn seekable(&self) -> bool {
        !matches!(self.0, Sink::Stdout(_))
    }

    /// Gives the file its name, in place of what had it.
    ///
    /// # Errors
    /// Where the rest can't be written or the name can't be taken.
    pub fn finish(self) -> io::Result<()> {
        match self.0 {
            Sink::File { file, temporary, path } => {
                file.into_inner().map_err(io::IntoInnerError::into_error)?;
                let name = temporary.to_path_buf();
                let kept = temporary.persist(path).map_err(|e| e.error);
                unfinished().retain(|path| *path != name);
                kept
            }
            Sink::Growing { file, .. } => file.into_inner().map(drop).map_err(io::IntoInnerError::into_error),
            Sink::Stdout(mut out) => out.flush(),
        }
    }
}

/// A file beside `path` whose name says what it will be, and hides it.
fn temporary(folder: &Path, path: &Path) -> io::Result<NamedTempFile> {
    let prefix = format!(".{}.", path.file_name().unwrap_or_default().to_string_lossy());
    let mut builder = tempfile::Builder::new();
    builder.prefix(&prefix).suffix(".part");
    #[cfg(unix)]
    {
        // As any new file: what the user's mask leaves of it.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Sink::File { file, .. } | Sink::Growing { file, .. } => file.write(bytes),
            Sink::Stdout(out) => out.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Sink::File { file, .. } | Sink::Growing { file, .. } => file.flush(),
            Sink::Stdout(out) => out.flush(),
        }
    }
}

impl Seek for Output {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.0 {
            Sink::File { file, .. } | Sink::Growing { file, .. } => file.seek(to),
            Sink::Stdout(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}
