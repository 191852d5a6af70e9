//! Entropy coding of counts and codes: lossless, a block at a time, in whole numbers only, so that every machine
//! reads what another wrote. The method is described in `docs/format.md`.

mod coder;
mod codes;
mod counts;
mod tables;

pub use tables::Tables;

use super::{MAX_CODEBOOKS, PacketFormat};
use coder::{Distribution, SymbolDecoder, SymbolEncoder};
use codes::CodeModel;
use counts::CountModel;

/// The bytes are no frames of this shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// Counts of the frames that a count is foretold from.
struct Neighbours {
    channels: usize,
    /// Counts of the frames so far, `[frames, channels]`.
    counts: Vec<u8>,
}

impl Neighbours {
    fn get(&self, frame: usize, channel: usize) -> usize {
        usize::from(self.counts[frame * self.channels + channel])
    }

    /// The count of the frame before, and the move of what is nearest.
    fn of(&self, frame: usize, channel: usize) -> (usize, Option<(usize, usize)>) {
        if frame == 0 {
            return if channel == 0 { (1, None) } else { (self.get(0, channel - 1), None) };
        }
        let last = self.get(frame - 1, channel);
        let moved = match channel {
            0 if frame == 1 => None,
            0 => Some((self.get(frame - 2, 0), last)),
            _ => Some((self.get(frame - 1, channel - 1), self.get(frame, channel - 1))),
        };
        (last, moved)
    }
}

/// Encodes the frames of a block: `counts` is `[frames, channels]`, `codes` `[frames, channels, codebooks]`, those
/// from the count on 0. All are `format`'s.
pub(crate) fn encode(
    format: PacketFormat,
    channels: usize,
    counts: &[u8],
    codes: &[u16],
    tables: Option<&Tables>,
) -> Vec<u8> {
    let mut encoder = SymbolEncoder::default();
    if format.constant_count().is_none() {
        let mut model = CountModel::new(format.codebooks());
        let neighbours = Neighbours { channels, counts: counts.to_vec() };
        for (at, &count) in counts.iter().enumerate() {
            let (last, moved) = neighbours.of(at / channels, at % channels);
            let row = model.row(last, moved);
            encoder.encode(usize::from(count) - 1, row);
            row.learn(usize::from(count) - 1);
        }
    }
    let mut model = CodeModel::new(format, channels, tables);
    for (at, (&count, codes)) in counts.iter().zip(codes.chunks_exact(format.codebooks())).enumerate() {
        for (codebook, &code) in codes[..usize::from(count)].iter().enumerate() {
            encoder.encode(code.into(), &model.row(at % channels, codebook, count));
            model.learn(at % channels, codebook, code);
        }
    }
    encoder.finish()
}

/// Bits of the counts alone in what [`encode`] makes of them, by their probabilities.
pub(crate) fn count_cost(format: PacketFormat, channels: usize, counts: &[u8]) -> f64 {
    if format.constant_count().is_some() {
        return 0.0;
    }
    let mut model = CountModel::new(format.codebooks());
    let neighbours = Neighbours { channels, counts: counts.to_vec() };
    let mut bits = 0.0;
    for (at, &count) in counts.iter().enumerate() {
        let (last, moved) = neighbours.of(at / channels, at % channels);
        let (row, symbol) = (model.row(last, moved), usize::from(count) - 1);
        bits += (f64::from(row.below(row.len())) / f64::from(row.below(symbol + 1) - row.below(symbol))).log2();
        row.learn(symbol);
    }
    bits
}

/// Decodes what [`encode`] made of `frames` frames and gives `take` each channel's count and codes, 0 from the count
/// on, in order.
pub(crate) fn decode(
    format: PacketFormat,
    channels: usize,
    data: &[u8],
    frames: usize,
    tables: Option<&Tables>,
    mut take: impl FnMut(usize, &[u16; MAX_CODEBOOKS]),
) -> Result<(), Malformed> {
    let mut decoder = SymbolDecoder::new(data);
    let mut neighbours = Neighbours { channels, counts: Vec::with_capacity(frames * channels) };
    if let Some(count) = format.constant_count() {
        neighbours.counts.resize(frames * channels, count as u8);
    } else {
        let mut model = CountModel::new(format.codebooks());
        for at in 0..frames * channels {
            let (last, moved) = neighbours.of(at / channels, at % channels);
            let row = model.row(last, moved);
            let symbol = decoder.decode(row)?;
            row.learn(symbol);
            neighbours.counts.push(symbol as u8 + 1);
        }
    }
    let mut model = CodeModel::new(format, channels, tables);
    for (at, &count) in neighbours.counts.iter().enumerate() {
        let mut codes = [0; MAX_CODEBOOKS];
        for (codebook, slot) in codes.iter_mut().enumerate().take(count.into()) {
            *slot = decoder.decode(&model.row(at % channels, codebook, count))? as u16;
            model.learn(at % channels, codebook, *slot);
        }
        take(count.into(), &codes);
    }
    Ok(())
}
