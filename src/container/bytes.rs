//! Numbers and texts in a block's payload: little-endian, lengths before contents, no length believed.

use super::ContainerError;

/// A payload being written.
#[derive(Debug, Default)]
pub(super) struct Fields(pub Vec<u8>);

impl Fields {
    pub fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn f32(&mut self, value: f32) {
        self.u32(value.to_bits());
    }

    /// Seven bits a byte, the lowest first; the top bit says that more follow (LEB128).
    pub fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.u8(value as u8 | 0x80);
            value >>= 7;
        }
        self.u8(value as u8);
    }

    /// UTF-8 with its length in bytes before it.
    pub fn text(&mut self, text: &str) -> Result<(), ContainerError> {
        let length = u16::try_from(text.len()).map_err(|_| ContainerError::TooLong { what: "a text" })?;
        self.u16(length);
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

/// A payload being read.
#[derive(Debug, Clone)]
pub(super) struct FieldReader<'a>(&'a [u8]);

/// A payload ended before its fields did, or a field makes no sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

impl<'a> FieldReader<'a> {
    pub fn new(payload: &'a [u8]) -> Self {
        Self(payload)
    }

    /// What hasn't been read.
    pub fn rest(&self) -> &'a [u8] {
        self.0
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    pub fn bytes<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.take()
    }

    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.take().map(u8::from_le_bytes)
    }

    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.take().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.take().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.take().map(u64::from_le_bytes)
    }

    pub fn f32(&mut self) -> Result<f32, Malformed> {
        self.u32().map(f32::from_bits)
    }

    pub fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                return Err(Malformed);
            }
            value |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed)
    }

    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        let length = usize::from(self.u16()?);
        let (text, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        std::str::from_utf8(text).map_err(|_| Malformed)
    }
}
