//! Tables of a model: how frequent its codes are, by the code of the frame before.

use super::Malformed;
use crate::codec::PacketFormat;

/// Sum of the frequencies of a row.
const SUM: u32 = 1 << 16;
/// Version of the tables' format.
const VERSION: u8 = 1;

/// How frequent the codes of a model are. For each codebook, the code of the frame before chooses a row of
/// frequencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    codebooks: Vec<Codebook>,
    size: usize,
    checksum: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Codebook {
    /// Row for each code of the frame before.
    chosen: Vec<u8>,
    /// Cumulative frequencies, `[rows, size + 1]`; the first row is for frames without one before.
    rows: Vec<u32>,
}

impl Tables {
    /// Reads tables: version, number of codebooks, their size less 1 (u16, little-endian as all that follows); for each
    /// codebook the number of rows less 1, where there is more than one row the row for each code of the frame
    /// before (u8), and the rows' frequencies (u16), each at least 1, 65536 in sum.
    ///
    /// `None` where the bytes are no tables.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Self::parse(bytes).ok()
    }

    fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut rest = bytes;
        let mut take = |length: usize| {
            let (taken, left) = rest.split_at_checked(length).ok_or(Malformed)?;
            rest = left;
            Ok::<_, Malformed>(taken)
        };
        let head = take(4)?;
        let (number, size) = (usize::from(head[1]), usize::from(u16::from_le_bytes([head[2], head[3]])) + 1);
        if head[0] != VERSION || PacketFormat::new(number, size).is_err() {
            return Err(Malformed);
        }
        let mut codebooks = Vec::with_capacity(number);
        for _ in 0..number {
            let count = usize::from(take(1)?[0]) + 1;
            let chosen = if count > 1 { take(size)?.to_vec() } else { vec![0; size] };
            if chosen.iter().any(|&row| usize::from(row) >= count) {
                return Err(Malformed);
            }
            let mut rows = Vec::new();
            for row in take(count * size * 2)?.chunks_exact(size * 2) {
                let mut sum = 0;
                for pair in row.chunks_exact(2) {
                    rows.push(sum);
                    let frequency = u32::from(u16::from_le_bytes([pair[0], pair[1]]));
                    if frequency == 0 {
                        return Err(Malformed);
                    }
                    sum += frequency;
                }
                rows.push(sum);
                if sum != SUM {
                    return Err(Malformed);
                }
            }
            codebooks.push(Codebook { chosen, rows });
        }
        let end = rest.is_empty();
        end.then_some(Self { codebooks, size, checksum: crc32fast::hash(bytes) }).ok_or(Malformed)
    }

    /// CRC-32 of the bytes they were read from: what a file names them by.
    pub fn checksum(&self) -> u32 {
        self.checksum
    }

    /// Whether they are of a model with these codebooks.
    pub fn fit(&self, format: PacketFormat) -> bool {
        self.codebooks.len() == format.codebooks() && self.size == format.codebook_size()
    }

    /// Cumulative frequencies of a codebook's codes, `size + 1` of them, by the code of the frame before.
    pub(super) fn row(&self, codebook: usize, last: Option<u16>) -> &[u32] {
        let Codebook { chosen, rows } = &self.codebooks[codebook];
        let row = last.map_or(0, |code| usize::from(chosen[usize::from(code)]));
        &rows[row * (self.size + 1)..][..self.size + 1]
    }
}
