//! WAV and FLAC files, decoded whole and resampled to the device's rate.

use audioadapter_buffers::direct::SequentialSliceOfVecs;
use rubato::{Fft, FixedSync, Resampler};
use std::io::Cursor;
use std::path::Path;
use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error as SymphoniaError;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};
use symphonia::core::meta::MetadataOptions;

/// Longest piece of a file that is kept: a quarter of a gigabyte in stereo at 48 kHz.
const MAX_SECONDS: usize = 600;
/// Most channels that are kept.
const MAX_CHANNELS: usize = 2;

/// Why a file can't be played.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    #[error("can't open {name}: {why}")]
    Open { name: String, why: std::io::Error },
    #[error("can't play {name}: {why}")]
    Unsupported { name: String, why: String },
    #[error("can't play {name}: it holds no audio")]
    Empty { name: String },
    #[error("can't resample {name} from {from} to {to} Hz: {why}")]
    Resample { name: String, from: u32, to: u32, why: String },
}

/// A piece of audio in memory.
#[derive(Debug, Clone)]
pub struct Clip {
    /// File name, without folder.
    pub name: String,
    /// Sample rate in Hz.
    pub sample_rate: u32,
    /// One or two channels of the same length, at least one sample each.
    pub channels: Vec<Vec<f32>>,
    /// What the user should know: channels left out, damaged parts.
    pub notes: Vec<String>,
}

impl Clip {
    /// Reads a WAV or FLAC file.
    ///
    /// # Errors
    /// [`ClipError`] names the file and why it can't be opened or played.
    pub fn open(path: &Path) -> Result<Self, ClipError> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let shown = || path.display().to_string();
        let file = std::fs::File::open(path).map_err(|why| ClipError::Open { name: shown(), why })?;
        if file.metadata().is_ok_and(|data| data.is_dir()) {
            let why = std::io::Error::from(std::io::ErrorKind::IsADirectory);
            return Err(ClipError::Open { name: shown(), why });
        }
        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
            hint.with_extension(extension);
        }
        decode(name, shown(), &hint, Box::new(file))
    }

    /// Reads a WAV or FLAC file that is in memory.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn from_bytes(name: &str, bytes: &'static [u8]) -> Result<Self, ClipError> {
        decode(name.to_string(), name.to_string(), &Hint::new(), Box::new(Cursor::new(bytes)))
    }

    /// Samples of each channel.
    pub fn frames(&self) -> usize {
        self.channels[0].len()
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        self.frames() as f64 / f64::from(self.sample_rate)
    }

    /// The clip at another sample rate.
    ///
    /// # Errors
    /// [`ClipError::Resample`] for rates the resampler refuses.
    pub fn at_rate(&self, sample_rate: u32) -> Result<Self, ClipError> {
        if sample_rate == self.sample_rate {
            return Ok(self.clone());
        }
        let fail =
            |why: String| ClipError::Resample { name: self.name.clone(), from: self.sample_rate, to: sample_rate, why };
        let (count, frames) = (self.channels.len(), self.frames());
        let (from, to) = (self.sample_rate as usize, sample_rate as usize);
        let mut resampler = Fft::<f32>::new(from, to, 1024, count, FixedSync::Both).map_err(|e| fail(e.to_string()))?;
        let input = SequentialSliceOfVecs::new(&self.channels, count, frames).map_err(|e| fail(e.to_string()))?;
        let resampled = resampler.process_all(&input, frames, None).map_err(|e| fail(e.to_string()))?;
        let samples = resampled.take_data();
        let channels: Vec<Vec<f32>> =
            (0..count).map(|channel| samples.iter().skip(channel).step_by(count).copied().collect()).collect();
        if channels[0].is_empty() {
            return Err(fail("it is too short".to_string()));
        }
        Ok(Self { sample_rate, channels, ..self.clone() })
    }
}

