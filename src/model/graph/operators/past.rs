//! What a stream's frames come after: frames out of its state, joined with those that come in, and the last ones laid out as the
//! past of the next.

use super::{Found, slice, takers, uses};
use crate::model::graph::onnx::{GraphProto, NodeProto};

/// Of frames and a stream's state: the past of the frames with the frames behind it, and the past of the next ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Past {
    /// Frames of the past.
    pub frames: usize,
    /// Values of a frame.
    pub width: usize,
    /// Where in the state they start.
    pub from: usize,
}

impl Past {
    /// The operator's name.
    pub const NAME: &str = "Past";

    /// Values of the past.
    pub fn values(&self) -> usize {
        self.frames * self.width
    }
}

/// The past that `node` joins with the frames that come in.
pub(super) fn read<'a>(graph: &'a GraphProto, node: &'a NodeProto) -> Option<Found<'a, Past>> {
    let [before, frames] = node.input.as_slice() else { return None };
    let along_frames = node.attribute.iter().any(|attribute| attribute.name == "axis" && attribute.i == Some(1));
    let [joined] = node.output.as_slice() else { return None };
    if node.op_type != "Concat" || !along_frames {
        return None;
    }
    let (values, shape) = reshaped(graph, graph.made_by(before)?)?;
    let slice = slice(graph, graph.made_by(values)?)?;
    let &[-1, past, width] = shape.as_slice() else { return None };
    let size = |length: i64| usize::try_from(length).ok().filter(|&length| length > 0);
    let what = Past { frames: size(past)?, width: size(width)?, from: usize::try_from(slice.start).ok()? };
    let length = what.frames.checked_mul(what.width)?;
    let fits = what.from.checked_add(length) == usize::try_from(slice.end).ok();
    let kept = kept(graph, joined, past, length).filter(|_| fits)?;
    Some(Found { what, inputs: vec![frames, slice.of], last: node, second: Some(kept) })
}

/// What lays the last `past` of the frames `joined` out, so many values.
fn kept<'a>(graph: &'a GraphProto, joined: &str, past: i64, length: usize) -> Option<&'a str> {
    takers(graph, joined).find_map(|node| {
        let slice = slice(graph, node).filter(|slice| (slice.start, slice.end) == (-past, i64::MAX))?;
        let last = node.output.first().filter(|last| slice.of == joined && uses(graph, last) == 1)?;
        let flat = takers(graph, last).next()?;
        let (_, shape) = reshaped(graph, flat)?;
        let [output] = flat.output.as_slice() else { return None };
        (shape == [-1, length as i64]).then_some(output.as_str())
    })
}

/// What `node` reshapes, and to which shape.
fn reshaped<'a>(graph: &'a GraphProto, node: &'a NodeProto) -> Option<(&'a str, Vec<i64>)> {
    let [values, shape] = node.input.as_slice() else { return None };
    (node.op_type == "Reshape").then_some((values, graph.weight(shape)?.to_integers()?))
}

#[cfg(test)]
mod tests {
    use super::super::Operators;
    use super::*;
    use crate::model::graph::builder::Builder;
    use crate::model::graph::onnx::{AttributeProto, FLOAT, ModelProto, Size, ValueInfo};

    /// Frames of three values behind two out of the state, of which so many are kept.
    fn model(keep: i64) -> ModelProto {
        let mut graph = Builder::default();
        let (state, x) = (String::from("state"), String::from("x"));
        let before = graph.slice(&state, 5, 11, 1);
        let before = graph.reshape(&before, &[-1, 2, 3]);
        let joined = graph.concat(&[&before, &x], 1);
        let kept = graph.slice(&joined, -keep, i64::MAX, 1);
        let kept = graph.reshape(&kept, &[-1, keep * 3]);
        let value = |name| ValueInfo::new(name, FLOAT, &[Size::Free("batch"), Size::Free("hops"), Size::Fixed(3)]);
        let state = |name| ValueInfo::new(name, FLOAT, &[Size::Free("batch"), Size::Free("floats")]);
        let outputs = vec![(value("y"), joined), (state("next_state"), kept)];
        ModelProto::known(&graph.finish("past", vec![value("x"), state("state")], outputs)).unwrap()
    }

    #[test]
    fn frames_behind_those_of_a_state_are_joined_with_their_past() {
        let mut whole = model(2);
        assert_eq!(Operators::take(&mut whole, false).pasts, [Past { frames: 2, width: 3, from: 5 }]);
        let [past, y, next_state] = whole.graph.unwrap().node.try_into().unwrap();
        assert_eq!(past.input, ["x", "state"]);
        assert_eq!([y.input, next_state.input].concat(), past.output);
    }

    #[test]
    fn others_are_none() {
        let mut longer = model(1);
        assert!(Operators::take(&mut longer, false).pasts.is_empty(), "the next ones get fewer");
        let mut other = model(2);
        let nodes = &mut other.graph.as_mut().unwrap().node;
        nodes.iter_mut().filter(|node| node.op_type == "Concat").for_each(|node| {
            node.attribute = vec![AttributeProto::int("axis", 0)];
        });
        assert!(Operators::take(&mut other, false).pasts.is_empty(), "joined along another axis");
    }
}
