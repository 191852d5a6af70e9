//! `bcryptprimitives.dll` for Wine before 9, which lacks it: the one function that Rust's standard library takes from it. Without the
//! standard library itself, which would ask for it again.

#![no_std]
#![allow(non_snake_case)]

use core::ffi::c_void;

#[link(name = "advapi32")]
unsafe extern "system" {
    /// `RtlGenRandom`.
    fn SystemFunction036(buffer: *mut c_void, length: u32) -> u8;
}

/// Fills `length` bytes at `buffer` with random ones; 1, as there is no failure.
///
/// # Safety
/// The bytes must be the caller's to write.
#[unsafe(no_mangle)]
pub unsafe extern "system" fn ProcessPrng(buffer: *mut c_void, length: usize) -> i32 {
    // SAFETY: the caller's promise.
    i32::from(unsafe { SystemFunction036(buffer, length as u32) } != 0)
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    loop {}
}
