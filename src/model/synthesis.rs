//! Analysis by synthesis: of the best codes that the search finds for a frame, those that sound nearest are sent.
//!
//! The search counts the error of the latent; what is heard is what the decoder makes of it, with the frames before. So a
//! frame's candidates are decoded, as channels of one batch, from the state that the codes chosen before have left, and the
//! one of least cost is kept. It takes nothing of the decoder's side and no bit more (figures in `training/RESULTS.md`).
//!
//! The cost is the logarithm of the squared error of the MDCT, weighted half-way between plain and what masks it, plus a
//! share of how far the levels of auditory bands are off. The error alone, at few codebooks, favours what is too quiet.
//! `training/vrvq_training/synthesis.py` is the same in Python, and where its numbers were tried.

use super::{DecoderStream, Encoded, Model, ModelError};
use std::ops::Range;
use std::sync::Arc;

/// Power of the envelope that weighs the error.
const EXPONENT: f32 = 0.3;
/// Power of the density of auditory bands that weighs it.
const DENSITY: f32 = 0.5;
/// Share of the bands' levels in the cost: at one codebook, and at more.
const LEVELS: [f32; 2] = [0.03, 0.05];
/// Auditory bands whose levels are compared.
const BANDS: usize = 20;
/// The envelope is a mean over about this share of each frequency, at least two bins each way, and over so many frames.
const SPREAD: f32 = 0.15;
const LEAST_BINS: f32 = 2.0;
const FRAMES: usize = 3;
/// Power of a bin below which nothing is told apart, of full scale 1.
const FLOOR: f32 = 1e-7;

/// What the errors of a model's spectrum weigh.
struct Scale {
    /// Of each bin, `[hop]`.
    density: Vec<f32>,
    /// Bins that a bin's envelope is the mean of.
    around: Vec<Range<usize>>,
    bands: Vec<Range<usize>>,
}

impl Scale {
    fn new(hop: usize, sample_rate: u32) -> Self {
        // Equivalent rectangular bandwidth (Glasberg and Moore 1990).
        let density = |bin: usize| {
            let kilohertz = (bin as f64 + 0.5) / hop as f64 * f64::from(sample_rate) / 2000.0;
            1.0 / (4.37 * kilohertz + 1.0)
        };
        let all: f64 = (0..hop).map(density).sum();
        let mut sum = 0.0;
        let mut bands = vec![0..0; BANDS];
        for bin in 0..hop {
            sum += density(bin);
            let band = ((sum / all * BANDS as f64) as usize).min(BANDS - 1);
            if bands[band].is_empty() {
                bands[band] = bin..bin;
            }
            bands[band].end = bin + 1;
        }
        bands.retain(|band| !band.is_empty());
        let around = (0..hop).map(|bin| {
            let half = (bin as f32 * SPREAD / 2.0 + LEAST_BINS) as usize;
            bin.saturating_sub(half)..(bin + half + 1).min(hop)
        });
        Self {
            density: (0..hop).map(|bin| ((density(bin) / density(0)) as f32).powf(DENSITY)).collect(),
            around: around.collect(),
            bands,
        }
    }

    fn level(spectrum: &[f32], band: &Range<usize>) -> f32 {
        (spectrum[band.clone()].iter().map(|x| x * x).sum::<f32>() + FLOOR).ln()
    }
}

/// What a channel's frames so far leave for the next one.
#[derive(Clone, Default)]
struct Channel {
    /// Envelopes of the last frames.
    envelopes: [Vec<f32>; FRAMES],
    frames: usize,
    weights: Vec<f32>,
    levels: Vec<f32>,
}

impl Channel {
    /// The next frame is to sound like `target`.
    fn aim(&mut self, target: &[f32], scale: &Scale) {
        let mut sums = vec![0.0f64; target.len() + 1];
        for (bin, x) in target.iter().enumerate() {
            sums[bin + 1] = sums[bin] + f64::from(x * x);
        }
        let smooth = |around: &Range<usize>| ((sums[around.end] - sums[around.start]) / around.len() as f64) as f32;
        let envelope: Vec<f32> = scale.around.iter().map(smooth).collect();
        if self.frames == 0 {
            self.envelopes = std::array::from_fn(|_| envelope.clone());
        } else {
            self.envelopes[self.frames % FRAMES] = envelope;
        }
        self.frames += 1;
        let weight = |(bin, density): (usize, &f32)| {
            let mean = self.envelopes.iter().map(|envelope| envelope[bin]).sum::<f32>() / FRAMES as f32;
            (mean.max(0.0) + FLOOR).powf(-EXPONENT) * density
        };
        self.weights = scale.density.iter().enumerate().map(weight).collect();
        self.levels = scale.bands.iter().map(|band| Scale::level(target, band)).collect();
    }

