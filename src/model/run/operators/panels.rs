//! A matrix of weights in half precision or of eight bits, and its product with vectors, which may be normalised before and gated
//! after.
//!
//! A live hop has one vector a channel, so that what costs is reading the weights from memory: between two hops other work
//! takes the caches. Halves are half of that, and bytes half of those. They are widened in registers as they come; the sums are in
//! single precision, each made in one order, whatever vectors are multiplied together. To widen a matrix for the `gemm` crate's product
//! took a quarter more time where files are encoded.

use super::frames::{normalise, silu};
use super::instructions::{Instructions, MOST_TOGETHER, Values, WIDTH};
use super::tensors::Run;
use super::whole::Whole;
use super::{Size, Step};
use crate::model::graph::Product;
use crate::pages::Pages;
use half::slice::HalfBitsSliceExt;
use ort::value::TensorElementType;
use std::sync::Arc;

/// Groups of vectors from which on a panel is widened once for all of them: of three that took as long as each on its own.
const MANY: usize = 5;

/// See the module.
pub(super) struct Panels {
    rows: usize,
    columns: usize,
    /// Those of all products of the graph, in its order.
    all: Arc<Pages<u8>>,
    /// Where its own start: panels of [`WIDTH`] columns, the last one filled up with zeros, `[panels, rows, WIDTH]`.
    from: usize,
    /// Bytes of one of its own panels.
    panel: usize,
    /// What the weights of eight bits of each column are multiples of, `[panels, WIDTH]`; none where they are halves.
    scales: Option<Vec<f32>>,
    /// `[panels, WIDTH]`.
    bias: Vec<f32>,
    epsilon: Option<f32>,
    gated: bool,
    instructions: Instructions,
}

impl Panels {
    /// Those of all products of a graph.
    pub fn of(products: &[Product], instructions: Instructions) -> Vec<Self> {
        let wholes: Vec<_> = products.iter().map(Whole::read).collect();
        let panel = |(product, whole): (&Product, &Option<Whole>)| {
            product.rows * WIDTH * if whole.is_some() { size_of::<i8>() } else { size_of::<u16>() }
        };
        let length = |product: (&Product, _)| product.0.columns.div_ceil(WIDTH) * panel(product);
        let each = || products.iter().zip(&wholes);
        let mut all = Pages::<u8>::zeros(each().map(length).sum());
        let next = |next: &mut usize, product| Some(std::mem::replace(next, *next + length(product)));
        let starts: Vec<usize> = each().scan(0, next).collect();
        for ((product, whole), from) in each().zip(&starts) {
            for (at, bits) in product.values.iter().enumerate() {
                let (row, column) = (at / product.columns, at % product.columns);
                let to = (column / WIDTH * product.rows + row) * WIDTH + column % WIDTH;
                match whole {
                    Some(whole) => all[from + to] = whole.multiples[at] as u8,
                    None => all[from + 2 * to..][..2].copy_from_slice(&bits.to_ne_bytes()),
                }
            }
        }
        let all = Arc::new(all);
        let one = |((product, whole), &from): ((&Product, &Option<Whole>), &usize)| {
            let &Product { rows, columns, epsilon, gated, .. } = product;
            let filled = |values: &[f32]| {
                let mut values = values.to_vec();
                values.resize(columns.div_ceil(WIDTH) * WIDTH, 0.0);
                values
            };
            let scales = whole.as_ref().map(|whole| filled(&whole.scales));
            let panel = panel((product, whole));
            let bias = filled(&product.bias);
            Self { rows, columns, all: all.clone(), from, panel, scales, bias, epsilon, gated, instructions }
        };
        each().zip(&starts).map(one).collect()
    }

