//! Z85 (RFC 32): bytes as printable text, five characters for four bytes. Keys of CURVE are written so.

use std::ffi::{CStr, c_char, c_int};
use std::ptr;

use crate::boundary::{Errno, bytes, call};

const ALPHABET: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

fn encode(data: &[u8]) -> Option<Vec<u8>> {
    if data.len() % 4 != 0 {
        return None;
    }
    let mut text = Vec::with_capacity(data.len() / 4 * 5);
    for chunk in data.chunks_exact(4) {
        let mut value = chunk.iter().fold(0u32, |value, byte| value << 8 | u32::from(*byte));
        let mut digits = [0; 5];
        for digit in digits.iter_mut().rev() {
            *digit = ALPHABET[(value % 85) as usize];
            value /= 85;
        }
        text.extend(digits);
    }
    Some(text)
}

fn decode(text: &[u8]) -> Option<Vec<u8>> {
    if text.len() < 5 || text.len() % 5 != 0 {
        return None;
    }
    let mut data = Vec::with_capacity(text.len() / 5 * 4);
    for chunk in text.chunks_exact(5) {
        let mut value = 0u32;
        for character in chunk {
            let digit = ALPHABET.iter().position(|known| known == character)?;
            value = value.checked_mul(85)?.checked_add(digit as u32)?;
        }
        data.extend(value.to_be_bytes());
    }
    Some(data)
}

/// Writes `size` bytes as text with a NUL to `dest`, which has room for `size * 5 / 4 + 1`. NULL and `EINVAL` unless
/// `size` is a multiple of four.
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
        let text = encode(unsafe { bytes(data, size) }?).ok_or(Errno(libc::EINVAL))?;
        // SAFETY: the caller's promise.
        unsafe {
            dest.cast::<u8>().copy_from_nonoverlapping(text.as_ptr(), text.len());
            dest.add(text.len()).write(0);
        }
        Ok(dest)
    })
}

/// Writes the bytes that a text stands for to `dest`, which has room for its length times 0.8. NULL and `EINVAL` for
/// what is no Z85.
///
/// # Safety
/// `string` is a string that ends with NUL, `dest` points to as many writable bytes as it stands for.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_z85_decode(dest: *mut u8, string: *const c_char) -> *mut u8 {
    call(ptr::null_mut(), || {
        if string.is_null() {
            return Err(Errno(libc::EINVAL));
        }
        // SAFETY: the caller's promise.
        let data = decode(unsafe { CStr::from_ptr(string) }.to_bytes()).ok_or(Errno(libc::EINVAL))?;
        // SAFETY: the caller's promise.
        unsafe { dest.copy_from_nonoverlapping(data.as_ptr(), data.len()) };
        Ok(dest)
    })
}

/// There is no CURVE yet: `ENOTSUP`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_curve_keypair(_z85_public_key: *mut c_char, _z85_secret_key: *mut c_char) -> c_int {
    call(-1, || Err(Errno(libc::ENOTSUP)))
}

/// There is no CURVE yet: `ENOTSUP`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_curve_public(_z85_public_key: *mut c_char, _z85_secret_key: *const c_char) -> c_int {
    call(-1, || Err(Errno(libc::ENOTSUP)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_32() {
        let data = [0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b];
        assert_eq!(encode(&data).unwrap(), b"HelloWorld");
        assert_eq!(decode(b"HelloWorld").unwrap(), data);
    }

    #[test]
    fn what_is_no_z85_is_refused() {
        assert_eq!(encode(&[1, 2, 3]), None);
        assert_eq!(decode(b"Hell"), None);
        assert_eq!(decode(b"#####"), None, "more than 32 bits");
        assert_eq!(decode(b"Hel o"), None);
        assert_eq!(decode("H\u{e9}ll".as_bytes()), None);
    }
}
