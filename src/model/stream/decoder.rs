//! Codes to sound.

#[cfg(doc)]
use super::EncoderStream;
use super::{DECODER, Stream, expect_len, values};
use crate::model::graph::SPECTRUM;
use crate::model::run::Input;
use crate::model::{Model, ModelError};
use std::sync::Arc;

/// A decoder stream.
pub struct DecoderStream(pub(super) Stream);

impl DecoderStream {
    /// A stream of `channels` channels at its start. Loads the graph, unless an earlier stream left one.
    ///
    /// # Errors
    /// [`ModelError`] where no runtime starts or it refuses the graph.
    pub fn new(model: &Arc<Model>, channels: usize) -> Result<Self, ModelError> {
        Stream::new(DECODER, model, channels).map(Self)
    }

    /// Another one of so many `channels` at its start, for who steps it by turns with this one: it needs no session of its own.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    pub(in crate::model) fn beside(&self, channels: usize) -> Result<Self, ModelError> {
        self.0.beside(channels).map(Self)
    }

    /// As [`EncoderStream::share`].
    pub fn share(&mut self, shared: bool) {
        self.0.shared = shared;
    }

    /// As [`EncoderStream::warm_up`].
    ///
    /// # Errors
    /// [`ModelError`] where the runtime fails.
    pub fn warm_up(&self) -> Result<(), ModelError> {
        let (channels, codebooks) = (self.0.channels, self.0.model.card().codebooks);
        let codes = Input::integers("codes", &[1, codebooks], std::iter::repeat_n(0, channels * codebooks));
        self.0.warm_up(1, vec![codes, Input::integers("count", &[1], std::iter::repeat_n(1, channels))])
    }

    /// As [`EncoderStream::batched`].
    pub fn batched(&self) -> u64 {
        self.0.desk.batched()
    }

    /// As [`EncoderStream::runtime`].
    pub fn runtime(&self) -> String {
        self.0.desk.in_words()
    }

    /// Decodes the next `hops` hops: `codes` is `[channels, hops, codebooks]`, `counts` is `[channels, hops]` with
    /// values 1..=codebooks (codes from the count on are ignored), `audio` receives `[channels, hops * hop]`.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime fails or the graph's output isn't what the card says.
    ///
    /// # Panics
    /// Where a slice has another length.
    pub fn step(&mut self, codes: &[u16], counts: &[u8], hops: usize, audio: &mut [f32]) -> Result<(), ModelError> {
        assert_eq!(audio.len(), self.0.channels * hops * self.0.model.card().hop, "audio is [channels, hops * hop]");
        self.read("audio", codes, counts, hops, audio)
    }

    /// As [`Self::step`], but what is received is the MDCT of the audio, `[channels, hops, hop]`, of a model that shows it
    /// ([`Model::most_candidates`]).
    ///
    /// # Errors
    /// As [`Self::step`], where the model doesn't show it too.
    ///
    /// # Panics
    /// As [`Self::step`].
    pub(in crate::model) fn step_spectrum(
        &mut self,
        codes: &[u16],
        counts: &[u8],
        hops: usize,
        spectrum: &mut [f32],
    ) -> Result<(), ModelError> {
        self.read(SPECTRUM, codes, counts, hops, spectrum)
    }

    fn read(
        &mut self,
        output: &'static str,
        codes: &[u16],
        counts: &[u8],
        hops: usize,
        to: &mut [f32],
    ) -> Result<(), ModelError> {
        let (channels, codebooks) = (self.0.channels, self.0.model.card().codebooks);
        assert_eq!(codes.len(), channels * hops * codebooks, "codes are [channels, hops, codebooks]");
        assert_eq!(counts.len(), channels * hops, "counts are [channels, hops]");
        let inputs = vec![
            Input::integers("codes", &[hops, codebooks], codes.iter().map(|&code| i64::from(code))),
            Input::integers("count", &[hops], counts.iter().map(|&count| i64::from(count))),
        ];
        self.0.run(hops, inputs, |outputs| {
            let made = values::<f32>(outputs, output)?;
            expect_len(output, made.len(), to.len())?;
            to.copy_from_slice(made);
            Ok(())
        })
    }

    /// Goes on with the channels `rows`: as [`EncoderStream::select`].
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    ///
    /// # Panics
    /// Where a row is not a channel of now.
    pub fn select(&mut self, rows: &[usize]) -> Result<(), ModelError> {
        self.0.select(rows)
    }

    /// Goes on from where the channels `rows` of `other` are, which stays there.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    ///
    /// # Panics
    /// Where a row is not a channel of `other`.
    pub(in crate::model) fn follow(&mut self, other: &Self, rows: &[usize]) -> Result<(), ModelError> {
        self.0.follow(&other.0, rows)
    }

    /// As [`EncoderStream::end_after`].
    pub fn end_after(&mut self, frames: u64) {
        self.0.end_after(frames);
    }

    /// Starts the stream anew.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    pub fn reset(&mut self) -> Result<(), ModelError> {
        self.0.reset()
    }

    /// Starts the stream anew, with so many `channels`.
    ///
    /// # Errors
    /// [`ModelError`] where the runtime can't hold the state.
    pub(in crate::model) fn restart(&mut self, channels: usize) -> Result<(), ModelError> {
        self.0.channels = channels;
        self.0.reset()
    }
}
