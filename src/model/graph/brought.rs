//! Takes the weights out of a graph, so that its sessions can share them.

use super::onnx::{FLOAT, HALF, ModelProto, TensorProto};
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
}

/// Parts a graph from its large weights; those that are kept in half precision and cast when they are used come out in single
/// precision, and the casts are gone. `None` for graphs that hold what isn't known here.
pub(crate) fn bring(bytes: &[u8]) -> Option<Brought> {
    let mut model = ModelProto::decode(bytes).ok()?;
    // What this program doesn't know of the format would be lost.
    if model.encoded_len() != bytes.len() {
        return None;
    }
    let graph = model.graph.as_mut()?;
    let half: HashSet<&str> =
        graph.initializer.iter().filter(|tensor| tensor.data_type == HALF).map(|tensor| tensor.name.as_str()).collect();
    let to_single = |node: &&super::onnx::NodeProto| {
        node.op_type == "Cast"
            && node.attribute.iter().any(|attribute| attribute.name == "to" && attribute.i == i64::from(FLOAT))
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
    Some(Brought { graph: model.encode_to_vec(), weights })
}
