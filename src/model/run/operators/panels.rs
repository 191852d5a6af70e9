//! A matrix of weights in half precision, and its product with vectors.
//!
//! A live hop has one vector a channel, so that what costs is reading the weights from memory: between two hops other work
//! takes the caches. Halves are half of that. They are widened in registers as they come; the sums are in single precision,
//! each made in one order, whatever vectors are multiplied together. To widen a matrix for the `gemm` crate's product took a
//! quarter more time where files are encoded.

use super::instructions::{Instructions, MOST_TOGETHER, WIDTH};
use super::{Step, input, result};
use crate::model::graph::Product;
use crate::pages::Pages;
use half::slice::HalfBitsSliceExt;
use ort::operator::ComputeContext;
use ort::value::TensorElementType;
use std::sync::Arc;

/// See the module.
pub(super) struct Panels {
    rows: usize,
    columns: usize,
    /// Those of all products of the graph, in its order, as half-precision floats in bits.
    all: Arc<Pages<u16>>,
    /// Where its own start: panels of [`WIDTH`] columns, the last one filled up with zeros, `[panels, rows, WIDTH]`.
    from: usize,
    /// `[panels, WIDTH]`.
    bias: Vec<f32>,
    instructions: Instructions,
}

impl Panels {
    /// Those of all products of a graph.
    pub fn of(products: &[Product], instructions: Instructions) -> Vec<Self> {
        let length = |product: &Product| product.columns.div_ceil(WIDTH) * product.rows * WIDTH;
        let mut all = Pages::zeros(products.iter().map(length).sum());
        let next = |next: &mut usize, product| Some(std::mem::replace(next, *next + length(product)));
        let starts: Vec<usize> = products.iter().scan(0, next).collect();
        for (product, from) in products.iter().zip(&starts) {
            let values = &mut all[*from..];
            for (row, weights) in product.values.chunks_exact(product.columns).enumerate() {
                for (column, &bits) in weights.iter().enumerate() {
                    values[(column / WIDTH * product.rows + row) * WIDTH + column % WIDTH] = bits;
                }
            }
        }
        let all = Arc::new(all);
        let one = |(product, from): (&Product, usize)| {
            let &Product { rows, columns, .. } = product;
            let mut bias = product.bias.clone();
            bias.resize(columns.div_ceil(WIDTH) * WIDTH, 0.0);
            Self { rows, columns, all: all.clone(), from, bias, instructions }
        };
        products.iter().zip(starts).map(one).collect()
    }

    /// Length of a vector.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Length of a result.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// `results[v]` = `vectors[v]` · values + bias; both one vector after the other.
    ///
    /// # Panics
    /// Where the lengths aren't multiples of rows and columns, of one number of vectors.
    pub fn multiply(&self, vectors: &[f32], results: &mut [f32]) {
        let (rows, columns) = (self.rows, self.columns);
        let count = vectors.len() / rows;
        assert!(vectors.len() == count * rows && results.len() == count * columns);
        let most = self.instructions.together();
        for (panel, bias) in self.bias.as_chunks::<WIDTH>().0.iter().enumerate() {
            let values = self.all[self.from + panel * rows * WIDTH..][..rows * WIDTH].reinterpret_cast();
            let (first, width) = (panel * WIDTH, WIDTH.min(columns - panel * WIDTH));
            for (group, vectors) in vectors.chunks(most * rows).enumerate() {
                let mut sums = [*bias; MOST_TOGETHER];
                let sums = &mut sums[..vectors.len() / rows];
                self.instructions.add(vectors, values, sums);
                for (at, sums) in sums.iter().enumerate() {
                    results[(group * most + at) * columns + first..][..width].copy_from_slice(&sums[..width]);
                }
            }
        }
    }
}

impl Step for Panels {
    const INPUTS: &[TensorElementType] = &[TensorElementType::Float32];

    fn run(&self, context: &ComputeContext) -> ort::Result<()> {
        let input = input(context, 0)?;
        let (shape, vectors) = input.try_extract_tensor::<f32>()?;
        let fits = shape.split_last().filter(|(last, _)| **last == self.rows as i64);
        let mut made = result(context, fits.map(|(_, others)| [others, &[self.columns as i64]].concat()))?;
        self.multiply(vectors, made.try_extract_tensor_mut::<f32>()?.1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::f16;

    #[test]
    fn it_multiplies_any_number_of_vectors_the_same() {
        let mut random = fastrand::Rng::with_seed(7);
        for (rows, columns) in [(97, 256), (256, 97), (1, 1500), (300, 32), (77, 33)] {
            let product = Product {
                rows,
                columns,
                values: (0..rows * columns).map(|_| f16::from_f32(random.f32() - 0.5).to_bits()).collect(),
                bias: (0..columns).map(|_| random.f32()).collect(),
            };
            let vectors: Vec<f32> = (0..20 * rows).map(|_| random.f32() - 0.5).collect();
            let of_each = |instructions| {
                let panels = &Panels::of(std::slice::from_ref(&product), instructions)[0];
                let mut alone = vec![0.0; 20 * columns];
                for (vector, result) in vectors.chunks_exact(rows).zip(alone.chunks_exact_mut(columns)) {
                    panels.multiply(vector, result);
                }
                for count in [0, 1, 2, 3, 4, 5, 7, 8, 9, 20] {
                    let mut together = vec![0.0; count * columns];
                    panels.multiply(&vectors[..count * rows], &mut together);
                    assert!(
                        together == alone[..count * columns],
                        "{count} vectors of {rows} x {columns}, {instructions:?}"
                    );
                }
                alone
            };
            let all: Vec<_> = Instructions::all().into_iter().map(of_each).collect();
            assert!(all.iter().all(|results| *results == all[0]), "{rows} x {columns}");
            for (at, &y) in all.iter().flatten().enumerate() {
                let (vector, column) = (at / columns % 20, at % columns);
                let weight = |row| f16::from_bits(product.values[row * columns + column]).to_f64();
                let exact: f64 = (0..rows).map(|row| f64::from(vectors[vector * rows + row]) * weight(row)).sum();
                let off = f64::from(y) - exact - f64::from(product.bias[column]);
                assert!(off.abs() < 1e-5, "{rows} x {columns}, column {column}: {off} off");
            }
        }
    }

    #[test]
    #[cfg(feature = "live")]
    fn the_smallest_halves_count() {
        // Subnormal, which single precision isn't, and live threads flush subnormals.
        let product = Product { rows: 1, columns: 1, values: vec![1], bias: vec![0.0] };
        for instructions in Instructions::all() {
            let mut result = [0.0];
            // SAFETY: there is arithmetic in it and nothing else.
            unsafe {
                no_denormals::no_denormals(|| {
                    Panels::of(std::slice::from_ref(&product), instructions)[0].multiply(&[1024.0], &mut result)
                })
            };
            assert_eq!(result, [2.0f32.powi(-14)], "{instructions:?}");
        }
    }
}
