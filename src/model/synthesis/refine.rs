//! The search refined by what the decoder answers to small changes of the latent.
//!
//! The decoder, from the state that the frames before left, is taken for linear near the best codes so far: its answers to
//! a small change of each dimension are its Jacobian J. Then the error of the spectrum, weighted by W as everywhere here, is a
//! quadratic form of the latent, and codes can be searched that come near its least instead of near the encoder's
//! latent: a beam search again, by the metric JᵀWJ, scaled to a mean of 1 in each direction, plus [`TRUST`] times Euclid's, since
//! the decoder isn't linear over the distances between codes and the next frames depend on the latent too. What the beam finds
//! is decoded, and the sound decides as before.
//!
//! It is the step of Gauss and Newton's method for least squares; most of its time goes into decoding as many latents as there
//! are dimensions.

use super::cost::Channel;
use super::{Trial, repeated};
use crate::codec::{Codebooks, Codes, MAX_BEAM, SearchBuffers};
use crate::model::stream::{LatentStream, no_latent};
use crate::model::{DecoderStream, Model, ModelError};
use nalgebra::{DMatrix, DVector};
use std::sync::Arc;

/// Weight of Euclid's metric and of the encoder's latent beside what the decoder answers.
const TRUST: f32 = 2.0;
/// Change of a dimension whose answer is looked at.
const CHANGE: f32 = 0.01;

/// See the module.
pub struct Refinement {
    codebooks: Arc<Codebooks>,
    by_latent: LatentStream,
    /// A row for the best so far and one for each of the new candidates, of each channel.
    pub decoder: DecoderStream,
    trial: Trial,
    /// In the metric of a frame.
    books: Codebooks,
    buffers: SearchBuffers,
    codes: Codes,
    latents: Vec<f32>,
    /// `[channels, dims, hop]`.
    answers: Vec<f32>,
}

impl Refinement {
    /// Beside `decoder`, which the first candidates are decoded by.
    ///
    /// # Errors
    /// [`ModelError`] where `model` can't refine ([`Model::can_refine`]), or the runtime refuses its graph.
    pub fn beside(decoder: &DecoderStream, model: &Arc<Model>) -> Result<Self, ModelError> {
        let by_latent = LatentStream::new(model)?;
        Ok(Self {
            codebooks: model.codebooks.clone().ok_or_else(no_latent)?,
            by_latent,
            decoder: decoder.beside(1)?,
            trial: Trial::default(),
            books: Codebooks::default(),
            buffers: SearchBuffers::default(),
            codes: Codes::default(),
            latents: Vec::new(),
            answers: Vec::new(),
        })
    }

    /// To where `decoder` is, before it decodes the candidates: each channel has so many rows there, all in one state.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    pub fn follow(&mut self, decoder: &DecoderStream, channels: usize, candidates: usize) -> Result<(), ModelError> {
        let rows = || (0..channels).map(|channel| channel * candidates);
        self.by_latent.follow(decoder, &repeated(rows(), self.codebooks.dims()))?;
        self.decoder.follow(decoder, &repeated(rows(), candidates + 1))
    }

    /// Decodes the best rows of `first` once more and as many new candidates as there were: what was decoded. Channel c
    /// is to sound like `target(c)`, which the encoder made `latent(c)` of.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime fails.
    pub fn search<'a>(
        &mut self,
        first: &Trial,
        best: &[usize],
        channels: &[Channel],
        target: &impl Fn(usize) -> &'a [f32],
        latent: &impl Fn(usize) -> &'a [f32],
    ) -> Result<&Trial, ModelError> {
        let books = &self.codebooks;
        let (dims, codebooks, hop) = (books.dims(), first.codebooks(), first.hop());
        let row_codes = |row: usize| &first.codes[row * codebooks..][..first.counts[row].into()];
        let sums: Vec<Vec<f32>> = best.iter().map(|&row| books.sum(row_codes(row))).collect();
        self.latents.clear();
        for sum in &sums {
            for dim in 0..dims {
                self.latents.extend_from_slice(sum);
                let at = self.latents.len() - dims + dim;
                self.latents[at] += CHANGE;
            }
        }
        self.answers.resize(best.len() * dims * hop, 0.0);
        self.by_latent.step(&self.latents, &mut self.answers)?;
        let candidates = first.rows;
        let counts: Vec<u8> = best.iter().map(|&row| first.counts[row]).collect();
        self.trial.make_room(&counts, candidates + 1, codebooks, hop);
        for (channel, (&row, sum)) in best.iter().zip(&sums).enumerate() {
            let own = channel * (candidates + 1);
            self.trial.set(own, row_codes(row));
            let answers = &self.answers[channel * dims * hop..][..dims * hop];
            let here = Here { spectrum: &first.spectra[row * hop..][..hop], latent: sum };
            let count = usize::from(counts[channel]);
            match here.metric(answers, target(channel), latent(channel), &channels[channel].weights) {
                Some((factor, goal)) => {
                    books.in_metric(&factor, count, MAX_BEAM, &mut self.books);
                    let (buffers, codes) = (&mut self.buffers, &mut self.codes);
                    self.books.search(goal.as_slice(), |_| count, candidates, buffers, codes);
                    for candidate in 0..candidates {
                        self.trial.set(own + 1 + candidate, codes.candidate(0, count, candidate));
                    }
                }
                None => (0..candidates).for_each(|at| self.trial.set(own + 1 + at, row_codes(row))),
            }
        }
        self.trial.decode(&mut self.decoder)?;
        Ok(&self.trial)
    }
}

/// Where the decoder is taken for linear.
struct Here<'a> {
    /// What it makes there, `[hop]`, of a latent, `[dims]`.
    spectrum: &'a [f32],
    latent: &'a [f32],
}

impl Here<'_> {
    /// The factor L of the metric LLᵀ, `[dims, dims]`, and what is to be searched for, as L shows it. `None` where the
    /// decoder's `answers` to changes, `[dims, hop]`, aren't finite.
    fn metric(
        &self,
        answers: &[f32],
        target: &[f32],
        latent: &[f32],
        weights: &[f32],
    ) -> Option<(DMatrix<f32>, DVector<f32>)> {
        let (dims, hop) = (self.latent.len(), self.spectrum.len());
        let weights: Vec<f32> = weights.iter().map(|weight| weight.sqrt()).collect();
        // By columns: the answer to a change of one dimension is one.
        let slope = |at: usize, bin: usize| (answers[at * hop + bin] - self.spectrum[bin]) / CHANGE * weights[bin];
        let jacobian = DMatrix::from_fn(hop, dims, |bin, at| slope(at, bin));
        let missing = DVector::from_fn(hop, |bin, _| (target[bin] - self.spectrum[bin]) * weights[bin]);
        let transposed = jacobian.transpose();
        let mut metric = &transposed * &jacobian;
        let scale = metric.trace() / dims as f32 + f32::MIN_POSITIVE;
        metric /= scale;
        (0..dims).for_each(|at| metric[(at, at)] += TRUST);
        let to_encoder = DVector::from_fn(dims, |at, _| latent[at] - self.latent[at]);
        let step = &transposed * missing / scale + to_encoder * TRUST;
        let cholesky = metric.cholesky()?;
        let goal = DVector::from_column_slice(self.latent) + cholesky.solve(&step);
        let factor = cholesky.l();
        let shown = factor.tr_mul(&goal);
        shown.iter().all(|value| value.is_finite()).then_some((factor, shown))
    }
}
