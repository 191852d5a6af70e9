//! How much is done to find a frame's codes, where there is more time than in a live loop.

use super::{CodeSearch, MAX_BEAM};

/// What codes are chosen by. None of it costs a bit or changes anything for the decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// The best by the latent's error, of which the decoder's sound decides; 1: the latent alone. At most [`MAX_BEAM`].
    pub candidates: usize,
    /// As many candidates more, by how the decoder answers to changes of the latent at the best of the first: slower by far.
    pub refine: bool,
}

impl Effort {
    /// By the latent alone.
    pub const LATENT: Self = Self { candidates: 1, refine: false };
    /// By the sound, among few.
    pub const SOUND: Self = Self { candidates: 8, refine: false };
    /// By the sound, and searched anew.
    pub const REFINED: Self = Self { candidates: 16, refine: true };

    /// What it is for a model that has at most so many candidates, one that can't choose by the sound having one; without a
    /// choice nothing is refined.
    pub fn within(self, most_candidates: usize) -> Self {
        let candidates = self.candidates.clamp(1, most_candidates.min(MAX_BEAM));
        Self { candidates, refine: self.refine && candidates > 1 }
    }
}

impl From<CodeSearch> for Effort {
    /// What a live loop does.
    fn from(search: CodeSearch) -> Self {
        match search {
            CodeSearch::Latent => Self::LATENT,
            CodeSearch::Sound => Self::SOUND,
        }
    }
}

impl Default for Effort {
    fn default() -> Self {
        Self::SOUND
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_cannot_choose_refines_nothing() {
        assert_eq!(Effort::REFINED.within(1), Effort::LATENT);
        assert_eq!(Effort::REFINED.within(64), Effort::REFINED);
        assert_eq!(Effort { candidates: 1, refine: true }.within(64), Effort::LATENT);
        assert_eq!(Effort { candidates: 1000, refine: false }.within(1000).candidates, MAX_BEAM);
    }
}
