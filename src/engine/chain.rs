//! One model's way through the live loop, as the audio thread holds it: dry delay, the codec thread behind two rings,
//! and what is heard of both. Nothing here allocates, locks, blocks (but in rendering faster than real time, where it is
//! wanted) or can panic on a host's whim.

use super::EngineError;
use super::blend::{Blend, DRY, Gains, decoded, gains};
use super::dry::Dry;
use super::lanes::InForce;
use super::lead::Patience;
use super::link::{AudioEnds, Event, Shared, output_samples, rings};
use super::live::LoopConfig;
use super::mix::mix;
use super::ramp::Ramp;
use super::report::MAX_CHANNELS;
use super::resample::{Timing, measure};
use super::settings::{MAX_SAFETY_HOPS, Monitor, Setting, Slot, Source};
use super::tap::StreamFormat;
use super::telemetry::{Telemetry, blind_source};
use super::wet::{Aside, Wet};
use super::worker::{Calls, Worker};
use crate::codec::{CodeSearch, RateControl};
use crate::model::Model;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Cross-fade between dry and decoded.
const CROSSFADE_SECONDS: f64 = 0.010;
/// Largest sample let into the codec: +24 dB over full scale.
const INPUT_LIMIT: f32 = 16.0;
/// Longest wait for the codec thread in offline rendering before the block is given up.
const OFFLINE_PATIENCE: Duration = Duration::from_secs(30);
/// Frames handled at once, so that scratch buffers stay small.
pub(super) const CHUNK: usize = 1024;
/// Sound that a codec which is about to be heard must have coded in time, in seconds: by then it remembers as much as
/// one that has always run.
const SETTLED_SECONDS: f64 = 0.5;
/// Seconds after which it is heard anyway: a machine that has no time for two codecs may have it for one.
const LONGEST_SETTLING: f64 = 10.0;

/// What the user has set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wishes {
    pub settings: [Setting; 2],
    pub slot: Slot,
    pub level_match: bool,
    pub monitor: Monitor,
    pub difference_gain: f32,
    pub bypass: bool,
    pub safety_hops: u32,
}

/// The audio thread's end of a codec.
pub(super) struct Chain {
    model: Arc<Model>,
    sample_rate: f64,
    channels: usize,
    max_block: usize,
    patience: Patience,
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
    position: u64,
    /// Position at which the stream started anew.
    started: u64,
    /// Samples since the last late one.
    in_time: u64,
    sent_settings: [Option<InForce>; 2],
    sent_slot: Slot,
    sent_level_match: bool,
    /// Input up to this position was sent; what came since was lost for want of room.
    lost_from: Option<u64>,
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

/// Host samples between an output's index and the position at which it is heard: until then its input has come in,
/// a block more has passed for the codec thread to compute in, and the safety hops.
fn shift(timing: &Timing, max_block: usize, safety_hops: u32) -> usize {
    timing.lag + max_block + safety_hops as usize * timing.hop
}

fn latency(timing: &Timing, max_block: usize, safety_hops: u32) -> usize {
    shift(timing, max_block, safety_hops) + timing.delay.round() as usize
}

impl Chain {
    /// Starts the codec thread, which loads the model before it takes audio. Not for the audio thread. Until
    /// [`Self::show`] nothing of it is told to the view. `calls` are made on the codec thread.
    ///
    /// # Errors
    /// [`EngineError`] for rates the resampler refuses, or no thread.
    pub fn start(
        config: LoopConfig,
        model: Arc<Model>,
        telemetry: Arc<Telemetry>,
        calls: Calls,
    ) -> Result<Self, EngineError> {
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
        shared.tell_patience(Patience::new(config.offline));
        shared.shift.store(shift(&timing, max_block, safety_hops) as u32, Relaxed);
        let host_hop = sample_rate / card.frame_rate();
        let format = StreamFormat { sample_rate, channels, delay: timing.coded_delay, model: model.clone() };
        let thread = Worker::start(config, host_hop, format, shared.clone(), telemetry.clone(), codec_ends, calls)?;
        let _ = shared.thread.set(thread.thread().clone());
        Ok(Self {
            wet: Wet::new(output, channels, sample_rate, host_hop),
            dry: Dry::new(channels, longest, latency(&timing, max_block, safety_hops)),
            blend: Blend::new(decoded(Slot::One), CROSSFADE_SECONDS, sample_rate),
            master: Ramp::new(1.0, CROSSFADE_SECONDS / 2.0, sample_rate),
            safety_hops,
            position: 0,
            started: 0,
            in_time: 0,
            sent_settings: [None; 2],
            sent_slot: Slot::One,
            sent_level_match: false,
            lost_from: None,
            blind: telemetry.blind_choice(),
            dry_block: vec![vec![0.0; CHUNK]; channels],
            wet_block: vec![vec![0.0; CHUNK]; output_samples(channels)],
            presence: vec![0.0; CHUNK],
            match_gain: [vec![1.0; CHUNK], vec![1.0; CHUNK]],
            thread: Some(thread),
            ends: Ends { input, events },
            patience: Patience::new(config.offline),
            sample_rate,
            channels,
            max_block,
            timing,
            shared,
            telemetry,
            model,
        })
    }

