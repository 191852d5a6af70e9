//! Residual blocks: a filter over the frames and those before them, two products with x · sigmoid(x) between them, and what came in
//! added again.

use super::{DOMAIN, Filter, Found, INDEX, Product, slice, takers, two, uses};
use crate::model::graph::onnx::{GraphProto, NodeProto};

/// Of frames and a stream's state: the frames plus what the products make of the filter's, and the past of the next ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// Which of the filters.
    pub filter: usize,
    /// Which of the products comes next.
    pub widen: usize,
    /// Which one is last.
    pub narrow: usize,
    /// Where in the state the frames' past starts: as many as the filter has taps but one.
    pub from: usize,
}

impl Block {
    /// The operator's name.
    pub const NAME: &str = "Block";
}

/// The block whose last sum `node` is, where its products and its filter are the program's own by now.
pub(super) fn read<'a>(
    graph: &'a GraphProto,
    node: &'a NodeProto,
    products: &[Product],
    filters: &[Filter],
) -> Option<Found<'a, Block>> {
    let [left, right] = two(node, "Add")?;
    let of = |input: &'a str, branch: &'a str| {
        let (narrow, wide) = own(graph, branch, Product::NAME, 1)?;
        let (widen, normal) = own(graph, silu(graph, wide)?, Product::NAME, 2)?;
        let (filter, joined) = own(graph, normal, Filter::NAME, 1)?;
        let channels = filters.get(filter)?.bias.len();
        let (first, second) = (products.get(widen)?, products.get(narrow)?);
        let past = filters[filter].taps.len() / channels - 1;
        let fits = (first.rows, second.columns, first.columns) == (channels, channels, second.rows);
        let (state, from) = before(graph, joined, [past, channels], input).filter(|_| fits)?;
        let kept = kept(graph, joined, [past, channels])?;
        // Its second result is there where the last step was.
        let place = |of: &NodeProto| graph.node.iter().position(|node| std::ptr::eq(node, of));
        let later = takers(graph, &kept.output[0]).all(|taker| place(taker) > place(node));
        let what = Block { filter, widen, narrow, from };
        later.then_some(Found { what, inputs: vec![input, state], last: node, second: Some(kept) })
    };
    of(left, right).or_else(|| of(right, left))
}

/// The operator `name` that makes `value`, which is used so often: its index and its input.
fn own<'a>(graph: &'a GraphProto, value: &str, name: &str, used: usize) -> Option<(usize, &'a str)> {
    let node = graph.made_by(value).filter(|node| node.domain == DOMAIN && node.op_type == name)?;
    let index = node.attribute.iter().find(|attribute| attribute.name == INDEX)?.i?;
    let input = node.input.first().filter(|_| uses(graph, value) == used)?;
    Some((usize::try_from(index).ok()?, input))
}

/// The x of which `value` is x · sigmoid(x), for one use.
fn silu<'a>(graph: &'a GraphProto, value: &str) -> Option<&'a str> {
    let [left, right] = two(graph.made_by(value)?, "Mul").filter(|_| uses(graph, value) == 1)?;
    let is_of = |share: &str, x: &str| {
        let sigmoid = graph.made_by(share).filter(|node| node.op_type == "Sigmoid" && node.input == [x]);
        sigmoid.is_some() && uses(graph, share) == 1
    };
    [(left, right), (right, left)].into_iter().find_map(|(x, share)| is_of(share, x).then_some(x))
}

/// The state whose values from some place on, as so many frames and channels, `joined` is, before those of `input`; and that place.
fn before<'a>(graph: &'a GraphProto, joined: &str, past: [usize; 2], input: &str) -> Option<(&'a str, usize)> {
    let concat = graph.made_by(joined).filter(|node| node.op_type == "Concat")?;
    let [before, last] = concat.input.as_slice() else { return None };
    let along_frames = concat.attribute.iter().any(|attribute| attribute.name == "axis" && attribute.i == Some(1));
    let reshape = graph.made_by(before).filter(|node| node.op_type == "Reshape")?;
    let [values, shape] = reshape.input.as_slice() else { return None };
    let slice = slice(graph, graph.made_by(values)?)?;
    let from = usize::try_from(slice.start).ok()?;
    let fits = graph.weight(shape)?.to_integers()? == [-1, past[0] as i64, past[1] as i64]
        && from.checked_add(past[0] * past[1]) == usize::try_from(slice.end).ok();
    (last == input && along_frames && fits).then_some((slice.of, from))
}

/// The step that lays the last of the frames `joined`, which nothing else takes, out as the past of the next ones.
fn kept<'a>(graph: &'a GraphProto, joined: &str, [past, channels]: [usize; 2]) -> Option<&'a NodeProto> {
    let last = takers(graph, joined).find_map(|node| Some((node, slice(graph, node)?)));
    let (last, slice) = last.filter(|_| uses(graph, joined) == 2)?;
    let reshape = takers(graph, last.output.first()?).next().filter(|node| node.op_type == "Reshape")?;
    let shape = graph.weight(reshape.input.get(1)?)?.to_integers()?;
    let fits = (slice.start, slice.end) == (-(past as i64), i64::MAX) && shape == [-1, (past * channels) as i64];
    (fits && uses(graph, &last.output[0]) == 1 && reshape.output.len() == 1).then_some(reshape)
}

