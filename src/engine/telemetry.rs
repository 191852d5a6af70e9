//! Figures and states that the live loop shares with a view: atomics for the audio thread, a mutex only between
//! the codec thread and the view.

use super::report::{MAX_CHANNELS, ReportReceiver, ReportSender, report_ring};
use super::settings::{Slot, Source};
use super::tap::{StreamFormat, TapReceiver, TapSender, tap};
use crate::model::Curves;
use std::sync::atomic::Ordering::{AcqRel, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Reports that fit the ring: some 20 seconds of frames.
const REPORT_CAPACITY: usize = 2048;

/// Where the codec thread stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum LoopState {
    /// No loop runs.
    #[default]
    Stopped,
    /// The model is being loaded and warmed up; the decoded output is silent.
    Loading,
    /// Audio goes through the codec.
    Running,
    /// The codec can't run; the text names what and why. The dry signal goes on.
    Failed(String),
}

/// Texts that change rarely.
#[derive(Debug, Clone, Default)]
pub struct Status {
    pub state: LoopState,
    /// Name of the model.
    pub model: String,
    /// Runtime and device that run it, e.g. "ONNX Runtime 1.23 · CPU".
    pub runtime: String,
    /// Frames a second of the model (sample rate over hop).
    pub frame_rate: f64,
    /// Rate-distortion curves of the model, where it brings some.
    pub curves: Option<Arc<Curves>>,
    /// Channels of the loop, 1 or 2; 0 before one ran.
    pub channels: usize,
    /// The model has no importance map: it is for constant bitrate only.
    pub constant: bool,
    /// Codes of the model can be chosen by their sound.
    pub by_sound: bool,
    /// Name of the model that loads or warms up to take over.
    pub coming: Option<String>,
    /// What went otherwise than asked: a model that can't be used, one that failed.
    pub notice: Option<String>,
}

/// What a choice of [`Telemetry::set_blind`] lets be heard.
pub(super) fn blind_source(choice: u32) -> Option<Source> {
    match choice & 3 {
        1 => Some(Source::Dry),
        2 => Some(Source::Decoded(Slot::One)),
        3 => Some(Source::Decoded(Slot::Two)),
        _ => None,
    }
}

