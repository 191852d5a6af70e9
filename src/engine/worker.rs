//! The codec thread: takes input hop by hop, sends it through the codec, and hands the output on.

use super::EngineError;
use super::analysis::Analysis;
use super::backlog::{Backlog, MOST_HOPS};
use super::budget::{Budget, Recurring};
use super::lanes::{Lanes, Turn};
use super::link::{CodecEnds, Event, Shared, output_samples, output_width};
use super::live::LoopConfig;
use super::matching::Matching;
use super::report::FrameReport;
use super::resample::HopResampler;
use super::settings::Slot;
use super::tap::{StreamFormat, Tap};
use super::telemetry::{LoopState, Telemetry};
use crate::codec::CodeSearch;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Longest sleep; a wake-up that got lost costs no more than this.
const NAP: Duration = Duration::from_millis(5);
/// How long to wait for room in a tap, in offline rendering.
const FULL_TAP: Duration = Duration::from_millis(1);
/// Smoothing of the load figure, in hops.
const LOAD_HOPS: f32 = 40.0;
/// Share of the load that is left where codes are chosen by less.
const REST_OF_LOAD: f32 = 0.5;

/// A codec thread gives up while the view is told of its codec: the reason, and whether it was on a GPU, whose fault it
/// may be whatever the reason says.
pub(super) type Failed = Box<dyn Fn(&str, bool) + Send>;

/// What a codec thread tells whoever can change the model.
pub(super) struct Calls {
    pub failed: Failed,
    /// Another setting is heard from now on.
    pub selected: Box<dyn Fn(Slot) + Send>,
}

/// The state of the codec thread.
pub(super) struct Worker {
    format: StreamFormat,
    /// The view was told that this codec runs.
    shown: bool,
    /// The system gave this thread no real-time priority.
    priority_refused: bool,
    shared: Arc<Shared>,
    telemetry: Arc<Telemetry>,
    ends: CodecEnds,
    lanes: Lanes,
    backlog: Backlog,
    budget: Budget,
    sound_budget: Budget,
    refined_budget: Budget,
    resampler: HopResampler,
    analysis: Analysis,
    tap: Tap,
    channels: usize,
    /// Length of a hop in host samples and in seconds.
    host_hop: f64,
    hop_seconds: f64,
    /// Position of the next input sample.
    consumed: u64,
    /// Index of the next output sample.
    made: u64,
    /// Frames since the start.
    frames: u64,
    /// The setting that is shown, and heard where one runs alone.
    slot: Slot,
    /// See [`Calls`].
    selected: Box<dyn Fn(Slot) + Send>,
    matching: [Matching; 2],
    level_match: bool,
    /// Gain of the last sample handed on, of each setting.
    gain: [f32; 2],
    /// Behind time, so hops are passed over until it has caught up.
    behind: bool,
    /// The last hop came too late.
    late: bool,
    recurring: Recurring,
    load: f32,
    hops_per_call: f32,
    interleaved: Vec<f32>,
    host: Vec<f32>,
    /// The hops of a call, `[hops, channels, hop]`.
    hop_in: Vec<f32>,
    /// What the settings made of them, `[hops, settings, channels, hop]`.
    hop_out: Vec<f32>,
    /// Settings that change from one hop of a call to the next.
    turns: Vec<Turn>,
    /// Values of a hop in `hop_in` and in `hop_out`.
    in_size: usize,
    out_size: usize,
}

