//! What computes a model: the processor, or a GPU through CUDA.
//!
//! The choice is the process's, as the runtime is. Whether a GPU is there is found out by running a graph on it: what the
//! runtime says of itself is what it was compiled with, and left to itself it falls back to the processor without a
//! word. A GPU that fails while it is used isn't tried again in this process.

use super::{ModelError, graph, runtime};
use ort::ep::CUDA;
use ort::session::{Session, builder::SessionBuilder};
use ort::value::Tensor;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// Weights up to which a model runs on the processor by itself: one core has time for it.
const SMALL_MODEL: u64 = 10_000_000;
/// Threads of the processor for one model.
const MOST_THREADS: usize = 64;
/// GPUs that are looked for.
const MOST_GPUS: u32 = 8;

/// What a session runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor, with this many threads.
    Cpu(u16),
    /// NVIDIA's GPU of this number.
    Cuda(u32),
}

impl Default for Device {
    fn default() -> Self {
        Self::Cpu(1)
    }
}

impl Device {
    /// The processor with all its cores but one, which is left for the sound: for models that one core has no time for.
    pub fn most_of_cpu() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::Cpu((cores - 1).clamp(1, MOST_THREADS) as u16)
    }

    /// Threads of the processor that one run uses.
    pub(super) fn threads(self) -> usize {
        match self {
            Self::Cpu(threads) => threads.max(1).into(),
            Self::Cuda(_) => 1,
        }
    }

    fn is_cpu(self) -> bool {
        matches!(self, Self::Cpu(_))
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu(0 | 1) => write!(f, "CPU"),
            Self::Cpu(threads) => write!(f, "CPU, {threads} threads"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// What a user chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// One thread of the processor for small models; for others a GPU that works, or else most of the processor.
    #[default]
    Auto,
    Only(Device),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Only(Device::Cpu(1))),
            "cuda" => Ok(Self::Only(Device::Cuda(0))),
            other => {
                let number = |prefix: &str| other.strip_prefix(prefix)?.parse::<u16>().ok();
                let threads = number("cpu:").filter(|threads| (1..=MOST_THREADS as u16).contains(threads));
                let device = threads.map(Device::Cpu).or_else(|| number("cuda:").map(|gpu| Device::Cuda(gpu.into())));
                device.map(Self::Only).ok_or_else(|| {
                    format!(
                        "\"auto\", \"cpu\", \"cpu:N\" for 1 to {MOST_THREADS} threads, or \"cuda:N\" for GPU number N"
                    )
                })
            }
        }
    }
}

static CHOICE: Mutex<DeviceChoice> = Mutex::new(DeviceChoice::Auto);
/// A GPU failed while it was used.
static FAILED: AtomicBool = AtomicBool::new(false);

/// No model takes several threads by itself.
static ONE_THREAD: AtomicBool = AtomicBool::new(false);

/// From now on models run on this device.
///
/// # Errors
/// [`ModelError::Device`] where it was asked for by name and can't be used, with the reason; nothing is changed then.
pub fn choose_device(choice: DeviceChoice) -> Result<(), ModelError> {
    if let DeviceChoice::Only(device) = choice {
        probe(device)?;
    }
    *CHOICE.lock().unwrap_or_else(PoisonError::into_inner) = choice;
    FAILED.store(false, Relaxed);
    Ok(())
}

