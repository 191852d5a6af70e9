//! Writing audio block by block.

use super::flac::FlacWriter;
use super::output::Output;
use super::wav::WavWriter;
use std::io;
use std::path::Path;
use std::str::FromStr;

/// Why audio can't be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The file can't be made or written.
    #[error("can't write {name}: {source}")]
    Io { name: String, source: io::Error },
    /// The format can't hold this audio.
    #[error("can't write {name}: {why}")]
    Unsupported { name: String, why: String },
}

impl WriteError {
    /// Whether whoever read standard output is gone.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::BrokenPipe)
    }
}

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioFormat {
    Wav,
    Flac,
}

impl AudioFormat {
    /// The format that a file name asks for.
    pub fn of(path: &Path) -> Option<Self> {
        path.extension()?.to_str()?.parse().ok()
    }

    /// Ending of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Flac => "flac",
        }
    }
}

impl FromStr for AudioFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "wav" | "wave" => Ok(Self::Wav),
            "flac" => Ok(Self::Flac),
            other => Err(format!("\"{other}\" is neither wav nor flac")),
        }
    }
}

/// How samples are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SampleType {
    Int16,
    Int24,
    Float32,
}

impl SampleType {
    /// Bits of a sample.
    pub fn bits(self) -> u16 {
        match self {
            Self::Int16 => 16,
            Self::Int24 => 24,
            Self::Float32 => 32,
        }
    }
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioSpec {
    /// In Hz.
    pub sample_rate: u32,
    pub channels: usize,
    pub samples: SampleType,
    pub format: AudioFormat,
    /// Samples of each channel, where they are known: what can't be sought in is told its length beforehand.
    pub frames: Option<u64>,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Written {
    /// Samples of each channel.
    pub frames: u64,
    /// Samples, of all channels, that were louder than full scale and were clipped.
    pub clipped: u64,
}

enum Encoder {
    Wav(WavWriter),
    Flac(Box<FlacWriter>),
}

/// Audio that is being written.
pub struct AudioWriter {
    encoder: Encoder,
    spec: AudioSpec,
    name: String,
    interleaved: Vec<i32>,
    written: Written,
}

impl AudioWriter {
    /// Starts a file in `output`.
    ///
    /// # Errors
    /// [`WriteError::Unsupported`] where the format can't hold such audio, [`WriteError::Io`] where nothing can be
    /// written.
    pub fn new(output: Output, spec: AudioSpec) -> Result<Self, WriteError> {
        let name = output.name();
        let encoder = match spec.format {
            AudioFormat::Wav => WavWriter::new(output, spec).map(Encoder::Wav),
            AudioFormat::Flac => FlacWriter::new(output, spec).map(|flac| Encoder::Flac(Box::new(flac))),
        };
        let encoder = encoder.map_err(|failure| failure.named(&name))?;
        Ok(Self { encoder, spec, name, interleaved: Vec::new(), written: Written::default() })
    }

    /// Writes the next samples, `[channels][samples]`, of full scale ±1.
    ///
    /// # Errors
    /// [`WriteError`] where the file can't take them.
    ///
    /// # Panics
    /// Where there are more or fewer channels than the file has.
    pub fn write<P: AsRef<[f32]>>(&mut self, planes: &[P]) -> Result<(), WriteError> {
        assert_eq!(planes.len(), self.spec.channels, "one plane for each channel");
        let frames = planes.first().map_or(0, |plane| plane.as_ref().len());
        self.written.frames += frames as u64;
        let written = match (&mut self.encoder, self.spec.samples) {
            (Encoder::Wav(wav), SampleType::Float32) => wav.write_floats(planes),
            (encoder, samples) => {
                self.written.clipped += quantize(planes, samples.bits(), &mut self.interleaved);
                match encoder {
                    Encoder::Wav(wav) => wav.write(&self.interleaved),
                    Encoder::Flac(flac) => flac.write(&self.interleaved),
                }
            }
        };
        written.map_err(|failure| failure.named(&self.name))
    }

    /// Completes the file and gives it its name.
    ///
    /// # Errors
    /// [`WriteError`] where the rest can't be written.
    pub fn finish(self) -> Result<Written, WriteError> {
        let finished = match self.encoder {
            Encoder::Wav(wav) => wav.finish(),
            Encoder::Flac(flac) => flac.finish(),
        };
        finished.map_err(|failure| failure.named(&self.name))?;
        Ok(self.written)
    }
}

/// What the writers of the formats meet.
pub(super) enum Failure {
    Io(io::Error),
    Unsupported(String),
}

impl Failure {
    fn named(self, name: &str) -> WriteError {
        let name = name.to_owned();
        match self {
            Self::Io(source) => WriteError::Io { name, source },
            Self::Unsupported(why) => WriteError::Unsupported { name, why },
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Rounds samples to integers of `bits` bits, interleaved, and counts those that are clipped.
fn quantize<P: AsRef<[f32]>>(planes: &[P], bits: u16, interleaved: &mut Vec<i32>) -> u64 {
    let scale = f64::from(1u32 << (bits - 1));
    let (mut clipped, frames) = (0, planes.first().map_or(0, |plane| plane.as_ref().len()));
    interleaved.clear();
    for frame in 0..frames {
        for plane in planes {
            let value = (f64::from(plane.as_ref()[frame]) * scale).round();
            clipped += u64::from(value < -scale || value > scale);
            interleaved.push(value.clamp(-scale, scale - 1.0) as i32);
        }
    }
    clipped
}
