//! Why the live loop can't run.

use crate::codec::PacketError;
use crate::model::ModelError;
use thiserror::Error;

/// Why a live loop can't start or go on.
#[derive(Debug, Error)]
pub enum EngineError {
    /// A sample rate, channel count or block size outside what the loop can do.
    #[error("{what} {value} is outside {range}")]
    Config { what: &'static str, value: String, range: &'static str },
    /// The resampler refuses the rates or fails.
    #[error("resampling: {0}")]
    Resampler(String),
    /// The model fails.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The loudness meter refuses the rate.
    #[error("metering loudness: {0}")]
    Loudness(#[from] ebur128::Error),
    /// A frame doesn't survive packing: the model gave a code that it doesn't have.
    #[error("packing a frame: {0}")]
    Packet(#[from] PacketError),
    /// The system gives no thread.
    #[error("the codec thread can't be started: {0}")]
    Thread(#[from] std::io::Error),
}

impl EngineError {
    /// As [`ModelError::is_of_gpu`].
    pub fn is_of_gpu(&self) -> bool {
        matches!(self, Self::Model(error) if error.is_of_gpu())
    }
}
