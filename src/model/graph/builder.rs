//! A graph under construction: every method takes and gives names of values.

use super::onnx::{
    AttributeProto, GraphProto, IR_VERSION, ModelProto, NodeProto, OPERATORS, OperatorSet, TensorProto, ValueInfo,
};
use crate::model::checkpoint::Tensor;
use prost::Message;
use std::collections::HashMap;

/// Name of a value in its graph.
pub(super) type Value = String;

/// The end of a slice that goes to the last element.
pub(super) const END: i64 = i64::MAX;

/// Parts that one step makes: a GPU binds a small number of values to each.
const PARTS: usize = 7;

/// The part `index` of the state.
fn part_name(index: usize) -> Value {
    format!("past_{index}")
}

/// Nodes and constants; the streaming state is handed out from one flat input, `[batch, floats]`.
#[derive(Default)]
pub(super) struct Builder {
    nodes: Vec<NodeProto>,
    /// Nodes so far, for their names.
    made: usize,
    initializers: Vec<TensorProto>,
    constants: HashMap<Vec<i64>, Value>,
    /// Lengths of the parts of the state.
    state: Vec<usize>,
    successors: Vec<Value>,
    parameters: usize,
}

impl Builder {
    /// A node with one output.
    pub fn add(&mut self, op: &str, inputs: &[&Value], attributes: Vec<AttributeProto>) -> Value {
        let name = format!("{}_{}", op.to_lowercase(), self.made);
        self.made += 1;
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|input| (*input).clone()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: op.into(),
            attribute: attributes,
            domain: String::new(),
        });
        name
    }

    /// Puts the nodes that `make` adds before all there are.
    pub fn at_first(&mut self, make: impl FnOnce(&mut Self)) {
        let others = std::mem::take(&mut self.nodes);
        make(self);
        self.nodes.extend(others);
    }

    /// Weights in the shape `shape`.
    pub fn weight(&mut self, values: &[f32], shape: &[usize]) -> Value {
        let name = format!("weight_{}", self.initializers.len());
        self.parameters += values.len();
        self.initializers.push(TensorProto::floats(&name, shape, values));
        name
    }

    /// A tensor in its own shape.
    pub fn tensor(&mut self, tensor: &Tensor) -> Value {
        self.weight(&tensor.values, &tensor.shape)
    }

    /// A list of integers, shared where it is used again.
    pub fn integers(&mut self, values: &[i64]) -> Value {
        if let Some(name) = self.constants.get(values) {
            return name.clone();
        }
        let name = format!("constant_{}", self.initializers.len());
        self.initializers.push(TensorProto::integers(&name, &[values.len()], values));
        self.constants.insert(values.to_vec(), name.clone());
        name
    }

    /// Numbers that aren't weights.
    pub fn numbers(&mut self, values: &[f32], shape: &[usize]) -> Value {
        let name = format!("constant_{}", self.initializers.len());
        self.initializers.push(TensorProto::floats(&name, shape, values));
        name
    }

    pub fn slice(&mut self, x: &Value, start: i64, end: i64, axis: i64) -> Value {
        let [start, end, axis] = [start, end, axis].map(|bound| self.integers(&[bound]));
        self.add("Slice", &[x, &start, &end, &axis], vec![])
    }

    pub fn concat(&mut self, values: &[&Value], axis: i64) -> Value {
        self.add("Concat", values, vec![AttributeProto::int("axis", axis)])
    }

    pub fn reshape(&mut self, x: &Value, shape: &[i64]) -> Value {
        let shape = self.integers(shape);
        self.add("Reshape", &[x, &shape], vec![])
    }

    pub fn transpose(&mut self, x: &Value, axes: &[usize]) -> Value {
        self.add("Transpose", &[x], vec![AttributeProto::ints("perm", axes)])
    }

    pub fn plus(&mut self, a: &Value, b: &Value) -> Value {
        self.add("Add", &[a, b], vec![])
    }

    pub fn mul(&mut self, a: &Value, b: &Value) -> Value {
        self.add("Mul", &[a, b], vec![])
    }

    pub fn cast(&mut self, x: &Value, to: i32) -> Value {
        self.add("Cast", &[x], vec![AttributeProto::int("to", to.into())])
    }

    /// Puts the last `floats` values of the past, shaped `[batch, shape…]`, before `x` along `axis`, and makes the last
    /// of the result the past of the next step. `shape` holds the length along `axis` too; nothing for a length of 0.
    pub fn remember(&mut self, x: &Value, shape: &[usize], axis: usize) -> Value {
        let floats: usize = shape.iter().product();
        if floats == 0 {
            return x.clone();
        }
        let part = part_name(self.state.len());
        self.state.push(floats);
        let full: Vec<i64> = std::iter::once(-1).chain(shape.iter().map(|&length| length as i64)).collect();
        let past = self.reshape(&part, &full);
        let joined = self.concat(&[&past, x], axis as i64);
        let kept = self.slice(&joined, -(shape[axis - 1] as i64), END, axis as i64);
        self.keep(&kept, floats);
        joined
    }

    /// Makes `x`, of `floats` values, the successor of the part of the state handed out last.
    fn keep(&mut self, x: &Value, floats: usize) {
        let flat = self.reshape(x, &[-1, floats as i64]);
        self.successors.push(flat);
    }

    /// Takes `x` apart along `axis` into all of its parts, named and so long each, as many at once as may be: each step costs
    /// a GPU a launch.
    pub fn take_apart(&mut self, x: &Value, axis: i64, parts: &[(Value, usize)]) {
        let mut start = 0;
        for group in parts.chunks(PARTS) {
            let lengths: Vec<i64> = group.iter().map(|&(_, length)| length as i64).collect();
            let end = start + lengths.iter().sum::<i64>();
            let some = if group.len() == parts.len() { x.clone() } else { self.slice(x, start, end, axis) };
            let lengths = self.integers(&lengths);
            self.nodes.push(NodeProto {
                input: vec![some, lengths],
                output: group.iter().map(|(name, _)| name.clone()).collect(),
                name: format!("split_{}", self.made),
                op_type: "Split".into(),
                attribute: vec![AttributeProto::int("axis", axis)],
                domain: String::new(),
            });
            self.made += 1;
            start = end;
        }
    }

    /// Floats of the state.
    pub fn state(&self) -> usize {
        self.state.iter().sum()
    }

    /// Number of weights.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// Closes the graph; `outputs` are declared with the value that each is, or none for the successor of the state.
    pub fn finish(mut self, name: &str, inputs: Vec<ValueInfo>, outputs: Vec<(ValueInfo, Value)>) -> Vec<u8> {
        let parts: Vec<_> = self.state.iter().enumerate().map(|(index, &floats)| (part_name(index), floats)).collect();
        self.at_first(|graph| graph.take_apart(&"state".into(), 1, &parts));
        let successors = std::mem::take(&mut self.successors);
        let all: Vec<&Value> = successors.iter().collect();
        let next = if all.is_empty() { Value::new() } else { self.concat(&all, 1) };
        let mut declared = Vec::new();
        for (info, value) in outputs {
            // The state's successor is known only here.
            let value = if value.is_empty() { next.clone() } else { value };
            self.nodes.push(NodeProto {
                input: vec![value],
                output: vec![info.name.clone()],
                name: format!("output_{}", info.name),
                op_type: "Identity".into(),
                attribute: vec![],
                domain: String::new(),
            });
            declared.push(info);
        }
        let graph = GraphProto {
            node: self.nodes,
            name: name.into(),
            initializer: self.initializers,
            input: inputs,
            output: declared,
        };
        let model = ModelProto {
            ir_version: IR_VERSION,
            producer_name: "vrvq".into(),
            graph: Some(graph),
            opset_import: vec![OperatorSet { domain: Some(String::new()), version: OPERATORS }],
        };
        model.encode_to_vec()
    }
}
