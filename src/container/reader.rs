//! Reading a file, from anything that gives bytes.

use super::block::{Found, Kind, OVERHEAD, Scanner};
use super::damage::{Damage, DamageKind};
use super::frames::{FrameBlock, Frames, MAX_GAP};
use super::index::{END_PAYLOAD, End, Index};
use super::{ContainerError, Header, Tags};
use crate::codec::Tables;
use std::collections::VecDeque;
use std::io::{Read, Seek};
use std::sync::Arc;

/// Bytes in which a header must come.
const HEADER_PATIENCE: u64 = 1 << 20;

/// What comes next in a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Frames, as they were written.
    Frames(Frames),
    /// Frames that were never written: silence.
    Gap { first: u64, frames: u64 },
    /// Something is wrong; reading goes on behind it.
    Damage(Damage),
}

/// Reads a `.vrvq` file. What it keeps is one block, however long the file.
pub struct Reader<R> {
    scanner: Scanner<R>,
    header: Header,
    /// The stream was joined at a copy of its header: it starts where its first block does.
    joined: bool,
    /// Where the header stood.
    header_at: u64,
    tags: Tags,
    tables: Option<Arc<Tables>>,
    /// Frame that is expected next; `None` before the first block of a stream that was joined.
    next: Option<u64>,
    /// Frames that end before this one are passed over without being read.
    wanted: u64,
    /// Damaged bytes since the last sound block of frames: where, and how many.
    damaged: Option<(u64, u64)>,
    end: Option<End>,
    index: Option<Index>,
    parts: VecDeque<Part>,
    done: bool,
}

impl<R: Read> Reader<R> {
    /// Reads up to the header, which has to come within the first MiB.
    ///
    /// # Errors
    /// [`ContainerError::NoHeader`] where there is none, [`ContainerError::Version`], [`ContainerError::Header`] and
    /// [`ContainerError::Format`] for one that can't be used, [`ContainerError::Io`] where the input can't be read.
    pub fn new(input: R) -> Result<Self, ContainerError> {
        let mut scanner = Scanner::new(input);
        let mut damaged = None;
        let (header, joined, header_at) = loop {
            let offset = scanner.offset();
            match scanner.next(HEADER_PATIENCE)? {
                Some(Found::Block { kind: Kind::HEADER, offset }) => {
                    let (header, joined) = Header::parse(scanner.payload())?;
                    break (header, joined, offset);
                }
                Some(Found::Foreign { offset, bytes }) => damaged = Some((offset, bytes)),
                Some(Found::Block { .. }) => {}
                None => return Err(ContainerError::NoHeader(offset)),
            }
            if scanner.offset() >= HEADER_PATIENCE {
                return Err(ContainerError::NoHeader(scanner.offset()));
            }
        };
        Ok(Self {
            scanner,
            header,
            joined,
            header_at,
            tags: Tags::default(),
            tables: None,
            next: (!joined).then_some(0),
            wanted: 0,
            damaged,
            end: None,
            index: None,
            parts: VecDeque::new(),
            done: false,
        })
    }

    /// What the file states about itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Whether the stream was joined after its start: then it starts with the first frames that come.
    pub fn joined(&self) -> bool {
        self.joined
    }

    /// The tags that have come so far.
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// What the file states at its end, once that was read.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// Gives the tables of the model, which entropy-coded frames may need.
    ///
    /// # Errors
    /// [`ContainerError::Tables`] where the file was written with others.
    pub fn set_tables(&mut self, tables: Option<Arc<Tables>>) -> Result<(), ContainerError> {
        let Some(wanted) = self.header.tables else { return Ok(()) };
        match tables.filter(|tables| tables.checksum() == wanted && tables.fit(self.header.format)) {
            Some(tables) => {
                self.tables = Some(tables);
                Ok(())
            }
            None => Err(self.tables_error(wanted)),
        }
    }

    fn tables_error(&self, wanted: u32) -> ContainerError {
        ContainerError::Tables { wanted, model: self.header.model.name.clone() }
    }

