//! Codecs that are programs of their own.

use crate::audio::{
    AudioFormat, AudioReader, AudioSpec, AudioWriter, Output, ReadError, ResampleError, SampleType, WriteError,
    coded_bits, resample,
};
use crate::measure::{align, lag};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Why another codec can't be measured.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// The program can't be run or fails.
    #[error("{program}: {why}")]
    Program { program: String, why: String },
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error(transparent)]
    Resample(#[from] ResampleError),
}

/// A signal that went through a codec.
#[derive(Debug, Clone, PartialEq)]
pub struct CodedSignal {
    /// In line with what went in, at its rate, and as long.
    pub samples: Vec<f32>,
    /// Bits of the codec's packets, without any container.
    pub bits: u64,
    /// What was asked of it, e.g. a mode.
    pub setting: String,
}

/// Largest misalignment that is looked for, in seconds: more than any of these codecs delays.
const MOST_LAG: f64 = 0.12;
/// How near to a wanted bitrate is near enough, as a share of it, and how often that is tried.
const NEAR: f64 = 0.02;
const TRIES: usize = 6;
/// Bitrates in kb/s that the encoders accept for one channel.
const OPUS_KBPS: (f64, f64) = (6.0, 256.0);
const MP3_KBPS: (f64, f64) = (8.0, 310.0);
/// Codec2's modes by bitrate in b/s.
const CODEC2_MODES: [(f64, &str); 7] = [
    (700.0, "700C"),
    (1200.0, "1200"),
    (1300.0, "1300"),
    (1400.0, "1400"),
    (1600.0, "1600"),
    (2400.0, "2400"),
    (3200.0, "3200"),
];
const CODEC2_RATE: u32 = 8000;

/// A codec that is a program of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExternalCodec {
    /// By `opusenc` and `opusdec`.
    Opus,
    /// Opus by `ffmpeg`.
    OpusByFfmpeg,
    /// MP3 by `lame`.
    Mp3,
    /// Codec2 by `c2enc` and `c2dec`: speech at 8 kHz.
    Codec2,
}

/// Where a program lies.
fn program(name: &str) -> Option<PathBuf> {
    let with_ending = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(&with_ending))
        .find(|path| path.is_file())
}

/// The codecs on this machine, and those that aren't, with the programs they would need.
pub fn find() -> (Vec<ExternalCodec>, Vec<(&'static str, &'static str)>) {
    let has = |names: &[&str]| names.iter().all(|name| program(name).is_some());
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    if has(&["opusenc", "opusdec"]) {
        found.push(ExternalCodec::Opus);
    } else if has(&["ffmpeg"]) && ffmpeg_has_opus() {
        found.push(ExternalCodec::OpusByFfmpeg);
    } else {
        missing.push(("Opus", "opusenc and opusdec (opus-tools), or ffmpeg with libopus"));
    }
    if has(&["c2enc", "c2dec"]) {
        found.push(ExternalCodec::Codec2);
    } else {
        missing.push(("Codec2", "c2enc and c2dec (codec2)"));
    }
    if has(&["lame"]) {
        found.push(ExternalCodec::Mp3);
    } else {
        missing.push(("MP3", "lame"));
    }
    (found, missing)
}

fn ffmpeg_has_opus() -> bool {
    let output = Command::new("ffmpeg").args(["-hide_banner", "-encoders"]).stdin(Stdio::null()).output();
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("libopus"))
}

