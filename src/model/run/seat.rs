//! One session, and how a run goes through it.

use super::assignment;
use super::batch::NEXT_STATE;
use super::kept::Kept;
#[cfg(feature = "tract")]
use super::plan::{Plan, Planned};
use super::shared::Shared;
use crate::model::device::{Turn, kept_on, place};
use crate::model::{Device, Runtime};
use ort::memory::MemoryInfo;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{IoBinding, Session};
use ort::value::{DynValue, TensorElementType};

/// A session that streams borrow. Whoever drops it has the device's [`Turn`].
pub struct Seat {
    runner: Runner,
    device: Device,
    /// Inputs in single precision.
    floats: Vec<String>,
    placed: Option<String>,
}

enum Runner {
    Bound(Box<Bound>),
    /// In the runtime compiled in.
    #[cfg(feature = "tract")]
    Planned(Box<Planned>),
}

/// A session of ONNX Runtime.
struct Bound {
    session: Session,
    binding: IoBinding,
    outputs: Vec<String>,
    /// Where outputs are wanted.
    here: MemoryInfo<'static>,
    /// Where the state's successor stays, on a GPU that keeps it.
    there: Option<MemoryInfo<'static>>,
}

impl Seat {
    /// Loads a graph; `shared` is what its sessions have in common.
    pub fn load(bytes: &[u8], shared: Option<&Shared>, runtime: &Runtime, device: Device) -> ort::Result<Self> {
        let _turn = Turn::on(device);
        #[cfg(feature = "tract")]
        if runtime.is_builtin() {
            let planned = match shared {
                Some(Shared::Plan(plan)) => plan.session(),
                _ => Plan::of(bytes, false)?.session(),
            };
            give_back_memory();
            let floats = planned.floats();
            return Ok(Self { runner: Runner::Planned(Box::new(planned)), device, floats, placed: None });
        }
        let builder = Session::builder(runtime.environment())?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(device.threads())?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?;
        let mut builder = place(builder, device)?;
        let session = match shared {
            Some(Shared::Weights(weights)) if device.is_cpu() => weights.load(builder)?,
            _ => builder.commit_from_memory(bytes)?,
        };
        give_back_memory();
        Ok(Self {
            floats: session
                .inputs()
                .iter()
                .filter(|input| input.dtype().tensor_type() == Some(TensorElementType::Float32))
                .map(|input| input.name().to_owned())
                .collect(),
            placed: if device.is_cpu() { None } else { assignment::in_words(&session) },
            device,
            runner: Runner::Bound(Box::new(Bound {
                binding: session.create_binding()?,
                outputs: session.outputs().iter().map(|output| output.name().to_owned()).collect(),
                here: MemoryInfo::default(),
                there: kept_on(device),
                session,
            })),
        })
    }

    /// Which of its nodes run where, in words; `None` where all do on the processor.
    pub fn placed(&self) -> Option<&str> {
        self.placed.as_deref()
    }

    /// Whether the input `name` is in single precision.
    pub fn takes_floats(&self, name: &str) -> bool {
        self.floats.iter().any(|own| own == name)
    }

    /// One run. The state's successor stays on the device, the other outputs come back.
    pub fn run(&mut self, inputs: &[(&'static str, &DynValue)]) -> ort::Result<Vec<(String, Kept)>> {
        let _turn = Turn::on(self.device);
        match &mut self.runner {
            Runner::Bound(bound) => bound.run(inputs, self.device),
            #[cfg(feature = "tract")]
            Runner::Planned(planned) => planned.run(inputs),
        }
    }
}

impl Bound {
    fn run(&mut self, inputs: &[(&'static str, &DynValue)], device: Device) -> ort::Result<Vec<(String, Kept)>> {
        let Self { session, binding, outputs, here, there } = self;
        for (name, value) in inputs {
            binding.bind_input(*name, value)?;
        }
        // Bound anew each time: an output that stays bound is written over by the next run.
        binding.clear_outputs();
        for name in outputs {
            let place = if name == NEXT_STATE { there.as_ref().unwrap_or(here) } else { &*here };
            binding.bind_output_to_device(name.as_str(), place)?;
        }
        let made = session.run_binding(binding)?;
        let kept = |name: &str, value| match there {
            Some(_) if name == NEXT_STATE => Kept::on(device, value),
            _ => Kept::here(value),
        };
        let made = made.into_iter().map(|(name, value)| (name.to_owned(), kept(name, value))).collect();
        binding.clear();
        Ok(made)
    }
}

/// Loading a graph leaves as much freed memory behind as its weights take, which the system's allocator keeps.
fn give_back_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: it touches what is free only.
    unsafe {
        libc::malloc_trim(0);
    }
}
