//! A Vulkan driver that hands every call on to the driver that `VRVQ_GPU_DRIVER` names, until the file that
//! `VRVQ_GPU_GONE` names is there: from then on the GPU is lost, as one that was unplugged or whose driver was reset.
//!
//! Only the calls in which a driver tells of a loss are its own (Vulkan 1.3, section 5.2.3, "Lost Device").

use libloading::Library;
use std::ffi::{CStr, c_char, c_void};
use std::path::PathBuf;
use std::sync::OnceLock;

type Handle = *mut c_void;
type Function = unsafe extern "system" fn();
type GetProcAddr = unsafe extern "system" fn(Handle, *const c_char) -> Option<Function>;
type QueueSubmit = unsafe extern "system" fn(Handle, u32, *const c_void, u64) -> i32;
type GetFenceStatus = unsafe extern "system" fn(Handle, u64) -> i32;
type WaitForFences = unsafe extern "system" fn(Handle, u32, *const u64, u32, u64) -> i32;

const ERROR_INITIALIZATION_FAILED: i32 = -3;
const ERROR_DEVICE_LOST: i32 = -4;

static GET_DEVICE_PROC_ADDR: OnceLock<GetProcAddr> = OnceLock::new();
static QUEUE_SUBMIT: OnceLock<QueueSubmit> = OnceLock::new();
static GET_FENCE_STATUS: OnceLock<GetFenceStatus> = OnceLock::new();
static WAIT_FOR_FENCES: OnceLock<WaitForFences> = OnceLock::new();

/// The other driver, for as long as the process lives.
fn driver() -> Option<&'static Library> {
    static DRIVER: OnceLock<Option<Library>> = OnceLock::new();
    let open = || {
        let path = std::env::var_os("VRVQ_GPU_DRIVER")?;
        // SAFETY: whoever names a driver wants its code to run.
        unsafe { Library::new(path) }.ok()
    };
    DRIVER.get_or_init(open).as_ref()
}

fn is_gone() -> bool {
    static FILE: OnceLock<Option<PathBuf>> = OnceLock::new();
    let file = FILE.get_or_init(|| std::env::var_os("VRVQ_GPU_GONE").map(PathBuf::from));
    file.as_ref().is_some_and(|file| file.exists())
}

/// The other driver's entry point of this name.
///
/// # Safety
/// `T` is the function's type.
unsafe fn entry<T: Copy>(name: &str) -> Option<T> {
    unsafe { driver()?.get::<T>(name).ok().map(|symbol| *symbol) }
}

/// # Safety
/// As Vulkan's loader calls it.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn vk_icdNegotiateLoaderICDInterfaceVersion(version: *mut u32) -> i32 {
    type Negotiate = unsafe extern "system" fn(*mut u32) -> i32;
    match unsafe { entry::<Negotiate>("vk_icdNegotiateLoaderICDInterfaceVersion") } {
        Some(negotiate) => unsafe { negotiate(version) },
        None => ERROR_INITIALIZATION_FAILED,
    }
}

/// # Safety
/// As Vulkan's loader calls it.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn vk_icdGetPhysicalDeviceProcAddr(
    instance: Handle,
    name: *const c_char,
) -> Option<Function> {
    unsafe { entry::<GetProcAddr>("vk_icdGetPhysicalDeviceProcAddr")?(instance, name) }
}

/// # Safety
/// As Vulkan's loader calls it.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn vk_icdGetInstanceProcAddr(instance: Handle, name: *const c_char) -> Option<Function> {
    unsafe {
        let found = entry::<GetProcAddr>("vk_icdGetInstanceProcAddr")?(instance, name)?;
        if CStr::from_ptr(name) == c"vkGetDeviceProcAddr" {
            GET_DEVICE_PROC_ADDR.get_or_init(|| std::mem::transmute::<Function, GetProcAddr>(found));
            return Some(std::mem::transmute::<GetProcAddr, Function>(get_device_proc_addr));
        }
        Some(own(name, found))
    }
}

unsafe extern "system" fn get_device_proc_addr(device: Handle, name: *const c_char) -> Option<Function> {
    unsafe { Some(own(name, GET_DEVICE_PROC_ADDR.get()?(device, name)?)) }
}

/// What stands for the other driver's function `found` of this name.
unsafe fn own(name: *const c_char, found: Function) -> Function {
    unsafe {
        match CStr::from_ptr(name).to_bytes() {
            b"vkQueueSubmit" => {
                QUEUE_SUBMIT.get_or_init(|| std::mem::transmute::<Function, QueueSubmit>(found));
                std::mem::transmute::<QueueSubmit, Function>(queue_submit)
            }
            b"vkGetFenceStatus" => {
                GET_FENCE_STATUS.get_or_init(|| std::mem::transmute::<Function, GetFenceStatus>(found));
                std::mem::transmute::<GetFenceStatus, Function>(get_fence_status)
            }
            b"vkWaitForFences" => {
                WAIT_FOR_FENCES.get_or_init(|| std::mem::transmute::<Function, WaitForFences>(found));
                std::mem::transmute::<WaitForFences, Function>(wait_for_fences)
            }
            _ => found,
        }
    }
}

unsafe extern "system" fn queue_submit(queue: Handle, count: u32, submits: *const c_void, fence: u64) -> i32 {
    match QUEUE_SUBMIT.get() {
        Some(submit) if !is_gone() => unsafe { submit(queue, count, submits, fence) },
        _ => ERROR_DEVICE_LOST,
    }
}

unsafe extern "system" fn get_fence_status(device: Handle, fence: u64) -> i32 {
    match GET_FENCE_STATUS.get() {
        Some(status) if !is_gone() => unsafe { status(device, fence) },
        _ => ERROR_DEVICE_LOST,
    }
}

unsafe extern "system" fn wait_for_fences(device: Handle, count: u32, fences: *const u64, all: u32, time: u64) -> i32 {
    match WAIT_FOR_FENCES.get() {
        Some(wait) if !is_gone() => unsafe { wait(device, count, fences, all, time) },
        _ => ERROR_DEVICE_LOST,
    }
}
