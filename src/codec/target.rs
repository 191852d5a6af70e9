//! Average bitrate: the level that keeps the mean over a window at a target.
//!
//! What of the window is past already is known to the bit, so what may be spent in the next tenth of it is too. The
//! importance of the last frames tells what every level costs, so the controller doesn't search: it takes the level that
//! would have spent just that. The level moves slowly, because the ear follows it, and stands still in a long silence, which would otherwise be made up for
//! by a burst of bits in what follows.

use super::{LEVEL_MAX, LEVEL_MIN, PacketFormat, clamp_level, level_for_count};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Lowest and highest target in kb/s, all channels together.
pub const TARGET_MIN: f32 = 1.0;
/// See [`TARGET_MIN`].
pub const TARGET_MAX: f32 = 16.0;
/// Shortest and longest window of the mean in seconds.
pub const WINDOW_MIN: f32 = 1.0;
/// See [`WINDOW_MIN`].
pub const WINDOW_MAX: f32 = 30.0;

/// Frames between two moves of the level.
const MOVE_FRAMES: u32 = 4;
/// Share of the window over whose importance the level is found; measured on speech and music (`tests/codec/target.rs`), where a
/// half and the whole of it are farther from the target.
const MEMORY: f64 = 0.7;
/// Share of the window that is ahead: shorter, the level swings; longer, it comes late.
const AHEAD: f64 = 0.1;
/// Fastest move of the level: its change in natural logarithm a second, a factor of 1.8.
const SLEW: f64 = 0.6;
/// Longest pause in seconds that counts towards the mean.
const PAUSE: f64 = 0.3;
/// The level never spends more than [`BURST`] times what is wanted over the last [`RECENT`] seconds.
const RECENT: f64 = 1.0;
const BURST: f64 = 1.5;
/// How far the correction may go from the target, as a share of it.
const CORRECTION: f64 = 0.5;

/// What average bitrate aims at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// Mean bitrate in kb/s, all channels together.
    pub kilobits: f32,
    /// Length of the window that the mean is taken over, in seconds.
    pub window: f32,
}

impl Default for Target {
    fn default() -> Self {
        Self { kilobits: 4.0, window: 10.0 }
    }
}

impl Target {
    /// The same within the limits; not-a-number becomes the default.
    pub fn clamped(self) -> Self {
        let held = |value: f32, low: f32, high: f32, or: f32| if value.is_nan() { or } else { value.clamp(low, high) };
        let Self { kilobits, window } = Self::default();
        Self {
            kilobits: held(self.kilobits, TARGET_MIN, TARGET_MAX, kilobits),
            window: held(self.window, WINDOW_MIN, WINDOW_MAX, window),
        }
    }
}

/// Finds the level for a [`Target`], frame by frame.
#[derive(Debug, Clone)]
pub struct TargetControl {
    format: PacketFormat,
    frame_rate: f64,
    channels: usize,
    target: Target,
    /// Frames since there was sound; at the start, as many as can be.
    silent: u32,
    /// Importance of the channels of the last frames, long silences left out, oldest first.
    importances: VecDeque<f32>,
    /// Bits of the frames of the window since the target was set, long silences left out, and their sum.
    spent: VecDeque<u32>,
    spent_bits: u64,
    since_move: u32,
    start: f64,
    level: f64,
    /// The level goes to where it should be at once: after a start or a new target.
    free: bool,
}

impl TargetControl {
    /// A controller that starts at `level` and remembers as much as the longest window.
    pub fn new(format: PacketFormat, frame_rate: f64, channels: usize, level: f32) -> Self {
        let frames = (f64::from(WINDOW_MAX) * frame_rate) as usize + 1;
        Self {
            format,
            frame_rate,
            channels,
            target: Target::default(),
            silent: u32::MAX,
            importances: VecDeque::with_capacity((frames + 1) * channels),
            spent: VecDeque::with_capacity(frames + 1),
            spent_bits: 0,
            since_move: 0,
            start: f64::from(level),
            level: f64::from(level),
            free: true,
        }
    }

