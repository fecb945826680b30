//! Options of a context.

use std::time::Duration;

use super::error::OptionError;
use super::kind::show_duration;

/// Options of a [`Context`](crate::Context).
///
/// ```
/// use zeroxide::ContextOptions;
///
/// let options = ContextOptions::new().io_threads(2).ipv6(true);
/// assert!(options.check().is_ok());
/// assert!(options.max_sockets(0).check().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextOptions {
    pub(crate) io_threads: u32,
    pub(crate) max_sockets: u32,
    pub(crate) ipv6: bool,
    pub(crate) thread_name: String,
    pub(crate) linger: Option<Duration>,
}

/// More would only share the work of as many processors.
const MAX_IO_THREADS: u32 = 1024;
/// libzmq's limit where it uses epoll.
const MAX_SOCKETS: u32 = 65_535;
/// Linux keeps 15 characters of a thread's name.
const MAX_THREAD_NAME: usize = 15;

impl ContextOptions {
    /// Returns the defaults: 1 I/O thread, 1023 sockets, no IPv6, a linger of 1 s.
    #[must_use]
    pub fn new() -> ContextOptions {
        ContextOptions {
            io_threads: 1,
            max_sockets: 1023,
            ipv6: false,
            thread_name: "zeroxide".to_owned(),
            linger: Some(Duration::from_secs(1)),
        }
    }

    /// How many threads move bytes, 0 to 1024; 0 leaves inproc alone (libzmq `ZMQ_IO_THREADS`).
    #[must_use]
    pub fn io_threads(self, n: u32) -> ContextOptions {
        ContextOptions { io_threads: n, ..self }
    }

    /// How many sockets may be open at once, 1 to 65535 (libzmq `ZMQ_MAX_SOCKETS`).
    #[must_use]
    pub fn max_sockets(self, n: u32) -> ContextOptions {
        ContextOptions { max_sockets: n, ..self }
    }

    /// Whether new sockets speak IPv6 too, unless their options say otherwise (libzmq `ZMQ_IPV6`).
    #[must_use]
    pub fn ipv6(self, on: bool) -> ContextOptions {
        ContextOptions { ipv6: on, ..self }
    }

    /// How the names of the context's threads begin, 1 to 15 bytes without NUL; some systems show only the first
    /// 15 bytes of the whole (libzmq `ZMQ_THREAD_NAME_PREFIX`).
    #[must_use]
    pub fn thread_name(self, prefix: impl Into<String>) -> ContextOptions {
        ContextOptions { thread_name: prefix.into(), ..self }
    }

    /// The longest time for which dropping the last handle of the context waits: for unsent messages, each socket for its LINGER at
    /// most, and for peers that read what was sent last. `None` leaves the first to each socket's LINGER alone. 1 s by default.
    #[must_use]
    pub fn linger(self, linger: Option<Duration>) -> ContextOptions {
        ContextOptions { linger, ..self }
    }

    /// Whether every value is valid.
    ///
    /// # Errors
    /// Returns [`OptionError::OutOfRange`] for the first that is not.
    pub fn check(&self) -> Result<(), OptionError> {
        let wrong =
            |option, value: String, allowed: String| Err(OptionError::OutOfRange { option, value, allowed });
        if self.io_threads > MAX_IO_THREADS {
            return wrong("IO_THREADS", self.io_threads.to_string(), format!("0..{MAX_IO_THREADS}"));
        }
        if !(1..=MAX_SOCKETS).contains(&self.max_sockets) {
            return wrong("MAX_SOCKETS", self.max_sockets.to_string(), format!("1..{MAX_SOCKETS}"));
        }
        let name = &self.thread_name;
        if !(1..=MAX_THREAD_NAME).contains(&name.len()) || name.contains('\0') {
            let allowed = format!("1..{MAX_THREAD_NAME} bytes, no NUL");
            return wrong("THREAD_NAME_PREFIX", format!("{name:?}"), allowed);
        }
        match self.linger {
            Some(linger) if linger > LONGEST => {
                wrong("linger", show_duration(linger), format!("0..{}", show_duration(LONGEST)))
            }
            _ => Ok(()),
        }
    }
}

/// What libzmq's milliseconds in an `int` can hold; longer ones overflow a clock before they end.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

impl Default for ContextOptions {
    fn default() -> ContextOptions {
        ContextOptions::new()
    }
}
