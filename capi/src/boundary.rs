//! What every function does at its boundary: an error goes into `errno`, and a panic becomes `EFAULT`.

use std::ffi::{CStr, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// libzmq's own numbers start here (`ZMQ_HAUSNUMERO`).
const HAUSNUMERO: c_int = 156_384_712;
pub(crate) const EFSM: c_int = HAUSNUMERO + 51;
pub(crate) const ENOCOMPATPROTO: c_int = HAUSNUMERO + 52;
pub(crate) const ETERM: c_int = HAUSNUMERO + 53;
pub(crate) const EMTHREAD: c_int = HAUSNUMERO + 54;

/// The error of a call: a value for `errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Errno(pub(crate) c_int);

impl From<zeroxide::Error> for Errno {
    fn from(error: zeroxide::Error) -> Errno {
        Errno(error.errno())
    }
}

impl From<zeroxide::OptionError> for Errno {
    fn from(error: zeroxide::OptionError) -> Errno {
        zeroxide::Error::from(error).into()
    }
}

/// Calls `body`; where it fails, leaves the reason in `errno` and returns `failed`.
pub(crate) fn call<R>(failed: R, body: impl FnOnce() -> Result<R, Errno>) -> R {
    // What a panic leaves behind is protected by locks that ignore poisoning.
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(answer)) => answer,
        Ok(Err(Errno(number))) => {
            errno::set_errno(errno::Errno(number));
            failed
        }
        Err(_) => {
            // The panic hook has printed it.
            errno::set_errno(errno::Errno(libc::EFAULT));
            failed
        }
    }
}

/// Blocks all signals for the calling thread while it lives. Threads that are created meanwhile inherit that, so the library's own
/// threads do not take a signal that is to end a blocked call of the application (libzmq thread.cpp).
pub(crate) struct SignalsBlocked {
    #[cfg(unix)]
    before: libc::sigset_t,
}

impl SignalsBlocked {
    pub(crate) fn new() -> SignalsBlocked {
        #[cfg(unix)]
        {
            // SAFETY: plain data, filled in by the two calls before it is read.
            let (mut all, mut before) = unsafe { std::mem::zeroed::<(libc::sigset_t, libc::sigset_t)>() };
            // SAFETY: both point to sets of this frame.
            unsafe {
                libc::sigfillset(&mut all);
                libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
            }
            SignalsBlocked { before }
        }
        #[cfg(not(unix))]
        SignalsBlocked {}
    }
}

impl Drop for SignalsBlocked {
    fn drop(&mut self) {
        // SAFETY: the set that was in force before.
        #[cfg(unix)]
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut());
        }
    }
}

/// Returns a text of C as a `str`.
///
/// # Errors
/// Returns `EINVAL` for NULL and for text that is not UTF-8.
///
/// # Safety
/// `text` is NULL or points to a string that ends with NUL and lives as long as the result.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> Result<&'a str, Errno> {
    if text.is_null() {
        return Err(Errno(libc::EINVAL));
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }.to_str().map_err(|_| Errno(libc::EINVAL))
}

/// Returns bytes of C as a slice. If `len` is 0, `data` may be NULL.
///
/// # Errors
/// Returns `EFAULT` for NULL with a length, and for a length that no memory can have.
///
/// # Safety
/// `data` is NULL or points to `len` readable bytes that do not change and live as long as the result.
pub(crate) unsafe fn bytes<'a>(data: *const u8, len: usize) -> Result<&'a [u8], Errno> {
    match len {
        0 => Ok(&[]),
        _ if data.is_null() || isize::try_from(len).is_err() => Err(Errno(libc::EFAULT)),
        // SAFETY: the caller's promise.
        _ => Ok(unsafe { std::slice::from_raw_parts(data, len) }),
    }
}

/// Returns the calling thread's `errno`.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_errno() -> c_int {
    errno::errno().0
}

/// Returns the text of an error number: libzmq's for its own numbers, else the system's.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_strerror(errnum: c_int) -> *const c_char {
    let own = match errnum {
        EFSM => Some(c"Operation cannot be accomplished in current state"),
        ENOCOMPATPROTO => Some(c"The protocol is not compatible with the socket type"),
        ETERM => Some(c"Context was terminated"),
        EMTHREAD => Some(c"No thread available"),
        libc::EHOSTUNREACH => Some(c"Host unreachable"),
        _ => None,
    };
    match own {
        Some(text) => text.as_ptr(),
        // SAFETY: any number is allowed.
        None => unsafe { libc::strerror(errnum) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_efault() {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let answer = call(-1, || panic!("of a bug"));
        std::panic::set_hook(hook);
        assert_eq!((answer, zmq_errno()), (-1, libc::EFAULT));
    }

    #[test]
    fn an_error_stays_in_errno() {
        assert_eq!(call(-1, || Err(Errno(ETERM))), -1);
        assert_eq!(zmq_errno(), ETERM);
        // SAFETY: a static text.
        let text = unsafe { CStr::from_ptr(zmq_strerror(ETERM)) };
        assert_eq!(text, c"Context was terminated");
    }
}
