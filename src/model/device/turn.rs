//! Whose turn it is on a device that threads can't share.
//!
//! All sessions of ONNX Runtime's WebGPU provider record their commands in one place, without a lock: two that run at the
//! same time end the process (its issue 32561). So whatever touches such a device waits for its turn there.

use super::{Device, Provider};
use ort::value::DynValue;
use std::sync::{Mutex, MutexGuard, PoisonError};

static TURN: Mutex<()> = Mutex::new(());
/// Values on such a device that nobody needs any more: to free them is a touch too, and not worth a wait.
static LEFT: Mutex<Vec<DynValue>> = Mutex::new(Vec::new());

fn takes_turns(device: Device) -> bool {
    matches!(device, Device::Gpu(Provider::WebGpu, _))
}

/// The right to use `device` until it is dropped; waits for it, but on devices that threads share. Whoever has it must
/// not ask for it again.
#[must_use]
pub(in crate::model) struct Turn(Option<MutexGuard<'static, ()>>);

impl Turn {
    pub fn on(device: Device) -> Self {
        let turn = Self(takes_turns(device).then(|| TURN.lock().unwrap_or_else(PoisonError::into_inner)));
        if turn.0.is_some() {
            left().clear();
        }
        turn
    }
}

fn left() -> MutexGuard<'static, Vec<DynValue>> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A value that lies on `device`, to be freed as the device wants it.
pub(in crate::model) fn free(value: DynValue, device: Device) {
    if takes_turns(device) {
        left().push(value);
    }
}
