//! Analysis by synthesis: of the best codes that the search finds for a frame, those that sound nearest are sent.
//!
//! The search counts the error of the latent; what is heard is what the decoder makes of it, with the frames before. So a
//! frame's candidates are decoded, as channels of one batch, from the state that the codes chosen before have left, and the
//! one of least cost is kept. It takes nothing of the decoder's side and no bit more (figures in `training/RESULTS.md`).
//!
//! The cost is the logarithm of the squared error of the MDCT, weighted half-way between plain and what masks it, plus a
//! share of how far the levels of auditory bands are off. The error alone, at few codebooks, favours what is too quiet.
//! Where there is time, the search is refined by what the decoder answers to small changes ([`refine`]).
//! `training/vrvq_training/synthesis.py` is the same in Python, and where its numbers were tried.

mod cost;
mod refine;

use super::{DecoderStream, Encoded, Model, ModelError};
use crate::codec::Effort;
use cost::{Channel, Scale};
use refine::Refinement;
use std::sync::Arc;

/// Chooses codes by what the decoder makes of them, frame by frame: a decoder stream of its own, with a channel for each
/// candidate.
pub struct Synthesis {
    decoder: DecoderStream,
    refinement: Option<Refinement>,
    scale: Scale,
    channels: Vec<Channel>,
    candidates: usize,
    codebooks: usize,
    trial: Trial,
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

    /// Decodes all rows, the next frame of `decoder`'s channels.
    fn decode(&mut self, decoder: &mut DecoderStream) -> Result<(), ModelError> {
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
        let effort = effort.within(model.most_candidates());
        let decoder = DecoderStream::new(model, channels * effort.candidates)?;
        let refine = effort.refine && model.can_refine();
        let refinement = if refine { Some(Refinement::beside(&decoder, model)?) } else { None };
        Ok(Self { refinement, ..Self::with(decoder, model, channels, effort.candidates) })
    }

    /// The same for who chooses and decodes by turns: it needs no session beside that of `decoder`, a stream of `model`. Nothing
    /// is refined.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    pub fn beside(
        decoder: &DecoderStream,
        model: &Arc<Model>,
        channels: usize,
        candidates: usize,
    ) -> Result<Self, ModelError> {
        let candidates = candidates.clamp(1, model.most_candidates());
        Ok(Self::with(decoder.beside(channels * candidates)?, model, channels, candidates))
    }

    fn with(decoder: DecoderStream, model: &Model, channels: usize, candidates: usize) -> Self {
        let card = model.card();
        Self {
            decoder,
            refinement: None,
            scale: Scale::new(card.hop, card.sample_rate),
            channels: (0..channels).map(|_| Channel::default()).collect(),
            candidates,
            codebooks: card.codebooks,
            trial: Trial::default(),
            chosen: Vec::new(),
        }
    }

    /// How many candidates it chooses among.
    pub fn candidates(&self) -> usize {
        self.candidates
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
        let dims = encoded.latent.len() / encoded.importance.len().max(1);
        let target = |channel: usize| &encoded.spectrum[frame_of(channel) * hop..][..hop];
        let latent = |channel: usize| &encoded.latent[frame_of(channel) * dims..][..dims];
        for (index, channel) in self.channels.iter_mut().enumerate() {
            channel.aim(target(index), &self.scale);
        }
        let chosen = self.try_choose(encoded, &frame_of, counts, &target, &latent);
        if chosen.is_err() {
            self.channels.iter_mut().for_each(|channel| *channel = Channel::default());
            self.decoder.reset()?;
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
        latent: &impl Fn(usize) -> &'a [f32],
    ) -> Result<(), ModelError> {
        let hop = encoded.spectrum.len() / encoded.importance.len().max(1);
        let Self { decoder, refinement, scale, channels, candidates, codebooks, trial, chosen } = self;
        if let Some(refinement) = refinement {
            refinement.follow(decoder, counts.len(), *candidates)?;
        }
        trial.make_room(counts, *candidates, *codebooks, hop);
        for (channel, &count) in counts.iter().enumerate() {
            for candidate in 0..*candidates {
                let codes = encoded.codes.candidate(frame_of(channel), count.into(), candidate);
                trial.set(channel * *candidates + candidate, codes);
            }
        }
        trial.decode(decoder)?;
        let mut rows = trial.best(channels, target, scale);
        match refinement {
            Some(refinement) => {
                let best = refinement.search(trial, &rows, channels, target, latent)?;
                rows = best.best(channels, target, scale);
                keep(best, &rows, chosen);
                decoder.follow(&refinement.decoder, &repeated(rows, *candidates))
            }
            None => {
                keep(trial, &rows, chosen);
                decoder.select(&repeated(rows, *candidates))
            }
        }
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
        let candidates = self.candidates;
        let rows: Vec<usize> =
            rows.iter().flat_map(|&row| (0..candidates).map(move |candidate| row * candidates + candidate)).collect();
        self.decoder.select(&rows)
    }

    /// Starts anew, with so many `channels`.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    pub fn restart(&mut self, channels: usize) -> Result<(), ModelError> {
        self.channels.clear();
        self.channels.resize_with(channels, Channel::default);
        self.decoder.restart(channels * self.candidates)
    }
}

/// Keeps the codes of `rows` in `chosen`.
fn keep(trial: &Trial, rows: &[usize], chosen: &mut Vec<u16>) {
    let codebooks = trial.codebooks();
    chosen.clear();
    chosen.extend(rows.iter().flat_map(|&row| &trial.codes[row * codebooks..][..codebooks]));
}