/// Runs a program; its words are the error where it fails.
fn run(name: &str, arguments: &[&str]) -> Result<(), CodecError> {
    let failed = |why: String| CodecError::Program { program: name.to_owned(), why };
    let output = Command::new(name).args(arguments).stdin(Stdio::null()).output().map_err(|e| failed(e.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(failed(if words.is_empty() { output.status.to_string() } else { words }))
}

fn text(path: &Path) -> &str {
    // The folder is ours and its names are ASCII, unless the system's temporary folder isn't.
    path.to_str().unwrap_or_default()
}

impl ExternalCodec {
    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opus | Self::OpusByFfmpeg => "Opus",
            Self::Mp3 => "MP3",
            Self::Codec2 => "Codec2",
        }
    }

    /// Sends `samples`, one channel at `sample_rate` Hz, through the codec at the bitrate nearest to `kilobits` that it
    /// can be brought to; what it really had is counted from its packets.
    ///
    /// # Errors
    /// [`CodecError`] where its programs fail.
    pub fn code(self, samples: &[f32], sample_rate: u32, kilobits: f64) -> Result<CodedSignal, CodecError> {
        let seconds = samples.len() as f64 / f64::from(sample_rate);
        let (low, high) = match self {
            Self::Codec2 => return codec2(samples, sample_rate, kilobits),
            Self::Opus | Self::OpusByFfmpeg => OPUS_KBPS,
            Self::Mp3 => MP3_KBPS,
        };
        let folder = tempfile::tempdir()?;
        let [source, coded, decoded] = ["in.wav", "coded.bin", "out.wav"].map(|name| folder.path().join(name));
        write_wav(&source, samples, sample_rate)?;
        // What an encoder is asked for and what it spends differ; it is asked again until they don't.
        let (mut asked, mut best): (f64, Option<(f64, f64)>) = (kilobits.clamp(low, high), None);
        for _ in 0..TRIES {
            self.encode(&source, &coded, asked)?;
            let spent = coded_bits(&coded)? as f64 / 1000.0 / seconds;
            let error = (spent / kilobits).ln().abs();
            let better = best.is_none_or(|(_, best)| error < best);
            if better {
                best = Some((asked, error));
            }
            let next = (asked * (kilobits / spent.max(1e-3)).clamp(0.5, 2.0)).clamp(low, high);
            if error < NEAR || (next / asked - 1.0).abs() < 1e-3 {
                break;
            }
            asked = next;
        }
        let asked = best.map_or(asked, |(asked, _)| asked);
        self.encode(&source, &coded, asked)?;
        self.decode(&coded, &decoded, sample_rate)?;
        let samples = aligned(samples, sample_rate, &read_first(&decoded, sample_rate)?)?;
        Ok(CodedSignal { samples, bits: coded_bits(&coded)?, setting: format!("{asked:.2} kb/s") })
    }

    fn encode(self, source: &Path, coded: &Path, kilobits: f64) -> Result<(), CodecError> {
        let (source, coded) = (text(source), text(coded));
        match self {
            Self::Opus => run("opusenc", &["--quiet", "--bitrate", &format!("{kilobits:.3}"), source, coded]),
            Self::OpusByFfmpeg => {
                let bits = format!("{:.0}", kilobits * 1000.0);
                let quiet = ["-hide_banner", "-loglevel", "error", "-y", "-i", source];
                run("ffmpeg", &[&quiet[..], &["-c:a", "libopus", "-b:a", &bits, "-f", "ogg", coded]].concat())
            }
            // Its average bitrates are whole numbers of kb/s.
            Self::Mp3 => run("lame", &["--quiet", "-m", "m", "--abr", &format!("{kilobits:.0}"), source, coded]),
            Self::Codec2 => Ok(()),
        }
    }

    fn decode(self, coded: &Path, decoded: &Path, sample_rate: u32) -> Result<(), CodecError> {
        let (coded, decoded, rate) = (text(coded), text(decoded), sample_rate.to_string());
        match self {
            Self::Opus => run("opusdec", &["--quiet", "--rate", &rate, coded, decoded]),
            Self::OpusByFfmpeg => {
                let quiet = ["-hide_banner", "-loglevel", "error", "-y", "-i", coded];
                run("ffmpeg", &[&quiet[..], &["-ar", &rate, decoded]].concat())
            }
            Self::Mp3 => run("lame", &["--quiet", "--decode", "--mp3input", coded, decoded]),
            Self::Codec2 => Ok(()),
        }
    }
}

fn codec2(samples: &[f32], sample_rate: u32, kilobits: f64) -> Result<CodedSignal, CodecError> {
    let distance = |bits: f64| (bits / 1000.0 / kilobits).ln().abs();
    let mode = CODEC2_MODES.iter().min_by(|a, b| distance(a.0).total_cmp(&distance(b.0))).map_or("3200", |mode| mode.1);
    let folder = tempfile::tempdir()?;
    let [source, coded, decoded] = ["in.raw", "coded.bin", "out.raw"].map(|name| folder.path().join(name));
    let narrow = resample(&[samples.to_vec()], sample_rate, CODEC2_RATE)?;
    let integer = |sample: &f32| ((sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16).to_le_bytes();
    std::fs::write(&source, narrow[0].iter().flat_map(integer).collect::<Vec<u8>>())?;
    run("c2enc", &[mode, text(&source), text(&coded)])?;
    run("c2dec", &[mode, text(&coded), text(&decoded)])?;
    let decoded: Vec<f32> = std::fs::read(&decoded)?
        .chunks_exact(2)
        .map(|pair| f32::from(i16::from_le_bytes([pair[0], pair[1]])) / 32_768.0)
        .collect();
    let wide = resample(&[decoded], CODEC2_RATE, sample_rate)?;
    let aligned = aligned(samples, sample_rate, &wide[0])?;
    Ok(CodedSignal { samples: aligned, bits: std::fs::metadata(&coded)?.len() * 8, setting: mode.to_owned() })
}

fn aligned(original: &[f32], sample_rate: u32, decoded: &[f32]) -> Result<Vec<f32>, CodecError> {
    let most = (MOST_LAG * f64::from(sample_rate)) as usize;
    Ok(align(decoded, lag(original, decoded, most), original.len()))
}

/// Writes a WAV of one channel.
pub(super) fn write_wav(path: &Path, samples: &[f32], sample_rate: u32) -> Result<(), CodecError> {
    let spec = AudioSpec {
        sample_rate,
        channels: 1,
        samples: SampleType::Int16,
        format: AudioFormat::Wav,
        frames: Some(samples.len() as u64),
    };
    let mut writer = AudioWriter::new(Output::create(path)?, spec)?;
    writer.write(&[samples])?;
    writer.finish()?;
    Ok(())
}

/// The first channel of a file at `sample_rate` Hz: at low bitrates MP3 encoders choose low rates of their own.
fn read_first(path: &Path, sample_rate: u32) -> Result<Vec<f32>, CodecError> {
    let mut reader = AudioReader::open(path)?;
    let mut samples = Vec::new();
    while let Some(planes) = reader.read()? {
        samples.extend_from_slice(&planes[0]);
    }
    Ok(resample(&[samples], reader.sample_rate(), sample_rate)?.swap_remove(0))
}
