//! Steps of a graph that are those of another, whatever their values are called.

use crate::model::graph::builder::{Builder, Value};
use crate::model::graph::onnx::{AttributeProto, FLOAT, GraphProto, ModelProto, TensorProto, ValueInfo};
use std::collections::HashMap;

/// A small graph: what it takes are names that stand for any value.
pub(super) struct Template(GraphProto);

impl Template {
    /// Of what `graph` makes as `result`.
    pub fn new(graph: Builder, result: Value) -> Option<Self> {
        let bytes = graph.finish("template", vec![], vec![(ValueInfo::new("result", FLOAT, &[]), result)]);
        ModelProto::known(&bytes)?.graph.map(Self)
    }

    /// Which value of `graph` each of the template's is, where `value` is its result.
    pub fn find(&self, graph: &GraphProto, value: &str) -> Option<HashMap<String, String>> {
        let result = self.0.node.last()?.input.first()?;
        let mut found = HashMap::new();
        self.is(graph, result, value, &mut found).then_some(found)
    }

    /// Whether `value` of `graph` is what `own` is here, as far as is `found`.
    fn is(&self, graph: &GraphProto, own: &str, value: &str, found: &mut HashMap<String, String>) -> bool {
        if let Some(before) = found.get(own) {
            return before == value;
        }
        let same = match (self.0.made_by(own), self.0.initializer.iter().find(|tensor| tensor.name == own)) {
            (Some(step), _) => graph.made_by(value).is_some_and(|node| {
                let kinds = node.op_type == step.op_type && node.domain == step.domain && node.output.len() == 1;
                kinds
                    && same_attributes(&step.attribute, &node.attribute)
                    && step.input.len() == node.input.len()
                    && step.input.iter().zip(&node.input).all(|(own, value)| self.is(graph, own, value, found))
            }),
            (None, Some(constant)) => graph.weight(value).is_some_and(|tensor| same_values(constant, tensor)),
            (None, None) => true,
        };
        if same {
            found.insert(own.to_owned(), value.to_owned());
        }
        same
    }
}

fn same_attributes(one: &[AttributeProto], other: &[AttributeProto]) -> bool {
    let has = |attribute: &AttributeProto| {
        other.iter().any(|o| o.name == attribute.name && o.i == attribute.i && o.ints == attribute.ints)
    };
    one.len() == other.len() && one.iter().all(has)
}

fn same_values(one: &TensorProto, other: &TensorProto) -> bool {
    one.data_type == other.data_type && one.dims == other.dims && one.raw_data == other.raw_data
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (x + y) · x, or so.
    fn sum_times(first: &str, second: &str, kind: &str, axis: i64) -> (Builder, Value) {
        let mut graph = Builder::default();
        let sum = graph.add(kind, &[&first.into(), &second.into()], vec![AttributeProto::int("axis", axis)]);
        let of = graph.slice(&sum, 0, 4, 1);
        let product = graph.mul(&of, &first.into());
        (graph, product)
    }

    #[test]
    fn it_finds_its_steps_and_no_others() {
        let (graph, result) = sum_times("x", "y", "Concat", 1);
        let template = Template::new(graph, result).unwrap();
        let find = |first, second, kind, axis| {
            let (mut graph, result) = sum_times(first, second, kind, axis);
            let result = graph.plus(&result, &result);
            let bytes = graph.finish("graph", vec![], vec![(ValueInfo::new("z", FLOAT, &[]), result)]);
            let graph = ModelProto::known(&bytes).unwrap().graph.unwrap();
            let product = graph.node.iter().find(|node| node.op_type == "Mul").unwrap();
            template.find(&graph, &product.output[0])
        };
        let found = find("a", "b", "Concat", 1).unwrap();
        assert_eq!((found["x"].as_str(), found["y"].as_str()), ("a", "b"));
        assert!(find("a", "b", "Add", 1).is_none(), "another step");
        assert!(find("a", "b", "Concat", 2).is_none(), "another axis");
        let (graph, _) = sum_times("x", "y", "Concat", 1);
        let mut other = graph;
        let of = other.slice(&"concat_0".into(), 0, 5, 1);
        let result = other.mul(&of, &"x".into());
        assert!(Template::new(other, result).unwrap().find(&GraphProto::default(), "z").is_none());
    }

    #[test]
    fn what_stands_twice_is_the_same_value() {
        let mut graph = Builder::default();
        let square = graph.mul(&"x".into(), &"x".into());
        let template = Template::new(graph, square).unwrap();
        for (other, is) in [("a", true), ("b", false)] {
            let mut graph = Builder::default();
            let product = graph.mul(&"a".into(), &other.into());
            let bytes = graph.finish("graph", vec![], vec![(ValueInfo::new("z", FLOAT, &[]), product.clone())]);
            let graph = ModelProto::known(&bytes).unwrap().graph.unwrap();
            assert_eq!(template.find(&graph, &product).is_some(), is);
        }
    }
}
