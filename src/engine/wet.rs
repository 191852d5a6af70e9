//! The decoded output on the audio thread: taken from the ring at the right index, or replaced where it is late.
//!
//! What is late is replaced by the mirror image of what was last heard, faded to silence, so that neither its start
//! nor its end has a step; what comes afterwards fades in. Samples that arrive after their time are discarded, so
//! alignment is kept.

use super::link::{output_samples, output_width};
use super::report::MAX_CHANNELS;
use super::settings::Slot;
use rtrb::Consumer;

/// Length of a fade in seconds.
const FADE_SECONDS: f64 = 0.005;
/// Settings, and most samples of a frame.
const SETTINGS: usize = Slot::ALL.len();
const MAX_SAMPLES: usize = SETTINGS * MAX_CHANNELS;

/// What was read beside the samples, for each of them.
pub(super) struct Aside<'a> {
    /// How much of it is decoded, 1 to 0 and back around a gap.
    pub presence: &'a mut [f32],
    /// Gain that brings the decoded signal of each setting to the loudness of the dry one, 1 where it is to be left alone.
    pub gain: [&'a mut [f32]; SETTINGS],
}

pub(super) struct Wet {
    ring: Consumer<f32>,
    /// Channels of all settings.
    channels: usize,
    /// Values of a frame in the ring.
    width: usize,
    /// Index of the ring's next sample.
    head: u64,
    /// Outputs before this index are void: silence.
    start: u64,
    /// Whether void samples count as late (input was lost) or not (a fresh start).
    void_is_late: bool,
    fade: usize,
    /// Samples faded in since the last gap, up to `fade`.
    risen: usize,
    /// Nothing was played since the last gap began.
    in_gap: bool,
    /// The `fade` frames heard before the gap, newest first, interleaved.
    mirror: Vec<f32>,
    /// Frames of the mirror image played, up to `fade`.
    fallen: usize,
    /// The last `fade` frames heard, interleaved, oldest at `oldest`.
    history: Vec<f32>,
    oldest: usize,
    /// Gains of the last frame read.
    gain: [f32; SETTINGS],
    /// Host samples of one hop.
    hop: f64,
    /// First hop that hasn't been counted late.
    uncounted: u64,
}

impl Wet {
    pub fn new(ring: Consumer<f32>, channels: usize, sample_rate: f64, hop: f64) -> Self {
        let fade = (sample_rate * FADE_SECONDS).ceil() as usize;
        let (width, channels) = (output_width(channels), output_samples(channels));
        Self {
            ring,
            channels,
            width,
            head: 0,
            start: 0,
            void_is_late: false,
            fade,
            risen: 0,
            in_gap: true,
            mirror: vec![0.0; fade * channels],
            fallen: fade,
            history: vec![0.0; fade * channels],
            oldest: 0,
            gain: [1.0; SETTINGS],
            hop,
            uncounted: 0,
        }
    }

    /// A fresh start: outputs before `index` are void, and nothing of what was heard lingers.
    pub fn restart(&mut self, index: u64) {
        (self.start, self.void_is_late) = (index, false);
        (self.in_gap, self.fallen) = (true, self.fade);
        self.history.fill(0.0);
    }

    /// Input was lost: outputs before `index` are void, and late where `late`.
    pub fn lose(&mut self, index: u64, late: bool) {
        (self.start, self.void_is_late) = (index, late);
    }

    /// Whether all outputs before index `end` can be read without a gap.
    pub fn reaches(&self, end: i64) -> bool {
        end <= self.start as i64 || end <= (self.head + self.frames_ready() as u64) as i64
    }

    /// Writes the output with indices from `index` on to `channels` (planar, those of one setting and then those of the
    /// other) and returns how many frames of the model
    /// were newly late. Missing samples are counted where `counting`.
    pub fn read(&mut self, index: i64, channels: &mut [&mut [f32]], aside: &mut Aside<'_>, counting: bool) -> u64 {
        let frames = channels[0].len();
        let (mut done, mut late) = (0, 0);
        while done < frames {
            let want = index + done as i64;
            let left = frames - done;
            if want < self.start as i64 {
                let run = left.min((self.start as i64 - want) as usize);
                self.replace(channels, aside, done, run);
                if self.void_is_late && counting {
                    late += self.count_late(want, run);
                }
                done += run;
                continue;
            }
            self.discard_before(want as u64);
            let ready = if self.head == want as u64 { self.frames_ready() } else { 0 };
            if ready > 0 {
                let run = left.min(ready);
                self.play(channels, aside, done, run);
                done += run;
            } else {
                self.replace(channels, aside, done, left);
                if counting {
                    late += self.count_late(want, left);
                }
                done = frames;
            }
        }
        late
    }

