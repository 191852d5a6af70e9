//! The live loop: a codec thread beside a real-time audio thread.

mod report;
mod settings;
mod telemetry;

pub use report::{
    ChannelFrame, FrameReport, MAX_CHANNELS, ReportReceiver, ReportSender, SPECTRUM_BANDS, SPECTRUM_FLOOR_DB,
    SPECTRUM_HIGH_HZ, SPECTRUM_LOW_HZ, band_hz, report_ring,
};
pub use settings::{DEFAULT_SAFETY_HOPS, MAX_SAFETY_HOPS, Monitor};
pub use telemetry::{LoopState, Status, Telemetry};
