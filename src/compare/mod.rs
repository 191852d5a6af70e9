//! Other codecs and other measures, as far as this machine has them: their own programs code the same signal at the
//! bitrate that ours had, and what comes back is measured alike.

mod codecs;
mod python;

pub use codecs::{CodecError, CodedSignal, ExternalCodec, find};
pub use python::{PythonScores, Scores, ScoringError};
