//! Frames in a row, and the block that holds them.
//!
//! Payload of a block of frames:
//!
//! ```text
//! first frame varint | frames varint | flags u8 | count u8, where it is constant | data
//! ```
//!
//! In plain data the frames follow one another bit by bit, each with its channels in order, as
//! [`PacketFormat`](crate::codec::PacketFormat) packs them; the last byte is padded with zeros.

use super::block::MAX_PAYLOAD;
use super::bytes::{FieldReader, Fields, Malformed};
use super::{ContainerError, Header, Payload};
use crate::codec::{MAX_CODEBOOKS, PacketFormat, StereoMode, Tables, entropy};
use bitstream_io::{BigEndian, BitReader, BitWrite, BitWriter};

/// Most frames of a block.
pub const MAX_BLOCK_FRAMES: usize = 1024;
/// Most codes of a block, used or not: frames times channels times codebooks.
pub const MAX_BLOCK_CODES: usize = 1 << 15;
/// Most frames that are skipped or missing at once: some hours.
pub const MAX_GAP: u64 = 1 << 20;

const ENTROPY: u8 = 1;
const MID_SIDE: u8 = 2;
const CONSTANT: u8 = 4;
const GAP: u8 = 8;
const MONO: u8 = 16;
/// Bytes before the data, at most.
const MAX_HEAD: usize = 10 + 2 + 1 + 1;

/// Frames in a row of all channels, coded alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Frames {
    first: u64,
    channels: usize,
    codebooks: usize,
    stereo: StereoMode,
    constant: Option<u8>,
    bits: u64,
    /// `[frames, channels]`.
    counts: Vec<u8>,
    /// `[frames, channels, codebooks]`; 0 from the count on.
    codes: Vec<u16>,
}

impl Frames {
    /// No frames yet, of a stream with this header.
    pub(super) fn new(header: &Header, first: u64, stereo: StereoMode, constant: Option<u8>) -> Self {
        let (channels, codebooks) = (stereo.coded_channels(header.channels.into()), header.format.codebooks());
        Self { first, channels, codebooks, stereo, constant, bits: 0, counts: Vec::new(), codes: Vec::new() }
    }

    /// Number of the first frame since the stream's start.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// How many frames there are.
    pub fn len(&self) -> usize {
        self.counts.len() / self.channels
    }

    /// Coded channels of each frame: one where two are coded as their sum.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// How two channels are coded.
    pub fn stereo(&self) -> StereoMode {
        self.stereo
    }

    /// The count of all frames in constant bitrate, where no count is written.
    pub fn constant_count(&self) -> Option<u8> {
        self.constant
    }

    /// Bits of the data they were written in; 0 for frames that weren't.
    pub fn bits(&self) -> u64 {
        self.bits
    }

    /// Codebooks that a channel of a frame (from 0) uses, 1..=Nq.
    ///
    /// # Panics
    /// Where there is no such frame or channel.
    pub fn count(&self, frame: usize, channel: usize) -> usize {
        usize::from(self.counts(frame)[channel])
    }

    /// Counts of a frame (from 0), one a channel.
    ///
    /// # Panics
    /// Where there is no such frame.
    pub fn counts(&self, frame: usize) -> &[u8] {
        &self.counts[frame * self.channels..][..self.channels]
    }

    /// Codes of a channel of a frame (from 0), as many as its count.
    ///
    /// # Panics
    /// Where there is no such frame or channel.
    pub fn codes(&self, frame: usize, channel: usize) -> &[u16] {
        &self.codes[(frame * self.channels + channel) * self.codebooks..][..self.count(frame, channel)]
    }

    /// Bits of the counts alone: what the entropy coder makes of them, and what they take in packets.
    pub fn count_bits(&self, format: PacketFormat) -> (f64, u64) {
        let format = self.format(format);
        let plain = (format.count_bits() * self.counts.len()) as u64;
        (entropy::count_cost(format, self.channels, &self.counts), plain)
    }

    /// Bits that packets of these frames take: the paper's cost.
    pub fn plain_bits(&self, format: PacketFormat) -> u64 {
        let format = self.format(format);
        self.counts.iter().map(|&count| format.frame_bits(usize::from(count)) as u64).sum()
    }

