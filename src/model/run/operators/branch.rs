//! A residual block of a stream's network in one step: its branch over the frames and their past, and what came in added to it.

use super::panels::Panels;
use super::taps::Taps;
use super::tensors::Run;
use super::{Size, Step};
use crate::model::graph::Past;
use ort::value::TensorElementType;
use std::sync::Arc;

/// See the module.
pub(super) struct Branch {
    pub taps: Arc<Taps>,
    pub widen: Arc<Panels>,
    pub narrow: Arc<Panels>,
    pub past: Past,
}

impl Branch {
    /// `x` and `y` are `[streams, frames, channels]`, `state` is `[streams, floats]` and `kept`, the past of the frames that
    /// follow, `[streams, past]`.
    fn compute(&self, streams: usize, x: &[f32], state: &[f32], y: &mut [f32], kept: &mut [f32]) {
        if streams == 0 {
            return;
        }
        let (channels, width) = (self.narrow.columns(), self.narrow.rows());
        let length = self.past.values() + x.len() / streams;
        let mut joined = vec![0.0; streams * length];
        self.past.join(streams, x, state, &mut joined, kept);
        if y.is_empty() {
            return;
        }
        let mut normal = vec![0.0; y.len()];
        self.taps.filter(length / channels, &joined, &mut normal);
        let mut wide = vec![0.0; y.len() / channels * width];
        self.widen.multiply(&normal, &mut wide);
        self.narrow.multiply(&wide, y);
        y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
    }
}

impl Step for Branch {
    const INPUTS: &[TensorElementType] = &[TensorElementType::Float32; 2];
    const OUTPUTS: usize = 2;

    fn shapes<D: Size>(&self, inputs: &[&[D]]) -> Option<Vec<Vec<D>>> {
        let frames = inputs.first()?;
        Some(vec![frames.to_vec(), vec![frames.first()?.clone(), D::of(self.past.values())]])
    }

    fn run(&self, run: Run) -> ort::Result<()> {
        let ((shape, x), (of_state, state)) = (run.input(0)?, run.input(1)?);
        let streams = self.past.fits(shape, of_state).map(|(streams, _)| streams);
        let [y, kept] = run.results(streams.and_then(|_| self.shapes(&[shape])))?;
        self.compute(streams.unwrap_or(0) as usize, x, state, y, kept);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::instructions::Instructions;
    use super::super::panels::exactly;
    use super::*;
    use crate::model::graph::{Filter, Product};
    use half::f16;

    #[test]
    fn it_computes_what_its_steps_would() {
        let (channels, width, length) = (33, 50, 3);
        let mut random = fastrand::Rng::with_seed(3);
        let mut numbers = |count| (0..count).map(|_| random.f32() - 0.5).collect::<Vec<f32>>();
        let filter = Filter { taps: numbers(length * channels), bias: numbers(channels), epsilon: Some(1e-3) };
        let mut product = |rows, columns, gated| Product {
            rows,
            columns,
            values: numbers(rows * columns).into_iter().map(|value| f16::from_f32(value).to_bits()).collect(),
            bias: numbers(columns),
            epsilon: None,
            gated,
        };
        let products = [product(channels, width, true), product(width, channels, false)];
        // Two streams of four frames and a past of two.
        let joined = numbers(2 * 6 * channels);
        let mut expected = Vec::new();
        for of in joined.chunks_exact(6 * channels) {
            for frame in 0..4 {
                let at = |frame: usize, channel| f64::from(of[frame * channels + channel]);
                let tap = |k, channel| at(frame + k, channel) * f64::from(filter.taps[k * channels + channel]);
                let sum = |channel| f64::from(filter.bias[channel]) + (0..length).map(|k| tap(k, channel)).sum::<f64>();
                let filtered: Vec<f64> = (0..channels).map(sum).collect();
                let root = (filtered.iter().map(|x| x * x).sum::<f64>() / channels as f64 + 1e-3).sqrt();
                let normal: Vec<f64> = filtered.iter().map(|x| x / root).collect();
                let wide: Vec<f64> = exactly(&products[0], &normal).iter().map(|x| x / (1.0 + (-x).exp())).collect();
                expected.extend(exactly(&products[1], &wide).iter().enumerate().map(|(c, y)| y + at(frame + 2, c)));
            }
        }
        // Each stream's past stands between other values of its state.
        let past = 2 * channels;
        let streams: Vec<&[f32]> = joined.chunks_exact(6 * channels).collect();
        let state: Vec<f32> = streams.iter().flat_map(|of| [&[7.0; 5][..], &of[..past], &[8.0; 3]].concat()).collect();
        let x = [&streams[0][past..], &streams[1][past..]].concat();
        for instructions in Instructions::all() {
            let [widen, narrow] = Panels::of(&products, instructions).try_into().ok().unwrap();
            let taps = Arc::new(Taps::new(filter.clone()));
            let past = Past { frames: length - 1, width: channels, from: 5 };
            let branch = Branch { taps, widen: Arc::new(widen), narrow: Arc::new(narrow), past };
            let past = past.values();
            let (mut y, mut kept) = (vec![0.0; expected.len()], vec![0.0; 2 * past]);
            branch.compute(2, &x, &state, &mut y, &mut kept);
            let off = y.iter().zip(&expected).map(|(y, e)| (f64::from(*y) - e).abs()).fold(0.0, f64::max);
            assert!(off < 1e-5, "{off} off, {instructions:?}");
            assert_eq!(kept, [&streams[0][4 * channels..], &streams[1][4 * channels..]].concat());
            // One alone, and a frame at a time, gives the same to the bit.
            let mut state = state[5 + past + 3..].to_vec();
            for (x, y) in streams[1][past..].chunks_exact(channels).zip(y[4 * channels..].chunks_exact(channels)) {
                let (mut alone, mut kept) = (vec![0.0; channels], vec![0.0; past]);
                branch.compute(1, x, &state, &mut alone, &mut kept);
                assert_eq!(alone, y);
                state[5..][..past].copy_from_slice(&kept);
            }
            // No frames keep the past.
            let mut still = vec![0.0; past];
            branch.compute(1, &[], &state, &mut [], &mut still);
            assert_eq!(still, state[5..][..past]);
            branch.compute(0, &[], &[], &mut [], &mut []);
        }
    }
}
