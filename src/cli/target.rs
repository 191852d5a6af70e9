//! `--kbps`: the level that gives a file a bitrate.
//!
//! A file that can be read twice is: the first time only for the importance of its frames, which tells what every
//! level would cost. One level for the whole of it is what variable bitrate is about, and better than a level that
//! chases the target. A pipe can't be read twice; there the level follows the target as it does live.

use super::batch::JobProgress;
use super::failure::{Failure, interruption};
use crate::audio::AudioReader;
use crate::codec::{LEVEL_MAX, LEVEL_MIN, RateControl, StereoMode, count};
use crate::coding::FrameEncoder;
use crate::container::Payload;
use crate::model::Model;
use std::sync::Arc;

/// Values of importance that are told apart.
const BINS: usize = 1 << 14;
/// Bits that the entropy coder leaves of those of plain packets, about: what it left of eight seconds of the bundled clip at
/// level 16 (7922 bytes became 6989). What it really leaves depends on the sound.
const ENTROPY_SHARE: f64 = 0.88;

/// How often each value of importance came.
struct Importances {
    bins: Vec<u64>,
    frames: u64,
}

impl Importances {
    fn new() -> Self {
        Self { bins: vec![0; BINS + 1], frames: 0 }
    }

    fn push(&mut self, importance: f32) {
        self.bins[(importance.clamp(0.0, 1.0) * BINS as f32).round() as usize] += 1;
        self.frames += 1;
    }

    /// Mean number of codebooks of a frame at `level`.
    fn mean_count(&self, level: f32, codebooks: usize) -> f64 {
        let counts = self
            .bins
            .iter()
            .enumerate()
            .filter(|(_, frames)| **frames > 0)
            .map(|(bin, &frames)| frames as f64 * count(bin as f32 / BINS as f32, level, codebooks) as f64);
        counts.sum::<f64>() / self.frames.max(1) as f64
    }

    /// The level whose mean count is nearest to `wanted`.
    fn level_for(&self, wanted: f64, codebooks: usize) -> f32 {
        let (mut low, mut high) = (LEVEL_MIN.ln(), LEVEL_MAX.ln());
        for _ in 0..24 {
            let middle = (low + high) / 2.0;
            // The mean count never falls as the level rises.
            if self.mean_count(middle.exp(), codebooks) < wanted {
                low = middle;
            } else {
                high = middle;
            }
        }
        let distance = |level: f32| (self.mean_count(level, codebooks) - wanted).abs();
        let (low, high) = (low.exp(), high.exp());
        if distance(low) < distance(high) { low } else { high }
    }
}

/// Reads `audio` to its end and finds the level at which its channels together have `kilobits` kb/s.
///
/// # Errors
/// Audio that can't be read, a model that can't run, an interruption.
pub fn level_for(
    mut audio: AudioReader,
    model: &Arc<Model>,
    kilobits: f64,
    stereo: StereoMode,
    payload: Payload,
    progress: &mut JobProgress<'_>,
) -> Result<RateControl, Failure> {
    let channels = audio.channels();
    let name = audio.name().to_owned();
    let failed = |error| Failure::about(&name, error);
    let mut encoder = FrameEncoder::new(model, audio.sample_rate(), channels, RateControl::Level(LEVEL_MIN), stereo)
        .map_err(failed)?;
    let mut importances = Importances::new();
    let total = audio.frames();
    let mut read = 0u64;
    while let Some(planes) = audio.read()? {
        interruption()?;
        read += planes[0].len() as u64;
        encoder.push(planes).map_err(failed)?;
        while let Some(frame) = encoder.next() {
            frame.importance.iter().for_each(|&p| importances.push(p));
        }
        progress.at(0.5 * read as f64 / total.unwrap_or(u64::MAX) as f64);
    }
    encoder.finish().map_err(failed)?;
    while let Some(frame) = encoder.next() {
        frame.importance.iter().for_each(|&p| importances.push(p));
    }
    let format = model.packet_format();
    let share = if payload == Payload::Entropy { ENTROPY_SHARE } else { 1.0 };
    let bits = kilobits * 1000.0 / share / model.card().frame_rate() / channels as f64;
    let code_bits = (format.frame_bits(2) - format.frame_bits(1)) as f64;
    let wanted = (bits - format.count_bits() as f64) / code_bits;
    Ok(RateControl::Level(importances.level_for(wanted, format.codebooks())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_gives_the_mean_count() {
        let mut importances = Importances::new();
        (0..10_000).for_each(|i| importances.push((i as f32 / 10_000.0).powi(3) * 0.8));
        for wanted in [1.3, 2.0, 3.0, 4.0] {
            let level = importances.level_for(wanted, 8);
            assert!((importances.mean_count(level, 8) - wanted).abs() < 0.02, "{wanted} at level {level}");
        }
        assert_eq!(importances.level_for(100.0, 8), LEVEL_MAX);
    }
}
