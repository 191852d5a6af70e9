//! The sum of the entries that a frame's codes name.

use super::tensors::Run;
use super::{Size, Step};
use crate::model::graph::Lookup;
use half::f16;
use half::slice::HalfFloatSliceExt;
use ort::value::TensorElementType;

/// See the module.
pub(super) struct Books {
    /// `[codebooks, entries, dims]`.
    entries: Vec<f16>,
    codebooks: usize,
    dims: usize,
}

impl Books {
    pub fn new(lookup: &Lookup) -> Self {
        let entries = lookup.entries.iter().map(|&bits| f16::from_bits(bits)).collect();
        Self { entries, codebooks: lookup.codebooks, dims: lookup.dims }
    }

    /// The sums, `[frames, dims]`, of the first `counts[t]` of frame t's codes; `None` where there is no such code.
    fn sum(&self, codes: &[i64], counts: &[i64], sums: &mut [f32]) -> Option<()> {
        let size = self.entries.len() / self.codebooks / self.dims;
        let mut wide = vec![0.0; self.dims];
        sums.fill(0.0);
        for ((codes, &count), sum) in
            codes.chunks_exact(self.codebooks).zip(counts).zip(sums.chunks_exact_mut(self.dims))
        {
            for (codebook, &code) in codes.iter().enumerate().take_while(|&(codebook, _)| (codebook as i64) < count) {
                let code = usize::try_from(code).ok().filter(|&code| code < size)?;
                let entry = &self.entries[(codebook * size + code) * self.dims..][..self.dims];
                entry.convert_to_f32_slice(&mut wide);
                sum.iter_mut().zip(&wide).for_each(|(sum, value)| *sum += value);
            }
        }
        Some(())
    }
}

impl Step for Books {
    const INPUTS: &[TensorElementType] = &[TensorElementType::Int64, TensorElementType::Int64];

    fn shapes<D: Size>(&self, inputs: &[&[D]]) -> Option<Vec<Vec<D>>> {
        let (_, frames) = inputs.first()?.split_last()?;
        Some(vec![[frames, &[D::of(self.dims)]].concat()])
    }

    fn run(&self, run: Run) -> ort::Result<()> {
        let ((shape, codes), (frames, counts)) = (run.input(0)?, run.input(1)?);
        let fits = shape.split_last() == Some((&(self.codebooks as i64), frames));
        let [made] = run.results(fits.then(|| self.shapes(&[shape])).flatten())?;
        let summed = self.sum(codes, counts, made);
        summed.ok_or_else(|| ort::Error::new("there is a code that its codebook hasn't"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sums_as_many_entries_as_the_frame_has_codebooks() {
        let entries = [1.0, 2.0, 3.0, 4.0, 10.0, 20.0, 30.0, 40.0].map(|value| f16::from_f32(value).to_bits());
        let books = Books::new(&Lookup { entries: entries.to_vec(), codebooks: 2, dims: 2 });
        let mut sums = [9.0; 6];
        assert_eq!(books.sum(&[1, 0, 0, 1, 1, 7], &[2, 0, 1], &mut sums), Some(()));
        assert_eq!(sums, [13.0, 24.0, 0.0, 0.0, 3.0, 4.0]);
        assert_eq!(books.sum(&[1, 2], &[2], &mut sums[..2]), None, "a codebook has two entries");
        assert_eq!(books.sum(&[-1, 0], &[1], &mut sums[..2]), None);
    }
}
