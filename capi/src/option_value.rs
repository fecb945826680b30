//! Copying the value of an option into memory of the caller.

use std::ffi::{c_int, c_void};

use zeroxide::face;

use crate::boundary::Errno;

/// The value of an option in C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CValue {
    /// `int`.
    Int(i32),
    /// `int64_t`.
    Int64(i64),
    /// `uint64_t`.
    Uint64(u64),
    /// Bytes with a length.
    Bytes(Vec<u8>),
    /// Text; C adds a NUL.
    Text(Vec<u8>),
    /// A key of CURVE: 32 bytes, or Z85 with a NUL, depending on the size of the buffer.
    Key(Box<[u8; 32]>),
}

/// Copies a value to memory of the caller, and sets its size. The rest of a larger buffer becomes zero.
///
/// # Errors
/// Returns `EINVAL` if the buffer has the wrong size, and `EFAULT` if there is none.
///
/// # Safety
/// `optval` points to `*optvallen` writable bytes, `optvallen` to a `size_t`; or they are NULL.
pub(crate) unsafe fn give(
    value: &CValue,
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
        CValue::Key(key) if room == key.len() => (&key[..], false),
        CValue::Key(key) => {
            text = face::z85::encode(&key[..]).unwrap_or_default().into_bytes();
            text.push(0);
            (&text, false)
        }
        CValue::Int(number) => {
            int = number.to_ne_bytes();
            (&int, roomy)
        }
        CValue::Int64(number) => {
            int64 = number.to_ne_bytes();
            (&int64, roomy)
        }
        CValue::Uint64(number) => {
            uint64 = number.to_ne_bytes();
            (&uint64, roomy)
        }
        CValue::Bytes(bytes) => (bytes, true),
        CValue::Text(bytes) => {
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