    /// Length of a vector.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Length of a result.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// `results[v]` = `vectors[v]` · values + bias, normalised before and gated after where the product is; both one vector after
    /// the other.
    ///
    /// # Panics
    /// Where the lengths aren't multiples of rows and columns, of one number of vectors.
    pub fn multiply(&self, vectors: &[f32], results: &mut [f32]) {
        let (rows, columns) = (self.rows, self.columns);
        let count = vectors.len() / rows;
        assert!(vectors.len() == count * rows && results.len() == count * columns);
        let most = self.instructions.together();
        let normal = self.epsilon.map(|epsilon| {
            let mut normal = vectors.to_vec();
            normal.chunks_exact_mut(rows).for_each(|vector| normalise(vector, epsilon));
            normal
        });
        let vectors = normal.as_deref().unwrap_or(vectors);
        let (groups, mut room) = (count.div_ceil(most), Vec::new());
        for (panel, bias) in self.bias.as_chunks::<WIDTH>().0.iter().enumerate() {
            let values = &self.all[self.from + panel * self.panel..][..self.panel];
            let (first, width) = (panel * WIDTH, WIDTH.min(columns - panel * WIDTH));
            let scales = self.scales.as_ref().map(|scales| &scales[first..][..WIDTH]);
            let (values, start) = match scales {
                Some(_) => (Values::Bytes(bytemuck::cast_slice(values)), [0.0; WIDTH]),
                None => (Values::Halves(bytemuck::cast_slice::<u8, u16>(values).reinterpret_cast()), *bias),
            };
            let values = if groups >= MANY { self.instructions.widen(values, &mut room) } else { values };
            for (group, vectors) in vectors.chunks(most * rows).enumerate() {
                let mut sums = [start; MOST_TOGETHER];
                let sums = &mut sums[..vectors.len() / rows];
                self.instructions.add(vectors, values, sums);
                for sums in sums.iter_mut().filter(|_| scales.is_some()) {
                    let of = scales.into_iter().flatten().zip(bias);
                    sums.iter_mut().zip(of).for_each(|(sum, (scale, bias))| *sum = *sum * scale + bias);
                }
                for (at, sums) in sums.iter().enumerate() {
                    results[(group * most + at) * columns + first..][..width].copy_from_slice(&sums[..width]);
                }
            }
        }
        if self.gated {
            silu(results);
        }
    }
}

impl Step for Panels {
    const INPUTS: &[TensorElementType] = &[TensorElementType::Float32];

    fn shapes<D: Size>(&self, inputs: &[&[D]]) -> Option<Vec<Vec<D>>> {
        let (_, others) = inputs.first()?.split_last()?;
        Some(vec![[others, &[D::of(self.columns)]].concat()])
    }

    fn run(&self, run: Run) -> ort::Result<()> {
        let (shape, vectors) = run.input(0)?;
        let fits = shape.last() == Some(&(self.rows as i64));
        let [made] = run.results(self.shapes(&[shape]).filter(|_| fits))?;
        self.multiply(vectors, made);
        Ok(())
    }
}

