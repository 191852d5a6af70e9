//! Symbols by integer frequencies through `constriction`'s range coder.

use super::Malformed;
use constriction::stream::model::{DecoderModel, EncoderModel, EntropyModel};
use constriction::stream::queue::{DefaultRangeDecoder, DefaultRangeEncoder};
use constriction::stream::{Decode, Encode};
use std::borrow::Borrow;
use std::num::NonZeroU32;

/// Bits of a probability.
const PRECISION: usize = 24;

/// How likely symbols `0..len` are, in whole numbers: the same on every machine.
pub(super) trait Distribution {
    /// Number of symbols.
    fn len(&self) -> usize;

    /// Sum of the frequencies of the symbols before `symbol`, which may be `len`: then of all, at most 2^24. Every
    /// frequency is at least 1.
    fn below(&self, symbol: usize) -> u32;
}

/// A distribution as fixed-point probabilities: cumulative frequencies scaled to 2^24 and rounded down.
struct Scaled<'a, D>(&'a D);

impl<D: Distribution> Scaled<'_, D> {
    fn left(&self, symbol: usize) -> u32 {
        ((u64::from(self.0.below(symbol)) << PRECISION) / u64::from(self.0.below(self.0.len()))) as u32
    }

    fn left_and_width(&self, symbol: usize) -> Option<(u32, NonZeroU32)> {
        let left = self.left(symbol);
        Some((left, NonZeroU32::new(self.left(symbol + 1) - left)?))
    }
}

impl<D: Distribution> EntropyModel<PRECISION> for Scaled<'_, D> {
    type Symbol = usize;
    type Probability = u32;
}

impl<D: Distribution> EncoderModel<PRECISION> for Scaled<'_, D> {
    fn left_cumulative_and_probability(&self, symbol: impl Borrow<usize>) -> Option<(u32, NonZeroU32)> {
        self.left_and_width(*symbol.borrow())
    }
}

impl<D: Distribution> DecoderModel<PRECISION> for Scaled<'_, D> {
    fn quantile_function(&self, quantile: u32) -> (usize, u32, NonZeroU32) {
        let (mut low, mut high) = (0, self.0.len());
        while high - low > 1 {
            let middle = low.midpoint(high);
            if self.left(middle) <= quantile { low = middle } else { high = middle }
        }
        let (left, width) = self.left_and_width(low).expect("every frequency is at least 1");
        (low, left, width)
    }
}

/// Writes symbols.
#[derive(Default)]
pub(super) struct SymbolEncoder(DefaultRangeEncoder);

impl SymbolEncoder {
    /// Writes `symbol`, which is one of the distribution's.
    pub fn encode(&mut self, symbol: usize, distribution: &impl Distribution) {
        // One that can't be otherwise takes no bits.
        if distribution.len() > 1 {
            let written = self.0.encode_symbol(symbol, Scaled(distribution));
            debug_assert!(written.is_ok(), "every frequency is at least 1, and a Vec takes every word");
        }
    }

    /// The words, most significant byte first, without zero bytes at the end.
    pub fn finish(self) -> Vec<u8> {
        let Ok(words) = self.0.into_compressed();
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        bytes.truncate(bytes.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1));
        bytes
    }
}

/// Reads symbols.
pub(super) struct SymbolDecoder(DefaultRangeDecoder);

impl SymbolDecoder {
    pub fn new(bytes: &[u8]) -> Self {
        let words: Vec<u32> = bytes
            .chunks(4)
            .map(|chunk| {
                let mut word = [0; 4];
                word[..chunk.len()].copy_from_slice(chunk);
                u32::from_be_bytes(word)
            })
            .collect();
        let Ok(decoder) = DefaultRangeDecoder::from_compressed(words);
        Self(decoder)
    }

    pub fn decode(&mut self, distribution: &impl Distribution) -> Result<usize, Malformed> {
        if distribution.len() == 1 {
            return Ok(0);
        }
        self.0.decode_symbol(Scaled(distribution)).map_err(|_| Malformed)
    }
}
