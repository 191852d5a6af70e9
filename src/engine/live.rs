//! The audio thread's end of the live loop. Nothing here allocates, locks, blocks (but in offline rendering, where
//! the host wants it) or can panic on a host's whim.

use super::EngineError;
use super::blend::{Blend, DRY, Gains, decoded, gains};
use super::dry::Dry;
use super::lanes::InForce;
use super::link::{AudioEnds, Event, Shared, output_samples, rings};
use super::mix::mix;
use super::ramp::Ramp;
use super::report::MAX_CHANNELS;
use super::resample::{Timing, measure};
use super::settings::{MAX_SAFETY_HOPS, Monitor, Setting, Slot, Source, StereoMode};
use super::telemetry::{LoopState, Telemetry, blind_source};
use super::wet::{Aside, Wet};
use super::worker::Worker;
use crate::codec::RateControl;
use crate::model::Model;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How a loop is set up; changing any of it takes a new loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoopConfig {
    /// Sample rate of the host or device in Hz, 8000 to 768 000.
    pub sample_rate: f64,
    /// 1 or 2.
    pub channels: usize,
    /// Longest block the host will send, in samples, up to 65 536.
    pub max_block: usize,
    /// Whole hops of safety added to the latency.
    pub safety_hops: u32,
    /// Offline rendering: process waits for the codec instead of going on without it.
    pub offline: bool,
}

/// Cross-fade between dry and decoded.
const CROSSFADE_SECONDS: f64 = 0.010;
/// Largest sample let into the codec: +24 dB over full scale.
const INPUT_LIMIT: f32 = 16.0;
/// Longest wait for the codec thread in offline rendering before the block is given up.
const OFFLINE_PATIENCE: Duration = Duration::from_secs(30);
/// Frames handled at once, so that scratch buffers stay small.
const CHUNK: usize = 1024;

/// The live loop as the audio thread holds it.
pub struct LiveLoop {
    config: LoopConfig,
    timing: Timing,
    shared: Arc<Shared>,
    telemetry: Arc<Telemetry>,
    ends: Ends,
    wet: Wet,
    dry: Dry,
    /// What is heard.
    blend: Blend,
    /// Gain of everything, lowered around a change of latency.
    master: Ramp,
    safety_hops: u32,
    wanted_safety: u32,
    position: u64,
    settings: [InForce; 2],
    sent_settings: [Option<InForce>; 2],
    slot: Slot,
    sent_slot: Slot,
    level_match: bool,
    sent_level_match: bool,
    /// Input up to this position was sent; what came since was lost for want of room.
    lost_from: Option<u64>,
    monitor: Monitor,
    difference_gain: f32,
    bypass: bool,
    /// The blind test's choice in force.
    blind: u32,
    dry_block: Vec<Vec<f32>>,
    wet_block: Vec<Vec<f32>>,
    /// How much of the decoded signal there is, 0 where it is late.
    presence: Vec<f32>,
    /// Gains of the level match.
    match_gain: [Vec<f32>; 2],
    thread: Option<JoinHandle<()>>,
}

/// The rings the audio thread writes to.
struct Ends {
    input: rtrb::Producer<f32>,
    events: rtrb::Producer<Event>,
}

fn check(config: &LoopConfig) -> Result<(), EngineError> {
    let wrong = |what, value: String, range| Err(EngineError::Config { what, value, range });
    if !(8_000.0..=768_000.0).contains(&config.sample_rate) {
        return wrong("the sample rate", config.sample_rate.to_string(), "8000 to 768000 Hz");
    }
    if !(1..=MAX_CHANNELS).contains(&config.channels) {
        return wrong("the number of channels", config.channels.to_string(), "1 to 2");
    }
    if !(1..=65_536).contains(&config.max_block) {
        return wrong("the longest block", config.max_block.to_string(), "1 to 65536 samples");
    }
    Ok(())
}

/// What of a setting the codec thread needs to know.
fn in_force(setting: &Setting) -> InForce {
    let setting = setting.clamped();
    InForce { rate: setting.rate(), stereo: setting.stereo, loss: setting.loss }
}

/// Host samples between an output's index and the position at which it is heard: until then its input has come in,
/// a block more has passed for the codec thread to compute in, and the safety hops.
fn shift(timing: &Timing, max_block: usize, safety_hops: u32) -> usize {
    timing.lag + max_block + safety_hops as usize * timing.hop
}

