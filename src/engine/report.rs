//! What the codec thread tells the view about each frame, and the ring it travels in.

use super::distortion::Distortion;
use super::settings::{Slot, StereoMode};
use crate::codec::{CodeSearch, LEVEL_MIN, MAX_CODEBOOKS, Rate};
use rtrb::{Consumer, Producer, RingBuffer};

/// Most channels a live loop carries.
pub const MAX_CHANNELS: usize = 2;
/// Bands of a spectrum in a report.
pub const SPECTRUM_BANDS: usize = 96;
/// Centre of the lowest band in Hz.
pub const SPECTRUM_LOW_HZ: f32 = 50.0;
/// Centre of the highest band in Hz; the bands between are spaced evenly in log frequency.
pub const SPECTRUM_HIGH_HZ: f32 = 18_000.0;
/// Level in dB of a band that holds nothing.
pub const SPECTRUM_FLOOR_DB: f32 = -120.0;

/// Lowest noise-to-mask ratio in dB that is told.
pub const NOISE_FLOOR_DB: f32 = -60.0;

/// Centre frequency in Hz of a band of [`FrameReport::spectrum`].
pub fn band_hz(band: usize) -> f32 {
    let position = band as f32 / (SPECTRUM_BANDS - 1) as f32;
    SPECTRUM_LOW_HZ * (SPECTRUM_HIGH_HZ / SPECTRUM_LOW_HZ).powf(position)
}

/// Edges in Hz of a band of [`FrameReport::spectrum`]: half-way, in log frequency, to the centres beside it.
pub fn band_edges_hz(band: usize) -> (f32, f32) {
    let edge = |band: usize| (band_hz(band) * band_hz(band + 1)).sqrt();
    (if band == 0 { band_hz(0) } else { edge(band - 1) }, edge(band))
}

/// One frame of one channel, as it was unpacked from its packet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChannelFrame {
    /// Importance p in [0, 1].
    pub importance: f32,
    /// Codebooks used, n in 1..=Nq.
    pub count: u8,
    /// Bits of the packet.
    pub bits: u16,
    /// Codes of the used codebooks; those from `count` on are 0.
    pub codes: [u16; MAX_CODEBOOKS],
}

impl Default for ChannelFrame {
    fn default() -> Self {
        Self { importance: 0.0, count: 0, bits: 0, codes: [0; MAX_CODEBOOKS] }
    }
}

/// One frame of all channels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameReport {
    /// Number of the frame since the stream started.
    pub index: u64,
    /// Channels that carry a frame.
    pub channels: u8,
    /// Codebooks of the model, Nq.
    pub codebooks: u8,
    /// What the frame was packed at.
    pub rate: Rate,
    /// The setting that it was packed by.
    pub setting: Slot,
    /// How two channels were coded.
    pub stereo: StereoMode,
    /// What its codes were chosen by.
    pub search: CodeSearch,
    /// The frame came too late and was skipped: it has no codes and no bits.
    pub late: bool,
    /// The packet was lost on the simulated line: its bits were spent, but the decoder repeated an earlier one.
    pub lost: bool,
    /// The frames, `channels` of them.
    pub frames: [ChannelFrame; MAX_CHANNELS],
    /// Input spectrum of the hop in dB re full scale, all channels together, by band ([`band_hz`]).
    pub spectrum: [f32; SPECTRUM_BANDS],
    /// The same of the decoded sound of this very hop.
    pub decoded_spectrum: [f32; SPECTRUM_BANDS],
    /// Noise-to-mask ratio in dB of this hop, by band: above 0 the ear hears what the codec got wrong
    /// ([`crate::masking`]); [`NOISE_FLOOR_DB`] where it is far from it.
    pub noise_to_mask: [f32; SPECTRUM_BANDS],
    /// How far the decoded hop is from the dry one.
    pub distortion: Distortion,
}

impl Default for FrameReport {
    fn default() -> Self {
        Self {
            index: 0,
            channels: 1,
            codebooks: 8,
            rate: Rate::Level(LEVEL_MIN),
            setting: Slot::default(),
            stereo: StereoMode::default(),
            search: CodeSearch::Latent,
            late: false,
            lost: false,
            frames: [ChannelFrame::default(); MAX_CHANNELS],
            spectrum: [SPECTRUM_FLOOR_DB; SPECTRUM_BANDS],
            decoded_spectrum: [SPECTRUM_FLOOR_DB; SPECTRUM_BANDS],
            noise_to_mask: [NOISE_FLOOR_DB; SPECTRUM_BANDS],
            distortion: Distortion::default(),
        }
    }
}

impl FrameReport {
    /// The frames of the channels in use.
    pub fn channel_frames(&self) -> &[ChannelFrame] {
        &self.frames[..usize::from(self.channels).min(MAX_CHANNELS)]
    }

    /// Bits of all channels.
    pub fn bits(&self) -> u32 {
        self.channel_frames().iter().map(|f| u32::from(f.bits)).sum()
    }
}

/// The codec thread's end of the report ring.
pub struct ReportSender(Producer<FrameReport>);

/// The view's end of the report ring.
pub struct ReportReceiver(Consumer<FrameReport>);

/// A ring for `capacity` reports.
pub fn report_ring(capacity: usize) -> (ReportSender, ReportReceiver) {
    let (producer, consumer) = RingBuffer::new(capacity);
    (ReportSender(producer), ReportReceiver(consumer))
}

impl ReportSender {
    /// Sends a report, or drops it where the ring is full: the view then lacks a frame, the sound nothing.
    pub fn send(&mut self, report: FrameReport) {
        let _ = self.0.push(report);
    }
}

impl ReportReceiver {
    /// The next report, oldest first.
    pub fn receive(&mut self) -> Option<FrameReport> {
        self.0.pop().ok()
    }
}
