//! The codec thread: takes input hop by hop, sends it through the codec, and hands the output on.

use super::EngineError;
use super::analysis::Analysis;
use super::link::{CodecEnds, Event, Shared, output_width};
use super::live::LoopConfig;
use super::matching::Matching;
use super::pipeline::Pipeline;
use super::report::{FrameReport, ReportSender};
use super::resample::HopResampler;
use super::settings::StereoMode;
use super::stereo::{self, Fade, Stereo};
use super::telemetry::{LoopState, Telemetry};
use crate::codec::{Rate, RateControl, TargetControl};
use crate::model::{Model, runtime};
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Steps run on silence before the loop goes live: the first ones allocate and are up to twice as slow.
const WARM_UP_STEPS: usize = 8;
/// Longest sleep; a wake-up that got lost costs no more than this.
const NAP: Duration = Duration::from_millis(5);
/// Smoothing of the load figure, in hops.
const LOAD_HOPS: f32 = 40.0;

/// The state of the codec thread.
pub(super) struct Worker {
    shared: Arc<Shared>,
    telemetry: Arc<Telemetry>,
    ends: CodecEnds,
    pipeline: Pipeline,
    resampler: HopResampler,
    analysis: Analysis,
    channels: usize,
    /// Channels that the last frame was coded in.
    coded_channels: usize,
    /// Length of a hop in host samples and in seconds.
    host_hop: f64,
    hop_seconds: f64,
    /// Position of the next input sample.
    consumed: u64,
    /// Index of the next output sample.
    made: u64,
    /// Frames since the start.
    frames: u64,
    rate: RateControl,
    /// Finds the level of average bitrate.
    target: TargetControl,
    stereo: Stereo,
    matching: Matching,
    level_match: bool,
    /// Gain of the last sample handed on.
    gain: f32,
    /// Behind time, so hops are passed over until it has caught up.
    behind: bool,
    load: f32,
    interleaved: Vec<f32>,
    host: Vec<f32>,
    hop_in: Vec<f32>,
    /// The same as it is coded.
    coded: Vec<f32>,
    hop_out: Vec<f32>,
}

