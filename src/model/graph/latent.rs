//! A decoder's graph from the latent on: what its codes stand for goes in, and the spectrum comes out.
//!
//! How a decoder answers to small changes of its latent can't be asked by codes, which are far apart. So everything before the
//! latent is cut off: that is the first value which codes and counts have to pass.

use super::SPECTRUM;
use super::onnx::{FLOAT, GraphProto, ModelProto, Size, ValueInfo};
use prost::Message;
use std::collections::HashSet;

/// Name of the input, `[batch, hops, dims]`.
pub(crate) const LATENT: &str = "latent";
/// What it takes the place of.
const CODED: [&str; 2] = ["codes", "count"];
const KEPT: [&str; 2] = [SPECTRUM, "next_state"];

/// The decoder's graph `bytes`, which shows its spectrum, with a latent of `dims` dimensions in place of codes and counts;
/// `None` where no single value stands for them.
pub(crate) fn from_latent(bytes: &[u8], dims: usize) -> Option<Vec<u8>> {
    let mut model = ModelProto::known(bytes)?;
    let graph = model.graph.as_mut()?;
    let first = graph.node.iter().find(|node| node.output.len() == 1 && is_latent(graph, &node.output[0]))?;
    let latent = first.output[0].clone();
    graph.node.retain(|node| !node.output.contains(&latent));
    for name in graph.node.iter_mut().flat_map(|node| &mut node.input).filter(|name| **name == latent) {
        *name = LATENT.into();
    }
    graph.output.retain(|output| KEPT.contains(&output.name.as_str()));
    graph.input.retain(|input| !CODED.contains(&input.name.as_str()));
    graph.input.push(ValueInfo::new(LATENT, FLOAT, &[Size::Free("batch"), Size::Free("hops"), Size::Fixed(dims)]));
    drop_unused(graph);
    Some(model.encode_to_vec())
}

/// Whether nothing of codes and counts reaches what is kept but through `value`, and something does through it.
fn is_latent(graph: &GraphProto, value: &str) -> bool {
    let reaches = |without: Option<&str>| {
        let mut coded: HashSet<&str> = HashSet::from(CODED);
        for node in &graph.node {
            if node.input.iter().any(|input| coded.contains(input.as_str())) {
                coded.extend(node.output.iter().map(String::as_str).filter(|&output| Some(output) != without));
            }
        }
        KEPT.iter().any(|kept| coded.contains(kept))
    };
    reaches(None) && !reaches(Some(value))
}

/// Drops the nodes and the weights that no output needs.
fn drop_unused(graph: &mut GraphProto) {
    let mut needed: HashSet<String> = graph.output.iter().map(|output| output.name.clone()).collect();
    for node in graph.node.iter().rev() {
        if node.output.iter().any(|output| needed.contains(output)) {
            needed.extend(node.input.iter().cloned());
        }
    }
    graph.node.retain(|node| node.output.iter().any(|output| needed.contains(output)));
    graph.initializer.retain(|tensor| needed.contains(&tensor.name));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::builder::Builder;

    fn value(name: &str, width: usize) -> ValueInfo {
        ValueInfo::new(name, FLOAT, &[Size::Free("batch"), Size::Free("hops"), Size::Fixed(width)])
    }

    /// A decoder of two codebooks of numbers that are added, scaled and, where `leaking`, added to the codes once more.
    fn decoder(leaking: bool) -> Vec<u8> {
        let mut graph = Builder::default();
        let (codes, count) = (String::from("codes"), String::from("count"));
        let books = [graph.weight(&[2.0], &[1, 1]), graph.weight(&[3.0], &[1, 1])];
        let entries = books.each_ref().map(|book| graph.add("Mul", &[&codes, book], vec![]));
        let used = graph.add("Mul", &[&entries[1], &count], vec![]);
        let latent = graph.add("Add", &[&entries[0], &used], vec![]);
        let scale = graph.weight(&[0.5], &[1, 1]);
        let mut spectrum = graph.add("Mul", &[&latent, &scale], vec![]);
        if leaking {
            spectrum = graph.add("Add", &[&spectrum, &codes], vec![]);
        }
        let audio = graph.add("Mul", &[&spectrum, &books[0]], vec![]);
        let state = graph.add("Add", &[&String::from("state"), &latent], vec![]);
        let inputs = ["codes", "count", "state"].map(|name| value(name, 1)).to_vec();
        let outputs = vec![("audio", audio), ("next_state", state), (SPECTRUM, spectrum)];
        graph.finish("decoder", inputs, outputs.into_iter().map(|(name, from)| (value(name, 1), from)).collect())
    }

    #[test]
    fn it_begins_where_all_codes_have_come_together() {
        let cut = ModelProto::decode(&from_latent(&decoder(false), 1).unwrap()[..]).unwrap().graph.unwrap();
        let names = |values: &[ValueInfo]| values.iter().map(|value| value.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&cut.input), ["state", LATENT]);
        assert_eq!(names(&cut.output), ["next_state", SPECTRUM]);
        let kinds: Vec<&str> = cut.node.iter().map(|node| node.op_type.as_str()).collect();
        // Names are given to outputs by an identity.
        assert_eq!(kinds.iter().filter(|&&kind| kind != "Identity").collect::<Vec<_>>(), [&"Mul", &"Add"]);
        assert_eq!(cut.initializer.len(), 1, "the codebooks are gone");
    }

    #[test]
    fn a_graph_without_such_a_place_is_refused() {
        assert_eq!(from_latent(&decoder(true), 1), None, "codes go another way too");
        assert_eq!(from_latent(&crate::model::graph::probe(), 1), None, "there are no codes");
        assert_eq!(from_latent(b"no graph", 1), None);
    }
}
