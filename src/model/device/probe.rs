//! Whether a device computes, and how fast: found out by letting it.

use super::provider::place;
use super::turn::Turn;
use super::{Device, Provider};
use crate::model::{ModelError, Runtime, graph, runtime};
use ort::session::Session;
use ort::value::Tensor;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// How much faster than one core a GPU must be to be chosen by itself. A program that plays the GPU on the processor isn't.
const WORTH: u32 = 3;
/// Runs of the graph that is timed, the first ones left out: they compile.
const RUNS: usize = 4;

/// Runs a graph of one node on `device`.
///
/// # Errors
/// [`ModelError::Device`] with what the runtime says.
pub fn probe(device: Device) -> Result<(), ModelError> {
    let runtime = runtime()?;
    let refused = |reason: String| ModelError::Device { device, reason };
    if runtime.is_builtin() && device != Device::default() {
        let reason = if device.is_cpu() {
            "the built-in runtime has one thread; \"cargo xtask runtime\" fetches one that has more"
        } else {
            "the built-in runtime knows the processor only; \"cargo xtask runtime --gpu\" fetches one for NVIDIA's \
             GPUs, \"cargo xtask runtime --webgpu\" one for any"
        };
        return Err(refused(reason.into()));
    }
    let run = || -> ort::Result<()> {
        let _turn = Turn::on(device);
        let mut session = open(runtime, device, &graph::probe())?;
        let input = Tensor::from_array(([1], vec![1.0f32]))?;
        session.run(ort::inputs!["x" => input]).map(|_| ())
    };
    run().map_err(|error| refused(error.to_string().lines().next().unwrap_or_default().into()))
}

fn open(runtime: &Runtime, device: Device, graph: &[u8]) -> ort::Result<Session> {
    let builder = Session::builder(runtime.environment())?.with_intra_threads(1)?;
    place(builder, device)?.commit_from_memory(graph)
}

/// Time of a heavy graph on `device`; `None` where it doesn't run there.
fn time(runtime: &Runtime, device: Device) -> Option<Duration> {
    let run = || -> ort::Result<Duration> {
        let _turn = Turn::on(device);
        let (graph, size) = graph::heavy();
        let mut session = open(runtime, device, &graph)?;
        let mut best = Duration::MAX;
        for _ in 0..RUNS {
            let input = Tensor::from_array(([size, size], vec![0.01f32; size * size]))?;
            let started = Instant::now();
            session.run(ort::inputs!["x" => input])?;
            best = best.min(started.elapsed());
        }
        Ok(best)
    };
    run().ok()
}

/// The first GPU that works and is much faster than a core of the processor, looked for once.
pub(super) fn fast_gpu() -> Option<Device> {
    static FOUND: OnceLock<Option<Device>> = OnceLock::new();
    *FOUND.get_or_init(|| {
        let runtime = runtime().ok().filter(|runtime| !runtime.is_builtin())?;
        let gpus = Provider::ALL.into_iter().filter(|provider| provider.is_for_everyone());
        let mut working = gpus.map(|provider| Device::Gpu(provider, 0)).filter(|gpu| probe(*gpu).is_ok()).peekable();
        working.peek()?;
        let core = time(runtime, Device::default())?;
        working.find(|gpu| time(runtime, *gpu).is_some_and(|gpu| gpu * WORTH < core))
    })
}
