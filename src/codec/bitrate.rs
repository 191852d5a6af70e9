//! Bitrate counted from packed bits.

use std::collections::VecDeque;

/// Bitrate in kb/s of `bits` bits over `frames` frames at `frame_rate` frames a second; 0 for no frame.
pub fn kilobits_per_second(bits: u64, frames: u64, frame_rate: f64) -> f64 {
    if frames == 0 { 0.0 } else { bits as f64 / frames as f64 * frame_rate / 1000.0 }
}

/// Current, mean and peak bitrate of a stream of frames.
///
/// *Current* is over a sliding window, *mean* over all frames since the last reset, *peak* the highest current
/// value seen since, taken only from full windows so that a single first frame doesn't set it.
#[derive(Debug, Clone)]
pub struct BitrateMeter {
    frame_rate: f64,
    window: VecDeque<u32>,
    window_frames: usize,
    window_bits: u64,
    total_bits: u64,
    total_frames: u64,
    peak: f64,
}

impl BitrateMeter {
    /// A meter for `frame_rate` frames a second with a sliding window of `window_seconds`.
    pub fn new(frame_rate: f64, window_seconds: f64) -> Self {
        let window_frames = (frame_rate * window_seconds).round().max(1.0) as usize;
        Self {
            frame_rate,
            window: VecDeque::with_capacity(window_frames + 1),
            window_frames,
            window_bits: 0,
            total_bits: 0,
            total_frames: 0,
            peak: 0.0,
        }
    }

    /// Counts one frame of `bits` bits (all channels together).
    pub fn push(&mut self, bits: u32) {
        self.window.push_back(bits);
        self.window_bits += u64::from(bits);
        if self.window.len() > self.window_frames {
            self.window_bits -= u64::from(self.window.pop_front().unwrap_or(0));
        }
        self.total_bits += u64::from(bits);
        self.total_frames += 1;
        if self.window.len() == self.window_frames {
            self.peak = self.peak.max(self.current());
        }
    }

    /// kb/s over the sliding window.
    pub fn current(&self) -> f64 {
        kilobits_per_second(self.window_bits, self.window.len() as u64, self.frame_rate)
    }

    /// kb/s over all frames since the last reset.
    pub fn mean(&self) -> f64 {
        kilobits_per_second(self.total_bits, self.total_frames, self.frame_rate)
    }

    /// Highest kb/s of a full window since the last reset.
    pub fn peak(&self) -> f64 {
        self.peak
    }

    /// Frames counted since the last reset.
    pub fn frames(&self) -> u64 {
        self.total_frames
    }

    /// Forgets everything counted.
    pub fn reset(&mut self) {
        self.window.clear();
        (self.window_bits, self.total_bits, self.total_frames, self.peak) = (0, 0, 0, 0.0);
    }
}
