//! What can be wrong with a checkpoint.

use crate::model::ModelError;
use std::path::PathBuf;
use thiserror::Error;

/// Why a checkpoint can't be imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The file can't be read.
    #[error("can't read {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    /// The model file can't be written.
    #[error("can't write {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
    /// The file is of no known kind, or of one that is known but not read.
    #[error("not a checkpoint that can be imported: {0}")]
    Kind(String),
    /// The archive around a PyTorch checkpoint is damaged.
    #[error("the checkpoint's archive, entry {entry}: {reason}")]
    Archive { entry: String, reason: String },
    /// The pickle inside a PyTorch checkpoint is damaged or holds what no checkpoint holds.
    #[error("the checkpoint's data.pkl, byte {at}: {reason}")]
    Pickle { at: usize, reason: String },
    /// The checkpoint has no such tensor.
    #[error("the checkpoint has no tensor {name}; is it a DAC or VRVQ model?")]
    Missing { name: String },
    /// A tensor is damaged, of another shape than the model needs, or not finite.
    #[error("the checkpoint's tensor {name}: {reason}")]
    Tensor { name: String, reason: String },
    /// The shapes make no model that can be run here.
    #[error("the checkpoint's model can't be run: {0}")]
    Architecture(String),
    /// The model that was made isn't one: a fault of the import.
    #[error(transparent)]
    Model(#[from] ModelError),
}
