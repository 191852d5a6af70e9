//! ONNX Runtime of 1.29 and later tells Microsoft what it runs, under an identifier that it keeps on the machine, unless a
//! variable of the environment forbids it before it starts (its pull request 27379); the switch of its interface comes too late
//! for the first event. On Windows it has no such variable: there it writes to the system's own tracing, which that switch ends.

/// Forbids it, for this process and those that it starts.
const VARIABLE: &str = "ORT_DISABLE_TELEMETRY";

/// To be called before the library is loaded. What the user has set stays.
pub fn forbid_telemetry() {
    if std::env::var_os(VARIABLE).is_none() {
        set();
    }
}

/// macOS guards its environment by a lock; Windows has no use for it.
#[cfg(target_os = "macos")]
fn set() {
    // SAFETY: the system's functions for the environment lock each other out.
    unsafe { std::env::set_var(VARIABLE, "1") }
}

#[cfg(windows)]
fn set() {}

/// Elsewhere another thread of a host may read the environment at any time, and a changed one may be freed under it. So a copy
/// with the variable takes its place, and nothing is freed: not the old one, nor the copy when the plug-in is unloaded.
#[cfg(all(unix, not(target_os = "macos")))]
fn set() {
    use std::ffi::{CString, c_char};
    use std::ptr;
    use std::sync::atomic::{AtomicPtr, Ordering};

    unsafe extern "C" {
        static mut environ: *mut *mut c_char;
    }
    let Ok(entry) = CString::new(format!("{VARIABLE}=1")) else { return };
    // SAFETY: the variable is the C library's, a list of strings that a null pointer ends; it is read and replaced whole.
    unsafe {
        let place = AtomicPtr::from_ptr(&raw mut environ);
        let mut entries = Vec::new();
        let mut next = place.load(Ordering::Acquire);
        while !next.is_null() && !(*next).is_null() {
            entries.push(*next);
            next = next.add(1);
        }
        entries.extend([entry.into_raw(), ptr::null_mut()]);
        place.store(entries.leak().as_mut_ptr(), Ordering::Release);
    }
}
