//! Layers of a checkpoint with weight normalisation folded in.

use super::architecture::dims;
use super::{ImportError, StateDict, Tensor};
use std::borrow::Cow;

/// A convolution: weights `[out, in, kernel]` (transposed ones `[in, out, kernel]`) and bias `[out]`.
#[derive(Clone)]
pub struct Convolution {
    pub weight: Tensor,
    pub bias: Tensor,
}

impl Convolution {
    /// Shape of the weights.
    pub fn shape(&self) -> [usize; 3] {
        let mut shape = [1; 3];
        shape.iter_mut().zip(&self.weight.shape).for_each(|(length, &given)| *length = given);
        shape
    }

    /// The layer, not a transposed one, for inputs that are held `inputs` times as large and outputs that are to be `outputs`
    /// times as large, by channel.
    pub fn of_scale(&self, inputs: Option<&[f32]>, outputs: Option<&[f32]>) -> Cow<'_, Self> {
        if inputs.is_none() && outputs.is_none() {
            return Cow::Borrowed(self);
        }
        let [_, width, kernel] = self.shape();
        let mut layer = self.clone();
        for (output, row) in layer.weight.values.chunks_exact_mut(width * kernel).enumerate() {
            let wanted = outputs.map_or(1.0, |scale| scale[output]);
            for (input, taps) in row.chunks_exact_mut(kernel).enumerate() {
                let scale = wanted / inputs.map_or(1.0, |scale| scale[input]);
                taps.iter_mut().for_each(|tap| *tap *= scale);
            }
            layer.bias.values[output] *= wanted;
        }
        Cow::Owned(layer)
    }
}

impl StateDict {
    /// The convolution `layer` of a known shape; `transposed` ones have their inputs first. Weight normalisation
    /// (Salimans & Kingma 2016) is folded: w = g · v / |v|, the norm over all but the first dimension.
    ///
    /// # Errors
    /// [`ImportError::Missing`] or [`ImportError::Tensor`].
    pub fn convolution(&self, layer: &str, shape: [usize; 3], transposed: bool) -> Result<Convolution, ImportError> {
        let name = |suffix: &str| format!("{layer}.{suffix}");
        let stored = dims(self, layer)?;
        if stored != shape {
            let reason = format!("its shape is {stored:?} where the others ask for {shape:?}");
            return Err(ImportError::Tensor { name: name("weight"), reason });
        }
        let pair =
            [["weight_g", "weight_v"], ["parametrizations.weight.original0", "parametrizations.weight.original1"]];
        let pair = pair.into_iter().find(|[_, v]| self.shape(&name(v)).is_some());
        let weight = match pair {
            Some([g, v]) => {
                let gain = self.tensor(&name(g), &[shape[0], 1, 1])?;
                let mut weight = self.tensor(&name(v), &shape)?;
                for (row, gain) in weight.values.chunks_exact_mut(shape[1] * shape[2]).zip(gain.values) {
                    let norm = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
                    let scale = if norm > 0.0 { f64::from(gain) / norm } else { 0.0 };
                    row.iter_mut().for_each(|v| *v = (f64::from(*v) * scale) as f32);
                }
                weight
            }
            None => self.tensor(&name("weight"), &shape)?,
        };
        let outputs = if transposed { shape[1] } else { shape[0] };
        Ok(Convolution { weight, bias: self.tensor(&name("bias"), &[outputs])? })
    }

    /// The α of the Snake activation `layer`, `[channels]`.
    ///
    /// # Errors
    /// [`ImportError::Missing`] or [`ImportError::Tensor`].
    pub fn snake(&self, layer: &str, channels: usize) -> Result<Tensor, ImportError> {
        let alpha = self.tensor(&format!("{layer}.alpha"), &[1, channels, 1])?;
        Ok(Tensor { shape: vec![channels], values: alpha.values })
    }
}