    /// What `spectrum` in place of `target` costs, at a count.
    fn cost(&self, target: &[f32], spectrum: &[f32], count: u8, scale: &Scale) -> f32 {
        let errors = target.iter().zip(spectrum).zip(&self.weights).map(|((x, y), weight)| (y - x) * (y - x) * weight);
        let off = scale.bands.iter().zip(&self.levels).map(|(band, level)| Scale::level(spectrum, band) - level);
        let off = off.map(|off| off * off).sum::<f32>() / scale.bands.len() as f32;
        let share = LEVELS[usize::from(count > 1)];
        (errors.sum::<f32>() + 1e-12).ln() + share * off
    }
}

/// Chooses codes by what the decoder makes of them, frame by frame: a decoder stream of its own, with a channel for each
/// candidate.
pub struct Synthesis {
    decoder: DecoderStream,
    scale: Scale,
    channels: Vec<Channel>,
    candidates: usize,
    hop: usize,
    codebooks: usize,
    /// `[channels, candidates, codebooks]`, `[channels, candidates]` and `[channels, candidates, hop]`.
    codes: Vec<u16>,
    counts: Vec<u8>,
    spectra: Vec<f32>,
    /// `[channels, codebooks]`.
    chosen: Vec<u16>,
}

impl Synthesis {
    /// At the start of a stream of so many `channels`, with as many of the `candidates` as the model has
    /// ([`Model::most_candidates`]). Loads the decoder, unless an earlier stream left it.
    ///
    /// # Errors
    /// [`ModelError`] where no runtime starts or it refuses the graph.
    pub fn new(model: &Arc<Model>, channels: usize, candidates: usize) -> Result<Self, ModelError> {
        let candidates = candidates.clamp(1, model.most_candidates());
        Ok(Self::with(DecoderStream::new(model, channels * candidates)?, model, channels, candidates))
    }

    /// The same for who chooses and decodes by turns: it needs no session beside that of `decoder`, a stream of `model`.
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
        let (card, rows) = (model.card(), channels * candidates);
        Self {
            decoder,
            scale: Scale::new(card.hop, card.sample_rate),
            channels: (0..channels).map(|_| Channel::default()).collect(),
            candidates,
            hop: card.hop,
            codebooks: card.codebooks,
            codes: vec![0; rows * card.codebooks],
            counts: vec![1; rows],
            spectra: vec![0.0; rows * card.hop],
            chosen: vec![0; channels * card.codebooks],
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
        let (candidates, hop, codebooks) = (self.candidates, self.hop, self.codebooks);
        self.chosen.fill(0);
        self.codes.fill(0);
        for (channel, &count) in counts.iter().enumerate() {
            for candidate in 0..candidates {
                let row = channel * candidates + candidate;
                let codes = encoded.codes.candidate(frame_of(channel), count.into(), candidate);
                self.codes[row * codebooks..][..codes.len()].copy_from_slice(codes);
                self.counts[row] = count;
            }
        }
        if let Err(error) = self.decoder.step_spectrum(&self.codes, &self.counts, 1, &mut self.spectra) {
            self.channels.iter_mut().for_each(|channel| *channel = Channel::default());
            return Err(error);
        }
        let mut rows = Vec::with_capacity(self.counts.len());
        for (index, (channel, &count)) in self.channels.iter_mut().zip(counts).enumerate() {
            let target = &encoded.spectrum[frame_of(index) * hop..][..hop];
            channel.aim(target, &self.scale);
            let spectra = self.spectra[index * candidates * hop..][..candidates * hop].chunks_exact(hop);
            let costs = spectra.map(|spectrum| channel.cost(target, spectrum, count, &self.scale));
            let best = costs.enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(candidate, _)| candidate);
            let row = index * candidates + best;
            self.chosen[index * codebooks..][..codebooks].copy_from_slice(&self.codes[row * codebooks..][..codebooks]);
            rows.extend(std::iter::repeat_n(row, candidates));
        }
        self.decoder.select(&rows)?;
        Ok(&self.chosen)
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
        self.make_room();
        self.decoder.select(&rows)
    }

    /// Starts anew, with so many `channels`.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    pub fn restart(&mut self, channels: usize) -> Result<(), ModelError> {
        self.channels.clear();
        self.channels.resize_with(channels, Channel::default);
        self.make_room();
        self.decoder.restart(channels * self.candidates)
    }

    fn make_room(&mut self) {
        let channels = self.channels.len();
        let rows = channels * self.candidates;
        self.codes.resize(rows * self.codebooks, 0);
        self.counts.resize(rows, 1);
        self.spectra.resize(rows * self.hop, 0.0);
        self.chosen.resize(channels * self.codebooks, 0);
    }
}
