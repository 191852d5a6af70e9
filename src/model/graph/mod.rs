//! Streaming graphs of published models, written as ONNX.

mod brought;
mod builder;
mod dac;
mod last_steps;
mod onnx;
mod operators;
#[cfg(feature = "tract")]
mod own_steps;
mod spectrum;
mod streaming;

use onnx::{AttributeProto, FLOAT, INT64, Size, ValueInfo};

/// The smallest graph: `y` is `x`, of any length.
pub(crate) fn probe() -> Vec<u8> {
    let value = |name| ValueInfo::new(name, FLOAT, &[Size::Free("length")]);
    builder::Builder::default().finish("probe", vec![value("x")], vec![(value("y"), "x".into())])
}

/// Side of the matrices in [`heavy`], and how many there are.
const HEAVY: (usize, usize) = (512, 16);

/// A graph with much to compute, and the side of its square input `x`: about 4 GFLOP, as a large model's hops are.
pub(crate) fn heavy() -> (Vec<u8>, usize) {
    let (side, layers) = HEAVY;
    let shape = [Size::Fixed(side), Size::Fixed(side)];
    let mut graph = builder::Builder::default();
    let weight = graph.weight(&vec![1.0 / side as f32; side * side], &[side, side]);
    let y = (0..layers).fold("x".to_owned(), |x, _| graph.add("MatMul", &[&x, &weight], vec![]));
    let value = |name| ValueInfo::new(name, FLOAT, &shape);
    (graph.finish("heavy", vec![value("x")], vec![(value("y"), y)]), side)
}

/// Names of the states that [`join`] joins, as many as it can.
pub(crate) const PARTS: [&str; MOST_PARTS] = ["a", "b", "c", "d", "e", "f", "g", "h"];
/// Most states that are joined.
pub(crate) const MOST_PARTS: usize = 8;

/// Joins so many states, `[channels, floats]` each, to `next_state`, along the channels.
pub(crate) fn join(states: usize) -> Vec<u8> {
    let names = &PARTS[..states];
    let mut graph = builder::Builder::default();
    let parts: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let joined = graph.concat(&parts.iter().collect::<Vec<_>>(), 0);
    let inputs = names.iter().map(|&name| states_of(name, name)).collect();
    graph.finish("join", inputs, vec![(states_of("next_state", "joined"), joined)])
}

/// The channels `rows` of `state`, as `next_state`.
pub(crate) fn rows() -> Vec<u8> {
    let mut graph = builder::Builder::default();
    let chosen = graph.add("Gather", &[&"state".into(), &"rows".into()], vec![AttributeProto::int("axis", 0)]);
    let rows = ValueInfo::new("rows", INT64, &[Size::Free("chosen")]);
    graph.finish("rows", vec![states_of("state", "channels"), rows], vec![(states_of("next_state", "chosen"), chosen)])
}

fn states_of(name: &str, channels: &'static str) -> ValueInfo {
    ValueInfo::new(name, FLOAT, &[Size::Free(channels), Size::Free("floats")])
}

pub(crate) use brought::{Weight, bring};
pub(crate) use dac::{Graph, advance, decoder, delay, encoder, reaches};
pub(crate) use last_steps::LastSteps;
pub(crate) use operators::{
    Block, Compand, DOMAIN, FLOOR, Filter, GROUP, INDEX, Lookup, Operators, Past, Postfilter, Product, SHIFTS,
};
#[cfg(feature = "tract")]
pub(crate) use own_steps::{OwnStep, own_steps};
pub(crate) use spectrum::{SPECTRUM, show_spectrum};
