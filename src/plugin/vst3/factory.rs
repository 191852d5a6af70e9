//! What a host loads the module by: the entry points of each system, and the factory of the one class in it.

use super::{Processor, VrvqPlugin};
use nice_plug::wrapper::setup_logger;
use nice_plug::wrapper::vst3::{PluginInfo, vst3};
use std::ffi::c_void;
use vst3::Steinberg::{
    FIDString, FUnknown, IPluginFactory, IPluginFactory2, IPluginFactory2Trait, IPluginFactory3, IPluginFactory3Trait,
    IPluginFactoryTrait, PClassInfo, PClassInfo2, PClassInfoW, PFactoryInfo, TUID, int32, kInvalidArgument,
    kNotImplemented, kResultOk, tresult,
};
use vst3::{Class, ComWrapper};

struct Factory {
    info: PluginInfo,
}

impl Class for Factory {
    type Interfaces = (IPluginFactory, IPluginFactory2, IPluginFactory3);
}

/// Writes `value` to where the host wants it.
///
/// # Safety
/// `to` is null or room for it.
unsafe fn tell<T>(value: T, to: *mut T) -> tresult {
    if to.is_null() {
        return kInvalidArgument;
    }
    // SAFETY: the caller's promise.
    unsafe { to.write(value) };
    kResultOk
}

impl Factory {
    /// The same of the class at `index`.
    ///
    /// # Safety
    /// That of [`tell`].
    unsafe fn tell_class<T>(&self, index: int32, describe: impl Fn(&PluginInfo) -> T, to: *mut T) -> tresult {
        match index {
            // SAFETY: the caller's promise.
            0 => unsafe { tell(describe(&self.info), to) },
            _ => kInvalidArgument,
        }
    }
}

impl IPluginFactoryTrait for Factory {
    unsafe fn getFactoryInfo(&self, info: *mut PFactoryInfo) -> tresult {
        // SAFETY: the interface's promise.
        unsafe { tell(self.info.create_factory_info(), info) }
    }

    unsafe fn countClasses(&self) -> int32 {
        1
    }

    unsafe fn getClassInfo(&self, index: int32, info: *mut PClassInfo) -> tresult {
        // SAFETY: the interface's promise.
        unsafe { self.tell_class(index, PluginInfo::create_class_info, info) }
    }

    unsafe fn createInstance(&self, class: FIDString, interface: FIDString, object: *mut *mut c_void) -> tresult {
        if class.is_null() || interface.is_null() || object.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: both are identifiers of 16 bytes, by the interface.
        if unsafe { class.cast::<[u8; 16]>().read_unaligned() } != *self.info.cid {
            return kInvalidArgument;
        }
        let Some(processor) = ComWrapper::new(Processor::new()).to_com_ptr::<FUnknown>() else {
            return kNotImplemented;
        };
        let unknown = processor.as_ptr();
        // SAFETY: a living object, whose references the host counts from here on.
        unsafe { ((*(*unknown).vtbl).queryInterface)(unknown, interface.cast::<TUID>(), object) }
    }
}

impl IPluginFactory2Trait for Factory {
    unsafe fn getClassInfo2(&self, index: int32, info: *mut PClassInfo2) -> tresult {
        // SAFETY: the interface's promise.
        unsafe { self.tell_class(index, PluginInfo::create_class_info_2, info) }
    }
}

impl IPluginFactory3Trait for Factory {
    unsafe fn getClassInfoUnicode(&self, index: int32, info: *mut PClassInfoW) -> tresult {
        // SAFETY: the interface's promise.
        unsafe { self.tell_class(index, PluginInfo::create_class_info_unicode, info) }
    }

    unsafe fn setHostContext(&self, _context: *mut FUnknown) -> tresult {
        kResultOk
    }
}

/// The module's factory, one reference of which is the host's.
#[unsafe(no_mangle)]
pub extern "system" fn GetPluginFactory() -> *mut c_void {
    let factory = ComWrapper::new(Factory { info: PluginInfo::for_plugin::<VrvqPlugin>() });
    factory.to_com_ptr::<IPluginFactory>().map_or(std::ptr::null_mut(), |factory| factory.into_raw().cast())
}

/// A host has loaded the module.
fn enter() -> bool {
    setup_logger::<VrvqPlugin>();
    true
}

/// Called after loading, on Linux.
#[cfg(all(unix, not(target_os = "macos")))]
#[unsafe(no_mangle)]
pub extern "C" fn ModuleEntry(_module: *mut c_void) -> bool {
    enter()
}

/// Called before unloading, on Linux.
#[cfg(all(unix, not(target_os = "macos")))]
#[unsafe(no_mangle)]
pub extern "C" fn ModuleExit() -> bool {
    true
}

/// Called after loading, on macOS.
#[cfg(target_os = "macos")]
#[unsafe(no_mangle)]
pub extern "C" fn bundleEntry(_bundle: *mut c_void) -> bool {
    enter()
}

/// Called before unloading, on macOS.
#[cfg(target_os = "macos")]
#[unsafe(no_mangle)]
pub extern "C" fn bundleExit() -> bool {
    true
}

/// Called after loading, on Windows.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "system" fn InitDll() -> bool {
    enter()
}

/// Called before unloading, on Windows.
#[cfg(windows)]
#[unsafe(no_mangle)]
pub extern "system" fn ExitDll() -> bool {
    true
}
