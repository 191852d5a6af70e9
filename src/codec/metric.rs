//! Codebooks in another metric than Euclid's.

use super::Codebooks;
use super::search::{PADDING, product};
use nalgebra::DMatrix;

impl Codebooks {
    /// The sum of `codes`' entries, the first of the first codebook, `[dims]`.
    ///
    /// # Panics
    /// Where there is no such code or codebook.
    pub fn sum(&self, codes: &[u16]) -> Vec<f32> {
        let mut sum = vec![0.0; self.dims];
        for (codebook, &code) in codes.iter().enumerate() {
            let entry = &self.entries[(codebook * self.size + usize::from(code)) * self.dims..][..self.dims];
            sum.iter_mut().zip(entry).for_each(|(sum, value)| *sum += value);
        }
        sum
    }

    /// Makes `into` the first `count` of them as `factor` shows them: a vector v becomes factorᵀ v, so that the distance there
    /// is that of the metric factor · factorᵀ here. Searched with a beam of `beam`. `into` may be of an earlier call: its
    /// memory is used again.
    ///
    /// # Panics
    /// Where `factor` isn't `[dims, dims]` or there aren't so many codebooks.
    pub fn in_metric(&self, factor: &DMatrix<f32>, count: usize, beam: usize, into: &mut Self) {
        let (dims, size, stride) = (self.dims, self.size, self.size + PADDING);
        assert_eq!(factor.shape(), (dims, dims), "the factor of a metric of {dims} dimensions");
        assert!((1..=self.codebooks).contains(&count), "{count} of {} codebooks", self.codebooks);
        (into.codebooks, into.size, into.dims, into.beam) = (count, size, dims, beam);
        into.entries.resize(count * size * dims, 0.0);
        into.columns.resize(count * dims * stride, 0.0);
        // The library keeps matrices by columns: row by row, that is the transposed one.
        let (transposed, by_rows) = (factor.as_slice(), factor.transpose());
        let entries = &self.entries[..count * size * dims];
        product(entries, by_rows.as_slice(), [count * size, dims, dims], dims, dims, &mut into.entries);
        let books = self.columns.chunks_exact(dims * stride).zip(into.columns.chunks_exact_mut(dims * stride));
        books.for_each(|(columns, into)| product(transposed, columns, [dims, dims, stride], stride, stride, into));
        let halved = into.entries.chunks_exact(dims).map(|entry| 0.5 * entry.iter().map(|v| v * v).sum::<f32>());
        into.half_norms.clear();
        into.half_norms.extend(halved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Codes, SearchBuffers};

    /// In the metric that counts one dimension alone, the nearest is another than in Euclid's.
    #[test]
    fn the_nearest_depends_on_the_metric() {
        let books = Codebooks::new(vec![0.0, 5.0, 1.0, 1.0, 3.0, 0.0, 0.1, 0.0], 2, 2, 2, 1).unwrap();
        let search = |books: &Codebooks, latent: &[f32], most: usize| {
            let mut codes = Codes::default();
            books.search(latent, |_| most, 1, &mut SearchBuffers::default(), &mut codes);
            codes.of(0, most).to_vec()
        };
        assert_eq!(search(&books, &[0.1, 1.0], 1), [1]);
        let factor = DMatrix::from_row_slice(2, 2, &[1.0, 0.0, 0.0, 0.01]);
        let mut other = books.clone();
        books.in_metric(&factor, 2, 1, &mut other);
        assert_eq!(search(&other, &[0.1, 0.01], 1), [0]);
        assert_eq!(search(&other, &[0.1, 0.01], 2), [0, 1]);
        // Once more into the same, of fewer and with a factor that isn't diagonal: L = [1 0; 1 1] shows (0, 5) at (5, 5).
        let factor = DMatrix::from_row_slice(2, 2, &[1.0, 0.0, 1.0, 1.0]);
        books.in_metric(&factor, 1, 1, &mut other);
        assert_eq!(other.sum(&[0]), [5.0, 5.0]);
        assert_eq!(search(&other, &[5.0, 4.0], 1), [0]);
        assert_eq!(search(&other, &[2.0, 2.0], 1), [1]);
        assert_eq!(books.sum(&[0, 0]), [3.0, 5.0]);
    }
}