/// Text of an error for someone who doesn't know the library.
fn explain(error: &SymphoniaError) -> String {
    match error {
        SymphoniaError::Unsupported(_) => "it is neither WAV nor FLAC".into(),
        SymphoniaError::IoError(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => "it ends too early".into(),
        other => other.to_string(),
    }
}

/// Decodes `source`; `shown` names it in errors.
fn decode(name: String, shown: String, hint: &Hint, source: Box<dyn MediaSource>) -> Result<Clip, ClipError> {
    let unsupported = |why: String| ClipError::Unsupported { name: shown.clone(), why };
    let stream = MediaSourceStream::new(source, Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(hint, stream, FormatOptions::default(), MetadataOptions::default())
        .map_err(|e| unsupported(explain(&e)))?;
    let track = format.default_track(TrackType::Audio).ok_or_else(|| unsupported("no audio track".to_string()))?;
    let track_id = track.id;
    let parameters = track
        .codec_params
        .as_ref()
        .and_then(|parameters| parameters.audio())
        .ok_or_else(|| unsupported("no audio track".to_string()))?;
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|e| unsupported(explain(&e)))?;

    let mut channels: Vec<Vec<f32>> = Vec::new();
    let mut planes: Vec<Vec<f32>> = Vec::new();
    let mut sample_rate = 0;
    let mut notes = Vec::new();
    let mut damaged = 0;
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            Err(e) => {
                notes.push(format!("the rest of the file can't be read: {}", explain(&e)));
                break;
            }
        };
        if packet.track_id != track_id {
            continue;
        }
        let Ok(audio) = decoder.decode(&packet) else {
            damaged += 1;
            continue;
        };
        if channels.is_empty() {
            sample_rate = audio.spec().rate();
            channels = vec![Vec::new(); audio.num_planes().min(MAX_CHANNELS)];
            if audio.num_planes() > MAX_CHANNELS {
                notes.push(format!("only the first two of {} channels are played", audio.num_planes()));
            }
        }
        audio.copy_to_vecs_planar(&mut planes);
        for (channel, plane) in channels.iter_mut().zip(&planes) {
            channel.extend_from_slice(plane);
        }
        if channels.first().is_some_and(|channel| channel.len() > MAX_SECONDS * sample_rate as usize) {
            notes.push(format!("only the first {} minutes are played", MAX_SECONDS / 60));
            channels.iter_mut().for_each(|channel| channel.truncate(MAX_SECONDS * sample_rate as usize));
            break;
        }
    }
    let frames = channels.iter().map(Vec::len).min().unwrap_or(0);
    if frames == 0 || sample_rate == 0 {
        // Notes on the way to nothing are the reason.
        return Err(match notes.pop() {
            Some(why) => unsupported(why),
            None if damaged > 0 => unsupported("every packet is damaged".to_string()),
            None => ClipError::Empty { name: shown },
        });
    }
    channels.iter_mut().for_each(|channel| channel.truncate(frames));
    for sample in channels.iter_mut().flatten() {
        *sample = if sample.is_finite() { *sample } else { 0.0 };
    }
    if damaged > 0 {
        notes.push(format!("{damaged} damaged packets are left out"));
    }
    Ok(Clip { name, sample_rate, channels, notes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(rate: u32, frames: usize) -> Clip {
        let channel = (0..frames).map(|i| (std::f32::consts::TAU * 440.0 * i as f32 / rate as f32).sin()).collect();
        Clip { name: "sine".to_string(), sample_rate: rate, channels: vec![channel], notes: Vec::new() }
    }

    #[test]
    fn resampling_keeps_length_and_alignment() {
        for (from, to) in [(44_100, 48_000), (48_000, 44_100), (22_050, 96_000), (44_101, 48_000)] {
            let clip = sine(from, from as usize);
            let resampled = clip.at_rate(to).unwrap();
            let wanted = sine(to, to as usize);
            assert!(resampled.frames().abs_diff(to as usize) <= 1, "{from} -> {to}: {} frames", resampled.frames());
            let middle = to as usize / 4..to as usize / 2;
            let error = middle.map(|i| (resampled.channels[0][i] - wanted.channels[0][i]).abs()).fold(0.0, f32::max);
            // Of 440 Hz, 50 microseconds.
            assert!(error < 0.14, "{from} -> {to}: error {error}");
        }
    }
}
