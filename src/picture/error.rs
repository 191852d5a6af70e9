//! Why a picture can't be made.

use std::path::PathBuf;
use thiserror::Error;

/// Why a picture can't be made.
#[derive(Debug, Error)]
pub enum PictureError {
    /// There is nothing to draw.
    #[error("there is no frame to draw")]
    Empty,
    /// The bundled font can't be used.
    #[error("the bundled font can't be read")]
    Font,
    /// The file can't be drawn or written.
    #[error("the picture {} can't be written: {source}", path.display())]
    Write {
        /// Where it was to go.
        path: PathBuf,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
