//! What a shorter delay costs: a stream with less right context against the exact one.

use super::{Analysis, si_sdr};
use crate::codec::{Effort, Rate};
use crate::model::{Model, ModelError, ReducedCard};
use std::sync::Arc;

/// Codes and decoded samples of the frames that `samples` begin with, whatever the model's frames are aligned to.
fn run(model: &Arc<Model>, samples: &[f32], rate: Rate) -> Result<(Vec<u16>, Vec<f32>), ModelError> {
    let card = model.card();
    let mut input = vec![0.0; card.lead()];
    input.extend_from_slice(samples);
    let analysis = Analysis::new(model, input, Effort::LATENT)?;
    let decoded = analysis.decode(rate)?.split_off(card.lead());
    let first = card.span.map_or(0, |span| span.decoder_begin() as usize);
    let frames = samples.len() / card.hop;
    let codes = analysis.encoded.codes.all()[first * card.codebooks..][..frames * card.codebooks].to_vec();
    Ok((codes, decoded))
}

/// Compares what two streams of one model make of `samples`, at the model's rate, coded at `rate`.
///
/// # Errors
/// [`ModelError`] where a model can't run.
pub fn delay_cost(
    exact: &Arc<Model>,
    reduced: &Arc<Model>,
    samples: &[f32],
    rate: Rate,
) -> Result<ReducedCard, ModelError> {
    let (codes, decoded) = run(exact, samples, rate)?;
    let (other_codes, other) = run(reduced, samples, rate)?;
    let differing = codes.iter().zip(&other_codes).filter(|(one, other)| one != other).count();
    Ok(ReducedCard {
        codes_differing: differing as f64 / codes.len().max(1) as f64,
        si_sdr_db: si_sdr(&decoded, &other),
    })
}
