//! From the input device's callback to the output device's: an elastic buffer between two clocks.
//!
//! The buffer starts when two input blocks and an output block are in it. Two devices have two clocks, so that its
//! filling drifts: where the least that is left after an output block leaves its band, single samples are slipped by
//! cross-fades until it is back. An underrun makes silence (by a short slope), and the buffer starts anew, a little
//! longer.

use super::declick::Declick;
use super::stats::Stats;
use audioadapter_buffers::direct::SequentialSlice;
use rtrb::{Consumer, Producer, RingBuffer};
use rubato::{Adjustable, FixedAsync, Resampler, Resizable, Slip};
use std::sync::Arc;

/// Shortest block that samples can be slipped in.
const SHORTEST_SLIP: usize = 4;
/// The least filling is taken over one to two of these.
const WINDOW_SECONDS: f64 = 0.5;
/// Width of the hysteresis.
const GUARD_SECONDS: f64 = 0.000_35;
/// Change of rate while samples are slipped: under two cents.
const CORRECTION: f64 = 0.001;

/// What both ends are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BridgeConfig {
    /// 1 or 2.
    pub channels: usize,
    /// Sample rate of both devices in Hz.
    pub sample_rate: u32,
    /// Block size of the input device in samples.
    pub input_block: usize,
    /// Longest block that is read at once.
    pub output_block: usize,
}

/// The input callback's end.
pub struct BridgeInput {
    channels: usize,
    ring: Producer<f32>,
    stats: Arc<Stats>,
}

/// The output callback's end.
pub struct BridgeOutput {
    config: BridgeConfig,
    ring: Consumer<f32>,
    stats: Arc<Stats>,
    slip: Option<Slip<f32>>,
    slip_block: usize,
    /// Planar samples on their way through `slip`: `[channels, room]`.
    scratch: Vec<f32>,
    slipped: Vec<f32>,
    declick: Declick,
    running: bool,
    /// Samples added to the wanted filling after underruns.
    margin: usize,
    /// Least samples left after an output block, in this window and the last; none yet is the largest number.
    least: [usize; 2],
    window: usize,
    /// The resampling ratio that is on its way to the band, 1 within it.
    ratio: f64,
}

/// Both ends of a buffer. Errors are those of a block size the slip can't be made for, which then is left out.
pub fn bridge(config: BridgeConfig, stats: Arc<Stats>) -> (BridgeInput, BridgeOutput) {
    let BridgeConfig { channels, sample_rate, input_block, output_block } = config;
    let capacity = (8 * (input_block + output_block)).max(sample_rate as usize / 4);
    let (producer, consumer) = RingBuffer::new(capacity * channels);
    let slip = Slip::new(output_block.max(SHORTEST_SLIP), channels, FixedAsync::Output).ok();
    let room = slip.as_ref().map_or(output_block, |slip| slip.input_frames_max()).max(output_block) + 1;
    let output = BridgeOutput {
        config,
        ring: consumer,
        stats: stats.clone(),
        slip,
        slip_block: output_block.max(SHORTEST_SLIP),
        scratch: vec![0.0; room * channels],
        slipped: vec![0.0; output_block.max(SHORTEST_SLIP) * channels],
        declick: Declick::new(sample_rate),
        running: false,
        margin: 0,
        least: [usize::MAX; 2],
        window: 0,
        ratio: 1.0,
    };
    (BridgeInput { channels, ring: producer, stats }, output)
}

impl BridgeInput {
    /// Takes a block of `frames` samples a channel; `sample(frame, channel)` gives them. What finds no room is
    /// dropped and counted. Real-time safe.
    pub fn push(&mut self, frames: usize, sample: impl Fn(usize, usize) -> f32) {
        let channels = self.channels;
        let room = self.ring.slots() / channels;
        if room < frames {
            self.stats.count_overrun();
        }
        let count = frames.min(room) * channels;
        if let Ok(mut chunk) = self.ring.write_chunk(count) {
            let (first, second) = chunk.as_mut_slices();
            for (slot, index) in first.iter_mut().chain(second).zip(0..) {
                *slot = sample(index / channels, index % channels);
            }
            chunk.commit_all();
        }
    }
}

impl BridgeOutput {
    /// Channels of the input.
    pub fn channels(&self) -> usize {
        self.config.channels
    }

    /// Fills `out` (as many channels as configured, at most `output_block` samples). Real-time safe.
    pub fn read(&mut self, out: &mut [&mut [f32]]) {
        let frames = out.iter().map(|channel| channel.len()).min().unwrap_or(0).min(self.config.output_block);
        let fill = self.ring.slots() / self.config.channels;
        if !self.running && fill >= self.start_fill(frames) {
            // What piled up while the output didn't run is old.
            self.discard(fill - self.start_fill(frames));
            self.running = true;
            self.forget();
            self.declick.jump();
        }
        if self.running {
            self.take(out, frames);
        } else {
            out.iter_mut().for_each(|channel| channel.fill(0.0));
        }
        self.declick.process(out);
    }