fn latency(timing: &Timing, max_block: usize, safety_hops: u32) -> usize {
    shift(timing, max_block, safety_hops) + timing.delay.round() as usize
}

impl LiveLoop {
    /// Starts a loop and its codec thread, which loads the model before it takes audio. Not for the audio thread.
    ///
    /// # Errors
    /// [`EngineError`] for a set-up outside the ranges, rates the resampler refuses, or no thread. A model that
    /// doesn't load shows in the telemetry's status instead: the dry signal goes on.
    pub fn start(config: LoopConfig, model: Arc<Model>, telemetry: Arc<Telemetry>) -> Result<Self, EngineError> {
        check(&config)?;
        let card = model.card();
        let LoopConfig { sample_rate, channels, max_block, .. } = config;
        let safety_hops = config.safety_hops.min(MAX_SAFETY_HOPS);
        let timing = measure(sample_rate, f64::from(card.sample_rate), card.hop, card.delay())?;
        let longest = latency(&timing, max_block, MAX_SAFETY_HOPS);
        // Half a second of input may wait while the model loads or the codec thread is starved.
        let input_room = (longest + 4 * max_block).max((sample_rate / 2.0) as usize);
        let (AudioEnds { input, events, output }, codec_ends) =
            rings(channels, input_room, input_room + longest + 8 * timing.hop);
        let shared = Arc::new(Shared::default());
        shared.offline.store(config.offline, Relaxed);
        shared.shift.store(shift(&timing, max_block, safety_hops) as u32, Relaxed);
        telemetry.update_status(|status| {
            status.state = LoopState::Loading;
            status.model = card.name.clone();
            status.frame_rate = card.frame_rate();
        });
        let host_hop = sample_rate / card.frame_rate();
        let setting = in_force(&Setting { level: card.level.default, ..Setting::default() });
        let thread = Worker::start(config, host_hop, model, shared.clone(), telemetry.clone(), codec_ends)?;
        let _ = shared.thread.set(thread.thread().clone());
        let live = Self {
            wet: Wet::new(output, channels, sample_rate, host_hop),
            dry: Dry::new(channels, longest, latency(&timing, max_block, safety_hops)),
            blend: Blend::new(decoded(Slot::One), CROSSFADE_SECONDS, sample_rate),
            master: Ramp::new(1.0, CROSSFADE_SECONDS / 2.0, sample_rate),
            safety_hops,
            wanted_safety: safety_hops,
            position: 0,
            settings: [setting; 2],
            sent_settings: [None; 2],
            slot: Slot::One,
            sent_slot: Slot::One,
            level_match: false,
            sent_level_match: false,
            lost_from: None,
            monitor: Monitor::Decoded,
            difference_gain: 0.0,
            bypass: false,
            blind: telemetry.blind_choice(),
            dry_block: vec![vec![0.0; CHUNK]; channels],
            wet_block: vec![vec![0.0; CHUNK]; output_samples(channels)],
            presence: vec![0.0; CHUNK],
            match_gain: [vec![1.0; CHUNK], vec![1.0; CHUNK]],
            thread: Some(thread),
            ends: Ends { input, events },
            config,
            timing,
            shared,
            telemetry,
        };
        live.publish_latency();
        Ok(live)
    }

    /// Latency from input to output in samples; the same for dry and decoded. Changes only with the safety setting.
    pub fn latency(&self) -> u32 {
        latency(&self.timing, self.config.max_block, self.safety_hops) as u32
    }

    /// The set-up it runs with.
    pub fn config(&self) -> &LoopConfig {
        &self.config
    }

    /// Sets one of the two settings of the codec from the next sample on; frames that end after it use it. Another
    /// stereo mode takes a short fade of the decoded signal.
    pub fn set_setting(&mut self, slot: Slot, setting: &Setting) {
        self.settings[slot.index()] = in_force(setting);
    }

    /// Chooses the setting that is heard and shown, by a cross-fade.
    pub fn select(&mut self, slot: Slot) {
        self.slot = slot;
        self.aim();
    }

    /// Sets the level, the number of codebooks or the target of the chosen setting.
    pub fn set_rate(&mut self, rate: RateControl) {
        self.settings[self.slot.index()].rate = rate.clamped();
    }

    /// Sets how two channels are coded by the chosen setting.
    pub fn set_stereo(&mut self, stereo: StereoMode) {
        self.settings[self.slot.index()].stereo = stereo;
    }

