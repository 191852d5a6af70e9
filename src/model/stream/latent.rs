//! A decoder's latents to spectra: what the decoder answers to latents that no codes stand for.

use super::{DecoderStream, FROM_LATENT, Stream, expect_len, values};
use crate::model::graph::{LATENT, SPECTRUM};
use crate::model::run::Input;
use crate::model::{Model, ModelError};
use std::sync::Arc;

/// What a model is refused with whose decoder has no such place.
pub(in crate::model) fn none() -> ModelError {
    ModelError::Entry { entry: "decoder.onnx", reason: "no value in it stands for all codes of a frame".into() }
}

/// Goes on from where streams of codes are, for one hop.
pub(in crate::model) struct LatentStream(Stream);

impl LatentStream {
    /// Loads the graph, unless an earlier stream left one.
    ///
    /// # Errors
    /// [`ModelError`] where the model has no such graph, no runtime starts or it refuses the graph.
    pub fn new(model: &Arc<Model>) -> Result<Self, ModelError> {
        Stream::new(FROM_LATENT, model, 1).map(Self)
    }

    /// To where the channels `rows` of `decoder` are.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    ///
    /// # Panics
    /// Where a row is not a channel of `decoder`.
    pub fn follow(&mut self, decoder: &DecoderStream, rows: &[usize]) -> Result<(), ModelError> {
        self.0.follow(&decoder.0, rows)
    }

    /// The MDCT of the next hop, `[channels, hop]`, of `latents`, `[channels, dims]`.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime fails or the graph's output isn't what the card says.
    pub fn step(&mut self, latents: &[f32], spectrum: &mut [f32]) -> Result<(), ModelError> {
        let dims = latents.len() / self.0.channels;
        self.0.run(1, vec![Input::floats(LATENT, &[1, dims], latents)], |outputs| {
            let made = values::<f32>(outputs, SPECTRUM)?;
            expect_len(SPECTRUM, made.len(), spectrum.len())?;
            spectrum.copy_from_slice(made);
            Ok(())
        })
    }
}
