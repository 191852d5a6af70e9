//! A thread in the place of a sound device: it runs the loop at the pace of the clock.

use super::processor::Processor;
use super::streams::Render;
use audio_thread_priority::promote_current_thread_to_real_time;
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The ring to whoever keeps the output holds this much.
const RING_SECONDS: usize = 4;
/// Further behind than this (the machine slept), the clock starts anew instead of catching up.
const MOST_BEHIND: Duration = Duration::from_millis(500);

/// How often the thread looks whether the model is loaded.
const LOADING_PERIOD: Duration = Duration::from_millis(10);

/// A running clock; dropping it stops the loop.
pub struct Clock {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Where the output goes.
struct Sink {
    ring: Producer<f32>,
    /// Samples of each channel still left out, then still wanted.
    skip: usize,
    left: usize,
}

impl Clock {
    /// Runs `processor` for nobody to hear.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn start(processor: Processor, sample_rate: u32) -> std::io::Result<Self> {
        Self::spawn(processor, sample_rate, None)
    }

    /// Runs `processor` until it has made `frames` samples a channel behind its latency, and hands them out
    /// interleaved.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub fn record(processor: Processor, sample_rate: u32, frames: usize) -> std::io::Result<(Self, Consumer<f32>)> {
        let (ring, output) = RingBuffer::new(RING_SECONDS * sample_rate as usize * processor.channels());
        let sink = Sink { ring, skip: processor.latency() as usize, left: frames };
        Ok((Self::spawn(processor, sample_rate, Some(sink))?, output))
    }

    fn spawn(processor: Processor, sample_rate: u32, sink: Option<Sink>) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let run = move || run(processor, sample_rate, sink, &stopped);
        let thread = std::thread::Builder::new().name("vrvq clock".to_string()).spawn(run)?;
        Ok(Self { stop, thread: Some(thread) })
    }

    /// Whether all that was to be recorded is recorded.
    pub fn finished(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            // A clock that panicked has nothing left to tell.
            let _ = thread.join();
        }
    }
}

fn run(mut processor: Processor, sample_rate: u32, mut sink: Option<Sink>, stop: &AtomicBool) {
    let block = processor.max_block();
    // Without the right to it, the thread runs at the usual priority.
    let _ = promote_current_thread_to_real_time(block as u32, sample_rate);
    while !processor.loaded() && !stop.load(Relaxed) {
        std::thread::sleep(LOADING_PERIOD);
    }
    let (mut start, mut done) = (Instant::now(), 0_u64);
    while !stop.load(Relaxed) {
        let channels = processor.channels();
        let rendered = processor.render(block);
        if let Some(sink) = &mut sink
            && !sink.take(rendered, channels, block, stop)
        {
            return;
        }
        done += block as u64;
        let due = start + Duration::from_secs_f64(done as f64 / f64::from(sample_rate));
        let now = Instant::now();
        if now > due + MOST_BEHIND {
            (start, done) = (now, 0);
        } else {
            std::thread::sleep(due.saturating_duration_since(now));
        }
    }
}

impl Sink {
    /// Takes a block and says whether more is wanted. Waits for room: nobody hears this loop.
    fn take(&mut self, rendered: &[Vec<f32>], channels: usize, frames: usize, stop: &AtomicBool) -> bool {
        let skipped = self.skip.min(frames);
        self.skip -= skipped;
        let count = (frames - skipped).min(self.left);
        while self.ring.slots() < count * channels {
            if stop.load(Relaxed) || self.ring.is_abandoned() {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        if let Ok(chunk) = self.ring.write_chunk_uninit(count * channels) {
            let samples = (skipped..skipped + count).flat_map(|i| rendered[..channels].iter().map(move |c| c[i]));
            chunk.fill_from_iter(samples);
        }
        self.left -= count;
        self.left > 0
    }
}
