//! The live loop as the audio thread holds it: the codec that is heard, and while the model is changed the one that is
//! about to be.

use super::EngineError;
use super::chain::{CHUNK, Chain, Wishes};
use super::lead::{Lead, Patience};
use super::ramp::Ramp;
use super::report::MAX_CHANNELS;
use super::settings::{MAX_SAFETY_HOPS, Monitor, Setting, Slot, StereoMode};
use super::switch::{Mail, ModelSwitch};
use super::telemetry::{LoopState, Telemetry};
use crate::codec::{RateControl, RateMode};
use crate::model::Model;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How a loop is set up; changing any of it takes a new loop.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoopConfig {
    /// Sample rate of the host or device in Hz, 1000 to 1 536 000.
    pub sample_rate: f64,
    /// 1 or 2.
    pub channels: usize,
    /// Longest block the host will send, in samples, up to 65 536.
    pub max_block: usize,
    /// Whole hops of safety added to the latency.
    pub safety_hops: u32,
    /// Offline rendering: process waits for the codec instead of going on without it. Otherwise it does so only where the
    /// host is clearly ahead of the clock.
    pub offline: bool,
}

/// Cross-fade from one model to another.
const SWITCH_SECONDS: f64 = 0.030;

/// The live loop.
pub struct LiveLoop {
    config: LoopConfig,
    telemetry: Arc<Telemetry>,
    wishes: Wishes,
    /// What is heard.
    current: Box<Chain>,
    /// What is about to be.
    next: Option<Box<Chain>>,
    /// How much of it is heard.
    share: Ramp,
    switch: ModelSwitch,
    /// Until the end.
    mail: Option<Mail>,
    next_block: Vec<Vec<f32>>,
    /// Latency that was told.
    told_latency: u32,
    lead: Lead,
}

fn check(config: &LoopConfig) -> Result<(), EngineError> {
    let wrong = |what, value: String, range| Err(EngineError::Config { what, value, range });
    if !(1_000.0..=1_536_000.0).contains(&config.sample_rate) {
        return wrong("the sample rate", config.sample_rate.to_string(), "1000 to 1536000 Hz");
    }
    if !(1..=MAX_CHANNELS).contains(&config.channels) {
        return wrong("the number of channels", config.channels.to_string(), "1 to 2");
    }
    if !(1..=65_536).contains(&config.max_block) {
        return wrong("the longest block", config.max_block.to_string(), "1 to 65536 samples");
    }
    Ok(())
}

impl LiveLoop {
    /// Starts a loop and its codec thread, which loads the model before it takes audio. Not for the audio thread.
    ///
    /// # Errors
    /// [`EngineError`] for a set-up outside the ranges, rates the resampler refuses, or no thread. A model that
    /// doesn't load shows in the telemetry's status instead: the dry signal goes on, and the bundled model takes over.
    pub fn start(config: LoopConfig, model: Arc<Model>, telemetry: Arc<Telemetry>) -> Result<Self, EngineError> {
        check(&config)?;
        let card = model.card();
        let (name, frame_rate, constant) = (card.name.clone(), card.frame_rate(), !card.importance);
        telemetry.update_status(|status| {
            status.state = LoopState::Loading;
            status.model = name;
            status.curves = model.curves();
            status.frame_rate = frame_rate;
            status.constant = constant;
            status.by_sound = model.most_candidates() > 1;
            status.coming = None;
        });
        let setting = Setting { level: card.level.default, ..Setting::default() };
        let (switch, mail) = ModelSwitch::new(config, &model, telemetry.clone());
        let calls = switch.calls(&model);
        let current = Box::new(Chain::start(config, model, telemetry.clone(), calls)?);
        current.show(true);
        // Known at once, so that a recording can begin before the first sample.
        telemetry.set_stream(Some(current.format()));
        let mut live = Self {
            wishes: Wishes {
                settings: [setting; 2],
                slot: Slot::One,
                level_match: false,
                monitor: Monitor::Decoded,
                difference_gain: 0.0,
                bypass: false,
                safety_hops: config.safety_hops.min(MAX_SAFETY_HOPS),
            },
            current,
            next: None,
            share: Ramp::new(0.0, SWITCH_SECONDS, config.sample_rate),
            switch,
            mail: Some(mail),
            next_block: vec![vec![0.0; CHUNK]; config.channels],
            told_latency: 0,
            lead: Lead::default(),
            config,
            telemetry,
        };
        live.tell_latency();
        Ok(live)
    }

