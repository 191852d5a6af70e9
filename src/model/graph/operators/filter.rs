//! Depthwise convolutions along the frames that are written as shifted slices, and the normalisation that follows.

use super::{Found, Slice, normalised, row, slice, takers, two, uses};
use crate::model::graph::onnx::{GraphProto, NodeProto};

/// Each channel's filter along the frames: frame `t` of the result is `bias` + the sum of `taps[k]` · frame `t + k`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Filter {
    /// `[taps, channels]`.
    pub taps: Vec<f32>,
    /// Of each channel.
    pub bias: Vec<f32>,
    /// Where each frame is divided by the root of its mean square after that: what is added to that mean.
    pub epsilon: Option<f32>,
}

impl Filter {
    /// The operator's name.
    pub const NAME: &str = "Filter";
}

/// The filter whose last sum `node` is, with the normalisation that comes next.
pub(super) fn read<'a>(graph: &'a GraphProto, node: &'a NodeProto) -> Option<Found<'a, Filter>> {
    let last = tap(graph, node).filter(|tap| tap.end == i64::MAX)?;
    let channels = usize::try_from(*graph.weight(last.weights)?.dims.first()?).ok().filter(|&channels| channels > 0)?;
    let mut taps = vec![last];
    let first = loop {
        let before = graph.made_by(taps.last()?.rest).filter(|before| uses(graph, &before.output[0]) == 1);
        match before.and_then(|before| tap(graph, before)) {
            // A file may hold a circle.
            Some(_) if taps.len() > graph.node.len() => return None,
            Some(tap) => taps.push(tap),
            None => break taps.last()?.rest,
        }
    };
    let bias = row(graph, first, channels)?;
    taps.reverse();
    let count = taps.len() as i64;
    let all = taps.iter().zip(0..).all(|(tap, at)| {
        let end = if at + 1 == count { i64::MAX } else { at + 1 - count };
        tap.input == last.input && (tap.start, tap.end) == (at, end)
    });
    let values =
        taps.iter().map(|tap| row(graph, tap.weights, channels)).collect::<Option<Vec<_>>>().filter(|_| all)?;
    let (epsilon, end) = normal(graph, &node.output[0]).unzip();
    let what = Filter { taps: values.concat(), bias, epsilon };
    Some(Found { what, inputs: vec![last.input], last: end.unwrap_or(node), second: None })
}

/// A sum of `rest` and the frames from `start` to `end` of `input` times `weights`.
#[derive(Clone, Copy)]
struct Tap<'a> {
    input: &'a str,
    start: i64,
    end: i64,
    weights: &'a str,
    rest: &'a str,
}

fn tap<'a>(graph: &'a GraphProto, node: &'a NodeProto) -> Option<Tap<'a>> {
    let [product, rest] = two(node, "Add")?;
    let [frames, weights] = two(graph.made_by(product)?, "Mul")?;
    let Slice { of, start, end } = slice(graph, graph.made_by(frames)?)?;
    Some(Tap { input: of, start, end, weights, rest })
}

/// The normalisation of `value`, which nothing else takes: what is added to its mean square, and its last node.
fn normal<'a>(graph: &'a GraphProto, value: &str) -> Option<(f32, &'a NodeProto)> {
    let divided = takers(graph, value).find(|node| node.op_type == "Div")?;
    let (_, epsilon) = normalised(graph, divided).filter(|&(over, _)| over == value && uses(graph, value) == 3)?;
    Some((epsilon, divided))
}

#[cfg(test)]
mod tests {
    use super::super::Operators;
    use super::*;
    use crate::model::graph::builder::Builder;
    use crate::model::graph::onnx::{AttributeProto, FLOAT, ModelProto, Size, ValueInfo};

    /// A filter whose taps have these starts and ends, of two channels, normalised over `axis`.
    fn model(slices: &[(i64, i64)], axis: i64) -> ModelProto {
        let mut graph = Builder::default();
        let x = String::from("x");
        let mut y = graph.weight(&[0.5, -0.5], &[2]);
        for (tap, &(start, end)) in slices.iter().enumerate() {
            let frames = graph.slice(&x, start, end, 1);
            let taps = graph.weight(&[tap as f32, 10.0 * tap as f32], &[2]);
            let product = graph.mul(&frames, &taps);
            y = graph.plus(&product, &y);
        }
        let square = graph.mul(&y, &y);
        let axes = AttributeProto { name: "axes".into(), ints: vec![axis], r#type: 7, ..Default::default() };
        let mean = graph.add("ReduceMean", &[&square], vec![axes]);
        let epsilon = graph.weight(&[0.25], &[]);
        let sum = graph.plus(&mean, &epsilon);
        let root = graph.add("Sqrt", &[&sum], vec![]);
        let divided = graph.add("Div", &[&y, &root], vec![]);
        let value = |name| ValueInfo::new(name, FLOAT, &[Size::Free("batch"), Size::Free("hops"), Size::Fixed(2)]);
        let bytes = graph.finish("filter", vec![value("x")], vec![(value("y"), divided)]);
        ModelProto::known(&bytes).unwrap()
    }

    #[test]
    fn shifted_slices_are_a_filter() {
        let mut whole = model(&[(0, -2), (1, -1), (2, i64::MAX)], -1);
        let filters = Operators::take(&mut whole, false).filters;
        let taps = vec![0.0, 0.0, 1.0, 10.0, 2.0, 20.0];
        assert_eq!(filters, [Filter { taps, bias: vec![0.5, -0.5], epsilon: Some(0.25) }]);
        assert_eq!(whole.graph.unwrap().node.len(), 2, "the filter and what names the output");

        let mut other = model(&[(0, -1), (1, i64::MAX)], 1);
        assert_eq!(Operators::take(&mut other, false).filters[0].epsilon, None, "that is no frame's mean");
    }

    #[test]
    fn other_slices_are_none() {
        for slices in [&[(0, -2), (2, i64::MAX)][..], &[(1, -1), (0, i64::MAX)], &[(0, -1), (1, -1)]] {
            let mut model = model(slices, -1);
            let before = model.clone();
            assert!(Operators::take(&mut model, false).filters.is_empty(), "{slices:?}");
            assert_eq!(model, before);
        }
    }

    #[test]
    fn steps_that_a_file_makes_up_are_none() {
        let mut circle = model(&[(0, -1), (1, i64::MAX)], -1);
        let nodes = &mut circle.graph.as_mut().unwrap().node;
        let sums: Vec<usize> = (0..nodes.len()).filter(|&at| nodes[at].op_type == "Add").collect();
        nodes[sums[0]].input[1] = nodes[sums[1]].output[0].clone();
        // No one else takes the last sum.
        nodes.truncate(sums[1] + 1);
        assert!(Operators::take(&mut circle, false).filters.is_empty());

        let mut mute = model(&[(0, -1), (1, i64::MAX)], -1);
        let nodes = &mut mute.graph.as_mut().unwrap().node;
        nodes.iter_mut().filter(|node| node.op_type == "Add").for_each(|node| node.output.clear());
        assert!(Operators::take(&mut mute, false).filters.is_empty(), "sums that give nothing");
    }
}