    /// Aims at `target` from the next frame on.
    pub fn aim(&mut self, target: Target) {
        let target = target.clamped();
        if target != self.target {
            self.target = target;
            // What was spent on another target is no debt.
            self.spent.clear();
            (self.spent_bits, self.free) = (0, true);
            self.since_move = MOVE_FRAMES;
        }
    }

    /// Starts anew at the level of the start, so that a bounce is the same every time.
    pub fn reset(&mut self) {
        self.forget();
        self.level = self.start;
    }

    /// Forgets the frames seen; the level stays until it is known better.
    fn forget(&mut self) {
        self.importances.clear();
        self.spent.clear();
        (self.silent, self.spent_bits, self.since_move, self.free) = (u32::MAX, 0, 0, true);
    }

    /// Takes in a frame: the importance of each channel, and its bits where it was packed at this controller's level.
    /// As many channels as before, or what is known of the others is forgotten.
    pub fn push(&mut self, importances: &[f32], bits: Option<u32>) {
        if importances.len() != self.channels {
            self.forget();
            self.channels = importances.len();
        }
        let silent = importances.iter().all(|importance| importance * LEVEL_MAX < 1.0);
        self.silent = if silent { self.silent.saturating_add(1) } else { 0 };
        if f64::from(self.silent) > PAUSE * self.frame_rate {
            return;
        }
        let frames = self.memory_frames();
        self.importances.extend(importances);
        while self.importances.len() > frames * self.channels {
            self.importances.pop_front();
        }
        match bits {
            Some(bits) => {
                self.spent.push_back(bits);
                self.spent_bits += u64::from(bits);
            }
            None => {
                self.spent.clear();
                (self.spent_bits, self.free) = (0, true);
            }
        }
        let past = self.past_frames();
        while self.spent.len() > past {
            self.spent_bits -= u64::from(self.spent.pop_front().unwrap_or(0));
        }
        self.since_move += 1;
    }

    /// The level for the next frame.
    pub fn level(&mut self) -> f32 {
        if self.since_move >= MOVE_FRAMES {
            self.step();
        }
        self.level as f32
    }

    fn memory_frames(&self) -> usize {
        ((MEMORY * f64::from(self.target.window) * self.frame_rate) as usize).max(1)
    }

    /// Frames of the window that are past, and those that are ahead.
    fn past_frames(&self) -> usize {
        (f64::from(self.target.window) * self.frame_rate - self.frames_ahead()) as usize
    }

    fn frames_ahead(&self) -> f64 {
        (AHEAD * f64::from(self.target.window) * self.frame_rate).max(1.0)
    }

    /// Mean count of a frame and channel that `bits` a frame pay for.
    fn count_for(&self, bits: f64) -> f64 {
        let code_bits = (self.format.frame_bits(2) - self.format.frame_bits(1)) as f64;
        (bits / self.channels as f64 - self.format.count_bits() as f64) / code_bits
    }

    fn step(&mut self) {
        let moved = f64::from(self.since_move);
        self.since_move = 0;
        let target = f64::from(self.target.kilobits) * 1000.0 / self.frame_rate;
        let spent = self.spent_bits as f64 - target * self.spent.len() as f64;
        let correction = (-spent / self.frames_ahead()).clamp(-CORRECTION * target, CORRECTION * target);
        let wanted = self.count_for(target + correction);
        let importances = self.importances.make_contiguous();
        let Some(level) = level_for_count(importances, wanted, self.format.codebooks()) else { return };
        let level = f64::from(clamp_level(level));
        let most = SLEW * moved / self.frame_rate;
        let far = (level / self.level).ln();
        self.level = if self.free { level } else { self.level * far.clamp(-most, most).exp() };
        // What has just become dense isn't paid for with what was sparse before it: at once, not slowly.
        let recent = (RECENT * self.frame_rate) as usize * self.channels;
        let recent = &importances[importances.len().saturating_sub(recent)..];
        if let Some(most) = level_for_count(recent, BURST * wanted, self.format.codebooks()) {
            self.level = self.level.min(f64::from(most)).max(f64::from(LEVEL_MIN));
        }
        // A few frames say little: they don't hold the level yet.
        self.free = self.free && self.importances.len() < self.channels * MOVE_FRAMES as usize * 4;
    }
}
