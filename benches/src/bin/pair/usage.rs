//! Processor time and context switches of this process.

use std::time::Duration;

/// What this process has used since it began.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Processor time in its own code.
    pub(crate) user: Duration,
    /// Processor time in the kernel on its behalf.
    pub(crate) system: Duration,
    /// Times that a thread of it went to sleep.
    pub(crate) sleeps: u64,
}

impl Usage {
    /// Until now.
    pub(crate) fn now() -> Usage {
        // SAFETY: an rusage is plain integers, for which zeros are a value.
        let mut raw: libc::rusage = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is valid for one rusage.
        let code = unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut raw) };
        assert_eq!(code, 0, "getrusage");
        let time =
            |t: libc::timeval| Duration::from_secs(t.tv_sec as u64) + Duration::from_micros(t.tv_usec as u64);
        Usage { user: time(raw.ru_utime), system: time(raw.ru_stime), sleeps: raw.ru_nvcsw as u64 }
    }

    pub(crate) fn since(self, before: Usage) -> Usage {
        Usage {
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
            sleeps: self.sleeps.saturating_sub(before.sleeps),
        }
    }
}
