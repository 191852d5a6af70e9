//! The card of a model: what a program needs to run it, and what a person wants to know about it.

use super::ModelError;
use super::file::{MAX_CARD, read_entry};
use crate::codec::{LEVEL_MAX, LEVEL_MIN, MAX_BEAM, PacketFormat, RateControl};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

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

/// How a stream of a model whose layers pad with zeros is told where its signal begins and ends: its graphs have
/// inputs `begin` and `end`, in hops from those of the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct SpanCard {
    /// Samples before the first one of a stream at which its first hop begins, 0 to hop - 1: chosen so that the end of
    /// a hop completes a frame.
    pub advance: usize,
    /// Hops from a frame's first sample to the step of the encoder that gives its codes.
    pub encoder_hops: usize,
    /// Whether the graphs are told for each hop, not only for a step's first one as those of earlier imports are.
    #[serde(default)]
    pub each_hop: bool,
}

impl SpanCard {
    /// The hop of the encoder's stream that the first whole frame of a signal begins with: what comes before is zero.
    pub fn encoder_begin(&self) -> i64 {
        i64::from(self.advance > 0)
    }

    /// The hop of the decoder's stream that this frame is.
    pub fn decoder_begin(&self) -> i64 {
        self.encoder_hops as i64 + self.encoder_begin()
    }
}

/// What it costs that a stream was given less right context, for less delay, than its model was trained with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ReducedCard {
    /// Share of the codes that differ from those of the exact stream.
    pub codes_differing: f64,
    /// SI-SDR of the output against that of the exact stream, in dB.
    pub si_sdr_db: f64,
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
    /// Absent where streams need no telling where their signal begins.
    #[serde(default)]
    pub span: Option<SpanCard>,
    /// Whether there is an importance map; a model without is for constant bitrate only.
    #[serde(default = "has_importance")]
    pub importance: bool,
    /// Absent where the stream is exact.
    #[serde(default)]
    pub reduced: Option<ReducedCard>,
    /// Floats of the encoder's state, for each channel.
    pub encoder_state: usize,
    /// Floats of the decoder's state, for each channel.
    pub decoder_state: usize,
    /// Number of weights.
    #[serde(default)]
    pub parameters: u64,
}

fn has_importance() -> bool {
    true
}

/// Longest hop accepted: a tenth of a second at 192 kHz.
const MAX_HOP: usize = 19_200;
/// Most dimensions of a latent accepted.
const MAX_DIMS: usize = 1 << 12;
/// Longest look ahead of an encoder accepted, in hops.
const MAX_ENCODER_HOPS: usize = 10_000;
/// Largest state accepted, in floats for each channel.
const MAX_STATE: usize = 1 << 24;

impl ModelCard {
    /// Reads the card of a model file, and nothing else of it.
    ///
    /// # Errors
    /// [`ModelError::Read`] where the file can't be read, [`ModelError::File`] with those of [`Self::parse`].
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let file = File::open(path).map_err(|source| ModelError::Read { path: path.into(), source })?;
        let read = || {
            let mut archive = zip::ZipArchive::new(BufReader::new(file))?;
            Self::parse(&read_entry(&mut archive, "card.json", MAX_CARD)?)
        };
        read().map_err(|source| ModelError::File { path: path.into(), source: Box::new(source) })
    }

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
        if let Some(SpanCard { advance, encoder_hops, .. }) = card.span
            && (advance >= card.hop || encoder_hops > MAX_ENCODER_HOPS)
        {
            return wrong(format!("span: advance {advance} and encoder_hops {encoder_hops} make no stream"));
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

    /// What decides how many codebooks frames use, where nobody says: the default level, or all codebooks of a model for
    /// constant bitrate.
    pub fn default_rate(&self) -> RateControl {
        if self.importance {
            RateControl::Level(self.level.default)
        } else {
            RateControl::Codebooks(self.codebooks as u8)
        }
    }

    /// Whether the model can do this.
    ///
    /// # Errors
    /// [`ModelError::NoImportance`] for anything but constant bitrate where there is no importance map.
    pub fn check_rate(&self, rate: RateControl) -> Result<(), ModelError> {
        match rate {
            RateControl::Level(_) | RateControl::Target(_) if !self.importance => {
                Err(ModelError::NoImportance(self.name.clone()))
            }
            _ => Ok(()),
        }
    }

    /// Frames a second.
    pub fn frame_rate(&self) -> f64 {
        f64::from(self.sample_rate) / self.hop as f64
    }

    /// Samples of silence that a stream is fed with before a signal whose first sample shall be that of a frame.
    pub fn lead(&self) -> usize {
        self.span.map_or(0, |span| (self.hop - span.advance) % self.hop)
    }

    /// Samples by which the output of a step lags the input of the same step.
    pub fn delay(&self) -> usize {
        (self.latency_samples.encoder + self.latency_samples.decoder) as usize
    }
}
