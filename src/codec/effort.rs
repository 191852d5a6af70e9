//! How much is done to find a frame's codes, where there is more time than in a live loop.

use super::{CodeSearch, MAX_BEAM};

/// What codes are chosen by. None of it costs a bit or changes anything for the decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// The best by the latent's error, of which the decoder's sound decides; 1: the latent alone. At most [`MAX_BEAM`].
    pub candidates: usize,
    /// How often as many are searched anew near what the best so far asks for ([`Synthesis`](crate::model::Synthesis)).
    pub rounds: usize,
}

impl Effort {
    /// By the latent alone.
    pub const LATENT: Self = Self { candidates: 1, rounds: 0 };
    /// By the sound, among few.
    pub const SOUND: Self = Self { candidates: 8, rounds: 0 };
    /// By the sound, and searched anew once, as live.
    pub const REFINED_LIVE: Self = Self { candidates: 8, rounds: 1 };
    /// By the sound, and searched anew: the second and third round are worth 0.04 to 0.1 dB together.
    pub const REFINED: Self = Self { candidates: 16, rounds: 3 };

    /// What it is for a model that has at most so many candidates, one that can't choose by the sound having one; without a
    /// choice nothing is refined.
    pub fn within(self, most_candidates: usize) -> Self {
        let candidates = self.candidates.clamp(1, most_candidates.min(MAX_BEAM));
        Self { candidates, rounds: if candidates > 1 { self.rounds } else { 0 } }
    }
}

impl From<CodeSearch> for Effort {
    /// What a live loop does.
    fn from(search: CodeSearch) -> Self {
        match search {
            CodeSearch::Latent => Self::LATENT,
            CodeSearch::Sound => Self::SOUND,
            CodeSearch::Refined => Self::REFINED_LIVE,
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
        assert_eq!(Effort { candidates: 1, rounds: 3 }.within(64), Effort::LATENT);
        assert_eq!(Effort { candidates: 1000, rounds: 0 }.within(1000).candidates, MAX_BEAM);
    }
}