/// Shared figures of one live loop; outlives restarts of the loop.
pub struct Telemetry {
    latency_samples: AtomicU32,
    sample_rate: AtomicU32,
    late_frames: AtomicU64,
    lost_frames: AtomicU64,
    load: AtomicU32,
    hops_per_call: AtomicU32,
    /// See [`Self::safety_needed`].
    safety_needed: AtomicU32,
    priority_refused: AtomicBool,
    /// One runs while the settings differ.
    alone: AtomicBool,
    models_differ: AtomicBool,
    /// The second setting is heard.
    second: AtomicBool,
    match_gain: [AtomicU32; 2],
    /// What a blind test lets hear, with the number of the choice: see [`blind_source`].
    blind: AtomicU32,
    view_open: AtomicBool,
    blocks: AtomicU32,
    input_peak: [AtomicU32; MAX_CHANNELS],
    output_peak: [AtomicU32; MAX_CHANNELS],
    status: Mutex<Status>,
    /// The stream of the loop that runs.
    stream: Mutex<Option<StreamFormat>>,
    /// A tap on its way to the codec thread, and whether there is one.
    tap: Mutex<Option<TapSender>>,
    tap_waits: AtomicBool,
    reports: Mutex<ReportSender>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Telemetry {
    /// Shared figures and the view's end of their report ring.
    pub fn new() -> (Arc<Self>, ReportReceiver) {
        let (sender, receiver) = report_ring(REPORT_CAPACITY);
        let zero = || AtomicU32::new(0);
        let telemetry = Self {
            latency_samples: zero(),
            sample_rate: zero(),
            late_frames: AtomicU64::new(0),
            lost_frames: AtomicU64::new(0),
            load: zero(),
            hops_per_call: zero(),
            safety_needed: zero(),
            priority_refused: AtomicBool::new(false),
            alone: AtomicBool::new(false),
            models_differ: AtomicBool::new(false),
            second: AtomicBool::new(false),
            match_gain: [zero(), zero()],
            blind: zero(),
            view_open: AtomicBool::new(false),
            blocks: zero(),
            input_peak: [zero(), zero()],
            output_peak: [zero(), zero()],
            status: Mutex::default(),
            stream: Mutex::default(),
            tap: Mutex::default(),
            tap_waits: AtomicBool::new(false),
            reports: Mutex::new(sender),
        };
        (Arc::new(telemetry), receiver)
    }

    /// Latency reported to the host, in samples at [`Self::sample_rate`].
    pub fn latency_samples(&self) -> u32 {
        self.latency_samples.load(Relaxed)
    }

    /// Sample rate of the host or device in Hz; 0 before the loop first ran.
    pub fn sample_rate(&self) -> f32 {
        f32::from_bits(self.sample_rate.load(Relaxed))
    }

    /// Latency in milliseconds.
    pub fn latency_ms(&self) -> f32 {
        let rate = self.sample_rate();
        if rate > 0.0 { self.latency_samples() as f32 * 1000.0 / rate } else { 0.0 }
    }

    /// Frames that came too late to be heard, since the loop was made or [`Self::clear_late_frames`].
    pub fn late_frames(&self) -> u64 {
        self.late_frames.load(Relaxed)
    }

    /// Sets the count of late frames back to zero.
    pub fn clear_late_frames(&self) {
        self.late_frames.store(0, Relaxed);
    }

    /// Frames whose packet was lost on the simulated line, since the loop was made or [`Self::clear_lost_frames`].
    pub fn lost_frames(&self) -> u64 {
        self.lost_frames.load(Relaxed)
    }

    /// Sets the count of lost frames back to zero.
    pub fn clear_lost_frames(&self) {
        self.lost_frames.store(0, Relaxed);
    }

    /// Counts a frame whose packet was lost.
    pub fn add_lost_frame(&self) {
        self.lost_frames.fetch_add(1, Relaxed);
    }

    /// Whether a switch to the other setting is heard at once: both run, or they are the same.
    pub fn switches_at_once(&self) -> bool {
        !self.alone.load(Relaxed) && !self.models_differ()
    }

    /// Whether the two settings have different models.
    pub fn models_differ(&self) -> bool {
        self.models_differ.load(Relaxed)
    }

    /// Tells whether the two settings have different models.
    pub fn set_models_differ(&self, differ: bool) {
        self.models_differ.store(differ, Relaxed);
    }

    /// The setting that is heard.
    pub fn slot(&self) -> Slot {
        if self.second.load(Relaxed) { Slot::Two } else { Slot::One }
    }

    /// Tells which setting is heard; a loop that runs does it by itself. Real-time safe.
    pub fn set_slot(&self, slot: Slot) {
        self.second.store(slot == Slot::Two, Relaxed);
    }

    /// Tells whether one setting runs alone while they differ.
    pub fn set_alone(&self, alone: bool) {
        self.alone.store(alone, Relaxed);
    }

    /// Time the codec thread works, as a share of real time (1 = all of it), smoothed over about half a second.
    pub fn load(&self) -> f32 {
        f32::from_bits(self.load.load(Relaxed))
    }

    /// Hops that go through the codec in one call, smoothed like the load: more than one where hops wait. 0 before the first.
    pub fn hops_per_call(&self) -> f32 {
        f32::from_bits(self.hops_per_call.load(Relaxed))
    }

    /// Safety hops that the model needs on this machine, by its times before it went live with nothing beside it: 0 where that
    /// isn't known yet, more than [`MAX_SAFETY_HOPS`](super::MAX_SAFETY_HOPS) where it is too slow.
    pub fn safety_needed(&self) -> u32 {
        self.safety_needed.load(Relaxed)
    }

    /// The system gave the codec thread no real-time priority, so that whatever else runs may hold it up.
    pub fn priority_refused(&self) -> bool {
        self.priority_refused.load(Relaxed)
    }

    /// A blind test lets `heard` be heard instead of what monitor and setting say, or ends with `None`. Every call makes the
    /// same short pause, whether or not it changes what is heard, so that the switching betrays nothing; a bypass goes
    /// before. No parameter knows of it.
    pub fn set_blind(&self, heard: Option<Source>) {
        let code = match heard {
            None => 0,
            Some(Source::Dry) => 1,
            Some(Source::Decoded(Slot::One)) => 2,
            Some(Source::Decoded(Slot::Two)) => 3,
        };
        let next = (self.blind.load(Relaxed) >> 2).wrapping_add(1) << 2 | code;
        self.blind.store(next, Relaxed);
    }

    /// What a blind test lets be heard.
    pub fn blind(&self) -> Option<Source> {
        blind_source(self.blind_choice())
    }

    /// The last choice of [`Self::set_blind`]: equal numbers are the same choice.
    pub(super) fn blind_choice(&self) -> u32 {
        self.blind.load(Relaxed)
    }

    /// Gain in dB that brings the decoded signal of a setting to the loudness of the dry one (BS.1770).
    pub fn match_gain_db(&self, setting: Slot) -> f32 {
        f32::from_bits(self.match_gain[setting.index()].load(Relaxed))
    }

    /// Tells the gain of a setting's level match in dB.
    pub fn set_match_gain_db(&self, setting: Slot, gain_db: f32) {
        self.match_gain[setting.index()].store(gain_db.to_bits(), Relaxed);
    }

    /// Tells the codec thread whether a view reads the reports. A closed view costs nothing.
    pub fn set_view_open(&self, open: bool) {
        self.view_open.store(open, Relaxed);
    }

    /// Whether a view reads the reports.
    pub fn view_open(&self) -> bool {
        self.view_open.load(Relaxed)
    }

    /// Blocks of sound that were asked for; wraps around.
    pub fn blocks(&self) -> u32 {
        self.blocks.load(Relaxed)
    }

    /// Counts a block of sound. Real-time safe.
    pub fn count_block(&self) {
        self.blocks.fetch_add(1, Relaxed);
    }

    /// Highest absolute input sample of a channel since the last call.
    pub fn take_input_peak(&self, channel: usize) -> f32 {
        f32::from_bits(self.input_peak[channel].swap(0, Relaxed))
    }

    /// Highest absolute output sample of a channel since the last call.
    pub fn take_output_peak(&self, channel: usize) -> f32 {
        f32::from_bits(self.output_peak[channel].swap(0, Relaxed))
    }

    /// A copy of the texts. Not for the audio thread.
    pub fn status(&self) -> Status {
        lock(&self.status).clone()
    }

    /// Changes the texts. Not for the audio thread.
    pub fn update_status(&self, change: impl FnOnce(&mut Status)) {
        change(&mut lock(&self.status));
    }

    /// Tells the latency in samples at `sample_rate` Hz.
    pub fn set_latency(&self, samples: u32, sample_rate: f32) {
        self.latency_samples.store(samples, Relaxed);
        self.sample_rate.store(sample_rate.to_bits(), Relaxed);
    }

    /// Counts frames that came too late to be heard.
    pub fn add_late_frames(&self, frames: u64) {
        self.late_frames.fetch_add(frames, Relaxed);
    }

    /// Tells the safety hops that the model needs; `None` where none are enough.
    pub fn set_safety_needed(&self, hops: Option<u32>) {
        self.safety_needed.store(hops.unwrap_or(u32::MAX), Relaxed);
    }

    /// Tells whether the system refused the codec thread a real-time priority.
    pub fn set_priority_refused(&self, refused: bool) {
        self.priority_refused.store(refused, Relaxed);
    }

    /// Tells the codec thread's share of real time, and the hops that it takes in one call.
    pub fn set_load(&self, load: f32, hops_per_call: f32) {
        self.load.store(load.to_bits(), Relaxed);
        self.hops_per_call.store(hops_per_call.to_bits(), Relaxed);
    }

    /// Tells a highest absolute input sample; [`Self::take_input_peak`] keeps the largest.
    pub fn raise_input_peak(&self, channel: usize, peak: f32) {
        // Non-negative floats keep their order as bits, so an integer maximum does.
        self.input_peak[channel].fetch_max(peak.to_bits(), Relaxed);
    }

    /// As [`Self::raise_input_peak`], of the output.
    pub fn raise_output_peak(&self, channel: usize, peak: f32) {
        self.output_peak[channel].fetch_max(peak.to_bits(), Relaxed);
    }

    /// Opens a tap on the stream, with room for `seconds` of it; `None` where no loop runs. One that is open closes. Not for
    /// the audio thread.
    pub fn open_tap(&self, seconds: f64) -> Option<TapReceiver> {
        let format = lock(&self.stream).clone()?;
        let frames = (seconds * format.model.card().frame_rate()).ceil().max(1.0) as usize;
        let (sender, receiver) = tap(format, frames);
        *lock(&self.tap) = Some(sender);
        self.tap_waits.store(true, Release);
        Some(receiver)
    }

    /// Tells the stream of the loop that has started, or that it has ended.
    pub(super) fn set_stream(&self, format: Option<StreamFormat>) {
        *lock(&self.stream) = format;
    }

    /// The tap that was opened since the last call.
    pub(super) fn take_tap(&self) -> Option<TapSender> {
        if self.tap_waits.swap(false, AcqRel) { lock(&self.tap).take() } else { None }
    }

    /// Gives a tap back for the next loop, unless another one was opened.
    pub(super) fn return_tap(&self, sender: TapSender) {
        lock(&self.tap).get_or_insert(sender);
        self.tap_waits.store(true, Release);
    }

    /// The codec thread's end of the ring.
    pub(super) fn reports(&self) -> MutexGuard<'_, ReportSender> {
        lock(&self.reports)
    }
}
