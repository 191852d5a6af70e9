//! Each channel's filter along the frames, and the normalisation of what it gives.

use super::frames::normalise;
use super::tensors::Run;
use super::{Size, Step};
use crate::model::graph::Filter;
use ort::value::TensorElementType;

/// See the module.
pub(super) struct Taps {
    filter: Filter,
}

impl Taps {
    pub fn new(filter: Filter) -> Self {
        Self { filter }
    }

    fn channels(&self) -> usize {
        self.filter.bias.len()
    }

    /// Frames that a result is made of.
    pub fn length(&self) -> usize {
        self.filter.taps.len() / self.channels()
    }

    /// Whether frames of these dimensions are enough for a result.
    fn fits(&self, input: &[i64]) -> bool {
        let &[_, frames, channels] = input else { return false };
        frames + 1 >= self.length() as i64 && channels == self.channels() as i64
    }

    /// `input` is `[batch, frames, channels]`.
    pub fn filter(&self, frames: usize, input: &[f32], result: &mut [f32]) {
        let (channels, length) = (self.channels(), self.length());
        let made = frames + 1 - length;
        for (of, frame) in result.chunks_exact_mut(channels).enumerate() {
            let input = &input[(of / made * frames + of % made) * channels..][..length * channels];
            frame.copy_from_slice(&self.filter.bias);
            for (input, taps) in input.chunks_exact(channels).zip(self.filter.taps.chunks_exact(channels)) {
                for ((sum, x), tap) in frame.iter_mut().zip(input).zip(taps) {
                    *sum += x * tap;
                }
            }
            if let Some(epsilon) = self.filter.epsilon {
                normalise(frame, epsilon);
            }
        }
    }
}

impl Step for Taps {
    const INPUTS: &[TensorElementType] = &[TensorElementType::Float32];

    fn shapes<D: Size>(&self, inputs: &[&[D]]) -> Option<Vec<Vec<D>>> {
        let [batch, frames, channels] = inputs.first()? else { return None };
        Some(vec![vec![batch.clone(), frames.plus(1 - self.length() as isize), channels.clone()]])
    }

    fn run(&self, run: Run) -> ort::Result<()> {
        let (shape, values) = run.input(0)?;
        let [made] = run.results(self.shapes(&[shape]).filter(|_| self.fits(shape)))?;
        self.filter(shape[1] as usize, values, made);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_filters_along_the_frames() {
        let filter = Filter { taps: vec![1.0, 2.0, 10.0, 20.0], bias: vec![0.5, -0.5], epsilon: None };
        let taps = Taps::new(filter.clone());
        for (input, made) in [([5i64, 3, 2], [5i64, 2, 2]), ([5, 1, 2], [5, 0, 2])] {
            assert_eq!((taps.fits(&input), taps.shapes(&[&input[..]])), (true, Some(vec![made.to_vec()])));
        }
        assert!([&[1, 0, 2][..], &[1, 3, 3], &[3, 2]].iter().all(|shape| !taps.fits(shape)));
        // Two in a batch.
        let input = [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        let mut output = [0.0; 8];
        taps.filter(3, &input, &mut output);
        assert_eq!(output, [21.5, 41.5, 32.5, 63.5, 0.5, 19.5, 0.5, 1.5]);

        let mut normal = [0.0; 8];
        Taps::new(Filter { epsilon: Some(0.25), ..filter }).filter(3, &input, &mut normal);
        for (frame, made) in output.chunks_exact(2).zip(normal.chunks_exact(2)) {
            let root = (frame.iter().map(|value| value * value).sum::<f32>() / 2.0 + 0.25).sqrt();
            assert!(frame.iter().zip(made).all(|(value, made)| (value / root - made).abs() < 1e-6), "{made:?}");
        }
    }
}