impl Worker {
    /// Starts the thread; it loads the model first.
    pub fn start(
        config: LoopConfig,
        host_hop: f64,
        format: StreamFormat,
        shared: Arc<Shared>,
        telemetry: Arc<Telemetry>,
        ends: CodecEnds,
        calls: Calls,
    ) -> Result<JoinHandle<()>, EngineError> {
        let Calls { failed: when_failed, selected } = calls;
        let run = move || {
            let failed = |reason: String, gpu: bool| {
                let gpu = gpu || shared.on_gpu.load(Relaxed);
                let _ = shared.failure.set(reason.clone());
                shared.failed.store(true, Release);
                if shared.shown.load(Acquire) {
                    telemetry.update_status(|status| status.state = LoopState::Failed(reason.clone()));
                    when_failed(&reason, gpu);
                }
            };
            // SAFETY: only the worker's own arithmetic runs inside; flushing denormals to zero changes no result that
            // a codec of a few bits a sample could show.
            let work = || unsafe {
                no_denormals::no_denormals(|| {
                    Self::new(config, host_hop, format, &shared, &telemetry, ends, selected)?.run()
                })
            };
            // A bug here must not leave the host waiting for a thread that is gone, with a view that says "live".
            match std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => failed(error.to_string(), error.is_of_gpu()),
                Err(_) => failed("the codec thread broke off; this is a bug, please report it".into(), false),
            }
        };
        Ok(std::thread::Builder::new().name("vrvq codec".into()).spawn(run)?)
    }

    fn new(
        config: LoopConfig,
        host_hop: f64,
        format: StreamFormat,
        shared: &Arc<Shared>,
        telemetry: &Arc<Telemetry>,
        ends: CodecEnds,
        selected: Box<dyn Fn(Slot) + Send>,
    ) -> Result<Self, EngineError> {
        let (model, channels) = (format.model.clone(), config.channels);
        let card = model.card();
        let model_rate = f64::from(card.sample_rate);
        let mut lanes = Lanes::new(&model, channels)?;
        shared.on_gpu.store(lanes.on_gpu(), Relaxed);
        let backlog = Backlog::new(lanes.warm_up()?);
        let (samples, hop_seconds) = (output_samples(channels), card.hop as f64 / model_rate);
        let resampler = HopResampler::new(config.sample_rate, model_rate, card.hop, (channels, samples))?;
        let frames = resampler.input_max().max(resampler.output_max());
        let matching = || Matching::new(channels, card.sample_rate, card.hop, card.delay());
        // Refused on many systems; the loop then runs at the priority it has, and late frames are counted.
        let priority_refused = !config.offline
            && audio_thread_priority::promote_current_thread_to_real_time(0, config.sample_rate as u32).is_err();
        Ok(Self {
            tap: Tap::new(format.clone()),
            format,
            shown: false,
            priority_refused,
            shared: shared.clone(),
            telemetry: telemetry.clone(),
            ends,
            lanes,
            backlog,
            budget: Budget::new(hop_seconds),
            sound_budget: Budget::new(hop_seconds),
            refined_budget: Budget::new(hop_seconds),
            analysis: Analysis::new(channels, model_rate, card.hop, card.latency_samples),
            channels,
            host_hop,
            hop_seconds,
            consumed: 0,
            made: 0,
            frames: 0,
            slot: Slot::One,
            selected,
            matching: [matching()?, matching()?],
            level_match: false,
            gain: [1.0; 2],
            behind: true,
            late: false,
            recurring: Recurring::default(),
            load: 0.0,
            hops_per_call: 1.0,
            interleaved: vec![0.0; frames * output_width(channels)],
            host: vec![0.0; frames * samples],
            hop_in: vec![0.0; MOST_HOPS * channels * card.hop],
            hop_out: vec![0.0; MOST_HOPS * samples * card.hop],
            turns: Vec::new(),
            in_size: channels * card.hop,
            out_size: samples * card.hop,
            resampler,
        })
    }

    /// Runs until the loop is stopped.
    fn run(mut self) -> Result<(), EngineError> {
        self.shared.loaded.store(true, Release);
        let result = self.work();
        self.tap.leave(&self.telemetry);
        result
    }

    fn work(&mut self) -> Result<(), EngineError> {
        while !self.shared.stop.load(Acquire) {
            let needed = self.resampler.input_needed();
            self.show();
            // The ring is asked before the events: an event is always sent before the samples it is about.
            let waiting = self.ends.input.slots() / self.channels;
            let end = self.consumed + waiting.min(needed) as u64;
            if self.take_events(end)? {
                continue;
            }
            if waiting < needed {
                // Nothing is left to catch up with.
                self.behind = false;
                self.sleep_until(self.consumed + needed as u64);
                continue;
            }
            self.step(needed, waiting)?;
        }
        Ok(())
    }

    /// Tells the view that this codec is the one that runs, where that is new.
    fn show(&mut self) {
        let shown = self.shared.shown.load(Acquire);
        if shown && !self.shown {
            let (card, name) = (self.format.model.card(), self.lanes.runtime());
            self.telemetry.update_status(|status| {
                status.state = LoopState::Running;
                status.runtime = name;
                status.channels = self.channels;
                status.model.clone_from(&card.name);
                status.frame_rate = card.frame_rate();
                status.curves = self.format.model.curves();
                status.constant = !card.importance;
                status.by_sound = self.format.model.most_candidates() > 1;
            });
            self.telemetry.set_safety_needed(self.backlog.safety(self.hop_seconds as f32));
            self.telemetry.set_priority_refused(self.priority_refused);
            self.telemetry.set_stream(Some(self.format.clone()));
        } else if !shown && self.shown {
            self.tap.leave(&self.telemetry);
        }
        self.shown = shown;
    }

    fn sleep_until(&self, position: u64) {
        self.shared.wanted.store(position, Release);
        if self.shared.sent.load(Acquire) < position {
            std::thread::park_timeout(NAP);
        }
    }

    /// Takes the events of positions before `end`; true where the stream started anew.
    fn take_events(&mut self, end: u64) -> Result<bool, EngineError> {
        while let Ok(&event) = self.ends.events.peek() {
            match event {
                Event::Setting { at, slot, setting } if at < end => {
                    self.lanes.ask(slot, setting, self.frames == 0);
                    self.matching[slot.index()].turned();
                }
                Event::Select { at, slot } if at < end => {
                    self.slot = slot;
                    (self.selected)(slot);
                    if !self.lanes.both_run() && self.lanes.differ() {
                        self.matching.iter_mut().for_each(Matching::turned);
                    }
                }
                Event::LevelMatch { at, on } if at < end => self.level_match = on,
                Event::Restart { last, next } if last <= end => {
                    let _ = self.ends.events.pop();
                    self.restart(last, next)?;
                    return Ok(true);
                }
                _ => return Ok(false),
            }
            let _ = self.ends.events.pop();
        }
        Ok(false)
    }

    /// Forgets the input up to `last` and goes on at position `next`, output indices with it.
    fn restart(&mut self, last: u64, next: u64) -> Result<(), EngineError> {
        let forgotten = (last - self.consumed) as usize * self.channels;
        if let Ok(chunk) = self.ends.input.read_chunk(forgotten) {
            chunk.commit_all();
        }
        let missing = (next - self.consumed) as f64 / self.host_hop;
        self.tap.skip(missing.round().max(1.0) as u64);
        self.consumed = next;
        self.lanes.reset()?;
        self.resampler.reset();
        self.matching.iter_mut().for_each(Matching::reset);
        self.analysis.stop();
        self.hop_out.fill(0.0);
        while self.made < next && !self.shared.stop.load(Acquire) {
            let samples = output_samples(self.channels);
            let silent = (next - self.made).min((self.host.len() / samples) as u64) as usize;
            self.host[..silent * samples].fill(0.0);
            self.hand_on(silent);
        }
        Ok(())
    }

    /// The next hop, `needed` of the `waiting` samples of each channel, and those behind it that are taken in the same call.
    fn step(&mut self, needed: usize, waiting: usize) -> Result<(), EngineError> {
        let started = Instant::now();
        self.take_hop(0, needed)?;
        let online = !self.shared.waited_for.load(Relaxed);
        if online && self.samples_left() < -self.host_hop {
            self.behind = true;
        }
        self.lanes.share(online);
        let late = self.late;
        // Nothing is late offline, and a blind test needs all that it compares.
        let everything = self.shared.offline.load(Relaxed) || self.telemetry.blind().is_some();
        let again = self.recurring.late_again(self.frames, self.telemetry.late_frames());
        let late = late || !online && again;
        // What each of them took is gone with it: whether there is time for the next one shows without it.
        let search = self.lanes.search();
        let runs = search == CodeSearch::Refined;
        let refined = self.refined_budget.allows(self.load, late, runs) || everything;
        self.load *= if runs && !refined { REST_OF_LOAD } else { 1.0 };
        let late = late && (refined || !runs);
        let runs = search > CodeSearch::Latent;
        let sound = self.sound_budget.allows(self.load, late, runs) || everything;
        self.load *= if runs && !sound { REST_OF_LOAD } else { 1.0 };
        let late = late && (sound || !runs);
        let most = match (sound, refined) {
            (false, _) => CodeSearch::Latent,
            (true, false) => CodeSearch::Sound,
            (true, true) => CodeSearch::Refined,
        };
        let both = self.budget.allows(self.load, late, self.lanes.both_run()) || everything;
        self.lanes.arrange(self.slot, both, most)?;
        let passed_over = online && self.behind && (waiting - needed) as f64 > self.host_hop;
        self.turns.clear();
        // A bounce must repeat to the bit, and a call of several hops rounds differently.
        let hops = if online && !passed_over { self.take_more()? } else { 1 };
        let mut reports = [[FrameReport::default(); 2]; MOST_HOPS];
        for (hop, reports) in reports.iter_mut().enumerate() {
            let index = self.frames + hop as u64;
            *reports = Slot::ALL.map(|setting| FrameReport { index, setting, ..Default::default() });
        }
        if passed_over {
            self.hop_out[..self.out_size].fill(0.0);
            self.lanes.pass_over(&mut reports[0])?;
        } else {
            self.behind = false;
            let called = Instant::now();
            let (input, output) = (&self.hop_in[..hops * self.in_size], &mut self.hop_out[..hops * self.out_size]);
            self.lanes.step(input, &self.turns, output, &mut reports[..hops])?;
            self.backlog.took(hops, called.elapsed().as_secs_f32());
        }
        for (hop, reports) in reports[..hops].iter().enumerate() {
            self.finish_hop(hop, reports, passed_over)?;
        }
        // Taken for a hop that then had to wait for the next call.
        for turn in self.turns.iter().filter(|turn| turn.hop >= hops) {
            self.lanes.ask(turn.slot, turn.asked, false);
            self.matching[turn.slot.index()].turned();
        }
        let load = (started.elapsed().as_secs_f64() / (hops as f64 * self.hop_seconds)) as f32;
        for _ in 0..hops {
            self.load += (load - self.load) / LOAD_HOPS;
            self.hops_per_call += (hops as f32 - self.hops_per_call) / LOAD_HOPS;
        }
        self.budget.pass(hops);
        self.sound_budget.pass(hops);
        self.refined_budget.pass(hops);
        if self.shown {
            self.telemetry.set_load(self.load, self.hops_per_call);
        }
        Ok(())
    }

    /// Takes hops that wait behind the first one of a call, as many as are worth it; how many the call has then.
    fn take_more(&mut self) -> Result<usize, EngineError> {
        let waiting = 1 + (self.ends.input.slots() / self.channels) / self.resampler.input_needed();
        let slack = self.samples_left() / self.host_hop * self.hop_seconds;
        let wanted = if self.lanes.rest() { self.backlog.hops(waiting, slack as f32) } else { 1 };
        let mut hops = 1;
        while hops < wanted {
            let needed = self.resampler.input_needed();
            if self.ends.input.slots() / self.channels < needed || !self.take_turns(hops, needed) {
                break;
            }
            self.take_hop(hops, needed)?;
            hops += 1;
        }
        Ok(hops)
    }

    /// Takes the events of hop `hop` of a call, `needed` samples long; `false` where one of them has to wait for the next
    /// call, and the hop with it.
    fn take_turns(&mut self, hop: usize, needed: usize) -> bool {
        let end = self.consumed + needed as u64;
        while let Ok(&event) = self.ends.events.peek() {
            match event {
                Event::Setting { at, slot, setting } if at < end => {
                    if !self.lanes.takes_along(slot, setting) {
                        return false;
                    }
                    self.turns.push(Turn { hop, slot, asked: setting });
                }
                Event::Select { at, .. } | Event::LevelMatch { at, .. } if at < end => return false,
                Event::Restart { last, .. } if last <= end => return false,
                _ => return true,
            }
            let _ = self.ends.events.pop();
        }
        true
    }

    /// Hands hop `hop` of a call on, and tells of it.
    fn finish_hop(&mut self, hop: usize, reports: &[FrameReport; 2], passed_over: bool) -> Result<(), EngineError> {
        let online = !self.shared.waited_for.load(Relaxed);
        for turn in self.turns.iter().filter(|turn| turn.hop == hop) {
            self.matching[turn.slot.index()].turned();
        }
        let input = &mut self.hop_in[hop * self.in_size..][..self.in_size];
        let output = &self.hop_out[hop * self.out_size..][..self.out_size];
        if !passed_over {
            for (matching, output) in self.matching.iter_mut().zip(output.chunks_exact(self.in_size)) {
                matching.push(input, output)?;
            }
        }
        let (room, samples) = (self.resampler.output_max(), output_samples(self.channels));
        let made = self.resampler.resample_out(output, &mut self.host[..room * samples])?;
        // Planar with room to planar without: the ring wants frames.
        for channel in 1..samples {
            self.host.copy_within(channel * room..channel * room + made, channel * made);
        }
        self.late = passed_over || online && self.samples_left() < 0.0 && self.shared.ready.load(Relaxed);
        self.hand_on(made);
        if !passed_over {
            self.shared.ready.store(true, Release);
        }
        self.frames += 1;
        if self.shown {
            self.tap.follow(&self.telemetry);
            self.report(hop, reports[self.slot.index()]);
        } else {
            self.analysis.stop();
        }
        self.feed_tap(hop, &reports[self.slot.index()], passed_over);
        Ok(())
    }

    /// Tells the frame to whoever keeps the stream.
    fn feed_tap(&mut self, hop: usize, report: &FrameReport, passed_over: bool) {
        if passed_over {
            self.tap.skip(1);
            return;
        }
        // A host that waits can wait for this too.
        while self.shared.offline.load(Relaxed) && !self.tap.has_room() && !self.shared.stop.load(Acquire) {
            std::thread::sleep(FULL_TAP);
        }
        let from = hop * self.out_size + self.slot.index() * self.in_size;
        self.tap.push(report, &self.hop_out[from..][..self.in_size]);
    }

    /// Tells of hop `hop` of a call.
    fn report(&mut self, hop: usize, mut report: FrameReport) {
        self.telemetry.set_alone(self.lanes.differ() && !self.lanes.both_run());
        for (matching, slot) in self.matching.iter().zip(Slot::ALL) {
            self.telemetry.set_match_gain_db(slot, matching.gain_db());
        }
        report.late = self.late;
        if report.lost {
            self.telemetry.add_lost_frame();
        }
        let input = &self.hop_in[hop * self.in_size..][..self.in_size];
        let from = hop * self.out_size + self.slot.index() * self.in_size;
        let decoded = &self.hop_out[from..][..self.in_size];
        if !self.telemetry.view_open() {
            self.analysis.stop();
        } else if let Some(report) = self.analysis.push(report, input, decoded) {
            self.telemetry.reports().send(report);
        }
    }

    /// Host samples until the next output sample is heard; negative where that is past.
    fn samples_left(&self) -> f64 {
        self.made as f64 + f64::from(self.shared.shift.load(Relaxed)) - self.shared.sent.load(Acquire) as f64
    }

    /// Reads the next hop from the ring into hop `hop` of `hop_in`, at the model's rate.
    fn take_hop(&mut self, hop: usize, needed: usize) -> Result<(), EngineError> {
        let samples = needed * self.channels;
        let _ = self.ends.input.pop_entire_slice(&mut self.interleaved[..samples]);
        for (index, sample) in self.interleaved[..samples].iter().enumerate() {
            self.host[index % self.channels * needed + index / self.channels] = *sample;
        }
        self.consumed += needed as u64;
        self.resampler.resample_in(&self.host[..samples], &mut self.hop_in[hop * self.in_size..][..self.in_size])
    }

    /// Hands `count` planar host samples of each setting's channels on to the audio thread, with the gains of the level
    /// match, waiting for room where the host has stopped to process.
    fn hand_on(&mut self, count: usize) {
        let (width, samples) = (output_width(self.channels), output_samples(self.channels));
        let target = self
            .matching
            .each_ref()
            .map(|matching| if self.level_match { 10.0f32.powf(matching.gain_db() / 20.0) } else { 1.0 });
        let total = count * width;
        for (index, frame) in self.interleaved[..total].chunks_exact_mut(width).enumerate() {
            for (channel, sample) in frame[..samples].iter_mut().enumerate() {
                *sample = self.host[channel * count + index];
            }
            let share = (index + 1) as f32 / count as f32;
            for ((gain, from), to) in frame[samples..].iter_mut().zip(self.gain).zip(target) {
                *gain = if from == to { to } else { from + (to - from) * share };
            }
        }
        self.gain = target;
        while self.ends.output.push_entire_slice(&self.interleaved[..total]).is_err() {
            if self.shared.stop.load(Acquire) {
                return;
            }
            std::thread::park_timeout(NAP);
        }
        self.made += count as u64;
    }
}
