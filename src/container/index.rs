//! What a file states behind its last frame: where blocks of frames begin, and how much there was.

use super::bytes::{FieldReader, Fields, Malformed};

/// Most entries kept; where there would be more, every other one is dropped.
const MAX_ENTRIES: usize = 2048;
/// Length of the end block's payload in bytes.
pub const END_PAYLOAD: usize = 32;
/// Stands for no index.
const NONE: u64 = u64::MAX;

/// Places where blocks of frames begin: first frame and byte offset, both rising.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    entries: Vec<(u64, u64)>,
    /// Blocks from one entry to the next.
    spacing: u64,
    /// Blocks seen.
    blocks: u64,
}

impl Default for Index {
    fn default() -> Self {
        Self { entries: Vec::new(), spacing: 1, blocks: 0 }
    }
}

impl Index {
    /// Takes in the next block of frames.
    pub fn push(&mut self, first: u64, offset: u64) {
        if self.blocks.is_multiple_of(self.spacing) {
            if self.entries.len() == MAX_ENTRIES {
                let mut keep = false;
                self.entries.retain(|_| {
                    keep = !keep;
                    keep
                });
                self.spacing *= 2;
            }
            self.entries.push((first, offset));
        }
        self.blocks += 1;
    }

    /// Offset of the last known block that begins at `frame` or before.
    pub fn offset_for(&self, frame: u64) -> Option<u64> {
        let at = self.entries.partition_point(|&(first, _)| first <= frame);
        Some(self.entries[at.checked_sub(1)?].1)
    }

    /// Entries as differences to the one before.
    pub fn payload(&self) -> Vec<u8> {
        let mut fields = Fields::default();
        let mut last = (0, 0);
        for &(first, offset) in &self.entries {
            fields.varint(first - last.0);
            fields.varint(offset - last.1);
            last = (first, offset);
        }
        fields.0
    }

    pub fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let mut fields = FieldReader::new(payload);
        let mut index = Self::default();
        let (mut first, mut offset) = (0u64, 0u64);
        while !fields.rest().is_empty() {
            first = first.checked_add(fields.varint()?).ok_or(Malformed)?;
            offset = offset.checked_add(fields.varint()?).ok_or(Malformed)?;
            index.entries.push((first, offset));
        }
        Ok(index)
    }
}

/// What is known at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Samples of each channel at the sound's sample rate.
    pub length: u64,
    /// Frames, those that were skipped included.
    pub frames: u64,
    /// Bits of the frames' data: what is counted as bitrate. Neither block headers nor padding of whole blocks.
    pub bits: u64,
    /// Where the index block begins.
    pub index: Option<u64>,
}

impl End {
    pub(super) fn payload(&self) -> Vec<u8> {
        let mut fields = Fields::default();
        fields.u64(self.length);
        fields.u64(self.frames);
        fields.u64(self.bits);
        fields.u64(self.index.unwrap_or(NONE));
        fields.0
    }

    pub(super) fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        let mut fields = FieldReader::new(payload);
        let (length, frames, bits, index) = (fields.u64()?, fields.u64()?, fields.u64()?, fields.u64()?);
        Ok(Self { length, frames, bits, index: Some(index).filter(|&index| index != NONE) })
    }
}