    /// Chooses what is heard, by a cross-fade.
    pub fn set_monitor(&mut self, monitor: Monitor) {
        self.monitor = monitor;
        self.aim();
    }

    /// Sets the gain of the difference in dB, 0 to [`MAX_DIFFERENCE_GAIN_DB`](super::MAX_DIFFERENCE_GAIN_DB).
    pub fn set_difference_gain(&mut self, gain_db: f32) {
        self.difference_gain = gain_db;
        self.aim();
    }

    /// Brings the decoded signal to the loudness of the dry one from the next sample on, or leaves it as it is. The
    /// difference is always that of the decoded signal as it is.
    pub fn set_level_match(&mut self, on: bool) {
        self.level_match = on;
    }

    /// Bypasses the codec: the delayed dry signal is heard.
    pub fn set_bypass(&mut self, bypass: bool) {
        self.bypass = bypass;
        self.aim();
    }

    /// Sets the hops of safety. Everything is faded out, the latency changes, everything is faded in; ask
    /// [`Self::latency`] after the next blocks.
    pub fn set_safety(&mut self, hops: u32) {
        self.wanted_safety = hops.min(MAX_SAFETY_HOPS);
    }

    /// Whether process waits for the codec.
    pub fn set_offline(&mut self, offline: bool) {
        self.config.offline = offline;
        self.shared.offline.store(offline, Relaxed);
    }

    /// Whether the monitor and bypass settings are reached, without a cross-fade under way.
    pub fn is_settled(&self) -> bool {
        self.blend.rests_at(self.target())
    }

    /// Forgets all audio so far: silence for one latency, then what comes in from now on.
    pub fn reset(&mut self) {
        self.dry.clear();
        self.wet.restart(self.position);
        self.lost_from.get_or_insert(self.position);
        self.blend.jump(self.target());
    }

    /// Processes one block in place: `channels` are as many as configured (fewer or none are left alone), all of one
    /// length.
    pub fn process(&mut self, channels: &mut [&mut [f32]]) {
        if channels.len() != self.config.channels {
            return;
        }
        let frames = channels.iter().map(|channel| channel.len()).min().unwrap_or(0);
        let mut from = 0;
        while from < frames {
            let length = CHUNK.min(frames - from);
            let mut chunk: [&mut [f32]; MAX_CHANNELS] = [&mut [], &mut []];
            for (chunk, channel) in chunk.iter_mut().zip(channels.iter_mut()) {
                *chunk = &mut channel[from..from + length];
            }
            self.process_chunk(&mut chunk[..self.config.channels]);
            from += length;
        }
    }

    fn target(&self) -> Gains {
        // Without a codec the dry signal goes on: silence would be worse, and the view says what is heard.
        let failed = self.shared.failed.load(Relaxed);
        if self.bypass || failed {
            return DRY;
        }
        match (blind_source(self.blind), self.monitor) {
            (Some(Source::Dry), _) => DRY,
            (Some(Source::Decoded(slot)), _) => decoded(slot),
            // One channel has no sides.
            (None, Monitor::Split) if self.config.channels < 2 => decoded(self.slot),
            (None, monitor) => gains(monitor, self.slot, self.difference_gain),
        }
    }

    fn aim(&mut self) {
        self.blend.set_target(self.target());
    }

    fn publish_latency(&self) {
        self.telemetry.set_latency(self.latency(), self.config.sample_rate as f32);
    }

    fn process_chunk(&mut self, channels: &mut [&mut [f32]]) {
        let frames = channels[0].len();
        for (index, channel) in channels.iter().enumerate() {
            self.telemetry.raise_input_peak(index, peak(channel));
        }
        self.change_covered();
        self.aim();
        self.send(channels);
        let index = self.position as i64 - self.shared.shift.load(Relaxed) as i64;
        self.position += frames as u64;
        if self.config.offline {
            self.wait_for(index + frames as i64);
        }

        let mut dry: [&mut [f32]; MAX_CHANNELS] = [&mut [], &mut []];
        let mut wet: [&mut [f32]; 2 * MAX_CHANNELS] = Default::default();
        for (slice, block) in dry.iter_mut().zip(&mut self.dry_block) {
            *slice = &mut block[..frames];
        }
        for (slice, block) in wet.iter_mut().zip(&mut self.wet_block) {
            *slice = &mut block[..frames];
        }
        let count = channels.len();
        self.dry.process(channels, &mut dry[..count]);
        let counting = self.shared.ready.load(Acquire);
        let gain = self.match_gain.each_mut().map(|gain| &mut gain[..frames]);
        let mut aside = Aside { presence: &mut self.presence[..frames], gain };
        let wet = &mut wet[..output_samples(count)];
        let late = self.wet.read(index, wet, &mut aside, counting);
        if late > 0 {
            self.telemetry.add_late_frames(late);
        }
        mix(&mut self.blend, &mut self.master, channels, &dry[..count], wet, &aside);
        for (index, channel) in channels.iter().enumerate() {
            self.telemetry.raise_output_peak(index, peak(channel));
        }
    }

