//! A residual block of a network in one step: its branch, and what came in added to it.

use super::panels::Panels;
use super::taps::Taps;
use super::{Step, input, result};
use ort::operator::ComputeContext;
use ort::value::TensorElementType;
use std::sync::Arc;
use wide::f32x8;

/// See the module.
pub(super) struct Branch {
    pub taps: Arc<Taps>,
    pub widen: Arc<Panels>,
    pub narrow: Arc<Panels>,
}

impl Branch {
    /// `joined` is `[batch, frames, channels]` with the past of each, and `y` has what comes without it.
    fn compute(&self, frames: usize, joined: &[f32], y: &mut [f32]) {
        if y.is_empty() {
            return;
        }
        let (channels, width) = (self.narrow.columns(), self.narrow.rows());
        let mut normal = vec![0.0; y.len()];
        self.taps.filter(frames, joined, &mut normal);
        let mut wide = vec![0.0; y.len() / channels * width];
        self.widen.multiply(&normal, &mut wide);
        silu(&mut wide);
        self.narrow.multiply(&wide, y);
        let length = frames * channels;
        let made = y.len() / (joined.len() / length);
        for (y, joined) in y.chunks_exact_mut(made).zip(joined.chunks_exact(length)) {
            y.iter_mut().zip(&joined[length - made..]).for_each(|(y, x)| *y += x);
        }
    }
}

impl Step for Branch {
    const INPUTS: &[TensorElementType] = &[TensorElementType::Float32];

    fn run(&self, context: &ComputeContext) -> ort::Result<()> {
        let input = input(context, 0)?;
        let (shape, joined) = input.try_extract_tensor::<f32>()?;
        let mut made = result(context, self.taps.shape(shape))?;
        self.compute(shape[1] as usize, joined, made.try_extract_tensor_mut::<f32>()?.1);
        Ok(())
    }
}

/// x · sigmoid(x) of each value, the same wherever it stands.
fn silu(values: &mut [f32]) {
    let of = |x: f32x8| x / ((-x).exp() + f32x8::ONE);
    let (whole, rest) = values.as_chunks_mut::<8>();
    for values in whole {
        *values = of(f32x8::new(*values)).to_array();
    }
    let mut last = [0.0; 8];
    last[..rest.len()].copy_from_slice(rest);
    rest.copy_from_slice(&of(f32x8::new(last)).to_array()[..rest.len()]);
}

#[cfg(test)]
mod tests {
    use super::super::instructions::Instructions;
    use super::*;
    use crate::model::graph::{Filter, Product};
    use half::f16;

    #[test]
    fn it_computes_what_its_steps_would() {
        let (channels, width, length) = (33, 50, 3);
        let mut random = fastrand::Rng::with_seed(3);
        let mut numbers = |count| (0..count).map(|_| random.f32() - 0.5).collect::<Vec<f32>>();
        let filter = Filter { taps: numbers(length * channels), bias: numbers(channels), epsilon: Some(1e-3) };
        let mut product = |rows, columns| Product {
            rows,
            columns,
            values: numbers(rows * columns).into_iter().map(|value| f16::from_f32(value).to_bits()).collect(),
            bias: numbers(columns),
        };
        let products = [product(channels, width), product(width, channels)];
        // Two in a batch, of four frames and a past of two.
        let joined = numbers(2 * 6 * channels);
        let times = |product: &Product, x: &[f64]| -> Vec<f64> {
            let weight = |row, column| f16::from_bits(product.values[row * product.columns + column]).to_f64();
            let sum = |column| x.iter().enumerate().map(|(row, x)| x * weight(row, column)).sum::<f64>();
            (0..product.columns).map(|column| sum(column) + f64::from(product.bias[column])).collect()
        };
        let mut expected = Vec::new();
        for of in joined.chunks_exact(6 * channels) {
            for frame in 0..4 {
                let at = |frame: usize, channel| f64::from(of[frame * channels + channel]);
                let tap = |k, channel| at(frame + k, channel) * f64::from(filter.taps[k * channels + channel]);
                let sum = |channel| f64::from(filter.bias[channel]) + (0..length).map(|k| tap(k, channel)).sum::<f64>();
                let filtered: Vec<f64> = (0..channels).map(sum).collect();
                let root = (filtered.iter().map(|x| x * x).sum::<f64>() / channels as f64 + 1e-3).sqrt();
                let normal: Vec<f64> = filtered.iter().map(|x| x / root).collect();
                let wide: Vec<f64> = times(&products[0], &normal).iter().map(|x| x / (1.0 + (-x).exp())).collect();
                expected.extend(times(&products[1], &wide).iter().enumerate().map(|(c, y)| y + at(frame + 2, c)));
            }
        }
        for instructions in Instructions::all() {
            let [widen, narrow] = Panels::of(&products, instructions).try_into().ok().unwrap();
            let branch =
                Branch { taps: Arc::new(Taps::new(filter.clone())), widen: Arc::new(widen), narrow: Arc::new(narrow) };
            let mut y = vec![0.0; expected.len()];
            branch.compute(6, &joined, &mut y);
            let off = y.iter().zip(&expected).map(|(y, e)| (f64::from(*y) - e).abs()).fold(0.0, f64::max);
            assert!(off < 1e-5, "{off} off, {instructions:?}");
            // One alone gives the same to the bit.
            let mut alone = vec![0.0; 4 * channels];
            branch.compute(6, &joined[6 * channels..], &mut alone);
            assert_eq!(alone, y[4 * channels..]);
            branch.compute(2, &joined[..2 * channels], &mut []);
        }
    }

    #[test]
    fn the_gate_holds_for_any_number() {
        let mut values = vec![0.0, 1.0, -1.0, 30.0, -30.0, 1e4, -1e4, -0.25, 3.0];
        let exact: Vec<f64> = values.iter().map(|&x| f64::from(x)).map(|x| x / (1.0 + (-x).exp())).collect();
        silu(&mut values);
        for (value, exact) in values.iter().zip(exact) {
            assert!((f64::from(*value) - exact).abs() <= 1e-6 * exact.abs().max(1e-3), "{value} for {exact}");
        }
    }
}