    /// The middle of the band.
    fn start_fill(&self, frames: usize) -> usize {
        frames + 2 * self.config.input_block + self.margin
    }

    fn take(&mut self, out: &mut [&mut [f32]], frames: usize) {
        let fill = self.ring.slots() / self.config.channels;
        let too_much = 4 * (self.config.input_block + self.config.output_block) + self.margin;
        if fill > too_much {
            self.stats.count_overrun();
            self.discard(fill - self.start_fill(frames));
            self.forget();
            self.declick.jump();
        }
        let fill = self.ring.slots() / self.config.channels;
        self.follow(fill, frames);
        let needed = self.plan(frames);
        if fill < needed {
            self.stats.count_underrun();
            let longest = self.config.input_block.max(self.config.output_block);
            self.margin = (self.margin + longest / 2).min(2 * longest);
            self.running = false;
            out.iter_mut().for_each(|channel| channel.fill(0.0));
            self.declick.jump();
            return;
        }
        self.stats.set_input_buffer(fill - frames);
        if needed == frames && self.slip_rests() {
            self.pop(frames);
            for (channel, samples) in out.iter_mut().zip(self.scratch.chunks(frames.max(1))) {
                channel[..frames].copy_from_slice(samples);
            }
        } else {
            self.pop(needed);
            self.slip_into(out, frames, needed);
        }
    }

    fn forget(&mut self) {
        (self.least, self.window) = ([usize::MAX; 2], 0);
    }

    /// Watches the least filling and sets the rate that brings it back into its band.
    fn follow(&mut self, fill: usize, frames: usize) {
        let rate = f64::from(self.config.sample_rate);
        self.least[0] = self.least[0].min(fill.saturating_sub(frames));
        self.window += frames;
        if self.window >= (WINDOW_SECONDS * rate) as usize {
            (self.least, self.window) = ([usize::MAX, self.least[0]], 0);
        }
        if self.least[1] == usize::MAX {
            return;
        }
        let least = self.least[0].min(self.least[1]);
        let guard = (GUARD_SECONDS * rate) as usize;
        // From one block to the next a whole input block less may be there: where the clocks' phases cross, and where
        // a system calls the two devices in another order than before. That must not starve the output.
        let low = self.config.input_block + self.margin;
        let high = low + 2 * self.config.input_block;
        // More in than out where too much waits; once begun, on to the inner edge of the hysteresis.
        if least < low || (self.ratio > 1.0 && least < low + guard) {
            self.ratio = 1.0 + CORRECTION;
        } else if least > high || (self.ratio < 1.0 && least > high - guard) {
            self.ratio = 1.0 - CORRECTION;
        } else {
            self.ratio = 1.0;
        }
        if let Some(slip) = &mut self.slip {
            // A ratio out of range leaves the last one.
            let _ = slip.set_resample_ratio(self.ratio, false);
        }
    }

    fn slip_rests(&self) -> bool {
        self.slip.as_ref().is_none_or(|slip| slip.resample_ratio() == 1.0)
    }

    /// Samples needed for a block of `frames`.
    fn plan(&mut self, frames: usize) -> usize {
        let Some(slip) = &mut self.slip else { return frames };
        if frames < SHORTEST_SLIP || slip.resample_ratio() == 1.0 {
            return frames;
        }
        if frames != self.slip_block && slip.set_chunk_size(frames).is_ok() {
            self.slip_block = frames;
        }
        if self.slip_block == frames { slip.input_frames_next() } else { frames }
    }

    fn slip_into(&mut self, out: &mut [&mut [f32]], frames: usize, needed: usize) {
        let channels = self.config.channels;
        let done = self.slip.as_mut().filter(|_| self.slip_block == frames).is_some_and(|slip| {
            let input = SequentialSlice::new(&self.scratch[..channels * needed], channels, needed);
            let output = SequentialSlice::new_mut(&mut self.slipped[..channels * frames], channels, frames);
            let (Ok(input), Ok(mut output)) = (input, output) else { return false };
            slip.process_into_buffer(&input, &mut output, None).is_ok()
        });
        let (samples, length) = if done { (&self.slipped, frames) } else { (&self.scratch, needed) };
        for (channel, samples) in out.iter_mut().zip(samples.chunks(length.max(1))) {
            let count = frames.min(length);
            channel[..count].copy_from_slice(&samples[..count]);
        }
    }

