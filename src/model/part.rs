//! One of a model's two graphs, and what runs it for all streams of the process.

use super::run::{Desk, Desks, Weights};
use super::{Device, Runtime};
use std::sync::{Arc, OnceLock};

/// See the module.
pub(super) struct Part {
    bytes: Vec<u8>,
    /// What its sessions on the processor share; `None` where they can't.
    weights: OnceLock<Option<Weights>>,
    desks: Desks,
}

impl Part {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, weights: OnceLock::new(), desks: Desks::default() }
    }

    /// The graph as it is loaded.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where streams on `device` run it.
    pub fn desk(&self, graph: &'static str, device: Device, runtime: &'static Runtime) -> Arc<Desk> {
        self.desks.at(graph, device, runtime)
    }

    /// A stream comes to `desk`, which is one of this graph's.
    ///
    /// # Errors
    /// What the runtime says of the graph.
    pub fn enter(&self, desk: &Desk, runtime: &Runtime) -> ort::Result<()> {
        // The built-in runtime copies what it is given.
        let shares = !runtime.is_builtin() && desk.device.is_cpu();
        let weights = if shares { self.weights.get_or_init(|| Weights::of(&self.bytes)).as_ref() } else { None };
        desk.enter(&self.bytes, weights)
    }
}
