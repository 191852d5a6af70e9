//! Analysis by synthesis: of the best codes that the search finds for a frame, those that sound nearest are sent.
//!
//! The search counts the error of the latent; what is heard is what the decoder makes of it, with the frames before. So a
//! frame's candidates are decoded, as channels of one batch, from the state that the codes chosen before have left, and the
//! one of least cost is kept. It takes nothing of the decoder's side and no bit more (figures in `training/RESULTS.md`).
//!
//! The cost is the logarithm of the squared error of the MDCT, weighted half-way between plain and what masks it, plus a
//! share of how far the levels of auditory bands are off. The error alone, at few codebooks, favours what is too quiet.
//!
//! Refined, the candidates aren't what is nearest to the encoder's latent, but to what it should be after the codes before
//! ([`goal`]), starting from the best by the latent.
//! `training/vrvq_training/synthesis.py` is the same in Python, and where its numbers were tried.

mod cost;
mod goal;
mod slopes;

use super::{DecoderStream, Encoded, Model, ModelError};
use crate::codec::Effort;
use cost::{Channel, Scale};
use goal::{Best, Goal};
use std::sync::Arc;

/// Chooses codes by what the decoder makes of them, frame by frame: a decoder stream of its own, with a channel for each
/// candidate.
pub struct Synthesis {
    /// Where the codes that were chosen lead to: a channel for each. It isn't run.
    kept: DecoderStream,
    decoder: DecoderStream,
    /// `None` where nothing is refined.
    goal: Option<Goal>,
    /// The channels that are.
    refined: Vec<bool>,
    scale: Scale,
    channels: Vec<Channel>,
    effort: Effort,
    codebooks: usize,
    /// What was decoded last, and before that.
    trial: Trial,
    before: Trial,
    /// `[channels, codebooks]`.
    chosen: Vec<u16>,
}

/// What is decoded to be compared: so many rows for each channel.
#[derive(Default)]
struct Trial {
    /// `[channels, rows, codebooks]`, `[channels, rows]` and `[channels, rows, hop]`.
    codes: Vec<u16>,
    counts: Vec<u8>,
    spectra: Vec<f32>,
    rows: usize,
}

impl Trial {
    /// Room for so many `channels` of so many `rows`, all of them of code 0 at its channel's count.
    fn make_room(&mut self, counts: &[u8], rows: usize, codebooks: usize, hop: usize) {
        self.rows = rows;
        self.codes.clear();
        self.codes.resize(counts.len() * rows * codebooks, 0);
        self.counts.clear();
        self.counts.extend(counts.iter().flat_map(|&count| std::iter::repeat_n(count, rows)));
        self.spectra.resize(counts.len() * rows * hop, 0.0);
    }

    /// Codebooks of a row.
    fn codebooks(&self) -> usize {
        self.codes.len() / self.counts.len().max(1)
    }

    /// Bins of a spectrum.
    fn hop(&self) -> usize {
        self.spectra.len() / self.counts.len().max(1)
    }

    /// Sets the codes of one row.
    fn set(&mut self, row: usize, codes: &[u16]) {
        let first = row * self.codebooks();
        self.codes[first..][..codes.len()].copy_from_slice(codes);
    }

    /// The codes of one row that are used.
    fn used(&self, row: usize) -> &[u16] {
        &self.codes[row * self.codebooks()..][..self.counts[row].into()]
    }

    /// What one row was decoded to.
    fn spectrum(&self, row: usize) -> &[f32] {
        &self.spectra[row * self.hop()..][..self.hop()]
    }

    /// Decodes all rows, each the next frame of its channel of `kept`, with `decoder`.
    fn decode(&mut self, kept: &DecoderStream, decoder: &mut DecoderStream) -> Result<(), ModelError> {
        decoder.follow(kept, &repeated(0..self.counts.len() / self.rows, self.rows))?;
        decoder.step_spectrum(&self.codes, &self.counts, 1, &mut self.spectra)
    }

    /// The row of least cost of each channel, where channel c is to sound like `target(c)`.
    fn best<'a>(&self, channels: &[Channel], target: impl Fn(usize) -> &'a [f32], scale: &Scale) -> Vec<usize> {
        let hop = self.hop();
        let best = |(index, channel): (usize, &Channel)| {
            let first = index * self.rows;
            let spectra = self.spectra[first * hop..][..self.rows * hop].chunks_exact(hop);
            let cost = |spectrum| channel.cost(target(index), spectrum, self.counts[first], scale);
            let least = spectra.map(cost).enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b));
            first + least.map_or(0, |(row, _)| row)
        };
        channels.iter().enumerate().map(best).collect()
    }
}

/// Each of `rows` so many times.
fn repeated(rows: impl IntoIterator<Item = usize>, times: usize) -> Vec<usize> {
    rows.into_iter().flat_map(|row| std::iter::repeat_n(row, times)).collect()
}

impl Synthesis {
    /// At the start of a stream of so many `channels`, with as much `effort` as the model can
    /// ([`Model::most_candidates`], [`Model::can_refine`]). Loads the decoder, unless an earlier stream left it.
    ///
    /// # Errors
    /// [`ModelError`] where no runtime starts or it refuses the graph.
    pub fn new(model: &Arc<Model>, channels: usize, effort: Effort) -> Result<Self, ModelError> {
        let kept = DecoderStream::new(model, channels)?;
        Self::with(kept, model, channels, effort)
    }

