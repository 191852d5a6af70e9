//! Opus packets, as the Ogg reader gives them.

use ropus::{Channels, DecodeMode, Decoder};
use symphonia::core::packet::Packet;

/// Rate that Opus is decoded at, whatever it was encoded from.
pub const OPUS_RATE: u32 = 48_000;
/// Longest packet: 120 ms.
const MAX_FRAMES: usize = 5760;

/// A decoder of one stream with the gain and the start of its header (RFC 7845, section 5.1).
pub struct OpusPackets {
    decoder: Decoder,
    channels: usize,
    /// Samples of the encoder's delay that are still to be left out.
    skip: usize,
    gain: f32,
    interleaved: Vec<f32>,
}

impl OpusPackets {
    /// A decoder for the identification header `head`; says why where there is none.
    pub fn new(head: &[u8]) -> Result<Self, String> {
        if head.len() < 19 || !head.starts_with(b"OpusHead") {
            return Err("its Opus header is damaged".into());
        }
        let channels = match head[9] {
            1 => Channels::Mono,
            2 => Channels::Stereo,
            more => return Err(format!("it is Opus with {more} channels; one or two can be read here")),
        };
        let decoder = Decoder::new(OPUS_RATE, channels).map_err(|e| format!("Opus: {e}"))?;
        let gain = f32::from(i16::from_le_bytes([head[16], head[17]])) / 256.0;
        Ok(Self {
            decoder,
            channels: usize::from(head[9]),
            skip: u16::from_le_bytes([head[10], head[11]]).into(),
            gain: 10f32.powf(gain / 20.0),
            interleaved: vec![0.0; MAX_FRAMES * usize::from(head[9])],
        })
    }

    /// Decodes a packet into `planes`, one for each channel; false where it is damaged.
    pub fn decode(&mut self, packet: &Packet, planes: &mut Vec<Vec<f32>>) -> bool {
        planes.resize_with(self.channels, Vec::new);
        planes.iter_mut().for_each(Vec::clear);
        let Ok(frames) = self.decoder.decode_float(&packet.data, &mut self.interleaved, DecodeMode::Normal) else {
            return false;
        };
        let start = self.skip.min(frames);
        self.skip -= start;
        let end = frames.saturating_sub(packet.trim_end.get() as usize).max(start);
        for frame in self.interleaved[start * self.channels..end * self.channels].chunks_exact(self.channels) {
            planes.iter_mut().zip(frame).for_each(|(plane, &sample)| plane.push(sample * self.gain));
        }
        true
    }
}
