//! Companding: the sign of each value times a power of its size.

use super::{Found, number, two};
use crate::model::graph::onnx::{GraphProto, NodeProto};

/// `sign(x) · (|x| + offset) ^ exponent` of each value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Compand {
    pub offset: f32,
    pub exponent: f32,
}

impl Compand {
    /// The operator's name.
    pub const NAME: &str = "Compand";
}

/// The companding whose last product `node` is.
pub(super) fn read<'a>(graph: &'a GraphProto, node: &'a NodeProto) -> Option<Found<'a, Compand>> {
    let [left, right] = two(node, "Mul")?;
    let of = |sign: &'a str, power: &'a str| {
        let x = one(graph, sign, "Sign")?;
        let [sum, exponent] = two(graph.made_by(power)?, "Pow")?;
        let [size, offset] = two(graph.made_by(sum)?, "Add")?;
        let (offset, exponent) = (number(graph, offset)?, number(graph, exponent)?);
        let what = Compand { offset, exponent };
        (one(graph, size, "Abs")? == x).then_some(Found { what, inputs: vec![x], last: node, second: None })
    };
    of(left, right).or_else(|| of(right, left))
}

/// The only input of the step of that kind that makes `value`.
fn one<'a>(graph: &'a GraphProto, value: &str, kind: &str) -> Option<&'a str> {
    let [input] = graph.made_by(value).filter(|node| node.op_type == kind)?.input.as_slice() else { return None };
    Some(input)
}

#[cfg(test)]
mod tests {
    use super::super::Operators;
    use super::*;
    use crate::model::graph::builder::Builder;
    use crate::model::graph::onnx::{FLOAT, ModelProto, Size, ValueInfo};

    /// The sign of what `other` makes of x, times a power of x's size.
    fn model(other: impl Fn(&mut Builder, &String) -> String, exponent: &[usize]) -> ModelProto {
        let mut graph = Builder::default();
        let x = String::from("x");
        let size = graph.add("Abs", &[&x], vec![]);
        let offset = graph.weight(&[0.25], &[]);
        let sum = graph.plus(&size, &offset);
        let exponent = graph.weight(&[0.5], exponent);
        let power = graph.add("Pow", &[&sum, &exponent], vec![]);
        let signed = other(&mut graph, &x);
        let sign = graph.add("Sign", &[&signed], vec![]);
        let y = graph.mul(&sign, &power);
        let value = |name| ValueInfo::new(name, FLOAT, &[Size::Free("length")]);
        ModelProto::known(&graph.finish("compand", vec![value("x")], vec![(value("y"), y)])).unwrap()
    }

    #[test]
    fn a_power_with_its_sign_is_companding() {
        let mut whole = model(|_, x| x.clone(), &[]);
        assert_eq!(Operators::take(&mut whole, false).compands, [Compand { offset: 0.25, exponent: 0.5 }]);
        assert_eq!(whole.graph.unwrap().node.len(), 2, "companding and what names the output");
    }

    #[test]
    fn others_are_none() {
        let mut other = model(|graph, x| graph.plus(x, x), &[]);
        assert!(Operators::take(&mut other, false).compands.is_empty(), "the sign of something else");
        let mut several = model(|_, x| x.clone(), &[1]);
        assert!(Operators::take(&mut several, false).compands.is_empty(), "an exponent with a dimension of its own");
    }
}
