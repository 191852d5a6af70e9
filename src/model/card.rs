//! The card of a model: what a program needs to run it, and what a person wants to know about it.

use super::ModelError;
use crate::codec::{LEVEL_MAX, LEVEL_MIN, MAX_BEAM, PacketFormat};
use serde::Deserialize;

/// Delay that each direction adds beyond the hop it is fed with, in samples at the model's rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct LatencySamples {
    pub encoder: u32,
    pub decoder: u32,
}

/// Levels the model was trained for.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
pub struct LevelRange {
    pub min: f32,
    pub max: f32,
    pub default: f32,
}

/// How codes are searched outside the encoder's graph, which then gives latents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct SearchCard {
    /// Dimensions of a latent.
    pub dims: usize,
    /// Partial sums that the search carries along, 1 to [`MAX_BEAM`].
    pub beam: usize,
}

/// What `card.json` states; fields that only people read stay in the file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct ModelCard {
    /// Version of the file format, 1.
    pub format: u32,
    pub name: String,
    #[serde(default)]
    pub description: String,
    #[serde(default)]
    pub licence: String,
    /// In Hz.
    pub sample_rate: u32,
    /// Samples of one frame.
    pub hop: usize,
    /// Number of codebooks, Nq.
    pub codebooks: usize,
    /// Entries in each codebook.
    pub codebook_size: usize,
    pub latency_samples: LatencySamples,
    pub level: LevelRange,
    /// Absent where the graph gives codes itself.
    #[serde(default)]
    pub search: Option<SearchCard>,
    /// Floats of the encoder's state, for each channel.
    pub encoder_state: usize,
    /// Floats of the decoder's state, for each channel.
    pub decoder_state: usize,
    /// Number of weights.
    #[serde(default)]
    pub parameters: u64,
}

/// Longest hop accepted: a tenth of a second at 192 kHz.
const MAX_HOP: usize = 19_200;
/// Most dimensions of a latent accepted.
const MAX_DIMS: usize = 1 << 12;
/// Largest state accepted, in floats for each channel.
const MAX_STATE: usize = 1 << 24;

impl ModelCard {
    /// Reads and checks a card.
    ///
    /// # Errors
    /// [`ModelError::Card`] naming the field that makes no sense, [`ModelError::Format`] for impossible codebooks.
    pub fn parse(json: &[u8]) -> Result<Self, ModelError> {
        let card: Self = serde_json::from_slice(json).map_err(|e| ModelError::Card(e.to_string()))?;
        let wrong = |what: String| Err(ModelError::Card(what));
        if card.format != 1 {
            return wrong(format!("format {} is not known here; this program reads format 1", card.format));
        }
        if !(8_000..=192_000).contains(&card.sample_rate) {
            return wrong(format!("sample_rate {} is outside 8000..192000 Hz", card.sample_rate));
        }
        if card.hop == 0 || card.hop > MAX_HOP {
            return wrong(format!("hop {} is outside 1..{MAX_HOP} samples", card.hop));
        }
        if card.encoder_state > MAX_STATE || card.decoder_state > MAX_STATE {
            return wrong(format!("a state is larger than {MAX_STATE} values"));
        }
        if card.latency_samples.encoder.max(card.latency_samples.decoder) > 10 * card.sample_rate {
            return wrong("latency_samples is longer than ten seconds".into());
        }
        if let Some(SearchCard { dims, beam }) = card.search
            && !((1..=MAX_DIMS).contains(&dims) && (1..=MAX_BEAM).contains(&beam))
        {
            return wrong(format!(
                "search: dims {dims} and beam {beam} are not within 1..{MAX_DIMS} and 1..{MAX_BEAM}"
            ));
        }
        let LevelRange { min, max, default } = card.level;
        if !(min >= LEVEL_MIN && max <= LEVEL_MAX && min <= default && default <= max) {
            return wrong(format!("level {min}..{max} with default {default} is not within {LEVEL_MIN}..{LEVEL_MAX}"));
        }
        card.packet_format()?;
        Ok(card)
    }

    /// How frames of this model are packed.
    ///
    /// # Errors
    /// [`ModelError::Format`] for impossible codebooks.
    pub fn packet_format(&self) -> Result<PacketFormat, ModelError> {
        Ok(PacketFormat::new(self.codebooks, self.codebook_size)?)
    }

    /// Frames a second.
    pub fn frame_rate(&self) -> f64 {
        f64::from(self.sample_rate) / self.hop as f64
    }

    /// Samples by which the output of a step lags the input of the same step.
    pub fn delay(&self) -> usize {
        (self.latency_samples.encoder + self.latency_samples.decoder) as usize
    }
}
