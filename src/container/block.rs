//! Blocks: the frame that everything in a file stands in, and finding the next one where bytes are damaged.
//!
//! ```text
//! sync "VRVQ" | kind u8 | length u16 | check u8 | payload | CRC-32 of kind, length, check and payload
//! ```
//!
//! The check byte (kind and both bytes of the length, exclusive-ored with [`CHECK`]) spares most of the payloads that
//! only look like a block; the CRC decides. A block that fails is searched for others from its second byte on, so a
//! damaged length costs nothing but its own block.

use std::io::{self, Read, Seek, SeekFrom, Write};

/// What every block begins with.
pub const SYNC: [u8; 4] = *b"VRVQ";
/// Longest payload in bytes.
pub const MAX_PAYLOAD: usize = u16::MAX as usize;
/// Bytes of a block besides its payload.
pub const OVERHEAD: usize = HEAD + CRC;
const CHECK: u8 = 0xa5;
const HEAD: usize = 8;
const CRC: usize = 4;

/// What a block holds; bytes other than these are of later versions and passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind(pub u8);

impl Kind {
    pub const HEADER: Self = Self(b'H');
    pub const TAGS: Self = Self(b'T');
    pub const FRAMES: Self = Self(b'F');
    pub const INDEX: Self = Self(b'I');
    pub const END: Self = Self(b'E');
}

fn head(kind: Kind, length: u16) -> [u8; HEAD] {
    let [low, high] = length.to_le_bytes();
    let [a, b, c, d] = SYNC;
    [a, b, c, d, kind.0, low, high, kind.0 ^ low ^ high ^ CHECK]
}

fn crc(parts: [&[u8]; 2]) -> [u8; CRC] {
    let mut hasher = crc32fast::Hasher::new();
    parts.into_iter().for_each(|part| hasher.update(part));
    hasher.finalize().to_le_bytes()
}

/// Writes a block and returns its length in bytes.
///
/// # Panics
/// Where the payload is longer than [`MAX_PAYLOAD`].
pub fn write(output: &mut impl Write, kind: Kind, payload: &[u8]) -> io::Result<u64> {
    let length = u16::try_from(payload.len()).expect("a payload is bounded where it is made");
    let head = head(kind, length);
    output.write_all(&head)?;
    output.write_all(payload)?;
    output.write_all(&crc([&head[SYNC.len()..], payload]))?;
    Ok((OVERHEAD + payload.len()) as u64)
}

/// What stands next in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A sound block at `offset`; its payload is [`Scanner::payload`] until the next call.
    Block { kind: Kind, offset: u64 },
    /// Bytes that belong to no sound block.
    Foreign { offset: u64, bytes: u64 },
}

/// Reads blocks one after the other; memory is bounded by the longest block.
#[derive(Debug)]
pub struct Scanner<R> {
    input: R,
    /// Bytes read ahead, from `start` on.
    buffer: Vec<u8>,
    start: usize,
    /// Position in the input of `buffer[start]`.
    offset: u64,
    /// Payload of the last block, in `buffer`.
    payload: std::ops::Range<usize>,
    /// Foreign bytes before `offset` that haven't been reported yet.
    foreign: u64,
    ended: bool,
}

impl<R: Read> Scanner<R> {
    pub fn new(input: R) -> Self {
        Self { input, buffer: Vec::new(), start: 0, offset: 0, payload: 0..0, foreign: 0, ended: false }
    }

    /// Payload of the block that [`Self::next`] found.
    pub fn payload(&self) -> &[u8] {
        &self.buffer[self.payload.clone()]
    }

    /// Position of what comes next.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    pub fn into_input(self) -> R {
        self.input
    }

    /// The next block or stretch of foreign bytes; `None` at the end. Foreign bytes are reported at most `patience`
    /// at a time, so that a caller can give up on an endless input.
    pub fn next(&mut self, patience: u64) -> io::Result<Option<Found>> {
        loop {
            if self.foreign >= patience {
                return Ok(Some(self.take_foreign()));
            }
            if !self.fill(OVERHEAD)? {
                let rest = self.buffer.len() - self.start;
                self.pass_over(rest);
                return Ok((self.foreign > 0).then(|| self.take_foreign()));
            }
            let waiting = &self.buffer[self.start..];
            if !waiting.starts_with(&SYNC) {
                let next = waiting.iter().skip(1).position(|&byte| byte == SYNC[0]);
                let run = next.map_or(waiting.len(), |at| at + 1);
                self.pass_over(run);
                continue;
            }
            let (kind, length) = (Kind(waiting[4]), u16::from_le_bytes([waiting[5], waiting[6]]));
            let whole = OVERHEAD + usize::from(length);
            if waiting[..HEAD] != head(kind, length) || !self.fill(whole)? {
                self.pass_over(1);
                continue;
            }
            let block = &self.buffer[self.start..][..whole];
            let (covered, stored) = block.split_at(whole - CRC);
            if crc([&covered[SYNC.len()..], &[]]) != *stored {
                self.pass_over(1);
                continue;
            }
            if self.foreign > 0 {
                // The block is found again at the next call.
                return Ok(Some(self.take_foreign()));
            }
            let found = Found::Block { kind, offset: self.offset };
            self.payload = self.start + HEAD..self.start + whole - CRC;
            self.start += whole;
            self.offset += whole as u64;
            return Ok(Some(found));
        }
    }

    fn take_foreign(&mut self) -> Found {
        let bytes = std::mem::take(&mut self.foreign);
        Found::Foreign { offset: self.offset - bytes, bytes }
    }

    fn pass_over(&mut self, bytes: usize) {
        self.start += bytes;
        self.offset += bytes as u64;
        self.foreign += bytes as u64;
    }

    /// Reads on until `wanted` bytes wait, but no further; false where the input ends before.
    fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        while self.buffer.len() - self.start < wanted {
            if self.ended {
                return Ok(false);
            }
            if self.start > 0 {
                self.buffer.drain(..self.start);
                self.start = 0;
            }
            let had = self.buffer.len();
            self.buffer.resize(wanted.max(READ_AHEAD), 0);
            let read = self.input.read(&mut self.buffer[had..]);
            self.buffer.truncate(had + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// Bytes that a read asks for at least.
const READ_AHEAD: usize = 1 << 13;

impl<R: Read + Seek> Scanner<R> {
    /// Goes on at `offset`.
    pub fn seek(&mut self, offset: u64) -> io::Result<()> {
        self.input.seek(SeekFrom::Start(offset))?;
        self.buffer.clear();
        (self.start, self.offset, self.payload, self.foreign, self.ended) = (0, offset, 0..0, 0, false);
        Ok(())
    }

    /// Length of the input in bytes; where reading goes on stays the same only after [`Self::seek`].
    pub fn length(&mut self) -> io::Result<u64> {
        self.input.seek(SeekFrom::End(0))
    }
}
