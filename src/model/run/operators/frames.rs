//! What is done to each value of a frame, or to a frame by its mean, between larger steps.

use super::tensors::Run;
use super::{Size, Step};
use crate::model::graph::Compand;
use ort::value::TensorElementType;
use rten_simd::SimdUnaryOp;
use rten_vecmath::Silu;

impl Step for Compand {
    const INPUTS: &[TensorElementType] = &[TensorElementType::Float32];

    fn shapes<D: Size>(&self, inputs: &[&[D]]) -> Option<Vec<Vec<D>>> {
        Some(vec![inputs.first()?.to_vec()])
    }

    fn run(&self, run: Run) -> ort::Result<()> {
        let (shape, values) = run.input(0)?;
        let [made] = run.results(self.shapes(&[shape]))?;
        compand(*self, values, made);
        Ok(())
    }
}

fn compand(Compand { offset, exponent }: Compand, values: &[f32], made: &mut [f32]) {
    for (made, &x) in made.iter_mut().zip(values) {
        let size = (x.abs() + offset).powf(exponent);
        *made = if x == 0.0 { 0.0 } else { size.copysign(x) };
    }
}

/// Divides a frame by the root of its mean square plus `epsilon`.
pub(super) fn normalise(frame: &mut [f32], epsilon: f32) {
    // Lanes of their own, which the compiler may add at once.
    let mut sums = [0.0; 16];
    let (whole, rest) = frame.as_chunks::<16>();
    for values in whole {
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value * value;
        }
    }
    let square = sums.iter().sum::<f32>() + rest.iter().map(|value| value * value).sum::<f32>();
    let root = (square / frame.len() as f32 + epsilon).sqrt();
    for value in frame {
        *value /= root;
    }
}

/// x · sigmoid(x) of each value, the same wherever it stands.
pub(super) fn silu(values: &mut [f32]) {
    Silu {}.map_mut(values);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn companding_keeps_signs() {
        let values = [0.0, -0.0, 4.0, -4.0, 1e-30, f32::INFINITY];
        let mut made = [7.0; 6];
        compand(Compand { offset: 1e-12, exponent: 0.5 }, &values, &mut made);
        assert_eq!(made, [0.0, 0.0, 2.0, -2.0, 1e-6, f32::INFINITY]);
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
