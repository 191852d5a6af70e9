//! The bits of one frame: count - 1 in ceil(log2 Nq) bits, then the code of each used codebook in
//! ceil(log2 size) bits, most significant bit first, zero-padded to whole bytes.
//!
//! In constant bitrate the count is part of the format and isn't sent.
//!
//! The bit cost is the paper's transmission cost (3 bits of count, 10 bits a code, for 8 codebooks of 1024);
//! the padding is not counted, since packets of a stream can be joined bit by bit.

use bitstream_io::{BigEndian, BitRead, BitReader, BitWrite, BitWriter};
use thiserror::Error;

/// How the frames of a model are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketFormat {
    codebooks: usize,
    codebook_size: usize,
    /// The count of every frame, where it isn't sent.
    constant: Option<usize>,
}

/// The bits of one frame of one channel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packet {
    bytes: Vec<u8>,
    bits: usize,
}

/// Why a packet could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PacketError {
    /// The format itself makes no sense.
    #[error("a packet format needs 1 to {max} codebooks of 2 to 65536 entries, not {codebooks} of {codebook_size}", max = super::MAX_CODEBOOKS)]
    Format { codebooks: usize, codebook_size: usize },
    /// More codes, or fewer, than a frame of this format can have.
    #[error("a frame has 1 to {codebooks} codes, not {count}")]
    Count { count: usize, codebooks: usize },
    /// A code outside its codebook.
    #[error("code {code} of codebook {codebook} is outside 0..{codebook_size}")]
    Code { code: usize, codebook: usize, codebook_size: usize },
    /// The packet ends before its frame does.
    #[error("the packet ends after {bits} bits, inside its frame")]
    Truncated { bits: usize },
}

impl Packet {
    /// Length in bits, without the padding to whole bytes.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// The packed bytes, the last one padded with zero bits.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Bits that number the values `0..n`.
fn bits_for(n: usize) -> u32 {
    n.next_power_of_two().trailing_zeros()
}

impl PacketFormat {
    /// A format for `codebooks` codebooks of `codebook_size` entries each.
    ///
    /// # Errors
    /// [`PacketError::Format`] where either is zero or too large.
    pub fn new(codebooks: usize, codebook_size: usize) -> Result<Self, PacketError> {
        if (1..=super::MAX_CODEBOOKS).contains(&codebooks) && (2..=65536).contains(&codebook_size) {
            Ok(Self { codebooks, codebook_size, constant: None })
        } else {
            Err(PacketError::Format { codebooks, codebook_size })
        }
    }

    /// The same for constant bitrate: every frame uses `count` codebooks, 1 to Nq, and no count is sent.
    ///
    /// # Errors
    /// [`PacketError::Count`] for a count the format doesn't have.
    pub fn with_constant_count(self, count: usize) -> Result<Self, PacketError> {
        if (1..=self.codebooks).contains(&count) {
            Ok(Self { constant: Some(count), ..self })
        } else {
            Err(PacketError::Count { count, codebooks: self.codebooks })
        }
    }

    /// The count of every frame, in constant bitrate.
    pub fn constant_count(&self) -> Option<usize> {
        self.constant
    }

    /// Bits of the count: none in constant bitrate.
    pub fn count_bits(&self) -> usize {
        if self.constant.is_some() { 0 } else { bits_for(self.codebooks) as usize }
    }

    /// Number of codebooks Nq.
    pub fn codebooks(&self) -> usize {
        self.codebooks
    }

    /// Entries in each codebook.
    pub fn codebook_size(&self) -> usize {
        self.codebook_size
    }

    /// Bits a frame of `count` codebooks costs: 10·n + 3 for 8 codebooks of 1024, 10·n in constant bitrate.
    pub fn frame_bits(&self, count: usize) -> usize {
        self.count_bits() + bits_for(self.codebook_size) as usize * count
    }

    /// Packs the codes of one frame into `packet`, replacing what it held; its allocation is reused.
    ///
    /// # Errors
    /// [`PacketError::Count`] where `codes` is empty or too long, or has another count than the constant one,
    /// [`PacketError::Code`] where a code is out of range.
    pub fn pack(&self, codes: &[u16], packet: &mut Packet) -> Result<(), PacketError> {
        packet.bytes.clear();
        packet.bits = 0;
        let mut writer = BitWriter::endian(&mut packet.bytes, BigEndian);
        self.append(codes, &mut writer)?;
        let aligned = writer.byte_align();
        debug_assert!(aligned.is_ok(), "a Vec takes every byte");
        packet.bits = self.frame_bits(codes.len());
        Ok(())
    }

    /// Whether `codes` are those of a frame.
    ///
    /// # Errors
    /// As [`Self::pack`].
    pub fn check(&self, codes: &[u16]) -> Result<(), PacketError> {
        let Self { codebooks, codebook_size, constant } = *self;
        let wrong = constant.is_some_and(|count| count != codes.len());
        if codes.is_empty() || codes.len() > codebooks || wrong {
            return Err(PacketError::Count { count: codes.len(), codebooks });
        }
        match codes.iter().enumerate().find(|(_, code)| usize::from(**code) >= codebook_size) {
            Some((codebook, &code)) => Err(PacketError::Code { code: code.into(), codebook, codebook_size }),
            None => Ok(()),
        }
    }

    /// As [`Self::pack`], behind the bits that were written before.
    pub(crate) fn append(
        &self,
        codes: &[u16],
        writer: &mut BitWriter<&mut Vec<u8>, BigEndian>,
    ) -> Result<(), PacketError> {
        self.check(codes)?;
        let written = writer
            .write_var(self.count_bits() as u32, if self.constant.is_some() { 0 } else { codes.len() as u32 - 1 })
            .and_then(|()| {
                codes.iter().try_for_each(|&code| writer.write_var(bits_for(self.codebook_size), u32::from(code)))
            });
        debug_assert!(written.is_ok(), "a Vec takes every byte");
        Ok(())
    }

    /// Unpacks one frame from `bytes` into `codes` and returns its count.
    ///
    /// # Errors
    /// [`PacketError::Truncated`] where the bytes end too early; [`PacketError::Count`] and [`PacketError::Code`]
    /// where the bits name a count or a code that the format doesn't have.
    pub fn unpack(&self, bytes: &[u8], codes: &mut [u16; super::MAX_CODEBOOKS]) -> Result<usize, PacketError> {
        self.read(&mut BitReader::endian(bytes, BigEndian), bytes.len() * 8, codes)
    }

    /// As [`Self::unpack`], from where the last frame ended; `bits` is the length of the whole.
    pub(crate) fn read(
        &self,
        reader: &mut BitReader<&[u8], BigEndian>,
        bits: usize,
        codes: &mut [u16; super::MAX_CODEBOOKS],
    ) -> Result<usize, PacketError> {
        let Self { codebooks, codebook_size, constant } = *self;
        let truncated = |_| PacketError::Truncated { bits };
        let count = match constant {
            Some(count) => count,
            None => reader.read_var::<u32>(bits_for(codebooks)).map_err(truncated)? as usize + 1,
        };
        if count > codebooks {
            return Err(PacketError::Count { count, codebooks });
        }
        for (codebook, slot) in codes.iter_mut().take(count).enumerate() {
            let code = reader.read_var::<u32>(bits_for(codebook_size)).map_err(truncated)? as usize;
            if code >= codebook_size {
                return Err(PacketError::Code { code, codebook, codebook_size });
            }
            *slot = code as u16;
        }
        Ok(count)
    }
}
