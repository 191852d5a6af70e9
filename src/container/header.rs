//! What a file states about itself before its first frame.

use super::ContainerError;
use super::bytes::{FieldReader, Fields, Malformed};
use crate::codec::{PacketFormat, RateControl, StereoMode, Target};

/// Version of the format that this program writes, and the only one it reads.
pub const VERSION: u8 = 1;
/// Most channels.
pub const MAX_CHANNELS: usize = 32;
/// Sample rates accepted, in Hz.
pub const SAMPLE_RATES: std::ops::RangeInclusive<u32> = 1_000..=1_000_000;
/// Longest hop accepted, in samples.
const MAX_HOP: u32 = 1 << 16;
/// Longest delay accepted, in seconds.
const MAX_DELAY: u32 = 10;
/// Stands for a length that isn't known yet.
const UNKNOWN: u64 = u64::MAX;

/// How codes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Payload {
    /// Count and codes as [`PacketFormat`] packs them: the paper's cost.
    Plain,
    /// The same counts and codes, entropy-coded.
    #[default]
    Entropy,
}

/// The model that a file was made with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ModelId {
    pub name: String,
    /// SHA-256 of the model file.
    pub hash: [u8; 32],
}

impl ModelId {
    /// The hash in hexadecimal digits, as `sha256sum` writes it.
    pub fn hash_text(&self) -> String {
        self.hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What a file states before its first frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    pub model: ModelId,
    /// Sample rate of the model in Hz.
    pub model_rate: u32,
    /// Samples of one frame at the model's rate.
    pub hop: u32,
    /// How frames are packed: number and size of the codebooks.
    pub format: PacketFormat,
    /// Sample rate of the sound that was coded and is to be given back, in Hz.
    pub sample_rate: u32,
    /// Channels of the sound, each coded as a stream of its own.
    pub channels: u8,
    /// How the first two of two channels are coded at the start; each block of frames states its own.
    pub stereo: StereoMode,
    /// Samples at the model's rate by which the decoder's output lags the sound: they are dropped.
    pub delay: u32,
    /// Samples of each channel at [`Self::sample_rate`], where it was known before the end.
    pub length: Option<u64>,
    /// What decided how many codebooks frames use, where it was one thing from the start on.
    pub rate: Option<RateControl>,
    pub payload: Payload,
    /// Checksum of the model's code tables ([`Tables::checksum`](crate::codec::Tables::checksum)), where the codes are written with them.
    pub tables: Option<u32>,
}

impl Header {
    /// Frames a second.
    pub fn frame_rate(&self) -> f64 {
        f64::from(self.model_rate) / f64::from(self.hop)
    }

    /// Frames that `length` samples of each channel at [`Self::sample_rate`] take, the delay included.
    pub fn frames_for(&self, length: u64) -> u64 {
        let samples = (u128::from(length) * u128::from(self.model_rate)).div_ceil(u128::from(self.sample_rate));
        (samples + u128::from(self.delay)).div_ceil(u128::from(self.hop)) as u64
    }

    /// Checks what [`Self::parse`] checks.
    pub(super) fn check(&self) -> Result<(), ContainerError> {
        let wrong = |what: String| Err(ContainerError::Header(what));
        for (name, rate) in [("sample rate", self.sample_rate), ("model's sample rate", self.model_rate)] {
            if !SAMPLE_RATES.contains(&rate) {
                let (low, high) = (SAMPLE_RATES.start(), SAMPLE_RATES.end());
                return wrong(format!("a {name} of {rate} Hz is outside {low}..{high}"));
            }
        }
        if !(1..=MAX_HOP).contains(&self.hop) {
            return wrong(format!("a hop of {} samples is outside 1..{MAX_HOP}", self.hop));
        }
        if !(1..=MAX_CHANNELS).contains(&usize::from(self.channels)) {
            return wrong(format!("{} channels are outside 1..{MAX_CHANNELS}", self.channels));
        }
        if self.delay > MAX_DELAY * self.model_rate {
            return wrong(format!("a delay of {} samples is longer than {MAX_DELAY} s", self.delay));
        }
        Ok(())
    }