    /// What codes.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// What it sends through the codec.
    pub fn format(&self) -> StreamFormat {
        let Self { sample_rate, channels, .. } = *self;
        StreamFormat { model: self.model.clone(), sample_rate, channels, delay: self.timing.coded_delay }
    }

    /// Whether the codec thread takes audio, or why it never will. Not for the audio thread.
    pub fn loaded(&self) -> Option<Result<(), String>> {
        match self.shared.failure.get() {
            Some(reason) => Some(Err(reason.clone())),
            None => self.shared.loaded.load(Acquire).then_some(Ok(())),
        }
    }

    /// From now on the view is told of this codec, or no more.
    pub fn show(&self, shown: bool) {
        self.shared.shown.store(shown, Release);
    }

    /// Latency from input to output in samples; the same for dry and decoded.
    pub fn latency(&self) -> u32 {
        latency(&self.timing, self.max_block, self.safety_hops) as u32
    }

    /// Whether process waits for the codec. The codec thread then leaves nothing out.
    pub fn set_patience(&mut self, patience: Patience) {
        self.patience = patience;
        self.shared.tell_patience(patience);
    }

    /// Time that the latency gives the codec thread, in seconds.
    pub fn due(&self) -> f64 {
        (self.max_block + self.safety_hops as usize * self.timing.hop) as f64 / self.sample_rate
    }

    /// Whether what is heard is what `wishes` say, without a cross-fade under way.
    pub fn is_settled(&self, wishes: &Wishes) -> bool {
        self.blend.rests_at(self.target(wishes))
    }

    /// What is heard is what `wishes` say, at once.
    pub fn jump(&mut self, wishes: &Wishes) {
        self.blend.jump(self.target(wishes));
    }

    /// Forgets all audio so far.
    pub fn reset(&mut self, wishes: &Wishes) {
        self.dry.clear();
        self.wet.restart(self.position);
        self.lost_from.get_or_insert(self.position);
        (self.started, self.in_time) = (self.position, 0);
        self.jump(wishes);
    }

    /// Whether it can take over from another codec: nothing of what it was fed with before it started is heard, it is in
    /// time, and its state is that of one that has always run.
    pub fn is_ready(&self) -> bool {
        let since = self.position - self.started;
        let seconds = |seconds: f64| (seconds * self.sample_rate) as u64;
        let heard = u64::from(self.latency()) + seconds(SETTLED_SECONDS);
        let settled = since >= heard && self.in_time >= seconds(SETTLED_SECONDS) && self.master.rests_at(1.0);
        self.shared.ready.load(Acquire) && (settled || since > heard + seconds(LONGEST_SETTLING))
    }

    fn target(&self, wishes: &Wishes) -> Gains {
        // Without a codec the dry signal goes on: silence would be worse, and the view says what is heard.
        let failed = self.shared.failed.load(Relaxed);
        if wishes.bypass || failed {
            return DRY;
        }
        match (blind_source(self.blind), wishes.monitor) {
            (Some(Source::Dry), _) => DRY,
            (Some(Source::Decoded(slot)), _) => decoded(slot),
            // One channel has no sides.
            (None, Monitor::Split) if self.channels < 2 => decoded(wishes.slot),
            (None, monitor) => gains(monitor, wishes.slot, wishes.difference_gain),
        }
    }

