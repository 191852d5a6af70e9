//! One session, and how a run goes through it.

use super::assignment;
use super::batch::NEXT_STATE;
use super::kept::Kept;
use super::weights::Weights;
use crate::model::device::{Turn, kept_on, place};
use crate::model::{Device, Runtime};
use ort::memory::MemoryInfo;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{IoBinding, Session, SessionInputValue};
use ort::value::{DynValue, TensorElementType};
use std::borrow::Cow;

/// A session that streams borrow. Whoever drops it has the device's [`Turn`].
pub struct Seat {
    session: Session,
    device: Device,
    /// Outputs, and where they are wanted; not in the built-in runtime, which leaves them where they are.
    binding: Option<(IoBinding, MemoryInfo<'static>, Option<MemoryInfo<'static>>)>,
    outputs: Vec<String>,
    /// Inputs in single precision.
    floats: Vec<String>,
    placed: Option<String>,
}

impl Seat {
    /// Loads a graph; `weights` are those that its sessions share.
    pub fn load(bytes: &[u8], weights: Option<&Weights>, runtime: &Runtime, device: Device) -> ort::Result<Self> {
        let _turn = Turn::on(device);
        let mut builder = Session::builder(runtime.environment())?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(device.threads())?
            .with_inter_threads(1)?;
        if !runtime.is_builtin() {
            builder = builder.with_intra_op_spinning(false)?;
        }
        let mut builder = place(builder, device)?;
        let session = match weights.filter(|_| device.is_cpu()) {
            Some(weights) => weights.load(builder)?,
            None => builder.commit_from_memory(bytes)?,
        };
        give_back_memory();
        let binding = (!runtime.is_builtin())
            .then(|| -> ort::Result<_> { Ok((session.create_binding()?, MemoryInfo::default(), kept_on(device))) });
        Ok(Self {
            binding: binding.transpose()?,
            outputs: session.outputs().iter().map(|output| output.name().to_owned()).collect(),
            floats: session
                .inputs()
                .iter()
                .filter(|input| input.dtype().tensor_type() == Some(TensorElementType::Float32))
                .map(|input| input.name().to_owned())
                .collect(),
            placed: if device.is_cpu() { None } else { assignment::in_words(&session) },
            session,
            device,
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
        let Some((binding, here, there)) = &mut self.binding else {
            let all: Vec<(Cow<'_, str>, SessionInputValue<'_>)> =
                inputs.iter().map(|&(name, value)| (name.into(), value.into())).collect();
            let outputs = self.session.run(all)?;
            return Ok(outputs.into_iter().map(|(name, value)| (name.to_owned(), Kept::here(value))).collect());
        };
        for (name, value) in inputs {
            binding.bind_input(*name, value)?;
        }
        // Bound anew each time: an output that stays bound is written over by the next run.
        binding.clear_outputs();
        for name in &self.outputs {
            let place = if name == NEXT_STATE { there.as_ref().unwrap_or(here) } else { &*here };
            binding.bind_output_to_device(name.as_str(), place)?;
        }
        let outputs = self.session.run_binding(binding)?;
        let kept = |name: &str, value| match there {
            Some(_) if name == NEXT_STATE => Kept::on(self.device, value),
            _ => Kept::here(value),
        };
        let made = outputs.into_iter().map(|(name, value)| (name.to_owned(), kept(name, value))).collect();
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
