//! Writing a file, to anything that takes bytes.

use super::block::{self, Kind};
use super::frames::{self, Frames, MAX_GAP};
use super::index::{End, Index};
use super::{ContainerError, Header, Payload, Tags};
use crate::codec::{StereoMode, Tables};
use std::io::Write;
use std::sync::Arc;

/// Seconds of frames that a block holds: what a damaged byte costs at most, and where reading can start. Longer
/// blocks save bytes: their heads are fewer, and entropy coding learns within a block only.
pub const DEFAULT_BLOCK_SECONDS: f64 = 4.0;
/// Blocks of frames from one copy of the header to the next.
const HEADER_EVERY: u64 = 64;

/// Writes a `.vrvq` file. What it keeps is one block and a bounded index, however long the file.
pub struct Writer<W: Write> {
    output: W,
    header: Header,
    tables: Option<Arc<Tables>>,
    block_frames: usize,
    /// Frames of the block being filled.
    frames: Frames,
    index: Index,
    /// Bytes written.
    offset: u64,
    blocks: u64,
    bits: u64,
    plain_bits: u64,
}

impl<W: Write> Writer<W> {
    /// Writes the header and the tags. `tables` are the model's, for entropy coding; `header.tables` is set from them.
    ///
    /// # Errors
    /// [`ContainerError::Header`] for a header that makes no sense, [`ContainerError::TooLong`] for too much text,
    /// [`ContainerError::Io`] where the output takes no bytes.
    pub fn new(
        output: W,
        mut header: Header,
        tags: &Tags,
        tables: Option<Arc<Tables>>,
    ) -> Result<Self, ContainerError> {
        header.check()?;
        let tables = tables.filter(|tables| header.payload == Payload::Entropy && tables.fit(header.format));
        header.tables = tables.as_ref().map(|tables| tables.checksum());
        let block_frames = (DEFAULT_BLOCK_SECONDS * header.frame_rate()).round() as usize;
        let frames = Frames::new(&header, 0, header.stereo, None);
        let mut writer = Self {
            output,
            tables,
            block_frames: block_frames.clamp(1, Frames::most(&header)),
            header,
            frames,
            index: Index::default(),
            offset: 0,
            blocks: 0,
            bits: 0,
            plain_bits: 0,
        };
        let payload = writer.header.payload(false)?;
        writer.write(Kind::HEADER, &payload)?;
        if !tags.is_empty() {
            writer.write(Kind::TAGS, &tags.payload()?)?;
        }
        Ok(writer)
    }

    /// The same with at most `frames` frames a block, for streams whose listener shall not wait.
    pub fn with_block_frames(mut self, frames: usize) -> Self {
        self.block_frames = frames.clamp(1, Frames::most(&self.header));
        self
    }

    /// The header as written.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Number of the next frame: how many there were.
    pub fn frames(&self) -> u64 {
        self.frames.first() + self.frames.len() as u64
    }

    /// Bytes written so far; a block that isn't full isn't counted.
    pub fn bytes(&self) -> u64 {
        self.offset
    }

    /// Bits of the data written so far, and what the same frames cost as plain packets.
    pub fn bits(&self) -> (u64, u64) {
        (self.bits, self.plain_bits)
    }

    /// Adds a frame: for each channel the codes it uses, 1 to Nq. `constant` says that the count is the stream's, not
    /// the frame's (constant bitrate), so that it isn't written with each.
    ///
    /// # Errors
    /// [`ContainerError::Frame`] and [`ContainerError::Packet`] where the frame isn't one of this file; nothing is
    /// lost then. [`ContainerError::Io`] where the output takes no bytes.
    pub fn push<'a>(
        &mut self,
        stereo: StereoMode,
        constant: bool,
        channels: impl ExactSizeIterator<Item = &'a [u16]> + Clone,
    ) -> Result<(), ContainerError> {
        let stereo = if self.header.channels == 2 { stereo } else { StereoMode::LeftRight };
        let mut counts = channels.clone().map(|codes| codes.len() as u8);
        let first = counts.next();
        let constant = first.filter(|&first| constant && counts.all(|count| count == first));
        if self.frames.stereo() != stereo || self.frames.constant_count() != constant {
            self.flush()?;
            self.frames = Frames::new(&self.header, self.frames(), stereo, constant);
        }
        self.frames.push(self.header.format, channels)?;
        if self.frames.len() >= self.block_frames {
            self.flush()?;
        }
        Ok(())
    }

    /// Passes over `frames` frames that there is nothing for: silence.
    ///
    /// # Errors
    /// [`ContainerError::Io`] where the output takes no bytes.
    pub fn skip(&mut self, mut frames: u64) -> Result<(), ContainerError> {
        self.flush()?;
        while frames > 0 {
            let run = frames.min(MAX_GAP);
            let first = self.frames();
            self.write(Kind::FRAMES, &frames::gap_payload(first, run))?;
            self.frames = Frames::new(&self.header, first + run, self.frames.stereo(), self.frames.constant_count());
            frames -= run;
        }
        Ok(())
    }

    /// Writes the block that is being filled, full or not.
    ///
    /// # Errors
    /// [`ContainerError::Io`] where the output takes no bytes.
    pub fn flush(&mut self) -> Result<(), ContainerError> {
        if self.frames.is_empty() {
            return Ok(());
        }
        if self.blocks > 0 && self.blocks.is_multiple_of(HEADER_EVERY) {
            let payload = self.header.payload(true)?;
            self.write(Kind::HEADER, &payload)?;
        }
        let payload = self.frames.payload(&self.header, self.tables.as_deref());
        self.index.push(self.frames.first(), self.offset);
        self.write(Kind::FRAMES, &payload)?;
        self.blocks += 1;
        self.bits += self.frames.bits();
        self.plain_bits += self.frames.plain_bits(self.header.format);
        let (stereo, constant) = (self.frames.stereo(), self.frames.constant_count());
        self.frames = Frames::new(&self.header, self.frames(), stereo, constant);
        self.output.flush()?;
        Ok(())
    }

    /// Adds tags that weren't known at the start.
    ///
    /// # Errors
    /// [`ContainerError::TooLong`] for too much text, [`ContainerError::Io`] where the output takes no bytes.
    pub fn tags(&mut self, tags: &Tags) -> Result<(), ContainerError> {
        self.write(Kind::TAGS, &tags.payload()?)
    }

    /// The output, of which this writer only writes on.
    pub fn output(&mut self) -> &mut W {
        &mut self.output
    }

    /// Writes what is known at the end, with the sound's length in samples of each channel, and gives the output back.
    ///
    /// # Errors
    /// [`ContainerError::Io`] where the output takes no bytes.
    pub fn finish(mut self, length: u64) -> Result<W, ContainerError> {
        self.flush()?;
        let payload = self.header.payload(true)?;
        self.write(Kind::HEADER, &payload)?;
        let index = self.offset;
        self.write(Kind::INDEX, &self.index.payload())?;
        let end = End { length, frames: self.frames(), bits: self.bits, index: Some(index) };
        self.write(Kind::END, &end.payload())?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn write(&mut self, kind: Kind, payload: &[u8]) -> Result<(), ContainerError> {
        self.offset += block::write(&mut self.output, kind, payload)?;
        Ok(())
    }
}
