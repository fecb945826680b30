//! Z85 (RFC 32): bytes as printable text, five characters for four bytes. CURVE keys are written in it.

use std::ffi::{c_char, c_int};
use std::ptr;

use zeroxide::SecretKey;
use zeroxide::face::z85;

use crate::boundary::{Errno, bytes, call, text};

/// The length of a key in Z85, with its NUL.
const KEY: usize = 41;

/// Writes `size` bytes as text with a NUL to `dest`, which has room for `size * 5 / 4 + 1`. Returns NULL with `EINVAL` if `size` is not
/// a multiple of four.
///
/// # Safety
/// `data` points to `size` readable bytes, `dest` to as many writable ones as the text needs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_z85_encode(dest: *mut c_char, data: *const u8, size: usize) -> *mut c_char {
    call(ptr::null_mut(), || {
        if size % 4 != 0 {
            return Err(Errno(libc::EINVAL));
        }
        // SAFETY: the caller's promise.
        let text = z85::encode(unsafe { bytes(data, size) }?).map_err(|_| Errno(libc::EINVAL))?;
        // SAFETY: the caller's promise.
        unsafe {
            dest.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len());
            dest.add(text.len()).write(0);
        }
        Ok(dest)
    })
}

/// Writes the bytes that a text stands for to `dest`, which has room for its length times 0.8. Returns NULL with `EINVAL` if it is not
/// Z85.
///
/// # Safety
/// `string` is a string that ends with NUL, `dest` points to as many writable bytes as it stands for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_z85_decode(dest: *mut u8, string: *const c_char) -> *mut u8 {
    call(ptr::null_mut(), || {
        // SAFETY: the caller's promise.
        let text = unsafe { text(string) }?;
        let data = z85::decode(text).ok().filter(|_| !text.is_empty()).ok_or(Errno(libc::EINVAL))?;
        // SAFETY: the caller's promise.
        unsafe { dest.copy_from_nonoverlapping(data.as_ptr(), data.len()) };
        Ok(dest)
    })
}

/// Creates a key pair, and writes both keys in Z85 with a NUL, 41 bytes each.
///
/// # Safety
/// Both point to 41 writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_curve_keypair(
    z85_public_key: *mut c_char,
    z85_secret_key: *mut c_char,
) -> c_int {
    call(-1, || {
        let secret = zeroxide::generate_secret_key()?;
        // SAFETY: the caller's promise.
        unsafe {
            write_key(z85_public_key, secret.public().to_string().as_bytes())?;
            write_key(z85_secret_key, secret.expose_z85().expose())?;
        }
        Ok(0)
    })
}

/// Writes the public key of a secret key in Z85 with a NUL, 41 bytes. Fails with `EINVAL` if it is no key.
///
/// # Safety
/// `z85_public_key` points to 41 writable bytes, `z85_secret_key` is a string that ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_curve_public(
    z85_public_key: *mut c_char,
    z85_secret_key: *const c_char,
) -> c_int {
    call(-1, || {
        // SAFETY: the caller's promise.
        let secret: SecretKey = unsafe { text(z85_secret_key) }?.parse().map_err(|_| Errno(libc::EINVAL))?;
        // SAFETY: the caller's promise.
        unsafe { write_key(z85_public_key, secret.public().to_string().as_bytes())? };
        Ok(0)
    })
}

/// # Safety
/// `place` is NULL or points to 41 writable bytes.
unsafe fn write_key(place: *mut c_char, key: &[u8]) -> Result<(), Errno> {
    if place.is_null() || key.len() + 1 != KEY {
        return Err(Errno(libc::EINVAL));
    }
    // SAFETY: the caller's promise.
    unsafe {
        place.cast::<u8>().copy_from_nonoverlapping(key.as_ptr(), key.len());
        place.add(key.len()).write(0);
    }
    Ok(())
}
