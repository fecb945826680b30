//! The value of an option in memory of the caller.

use std::ffi::{c_int, c_void};

use zeroxide::face::{self, Raw};

use crate::boundary::Errno;

/// Copies a value to C and tells its size. What is left of a larger buffer becomes zero.
///
/// # Errors
/// `EINVAL` when the buffer has the wrong size; `EFAULT` when there is none.
///
/// # Safety
/// `optval` points to `*optvallen` writable bytes, `optvallen` to a `size_t`; or they are NULL.
pub(crate) unsafe fn give(
    value: &Raw,
    roomy: bool,
    optval: *mut c_void,
    optvallen: *mut usize,
) -> Result<c_int, Errno> {
    if optval.is_null() || optvallen.is_null() {
        return Err(Errno(libc::EFAULT));
    }
    // SAFETY: the caller's promise.
    let room = unsafe { *optvallen };
    let (int, int64, uint64, mut text);
    let (bytes, roomy): (&[u8], bool) = match value {
        Raw::Key(key) if room == key.len() => (&key[..], false),
        Raw::Key(key) => {
            text = face::z85::encode(&key[..]).unwrap_or_default().into_bytes();
            text.push(0);
            (&text, false)
        }
        Raw::Int(number) => {
            int = number.to_ne_bytes();
            (&int, roomy)
        }
        Raw::Int64(number) => {
            int64 = number.to_ne_bytes();
            (&int64, roomy)
        }
        Raw::Uint64(number) => {
            uint64 = number.to_ne_bytes();
            (&uint64, roomy)
        }
        Raw::Bytes(bytes) => (bytes, true),
        Raw::Text(bytes) => {
            text = bytes.clone();
            text.push(0);
            (&text, true)
        }
    };
    if room < bytes.len() || (!roomy && room != bytes.len()) {
        return Err(Errno(libc::EINVAL));
    }
    // SAFETY: the caller's promise, and there is room.
    unsafe {
        let optval = optval.cast::<u8>();
        optval.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        optval.add(bytes.len()).write_bytes(0, room - bytes.len());
        *optvallen = bytes.len();
    }
    Ok(0)
}
