//! The weights of a graph, once for all its sessions on the processor, and in the order in which its kernels read them.

use super::operators::{Operators, reads_halves};
use crate::model::graph;
use ort::session::Session;
use ort::session::builder::{PrepackedWeights, SessionBuilder};
use ort::value::{DynValue, Tensor};
use std::sync::Arc;

/// See the module.
pub struct Weights {
    graph: Vec<u8>,
    values: Vec<(String, Arc<DynValue>)>,
    packed: PrepackedWeights,
    operators: Operators,
}

impl Weights {
    /// Those of the graph `bytes`; `None` where it holds none that can be shared. With `own` the program's operators take the
    /// place of steps of it, which they do by one thread.
    pub fn of(bytes: &[u8], own: bool) -> Option<Self> {
        let brought = graph::bring(bytes, own, reads_halves())?;
        let operators = Operators::new(brought.operators);
        if brought.weights.is_empty() && operators.is_empty() {
            return None;
        }
        let value = |weight: graph::Weight| -> Option<_> {
            let tensor = Tensor::from_array((weight.shape, weight.values)).ok()?;
            Some((weight.name, Arc::new(tensor.into_dyn())))
        };
        let values = brought.weights.into_iter().map(value).collect::<Option<_>>()?;
        Some(Self { graph: brought.graph, values, packed: PrepackedWeights::new(), operators })
    }

    /// A session of the graph that uses them.
    ///
    /// # Errors
    /// What the runtime says of the graph.
    pub fn load(&self, mut builder: SessionBuilder) -> ort::Result<Session> {
        for (name, value) in &self.values {
            // The first brings the values along; the second lets sessions share what is packed of them.
            builder = builder.with_external_initializer(name, value.clone())?.with_initializer(name, value.clone())?;
        }
        let mut builder = self.operators.share(builder)?.with_prepacked_weights(&self.packed)?;
        self.operators.introduce(|| builder.commit_from_memory(&self.graph))
    }
}