impl Worker {
    /// Starts the thread; it loads the model first.
    pub fn start(
        config: LoopConfig,
        host_hop: f64,
        model: Arc<Model>,
        shared: Arc<Shared>,
        telemetry: Arc<Telemetry>,
        ends: CodecEnds,
    ) -> Result<JoinHandle<()>, EngineError> {
        let run = move || {
            let failed = |reason: String| {
                telemetry.update_status(|status| status.state = LoopState::Failed(reason));
                shared.failed.store(true, Release);
            };
            // SAFETY: only the worker's own arithmetic runs inside; flushing denormals to zero changes no result that
            // a codec of a few bits a sample could show.
            let work = || unsafe {
                no_denormals::no_denormals(|| Self::new(config, host_hop, &model, &shared, &telemetry, ends)?.run())
            };
            // A bug here must not leave the host waiting for a thread that is gone, with a view that says "live".
            match std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => failed(error.to_string()),
                Err(_) => failed("the codec thread broke off; this is a bug, please report it".into()),
            }
        };
        Ok(std::thread::Builder::new().name("vrvq codec".into()).spawn(run)?)
    }

    fn new(
        config: LoopConfig,
        host_hop: f64,
        model: &Arc<Model>,
        shared: &Arc<Shared>,
        telemetry: &Arc<Telemetry>,
        ends: CodecEnds,
    ) -> Result<Self, EngineError> {
        let (card, channels) = (model.card(), config.channels);
        let model_rate = f64::from(card.sample_rate);
        let name = runtime()?.name().to_owned();
        telemetry.update_status(|status| {
            status.runtime = name;
            status.channels = channels;
        });
        let mut pipeline = Pipeline::new(model, channels)?;
        let resampler = HopResampler::new(config.sample_rate, model_rate, card.hop, channels)?;
        let host = vec![0.0; channels * resampler.input_max().max(resampler.output_max())];
        let (hop_in, mut hop_out) = (vec![0.0; channels * card.hop], vec![0.0; channels * card.hop]);
        for _ in 0..WARM_UP_STEPS {
            pipeline.step(&hop_in, Rate::Level(card.level.default), &mut hop_out, &mut FrameReport::default())?;
        }
        pipeline.reset()?;
        if !config.offline {
            // Refused on many systems; the loop then runs at the priority it has, and late frames are counted.
            let _ = audio_thread_priority::promote_current_thread_to_real_time(0, config.sample_rate as u32);
        }
        Ok(Self {
            shared: shared.clone(),
            telemetry: telemetry.clone(),
            ends,
            pipeline,
            analysis: Analysis::new(channels, model_rate, card.hop, card.delay()),
            channels,
            coded_channels: channels,
            host_hop,
            hop_seconds: card.hop as f64 / model_rate,
            consumed: 0,
            made: 0,
            frames: 0,
            rate: RateControl::Level(card.level.default),
            target: TargetControl::new(model.packet_format(), card.frame_rate(), channels, card.level.default),
            stereo: Stereo::new(),
            matching: Matching::new(channels, card.sample_rate, card.hop, card.delay())?,
            level_match: false,
            gain: 1.0,
            behind: true,
            load: 0.0,
            interleaved: vec![0.0; host.len() / channels * output_width(channels)],
            host,
            coded: hop_in.clone(),
            hop_in,
            hop_out,
            resampler,
        })
    }

    /// Runs until the loop is stopped.
    fn run(mut self) -> Result<(), EngineError> {
        let telemetry = self.telemetry.clone();
        telemetry.update_status(|status| status.state = LoopState::Running);
        let mut reports = telemetry.reports();
        while !self.shared.stop.load(Acquire) {
            let needed = self.resampler.input_needed();
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
            self.step(needed, waiting, &mut reports)?;
        }
        Ok(())
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
                Event::Rate { at, rate } if at < end => {
                    self.rate = rate;
                    if let RateControl::Target(target) = rate {
                        self.target.aim(target);
                    }
                    self.matching.turned();
                }
                Event::Stereo { at, mode } if at < end => {
                    self.stereo.set(mode);
                    self.matching.turned();
                    if self.frames == 0 {
                        self.stereo.restart();
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
        self.consumed = next;
        self.pipeline.reset()?;
        self.resampler.reset();
        self.stereo.restart();
        self.target.reset();
        self.matching.reset();
        self.analysis.stop();
        self.hop_out.fill(0.0);
        while self.made < next && !self.shared.stop.load(Acquire) {
            let silent = (next - self.made).min((self.host.len() / self.channels) as u64) as usize;
            self.host[..silent * self.channels].fill(0.0);
            self.hand_on(silent);
        }
        Ok(())
    }

    /// One hop: `needed` of the `waiting` samples of each channel.
    fn step(&mut self, needed: usize, waiting: usize, reports: &mut ReportSender) -> Result<(), EngineError> {
        let started = Instant::now();
        self.take_hop(needed)?;
        let online = !self.shared.offline.load(Relaxed);
        if online && self.is_past(self.host_hop) {
            self.behind = true;
        }
        let mut report = FrameReport { index: self.frames, rate: self.frame_rate(), ..FrameReport::default() };
        report.channels = self.coded_channels as u8;
        let passed_over = online && self.behind && (waiting - needed) as f64 > self.host_hop;
        if passed_over {
            report.late = true;
            self.hop_out.fill(0.0);
            self.pipeline.reset()?;
        } else {
            self.behind = false;
            self.code(&mut report)?;
            self.matching.push(&mut self.hop_in, &self.hop_out)?;
            self.telemetry.set_match_gain_db(self.matching.gain_db());
        }
        let made = {
            let room = self.resampler.output_max();
            self.resampler.resample_out(&self.hop_out, &mut self.host[..room * self.channels])?
        };
        let room = self.resampler.output_max();
        // Planar with room to planar without: the ring wants frames.
        for channel in 1..self.channels {
            self.host.copy_within(channel * room..channel * room + made, channel * made);
        }
        report.late |= online && self.is_past(0.0) && self.shared.ready.load(Relaxed);
        self.hand_on(made);
        if !passed_over {
            self.shared.ready.store(true, Release);
        }
        self.frames += 1;
        if !self.telemetry.view_open() {
            self.analysis.stop();
        } else if let Some(report) = self.analysis.push(report, &self.hop_in, &self.hop_out) {
            reports.send(report);
        }
        let load = (started.elapsed().as_secs_f64() / self.hop_seconds) as f32;
        self.load += (load - self.load) / LOAD_HOPS;
        self.telemetry.set_load(self.load);
        Ok(())
    }

    /// What the next frame is packed at.
    fn frame_rate(&mut self) -> Rate {
        match self.rate {
            RateControl::Level(level) => Rate::Level(level),
            RateControl::Codebooks(number) => Rate::Codebooks(number),
            RateControl::Target(_) => Rate::Level(self.target.level()),
        }
    }

    /// Sends `hop_in` through the codec to `hop_out`.
    fn code(&mut self, report: &mut FrameReport) -> Result<(), EngineError> {
        let (mode, fade) = if self.channels == 2 { self.stereo.next() } else { (StereoMode::LeftRight, Fade::None) };
        self.coded.copy_from_slice(&self.hop_in);
        let coded = self.channels.min(mode.channel_names().len());
        self.coded_channels = coded;
        if self.channels == 2 {
            stereo::to_coded(mode, &mut self.coded);
        }
        self.pipeline.step_coded(&self.coded, coded, report.rate, &mut self.hop_out, report)?;
        let importances = report.frames.map(|frame| frame.importance);
        let aimed = matches!(self.rate, RateControl::Target(_));
        self.target.push(&importances[..coded], aimed.then(|| report.bits()));
        if self.channels == 2 {
            stereo::to_left_right(mode, &mut self.hop_out);
        }
        if fade != Fade::None {
            stereo::fade(&mut self.hop_out, self.channels, fade);
        }
        report.stereo = mode;
        Ok(())
    }

    /// Whether the next output sample plus `margin` host samples is already past its time.
    fn is_past(&self, margin: f64) -> bool {
        let heard = self.shared.sent.load(Acquire) as f64 - f64::from(self.shared.shift.load(Relaxed));
        heard > self.made as f64 + margin
    }

    /// Reads the next hop from the ring into `hop_in`, at the model's rate.
    fn take_hop(&mut self, needed: usize) -> Result<(), EngineError> {
        let samples = needed * self.channels;
        let _ = self.ends.input.pop_entire_slice(&mut self.interleaved[..samples]);
        for (index, sample) in self.interleaved[..samples].iter().enumerate() {
            self.host[index % self.channels * needed + index / self.channels] = *sample;
        }
        self.consumed += needed as u64;
        self.resampler.resample_in(&self.host[..samples], &mut self.hop_in)
    }

    /// Hands `count` planar host samples of each channel on to the audio thread, with the gain of the level match,
    /// waiting for room where the host has stopped to process.
    fn hand_on(&mut self, count: usize) {
        let width = output_width(self.channels);
        let samples = count * width;
        let target = if self.level_match { 10.0f32.powf(self.matching.gain_db() / 20.0) } else { 1.0 };
        let step = (target - self.gain) / count.max(1) as f32;
        for (index, frame) in self.interleaved[..samples].chunks_exact_mut(width).enumerate() {
            for (channel, sample) in frame[..self.channels].iter_mut().enumerate() {
                *sample = self.host[channel * count + index];
            }
            frame[self.channels] = if index + 1 == count { target } else { self.gain + step * (index + 1) as f32 };
        }
        self.gain = target;
        while self.ends.output.push_entire_slice(&self.interleaved[..samples]).is_err() {
            if self.shared.stop.load(Acquire) {
                return;
            }
            std::thread::park_timeout(NAP);
        }
        self.made += count as u64;
    }
}
