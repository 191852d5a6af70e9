//! Shows the spectrum inside a graph: what the MDCT makes of the audio, and what the audio is made of.
//!
//! The graphs of models of the `live` architecture multiply by the transform's basis, `[2 * hop, hop]`: the encoder frames
//! of audio, the decoder spectra by its transpose. Files are kept as they are, since their hash names them, so the
//! output is added when a graph is loaded.

use super::onnx::{FLOAT, GraphProto, ModelProto, NodeProto, Size, TensorProto, ValueInfo};
use prost::Message;

/// Name of the output, `[batch, hops, hop]`.
pub(crate) const SPECTRUM: &str = "spectrum";
/// How far the product of two of the basis' columns may be from what it is of an orthonormal one: weights are in half
/// precision.
const TOLERANCE: f64 = 2e-3;
/// Columns that are looked at.
const COLUMNS: usize = 8;

/// The graph `bytes` with its spectrum as an output; `None` where it has none of `hop` bins or holds what isn't known here.
pub(crate) fn show_spectrum(bytes: &[u8], hop: usize) -> Option<Vec<u8>> {
    let mut model = ModelProto::known(bytes)?;
    let graph = model.graph.as_mut()?;
    let name = spectrum(graph, hop)?;
    graph.node.push(NodeProto {
        input: vec![name],
        output: vec![SPECTRUM.into()],
        name: SPECTRUM.into(),
        op_type: "Identity".into(),
        attribute: vec![],
        domain: String::new(),
    });
    graph.output.push(ValueInfo::new(SPECTRUM, FLOAT, &[Size::Free("batch"), Size::Free("hops"), Size::Fixed(hop)]));
    Some(model.encode_to_vec())
}

/// Name of the value that is the spectrum.
fn spectrum(graph: &GraphProto, hop: usize) -> Option<String> {
    let is_basis = |value: &str| graph.weight(value).filter(|tensor| is_orthonormal(tensor, hop));
    graph.node.iter().filter(|node| node.op_type == "MatMul").find_map(|node| {
        let [left, right] = &node.input[..] else { return None };
        match graph.made_by(right) {
            Some(flipped) if flipped.op_type == "Transpose" => {
                is_basis(flipped.input.first()?)?;
                Some(left.clone())
            }
            _ => {
                is_basis(right)?;
                node.output.first().cloned()
            }
        }
    })
}

/// Whether it is `[2 * hop, hop]` and its columns are orthonormal, as a lapped transform's are.
fn is_orthonormal(tensor: &TensorProto, hop: usize) -> bool {
    if tensor.dims != [2 * hop as i64, hop as i64] {
        return false;
    }
    let Some(values) = tensor.to_floats() else { return false };
    let columns: Vec<usize> = (0..COLUMNS.min(hop)).map(|index| index * hop / COLUMNS.min(hop)).collect();
    columns.iter().all(|&one| {
        columns.iter().all(|&other| {
            let product: f64 = values.chunks_exact(hop).map(|row| f64::from(row[one]) * f64::from(row[other])).sum();
            (product - f64::from(u8::from(one == other))).abs() < TOLERANCE
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::builder::Builder;

    const HOP: usize = 4;

    /// `y` is `x` times a matrix of that scale, which is no basis unless it is 1.
    fn graph(scale: f32, transposed: bool) -> Vec<u8> {
        let mut graph = Builder::default();
        let values: Vec<f32> =
            (0..2 * HOP * HOP).map(|at| if at / HOP == 2 * (at % HOP) { scale } else { 0.0 }).collect();
        let basis = graph.weight(&values, &[2 * HOP, HOP]);
        let basis = if transposed {
            let perm = super::super::onnx::AttributeProto::ints("perm", &[1, 0]);
            graph.add("Transpose", &[&basis], vec![perm])
        } else {
            basis
        };
        let product = graph.add("MatMul", &[&"x".to_owned(), &basis], vec![]);
        let value = |name| ValueInfo::new(name, FLOAT, &[Size::Free("batch"), Size::Free("hops"), Size::Free("width")]);
        graph.finish("product", vec![value("x")], vec![(value("y"), product)])
    }

    /// Name of the value behind the spectrum.
    fn shown(bytes: &[u8]) -> Option<String> {
        let graph = ModelProto::decode(&show_spectrum(bytes, HOP)?[..]).unwrap().graph.unwrap();
        assert_eq!(graph.output.last().unwrap().name, SPECTRUM);
        Some(graph.node.last().unwrap().input[0].clone())
    }

    #[test]
    fn the_spectrum_is_what_the_basis_makes_or_is_given() {
        assert!(shown(&graph(1.0, false)).unwrap().starts_with("matmul"));
        assert_eq!(shown(&graph(1.0, true)).unwrap(), "x");
    }

    #[test]
    fn other_matrices_are_no_basis() {
        assert_eq!(shown(&graph(0.9, false)), None, "not of norm 1");
        assert_eq!(show_spectrum(&graph(1.0, false), 8), None, "of another hop");
        assert_eq!(show_spectrum(&crate::model::graph::probe(), HOP), None, "no matrix");
        assert_eq!(show_spectrum(b"no graph", HOP), None);
    }
}