    /// Adds a frame: the codes of each channel, as many as it uses.
    pub(super) fn push<'a>(
        &mut self,
        format: PacketFormat,
        channels: impl ExactSizeIterator<Item = &'a [u16]>,
    ) -> Result<(), ContainerError> {
        if channels.len() != self.channels {
            let (got, wanted) = (channels.len(), self.channels);
            return Err(ContainerError::Frame(format!("{got} channels where the file has {wanted}")));
        }
        let (counts, codes) = (self.counts.len(), self.codes.len());
        for channel in channels {
            let checked = self.format(format).check(channel);
            if let Err(error) = checked {
                self.counts.truncate(counts);
                self.codes.truncate(codes);
                return Err(error.into());
            }
            self.counts.push(channel.len() as u8);
            self.codes.extend_from_slice(channel);
            self.codes.resize(self.counts.len() * self.codebooks, 0);
        }
        Ok(())
    }

    /// Frames of one block, at most.
    pub(super) fn most(header: &Header) -> usize {
        let (channels, codebooks) = (usize::from(header.channels), header.format.codebooks());
        let bits = channels * header.format.frame_bits(codebooks);
        let fitting = (MAX_PAYLOAD - MAX_HEAD) * 8 / bits;
        MAX_BLOCK_FRAMES.min(MAX_BLOCK_CODES / (channels * codebooks)).min(fitting)
    }

    /// The block's payload.
    pub(super) fn payload(&mut self, header: &Header, tables: Option<&Tables>) -> Vec<u8> {
        let format = self.format(header.format);
        let mut data = Vec::new();
        let mut flags = 0;
        if header.payload == Payload::Entropy {
            data = entropy::encode(format, self.channels, &self.counts, &self.codes, tables);
            self.bits = data.len() as u64 * 8;
            flags = ENTROPY;
        }
        let plain = self.plain_bits(header.format);
        // Frames that nothing could have foretold.
        if flags == 0 || self.bits > plain.next_multiple_of(8) {
            (data, flags) = (self.pack(format), 0);
            self.bits = plain;
        }
        let mut fields = head(self.first, self.len() as u64, flags, self.stereo, self.constant);
        fields.0.extend_from_slice(&data);
        fields.0
    }

    fn pack(&self, format: PacketFormat) -> Vec<u8> {
        let mut data = Vec::new();
        let mut writer = BitWriter::endian(&mut data, BigEndian);
        for frame in 0..self.len() {
            for channel in 0..self.channels {
                let packed = format.append(self.codes(frame, channel), &mut writer);
                debug_assert!(packed.is_ok(), "frames are checked where they come in");
            }
        }
        let aligned = writer.byte_align();
        debug_assert!(aligned.is_ok(), "a Vec takes every byte");
        data
    }

    fn unpack(&mut self, data: &[u8], frames: usize, format: PacketFormat) -> Result<(), Malformed> {
        let mut reader = BitReader::endian(data, BigEndian);
        let mut codes = [0; MAX_CODEBOOKS];
        for _ in 0..frames * self.channels {
            let count = format.read(&mut reader, data.len() * 8, &mut codes).map_err(|_| Malformed)?;
            codes[count..].fill(0);
            self.push_channel(count, &codes);
        }
        Ok(())
    }

    /// Adds what was read of one channel: its count and its codes, 0 from the count on.
    fn push_channel(&mut self, count: usize, codes: &[u16; MAX_CODEBOOKS]) {
        self.counts.push(count as u8);
        self.codes.extend_from_slice(&codes[..self.codebooks]);
    }

    fn format(&self, format: PacketFormat) -> PacketFormat {
        // A count of the stream is one of the format.
        self.constant.and_then(|count| format.with_constant_count(count.into()).ok()).unwrap_or(format)
    }
}

fn head(first: u64, frames: u64, flags: u8, stereo: StereoMode, constant: Option<u8>) -> Fields {
    let mut fields = Fields::default();
    fields.varint(first);
    fields.varint(frames);
    let stereo = match stereo {
        StereoMode::LeftRight => 0,
        StereoMode::MidSide => MID_SIDE,
        StereoMode::Mono => MONO,
    };
    fields.u8(flags | stereo | if constant.is_some() { CONSTANT } else { 0 });
    if let Some(count) = constant {
        fields.u8(count);
    }
    fields
}

/// Payload of a block that says that `frames` frames from `first` on were never written.
pub(super) fn gap_payload(first: u64, frames: u64) -> Vec<u8> {
    head(first, frames, GAP, StereoMode::LeftRight, None).0
}

/// A block of frames whose data hasn't been read yet.
#[derive(Debug, Clone)]
pub(super) struct FrameBlock<'a> {
    pub first: u64,
    pub frames: u64,
    flags: u8,
    constant: Option<u8>,
    data: &'a [u8],
}

impl<'a> FrameBlock<'a> {
    pub fn parse(payload: &'a [u8], header: &Header) -> Result<Self, Malformed> {
        let mut fields = FieldReader::new(payload);
        let (first, frames, flags) = (fields.varint()?, fields.varint()?, fields.u8()?);
        let constant = if flags & CONSTANT != 0 { Some(fields.u8()?) } else { None };
        let most = if flags & GAP != 0 { MAX_GAP } else { Frames::most(header) as u64 };
        let known =
            flags & !(ENTROPY | MID_SIDE | CONSTANT | GAP | MONO) == 0 && flags & (MID_SIDE | MONO) != MID_SIDE | MONO;
        let possible = constant.is_none_or(|count| header.format.with_constant_count(count.into()).is_ok());
        if !known || !possible || !(1..=most).contains(&frames) || first.checked_add(frames).is_none() {
            return Err(Malformed);
        }
        Ok(Self { first, frames, flags, constant, data: fields.rest() })
    }

    /// Whether these frames were never written.
    pub fn is_gap(&self) -> bool {
        self.flags & GAP != 0
    }

    /// Whether the data can't be read without the model's tables.
    pub fn needs_tables(&self, header: &Header) -> bool {
        self.flags & ENTROPY != 0 && header.tables.is_some()
    }

    pub fn read(&self, header: &Header, tables: Option<&Tables>) -> Result<Frames, Malformed> {
        let stereo = match self.flags & (MID_SIDE | MONO) {
            0 => StereoMode::LeftRight,
            MID_SIDE => StereoMode::MidSide,
            _ => StereoMode::Mono,
        };
        let mut frames = Frames::new(header, self.first, stereo, self.constant);
        let format = frames.format(header.format);
        if self.flags & ENTROPY != 0 {
            let channels = frames.channels;
            let take = |count: usize, codes: &[u16; MAX_CODEBOOKS]| frames.push_channel(count, codes);
            entropy::decode(format, channels, self.data, self.frames as usize, tables, take).map_err(|_| Malformed)?;
            frames.bits = self.data.len() as u64 * 8;
        } else {
            frames.unpack(self.data, self.frames as usize, format)?;
            frames.bits = frames.plain_bits(header.format);
        }
        Ok(frames)
    }
}
