//! Pure arithmetic of the codec: importance to count, packets, bits and bitrate. No I/O, no threads.
//!
//! Terms and formulas are those of "Variable Bitrate Residual Vector Quantization for Audio Coding"
//! (Chae et al., ICASSP 2025): a *frame* is what one hop of audio becomes, its *count* is how many of
//! the residual codebooks it uses.

mod bitrate;
mod codes;
mod effort;
pub(crate) mod entropy;
mod loss;
mod packet;
mod rate;
mod search;
mod stereo;
mod target;
mod usage;

pub use bitrate::{BitrateMeter, kilobits_per_second};
pub use codes::Codes;
pub use effort::Effort;
pub use entropy::Tables;
pub use loss::{BURST_MAX, LOSS_MAX, Loss, LossProcess, SEED_MAX};
pub use packet::{Packet, PacketError, PacketFormat};
pub use rate::{LEVEL_MAX, LEVEL_MIN, Rate, RateControl, RateMode, clamp_level, count, level_for_count, parse_level};
pub use search::{CodeSearch, Codebooks, MAX_BEAM, SearchBuffers};
pub use stereo::{StereoMode, to_coded, to_left_right};
pub use target::{TARGET_MAX, TARGET_MIN, Target, TargetControl, WINDOW_MAX, WINDOW_MIN};
pub use usage::{Usage, entropy_bits};

/// Most codebooks any supported model has (DAC's 24 kHz model: 32).
pub const MAX_CODEBOOKS: usize = 32;
