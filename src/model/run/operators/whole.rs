//! Weights of eight bits in matrices of half precision.
//!
//! A model file holds halves, whatever its weights were rounded to. Where each column is whole multiples, of 127 at most, of one
//! number, those and the number say the same in half the bytes, so nothing of it has to be in the file.

use crate::model::graph::Product;
use half::f16;

/// A matrix whose columns are whole multiples of a number each.
pub(super) struct Whole {
    /// `[rows, columns]`.
    pub multiples: Vec<i8>,
    /// Of each column.
    pub scales: Vec<f32>,
}

impl Whole {
    /// None where a column takes more than eight bits.
    pub fn read(product: &Product) -> Option<Self> {
        // Every half is a whole multiple of the smallest one.
        let of_smallest = |&bits: &u16| (f16::from_bits(bits).to_f64() * 24f64.exp2()) as i64;
        let values: Vec<i64> = product.values.iter().map(of_smallest).collect();
        let mut columns = vec![(0, 0); product.columns];
        for row in values.chunks_exact(product.columns) {
            for ((divisor, largest), &value) in columns.iter_mut().zip(row) {
                *divisor = gcd(value, *divisor);
                *largest = value.abs().max(*largest);
                // Rows that follow don't mend that.
                if *largest > *divisor * i64::from(i8::MAX) {
                    return None;
                }
            }
        }
        let multiple = |(at, value): (usize, &i64)| (value / columns[at % product.columns].0.max(1)) as i8;
        Some(Self {
            multiples: values.iter().enumerate().map(multiple).collect(),
            scales: columns.iter().map(|&(divisor, _)| divisor as f32 * (-24f32).exp2()).collect(),
        })
    }
}

/// The greatest number that divides both; the other one where one is 0.
fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(columns: usize, values: &[f32]) -> Product {
        let values: Vec<u16> = values.iter().map(|&value| f16::from_f32(value).to_bits()).collect();
        let (rows, bias) = (values.len() / columns, vec![0.0; columns]);
        Product { rows, columns, values, bias, epsilon: None, gated: false }
    }

    #[test]
    fn columns_of_eight_bits_are_found_and_say_the_same() {
        // Scales of four significant bits, which times seven are a half's.
        let scales = [11.0 * (-12f32).exp2(), 8.0 * (-24f32).exp2(), 0.0, 15.0];
        let multiples = [[127, -127, 3, 1], [-64, 1, 0, -126], [5, 0, 9, 127]];
        let values: Vec<f32> =
            multiples.iter().flat_map(|row| row.iter().zip(scales).map(|(&m, s)| m as f32 * s)).collect();
        let whole = Whole::read(&product(4, &values)).unwrap();
        let again = whole.multiples.iter().enumerate().map(|(at, &m)| f32::from(m) * whole.scales[at % 4]);
        assert!(again.eq(values), "{:?} {:?}", whole.multiples, whole.scales);
        assert_eq!(whole.scales, scales);
    }

    #[test]
    fn a_column_of_more_bits_is_none() {
        assert!(Whole::read(&product(2, &[1.0, 1.0, 1.0, 128.0])).is_none());
        assert!(Whole::read(&product(2, &[1.0, 1.0, 1.0, -128.0])).is_none());
        assert!(Whole::read(&product(1, &[1.0, 1.001])).is_none());
        assert!(Whole::read(&product(1, &[0.5, 2.0, 63.5])).is_some());
    }
}