    /// Latency from input to output in samples; the same for dry and decoded. Changes with the safety setting and with
    /// the model.
    pub fn latency(&self) -> u32 {
        self.current.latency()
    }

    /// The set-up it runs with.
    pub fn config(&self) -> &LoopConfig {
        &self.config
    }

    /// What is heard codes with this model.
    pub fn model(&self) -> &Arc<Model> {
        self.current.model()
    }

    /// What changes the model while audio runs, without an interruption: the other codec warms up beside the one that
    /// is heard, then they cross-fade; ask [`Self::latency`] after each block.
    pub fn switch(&self) -> &ModelSwitch {
        &self.switch
    }

    /// Sets one of the two settings of the codec from the next sample on; frames that end after it use it. Another
    /// stereo mode takes a short fade of the decoded signal. A model without an importance map stays with constant
    /// bitrate, whatever the mode.
    pub fn set_setting(&mut self, slot: Slot, setting: &Setting) {
        self.wishes.settings[slot.index()] = *setting;
    }

    /// Chooses the setting that is heard and shown, by a cross-fade.
    pub fn select(&mut self, slot: Slot) {
        self.wishes.slot = slot;
        self.telemetry.set_slot(slot);
    }

    fn chosen(&mut self) -> &mut Setting {
        &mut self.wishes.settings[self.wishes.slot.index()]
    }

    /// Sets the level, the number of codebooks or the target of the chosen setting.
    pub fn set_rate(&mut self, rate: RateControl) {
        let setting = self.chosen();
        match rate {
            RateControl::Level(level) => (setting.mode, setting.level) = (RateMode::Vbr, level),
            RateControl::Codebooks(number) => (setting.mode, setting.codebooks) = (RateMode::Cbr, number),
            RateControl::Target(target) => (setting.mode, setting.target) = (RateMode::Abr, target),
        }
    }

    /// Sets how two channels are coded by the chosen setting.
    pub fn set_stereo(&mut self, stereo: StereoMode) {
        self.chosen().stereo = stereo;
    }

    /// Chooses what is heard, by a cross-fade.
    pub fn set_monitor(&mut self, monitor: Monitor) {
        self.wishes.monitor = monitor;
    }

    /// Sets the gain of the difference in dB, 0 to [`MAX_DIFFERENCE_GAIN_DB`](super::MAX_DIFFERENCE_GAIN_DB).
    pub fn set_difference_gain(&mut self, gain_db: f32) {
        self.wishes.difference_gain = gain_db;
    }

    /// Brings the decoded signal to the loudness of the dry one from the next sample on, or leaves it as it is. The
    /// difference is always that of the decoded signal as it is.
    pub fn set_level_match(&mut self, on: bool) {
        self.wishes.level_match = on;
    }

    /// Bypasses the codec: the delayed dry signal is heard.
    pub fn set_bypass(&mut self, bypass: bool) {
        self.wishes.bypass = bypass;
    }

    /// Sets the hops of safety. Everything is faded out, the latency changes, everything is faded in; ask
    /// [`Self::latency`] after the next blocks.
    pub fn set_safety(&mut self, hops: u32) {
        self.wishes.safety_hops = hops.min(MAX_SAFETY_HOPS);
        self.switch.set_safety(self.wishes.safety_hops);
    }

    /// Whether process waits for the codec. Without it, it waits where the host is clearly ahead of the clock only.
    pub fn set_offline(&mut self, offline: bool) {
        self.config.offline = offline;
        self.switch.set_offline(offline);
    }

    /// Whether the monitor and bypass settings are reached, without a cross-fade under way.
    pub fn is_settled(&self) -> bool {
        self.next.is_none() && self.current.is_settled(&self.wishes)
    }

    /// Forgets all audio so far: silence for one latency, then what comes in from now on.
    pub fn reset(&mut self) {
        self.current.reset(&self.wishes);
        if let Some(next) = &mut self.next {
            next.reset(&self.wishes);
        }
    }