#[cfg(test)]
mod tests {
    use super::super::Operators;
    use super::*;
    use crate::model::graph::builder::Builder;
    use crate::model::graph::onnx::{AttributeProto, FLOAT, HALF, ModelProto, Size, ValueInfo};

    const CHANNELS: usize = 32;
    const WIDE: usize = 40;

    /// A block of a filter with two taps, whose past has so many frames behind five other values of the state, and whose sigmoid
    /// is of what `gate` makes of x.
    fn model(past: i64, gate: impl Fn(&mut Builder, &String) -> String) -> ModelProto {
        let mut graph = Builder::default();
        let channels = CHANNELS as i64;
        let (state, x) = (String::from("state"), String::from("x"));
        let before = graph.slice(&state, 5, 5 + past * channels, 1);
        let before = graph.reshape(&before, &[-1, past, channels]);
        let joined = graph.concat(&[&before, &x], 1);
        let kept = graph.slice(&joined, -past, i64::MAX, 1);
        let kept = graph.reshape(&kept, &[-1, past * channels]);
        let mut y = graph.weight(&[0.5; CHANNELS], &[CHANNELS]);
        for (start, end) in [(0, -1), (1, i64::MAX)] {
            let frames = graph.slice(&joined, start, end, 1);
            let taps = graph.weight(&[1.0; CHANNELS], &[CHANNELS]);
            let product = graph.mul(&frames, &taps);
            y = graph.plus(&product, &y);
        }
        for (rows, columns) in [(CHANNELS, WIDE), (WIDE, CHANNELS)] {
            let matrix = graph.weight(&vec![1.0; rows * columns], &[rows, columns]);
            let matrix = graph.cast(&matrix, FLOAT);
            y = graph.add("MatMul", &[&y, &matrix], vec![]);
            let bias = graph.weight(&vec![0.0; columns], &[columns]);
            y = graph.plus(&y, &bias);
            if columns == WIDE {
                let gated = gate(&mut graph, &y);
                let share = graph.add("Sigmoid", &[&gated], vec![]);
                y = graph.mul(&y, &share);
            }
        }
        let y = graph.plus(&x, &y);
        let value =
            |name, length| ValueInfo::new(name, FLOAT, &[Size::Free("batch"), Size::Free("hops"), Size::Fixed(length)]);
        let state = |name| ValueInfo::new(name, FLOAT, &[Size::Free("batch"), Size::Free("floats")]);
        let outputs = vec![(value("y", CHANNELS), y), (state("next_state"), kept)];
        let bytes = graph.finish("block", vec![value("x", CHANNELS), state("state")], outputs);
        let mut model = ModelProto::known(&bytes).unwrap();
        for matrix in &mut model.graph.as_mut().unwrap().initializer {
            if matrix.dims.len() == 2 {
                let values = matrix.to_floats().unwrap();
                matrix.data_type = HALF;
                matrix.raw_data = values.iter().flat_map(|&v| half::f16::from_f32(v).to_le_bytes()).collect();
            }
        }
        model
    }

    #[test]
    fn a_filter_and_two_products_beside_their_input_are_a_block() {
        let mut whole = model(1, |_, x| x.clone());
        let operators = Operators::take(&mut whole, true);
        assert_eq!(operators.blocks, [Block { filter: 0, widen: 0, narrow: 1, from: 5 }]);
        let kinds: Vec<_> = whole.graph.as_ref().unwrap().node.iter().map(|node| node.op_type.as_str()).collect();
        assert_eq!(kinds, [Block::NAME, "Identity", "Identity"]);
        let [block, y, next_state] = whole.graph.unwrap().node.try_into().unwrap();
        assert_eq!(block.input, ["x", "state"]);
        assert_eq!([y.input, next_state.input].concat(), block.output);
    }

    #[test]
    fn others_are_none() {
        let mut longer = model(2, |_, x| x.clone());
        assert!(Operators::take(&mut longer, true).blocks.is_empty(), "the frames that come in aren't the filter's");
        let mut steeper = model(1, |graph, x| graph.plus(x, x));
        assert!(Operators::take(&mut steeper, true).blocks.is_empty(), "another sigmoid");
        let mut other = model(1, |_, x| x.clone());
        let nodes = &mut other.graph.as_mut().unwrap().node;
        nodes.iter_mut().filter(|node| node.op_type == "Concat").for_each(|node| {
            node.attribute = vec![AttributeProto::int("axis", 0)];
        });
        assert!(Operators::take(&mut other, true).blocks.is_empty(), "joined along another axis");
        let mut used = model(1, |_, x| x.clone());
        let nodes = &mut used.graph.as_mut().unwrap().node;
        let joined = nodes.iter().find(|node| node.op_type == "Concat").unwrap().output[0].clone();
        nodes.iter_mut().rfind(|node| node.op_type == "Identity").unwrap().input = vec![joined];
        assert!(Operators::take(&mut used, true).blocks.is_empty(), "something else takes what is joined");
        let mut single = model(1, |_, x| x.clone());
        assert!(Operators::take(&mut single, false).blocks.is_empty(), "products that stay");
    }
}
