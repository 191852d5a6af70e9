//! One encoding, measured at many rates: importance and the codes for every count don't depend on the level, so they are
//! made once.

use crate::audio::{AudioReader, ReadError, ResampleError, resample};
use crate::codec::{Effort, Rate, kilobits_per_second};
use crate::model::{DecoderStream, Encoded, EncoderStream, Model, ModelError, Synthesis};
use std::path::Path;
use std::sync::Arc;

/// Hops of one step through the model.
const HOPS: usize = 64;

/// Why something can't be measured.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The file can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file can't be brought to the model's rate.
    #[error("{name}: {source}")]
    Resample { name: String, source: ResampleError },
    /// The model fails.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// The mean of a file's channels at `sample_rate` Hz, from `start` seconds on, at most `seconds` long.
///
/// # Errors
/// [`MeasureError`] where the file can't be read or is too short.
pub fn read_mono(path: &Path, sample_rate: u32, start: f64, seconds: f64) -> Result<Vec<f32>, MeasureError> {
    mono(AudioReader::open(path)?, sample_rate, start, seconds)
}

/// As [`read_mono`], of a file that is open.
///
/// # Errors
/// As [`read_mono`].
pub fn mono(mut reader: AudioReader, sample_rate: u32, start: f64, seconds: f64) -> Result<Vec<f32>, MeasureError> {
    let name = reader.name().to_owned();
    let rate = reader.sample_rate();
    let skip = (start * f64::from(rate)) as usize;
    let end = skip.saturating_add((seconds * f64::from(rate)).ceil() as usize);
    let (mut mono, mut position) = (Vec::new(), 0);
    while let Some(planes) = reader.read()? {
        let frames = planes[0].len();
        for frame in skip.saturating_sub(position).min(frames)..end.saturating_sub(position).min(frames) {
            mono.push(planes.iter().map(|plane| plane[frame]).sum::<f32>() / planes.len() as f32);
        }
        position += frames;
        if position >= end {
            break;
        }
    }
    if mono.is_empty() {
        return Err(ReadError::Empty { name }.into());
    }
    let resampled = resample(&[mono], rate, sample_rate).map_err(|source| MeasureError::Resample { name, source })?;
    Ok(resampled.into_iter().next().unwrap_or_default())
}

/// A signal of one channel with codes for every count and the importance of every frame.
pub struct Analysis {
    model: Arc<Model>,
    /// The signal at the model's rate.
    pub samples: Vec<f32>,
    /// Codes for every count and importance of each frame.
    pub encoded: Encoded,
    /// What decides between the codes that are kept for each count.
    effort: Effort,
}

impl Analysis {
    /// Encodes `samples`, which are at the model's rate. There are as many frames as it takes to decode all of them. Codes
    /// will be chosen with so much `effort`, as far as the model can.
    ///
    /// # Errors
    /// [`ModelError`] where the model can't run.
    pub fn new(model: &Arc<Model>, samples: Vec<f32>, effort: Effort) -> Result<Self, ModelError> {
        let card = model.card();
        let frames = (samples.len() + card.delay()).div_ceil(card.hop);
        let mut encoder = EncoderStream::new(model, 1)?;
        let effort = effort.within(model.most_candidates());
        encoder.keep_candidates(effort.candidates);
        let mut step = Encoded::default();
        let mut result = Self { model: model.clone(), samples, encoded: Encoded::default(), effort };
        let mut input = Vec::new();
        for first in (0..frames).step_by(HOPS) {
            let hops = HOPS.min(frames - first);
            let range = first * card.hop..(first + hops) * card.hop;
            let there = range.start.min(result.samples.len())..range.end.min(result.samples.len());
            input.clear();
            input.extend_from_slice(&result.samples[there]);
            input.resize(range.len(), 0.0);
            encoder.step(&input, hops, &mut step)?;
            result.encoded.codes.append(&step.codes);
            result.encoded.importance.extend_from_slice(&step.importance);
            result.encoded.spectrum.extend_from_slice(&step.spectrum);
        }
        Ok(result)
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.model.card().sample_rate)
    }

    /// Codebooks that each frame uses at `rate`.
    pub fn counts(&self, rate: Rate) -> Vec<u8> {
        let codebooks = self.model.card().codebooks;
        self.encoded.importance.iter().map(|&importance| rate.count(importance, codebooks) as u8).collect()
    }

    /// kb/s of the frames at `rate`, packed as they are without an entropy coder: the paper's cost, with the bits of
    /// the count where it varies.
    pub fn kilobits(&self, rate: Rate) -> f64 {
        let format = match rate {
            Rate::Level(_) => Ok(self.model.packet_format()),
            Rate::Codebooks(_) => {
                let count = rate.count(0.0, self.model.card().codebooks);
                self.model.packet_format().with_constant_count(count)
            }
        };
        let Ok(format) = format else { return 0.0 };
        let bits = self.counts(rate).iter().map(|&count| format.frame_bits(count.into()) as u64).sum();
        kilobits_per_second(bits, self.encoded.importance.len() as u64, self.model.card().frame_rate())
    }

    /// The codes that are used at `rate`: `[frames, codebooks]`, zeros behind those of a frame.
    ///
    /// # Errors
    /// [`ModelError`] where the model can't run.
    pub fn codes(&self, rate: Rate) -> Result<Vec<u16>, ModelError> {
        let counts = self.counts(rate);
        if self.effort.candidates == 1 {
            return Ok(self.encoded.codes.sent(&counts));
        }
        let mut synthesis = Synthesis::new(&self.model, 1, self.effort)?;
        let mut codes = Vec::with_capacity(counts.len() * self.model.card().codebooks);
        for (frame, count) in counts.into_iter().enumerate() {
            codes.extend_from_slice(synthesis.choose(&self.encoded, |_| frame, &[count])?);
        }
        Ok(codes)
    }

    /// The signal decoded from the codes that are used at `rate`, in line with [`Self::samples`] and as long.
    ///
    /// # Errors
    /// [`ModelError`] where the model can't run.
    pub fn decode(&self, rate: Rate) -> Result<Vec<f32>, ModelError> {
        let card = self.model.card();
        let counts = self.counts(rate);
        let mut decoder = DecoderStream::new(&self.model, 1)?;
        let codes = self.codes(rate)?;
        let mut decoded = vec![0.0; counts.len() * card.hop];
        for first in (0..counts.len()).step_by(HOPS) {
            let hops = HOPS.min(counts.len() - first);
            let codes = &codes[first * card.codebooks..(first + hops) * card.codebooks];
            let audio = &mut decoded[first * card.hop..(first + hops) * card.hop];
            decoder.step(codes, &counts[first..first + hops], hops, audio)?;
        }
        decoded.drain(..card.delay());
        decoded.truncate(self.samples.len());
        Ok(decoded)
    }
}