    /// Moves `frames` samples a channel from the ring to `scratch`, planar.
    fn pop(&mut self, frames: usize) {
        let channels = self.config.channels;
        if let Ok(chunk) = self.ring.read_chunk(frames * channels) {
            let (first, second) = chunk.as_slices();
            for (sample, index) in first.iter().chain(second).zip(0..) {
                self.scratch[(index % channels) * frames + index / channels] = *sample;
            }
            chunk.commit_all();
        }
    }

    fn discard(&mut self, frames: usize) {
        if let Ok(chunk) = self.ring.read_chunk(frames * self.config.channels) {
            chunk.commit_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: BridgeConfig = BridgeConfig { channels: 2, sample_rate: 48_000, input_block: 256, output_block: 256 };

    fn sine(i: usize) -> f32 {
        (i as f64 * 0.01).sin() as f32
    }

    struct Rig {
        input: BridgeInput,
        output: BridgeOutput,
        stats: Arc<Stats>,
        pushed: usize,
        out: Vec<f32>,
    }

    impl Rig {
        fn new(config: BridgeConfig) -> Self {
            let stats = Arc::new(Stats::default());
            let (input, output) = bridge(config, stats.clone());
            Self { input, output, stats, pushed: 0, out: Vec::new() }
        }

        fn push(&mut self, frames: usize) {
            let from = self.pushed;
            // A slow sine on the left, its negative on the right.
            self.input.push(frames, |frame, channel| {
                let value = sine(from + frame);
                if channel == 0 { value } else { -value }
            });
            self.pushed += frames;
        }

        fn read(&mut self, frames: usize) {
            let (mut left, mut right) = (vec![9.0; frames], vec![9.0; frames]);
            self.output.read(&mut [&mut left, &mut right]);
            assert!(left.iter().zip(&right).all(|(l, r)| (l + r).abs() < 1e-5), "channels are mixed up");
            self.out.extend(left);
        }

        fn steepest(&self) -> f32 {
            self.out.windows(2).map(|w| (w[1] - w[0]).abs()).fold(0.0, f32::max)
        }
    }

    #[test]
    fn equal_clocks_pass_samples_untouched_at_a_constant_delay() {
        let mut rig = Rig::new(CONFIG);
        for _ in 0..2000 {
            rig.push(256);
            rig.read(256);
        }
        assert_eq!((rig.stats.underruns(), rig.stats.overruns()), (0, 0));
        let delay = rig.stats.input_buffer() as usize;
        for (i, sample) in rig.out.iter().enumerate().skip(4096) {
            assert_eq!(*sample, sine(i - delay), "sample {i}, delay {delay}");
        }
    }

    #[test]
    fn odd_block_sizes_do_not_starve() {
        let mut rig = Rig::new(BridgeConfig { input_block: 480, ..CONFIG });
        let (mut pushed, mut read) = (0, 0);
        for block in [1, 3, 17, 64, 100, 256].into_iter().cycle().take(6000) {
            while pushed < read + block {
                rig.push(480);
                pushed += 480;
            }
            rig.read(block);
            read += block;
        }
        assert_eq!(rig.stats.underruns(), 0);
        assert!(rig.steepest() < 0.02, "{}", rig.steepest());
    }

    /// Clocks 200 parts in a million apart, both ways, for ten minutes.
    #[test]
    fn drift_is_followed_without_clicks() {
        for parts in [-200_i64, 200] {
            let mut rig = Rig::new(CONFIG);
            let (mut pushed, mut read) = (0_i64, 0_i64);
            while read < 600 * 48_000 {
                while pushed < read + read * parts / 1_000_000 + 256 {
                    rig.push(256);
                    pushed += 256;
                }
                rig.read(256);
                read += 256;
            }
            assert_eq!((rig.stats.underruns(), rig.stats.overruns()), (0, 0), "{parts} ppm");
            assert!(rig.steepest() < 0.03, "{parts} ppm: {}", rig.steepest());
            assert!(rig.stats.input_buffer() <= 1280, "{parts} ppm: {}", rig.stats.input_buffer());
        }
    }

    #[test]
    fn a_gap_in_the_input_is_counted_and_smoothed() {
        let mut rig = Rig::new(CONFIG);
        for block in 0..200 {
            if !(50..60).contains(&block) {
                rig.push(256);
            }
            rig.read(256);
        }
        assert_eq!(rig.stats.underruns(), 1);
        assert!(rig.steepest() < 0.05, "{}", rig.steepest());
    }

    #[test]
    fn an_output_that_stalls_loses_the_oldest_input() {
        let mut rig = Rig::new(CONFIG);
        for block in 0..300 {
            rig.push(256);
            if !(100..130).contains(&block) {
                rig.read(256);
            }
        }
        assert!(rig.stats.overruns() > 0);
        assert!(rig.stats.input_buffer() < 1024);
        assert!(rig.steepest() < 0.05, "{}", rig.steepest());
    }
}
