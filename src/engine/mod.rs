//! The live loop: a codec thread beside a real-time audio thread.
//!
//! ```text
//! host block ─▶ dry delay ─────────────────────────────────────────────────┐
//!      └▶ input ring ─▶ [codec thread] resample ─▶ encode ─▶ packets        ▼
//!                       ─▶ decode ─▶ resample ─▶ output ring ─▶ wet ─▶ mix ─▶ host block
//!                              ├▶ frame report ─▶ report ring ─▶ view
//!                              └▶ frame and its sound ─▶ tap ─▶ recording
//! ```
//!
//! Decisions:
//! - *Positions, not queues.* Every input sample has a position and every output sample an index that lags it by the
//!   chain's delay. What is heard at a position is one index, always the same: late output is discarded, missing
//!   output replaced, and alignment can't drift. A reset or lost input is an event at a position too.
//! - *Both settings run*, where they differ and the machine can, and their outputs come through one ring: switching is
//!   a cross-fade on the audio thread, at once. Where it can't, one runs, and a switch is heard a latency later.
//! - *Another model is another chain* of rings, codec thread and dry delay. It warms up on the same input beside the one
//!   that is heard; then their outputs, each aligned to its own latency, are cross-faded. The audio thread takes the new
//!   chain out of a ring and puts the old one into another, so it neither makes nor drops anything.
//! - *Hops that wait go through the codec in one call*, as far as the first still comes in time: it takes less than one after
//!   the other.
//! - *Levels travel with the samples*, as events at positions, so that automation is exact to the frame and a bounce
//!   repeats to the bit.
//! - *Latency* = delay of resamplers and codec + one hop to fill + one block for the codec thread to compute in +
//!   the safety hops. All are known before the first block.

mod analysis;
mod backlog;
mod blend;
mod budget;
mod by_sound;
mod chain;
mod choice;
mod distortion;
mod dry;
mod error;
mod lanes;
mod lead;
mod link;
mod live;
mod matching;
mod mix;
mod pipeline;
mod ramp;
mod report;
mod resample;
mod settings;
mod spectrum;
mod stereo;
mod switch;
mod tap;
mod telemetry;
mod wet;
mod wire;
mod worker;

pub use choice::ModelChoice;
pub use distortion::{DISTORTION_SECONDS, Distortion, DistortionSum, LOG_SPECTRAL_FLOOR_DB};
pub use error::EngineError;
pub use live::{LiveLoop, LoopConfig};
pub use pipeline::Pipeline;
pub use report::{
    ChannelFrame, FrameReport, MAX_CHANNELS, NOISE_FLOOR_DB, ReportReceiver, ReportSender, SPECTRUM_BANDS,
    SPECTRUM_FLOOR_DB, SPECTRUM_HIGH_HZ, SPECTRUM_LOW_HZ, band_hz, report_ring,
};
pub use settings::{
    DEFAULT_CODEBOOKS, DEFAULT_LEVEL, DEFAULT_SAFETY_HOPS, MAX_DIFFERENCE_GAIN_DB, MAX_SAFETY_HOPS, Monitor, Setting,
    Slot, Source, StereoMode,
};
pub use switch::ModelSwitch;
pub use tap::{StreamFormat, TapFrame, TapReceiver};
pub use telemetry::{LoopState, Status, Telemetry};
