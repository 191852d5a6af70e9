//! `--kbps`: the level that gives a file a bitrate.
//!
//! A file that can be read twice is: the first time for the importance of its frames, which tells what every level would
//! cost in plain packets, and for what the entropy coder leaves of that, tried on four minutes from all over it. One level for the whole of it is what variable bitrate is about, and better than a level that
//! chases the target. A pipe can't be read twice; there the level follows the target as it does live.

use super::batch::JobProgress;
use super::failure::{Failure, interruption};
use crate::audio::AudioReader;
use crate::codec::{LEVEL_MAX, LEVEL_MIN, RateControl, StereoMode, count};
use crate::coding::{CodedFrame, FrameEncoder, model_id};
use crate::container::{ContainerError, Header, Payload, Tags, Writer};
use crate::model::Model;
use std::sync::Arc;

/// Values of importance that are told apart.
const BINS: usize = 1 << 14;
/// Frames in a row that are entropy-coded on trial, and most such runs: four minutes of a model of 86 frames a second.
const RUN: usize = 344;
const RUNS: usize = 60;
/// Trials: what the entropy coder leaves hardly changes from one level to the next.
const TRIALS: usize = 3;

/// Runs of frames from all over a file, with the codes of all levels.
struct Sample {
    runs: Vec<Vec<CodedFrame>>,
    /// One of so many runs is kept, and how many frames came.
    stride: usize,
    frames: usize,
}

impl Sample {
    fn push(&mut self, frame: CodedFrame) {
        let (run, at) = (self.frames / RUN, self.frames % RUN);
        self.frames += 1;
        if run % self.stride != 0 {
            return;
        }
        if at == 0 {
            if self.runs.len() == RUNS {
                let mut index = 0;
                self.runs.retain(|_| {
                    index += 1;
                    index % 2 == 1
                });
                self.stride *= 2;
                if run % self.stride != 0 {
                    return;
                }
            }
            self.runs.push(Vec::with_capacity(RUN));
        }
        if let Some(run) = self.runs.last_mut() {
            run.push(frame);
        }
    }

    /// What the entropy coder leaves of the bits of plain packets at `level`.
    fn share(&self, model: &Arc<Model>, channels: usize, level: f32) -> Result<f64, ContainerError> {
        let card = model.card();
        let header = Header {
            model: model_id(model),
            model_rate: card.sample_rate,
            hop: card.hop as u32,
            format: model.packet_format(),
            sample_rate: card.sample_rate,
            channels: channels as u8,
            stereo: StereoMode::LeftRight,
            delay: 0,
            length: None,
            rate: None,
            payload: Payload::Entropy,
            tables: None,
        };
        let mut writer = Writer::new(std::io::sink(), header, &Tags::default(), model.tables())?;
        for run in &self.runs {
            for CodedFrame { stereo, importance, codes, .. } in run {
                let used = |(codes, &p): (&'_ Vec<u16>, &f32)| count(p, level, card.codebooks).min(codes.len());
                let counts: Vec<usize> = codes.iter().zip(importance).map(used).collect();
                writer.push(*stereo, false, codes.iter().zip(&counts).map(|(codes, &count)| &codes[..count]))?;
            }
            writer.flush()?;
        }
        let (coded, plain) = writer.bits();
        Ok(if plain > 0 { coded as f64 / plain as f64 } else { 1.0 })
    }
}

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
    let mut encoder = FrameEncoder::new(model, audio.sample_rate(), channels, RateControl::Level(LEVEL_MAX), stereo)
        .map_err(failed)?;
    let mut importances = Importances::new();
    let mut sample = Sample { runs: Vec::new(), stride: 1, frames: 0 };
    let mut keep = |frame: CodedFrame| {
        frame.importance.iter().for_each(|&p| importances.push(p));
        if payload == Payload::Entropy {
            sample.push(frame);
        }
    };
    let total = audio.frames();
    let mut read = 0u64;
    while let Some(planes) = audio.read()? {
        interruption()?;
        read += planes[0].len() as u64;
        encoder.push(planes).map_err(failed)?;
        while let Some(frame) = encoder.next() {
            keep(frame);
        }
        progress.at(0.5 * read as f64 / total.unwrap_or(u64::MAX) as f64);
    }
    encoder.finish().map_err(failed)?;
    while let Some(frame) = encoder.next() {
        keep(frame);
    }
    let format = model.packet_format();
    let code_bits = (format.frame_bits(2) - format.frame_bits(1)) as f64;
    let level_for = |share: f64| {
        let bits = kilobits * 1000.0 / share / model.card().frame_rate() / stereo.coded_channels(channels) as f64;
        importances.level_for((bits - format.count_bits() as f64) / code_bits, format.codebooks())
    };
    let mut level = level_for(1.0);
    if payload == Payload::Entropy {
        for _ in 0..TRIALS {
            level = level_for(sample.share(model, channels, level).map_err(|error| Failure::about(&name, error))?);
        }
    }
    Ok(RateControl::Level(level))
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
