//! Why a figure can't be made.

use std::path::PathBuf;

/// Why a figure can't be made.
#[derive(Debug, thiserror::Error)]
pub enum FigureError {
    /// There is nothing to draw.
    #[error("there is nothing to draw")]
    Empty,
    /// The name says neither PNG nor SVG.
    #[error("{}: a figure is a .png or an .svg", path.display())]
    Format { path: PathBuf },
    /// The bundled font can't be used.
    #[error("the bundled font can't be read")]
    Font,
    /// The file can't be drawn or written.
    #[error("the figure {} can't be written: {source}", path.display())]
    Write { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
}
