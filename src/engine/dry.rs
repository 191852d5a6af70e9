//! The dry signal, delayed by the latency: bit for bit what came in.

/// A delay line for planar blocks of up to two channels.
pub(super) struct Dry {
    lines: Vec<Vec<f32>>,
    at: usize,
    delay: usize,
}

impl Dry {
    /// Silence; `capacity` is the longest delay in samples.
    pub fn new(channels: usize, capacity: usize, delay: usize) -> Self {
        Self { lines: vec![vec![0.0; capacity + 1]; channels], at: 0, delay: delay.min(capacity) }
    }

    /// Changes the delay. What is heard jumps: fade around it.
    pub fn set_delay(&mut self, delay: usize) {
        self.delay = delay.min(self.lines[0].len() - 1);
    }

    /// Back to silence.
    pub fn clear(&mut self) {
        self.lines.iter_mut().for_each(|line| line.fill(0.0));
    }

    /// Takes `input` in and gives what came in `delay` samples ago.
    pub fn process(&mut self, input: &[&mut [f32]], output: &mut [&mut [f32]]) {
        let (length, frames) = (self.lines[0].len(), input[0].len());
        for ((line, input), output) in self.lines.iter_mut().zip(input).zip(output) {
            for frame in 0..frames {
                let write = (self.at + frame) % length;
                line[write] = input[frame];
                output[frame] = line[(write + length - self.delay) % length];
            }
        }
        self.at = (self.at + frames) % length;
    }
}
