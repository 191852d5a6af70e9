//! Sound to a file.

use super::{CodingError, FrameEncoder, model_id};
use crate::codec::{Effort, Rate, RateControl, StereoMode};
use crate::container::{DEFAULT_BLOCK_SECONDS, Header, Payload, Tags, Writer};
use crate::model::Model;
use std::io::Write;
use std::sync::Arc;

/// How sound is encoded.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodeSettings {
    /// What decides how many codebooks frames use; `None` is variable bitrate at the model's default
    /// level, or all codebooks of a model that has no importance map.
    pub rate: Option<RateControl>,
    /// What the codes of a frame are chosen by, as far as the model can ([`Model::most_candidates`], [`Model::can_refine`]).
    pub effort: Effort,
    /// How two channels are coded.
    pub stereo: StereoMode,
    /// How codes are written.
    pub payload: Payload,
    /// What people want to know about the sound.
    pub tags: Tags,
    /// Samples of each channel, where they are known before the end; the file states them at its end anyway.
    pub length: Option<u64>,
    /// Most seconds of a block: what a damaged byte costs, and how long a listener of the stream waits.
    pub block_seconds: f64,
}

impl Default for EncodeSettings {
    fn default() -> Self {
        Self {
            rate: None,
            effort: Effort::default(),
            stereo: StereoMode::default(),
            payload: Payload::default(),
            tags: Tags::default(),
            length: None,
            block_seconds: DEFAULT_BLOCK_SECONDS,
        }
    }
}

/// Encodes sound that comes in pieces into a `.vrvq` file. What it keeps doesn't grow with the sound, and nothing is
/// written twice, so the output can be a pipe.
pub struct Encoder<W: Write> {
    frames: FrameEncoder,
    writer: Writer<W>,
}

impl<W: Write> Encoder<W> {
    /// Writes the header. `channels` is 1 to 32, `sample_rate` 1 kHz to 1 MHz.
    ///
    /// # Errors
    /// [`CodingError::Container`] where the output takes no bytes or the tags are too long, and for a sample rate or
    /// a number of channels that a file can't hold; [`CodingError::Model`] for variable bitrate of a model without an
    /// importance map; otherwise those of [`FrameEncoder::new`].
    pub fn new(
        output: W,
        model: &Arc<Model>,
        sample_rate: u32,
        channels: usize,
        settings: EncodeSettings,
    ) -> Result<Self, CodingError> {
        let EncodeSettings { rate, effort, stereo, payload, tags, length, block_seconds } = settings;
        let card = model.card();
        let rate = rate.unwrap_or(card.default_rate()).clamped();
        card.check_rate(rate)?;
        let header = Header {
            model: model_id(model),
            model_rate: card.sample_rate,
            hop: card.hop as u32,
            format: model.packet_format(),
            sample_rate,
            channels: u8::try_from(channels).unwrap_or(u8::MAX),
            stereo: if channels == 2 { stereo } else { StereoMode::LeftRight },
            delay: card.delay() as u32,
            length,
            rate: Some(rate),
            payload,
            tables: None,
        };
        let block_frames = (block_seconds * card.frame_rate()).round() as usize;
        let writer = Writer::new(output, header, &tags, model.tables())?.with_block_frames(block_frames);
        let frames = FrameEncoder::new(model, sample_rate, channels, rate, stereo)?.with_effort(effort)?;
        Ok(Self { frames, writer })
    }

    /// Takes the next samples: planar, `channels` slices of one length, any length.
    ///
    /// # Errors
    /// Those of [`FrameEncoder::push`], and [`CodingError::Container`] where the output takes no bytes.
    pub fn push<S: AsRef<[f32]>>(&mut self, sound: &[S]) -> Result<(), CodingError> {
        self.frames.push(sound)?;
        self.write()
    }

    fn write(&mut self) -> Result<(), CodingError> {
        while let Some(frame) = self.frames.next() {
            let constant = matches!(frame.rate, Rate::Codebooks(_));
            self.writer.push(frame.stereo, constant, frame.codes.iter().map(Vec::as_slice))?;
        }
        Ok(())
    }

    /// What the file states about itself.
    pub fn header(&self) -> &Header {
        self.writer.header()
    }

    /// Samples of each channel that came in.
    pub fn length(&self) -> u64 {
        self.frames.length()
    }

    /// Frames so far.
    pub fn frames(&self) -> u64 {
        self.writer.frames()
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.writer.bytes()
    }

    /// Bits of the blocks written so far, and what the same frames cost as plain packets.
    pub fn bits(&self) -> (u64, u64) {
        self.writer.bits()
    }

    /// Writes the block that is being filled, so that a listener waits no longer.
    ///
    /// # Errors
    /// [`CodingError::Container`] where the output takes no bytes.
    pub fn flush(&mut self) -> Result<(), CodingError> {
        Ok(self.writer.flush()?)
    }

    /// The output, for what is written in memory: what was written can be taken from it.
    pub fn output(&mut self) -> &mut W {
        self.writer.output()
    }

    /// The sound has ended: encodes what is left, writes what is known at the end and gives the output back.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn finish(mut self) -> Result<W, CodingError> {
        self.frames.finish()?;
        self.write()?;
        let length = self.frames.length();
        Ok(self.writer.finish(length)?)
    }
}
