//! The version and the capabilities of the library.

use std::ffi::{c_char, c_int};

use crate::boundary::text;

/// Returns the version of libzmq that has this interface: 4.3.5.
///
/// # Safety
/// Each pointer is NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_version(major: *mut c_int, minor: *mut c_int, patch: *mut c_int) {
    for (place, number) in [(major, 4), (minor, 3), (patch, 5)] {
        if !place.is_null() {
            // SAFETY: the caller's promise.
            unsafe { place.write(number) };
        }
    }
}

/// Returns 1 if the library has this capability, else 0.
///
/// # Safety
/// `capability` is NULL or a string that ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_has(capability: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { text(capability) } {
        Ok("ipc") => cfg!(unix).into(),
        // Every draft function of 4.3.5 works. The draft transports WS and WSS have names of their own.
        Ok("curve" | "draft") => 1,
        _ => 0,
    }
}
