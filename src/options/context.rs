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
    /// `None` for the default.
    spin: Option<Duration>,
}

/// The default of [`ContextOptions::spin`].
const SPIN: Duration = Duration::from_micros(200);
/// The largest value of [`ContextOptions::spin`].
const LONGEST_SPIN: Duration = Duration::from_millis(1);
/// The environment variable with another default for [`ContextOptions::spin`], in microseconds.
const SPIN_VARIABLE: &str = "ZEROXIDE_SPIN_US";

/// The most I/O threads. More would only compete for the processors.
const MAX_IO_THREADS: u32 = 1024;
/// The most sockets: libzmq's limit with epoll.
const MAX_SOCKETS: u32 = 65_535;
/// The longest name prefix: Linux keeps 15 bytes of a thread's name.
const MAX_THREAD_NAME: usize = 15;

impl ContextOptions {
    /// Creates the default options: 1 I/O thread, 1023 sockets, no IPv6, a linger of 1 s.
    #[must_use]
    pub fn new() -> ContextOptions {
        ContextOptions {
            io_threads: 1,
            max_sockets: 1023,
            ipv6: false,
            thread_name: "zeroxide".to_owned(),
            linger: Some(Duration::from_secs(1)),
            spin: None,
        }
    }

    /// Sets the number of I/O threads, 0 to 1024. With 0 only inproc works (libzmq `ZMQ_IO_THREADS`).
    #[must_use]
    pub fn io_threads(self, n: u32) -> ContextOptions {
        ContextOptions { io_threads: n, ..self }
    }

    /// Sets how many sockets may be open at the same time, 1 to 65535 (libzmq `ZMQ_MAX_SOCKETS`).
    #[must_use]
    pub fn max_sockets(self, n: u32) -> ContextOptions {
        ContextOptions { max_sockets: n, ..self }
    }

    /// Sets the default of the option IPV6 for new sockets (libzmq `ZMQ_IPV6`).
    #[must_use]
    pub fn ipv6(self, on: bool) -> ContextOptions {
        ContextOptions { ipv6: on, ..self }
    }

    /// Sets how the names of the context's threads begin: 1 to 15 bytes without NUL. Some systems show only the first 15
    /// bytes of a name (libzmq `ZMQ_THREAD_NAME_PREFIX`).
    #[must_use]
    pub fn thread_name(self, prefix: impl Into<String>) -> ContextOptions {
        ContextOptions { thread_name: prefix.into(), ..self }
    }

    /// Sets how long the drop of the last handle of the context waits at most. It waits for unsent messages, for each socket at
    /// most its LINGER, and for peers to read the last messages. With `None` only LINGER limits the wait for unsent messages.
    /// The default is 1 s.
    #[must_use]
    pub fn linger(self, linger: Option<Duration>) -> ContextOptions {
        ContextOptions { linger, ..self }
    }

    /// Sets for how long at most a thread that waits for input reads the connections of its socket itself before it
    /// sleeps: 0 to 1 ms. Input that comes within this time wakes no thread, so a round trip between two processes of
    /// one machine takes about a tenth of the time. The thread yields the processor after each read.
    ///
    /// The actual time is three times what waking a thread takes on this machine, but at least a few tens of
    /// microseconds. A thread sleeps at once if recent input came later than that on average, so a program that mostly
    /// waits spends nothing on it. A program that gets messages at shorter intervals keeps a processor busy, unless
    /// other threads need it. With 0 every wait sleeps at once.
    ///
    /// The default is 200 µs, or the value of the environment variable `ZEROXIDE_SPIN_US` when the context is created.
    /// The variable is for programs that cannot be changed.
    #[must_use]
    pub fn spin(self, spin: Duration) -> ContextOptions {
        ContextOptions { spin: Some(spin), ..self }
    }

    /// Returns the value of [`ContextOptions::spin`], or the default.
    pub(crate) fn spin_or_default(&self) -> Duration {
        let from_environment = || {
            let text = std::env::var(SPIN_VARIABLE).ok()?;
            text.parse().ok().map(|us| Duration::from_micros(us).min(LONGEST_SPIN))
        };
        self.spin.or_else(from_environment).unwrap_or(SPIN)
    }

    /// Checks that every value is valid.
    ///
    /// # Errors
    /// Returns [`OptionError::OutOfRange`] for the first invalid value.
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
        if let Some(spin) = self.spin.filter(|spin| *spin > LONGEST_SPIN) {
            return wrong("spin", show_duration(spin), format!("0..{}", show_duration(LONGEST_SPIN)));
        }
        match self.linger {
            Some(linger) if linger > LONGEST => {
                wrong("linger", show_duration(linger), format!("0..{}", show_duration(LONGEST)))
            }
            _ => Ok(()),
        }
    }
}

/// The longest linger: what a C `int` can hold in milliseconds.
const LONGEST: Duration = Duration::from_millis(i32::MAX as u64);

impl Default for ContextOptions {
    fn default() -> ContextOptions {
        ContextOptions::new()
    }
}
