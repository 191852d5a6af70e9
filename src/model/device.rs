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
/// GPUs that are looked for.
const MOST_GPUS: u32 = 8;

/// What a session runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    #[default]
    Cpu,
    /// NVIDIA's GPU of this number.
    Cuda(u32),
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => write!(f, "CPU"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

/// What a user chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The processor for small models, a GPU that works for others.
    #[default]
    Auto,
    Only(Device),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Only(Device::Cpu)),
            "cuda" => Ok(Self::Only(Device::Cuda(0))),
            other => match other.strip_prefix("cuda:").map(str::parse) {
                Some(Ok(number)) => Ok(Self::Only(Device::Cuda(number))),
                _ => Err("\"auto\", \"cpu\", or \"cuda:N\" for GPU number N".into()),
            },
        }
    }
}

static CHOICE: Mutex<DeviceChoice> = Mutex::new(DeviceChoice::Auto);
/// A GPU failed while it was used.
static FAILED: AtomicBool = AtomicBool::new(false);

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
        _ if FAILED.load(Relaxed) => Device::Cpu,
        DeviceChoice::Only(device) => device,
        DeviceChoice::Auto if parameters <= SMALL_MODEL => Device::Cpu,
        DeviceChoice::Auto => first_gpu().unwrap_or_default(),
    }
}

/// GPUs aren't used any more, since one has failed; whether any may have been in use until now.
#[cfg(feature = "live")]
pub(crate) fn give_up_gpus() -> bool {
    let in_use = match device_choice() {
        DeviceChoice::Only(device) => device != Device::Cpu,
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
        Device::Cpu => Ok(builder),
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
    if device != Device::Cpu && runtime.is_builtin() {
        let reason =
            "the built-in runtime knows the processor only; \"cargo xtask runtime --gpu\" fetches one for GPUs";
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
