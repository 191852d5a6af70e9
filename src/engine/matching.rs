//! The decoded signal's loudness brought to the dry one's, so that A and B are compared by how they sound and not by
//! which is louder.
//!
//! Loudness is that of ITU-R BS.1770-5 without its gates: both signals see the same moments, since the dry one is
//! delayed to the decoded one, and what a gate would leave out is quiet in both. The memory is long, because a gain that
//! follows single sounds would change their balance; where the bitrate is turned it is cut short, so that the gain
//! follows the knob.

use super::EngineError;
use super::dry::Dry;
use super::report::MAX_CHANNELS;
use ebur128::{EbuR128, Mode};

/// Hops between two readings.
const READING_HOPS: u32 = 8;
/// Time constant of the memory in seconds.
const MEMORY_SECONDS: f64 = 20.0;
/// What is left of the memory when the bitrate is turned.
const TURNED_SECONDS: f64 = 1.0;
/// Readings below this loudness in LUFS don't count: BS.1770's absolute gate.
const SILENCE_LUFS: f64 = -70.0;
/// Most gain either way in dB.
const MAX_GAIN_DB: f64 = 12.0;

/// Meters of both signals and the gain between them.
pub(super) struct Matching {
    dry: EbuR128,
    wet: EbuR128,
    delay: Dry,
    delayed: Vec<f32>,
    channels: usize,
    hops: u32,
    /// Length of a reading in milliseconds.
    reading_ms: u32,
    /// What a reading leaves of those before it.
    decay: f64,
    /// Readings remembered, and the energy of both signals in them.
    memory: f64,
    dry_energy: f64,
    wet_energy: f64,
}

impl Matching {
    /// Meters at `sample_rate` in Hz for hops of `hop` samples; the decoded signal lags by `delay` samples.
    ///
    /// # Errors
    /// [`EngineError::Loudness`] for a rate that the meter refuses.
    pub fn new(channels: usize, sample_rate: u32, hop: usize, delay: usize) -> Result<Self, EngineError> {
        let meter = || EbuR128::new(channels as u32, sample_rate, Mode::M);
        let seconds = f64::from(READING_HOPS) * hop as f64 / f64::from(sample_rate);
        Ok(Self {
            dry: meter()?,
            wet: meter()?,
            delay: Dry::new(channels, delay, delay),
            delayed: vec![0.0; channels * hop],
            channels,
            hops: 0,
            // The window that a meter keeps by itself is 400 ms.
            reading_ms: ((seconds * 1000.0).round() as u32).clamp(1, 400),
            decay: (-seconds / MEMORY_SECONDS).exp(),
            memory: 0.0,
            dry_energy: 0.0,
            wet_energy: 0.0,
        })
    }

    /// Forgets what was heard.
    pub fn reset(&mut self) {
        self.dry.reset();
        self.wet.reset();
        self.delay.clear();
        (self.hops, self.memory, self.dry_energy, self.wet_energy) = (0, 0.0, 0.0, 0.0);
    }

    /// The bitrate was turned: what was heard before counts little from now on.
    pub fn turned(&mut self) {
        let left = TURNED_SECONDS * 1000.0 / f64::from(self.reading_ms);
        if self.memory > left {
            let share = left / self.memory;
            (self.memory, self.dry_energy, self.wet_energy) = (left, self.dry_energy * share, self.wet_energy * share);
        }
    }

    /// Hears a hop of both signals, planar `[channels, hop]`.
    pub fn push(&mut self, dry: &mut [f32], wet: &[f32]) -> Result<(), EngineError> {
        let (channels, hop) = (self.channels, wet.len() / self.channels);
        let mut inputs: [&mut [f32]; MAX_CHANNELS] = Default::default();
        let mut outputs: [&mut [f32]; MAX_CHANNELS] = Default::default();
        inputs.iter_mut().zip(dry.chunks_exact_mut(hop)).for_each(|(to, from)| *to = from);
        outputs.iter_mut().zip(self.delayed.chunks_exact_mut(hop)).for_each(|(to, from)| *to = from);
        self.delay.process(&inputs[..channels], &mut outputs[..channels]);
        for (meter, planar) in [(&mut self.dry, &self.delayed[..]), (&mut self.wet, wet)] {
            let (first, second) = planar.split_at(hop);
            meter.add_frames_planar_f32(&[first, second][..channels])?;
        }
        self.hops += 1;
        if self.hops % READING_HOPS == 0 {
            self.read()?;
        }
        Ok(())
    }

    fn read(&mut self) -> Result<(), EngineError> {
        let (dry, wet) = (self.dry.loudness_window(self.reading_ms)?, self.wet.loudness_window(self.reading_ms)?);
        if dry > SILENCE_LUFS {
            let energy = |loudness: f64| 10.0f64.powf(loudness / 10.0);
            self.memory = self.memory * self.decay + 1.0;
            self.dry_energy = self.dry_energy * self.decay + energy(dry);
            self.wet_energy = self.wet_energy * self.decay + energy(wet);
        }
        Ok(())
    }

    /// Gain in dB that the decoded signal needs now; 0 before anything was heard.
    pub fn gain_db(&self) -> f32 {
        if self.memory == 0.0 {
            return 0.0;
        }
        let gain = 10.0 * (self.dry_energy / self.wet_energy).log10();
        gain.clamp(-MAX_GAIN_DB, MAX_GAIN_DB) as f32
    }
}