    /// Processes one block in place: `channels` are as many as configured (fewer or none are left alone), all of one
    /// length.
    pub fn process(&mut self, channels: &mut [&mut [f32]]) {
        if channels.len() != self.config.channels {
            return;
        }
        self.telemetry.count_block();
        let frames = channels.iter().map(|channel| channel.len()).min().unwrap_or(0);
        let patience = self.patience(frames);
        let mut from = 0;
        while from < frames {
            let length = CHUNK.min(frames - from);
            let mut chunk: [&mut [f32]; MAX_CHANNELS] = [&mut [], &mut []];
            for (chunk, channel) in chunk.iter_mut().zip(channels.iter_mut()) {
                *chunk = &mut channel[from..from + length];
            }
            self.process_chunk(&mut chunk[..self.config.channels], patience);
            from += length;
        }
    }

    /// For a block of `frames` samples.
    fn patience(&mut self, frames: usize) -> Patience {
        let (now, length) = (Instant::now(), frames as f64 / self.config.sample_rate);
        let wait = self.lead.block(length, self.current.due(), now);
        match wait {
            _ if self.config.offline => Patience::Offline,
            Duration::ZERO => Patience::Never,
            wait => Patience::Until(now + wait),
        }
    }

    fn process_chunk(&mut self, channels: &mut [&mut [f32]], patience: Patience) {
        for (index, channel) in channels.iter().enumerate() {
            self.telemetry.raise_input_peak(index, peak(channel));
        }
        if self.next.is_none()
            && let Some(mail) = &mut self.mail
            && let Ok(mut next) = mail.incoming.pop()
        {
            next.jump(&self.wishes);
            self.next = Some(next);
        }
        self.current.set_patience(patience);
        if let Some(next) = &mut self.next {
            next.set_patience(patience);
        }
        match self.next.take() {
            None => self.current.process(channels, &self.wishes, true),
            Some(next) => self.process_both(next, channels),
        }
        self.tell_latency();
        for (index, channel) in channels.iter().enumerate() {
            self.telemetry.raise_output_peak(index, peak(channel));
        }
    }

    /// Feeds both codecs and, as soon as the `next` one is ready, fades from one to the other.
    fn process_both(&mut self, mut next: Box<Chain>, channels: &mut [&mut [f32]]) {
        let frames = channels[0].len();
        let mut block: [&mut [f32]; MAX_CHANNELS] = [&mut [], &mut []];
        for ((slice, block), channel) in block.iter_mut().zip(&mut self.next_block).zip(channels.iter()) {
            block[..frames].copy_from_slice(channel);
            *slice = &mut block[..frames];
        }
        let ready = next.is_ready();
        next.process(&mut block[..channels.len()], &self.wishes, false);
        self.current.process(channels, &self.wishes, true);
        if ready {
            self.share.set_target(1.0);
        }
        if self.share.rests_at(0.0) {
            self.next = Some(next);
            return;
        }
        for frame in 0..frames {
            let share = self.share.advance();
            for (channel, block) in channels.iter_mut().zip(&block) {
                channel[frame] += share * (block[frame] - channel[frame]);
            }
        }
        if self.share.rests_at(1.0) {
            self.share.jump(0.0);
            next.show(true);
            let old = std::mem::replace(&mut self.current, next);
            old.show(false);
            // There is room: one codec is on its way at a time.
            if let Some(mail) = &mut self.mail {
                let _ = mail.retired.push(old);
            }
        } else {
            self.next = Some(next);
        }
    }

    fn tell_latency(&mut self) {
        if self.latency() != self.told_latency {
            self.told_latency = self.latency();
            self.telemetry.set_latency(self.told_latency, self.config.sample_rate as f32);
        }
    }
}

impl Drop for LiveLoop {
    fn drop(&mut self) {
        self.current.stop();
        (self.next, self.mail) = (None, None);
        self.switch.join();
        self.telemetry.set_stream(None);
        self.telemetry.update_status(|status| (status.state, status.coming) = (LoopState::Stopped, None));
    }
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |peak, sample| sample.abs().max(peak))
}