    /// The same for who chooses and decodes by turns: it needs no session beside that of `decoder`, a stream of `model`.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    pub fn beside(
        decoder: &DecoderStream,
        model: &Arc<Model>,
        channels: usize,
        effort: Effort,
    ) -> Result<Self, ModelError> {
        Self::with(decoder.beside(channels)?, model, channels, effort)
    }

    fn with(kept: DecoderStream, model: &Model, channels: usize, effort: Effort) -> Result<Self, ModelError> {
        let card = model.card();
        let effort = effort.within(model.most_candidates());
        Ok(Self {
            decoder: kept.beside(1)?,
            kept,
            goal: if effort.rounds > 0 { Goal::new(model, effort) } else { None },
            refined: vec![true; channels],
            scale: Scale::new(card.hop, card.sample_rate),
            channels: (0..channels).map(|_| Channel::default()).collect(),
            effort,
            codebooks: card.codebooks,
            trial: Trial::default(),
            before: Trial::default(),
            chosen: Vec::new(),
        })
    }

    /// How many candidates it chooses among.
    pub fn candidates(&self) -> usize {
        self.effort.candidates
    }

    /// From the next frame on, of all channels those are refined that `wanted` says.
    pub fn refine(&mut self, wanted: impl Fn(usize) -> bool) {
        self.refined.iter_mut().enumerate().for_each(|(channel, refined)| *refined = wanted(channel));
    }

    /// The codes that the next frame of each channel sends where it uses `counts` codebooks: `[channels, codebooks]`, zeros
    /// behind each frame's codes. `frame_of` a channel is the number in `encoded` of its frame.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime fails. The choice starts anew then.
    ///
    /// # Panics
    /// Where `encoded` holds fewer candidates or no such frames, or a count isn't 1 to the number of codebooks.
    pub fn choose(
        &mut self,
        encoded: &Encoded,
        frame_of: impl Fn(usize) -> usize,
        counts: &[u8],
    ) -> Result<&[u16], ModelError> {
        let hop = encoded.spectrum.len() / encoded.importance.len().max(1);
        let target = |channel: usize| &encoded.spectrum[frame_of(channel) * hop..][..hop];
        for (index, channel) in self.channels.iter_mut().enumerate() {
            channel.aim(target(index), &self.scale);
        }
        let chosen = self.try_choose(encoded, &frame_of, counts, &target);
        if chosen.is_err() {
            self.channels.iter_mut().for_each(|channel| *channel = Channel::default());
            self.kept.reset()?;
        }
        chosen?;
        Ok(&self.chosen)
    }

    fn try_choose<'a>(
        &mut self,
        encoded: &Encoded,
        frame_of: &impl Fn(usize) -> usize,
        counts: &[u8],
        target: &impl Fn(usize) -> &'a [f32],
    ) -> Result<(), ModelError> {
        let frames = encoded.importance.len().max(1);
        let (hop, dims) = (encoded.spectrum.len() / frames, encoded.latent.len() / frames);
        let Self { kept, decoder, goal, refined, scale, channels, effort, codebooks, trial, before, chosen } = self;
        let candidates = effort.candidates;
        let by_latent = |trial: &mut Trial, channel: usize| {
            for row in 0..trial.rows {
                let codes = encoded.codes.candidate(frame_of(channel), counts[channel].into(), row);
                trial.set(channel * trial.rows + row, codes);
            }
        };
        // At one codebook what is near the goal gained nothing but silence: there the best by the latent are enough.
        let near_goal = |channel: usize| counts[channel] > 1 && refined[channel];
        let goal = goal.as_mut().filter(|_| (0..counts.len()).any(near_goal));
        let first = if goal.is_some() { 1 } else { candidates };
        trial.make_room(counts, first, *codebooks, hop);
        (0..counts.len()).for_each(|channel| by_latent(trial, channel));
        trial.decode(kept, decoder)?;
        let mut rows = trial.best(channels, target, scale);
        if let Some(goal) = goal {
            for _ in 0..effort.rounds {
                std::mem::swap(trial, before);
                trial.make_room(counts, candidates, *codebooks, hop);
                for (index, channel) in channels.iter().enumerate() {
                    if !near_goal(index) {
                        by_latent(trial, index);
                        continue;
                    }
                    let first = index * candidates;
                    let codes = before.used(rows[index]);
                    (0..candidates).for_each(|row| trial.set(first + row, codes));
                    let latent = &encoded.latent[frame_of(index) * dims..][..dims];
                    let spectrum = before.spectrum(rows[index]);
                    let best = Best { codes, spectrum, target: target(index), latent, channel };
                    let found = goal.search(&best, scale).take(candidates - 1);
                    found.enumerate().for_each(|(at, codes)| trial.set(first + 1 + at, codes));
                }
                trial.decode(kept, decoder)?;
                rows = trial.best(channels, target, scale);
                if rows.iter().all(|row| row % candidates == 0) {
                    break;
                }
            }
        }
        chosen.clear();
        chosen.extend(rows.iter().flat_map(|&row| &trial.codes[row * *codebooks..][..*codebooks]));
        kept.follow(decoder, &rows)
    }

    /// Goes on with the channels `rows`: as [`DecoderStream::select`].
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    ///
    /// # Panics
    /// Where a row is not a channel of now.
    pub fn select(&mut self, rows: &[usize]) -> Result<(), ModelError> {
        self.channels = rows.iter().map(|&row| self.channels[row].clone()).collect();
        self.refined = rows.iter().map(|&row| self.refined[row]).collect();
        self.kept.select(rows)
    }

    /// Starts anew, with so many `channels`.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    pub fn restart(&mut self, channels: usize) -> Result<(), ModelError> {
        self.channels.clear();
        self.channels.resize_with(channels, Channel::default);
        self.refined = vec![true; channels];
        self.kept.restart(channels)
    }
}
