//! The way from encoder to decoder: frames are packed, some packets may get lost, what arrives is unpacked. The decoder
//! sees nothing else, so what is heard, what is shown and what a file would hold are the same thing.
//!
//! A lost packet is concealed: the decoder gets the codes of the last one that arrived, and its output fades to silence
//! where more are missing, since a sound repeated for long is a buzz. The next packet that arrives fades in.

use super::EngineError;
use super::report::{ChannelFrame, FrameReport};
use crate::codec::{MAX_CODEBOOKS, Packet, PacketFormat, Rate};
use crate::model::Encoded;

/// Lost packets in a row after which nothing of the last one is heard: 70 ms.
const CONCEALED_FRAMES: u32 = 6;

/// The packets of one stream and what the decoder knows of them.
#[derive(Clone)]
pub(super) struct Wire {
    format: PacketFormat,
    packets: Vec<Packet>,
    /// As unpacked, `[channels, codebooks]`; where a packet was lost, still those of the last one.
    codes: Vec<u16>,
    counts: Vec<u8>,
    /// A packet has arrived since the start: before, there is nothing to repeat.
    arrived: bool,
    /// Packets lost in a row.
    missing: u32,
    /// Gain at the end of the last hop.
    gain: f32,
}

impl Wire {
    /// A wire for frames of `channels` channels in the model's `format`.
    pub fn new(format: PacketFormat, channels: usize) -> Self {
        Self {
            format,
            packets: vec![Packet::default(); channels],
            codes: vec![0; channels * format.codebooks()],
            counts: vec![1; channels],
            arrived: false,
            missing: 0,
            gain: 1.0,
        }
    }

    /// The stream starts anew.
    pub fn reset(&mut self) {
        self.codes.fill(0);
        self.counts.fill(1);
        (self.arrived, self.missing, self.gain) = (false, 0, 1.0);
    }

    /// Packs the next frame, of the first `coded` channels, at `rate`; `frame_of` a channel is the number in `encoded` of
    /// its frame, and its codes where they were chosen by their sound. What was packed and its bits are written to
    /// `report`. Where the packet is `lost` the decoder will see the last one again. Channels that aren't coded are silence.
    ///
    /// # Errors
    /// [`EngineError::Packet`] where the model gave a code outside its codebooks.
    pub fn send<'a>(
        &mut self,
        encoded: &'a Encoded,
        frame_of: impl Fn(usize) -> (usize, Option<&'a [u16]>),
        coded: usize,
        rate: Rate,
        lost: bool,
        report: &mut FrameReport,
    ) -> Result<(), EngineError> {
        let codebooks = self.format.codebooks();
        let format = match rate {
            Rate::Level(_) => self.format,
            Rate::Codebooks(_) => self.format.with_constant_count(rate.count(0.0, codebooks))?,
        };
        (report.channels, report.codebooks) = (coded as u8, codebooks as u8);
        (report.rate, report.lost) = (rate, lost);
        for channel in 0..self.packets.len() {
            let (frame, chosen) = frame_of(channel);
            let importance = encoded.importance[frame];
            let slots = channel * codebooks..(channel + 1) * codebooks;
            if channel >= coded {
                // The decoder's state of it stays that of silence.
                self.codes[slots.clone()].fill(0);
                self.codes[slots.start] = encoded.codes.of(frame, 1)[0];
                self.counts[channel] = 1;
                continue;
            }
            let packet = &mut self.packets[channel];
            let sent = chosen.unwrap_or_else(|| encoded.codes.of(frame, rate.count(importance, codebooks)));
            format.pack(sent, packet)?;
            let mut codes = [0; MAX_CODEBOOKS];
            let count = format.unpack(packet.bytes(), &mut codes)? as u8;
            report.frames[channel] = ChannelFrame { importance, count, bits: packet.bits() as u16, codes };
            if !lost {
                self.codes[slots].copy_from_slice(&codes[..codebooks]);
                self.counts[channel] = count;
            }
        }
        self.missing = match (lost, self.arrived) {
            (false, _) => 0,
            (true, true) => self.missing.saturating_add(1),
            (true, false) => CONCEALED_FRAMES,
        };
        if !self.arrived {
            // A stream starts as it is, or with silence.
            self.gain = if lost { 0.0 } else { 1.0 };
            self.arrived = !lost;
        }
        Ok(())
    }

    /// Codebooks of the model.
    pub fn codebooks(&self) -> usize {
        self.format.codebooks()
    }

    /// What the decoder gets: codes, `[channels, codebooks]`.
    pub fn codes(&self) -> &[u16] {
        &self.codes
    }

    /// And the count of each channel.
    pub fn counts(&self) -> &[u8] {
        &self.counts
    }

    /// The last packets, one a channel.
    pub fn packets(&self) -> &[Packet] {
        &self.packets
    }

    /// How what the decoder makes of the last frame is faded, as far as packets are missing. Once for each frame.
    pub fn concealment(&mut self) -> Concealment {
        let to = 1.0 - self.missing.min(CONCEALED_FRAMES) as f32 / CONCEALED_FRAMES as f32;
        Concealment { from: std::mem::replace(&mut self.gain, to), to }
    }
}

/// Gains at the start and the end of a hop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Concealment {
    from: f32,
    to: f32,
}

impl Default for Concealment {
    fn default() -> Self {
        Self { from: 1.0, to: 1.0 }
    }
}

impl Concealment {
    /// Fades the hop, `[channels, hop]`.
    pub fn apply(self, planar: &mut [f32], channels: usize) {
        let Self { from, to } = self;
        if from == 1.0 && to == 1.0 {
            return;
        }
        let hop = planar.len() / channels;
        for channel in planar.chunks_exact_mut(hop) {
            for (index, sample) in channel.iter_mut().enumerate() {
                let share = (index + 1) as f32 / hop as f32;
                *sample *= from + (to - from) * share;
            }
        }
    }
}
