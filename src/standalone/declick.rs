//! Steps in a signal turned into short slopes.

/// Channels it handles at most.
const CHANNELS: usize = 2;
/// Length of the slope.
const SECONDS: f64 = 0.003;

/// Where the signal jumps, adds a decaying copy of the step, so that the output goes on where it was.
#[derive(Debug)]
pub struct Declick {
    length: usize,
    left: usize,
    jumped: bool,
    last: [f32; CHANNELS],
    offset: [f32; CHANNELS],
}

impl Declick {
    /// For signals at `sample_rate` Hz.
    pub fn new(sample_rate: u32) -> Self {
        let length = ((SECONDS * f64::from(sample_rate)) as usize).max(1);
        Self { length, left: 0, jumped: false, last: [0.0; CHANNELS], offset: [0.0; CHANNELS] }
    }

    /// The next sample doesn't continue the last one.
    pub fn jump(&mut self) {
        self.jumped = true;
    }

    /// Smooths a block in place. Real-time safe.
    pub fn process(&mut self, channels: &mut [&mut [f32]]) {
        let frames = channels.iter().map(|channel| channel.len()).min().unwrap_or(0);
        if frames == 0 {
            return;
        }
        if std::mem::take(&mut self.jumped) {
            for ((offset, last), channel) in self.offset.iter_mut().zip(&self.last).zip(channels.iter()) {
                *offset = last - channel[0];
            }
            self.left = self.length;
        }
        for frame in 0..frames.min(self.left) {
            let share = self.left as f32 / self.length as f32;
            for (channel, offset) in channels.iter_mut().zip(&self.offset) {
                channel[frame] += share * offset;
            }
            self.left -= 1;
        }
        for (last, channel) in self.last.iter_mut().zip(channels.iter()) {
            *last = channel[frames - 1];
        }
    }
}
