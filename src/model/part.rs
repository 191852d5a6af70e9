//! One of a model's two graphs, and what runs it for all streams of the process.

use super::run::{Desk, Desks, Shared};
use super::{Device, Runtime};
use std::sync::{Arc, OnceLock};

/// See the module.
pub(super) struct Part {
    bytes: Vec<u8>,
    /// What its sessions on the processor share, those of one thread and those of more; `None` where they can't.
    shared: [OnceLock<Option<Shared>>; 2],
    desks: Desks,
}

impl Part {
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, shared: Default::default(), desks: Desks::default() }
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
        let threads = desk.device.threads();
        let shared = &self.shared[usize::from(threads > 1)];
        let shared = || shared.get_or_init(|| Shared::of(&self.bytes, threads == 1, runtime)).as_ref();
        desk.enter(&self.bytes, desk.device.is_cpu().then(shared).flatten())
    }
}
