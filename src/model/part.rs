//! One of a model's two graphs, and what runs it for all streams of the process.

use super::run::{Desk, Desks, Weights};
use super::{Device, Runtime};
use std::sync::{Arc, OnceLock};

/// See the module.
pub(super) struct Part {
    bytes: Vec<u8>,
    /// What its sessions on the processor share, those of one thread and those of more; `None` where they can't.
    weights: [OnceLock<Option<Weights>>; 2],
    desks: Desks,
}

impl Part {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, weights: Default::default(), desks: Desks::default() }
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
        let threads = desk.device.threads();
        let weights = &self.weights[usize::from(threads > 1)];
        let weights = shares.then(|| weights.get_or_init(|| Weights::of(&self.bytes, threads == 1)).as_ref());
        desk.enter(&self.bytes, weights.flatten())
    }
}
