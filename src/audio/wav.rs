//! WAV by hound's header and samples: with its lengths where they are known or one can go back to fill them in, and
//! else without them, as programs write it that stream.

use super::output::Output;
use super::write::{AudioSpec, Failure, SampleType};
use hound::{Sample, SampleFormat, WavSpec};
use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Most bytes of samples that the 32 bits of the header can count.
const MAX_BYTES: u64 = u32::MAX as u64 - 1024;

/// A WAV file that is being written.
pub struct WavWriter {
    output: Output,
    bits: u16,
    /// Length of everything before the samples.
    header: u64,
    bytes: u64,
}

fn failed(error: hound::Error) -> Failure {
    match error {
        hound::Error::IoError(error) => Failure::Io(error),
        other => Failure::Unsupported(other.to_string()),
    }
}

fn too_long() -> Failure {
    Failure::Unsupported("a WAV file holds 4 GiB at most; FLAC holds more".into())
}

/// The lengths that the header states, of the file and of its samples, for `bytes` of samples behind `header` bytes.
fn lengths(header: u64, bytes: u64) -> [[u8; 4]; 2] {
    // Chunks are padded to even lengths.
    [header - 8 + bytes + bytes % 2, bytes].map(|length| (length as u32).to_le_bytes())
}

/// Gives a WAV file of this program its lengths that was left unfinished, and cuts off what is no whole frame.
///
/// # Errors
/// Where it is no such file or can't be written.
pub fn mend_wav(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    // The header ends with the head of the samples; 68 bytes are the longest that hound writes.
    let mut start = Vec::new();
    Read::by_ref(&mut file).take(68).read_to_end(&mut start)?;
    let no_wav = || io::Error::new(io::ErrorKind::InvalidData, "it is no WAV file of this program");
    let at = start.windows(4).position(|name| name == b"data").ok_or_else(no_wav)?;
    let frame = start.get(32..34).filter(|_| start.starts_with(b"RIFF")).ok_or_else(no_wav)?;
    let (header, frame) = (at as u64 + 8, u64::from(u16::from_le_bytes([frame[0], frame[1]])).max(1));
    let bytes = file.metadata()?.len().saturating_sub(header) / frame * frame;
    let [whole, samples] = lengths(header, bytes);
    file.set_len(header + bytes)?;
    file.seek(SeekFrom::Start(4))?;
    file.write_all(&whole)?;
    file.seek(SeekFrom::Start(header - 4))?;
    file.write_all(&samples)
}

impl WavWriter {
    pub fn new(mut output: Output, spec: AudioSpec) -> Result<Self, Failure> {
        let bits = spec.samples.bits();
        let sample_format = if spec.samples == SampleType::Float32 { SampleFormat::Float } else { SampleFormat::Int };
        let channels = u16::try_from(spec.channels).unwrap_or(u16::MAX);
        let wav = WavSpec { channels, sample_rate: spec.sample_rate, bits_per_sample: bits, sample_format };
        let mut header = wav.into_header_for_infinite_file();
        let bytes = spec.frames.map(|frames| frames.saturating_mul(spec.channels as u64 * u64::from(bits / 8)));
        match bytes {
            Some(bytes) if bytes <= MAX_BYTES => {
                let (end, [file, samples]) = (header.len(), lengths(header.len() as u64, bytes));
                header[4..8].copy_from_slice(&file);
                header[end - 4..].copy_from_slice(&samples);
            }
            Some(_) if output.seekable() => return Err(too_long()),
            _ => {}
        }
        output.write_all(&header)?;
        Ok(Self { output, bits, header: header.len() as u64, bytes: 0 })
    }

    pub fn write(&mut self, interleaved: &[i32]) -> Result<(), Failure> {
        interleaved.iter().try_for_each(|&sample| self.write_sample(sample))
    }

    pub fn write_floats<P: AsRef<[f32]>>(&mut self, planes: &[P]) -> Result<(), Failure> {
        let frames = planes.first().map_or(0, |plane| plane.as_ref().len());
        for frame in 0..frames {
            for plane in planes {
                self.write_sample(plane.as_ref()[frame])?;
            }
        }
        Ok(())
    }

    fn write_sample<S: Sample>(&mut self, sample: S) -> Result<(), Failure> {
        self.bytes += u64::from(self.bits / 8);
        if self.bytes > MAX_BYTES && self.output.seekable() {
            return Err(too_long());
        }
        sample.write(&mut self.output, self.bits).map_err(failed)
    }

    pub fn finish(mut self) -> Result<(), Failure> {
        if self.bytes % 2 == 1 {
            self.output.write_all(&[0])?;
        }
        if self.output.seekable() {
            let [file, samples] = lengths(self.header, self.bytes);
            self.output.seek(SeekFrom::Start(4))?;
            self.output.write_all(&file)?;
            self.output.seek(SeekFrom::Start(self.header - 4))?;
            self.output.write_all(&samples)?;
        }
        Ok(self.output.finish()?)
    }
}
