//! The decoded signal's loudness brought to the dry one's, so that A and B are compared by how they sound and not by
//! which is louder.
//!
//! Loudness is the integrated one of ITU-R BS.1770-5, which is what an engineer's meter shows; both signals see the
//! same moments, since the dry one is delayed to the decoded one. It is taken over a long time, because a gain that
//! follows single sounds would change their balance; where the bitrate is turned it is taken anew, so that the gain
//! follows the knob.

use super::EngineError;
use super::dry::Dry;
use super::report::MAX_CHANNELS;
use ebur128::{EbuR128, Mode};

/// Length of the memory in milliseconds.
const MEMORY_MS: u32 = 60_000;
/// Seconds between two readings; a meter has news every 100 ms.
const READING_SECONDS: f64 = 0.1;
/// Least time in seconds between two starts of the measure: a knob that moves on and on must not stop the gain.
const RESTART_SECONDS: f64 = 1.0;
/// Most gain either way in dB.
const MAX_GAIN_DB: f64 = 12.0;
/// Fastest move of the gain, in dB a second.
const SLEW_DB: f64 = 6.0;

/// Meters of both signals and the gain between them.
pub(super) struct Matching {
    dry: EbuR128,
    wet: EbuR128,
    delay: Dry,
    delayed: Vec<f32>,
    channels: usize,
    hop_seconds: f64,
    /// Time since the measure was started, and since the last reading.
    since_start: f64,
    since_reading: f64,
    turned: bool,
    wanted_db: f64,
    gain_db: f64,
}

impl Matching {
    /// Meters at `sample_rate` in Hz for hops of `hop` samples; the decoded signal lags by `delay` samples.
    ///
    /// # Errors
    /// [`EngineError::Loudness`] for a rate that the meter refuses.
    pub fn new(channels: usize, sample_rate: u32, hop: usize, delay: usize) -> Result<Self, EngineError> {
        let meter = || {
            let mut meter = EbuR128::new(channels as u32, sample_rate, Mode::I)?;
            meter.set_max_history(MEMORY_MS)?;
            Ok::<_, EngineError>(meter)
        };
        Ok(Self {
            dry: meter()?,
            wet: meter()?,
            delay: Dry::new(channels, delay, delay),
            delayed: vec![0.0; channels * hop],
            channels,
            hop_seconds: hop as f64 / f64::from(sample_rate),
            since_start: 0.0,
            since_reading: 0.0,
            turned: false,
            wanted_db: 0.0,
            gain_db: 0.0,
        })
    }

    /// Forgets what was heard.
    pub fn reset(&mut self) {
        self.start();
        self.delay.clear();
        (self.wanted_db, self.gain_db) = (0.0, 0.0);
    }

    /// The bitrate was turned: what was heard before doesn't count from now on. The gain stays until more is known.
    pub fn turned(&mut self) {
        // Before the first sound there is nothing to forget.
        self.turned = self.since_start > 0.0;
    }

    fn start(&mut self) {
        self.dry.reset();
        self.wet.reset();
        (self.turned, self.since_start, self.since_reading) = (false, 0.0, 0.0);
    }

    /// Hears a hop of both signals, planar `[channels, hop]`.
    ///
    /// # Errors
    /// [`EngineError::Loudness`] where the meter fails.
    pub fn push(&mut self, dry: &mut [f32], wet: &[f32]) -> Result<(), EngineError> {
        if self.turned && self.since_start >= RESTART_SECONDS {
            self.start();
        }
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
        self.since_start += self.hop_seconds;
        self.since_reading += self.hop_seconds;
        if self.since_reading >= READING_SECONDS {
            self.since_reading -= READING_SECONDS;
            self.read()?;
        }
        let most = SLEW_DB * self.hop_seconds;
        self.gain_db += (self.wanted_db - self.gain_db).clamp(-most, most);
        Ok(())
    }

    fn read(&mut self) -> Result<(), EngineError> {
        let gain = self.dry.loudness_global()? - self.wet.loudness_global()?;
        // Infinite before there is anything above the gate.
        if gain.is_finite() {
            self.wanted_db = gain.clamp(-MAX_GAIN_DB, MAX_GAIN_DB);
        }
        Ok(())
    }

    /// Gain in dB that the decoded signal needs now; 0 before anything was heard.
    pub fn gain_db(&self) -> f32 {
        self.gain_db as f32
    }
}
