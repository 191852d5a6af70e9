//! ONNX Runtime's interface, which the built-in runtime has too, mended for `ort`.
//!
//! For each value that a run gives back, and each that an operator asks for, `ort` (2.0.0-rc.14, `Value::from_ptr` and its like)
//! asks for the value's type, which the runtime makes anew, looks at nothing of it where the value is a tensor, and never
//! releases it. `vrvq bench --live` so grew by 80 KB a hop, most of it gaps between what stayed. Therefore `ort` is given
//! the runtime's functions with one in place of that: it answers for all tensors with the type of the first.

use ort::sys::{ORT_API_VERSION, OrtApi, OrtApiBase, OrtStatusPtr, OrtTypeInfo, OrtValue};
use std::path::Path;
use std::ptr;
use std::sync::OnceLock;

/// The runtime's own functions.
static OWN: OnceLock<OrtApi> = OnceLock::new();

/// A type that is never released.
struct Forever(*mut OrtTypeInfo);

// SAFETY: nobody reads or writes it.
unsafe impl Send for Forever {}
unsafe impl Sync for Forever {}

/// The functions of the library at `path`, which `ort` has loaded already.
///
/// # Errors
/// What is wrong with the library.
pub(super) fn of_library(path: &Path) -> Result<OrtApi, String> {
    // SAFETY: it is loaded already; this is another handle of it.
    let library = unsafe { libloading::Library::new(path) }.map_err(|error| error.to_string())?;
    // SAFETY: the function's type is that of ONNX Runtime's documentation, in all versions.
    let api = unsafe {
        let base = library.get::<unsafe extern "C" fn() -> *const OrtApiBase>(b"OrtGetApiBase");
        let base = base.map_err(|error| error.to_string())?();
        base.as_ref().and_then(|base| (base.GetApi)(ORT_API_VERSION).as_ref())
    };
    let api = api.cloned().ok_or("it has no interface of the version that is needed")?;
    // `ort` never lets go of its own either.
    std::mem::forget(library);
    Ok(api)
}

/// Gives `ort` the functions of a runtime, mended.
///
/// # Errors
/// Where it has some already.
pub(super) fn provide(own: OrtApi) -> Result<(), String> {
    let mended = OrtApi { GetTypeInfo: type_of, ..OWN.get_or_init(|| own).clone() };
    if ort::set_api(mended) { Ok(()) } else { Err("another runtime was half started in this process".into()) }
}

/// In place of the runtime's `GetTypeInfo`.
unsafe extern "system" fn type_of(value: *const OrtValue, to: *mut *mut OrtTypeInfo) -> OrtStatusPtr {
    static OF_TENSORS: OnceLock<Forever> = OnceLock::new();
    let own = OWN.get().expect("it is set before this is given away");
    let mut is_tensor = 0;
    // SAFETY: as the caller's own call of these would be.
    unsafe {
        let status = (own.IsTensor)(value, &mut is_tensor);
        if !status.0.is_null() {
            return status;
        }
        if is_tensor == 0 {
            return (own.GetTypeInfo)(value, to);
        }
        if let Some(Forever(known)) = OF_TENSORS.get() {
            *to = *known;
            return OrtStatusPtr(ptr::null_mut());
        }
        let status = (own.GetTypeInfo)(value, to);
        if status.0.is_null() {
            // Of two at once one is lost.
            let _ = OF_TENSORS.set(Forever(*to));
        }
        status
    }
}