/// What was chosen.
pub fn device_choice() -> DeviceChoice {
    *CHOICE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What a model of so many weights runs on.
pub(super) fn device_for(parameters: u64) -> Device {
    match device_choice() {
        DeviceChoice::Only(device) if device.is_cpu() || !FAILED.load(Relaxed) => device,
        _ if parameters <= SMALL_MODEL => Device::default(),
        DeviceChoice::Auto if !FAILED.load(Relaxed) => first_gpu().unwrap_or_else(large_on_cpu),
        _ => large_on_cpu(),
    }
}

/// Files are worked on several at a time from now on, so a model has one thread unless more were asked for.
pub fn share_cores_between_files() {
    ONE_THREAD.store(true, Relaxed);
}

/// Where a model runs that is too large for one core, without a GPU.
fn large_on_cpu() -> Device {
    // The built-in runtime has one thread.
    if ONE_THREAD.load(Relaxed) || runtime().is_ok_and(|runtime| runtime.is_builtin()) {
        Device::default()
    } else {
        Device::most_of_cpu()
    }
}

/// GPUs aren't used any more, since one has failed; whether any may have been in use until now.
#[cfg(feature = "live")]
pub(crate) fn give_up_gpus() -> bool {
    let in_use = match device_choice() {
        DeviceChoice::Only(device) => !device.is_cpu(),
        DeviceChoice::Auto => first_gpu().is_some(),
    };
    !FAILED.swap(true, Relaxed) && in_use
}

/// The first GPU that works, looked for once.
fn first_gpu() -> Option<Device> {
    static FIRST: std::sync::OnceLock<Option<Device>> = std::sync::OnceLock::new();
    *FIRST.get_or_init(|| {
        let gpu = Device::Cuda(0);
        probe(gpu).is_ok().then_some(gpu)
    })
}

/// Options of a session on `device`; an error where the runtime has no such device.
pub(super) fn place(builder: SessionBuilder, device: Device) -> ort::Result<SessionBuilder> {
    match device {
        Device::Cpu(_) => Ok(builder),
        Device::Cuda(number) => {
            let provider = CUDA::default().with_device_id(i32::try_from(number).unwrap_or(i32::MAX));
            Ok(builder.with_execution_providers([provider.build().error_on_failure()])?)
        }
    }
}

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
            "the built-in runtime knows the processor only; \"cargo xtask runtime --gpu\" fetches one for GPUs"
        };
        return Err(refused(reason.into()));
    }
    let run = || -> ort::Result<()> {
        let mut session: Session =
            place(Session::builder(runtime.environment())?, device)?.commit_from_memory(&graph::probe())?;
        let input = Tensor::from_array(([1], vec![1.0f32]))?;
        session.run(ort::inputs!["x" => input]).map(|_| ())
    };
    run().map_err(|error| refused(error.to_string().lines().next().unwrap_or_default().into()))
}

/// The inference devices in words, a line each: what runs on them, or why nothing can.
pub fn describe_devices() -> String {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => return format!("inference: {error}\n"),
    };
    let mut text = format!("inference by {}\n", runtime.name());
    if let Some(notice) = runtime.notice() {
        text += &format!("  {notice}\n");
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    text += &format!("  cpu      {cores} cores\n");
    for number in 0..MOST_GPUS {
        let device = Device::Cuda(number);
        if let Err(error) = probe(device) {
            // The first one's reason is everyone's.
            if number == 0 {
                text += &format!("  cuda     {error}\n");
            }
            break;
        }
        text += &format!("  cuda:{number}   works\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named_by_their_threads_or_number() {
        let parse = |text: &str| text.parse::<DeviceChoice>();
        assert_eq!(parse("AUTO"), Ok(DeviceChoice::Auto));
        assert_eq!(parse("cpu"), Ok(DeviceChoice::Only(Device::default())));
        assert_eq!(parse("cpu:4"), Ok(DeviceChoice::Only(Device::Cpu(4))));
        assert_eq!(parse("cuda:1"), Ok(DeviceChoice::Only(Device::Cuda(1))));
        for wrong in ["", "cpu:", "cpu:0", "cpu:65", "cuda:-1", "gpu"] {
            assert!(parse(wrong).is_err_and(|error| error.contains("cpu:N")), "{wrong}");
        }
        assert_eq!([Device::Cpu(1), Device::Cpu(4)].map(|device| device.to_string()), ["CPU", "CPU, 4 threads"]);
    }
}
