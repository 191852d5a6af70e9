//! One hop through the codec: encode, pack, unpack, decode.

use super::EngineError;
use super::report::{FrameReport, MAX_CHANNELS};
use super::wire::Wire;
use crate::codec::{Packet, Rate};
use crate::model::{DecoderStream, Encoded, EncoderStream, Model};
use std::sync::Arc;

/// Encoder and decoder of one stream with the packets between them.
pub struct Pipeline {
    encoder: EncoderStream,
    decoder: DecoderStream,
    encoded: Encoded,
    wire: Wire,
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
            wire: Wire::new(model.packet_format(), channels),
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
        let (codebooks, channels) = (self.wire.codebooks(), self.wire.packets().len());
        self.encoder.step_up_to(input, 1, |_, importance| rate.count(importance, codebooks), &mut self.encoded)?;
        self.wire.send(&self.encoded, |channel| (channel, None), channels, rate, false, report)?;
        self.decoder.step(self.wire.codes(), self.wire.counts(), 1, output)?;
        Ok(())
    }

    /// The packets of the last hop, one a channel.
    pub fn packets(&self) -> &[Packet] {
        self.wire.packets()
    }

    /// Starts the stream anew.
    ///
    /// # Errors
    /// [`EngineError::Model`] where the runtime fails.
    pub fn reset(&mut self) -> Result<(), EngineError> {
        self.encoder.reset()?;
        self.decoder.reset()?;
        self.wire.reset();
        Ok(())
    }
}