/// x · values + bias in double precision: what tests hold results against.
#[cfg(test)]
pub(super) fn exactly(product: &Product, x: &[f64]) -> Vec<f64> {
    let weight = |row, column| half::f16::from_bits(product.values[row * product.columns + column]).to_f64();
    let sum = |column| x.iter().enumerate().map(|(row, x)| x * weight(row, column)).sum::<f64>();
    (0..product.columns).map(|column| sum(column) + f64::from(product.bias[column])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::f16;

    #[test]
    fn it_multiplies_any_number_of_vectors_the_same() {
        let mut random = fastrand::Rng::with_seed(7);
        for (rows, columns) in [(97, 256), (256, 97), (1, 1500), (300, 32), (77, 33)] {
            let mut product = |of: fn(&mut fastrand::Rng, usize) -> f32| Product {
                rows,
                columns,
                values: (0..rows * columns).map(|at| f16::from_f32(of(&mut random, at % columns)).to_bits()).collect(),
                bias: (0..columns).map(|_| random.f32()).collect(),
                epsilon: None,
                gated: false,
            };
            let halves = product(|random, _| random.f32() - 0.5);
            let bytes = product(|random, column| f32::from(random.i8(-127..=127)) * (8 + column % 8) as f32 / 2048.0);
            // One after the other in memory.
            let products = [bytes.clone(), halves, bytes];
            let vectors: Vec<f32> = (0..40 * rows).map(|_| random.f32() - 0.5).collect();
            let of_each = |instructions| {
                let panels = Panels::of(&products, instructions);
                let in_bytes: Vec<bool> = panels.iter().map(|panels| panels.scales.is_some()).collect();
                assert_eq!(in_bytes, [true, rows == 1, true]);
                let of_one = |panels: &Panels| {
                    let mut alone = vec![0.0; 40 * columns];
                    for (vector, result) in vectors.chunks_exact(rows).zip(alone.chunks_exact_mut(columns)) {
                        panels.multiply(vector, result);
                    }
                    for count in [0, 1, 2, 3, 4, 5, 7, 8, 9, 20, 40] {
                        let mut together = vec![0.0; count * columns];
                        panels.multiply(&vectors[..count * rows], &mut together);
                        assert!(
                            together == alone[..count * columns],
                            "{count} vectors of {rows} x {columns}, {instructions:?}"
                        );
                    }
                    alone
                };
                panels.iter().map(of_one).collect::<Vec<_>>()
            };
            let all: Vec<_> = Instructions::all().into_iter().map(of_each).collect();
            assert!(all.iter().all(|results| *results == all[0]), "{rows} x {columns}");
            for (product, results) in products.iter().zip(all.iter().flatten()) {
                for (at, &y) in results.iter().enumerate() {
                    let (vector, column) = (at / columns, at % columns);
                    let weight = |row| f16::from_bits(product.values[row * columns + column]).to_f64();
                    let exact: f64 = (0..rows).map(|row| f64::from(vectors[vector * rows + row]) * weight(row)).sum();
                    let off = f64::from(y) - exact - f64::from(product.bias[column]);
                    assert!(off.abs() < 1e-5, "{rows} x {columns}, column {column}: {off} off");
                }
            }
        }
    }

    #[test]
    fn it_normalises_before_and_gates_after() {
        let (rows, columns, epsilon) = (33, 40, 0.5);
        let mut random = fastrand::Rng::with_seed(8);
        let values = (0..rows * columns).map(|_| f16::from_f32(random.f32() - 0.5).to_bits()).collect();
        let bias = (0..columns).map(|_| random.f32()).collect();
        let plain = Product { rows, columns, values, bias, epsilon: None, gated: false };
        let whole = Product { epsilon: Some(epsilon), gated: true, ..plain.clone() };
        let vectors: Vec<f32> = (0..3 * rows).map(|_| random.f32() - 0.5).collect();
        let normal = vectors.chunks_exact(rows).flat_map(|vector| {
            let square = vector.iter().map(|x| x * x).sum::<f32>() / rows as f32;
            vector.iter().map(move |x| x / (square + epsilon).sqrt())
        });
        let normal: Vec<f32> = normal.collect();
        for instructions in Instructions::all() {
            let [plain, whole] = Panels::of(&[plain.clone(), whole.clone()], instructions).try_into().ok().unwrap();
            let (mut expected, mut made) = (vec![0.0; 3 * columns], vec![0.0; 3 * columns]);
            plain.multiply(&normal, &mut expected);
            whole.multiply(&vectors, &mut made);
            for (y, made) in expected.iter().zip(made) {
                assert!((y / (1.0 + (-y).exp()) - made).abs() < 1e-5, "{made} of {y}, {instructions:?}");
            }
        }
    }

    #[test]
    #[cfg(feature = "live")]
    fn the_smallest_halves_count() {
        // Subnormal, which single precision isn't, and live threads flush subnormals.
        let product = Product { rows: 1, columns: 1, values: vec![1], bias: vec![0.0], epsilon: None, gated: false };
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
