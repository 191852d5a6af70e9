//! How a command ends that doesn't succeed.

use crate::audio::WriteError;
use crate::interrupt;
use std::io::{self, Write};
use std::path::Path;

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// Something failed: the text says what and why.
    Failed(String),
    /// Something failed and was reported on the way.
    Reported,
    /// The arguments make no sense together.
    Usage(String),
    /// The user asked for the end.
    Interrupted,
    /// Whoever read standard output is gone.
    BrokenPipe,
}

impl Failure {
    /// The exit code: 1 for what failed, 2 for arguments, and for the two signals what a shell makes of them.
    pub fn code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Reported => 1,
            Self::Usage(_) => 2,
            Self::Interrupted => interrupt::INTERRUPTED as u8,
            Self::BrokenPipe => 141,
        }
    }

    /// What to say; nothing where there is nothing to say.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Failed(text) | Self::Usage(text) => Some(text.clone()),
            Self::Interrupted => Some("interrupted".into()),
            Self::Reported | Self::BrokenPipe => None,
        }
    }

    /// An error about something that has a name, e.g. a file; names that the text holds already aren't repeated.
    pub fn about(name: impl std::fmt::Display, error: impl std::fmt::Display) -> Self {
        let (name, error) = (name.to_string(), error.to_string());
        Self::Failed(if error.contains(&name) { error } else { format!("{name}: {error}") })
    }

    /// An error of writing `path`.
    pub fn writing(path: &Path, error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::BrokenPipe;
        }
        Self::Failed(format!("can't write {}: {error}", path.display()))
    }
}

impl<E: std::error::Error> From<E> for Failure
where
    E: Named,
{
    fn from(error: E) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Errors whose text names the file or the thing they are about.
pub trait Named {}
impl Named for crate::audio::ReadError {}
impl Named for crate::model::ModelError {}
impl Named for crate::figure::FigureError {}
impl Named for crate::measure::MeasureError {}
impl Named for crate::coding::CodingError {}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        if error.is_broken_pipe() { Self::BrokenPipe } else { Self::Failed(error.to_string()) }
    }
}

/// Writes a text with a line end to standard output.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    written.map_err(|error| Failure::writing(Path::new("standard output"), error))
}

/// The end, where the user asked for it.
pub fn interruption() -> Result<(), Failure> {
    if interrupt::requested() { Err(Failure::Interrupted) } else { Ok(()) }
}
