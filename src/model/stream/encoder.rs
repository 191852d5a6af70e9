//! Sound to codes.

use super::{ENCODER, Stream, expect_len, integers, values};
use crate::codec::{Codes, SearchBuffers};
use crate::model::graph::SPECTRUM;
use crate::model::run::Input;
use crate::model::{Model, ModelError};
use std::sync::Arc;

/// What the encoder makes of some hops: for each channel, for each hop.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Encoded {
    /// Codes for every count, of frames `[channels, hops]`.
    pub codes: Codes,
    /// Importance p in [0, 1], `[channels, hops]`.
    pub importance: Vec<f32>,
    /// MDCT of the audio, `[channels, hops, hop]`, where candidates are kept ([`EncoderStream::keep_candidates`]).
    pub spectrum: Vec<f32>,
    /// What the codes stand for, `[channels, hops, dims]`, where candidates are kept.
    pub latent: Vec<f32>,
}

/// An encoder stream.
pub struct EncoderStream {
    stream: Stream,
    search: SearchBuffers,
    candidates: usize,
}

impl EncoderStream {
    /// A stream of `channels` channels at its start. Loads the graph, unless an earlier stream left one.
    ///
    /// # Errors
    /// [`ModelError`] where no runtime starts or it refuses the graph.
    pub fn new(model: &Arc<Model>, channels: usize) -> Result<Self, ModelError> {
        let stream = Stream::new(ENCODER, model, channels)?;
        Ok(Self { stream, search: SearchBuffers::default(), candidates: 1 })
    }

    /// From the next step on the best `candidates` are kept for each count, as many as there can be
    /// ([`Model::most_candidates`]), and, where there are several, the spectrum that they are compared with.
    pub fn keep_candidates(&mut self, candidates: usize) {
        self.candidates = candidates.clamp(1, self.stream.model.most_candidates());
    }

    /// The runtime and the device that compute it, for people.
    pub fn runtime(&self) -> String {
        self.stream.desk.in_words()
    }

    /// Whether a GPU computes it.
    #[cfg(feature = "live")]
    pub(crate) fn on_gpu(&self) -> bool {
        !self.stream.desk.device.is_cpu()
    }

    /// Whether a hop may run in one batch with those of other streams that wait, which rounds differently each time: for live
    /// streams. Not at the start.
    pub fn share(&mut self, shared: bool) {
        self.stream.shared = shared;
    }

    /// Prepares batches of single hops with the other streams, where the device has to: on a GPU, before going live.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime fails.
    pub fn warm_up(&self) -> Result<(), ModelError> {
        let hop = self.stream.model.card().hop;
        let silence = vec![0.0; self.stream.channels * hop];
        self.stream.warm_up(1, vec![Input::floats("audio", &[1, hop], &silence)])
    }

    /// Calls of the model's encoder streams on this device that ran in one batch with others so far.
    pub fn batched(&self) -> u64 {
        self.stream.desk.batched()
    }

    /// Encodes the next `hops` hops: `audio` is `[channels, hops * hop]`. Codes are searched for every count.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime fails or the graph's outputs aren't what the card says.
    ///
    /// # Panics
    /// Where `audio` has another length.
    pub fn step(&mut self, audio: &[f32], hops: usize, encoded: &mut Encoded) -> Result<(), ModelError> {
        self.step_up_to(audio, hops, |_, _| usize::MAX, encoded)
    }

    /// As [`Self::step`], with codes for the counts up to `most(channel, importance)` of each frame only: less work, where
    /// it is known how many it will send.
    ///
    /// # Errors
    /// As [`Self::step`].
    ///
    /// # Panics
    /// As [`Self::step`].
    pub fn step_up_to(
        &mut self,
        audio: &[f32],
        hops: usize,
        most: impl Fn(usize, f32) -> usize,
        encoded: &mut Encoded,
    ) -> Result<(), ModelError> {
        let Self { stream, search, candidates } = self;
        let (channels, model) = (stream.channels, stream.model.clone());
        let (hop, codebooks) = (model.card().hop, model.card().codebooks);
        assert_eq!(audio.len(), channels * hops * hop, "audio is [channels, hops * hop]");
        stream.run(hops, vec![Input::floats("audio", &[hops, hop], audio)], |outputs| {
            let importance = values::<f32>(outputs, "importance")?;
            expect_len("importance", importance.len(), channels * hops)?;
            encoded.importance.clear();
            encoded.importance.extend_from_slice(importance);
            encoded.spectrum.clear();
            encoded.latent.clear();
            if *candidates > 1 {
                let spectrum = values::<f32>(outputs, SPECTRUM)?;
                expect_len(SPECTRUM, spectrum.len(), channels * hops * hop)?;
                encoded.spectrum.extend_from_slice(spectrum);
            }
            if let Some(books) = &model.codebooks {
                let latents = values::<f32>(outputs, "latent")?;
                expect_len("latent", latents.len(), channels * hops * books.dims())?;
                if *candidates > 1 {
                    encoded.latent.extend_from_slice(latents);
                }
                let most = |frame: usize| most(frame / hops, importance[frame]);
                books.search(latents, most, *candidates, search, &mut encoded.codes);
            } else {
                let codes = integers(outputs, "codes")?;
                expect_len("codes", codes.len(), channels * hops * codebooks)?;
                encoded.codes.clear_nested(codebooks);
                encoded.codes.extend(codes);
            }
            Ok(())
        })
    }

    /// Goes on as a stream of as many channels as there are `rows`, each from the state of that channel of now: one
    /// that is named twice is doubled, one that isn't named is forgotten.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    ///
    /// # Panics
    /// Where a row is not a channel of now.
    pub fn select(&mut self, rows: &[usize]) -> Result<(), ModelError> {
        self.stream.select(rows)
    }

    /// The signal ends with `frames` frames; what follows is what the model makes of nothing. No effect on a model
    /// whose streams needn't know (`SpanCard`). Until the next reset.
    pub fn end_after(&mut self, frames: u64) {
        self.stream.end_after(frames);
    }

    /// Starts the stream anew.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    pub fn reset(&mut self) -> Result<(), ModelError> {
        self.stream.reset()
    }
}