    fn frames_ready(&self) -> usize {
        self.ring.slots() / self.width
    }

    fn discard_before(&mut self, index: u64) {
        let old = index.saturating_sub(self.head).min(self.frames_ready() as u64);
        if old > 0
            && let Ok(chunk) = self.ring.read_chunk(old as usize * self.width)
        {
            chunk.commit_all();
            self.head += old;
        }
    }

    fn play(&mut self, channels: &mut [&mut [f32]], aside: &mut Aside<'_>, from: usize, run: usize) {
        if self.in_gap {
            self.in_gap = false;
            self.risen = 0;
        }
        for frame in from..from + run {
            let mut values = [0.0; MAX_SAMPLES + SETTINGS];
            if self.ring.pop_entire_slice(&mut values[..self.width]).is_err() {
                break;
            }
            let mut samples = [0.0; MAX_SAMPLES];
            samples[..self.channels].copy_from_slice(&values[..self.channels]);
            self.gain.copy_from_slice(&values[self.channels..self.width]);
            self.tell_gain(aside, frame);
            aside.presence[frame] = 1.0;
            if self.risen < self.fade {
                self.risen += 1;
                let gain = self.risen as f32 / self.fade as f32;
                aside.presence[frame] = gain;
                let rest = self.mirrored();
                samples.iter_mut().zip(rest).for_each(|(sample, rest)| *sample = *sample * gain + rest);
            }
            self.hear(samples, channels, frame);
        }
        self.head += run as u64;
    }

    fn replace(&mut self, channels: &mut [&mut [f32]], aside: &mut Aside<'_>, from: usize, run: usize) {
        if !self.in_gap {
            self.in_gap = true;
            self.fallen = 0;
            for frame in 0..self.fade {
                let newest = (self.oldest + self.fade - 1 - frame) % self.fade * self.channels;
                let source = newest..newest + self.channels;
                self.mirror[frame * self.channels..][..self.channels].copy_from_slice(&self.history[source]);
            }
        }
        for frame in from..from + run {
            self.tell_gain(aside, frame);
            aside.presence[frame] = 1.0 - (self.fallen + 1).min(self.fade) as f32 / self.fade as f32;
            let samples = self.mirrored();
            self.hear(samples, channels, frame);
        }
    }

    fn tell_gain(&self, aside: &mut Aside<'_>, frame: usize) {
        aside.gain.iter_mut().zip(self.gain).for_each(|(told, gain)| told[frame] = gain);
    }

    /// The next frame of the faded mirror image; silence when it has ended.
    fn mirrored(&mut self) -> [f32; MAX_SAMPLES] {
        let mut samples = [0.0; MAX_SAMPLES];
        if self.fallen < self.fade {
            let gain = 1.0 - (self.fallen + 1) as f32 / self.fade as f32;
            let source = &self.mirror[self.fallen * self.channels..][..self.channels];
            samples.iter_mut().zip(source).for_each(|(sample, source)| *sample = source * gain);
            self.fallen += 1;
        }
        samples
    }

    /// Writes a frame out and keeps it for the next gap's mirror image.
    fn hear(&mut self, samples: [f32; MAX_SAMPLES], channels: &mut [&mut [f32]], frame: usize) {
        for (channel, sample) in channels.iter_mut().zip(samples) {
            channel[frame] = sample;
        }
        let at = self.oldest * self.channels;
        self.history[at..at + self.channels].copy_from_slice(&samples[..self.channels]);
        self.oldest = (self.oldest + 1) % self.fade;
    }

    /// Counts the hops that the missing samples from `index` on touch, each once.
    fn count_late(&mut self, index: i64, run: usize) -> u64 {
        let first = ((index.max(0) as f64 / self.hop) as u64).max(self.uncounted);
        let end = ((index + run as i64 - 1).max(0) as f64 / self.hop) as u64 + 1;
        self.uncounted = self.uncounted.max(end);
        end.saturating_sub(first)
    }
}
