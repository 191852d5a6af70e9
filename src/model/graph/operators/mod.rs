//! Operators of the program's own, which take the place of several steps of a graph where ONNX Runtime runs it on the
//! processor: what a live hop costs there is bringing weights and steps into the caches, more than computing.

mod block;
mod filter;
mod lookup;
mod product;

use super::onnx::{AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSet};
pub(crate) use block::Block;
pub(crate) use filter::Filter;
pub(crate) use lookup::Lookup;
pub(crate) use product::Product;
use std::collections::HashSet;

/// The operators' domain.
pub(crate) const DOMAIN: &str = "vrvq";
/// The operators' attribute: which of its kind it is.
pub(crate) const INDEX: &str = "index";

/// What the operators of a graph need, by their indices.
#[derive(Default)]
pub(crate) struct Operators {
    pub products: Vec<Product>,
    pub filters: Vec<Filter>,
    pub lookups: Vec<Lookup>,
    /// They name products and filters.
    pub blocks: Vec<Block>,
}

impl Operators {
    /// Puts operators in the place of steps of `model`. What no one needs any more is gone then. With `halves` products with
    /// matrices in half precision are among them.
    pub(super) fn take(model: &mut ModelProto, halves: bool) -> Self {
        let mut operators = Self::default();
        let Some(graph) = model.graph.as_mut() else { return operators };
        if halves {
            operators.products = replace(graph, Product::NAME, product::read);
        }
        operators.filters = replace(graph, Filter::NAME, filter::read);
        operators.lookups = replace(graph, Lookup::NAME, lookup::read);
        if operators.is_empty() {
            return operators;
        }
        // What is replaced counts as a use no more.
        drop_unused(graph);
        let Self { products, filters, .. } = &operators;
        operators.blocks = replace(graph, Block::NAME, |graph, node| block::read(graph, node, products, filters));
        drop_unused(graph);
        model.opset_import.push(OperatorSet { domain: Some(DOMAIN.into()), version: 1 });
        operators
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.products.is_empty() && self.filters.is_empty() && self.lookups.is_empty()
    }
}

/// What an operator needs, its inputs, and the last of the steps whose place it takes.
struct Found<'a, T> {
    what: T,
    inputs: Vec<&'a str>,
    last: &'a NodeProto,
    /// One more step, whose result is the operator's second.
    second: Option<&'a NodeProto>,
}

/// Puts operators `name` in the place of what `read` finds at each node.
fn replace<T>(
    graph: &mut GraphProto,
    name: &str,
    read: impl for<'a> Fn(&'a GraphProto, &'a NodeProto) -> Option<Found<'a, T>>,
) -> Vec<T> {
    let mut all = Vec::new();
    let mut made = Vec::new();
    let mut seconds = HashSet::new();
    for node in &graph.node {
        let Some(found) = read(graph, node) else { continue };
        let second = found.second.map(|node| node.output.clone()).unwrap_or_default();
        let node = NodeProto {
            input: found.inputs.into_iter().map(str::to_owned).collect(),
            output: [found.last.output.clone(), second.clone()].concat(),
            name: found.last.name.clone(),
            op_type: name.into(),
            attribute: vec![AttributeProto::int(INDEX, all.len() as i64)],
            domain: DOMAIN.into(),
        };
        made.push((found.last.output.clone(), node));
        seconds.extend(second);
        all.push(found.what);
    }
    graph.node.retain(|node| !node.output.iter().any(|output| seconds.contains(output)));
    for (last, new) in made {
        // In the place of the last, where all of its inputs are there.
        if let Some(node) = graph.node.iter_mut().find(|node| node.output == last) {
            *node = new;
        }
    }
    all
}

/// Takes out nodes and weights that nothing uses.
fn drop_unused(graph: &mut GraphProto) {
    loop {
        let inputs = graph.node.iter().flat_map(|node| node.input.iter().cloned());
        let used: HashSet<String> = inputs.chain(graph.output.iter().map(|output| output.name.clone())).collect();
        let before = graph.node.len();
        graph.node.retain(|node| node.output.iter().any(|output| used.contains(output)));
        if graph.node.len() == before {
            graph.initializer.retain(|tensor| used.contains(&tensor.name));
            return;
        }
    }
}

/// The inputs of a node of that kind with two, and one result.
fn two<'a>(node: &'a NodeProto, kind: &str) -> Option<[&'a str; 2]> {
    let [first, second] = node.input.as_slice() else { return None };
    (node.op_type == kind && node.domain.is_empty() && node.output.len() == 1).then_some([first, second])
}

/// What is taken along the second dimension, which is that of the frames where there are three.
struct Slice<'a> {
    of: &'a str,
    start: i64,
    end: i64,
}

fn slice<'a>(graph: &'a GraphProto, node: &'a NodeProto) -> Option<Slice<'a>> {
    let [of, start, end, axis] = node.input.as_slice() else { return None };
    let one = |name: &String| graph.initializer.iter().find(|tensor| tensor.name == *name)?.to_integer();
    (node.op_type == "Slice" && one(axis)? == 1).then_some(Slice { of, start: one(start)?, end: one(end)? })
}

/// How often `value` is an input or what the graph gives out.
fn uses(graph: &GraphProto, value: &str) -> usize {
    let inputs = graph.node.iter().flat_map(|node| &node.input).filter(|input| *input == value).count();
    inputs + graph.output.iter().filter(|output| output.name == value).count()
}

/// The nodes that take `value`.
fn takers<'a>(graph: &'a GraphProto, value: &str) -> impl Iterator<Item = &'a NodeProto> {
    graph.node.iter().filter(move |node| node.input.iter().any(|input| input == value))
}

/// The weights `name`, one for each of `columns`.
fn row(graph: &GraphProto, name: &str, columns: usize) -> Option<Vec<f32>> {
    graph.weight(name).filter(|tensor| tensor.dims == [columns as i64])?.to_floats()
}
