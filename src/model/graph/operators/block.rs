//! Residual blocks: a filter over the frames and those before them, two products with x · sigmoid(x) between them, and what came in
//! added again.

use super::{DOMAIN, Filter, Found, INDEX, Operators, Past, Product, takers, two, uses};
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
    /// The frames before: as many as the filter has taps but one.
    pub past: Past,
}

impl Block {
    /// The operator's name.
    pub const NAME: &str = "Block";
}

/// The block whose last sum `node` is, where its products, its filter and its past are the program's `own` by now.
pub(super) fn read<'a>(graph: &'a GraphProto, node: &'a NodeProto, own: &Operators) -> Option<Found<'a, Block>> {
    let [left, right] = two(node, "Add")?;
    let of = |input: &'a str, branch: &'a str| {
        let (narrow, wide) = operator(graph, branch, Product::NAME)?;
        let (widen, normal) = operator(graph, wide.input.first()?, Product::NAME)?;
        let (filter, joined) = operator(graph, normal.input.first()?, Filter::NAME)?;
        let (past, joined) = operator(graph, joined.input.first()?, Past::NAME)?;
        let [frames, state] = joined.input.as_slice() else { return None };
        let [_, kept] = joined.output.as_slice() else { return None };
        let (&past, taps) = (own.pasts.get(past)?, own.filters.get(filter)?);
        let (first, second) = (own.products.get(widen)?, own.products.get(narrow)?);
        let channels = taps.bias.len();
        let plain = |product: &Product, gated| product.epsilon.is_none() && product.gated == gated;
        let fits = (first.rows, second.columns, first.columns) == (channels, channels, second.rows)
            && (past.width, past.values() + channels) == (channels, taps.taps.len())
            && (plain(first, true) && plain(second, false) && *frames == input);
        // Its second result is there where the last step was.
        let place = |of: &NodeProto| graph.node.iter().position(|node| std::ptr::eq(node, of));
        let later = || takers(graph, kept).all(|taker| place(taker) > place(node));
        let what = Block { filter, widen, narrow, past };
        (fits && later()).then(|| Found { what, inputs: vec![input, state], last: node, second: Some(kept.as_str()) })
    };
    of(left, right).or_else(|| of(right, left))
}

/// The operator `name` that makes `value` for one use: its index and its node.
fn operator<'a>(graph: &'a GraphProto, value: &str, name: &str) -> Option<(usize, &'a NodeProto)> {
    let node = graph.made_by(value).filter(|node| node.domain == DOMAIN && node.op_type == name)?;
    let index = node.attribute.iter().find(|attribute| attribute.name == INDEX)?.i?;
    let first = node.output.first().filter(|first| *first == value && uses(graph, value) == 1);
    Some((usize::try_from(index).ok().filter(|_| first.is_some())?, node))
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
        let past = Past { frames: 1, width: CHANNELS, from: 5 };
        assert_eq!(operators.blocks, [Block { filter: 0, widen: 0, narrow: 1, past }]);
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
