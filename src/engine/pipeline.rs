//! One hop through the codec: encode, pack, unpack, decode. The decoder sees nothing but the packets, so what is
//! heard, what is shown and what a file would hold are the same thing.

use super::EngineError;
use super::report::{ChannelFrame, FrameReport, MAX_CHANNELS};
use crate::codec::{MAX_CODEBOOKS, Packet, Rate};
use crate::model::{DecoderStream, Encoded, EncoderStream, Model};
use std::sync::Arc;

/// Encoder and decoder of one stream with the packets between them.
pub struct Pipeline {
    model: Arc<Model>,
    encoder: EncoderStream,
    decoder: DecoderStream,
    encoded: Encoded,
    packets: Vec<Packet>,
    /// `[channels, codebooks]`, as unpacked.
    codes: Vec<u16>,
    counts: Vec<u8>,
}

impl Pipeline {
    /// A pipeline of 1 or 2 channels. Loads the model's graphs unless an earlier one left them.
    ///
    /// # Errors
    /// [`EngineError::Model`] where the graphs can't be loaded.
    pub fn new(model: &Arc<Model>, channels: usize) -> Result<Self, EngineError> {
        let channels = channels.clamp(1, MAX_CHANNELS);
        Ok(Self {
            encoder: EncoderStream::new(model, channels)?,
            decoder: DecoderStream::new(model, channels)?,
            encoded: Encoded::default(),
            packets: vec![Packet::default(); channels],
            codes: vec![0; channels * model.card().codebooks],
            counts: vec![1; channels],
            model: model.clone(),
        })
    }

    /// Sends one hop, `[channels, hop]`, through the codec at `rate` and writes what comes out, `[channels, hop]`,
    /// to `output`. The frames, as unpacked, and their bits are written to `report`.
    ///
    /// # Errors
    /// [`EngineError::Model`] where the runtime fails, [`EngineError::Packet`] where the model gave a code outside
    /// its codebooks.
    pub fn step(
        &mut self,
        input: &[f32],
        rate: Rate,
        output: &mut [f32],
        report: &mut FrameReport,
    ) -> Result<(), EngineError> {
        self.step_coded(input, self.packets.len(), rate, output, report)
    }

    /// As [`Self::step`], of the first `coded` channels only; the others are silence, in and out, which is not sent.
    pub(super) fn step_coded(
        &mut self,
        input: &[f32],
        coded: usize,
        rate: Rate,
        output: &mut [f32],
        report: &mut FrameReport,
    ) -> Result<(), EngineError> {
        let codebooks = self.model.card().codebooks;
        let format = match rate {
            Rate::Level(_) => self.model.packet_format(),
            Rate::Codebooks(_) => self.model.packet_format().with_constant_count(rate.count(0.0, codebooks))?,
        };
        self.encoder.step(input, 1, &mut self.encoded)?;
        for (channel, packet) in self.packets.iter_mut().take(coded).enumerate() {
            let used = rate.count(self.encoded.importance[channel], codebooks);
            format.pack(&self.encoded.codes[channel * codebooks..][..used], packet)?;
        }
        report.channels = coded as u8;
        report.codebooks = codebooks as u8;
        report.rate = rate;
        // The decoder's state of a channel that isn't coded stays that of silence.
        self.codes[coded * codebooks..].copy_from_slice(&self.encoded.codes[coded * codebooks..]);
        self.counts[coded..].fill(1);
        for (channel, packet) in self.packets.iter().take(coded).enumerate() {
            let mut codes = [0; MAX_CODEBOOKS];
            let used = format.unpack(packet.bytes(), &mut codes)?;
            self.codes[channel * codebooks..][..codebooks].copy_from_slice(&codes[..codebooks]);
            self.counts[channel] = used as u8;
            report.frames[channel] = ChannelFrame {
                importance: self.encoded.importance[channel],
                count: used as u8,
                bits: packet.bits() as u16,
                codes,
            };
        }
        self.decoder.step(&self.codes, &self.counts, 1, output)?;
        Ok(())
    }

    /// The packets of the last hop, one a channel.
    pub fn packets(&self) -> &[Packet] {
        &self.packets
    }

    /// Starts the stream anew.
    ///
    /// # Errors
    /// [`EngineError::Model`] where the runtime fails.
    pub fn reset(&mut self) -> Result<(), EngineError> {
        self.encoder.reset()?;
        self.decoder.reset()?;
        Ok(())
    }
}