    /// The header's payload; `repeated` marks the copies after the first.
    pub(super) fn payload(&self, repeated: bool) -> Result<Vec<u8>, ContainerError> {
        self.check()?;
        let mut fields = Fields::default();
        fields.u8(VERSION);
        fields.u8(u8::from(repeated));
        fields.0.extend_from_slice(&self.model.hash);
        fields.text(&self.model.name)?;
        fields.u32(self.model_rate);
        fields.u32(self.hop);
        fields.u8(self.format.codebooks() as u8);
        fields.u16((self.format.codebook_size() - 1) as u16);
        fields.u32(self.sample_rate);
        fields.u8(self.channels);
        fields.u8(self.stereo as u8);
        fields.u32(self.delay);
        fields.u64(self.length.unwrap_or(UNKNOWN));
        let (mode, value, window) = match self.rate {
            None => (0, 0.0, 0.0),
            Some(RateControl::Level(level)) => (1, level, 0.0),
            Some(RateControl::Codebooks(number)) => (2, f32::from(number), 0.0),
            Some(RateControl::Target(Target { kilobits, window })) => (3, kilobits, window),
        };
        fields.u8(mode);
        fields.f32(value);
        fields.f32(window);
        fields.u8(u8::from(self.payload == Payload::Entropy));
        fields.u8(u8::from(self.tables.is_some()));
        fields.u32(self.tables.unwrap_or(0));
        Ok(fields.0)
    }

    /// Reads a header's payload; true where it is a copy, not the first.
    ///
    /// # Errors
    /// [`ContainerError::Version`] for a later version, [`ContainerError::Header`] and [`ContainerError::Format`] for
    /// what can't be.
    pub(super) fn parse(payload: &[u8]) -> Result<(Self, bool), ContainerError> {
        let mut fields = FieldReader::new(payload);
        let version = fields.u8().map_err(too_short)?;
        if version != VERSION {
            return Err(ContainerError::Version { found: version });
        }
        let (header, repeated) = Self::fields(&mut fields).map_err(too_short)??;
        header.check()?;
        Ok((header, repeated))
    }

    /// Everything behind the version; later versions may add fields behind these.
    fn fields(fields: &mut FieldReader<'_>) -> Result<Result<(Self, bool), ContainerError>, Malformed> {
        let repeated = fields.u8()? & 1 == 1;
        let model = ModelId { hash: fields.bytes()?, name: fields.text()?.into() };
        let (model_rate, hop) = (fields.u32()?, fields.u32()?);
        let (codebooks, size) = (usize::from(fields.u8()?), usize::from(fields.u16()?) + 1);
        let format = match PacketFormat::new(codebooks, size) {
            Ok(format) => format,
            Err(error) => return Ok(Err(ContainerError::Format(error))),
        };
        let (sample_rate, channels) = (fields.u32()?, fields.u8()?);
        let stereo = match fields.u8()? {
            1 => StereoMode::MidSide,
            2 => StereoMode::Mono,
            _ => StereoMode::LeftRight,
        };
        let delay = fields.u32()?;
        let length = Some(fields.u64()?).filter(|&length| length != UNKNOWN);
        let (mode, value, window) = (fields.u8()?, fields.f32()?, fields.f32()?);
        let rate = match mode {
            1 => Some(RateControl::Level(value)),
            2 => Some(RateControl::Codebooks(value as u8)),
            3 => Some(RateControl::Target(Target { kilobits: value, window })),
            _ => None,
        };
        let payload = match fields.u8()? {
            0 => Payload::Plain,
            1 => Payload::Entropy,
            other => return Ok(Err(ContainerError::Header(format!("payload {other} isn't known here")))),
        };
        let tables = (fields.u8()? == 1, fields.u32()?);
        let tables = tables.0.then_some(tables.1);
        let header = Self {
            model,
            model_rate,
            hop,
            format,
            sample_rate,
            channels,
            stereo,
            delay,
            length,
            rate: rate.map(RateControl::clamped),
            payload,
            tables,
        };
        Ok(Ok((header, repeated)))
    }
}

fn too_short(_: Malformed) -> ContainerError {
    ContainerError::Header("it ends too early or holds a text that isn't UTF-8".into())
}
