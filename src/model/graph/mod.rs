//! Streaming graphs of published models, written as ONNX.

mod builder;
mod dac;
mod onnx;
mod streaming;

use onnx::{FLOAT, Size, ValueInfo};

/// The smallest graph: `y` is `x`, of any length.
pub(crate) fn probe() -> Vec<u8> {
    let value = |name| ValueInfo::new(name, FLOAT, &[Size::Free("length")]);
    builder::Builder::default().finish("probe", vec![value("x")], vec![(value("y"), "x".into())])
}

pub(crate) use dac::{Graph, advance, decoder, delay, encoder, reaches};
