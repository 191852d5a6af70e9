//! Why the stream can't be recorded.

use crate::audio::WriteError;
use crate::coding::CodingError;
use crate::container::ContainerError;
use std::io;
use std::path::PathBuf;

/// Why the stream can't be recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// No loop runs.
    #[error("there is nothing to record yet: no sound goes through the codec")]
    NoStream,
    /// The name is taken by the WAV beside it.
    #[error("{0} can't be recorded to: the name must end otherwise than in .wav, which is the decoded sound's")]
    Name(PathBuf),
    /// A file or its folder can't be made.
    #[error("{path} can't be made: {source}")]
    Create { path: PathBuf, source: io::Error },
    /// No thread.
    #[error("the recording can't start: {0}")]
    Thread(io::Error),
    /// The `.vrvq` can't be written any more.
    #[error("the recording ended: {name} can't be written: {source}; what it holds is kept")]
    Vrvq { name: String, source: ContainerError },
    /// The WAV can't be written any more.
    #[error("the recording ended: {0}; what was written is kept")]
    Wav(#[from] WriteError),
    /// The sound can't be brought to the WAV's rate.
    #[error("the recording ended: {0}")]
    Resampler(#[from] CodingError),
    /// A bug.
    #[error("the recording broke off; this is a bug, please report it")]
    Broken,
}
