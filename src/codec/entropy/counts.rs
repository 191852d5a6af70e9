//! How many codebooks a frame uses, foretold from the frames around it: adaptive, from the same start in each block.

use super::coder::Distribution;
use crate::codec::MAX_CODEBOOKS;

/// Frequency of a count at the start, by its distance to the frame's before.
const START: [u16; 4] = [96, 24, 6, 2];
/// What a count that has come is more frequent by.
const STEP: u16 = 32;

/// Frequencies of the counts in one context.
#[derive(Clone)]
pub(super) struct CountRow {
    frequencies: [u16; MAX_CODEBOOKS],
    codebooks: usize,
}

impl Distribution for CountRow {
    fn len(&self) -> usize {
        self.codebooks
    }

    fn below(&self, symbol: usize) -> u32 {
        self.frequencies[..symbol].iter().map(|&frequency| u32::from(frequency)).sum()
    }
}

/// The counts of a block: one row for each count of the frame before and each move of the channel before.
pub(super) struct CountModel {
    rows: Vec<CountRow>,
    codebooks: usize,
}

/// How the count of what is nearest moved: down, not at all, up, or nothing is known.
const MOVES: usize = 4;

impl CountModel {
    pub fn new(codebooks: usize) -> Self {
        let row = |last: usize| {
            let mut frequencies = [0; MAX_CODEBOOKS];
            for (count, frequency) in frequencies.iter_mut().enumerate().take(codebooks) {
                *frequency = START[count.abs_diff(last).min(START.len() - 1)];
            }
            CountRow { frequencies, codebooks }
        };
        let rows = (0..codebooks).flat_map(|last| std::iter::repeat_n(row(last), MOVES)).collect();
        Self { rows, codebooks }
    }

    /// The row for a channel whose count was `last` in the frame before, where `moved` are the last two counts of
    /// what is nearest: the channel before it in this frame and the last, or the channel itself in the two last.
    pub fn row(&mut self, last: usize, moved: Option<(usize, usize)>) -> &mut CountRow {
        let turn = match moved {
            None => 3,
            Some((before, now)) => (1 + usize::from(now > before)) - usize::from(now < before),
        };
        &mut self.rows[(last - 1).min(self.codebooks - 1) * MOVES + turn]
    }
}

impl CountRow {
    /// Learns that a count, less 1, has come.
    pub fn learn(&mut self, symbol: usize) {
        self.frequencies[symbol] = self.frequencies[symbol].saturating_add(STEP);
    }
}
