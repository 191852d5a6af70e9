//! What joins the audio thread and the codec thread: two rings of interleaved samples, a ring of events, and flags.
//!
//! Time is counted in host samples since the loop started. The input ring carries samples by position; the output
//! ring's frame with index i holds the output of both settings at position i, which lags the input by the chain's delay,
//! and behind it their gains of the level match, which are applied where they are heard: the difference is without.

use super::lanes::InForce;
use super::lead::Patience;
use super::settings::Slot;
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::Thread;

/// Something that happens at a position of the input.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Event {
    /// From position `at` on, this is the setting of `slot`.
    Setting { at: u64, slot: Slot, setting: InForce },
    /// From position `at` on, the setting of `slot` is the one that is shown, and heard where one runs alone.
    Select { at: u64, slot: Slot },
    /// From position `at` on, the decoded signal is brought to the loudness of the dry one, or left as it is.
    LevelMatch { at: u64, on: bool },
    /// The input up to position `last` is forgotten; what follows in the ring starts at position `next`.
    Restart { last: u64, next: u64 },
}

/// Events that fit: more than a host sends between two hops.
const EVENTS: usize = 4096;

/// Flags of the two threads.
#[derive(Default)]
pub(super) struct Shared {
    /// The codec thread shall end.
    pub stop: AtomicBool,
    /// The codec thread takes input now; before, the output is silent but not late.
    pub ready: AtomicBool,
    /// The codec thread has loaded the model and takes audio.
    pub loaded: AtomicBool,
    /// A GPU computes the codec.
    pub on_gpu: AtomicBool,
    /// The codec thread has given up.
    pub failed: AtomicBool,
    /// And why.
    pub failure: OnceLock<String>,
    /// The view is told of this codec; there may be another one in the loop.
    pub shown: AtomicBool,
    /// The audio thread waits for what is late, so nothing may be skipped.
    pub waited_for: AtomicBool,
    /// It does so for as long as it takes: offline rendering.
    pub offline: AtomicBool,
    /// Position up to which the audio thread has sent input.
    pub sent: AtomicU64,
    /// Position the codec thread waits for.
    pub wanted: AtomicU64,
    /// Host samples between an output index and the position at which it is heard.
    pub shift: AtomicU32,
    /// The codec thread, once it runs.
    pub thread: OnceLock<Thread>,
}

impl Shared {
    /// Wakes the codec thread where it waits for a position reached by now. Takes no lock: at most one futex call.
    pub fn wake(&self) {
        if self.sent.load(Ordering::Acquire) >= self.wanted.load(Ordering::Acquire)
            && let Some(thread) = self.thread.get()
        {
            thread.unpark();
        }
    }

    pub fn tell_patience(&self, patience: Patience) {
        self.waited_for.store(patience != Patience::Never, Ordering::Relaxed);
        self.offline.store(patience == Patience::Offline, Ordering::Relaxed);
    }
}

/// The audio thread's ends.
pub(super) struct AudioEnds {
    pub input: Producer<f32>,
    pub events: Producer<Event>,
    pub output: Consumer<f32>,
}

/// The codec thread's ends.
pub(super) struct CodecEnds {
    pub input: Consumer<f32>,
    pub events: Consumer<Event>,
    pub output: Producer<f32>,
}

/// Samples in a frame of the output ring: each channel of each setting.
pub(super) fn output_samples(channels: usize) -> usize {
    Slot::ALL.len() * channels
}

/// Values in a frame of the output ring: its samples and the gain of each setting.
pub(super) fn output_width(channels: usize) -> usize {
    output_samples(channels) + Slot::ALL.len()
}

/// Rings for `input` and `output` samples of each of `channels` channels.
pub(super) fn rings(channels: usize, input: usize, output: usize) -> (AudioEnds, CodecEnds) {
    let (input_producer, input_consumer) = RingBuffer::new(channels * input);
    let (output_producer, output_consumer) = RingBuffer::new(output_width(channels) * output);
    let (event_producer, event_consumer) = RingBuffer::new(EVENTS);
    (
        AudioEnds { input: input_producer, events: event_producer, output: output_consumer },
        CodecEnds { input: input_consumer, events: event_consumer, output: output_producer },
    )
}