    /// Around a new safety setting everything is faded, because dry and decoded both jump in time; and around a choice
    /// of the blind test, which must not be told by how it sounds to switch.
    fn change_covered(&mut self) {
        let blind = self.telemetry.blind_choice();
        if self.wanted_safety == self.safety_hops && blind == self.blind {
            self.master.set_target(1.0);
        } else if self.master.rests_at(0.0) {
            self.blind = blind;
            self.blend.jump(self.target());
            self.safety_hops = self.wanted_safety;
            let shift = shift(&self.timing, self.config.max_block, self.safety_hops);
            self.shared.shift.store(shift as u32, Relaxed);
            self.dry.set_delay(self.latency() as usize);
            self.publish_latency();
        } else {
            self.master.set_target(0.0);
        }
    }

    /// Sends one chunk of input, and before it the events that belong to it.
    fn send(&mut self, channels: &[&mut [f32]]) {
        let (count, frames) = (channels.len(), channels[0].len());
        if self.config.offline {
            self.wait_for_room(count * frames);
        }
        if self.ends.input.slots() < count * frames {
            self.lose(frames);
            return;
        }
        if let Some(last) = self.lost_from {
            // Without this event the codec thread would take the new samples for old ones.
            if self.ends.events.push(Event::Restart { last, next: self.position }).is_err() {
                self.lose(frames);
                return;
            }
            self.lost_from = None;
        }
        for slot in Slot::ALL {
            let setting = self.settings[slot.index()];
            let sent = &mut self.sent_settings[slot.index()];
            if *sent != Some(setting)
                && self.ends.events.push(Event::Setting { at: self.position, slot, setting }).is_ok()
            {
                *sent = Some(setting);
            }
        }
        if self.sent_slot != self.slot
            && self.ends.events.push(Event::Select { at: self.position, slot: self.slot }).is_ok()
        {
            self.sent_slot = self.slot;
        }
        if self.sent_level_match != self.level_match
            && self.ends.events.push(Event::LevelMatch { at: self.position, on: self.level_match }).is_ok()
        {
            self.sent_level_match = self.level_match;
        }
        if let Ok(mut chunk) = self.ends.input.write_chunk(count * frames) {
            let (first, second) = chunk.as_mut_slices();
            for (slot, index) in first.iter_mut().chain(second).zip(0..) {
                *slot = sane(channels[index % count][index / count]);
            }
            chunk.commit_all();
        }
        self.shared.sent.store(self.position + frames as u64, Release);
        self.shared.wake();
    }

    /// There is no room for this chunk: the codec starts anew when there is, and all up to then is late.
    fn lose(&mut self, frames: usize) {
        self.lost_from.get_or_insert(self.position);
        self.wet.lose(self.position + frames as u64, self.shared.ready.load(Relaxed));
    }

    fn wait_until(&self, ready: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !ready(self) && !self.shared.failed.load(Relaxed) && started.elapsed() < OFFLINE_PATIENCE {
            self.shared.wake();
            std::thread::sleep(Duration::from_micros(50));
        }
    }

    fn wait_for_room(&self, samples: usize) {
        self.wait_until(|live| live.ends.input.slots() >= samples);
    }

    fn wait_for(&self, end: i64) {
        self.wait_until(|live| live.wet.reaches(end));
    }
}

impl Drop for LiveLoop {
    fn drop(&mut self) {
        self.shared.stop.store(true, Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A codec thread that panicked has nothing left to tell.
            let _ = thread.join();
        }
        self.telemetry.update_status(|status| status.state = LoopState::Stopped);
    }
}

/// Not-a-number and infinity would stay in the model's state for good.
fn sane(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-INPUT_LIMIT, INPUT_LIMIT) } else { 0.0 }
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, sample| sample.abs().max(peak))
}
