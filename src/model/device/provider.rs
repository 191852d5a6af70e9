//! ONNX Runtime's options for a device.

use super::{Device, Provider};
use ort::ep::{CUDA, CoreML, DirectML, ExecutionProviderDispatch, TensorRT, WebGPU};
use ort::memory::{AllocationDevice, AllocatorType, MemoryInfo, MemoryType};
use ort::session::builder::SessionBuilder;

/// Options of a session on `device`; an error where the runtime has no such device.
pub(in crate::model) fn place(builder: SessionBuilder, device: Device) -> ort::Result<SessionBuilder> {
    let Device::Gpu(provider, number) = device else { return Ok(builder) };
    let number = i32::try_from(number).unwrap_or(i32::MAX);
    // By default CUDA rounds the factors of products to 10 bits (TF32), which moves codes and samples.
    let cuda = || CUDA::default().with_device_id(number).with_tf32(false).build();
    // What TensorRT leaves is CUDA's.
    let providers: Vec<ExecutionProviderDispatch> = match provider {
        Provider::Cuda => vec![cuda()],
        Provider::TensorRt => {
            vec![TensorRT::default().with_device_id(number).build().error_on_failure(), cuda()]
        }
        Provider::DirectMl => vec![DirectML::default().with_device_id(number).build()],
        Provider::WebGpu => vec![WebGPU::default().build()],
        Provider::CoreMl => vec![CoreML::default().build()],
    };
    let providers: Vec<_> = providers.into_iter().map(ExecutionProviderDispatch::error_on_failure).collect();
    // Which node really runs where: see `assignment`.
    let builder = builder.with_config_entry("session.record_ep_graph_assignment_info", "1")?;
    Ok(builder.with_execution_providers(providers)?)
}

/// The memory in which a stream's state stays between runs on `device`; `None` where it is the program's own, or where the
/// provider takes no such values.
pub(in crate::model) fn kept_on(device: Device) -> Option<MemoryInfo<'static>> {
    let (place, number) = match device {
        Device::Gpu(Provider::Cuda | Provider::TensorRt, number) => {
            (AllocationDevice::CUDA, i32::try_from(number).ok()?)
        }
        Device::Gpu(Provider::WebGpu, _) => (AllocationDevice::WEBGPU_BUFFER, 0),
        Device::Cpu(_) | Device::Gpu(Provider::DirectMl | Provider::CoreMl, _) => return None,
    };
    MemoryInfo::new(place, number, AllocatorType::Device, MemoryType::Default).ok()
}
