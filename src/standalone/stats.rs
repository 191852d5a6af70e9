//! Figures that the audio callbacks leave for the window.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Blocks after which a stream has settled: systems fill their own buffers first, with one longer block or several.
const SETTLED: u64 = 16;
/// Blocks of a length that the loop takes after which longer ones before them are forgotten: two to three seconds.
const FORGOTTEN: u32 = 256;

/// Counters of one pair of streams.
#[derive(Debug, Default)]
pub struct Stats {
    blocks: AtomicU64,
    longer_blocks: AtomicU32,
    longest_block: AtomicU32,
    since_longer: AtomicU32,
    underruns: AtomicU64,
    overruns: AtomicU64,
    xruns: AtomicU64,
    input_buffer: AtomicU32,
    longest_callback: AtomicU64,
}

impl Stats {
    /// Output blocks so far; stands still when the device is gone.
    pub fn blocks(&self) -> u64 {
        self.blocks.load(Relaxed)
    }

    /// Output blocks of late that were longer than the loop takes at once, and the longest of them in samples. Those that a
    /// stream starts with aren't counted.
    pub fn longer_blocks(&self) -> (u32, u32) {
        (self.longer_blocks.load(Relaxed), self.longest_block.load(Relaxed))
    }

    /// Times the output had to wait for the input.
    pub fn underruns(&self) -> u64 {
        self.underruns.load(Relaxed)
    }

    /// Times input was thrown away because the output didn't take it.
    pub fn overruns(&self) -> u64 {
        self.overruns.load(Relaxed)
    }

    /// Buffer under- and overruns that the sound system reported.
    pub fn xruns(&self) -> u64 {
        self.xruns.load(Relaxed)
    }

    /// Samples between input and output device, without the loop's latency, at the last output block.
    pub fn input_buffer(&self) -> u32 {
        self.input_buffer.load(Relaxed)
    }

    /// Longest time an output callback took since the last call.
    pub fn take_longest_callback(&self) -> Duration {
        Duration::from_nanos(self.longest_callback.swap(0, Relaxed))
    }

    /// An output block of `frames` samples, where at most `longest` are rendered at once, took so long.
    pub(super) fn count_block(&self, frames: usize, longest: usize, taken: Duration) {
        if self.blocks.fetch_add(1, Relaxed) >= SETTLED {
            if frames > longest {
                self.longest_block.fetch_max(frames as u32, Relaxed);
                self.longer_blocks.fetch_add(1, Relaxed);
                self.since_longer.store(0, Relaxed);
            } else if self.since_longer.fetch_add(1, Relaxed) == FORGOTTEN {
                self.longest_block.store(0, Relaxed);
                self.longer_blocks.store(0, Relaxed);
            }
        }
        self.longest_callback.fetch_max(taken.as_nanos() as u64, Relaxed);
    }

    pub(super) fn count_underrun(&self) {
        self.underruns.fetch_add(1, Relaxed);
    }

    pub(super) fn count_overrun(&self) {
        self.overruns.fetch_add(1, Relaxed);
    }

    pub(super) fn count_xrun(&self) {
        self.xruns.fetch_add(1, Relaxed);
    }

    pub(super) fn set_input_buffer(&self, frames: usize) {
        self.input_buffer.store(frames as u32, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Windows' shared devices come: all of their buffer at first, a period at a time from then on.
    #[test]
    fn only_longer_blocks_that_a_device_keeps_coming_with_count() {
        let stats = Stats::default();
        let block = |frames| stats.count_block(frames, 480, Duration::ZERO);
        block(1440);
        (0..100).for_each(|_| block(480));
        assert_eq!(stats.longer_blocks(), (0, 0));
        [960, 480, 1440].into_iter().for_each(block);
        assert_eq!(stats.longer_blocks(), (2, 1440));
        // A system that was late, long ago.
        (0..300).for_each(|_| block(480));
        assert_eq!(stats.longer_blocks(), (0, 0));
        block(960);
        assert_eq!(stats.longer_blocks(), (1, 960));
    }
}
