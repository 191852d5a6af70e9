//! Codes by their sound, for the lanes that want it: one batch of candidates for all of them.

use super::EngineError;
use super::settings::Slot;
use crate::codec::{CodeSearch, Effort};
use crate::model::{DecoderStream, Encoded, Model, Synthesis};
use std::sync::Arc;

/// See the module.
pub(super) struct BySound {
    /// `None` where the model can't.
    synthesis: Option<Synthesis>,
    /// Lanes that have channels in it, in this order, while it runs.
    slots: Vec<Slot>,
    /// By what each of them.
    searches: Vec<CodeSearch>,
    runs: bool,
    /// Of each lane.
    channels: usize,
    codebooks: usize,
    /// What was chosen last, `[lanes, channels, codebooks]`.
    chosen: Vec<u16>,
    counts: Vec<u8>,
}

impl BySound {
    /// For lanes of so many `channels`, which are decoded by `decoder`.
    ///
    /// # Errors
    /// [`EngineError::Model`] where the runtime fails.
    pub fn new(decoder: &DecoderStream, model: &Arc<Model>, channels: usize) -> Result<Self, EngineError> {
        let effort = Effort::REFINED_LIVE.within(model.most_candidates());
        Ok(Self {
            synthesis: if effort.candidates > 1 {
                Some(Synthesis::beside(decoder, model, channels, effort)?)
            } else {
                None
            },
            slots: Vec::new(),
            searches: Vec::new(),
            runs: false,
            channels,
            codebooks: model.card().codebooks,
            chosen: Vec::new(),
            counts: Vec::new(),
        })
    }

    /// Candidates that the next step wants of the search.
    pub fn candidates(&self) -> usize {
        self.synthesis.as_ref().filter(|_| self.runs).map_or(1, Synthesis::candidates)
    }

    /// What codes of the lane of `slot` are chosen by.
    pub fn search(&self, slot: Slot) -> CodeSearch {
        let lane = self.slots.iter().position(|own| *own == slot).filter(|_| self.runs);
        lane.map_or(CodeSearch::Latent, |lane| self.searches[lane])
    }

    /// From the next step on it is for the lanes `wanted`, each with its search. One that comes goes on from another that was
    /// there, whose sound it had until now; the first ones start anew, which a second later makes no difference.
    ///
    /// # Errors
    /// [`EngineError::Model`] where the runtime fails.
    pub fn arrange(&mut self, wanted: impl Iterator<Item = (Slot, CodeSearch)>) -> Result<(), EngineError> {
        let Some(synthesis) = &mut self.synthesis else { return Ok(()) };
        let (wanted, searches): (Vec<Slot>, Vec<CodeSearch>) = wanted.unzip();
        if wanted.is_empty() {
            self.runs = false;
        } else if !self.runs {
            synthesis.restart(wanted.len() * self.channels)?;
            (self.slots, self.runs) = (wanted, true);
        } else if wanted != self.slots {
            let from = |slot| self.slots.iter().position(|own| *own == slot).unwrap_or(0);
            let channels = self.channels;
            let rows = |&slot: &Slot| (0..channels).map(move |channel| from(slot) * channels + channel);
            synthesis.select(&wanted.iter().flat_map(rows).collect::<Vec<_>>())?;
            self.slots = wanted;
        }
        if self.runs {
            synthesis.refine(|channel| searches[channel / self.channels] == CodeSearch::Refined);
        }
        self.searches = searches;
        Ok(())
    }

    /// Chooses the codes of the next frame of its lanes: `frame_of` a lane's channel is the number of its frame in `encoded`,
    /// `count_of` how many codebooks it uses.
    ///
    /// # Errors
    /// [`EngineError::Model`] where the runtime fails.
    pub fn choose(
        &mut self,
        encoded: &Encoded,
        frame_of: impl Fn(Slot, usize) -> usize,
        count_of: impl Fn(Slot, usize) -> u8,
    ) -> Result<(), EngineError> {
        let Some(synthesis) = self.synthesis.as_mut().filter(|_| self.runs) else { return Ok(()) };
        let (slots, channels) = (&self.slots, self.channels);
        let place = |row: usize| (slots[row / channels], row % channels);
        self.counts.clear();
        self.counts.extend((0..slots.len() * channels).map(|row| count_of(place(row).0, place(row).1)));
        let frame_of = |row: usize| frame_of(place(row).0, place(row).1);
        let chosen = synthesis.choose(encoded, frame_of, &self.counts)?;
        self.chosen.clear();
        self.chosen.extend_from_slice(chosen);
        Ok(())
    }

    /// What was chosen for a channel of the lane of `slot`; `None` where that isn't among them.
    pub fn codes(&self, slot: Slot, channel: usize) -> Option<&[u16]> {
        let lane = self.slots.iter().position(|own| *own == slot).filter(|_| self.runs)?;
        let row = lane * self.channels + channel;
        Some(&self.chosen[row * self.codebooks..][..usize::from(self.counts[row])])
    }

    /// The streams start anew.
    pub fn reset(&mut self) {
        // What is wanted next restarts it.
        self.runs = false;
    }
}
