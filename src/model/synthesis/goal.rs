//! Candidates near what a frame's latent should be, given the codes before it and what the decoder makes of them.
//!
//! The encoder's latent can't know what the frames before left to make good in this one, nor what the decoder's network adds.
//! So from the best codes so far, which were decoded, one step of Gauss and Newton's method leads to where the cost would be
//! least if the decoder were linear there: the cost's two parts, the weighted error of the spectrum and, at
//! [`LEVEL_TRUST`], the levels of the bands, are a quadratic form of the latent then, JᵀJ with the decoder's slopes J
//! ([`slopes`](super::slopes)), here scaled to a mean of 1 in each direction. [`TRUST`] times Euclid's metric is added, about the
//! encoder's latent, since the decoder isn't linear over the distances between codes and the next frames depend on the
//! latent too.
//!
//! Codes are searched near that goal by Euclid's metric, with a wide beam, and what that finds is put in order by the form. A search
//! by the form itself found none that were nearer in sound, and took longer.

use super::cost::{Channel, Scale, level_share};
use crate::codec::{Codebooks, Codes, Effort, MAX_BEAM, SearchBuffers};
use crate::model::Model;
use crate::model::graph::LastSteps;
use nalgebra::{Cholesky, DMatrixView, DVector, Dyn};
use std::sync::Arc;

/// Weight of Euclid's metric and of the encoder's latent beside the decoder's slopes.
const TRUST: f32 = 1.0;
/// Weight of the levels in it: none makes few codebooks too quiet, all of it costs more error than they are worth.
const LEVEL_TRUST: f32 = 0.2;
/// Beam of the search for each candidate wanted, up to [`MAX_BEAM`]: of eight, 32 are worth 0.07 to 0.13 dB more than 16.
const WIDTH: usize = 4;

/// See the module.
pub struct Goal {
    codebooks: Arc<Codebooks>,
    last_steps: Arc<LastSteps>,
    beam: usize,
    buffers: SearchBuffers,
    codes: Codes,
    /// Numbers of the candidates in `codes`, and what the form says of each.
    ranked: Vec<(usize, f32)>,
    /// `[dims, hop + bands]`.
    slopes: Vec<f32>,
}

/// The best of a channel's next frame so far.
pub struct Best<'a> {
    pub codes: &'a [u16],
    /// What they are decoded to and what that is to be, `[hop]`.
    pub spectrum: &'a [f32],
    pub target: &'a [f32],
    /// The encoder's, `[dims]`.
    pub latent: &'a [f32],
    pub channel: &'a Channel,
}

impl Goal {
    /// Of `model`, for as much `effort`; `None` where it isn't known how the decoder ends.
    pub fn new(model: &Model, effort: Effort) -> Option<Self> {
        Some(Self {
            codebooks: model.codebooks.clone()?,
            last_steps: model.last_steps()?.clone(),
            beam: (WIDTH * effort.candidates).min(MAX_BEAM),
            buffers: SearchBuffers::default(),
            codes: Codes::default(),
            ranked: Vec::new(),
            slopes: Vec::new(),
        })
    }

    /// Codes near the goal at the count of `best`, the best first; none where numbers end, at levels that no sound has.
    pub fn search(&mut self, best: &Best, scale: &Scale) -> impl Iterator<Item = &[u16]> {
        let count = best.codes.len();
        let sum = DVector::from_vec(self.codebooks.sum(best.codes));
        self.ranked.clear();
        if let Some((form, goal)) = best.aim(sum, &self.last_steps, scale, &mut self.slopes) {
            let Self { codebooks, beam, buffers, codes, ranked, .. } = self;
            codebooks.search(goal.as_slice(), |_| count, *beam, buffers, codes);
            let factor = form.l();
            ranked.extend((0..codes.candidates()).map(|at| {
                let off = DVector::from_vec(codebooks.sum(codes.candidate(0, count, at))) - &goal;
                (at, factor.tr_mul(&off).norm_squared())
            }));
            ranked.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        }
        let codes = &self.codes;
        self.ranked.iter().map(move |&(at, _)| codes.candidate(0, count, at))
    }
}

impl Best<'_> {
    /// The quadratic form and where it is least; `sum` is the latent that the codes stand for.
    fn aim(
        &self,
        sum: DVector<f32>,
        last_steps: &LastSteps,
        scale: &Scale,
        slopes: &mut Vec<f32>,
    ) -> Option<(Cholesky<f32, Dyn>, DVector<f32>)> {
        let (hop, dims, bands) = (self.spectrum.len(), sum.len(), scale.bands.len());
        let width = hop + bands;
        let roots: Vec<f32> = self.channel.weights.iter().map(|weight| weight.sqrt()).collect();
        let errors = self.target.iter().zip(self.spectrum).zip(&roots).map(|((x, y), root)| (x - y) * root);
        let mut missing: Vec<f32> = errors.collect();
        // The cost is the error's logarithm plus the levels' part: by that logarithm's slope they weigh as much as the error.
        let error = missing.iter().map(|x| x * x).sum::<f32>();
        let level_root = (LEVEL_TRUST * level_share(self.codes.len() as u8) / bands as f32 * error).sqrt();
        let levels: Vec<f32> = scale.bands.iter().map(|band| Scale::level(self.spectrum, band)).collect();
        missing.extend(self.channel.levels.iter().zip(&levels).map(|(target, level)| (target - level) * level_root));
        slopes.resize(dims * width, 0.0);
        last_steps.slopes(self.spectrum, slopes);
        for slopes in slopes.chunks_exact_mut(width) {
            let (slopes, of_levels) = slopes.split_at_mut(hop);
            for ((slope, band), level) in of_levels.iter_mut().zip(&scale.bands).zip(&levels) {
                let of_power = slopes[band.clone()].iter().zip(&self.spectrum[band.clone()]).map(|(a, b)| a * b);
                *slope = 2.0 * level_root / level.exp() * of_power.sum::<f32>();
            }
            slopes.iter_mut().zip(&roots).for_each(|(slope, root)| *slope *= root);
        }
        // The library keeps matrices by columns: here a column for each dimension.
        let slopes = DMatrixView::from_slice(slopes, width, dims);
        let mut form = slopes.transpose() * slopes;
        let mean = form.trace() / dims as f32 + f32::MIN_POSITIVE;
        form /= mean;
        (0..dims).for_each(|at| form[(at, at)] += TRUST);
        let to_encoder = DVector::from_column_slice(self.latent) - &sum;
        let step = slopes.tr_mul(&DVector::from_vec(missing)) / mean + to_encoder * TRUST;
        let form = form.cholesky()?;
        let goal = sum + form.solve(&step);
        goal.iter().all(|value| value.is_finite()).then_some((form, goal))
    }
}
