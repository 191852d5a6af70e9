//! Operators of the program's own, which take the place of several steps of a graph where it runs on the
//! processor: what a live hop costs there is bringing weights and steps into the caches, more than computing.

mod block;
mod compand;
mod filter;
mod lookup;
mod past;
mod postfilter;
mod product;
mod template;

use super::onnx::{AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSet};
pub(crate) use block::Block;
pub(crate) use compand::Compand;
pub(crate) use filter::Filter;
pub(crate) use lookup::Lookup;
pub(crate) use past::Past;
pub(crate) use postfilter::{FLOOR, GROUP, Postfilter, SHIFTS};
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
    pub pasts: Vec<Past>,
    pub compands: Vec<Compand>,
    /// They name products and filters.
    pub blocks: Vec<Block>,
    /// They name products.
    pub postfilters: Vec<Postfilter>,
}

impl Operators {
    /// Puts operators in the place of steps of `model`. What no one needs any more is gone then. With `halves` products with
    /// matrices in half precision are among them.
    pub(super) fn take(model: &mut ModelProto, halves: bool) -> Self {
        let Some(graph) = model.graph.as_mut() else { return Self::default() };
        let filters = replace(graph, Filter::NAME, filter::read);
        if !filters.is_empty() {
            // What is replaced counts as a use no more.
            drop_unused(graph);
        }
        let found = if halves { replace(graph, Postfilter::NAME, postfilter::read) } else { vec![] };
        if !found.is_empty() {
            drop_unused(graph);
        }
        let mut products = if halves { replace(graph, Product::NAME, product::read) } else { vec![] };
        let mut postfilters = Vec::new();
        for (mut postfilter, own) in found {
            postfilter.products = products.len()..products.len() + own.len();
            products.extend(own);
            postfilters.push(postfilter);
        }
        let lookups = replace(graph, Lookup::NAME, lookup::read);
        let pasts = replace(graph, Past::NAME, past::read);
        let compands = replace(graph, Compand::NAME, compand::read);
        let mut operators = Self { products, filters, lookups, pasts, compands, blocks: vec![], postfilters };
        if operators.is_empty() {
            return operators;
        }
        drop_unused(graph);
        operators.blocks = replace(graph, Block::NAME, |graph, node| block::read(graph, node, &operators));
        drop_unused(graph);
        model.opset_import.push(OperatorSet { domain: Some(DOMAIN.into()), version: 1 });
        operators
    }

    pub(crate) fn is_empty(&self) -> bool {
        let Self { products, filters, lookups, pasts, compands, blocks: _, postfilters: _ } = self;
        [products.len(), filters.len(), lookups.len(), pasts.len(), compands.len()] == [0; 5]
    }
}

/// What an operator needs, its inputs, and the last of the steps whose place it takes.
struct Found<'a, T> {
    what: T,
    inputs: Vec<&'a str>,
    last: &'a NodeProto,
    /// The result of one more step, which is the operator's second.
    second: Option<&'a str>,
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
        let second: Vec<_> = found.second.map(str::to_owned).into_iter().collect();
        let node = NodeProto {
            input: found.inputs.into_iter().map(str::to_owned).collect(),
            output: found.last.output.iter().chain(&second).cloned().collect(),
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

/// What `divided` is the normalisation of, if it divides each frame by the root of its mean square, and what is added to that
/// mean; its steps have no other use.
fn normalised<'a>(graph: &'a GraphProto, divided: &'a NodeProto) -> Option<(&'a str, f32)> {
    let alone = |value: &str| graph.made_by(value).filter(|_| uses(graph, value) == 1);
    let [over, root] = two(divided, "Div")?;
    let [sum] = alone(root).filter(|root| root.op_type == "Sqrt")?.input.as_slice() else { return None };
    let [mean, epsilon] = two(alone(sum)?, "Add")?;
    let mean = alone(mean).filter(|mean| mean.op_type == "ReduceMean")?;
    let last_axis = mean.attribute.iter().any(|attribute| attribute.name == "axes" && attribute.ints == [-1]);
    let [left, right] = two(alone(mean.input.first()?)?, "Mul")?;
    let epsilon = number(graph, epsilon).filter(|_| last_axis && [left, right] == [over; 2])?;
    Some((over, epsilon))
}

/// The weight `name` that has no dimensions.
fn number(graph: &GraphProto, name: &str) -> Option<f32> {
    graph.weight(name).filter(|tensor| tensor.dims.is_empty())?.to_floats()?.first().copied()
}

/// The weights `name`, one for each of `columns`.
fn row(graph: &GraphProto, name: &str, columns: usize) -> Option<Vec<f32>> {
    graph.weight(name).filter(|tensor| tensor.dims == [columns as i64])?.to_floats()
}
