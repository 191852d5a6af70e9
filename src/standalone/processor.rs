//! All that runs in the output callback: source, loop, mute.

use super::bridge::BridgeOutput;
use super::player::Player;
use super::settings::Settings;
use super::streams::Render;
use crate::engine::{LiveLoop, MAX_CHANNELS};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Time to mute or unmute in.
const MUTE_SECONDS: f64 = 0.020;

/// Where the loop's input comes from.
pub enum Source {
    /// A clip in memory.
    Clip(Player),
    /// The input device.
    Input(Box<BridgeOutput>),
}

impl Source {
    /// 1 or 2.
    pub fn channels(&self) -> usize {
        match self {
            Self::Clip(player) => player.channels(),
            Self::Input(bridge) => bridge.channels(),
        }
    }

    /// Before the loop takes audio: a clip waits, a microphone doesn't.
    fn hold(&mut self, out: &mut [&mut [f32]]) {
        if let Self::Input(bridge) = self {
            bridge.read(out);
        }
        out.iter_mut().for_each(|channel| channel.fill(0.0));
    }

    fn read(&mut self, out: &mut [&mut [f32]]) {
        match self {
            Self::Clip(player) => player.read(out),
            Self::Input(bridge) => bridge.read(out),
        }
    }
}

/// Source, loop and mute in a row.
pub struct Processor {
    source: Source,
    live: LiveLoop,
    settings: Arc<Settings>,
    loaded: Arc<AtomicBool>,
    max_block: usize,
    channels: usize,
    buffers: Vec<Vec<f32>>,
    gain: f32,
    gain_step: f32,
}

impl Processor {
    /// `live` must be configured for the source's channels and takes its blocks from [`LiveLoop::config`]. Until
    /// `loaded` it renders silence and feeds nothing, so that no audio is lost while the model loads.
    pub fn new(source: Source, live: LiveLoop, settings: Arc<Settings>, loaded: Arc<AtomicBool>) -> Self {
        let config = *live.config();
        let channels = source.channels().min(MAX_CHANNELS);
        Self {
            channels,
            max_block: config.max_block,
            buffers: vec![vec![0.0; config.max_block]; channels],
            gain: if settings.muted() { 0.0 } else { 1.0 },
            gain_step: (1.0 / (MUTE_SECONDS * config.sample_rate)) as f32,
            source,
            live,
            settings,
            loaded,
        }
    }

    /// Whether audio goes through the loop yet.
    pub fn loaded(&self) -> bool {
        self.loaded.load(Relaxed)
    }

    /// Latency of the loop in samples.
    pub fn latency(&self) -> u32 {
        self.live.latency()
    }
}

impl Render for Processor {
    fn channels(&self) -> usize {
        self.channels
    }

    fn max_block(&self) -> usize {
        self.max_block
    }

    fn render(&mut self, frames: usize) -> &[Vec<f32>] {
        let frames = frames.min(self.max_block);
        self.settings.apply(&mut self.live);
        let mut slices: [&mut [f32]; MAX_CHANNELS] = [&mut [], &mut []];
        for (slice, buffer) in slices.iter_mut().zip(&mut self.buffers) {
            *slice = &mut buffer[..frames];
        }
        let slices = &mut slices[..self.channels];
        if !self.loaded.load(Relaxed) {
            self.source.hold(slices);
            return &self.buffers;
        }
        self.source.read(slices);
        self.live.process(slices);
        let target = if self.settings.muted() { 0.0 } else { 1.0 };
        if self.gain != target || target == 0.0 {
            for frame in 0..frames {
                self.gain += (target - self.gain).clamp(-self.gain_step, self.gain_step);
                for channel in slices.iter_mut() {
                    channel[frame] *= self.gain;
                }
            }
        }
        &self.buffers
    }
}
