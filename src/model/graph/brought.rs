//! Takes the weights out of a graph, so that its sessions can share them.

use super::onnx::{FLOAT, HALF, ModelProto, TensorProto};
use super::operators::Operators;
use prost::Message;
use std::collections::{HashMap, HashSet};

/// Bytes from which a tensor is worth sharing.
const LARGE: usize = 1024;

/// A weight in single precision.
pub(crate) struct Weight {
    pub name: String,
    pub shape: Vec<i64>,
    pub values: Vec<f32>,
}

/// A graph without its large weights.
pub(crate) struct Brought {
    pub graph: Vec<u8>,
    pub weights: Vec<Weight>,
    /// What the program's own operators in it need.
    pub operators: Operators,
}

/// Parts a graph from its large weights; those that are kept in half precision and cast when they are used come out in single
/// precision, and the casts are gone. With `own` the program's operators are in it, those that read halves where
/// `halves` says that there are some. `None` for graphs that hold what isn't known here.
pub(crate) fn bring(bytes: &[u8], own: bool, halves: bool) -> Option<Brought> {
    let mut model = ModelProto::known(bytes)?;
    let operators = if own { Operators::take(&mut model, halves) } else { Operators::default() };
    let graph = model.graph.as_mut()?;
    let half: HashSet<&str> =
        graph.initializer.iter().filter(|tensor| tensor.data_type == HALF).map(|tensor| tensor.name.as_str()).collect();
    let to_single = |node: &&super::onnx::NodeProto| {
        node.op_type == "Cast"
            && node.attribute.iter().any(|attribute| attribute.name == "to" && attribute.i == Some(i64::from(FLOAT)))
            && node.input.first().is_some_and(|input| half.contains(input.as_str()))
    };
    let casts: HashMap<String, String> =
        graph.node.iter().filter(to_single).map(|cast| (cast.input[0].clone(), cast.output[0].clone())).collect();
    let uses = |name: &str| graph.node.iter().flat_map(|node| &node.input).filter(|input| *input == name).count();
    let casts: HashMap<String, String> = casts.into_iter().filter(|(name, _)| uses(name) == 1).collect();
    let gone: HashSet<&String> = casts.values().collect();
    let node =
        graph.node.iter().filter(|node| !node.output.iter().any(|output| gone.contains(output))).cloned().collect();
    let mut weights = Vec::new();
    for tensor in &mut graph.initializer {
        let cast = casts.get(&tensor.name);
        if cast.is_none() && (tensor.data_type != FLOAT || tensor.raw_data.len() < LARGE) {
            continue;
        }
        let (name, values) = (cast.unwrap_or(&tensor.name).clone(), tensor.to_floats()?);
        if values.len() * 4 < LARGE {
            let shape: Vec<usize> = tensor.dims.iter().map(|&length| length as usize).collect();
            *tensor = TensorProto::floats(&name, &shape, &values);
        } else {
            let shape = std::mem::take(&mut tensor.dims);
            *tensor = TensorProto::brought(&name, &shape);
            weights.push(Weight { name, shape, values });
        }
    }
    graph.node = node;
    Some(Brought { graph: model.encode_to_vec(), weights, operators })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The bundled model's graphs are training's, written by ONNX's own library.
    #[test]
    fn the_bundled_graphs_are_parted_from_their_weights() {
        let model = crate::model::Model::builtin().unwrap();
        for part in [&model.encoder, &model.decoder] {
            let brought = bring(part.bytes(), false, false).expect("every field is known");
            let values: usize = brought.weights.iter().map(|weight| weight.values.len()).sum();
            assert!(values > 2_000_000, "{values} values");
            assert!(brought.graph.len() * 20 < part.bytes().len(), "{} bytes are left", brought.graph.len());
            for weight in &brought.weights {
                assert_eq!(weight.shape.iter().product::<i64>(), weight.values.len() as i64, "{}", weight.name);
            }
        }
    }

    #[test]
    fn operators_take_the_place_of_most_steps_of_the_bundled_graphs() {
        let model = crate::model::Model::builtin().unwrap();
        // The decoder's postfilter has seven products, two of them gated and one of what is normalised.
        for (part, made, lookups, pasts, blocks, gates, normalised) in
            [(&model.encoder, 14, 0, 7, 4, 6, 1), (&model.decoder, 21, 1, 8, 5, 7, 2)]
        {
            let brought = bring(part.bytes(), true, true).unwrap();
            let Operators { products, filters, lookups: found, pasts: joined, compands, blocks: residual, postfilters } =
                &brought.operators;
            assert_eq!((products.len(), filters.len(), found.len(), residual.len()), (made, 5, lookups, blocks));
            assert_eq!((joined.len(), compands.len(), postfilters.len()), (pasts, 1, lookups));
            let epsilons = products.iter().filter(|product| product.epsilon.is_some()).count();
            assert_eq!(epsilons, normalised, "what the blocks make");
            assert_eq!(products.iter().filter(|product| product.gated).count(), gates, "the blocks' and the subnet's");
            assert!(found.iter().all(|lookup| (lookup.codebooks, lookup.dims) == (8, 97)));
            assert!(brought.operators.filters.iter().all(|filter| filter.epsilon.is_some()), "each is normalised");
            let nodes = |bytes: &[u8]| ModelProto::known(bytes).unwrap().graph.unwrap().node.len();
            let (left, all) = (nodes(&brought.graph), nodes(part.bytes()));
            assert!(left * 4 < all, "{left} of {all} steps are left");
        }
    }

    #[test]
    fn what_is_not_known_stays_whole() {
        let mut bytes = crate::model::graph::probe();
        assert!(bring(&bytes, true, true).is_some());
        // Field 15 of the model, of three bytes.
        bytes.extend([0x7a, 3, 1, 2, 3]);
        assert!(bring(&bytes, true, true).is_none());
        assert!(bring(b"no graph", true, true).is_none());
    }
}
