//! Streaming graphs of published models, written as ONNX.

mod builder;
mod dac;
mod onnx;
mod streaming;

pub(crate) use dac::{Graph, advance, decoder, encoder};
