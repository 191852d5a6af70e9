//! How well a signal is coded: distortion against the original, alignment, and one encoding measured at many rates.

mod align;
mod analysis;
mod delay;
mod mel;
mod noise;
mod sdr;

pub use align::{align, lag};
pub use analysis::{Analysis, MeasureError, mono, read_mono};
pub use delay::delay_cost;
pub use mel::MelDistance;
pub use noise::noise_to_mask_db;
pub use sdr::si_sdr;
