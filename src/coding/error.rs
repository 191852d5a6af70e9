//! Why sound can't be coded.

use crate::container::{ContainerError, ModelId};
use crate::model::ModelError;
use thiserror::Error;

/// Why sound can't be encoded or decoded.
#[derive(Debug, Error)]
pub enum CodingError {
    /// The file can't be read or written.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// The model fails.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The file was made with another model.
    #[error("the file was made with the model {} (SHA-256 {}), not with {} (SHA-256 {})", wanted.name, wanted.hash_text(), got.name, got.hash_text())]
    OtherModel { wanted: Box<ModelId>, got: Box<ModelId> },
    /// The resampler refuses the rates or fails.
    #[error("resampling from {from} to {to}: {why}")]
    Resampler { from: u32, to: u32, why: String },
    /// Sound comes in channels of one length, as many as were announced.
    #[error("{0}")]
    Channels(String),
}