    /// Processes up to [`CHUNK`] samples in place. What is late is counted where the output is `heard`.
    pub fn process(&mut self, channels: &mut [&mut [f32]], wishes: &Wishes, heard: bool) {
        let frames = channels[0].len();
        self.change_covered(wishes);
        self.send(channels, wishes);
        let index = self.position as i64 - self.shared.shift.load(Relaxed) as i64;
        self.position += frames as u64;
        self.wait_until(|chain| chain.wet.reaches(index + frames as i64));
        // After the wait, in which the codec may fail.
        self.blend.set_target(self.target(wishes));

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
        self.in_time = if late > 0 { 0 } else { self.in_time + frames as u64 };
        if late > 0 && heard {
            self.telemetry.add_late_frames(late);
        }
        mix(&mut self.blend, &mut self.master, channels, &dry[..count], wet, &aside);
    }

    /// Around a new safety setting everything is faded, because dry and decoded both jump in time; and around a choice
    /// of the blind test, which must not be told by how it sounds to switch.
    fn change_covered(&mut self, wishes: &Wishes) {
        let blind = self.telemetry.blind_choice();
        if wishes.safety_hops == self.safety_hops && blind == self.blind {
            self.master.set_target(1.0);
        } else if self.master.rests_at(0.0) {
            self.blind = blind;
            self.jump(wishes);
            self.safety_hops = wishes.safety_hops;
            let shift = shift(&self.timing, self.max_block, self.safety_hops);
            self.shared.shift.store(shift as u32, Relaxed);
            self.dry.set_delay(self.latency() as usize);
        } else {
            self.master.set_target(0.0);
        }
    }

    /// What of a setting the codec thread needs to know. A model without an importance map is for constant bitrate.
    fn in_force(&self, setting: &Setting) -> InForce {
        let setting = setting.clamped();
        let card = self.model.card();
        let rate = setting.rate();
        let rate = if card.importance { rate } else { RateControl::Codebooks(setting.codebooks) };
        let search = if self.model.most_candidates() > 1 { setting.search } else { CodeSearch::Latent };
        InForce { rate, stereo: setting.stereo, loss: setting.loss, search }
    }

    /// Sends one chunk of input, and before it the events that belong to it.
    fn send(&mut self, channels: &[&mut [f32]], wishes: &Wishes) {
        let (count, frames) = (channels.len(), channels[0].len());
        self.wait_until(|chain| chain.ends.input.slots() >= count * frames);
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
            let setting = self.in_force(&wishes.settings[slot.index()]);
            let sent = &mut self.sent_settings[slot.index()];
            if *sent != Some(setting)
                && self.ends.events.push(Event::Setting { at: self.position, slot, setting }).is_ok()
            {
                *sent = Some(setting);
            }
        }
        let Wishes { slot, level_match, .. } = *wishes;
        if self.sent_slot != slot && self.ends.events.push(Event::Select { at: self.position, slot }).is_ok() {
            self.sent_slot = slot;
        }
        if self.sent_level_match != level_match
            && self.ends.events.push(Event::LevelMatch { at: self.position, on: level_match }).is_ok()
        {
            self.sent_level_match = level_match;
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

    /// Waits for it, where there is patience.
    fn wait_until(&self, ready: impl Fn(&Self) -> bool) {
        let until = match self.patience {
            Patience::Never => return,
            Patience::Until(until) => until,
            Patience::Offline => Instant::now() + OFFLINE_PATIENCE,
        };
        while !ready(self) && !self.shared.failed.load(Relaxed) && Instant::now() < until {
            self.shared.wake();
            std::thread::sleep(Duration::from_micros(50));
        }
    }

    /// Ends the codec thread and waits for its end. Not for the audio thread.
    pub fn stop(&mut self) {
        self.shared.stop.store(true, Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A codec thread that panicked has nothing left to tell.
            let _ = thread.join();
        }
    }
}

impl Drop for Chain {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Not-a-number and infinity would stay in the model's state for good.
fn sane(sample: f32) -> f32 {
    if sample.is_finite() { sample.clamp(-INPUT_LIMIT, INPUT_LIMIT) } else { 0.0 }
}
