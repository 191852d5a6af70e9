//! What a user sets while the loop runs.

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
}

/// Most gain of the difference, in dB.
pub const MAX_DIFFERENCE_GAIN_DB: f32 = 24.0;

/// How two channels are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum StereoMode {
    /// Left and right.
    #[default]
    LeftRight,
    /// Mid, (left + right) / 2, and side, (left - right) / 2.
    MidSide,
}

impl StereoMode {
    /// Names of the two coded channels.
    pub fn channel_names(self) -> [&'static str; 2] {
        match self {
            Self::LeftRight => ["Left", "Right"],
            Self::MidSide => ["Mid", "Side"],
        }
    }
}

/// Most whole hops that the safety setting adds to the latency.
pub const MAX_SAFETY_HOPS: u32 = 8;
/// Hops of safety a new loop starts with: one hop of time for the codec thread to be scheduled and to compute.
pub const DEFAULT_SAFETY_HOPS: u32 = 1;
