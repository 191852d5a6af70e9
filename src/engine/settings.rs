//! What a user sets while the loop runs.

pub use crate::codec::StereoMode;
use serde::{Deserialize, Serialize};

/// What is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Monitor {
    /// B: what the codec made of the input.
    #[default]
    Decoded,
    /// A: the input, delayed by the same latency.
    Dry,
    /// What the codec took away or added: dry less decoded, aligned to the sample.
    Difference,
    /// Dry on the left and decoded on the right, each as the sum of its channels: what is the same on both sides is
    /// heard in the middle, what the codec changed is not. With one channel there are no sides, and it is `Decoded`.
    Split,
}

/// Most gain of the difference, in dB.
pub const MAX_DIFFERENCE_GAIN_DB: f32 = 24.0;

/// Most whole hops that the safety setting adds to the latency.
pub const MAX_SAFETY_HOPS: u32 = 8;
/// Hops of safety a new loop starts with: one hop of time for the codec thread to be scheduled and to compute.
pub const DEFAULT_SAFETY_HOPS: u32 = 1;
