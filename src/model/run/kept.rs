//! A value that is kept between runs, wherever it lies.

use crate::model::Device;
use crate::model::device::free;
use ort::value::DynValue;
use std::ops::Deref;

/// See the module.
pub struct Kept {
    /// Here until it is dropped.
    value: Option<DynValue>,
    device: Device,
}

impl Kept {
    /// A value on `device`.
    pub fn on(device: Device, value: DynValue) -> Self {
        Self { value: Some(value), device }
    }

    /// A value in the program's memory.
    pub fn here(value: DynValue) -> Self {
        Self::on(Device::default(), value)
    }
}

impl Deref for Kept {
    type Target = DynValue;

    fn deref(&self) -> &DynValue {
        self.value.as_ref().expect("it is taken when this is dropped")
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            free(value, self.device);
        }
    }
}
