//! Which device a model is given.

use super::Device;
use super::probe::{fast_gpu, probe};
use crate::model::{ModelError, runtime};
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// Weights up to which a model runs on the processor by itself: one core has time for it.
const SMALL_MODEL: u64 = 10_000_000;

/// What a user chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// One thread of the processor for small models; for others a GPU that is faster than the processor, or else most
    /// of the processor.
    #[default]
    Auto,
    Only(Device),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("auto") { Ok(Self::Auto) } else { text.parse().map(Self::Only) }
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
pub(in crate::model) fn device_for(parameters: u64) -> Device {
    match device_choice() {
        DeviceChoice::Only(device) if device.is_cpu() || !FAILED.load(Relaxed) => device,
        _ if parameters <= SMALL_MODEL => Device::default(),
        DeviceChoice::Auto if !FAILED.load(Relaxed) => fast_gpu().unwrap_or_else(large_on_cpu),
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

/// GPUs aren't used any more, since one has failed.
#[cfg(feature = "live")]
pub(crate) fn give_up_gpus() {
    FAILED.store(true, Relaxed);
}