    /// The next frames, gap or damage; `None` at the end.
    ///
    /// # Errors
    /// [`ContainerError::Io`] where the input can't be read, [`ContainerError::Tables`] where the frames need tables
    /// that weren't given. Damage is no error.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Part>, ContainerError> {
        loop {
            if let Some(part) = self.parts.pop_front() {
                return Ok(Some(part));
            }
            if self.done {
                return Ok(None);
            }
            match self.scanner.next(u64::MAX)? {
                Some(Found::Foreign { offset, bytes }) => self.damage(offset, bytes),
                Some(Found::Block { kind, offset }) => self.take_block(kind, offset)?,
                None => {
                    let offset = self.scanner.offset();
                    self.lose(None, offset);
                    let first = self.next.unwrap_or(0);
                    self.report(DamageKind::Cut, first, 0, offset, 0);
                    self.done = true;
                }
            }
        }
    }

    fn take_block(&mut self, kind: Kind, offset: u64) -> Result<(), ContainerError> {
        let bytes = self.scanner.offset() - offset;
        match kind {
            Kind::FRAMES => return self.take_frames(offset),
            // Of another stream, as where files were joined: its frames would be taken for this one's.
            Kind::HEADER if Header::parse(self.scanner.payload()).is_ok_and(|(other, _)| other == self.header) => {}
            Kind::TAGS => match Tags::parse(self.scanner.payload()) {
                Ok(tags) => self.tags.merge(tags),
                Err(_) => self.damage(offset, bytes),
            },
            Kind::END => match End::parse(self.scanner.payload()) {
                Ok(end) => self.take_end(end, offset)?,
                Err(_) => self.damage(offset, bytes),
            },
            Kind::HEADER => {
                self.lose(None, offset);
                self.report(DamageKind::AfterEnd, self.next.unwrap_or(0), 0, offset, 0);
                self.done = true;
            }
            // The index is read where it is needed; other kinds are of later versions.
            _ => {}
        }
        Ok(())
    }

    fn take_frames(&mut self, offset: u64) -> Result<(), ContainerError> {
        let bytes = self.scanner.offset() - offset;
        let Ok(block) = FrameBlock::parse(self.scanner.payload(), &self.header) else {
            self.damage(offset, bytes);
            return Ok(());
        };
        let (first, frames) = (block.first, block.frames);
        let end = first + frames;
        if end <= self.wanted {
            // What is damaged before it isn't asked for.
            self.damaged = None;
            return Ok(());
        }
        let expected = self.next.unwrap_or(first);
        let sought = std::mem::take(&mut self.wanted) > 0;
        if first < expected && !sought {
            self.lose(None, offset);
            self.report(DamageKind::Repeated, first, 0, offset, bytes);
            return Ok(());
        }
        if first.saturating_sub(expected) > MAX_GAP {
            self.damage(offset, bytes);
            return Ok(());
        }
        let part = if block.is_gap() {
            Part::Gap { first, frames }
        } else {
            let tables = self.tables.as_deref();
            if let (true, None, Some(wanted)) = (block.needs_tables(&self.header), tables, self.header.tables) {
                return Err(self.tables_error(wanted));
            }
            match block.read(&self.header, tables) {
                Ok(frames) => Part::Frames(frames),
                Err(_) => {
                    self.damage(offset, bytes);
                    return Ok(());
                }
            }
        };
        self.lose(Some(first.max(expected)), offset);
        self.next = Some(end);
        self.parts.push_back(part);
        Ok(())
    }

    fn take_end(&mut self, end: End, offset: u64) -> Result<(), ContainerError> {
        let missing = end.frames.saturating_sub(self.next.unwrap_or(end.frames));
        let known = missing <= MAX_GAP;
        self.lose(known.then_some(end.frames.max(self.next.unwrap_or(0))), offset);
        self.end = Some(end);
        self.done = true;
        let behind = self.scanner.offset();
        if self.scanner.next(1)?.is_some() {
            self.report(DamageKind::AfterEnd, end.frames, 0, behind, 0);
        }
        Ok(())
    }

    fn damage(&mut self, offset: u64, bytes: u64) {
        self.damaged = Some(self.damaged.map_or((offset, bytes), |(first, sum)| (first, sum + bytes)));
    }

    /// Reports damaged bytes and missing frames before `next`, where it is known.
    fn lose(&mut self, next: Option<u64>, offset: u64) {
        let first = self.next.or(next).unwrap_or(0);
        let frames = next.map_or(0, |next| next - first);
        match self.damaged.take() {
            Some((offset, bytes)) => self.report(DamageKind::Bytes, first, frames, offset, bytes),
            None if frames > 0 => self.report(DamageKind::Missing, first, frames, offset, 0),
            None => {}
        }
    }

    fn report(&mut self, kind: DamageKind, first: u64, frames: u64, offset: u64, bytes: u64) {
        self.parts.push_back(Part::Damage(Damage { kind, first, frames, offset, bytes }));
    }

    /// The input, from somewhere behind what was read.
    pub fn into_input(self) -> R {
        self.scanner.into_input()
    }
}

impl<R: Read + Seek> Reader<R> {
    /// As [`Self::new`], and reads what stands at the end: length and index. A file whose first header is damaged is
    /// read from its first frame all the same, by a copy of the header.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn open(input: R) -> Result<Self, ContainerError> {
        let mut reader = Self::new(input)?;
        let start = if reader.header_at > 0 {
            // A stream that was joined starts with a copy of the header; here something was before it.
            (reader.joined, reader.next, reader.damaged) = (false, Some(0), None);
            0
        } else {
            reader.scanner.offset()
        };
        reader.read_end()?;
        reader.scanner.seek(start)?;
        Ok(reader)
    }

    fn read_end(&mut self) -> Result<(), ContainerError> {
        let length = self.scanner.length()?;
        let Some(offset) = length.checked_sub((OVERHEAD + END_PAYLOAD) as u64) else { return Ok(()) };
        self.scanner.seek(offset)?;
        if let Some(Found::Block { kind: Kind::END, .. }) = self.scanner.next(1)?
            && let Ok(end) = End::parse(self.scanner.payload())
        {
            self.end = Some(end);
            let Some(offset) = end.index.filter(|&index| index < offset) else { return Ok(()) };
            self.scanner.seek(offset)?;
            if let Some(Found::Block { kind: Kind::INDEX, .. }) = self.scanner.next(1)? {
                self.index = Index::parse(self.scanner.payload()).ok();
            }
        }
        Ok(())
    }

    /// Goes to `frame`: the next frames are those of the block that holds it, which may begin earlier. Without an
    /// index, as in a file that was cut off, the file is searched from its start.
    ///
    /// # Errors
    /// [`ContainerError::Io`] where the input can't be read.
    pub fn seek(&mut self, frame: u64) -> Result<(), ContainerError> {
        let offset = self.index.as_ref().and_then(|index| index.offset_for(frame)).unwrap_or(0);
        self.scanner.seek(offset)?;
        self.parts.clear();
        (self.damaged, self.done) = (None, false);
        (self.wanted, self.next) = (frame, Some(frame));
        Ok(())
    }
}
