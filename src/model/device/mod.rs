//! What computes a model: the processor, or a GPU through one of ONNX Runtime's execution providers.
//!
//! The choice is the process's, as the runtime is. Whether a GPU is there is found out by running a graph on it: what the
//! runtime says of itself is what it was compiled with, and left to itself it falls back to the processor without a
//! word. A GPU that fails while it is used isn't tried again in this process.

mod choice;
mod describe;
mod probe;
mod provider;
mod turn;

pub(super) use choice::device_for;
#[cfg(feature = "live")]
pub(crate) use choice::give_up_gpus;
pub use choice::{DeviceChoice, choose_device, device_choice, share_cores_between_files};
pub use describe::{describe_devices, working_gpus};
pub use probe::probe;
pub(super) use provider::{kept_on, place};
pub(super) use turn::{Turn, free};

use std::fmt;
use std::str::FromStr;

/// Threads of the processor for one model.
const MOST_THREADS: usize = 64;

/// What a session runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The processor, with this many threads.
    Cpu(u16),
    /// The GPU of this number, by an execution provider.
    Gpu(Provider, u32),
}

/// ONNX Runtime's ways to a GPU. A runtime's library holds some of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// NVIDIA's.
    Cuda,
    /// NVIDIA's compiler on top of CUDA, where it is installed; its first start takes minutes.
    TensorRt,
    /// Any vendor's on Windows.
    DirectMl,
    /// Any vendor's: Vulkan, Direct3D 12 or Metal. Its shading language promises a sine within 2^-11 only, which models with
    /// Snake activations show.
    WebGpu,
    /// Apple's.
    CoreMl,
}

impl Provider {
    /// In the order in which they are looked for.
    pub const ALL: [Self; 5] = [Self::Cuda, Self::TensorRt, Self::DirectMl, Self::WebGpu, Self::CoreMl];

    /// As in `--device`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cuda => "cuda",
            Self::TensorRt => "tensorrt",
            Self::DirectMl => "directml",
            Self::WebGpu => "webgpu",
            Self::CoreMl => "coreml",
        }
    }

    /// Whether it knows GPUs by number; the others choose one themselves.
    fn is_numbered(self) -> bool {
        matches!(self, Self::Cuda | Self::TensorRt | Self::DirectMl)
    }

    /// Whether a model is given to it without being asked: it needs no preparation and takes graphs as they are.
    fn is_for_everyone(self) -> bool {
        matches!(self, Self::Cuda | Self::DirectMl | Self::WebGpu)
    }
}

impl Default for Device {
    fn default() -> Self {
        Self::Cpu(1)
    }
}

impl Device {
    /// The processor with all its cores but one, which is left for the sound: for models that one core has no time for.
    pub fn most_of_cpu() -> Self {
        Self::Cpu((cores() - 1).clamp(1, MOST_THREADS) as u16)
    }

    /// Threads of the processor that one run uses.
    pub(super) fn threads(self) -> usize {
        match self {
            Self::Cpu(threads) => threads.max(1).into(),
            Self::Gpu(..) => 1,
        }
    }

    /// Whether it is the processor.
    pub fn is_cpu(self) -> bool {
        matches!(self, Self::Cpu(_))
    }

    /// Runs that it does at the same time: a GPU works on one after the other.
    pub(super) fn runs_at_once(self) -> usize {
        if self.is_cpu() { (cores() / self.threads()).max(1) } else { 1 }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu(0 | 1) => write!(f, "CPU"),
            Self::Cpu(threads) => write!(f, "CPU, {threads} threads"),
            Self::Gpu(provider, number) if provider.is_numbered() => write!(f, "{}:{number}", provider.name()),
            Self::Gpu(provider, _) => write!(f, "{}", provider.name()),
        }
    }
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.to_ascii_lowercase();
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => (name, Some(number.parse::<u16>().ok())),
            None => (text.as_str(), None),
        };
        let device = match (Provider::ALL.into_iter().find(|provider| provider.name() == name), number) {
            (None, None) if name == "cpu" => Some(Self::default()),
            (None, Some(threads)) if name == "cpu" => {
                threads.filter(|threads| (1..=MOST_THREADS as u16).contains(threads)).map(Self::Cpu)
            }
            (Some(provider), None) => Some(Self::Gpu(provider, 0)),
            (Some(provider), Some(number)) if provider.is_numbered() => {
                number.map(|number| Self::Gpu(provider, number.into()))
            }
            _ => None,
        };
        device.ok_or_else(|| {
            format!(
                "\"auto\", \"cpu\", \"cpu:N\" for 1 to {MOST_THREADS} threads, \"cuda:N\", \"tensorrt:N\" or \
                 \"directml:N\" for GPU number N, \"webgpu\" or \"coreml\""
            )
        })
    }
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
        for wrong in ["", "cpu:", "cpu:0", "cpu:65", "cuda:-1", "gpu", "webgpu:1", "coreml:0"] {
            assert!(parse(wrong).is_err_and(|error| error.contains("cpu:N")), "{wrong}");
        }
        assert_eq!([Device::Cpu(1), Device::Cpu(4)].map(|device| device.to_string()), ["CPU", "CPU, 4 threads"]);
        // What is shown can be asked for.
        for provider in Provider::ALL {
            let device = Device::Gpu(provider, if provider.is_numbered() { 3 } else { 0 });
            assert_eq!(parse(&device.to_string()), Ok(DeviceChoice::Only(device)));
        }
        assert_eq!(parse("cuda"), Ok(DeviceChoice::Only(Device::Gpu(Provider::Cuda, 0))));
    }
}
