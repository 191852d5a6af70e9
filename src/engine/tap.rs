//! The stream for who keeps it: frames as they were packed, and the sound that the decoder made of them, through a ring
//! from the codec thread. A ring that is full costs whoever reads too slowly, not the sound: what finds no room is
//! counted and told as missing.
//!
//! Before its first frame a tap gets the codes of the frames before it, as far as the decoder remembers, so that a decoder
//! that starts with them is in the state in which the loop's is.

use super::report::{ChannelFrame, FrameReport, MAX_CHANNELS};
use super::settings::StereoMode;
use super::telemetry::Telemetry;
use crate::codec::Rate;
use crate::model::Model;
use rtrb::{Consumer, Producer, RingBuffer};
use std::collections::VecDeque;
use std::sync::Arc;

/// Frames told before a tap's first: more than the decoder remembers.
const PREROLL_FRAMES: usize = 64;

/// What is known of a stream that is kept.
#[derive(Clone)]
pub struct StreamFormat {
    pub model: Arc<Model>,
    /// Sample rate of the host or device in Hz.
    pub sample_rate: f64,
    /// Channels of the sound, 1 or 2.
    pub channels: usize,
    /// Samples at the model's rate by which the decoder's output lags what came in.
    pub delay: usize,
}

impl PartialEq for StreamFormat {
    fn eq(&self, other: &Self) -> bool {
        let numbers = |format: &Self| (format.sample_rate, format.channels, format.delay);
        self.model.hash() == other.model.hash() && numbers(self) == numbers(other)
    }
}

/// One frame of the setting that is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TapFrame {
    /// Frames between the last one and this that there is nothing of: too late, or no room in the ring. The decoder starts
    /// anew behind them.
    pub missing: u64,
    /// It was before the tap was opened: codes without sound.
    pub preroll: bool,
    /// Its packet was lost on the simulated line.
    pub lost: bool,
    /// What it was packed at.
    pub rate: Rate,
    pub stereo: StereoMode,
    /// Channels that carry a frame.
    pub channels: u8,
    pub frames: [ChannelFrame; MAX_CHANNELS],
}

impl TapFrame {
    fn of(report: &FrameReport) -> Self {
        Self {
            missing: 0,
            preroll: false,
            lost: report.lost,
            rate: report.rate,
            stereo: report.stereo,
            channels: report.channels,
            frames: report.frames,
        }
    }

    /// The codes of each coded channel, as many as it uses.
    pub fn codes(&self) -> impl ExactSizeIterator<Item = &[u16]> + Clone {
        self.frames[..usize::from(self.channels).min(MAX_CHANNELS)]
            .iter()
            .map(|frame| &frame.codes[..usize::from(frame.count)])
    }
}

/// The codec thread's end.
pub(super) struct TapSender {
    format: StreamFormat,
    frames: Producer<TapFrame>,
    samples: Producer<f32>,
    /// Frames that weren't sent since the last one that was.
    missing: u64,
    /// Anything was sent.
    started: bool,
}

/// The end of whoever keeps the stream. Dropping it closes the tap.
pub struct TapReceiver {
    format: StreamFormat,
    frames: Consumer<TapFrame>,
    samples: Consumer<f32>,
}

/// A tap on streams of `format`, with room for `frames` frames.
pub(super) fn tap(format: StreamFormat, frames: usize) -> (TapSender, TapReceiver) {
    let hop = format.model.card().hop * format.channels;
    let (to_frames, from_frames) = RingBuffer::new(frames + PREROLL_FRAMES);
    let (to_samples, from_samples) = RingBuffer::new(frames * hop);
    (
        TapSender { format: format.clone(), frames: to_frames, samples: to_samples, missing: 0, started: false },
        TapReceiver { format, frames: from_frames, samples: from_samples },
    )
}

impl TapReceiver {
    /// What the stream is.
    pub fn format(&self) -> &StreamFormat {
        &self.format
    }

    /// The next frame; its sound, `[channels, hop]` at the model's rate and before any level match, replaces what is in
    /// `sound`.
    pub fn receive(&mut self, sound: &mut Vec<f32>) -> Option<TapFrame> {
        let frame = self.frames.pop().ok()?;
        sound.clear();
        if !frame.preroll {
            // Sound is sent before its frame.
            sound.resize(self.format.model.card().hop * self.format.channels, 0.0);
            let _ = self.samples.pop_entire_slice(sound);
        }
        Some(frame)
    }

    /// Nothing more will come: the stream has ended, or goes on at another rate, with other channels or another model.
    pub fn is_over(&self) -> bool {
        // In this order: what was sent before the end is then in the ring.
        self.frames.is_abandoned() && self.frames.is_empty()
    }
}

impl TapSender {
    fn has_room(&self) -> bool {
        !self.frames.is_full() && self.samples.slots() >= self.format.model.card().hop * self.format.channels
    }

    fn send(&mut self, frame: TapFrame, sound: &[f32]) {
        if !self.has_room() {
            self.missing += 1;
            return;
        }
        let _ = self.samples.push_entire_slice(sound);
        let _ = self.frames.push(TapFrame { missing: self.missing, ..frame });
        (self.missing, self.started) = (0, true);
    }
}

/// What the codec thread keeps for taps.
pub(super) struct Tap {
    format: StreamFormat,
    sender: Option<TapSender>,
    /// The last frames since the decoder started.
    history: VecDeque<TapFrame>,
}

impl Tap {
    pub fn new(format: StreamFormat) -> Self {
        Self { format, sender: None, history: VecDeque::with_capacity(PREROLL_FRAMES + 1) }
    }

    /// Takes up a tap that was opened since the last call, and lets one go that was closed.
    pub fn follow(&mut self, telemetry: &Telemetry) {
        if let Some(mut sender) = telemetry.take_tap().filter(|sender| sender.format == self.format) {
            if !sender.started {
                for frame in &self.history {
                    sender.send(TapFrame { preroll: true, ..*frame }, &[]);
                }
            }
            self.sender = Some(sender);
        }
        self.sender.take_if(|sender| sender.frames.is_abandoned());
    }

    /// The loop ends: the next one may go on with the tap.
    pub fn leave(&mut self, telemetry: &Telemetry) {
        if let Some(mut sender) = self.sender.take() {
            sender.missing += 1;
            telemetry.return_tap(sender);
        }
    }

    /// Whether a frame would find room, or nobody wants one.
    pub fn has_room(&self) -> bool {
        self.sender.as_ref().is_none_or(|sender| sender.has_room() || sender.frames.is_abandoned())
    }

    /// There is nothing of the next `frames` frames, and the decoder starts anew.
    pub fn skip(&mut self, frames: u64) {
        self.history.clear();
        if let Some(sender) = &mut self.sender {
            sender.missing += frames;
        }
    }

    /// The next frame and its sound, `[channels, hop]`.
    pub fn push(&mut self, report: &FrameReport, sound: &[f32]) {
        let frame = TapFrame::of(report);
        if let Some(sender) = &mut self.sender {
            sender.send(frame, sound);
        }
        if self.history.len() >= PREROLL_FRAMES {
            self.history.pop_front();
        }
        self.history.push_back(frame);
    }
}
