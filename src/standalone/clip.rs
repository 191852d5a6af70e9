//! Audio and `.vrvq` files, decoded whole and resampled to the device's rate.

use super::track::{Track, TrackError};
use crate::audio::{ResampleError, resample};
use std::path::Path;

/// Longest piece of a file that is kept: a quarter of a gigabyte in stereo at 48 kHz.
const MAX_SECONDS: usize = 600;
/// Most channels that are kept.
const MAX_CHANNELS: usize = 2;

/// Why a file can't be played.
#[derive(Debug, thiserror::Error)]
pub enum ClipError {
    #[error(transparent)]
    Track(#[from] TrackError),
    #[error("{0} holds no sound")]
    Empty(String),
    #[error("{name}: {source}")]
    Resample { name: String, source: ResampleError },
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
    /// Reads an audio file or a `.vrvq` file, which is decoded with the model that it names.
    ///
    /// # Errors
    /// [`ClipError::Track`] names the file and why it can't be opened or played.
    pub fn open(path: &Path) -> Result<Self, ClipError> {
        decode(Track::open(path, None)?)
    }

    /// The clip inside the program.
    ///
    /// # Errors
    /// If the program was built with a damaged clip.
    pub fn bundled() -> Result<Self, ClipError> {
        decode(Track::bundled()?)
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
        let channels = resample(&self.channels, self.sample_rate, sample_rate)
            .map_err(|source| ClipError::Resample { name: self.name.clone(), source })?;
        Ok(Self { sample_rate, channels, ..self.clone() })
    }
}

fn decode(mut reader: Track) -> Result<Clip, ClipError> {
    let sample_rate = reader.sample_rate();
    let longest = MAX_SECONDS * sample_rate as usize;
    let mut channels = vec![Vec::new(); reader.channels().min(MAX_CHANNELS)];
    let mut notes = Vec::new();
    if reader.channels() > MAX_CHANNELS {
        notes.push(format!("only the first two of {} channels are played", reader.channels()));
    }
    while let Some(planes) = reader.read()? {
        for (channel, plane) in channels.iter_mut().zip(planes) {
            channel.extend_from_slice(plane);
        }
        if channels[0].len() > longest {
            notes.push(format!("only the first {} minutes are played", MAX_SECONDS / 60));
            channels.iter_mut().for_each(|channel| channel.truncate(longest));
            break;
        }
    }
    notes.extend(reader.notes());
    if channels[0].is_empty() {
        return Err(ClipError::Empty(reader.name));
    }
    Ok(Clip { name: reader.name, sample_rate, channels, notes })
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
