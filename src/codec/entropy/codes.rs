//! Codes: by the model's tables where it has some, and by what has come in the block.

use super::Tables;
use super::coder::Distribution;
use crate::codec::PacketFormat;

/// Sum of the frequencies that the codes of a codebook have at the start.
const START: u32 = 1 << 16;
/// What a code that has come is more frequent by.
const STEP: u32 = 128;

/// Frequencies of the codes of one codebook.
pub(super) struct CodeRow<'a> {
    size: usize,
    /// Cumulative frequencies by the tables, `size + 1` of them; all alike without.
    table: Option<&'a [u32]>,
    /// What has come in the block, in order of value.
    seen: &'a [u16],
}

impl Distribution for CodeRow<'_> {
    fn len(&self) -> usize {
        self.size
    }

    fn below(&self, symbol: usize) -> u32 {
        let start = match self.table {
            Some(table) => table[symbol],
            None => symbol as u32 * (START / self.size as u32),
        };
        start + STEP * self.seen.partition_point(|&code| usize::from(code) < symbol) as u32
    }
}

/// The codes of a block.
pub(super) struct CodeModel<'a> {
    format: PacketFormat,
    tables: Option<&'a Tables>,
    /// Codes of each codebook that have come, in order of value, all channels together.
    seen: Vec<Vec<u16>>,
    /// Code of the frame before, `[channels, codebooks]`.
    last: Vec<Option<u16>>,
}

impl<'a> CodeModel<'a> {
    pub fn new(format: PacketFormat, channels: usize, tables: Option<&'a Tables>) -> Self {
        let codebooks = format.codebooks();
        Self { format, tables, seen: vec![Vec::new(); codebooks], last: vec![None; channels * codebooks] }
    }

    /// Frequencies of the next code of a channel.
    pub fn row(&self, channel: usize, codebook: usize, _count: u8) -> CodeRow<'_> {
        let last = self.last[channel * self.format.codebooks() + codebook];
        let table = self.tables.map(|tables| tables.row(codebook, last));
        CodeRow { size: self.format.codebook_size(), table, seen: &self.seen[codebook] }
    }

    /// Learns that a code has come.
    pub fn learn(&mut self, channel: usize, codebook: usize, code: u16) {
        self.last[channel * self.format.codebooks() + codebook] = Some(code);
        let seen = &mut self.seen[codebook];
        let at = seen.partition_point(|&other| other < code);
        seen.insert(at, code);
    }
}
