//! The schemes, and which parts of them this platform supports.

/// The supported transports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// TCP over IPv4 and IPv6.
    Tcp,
    /// Local sockets (Unix domain).
    Ipc,
    /// Between the sockets of one context.
    Inproc,
}

impl Scheme {
    /// All schemes, in the order in which error texts list them.
    pub const ALL: [Scheme; 3] = [Scheme::Tcp, Scheme::Ipc, Scheme::Inproc];

    /// Returns the text before `://`. It is case-sensitive.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Tcp => "tcp",
            Scheme::Ipc => "ipc",
            Scheme::Inproc => "inproc",
        }
    }
}

/// Whether this platform has local sockets that can be polled.
pub(crate) const IPC_SUPPORTED: bool = cfg!(unix);

/// Whether a local socket may have a name outside the file system.
pub(crate) const IPC_ABSTRACT_SUPPORTED: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// The most bytes of a path or abstract name: `sun_path` without its NUL.
pub(crate) const IPC_PATH_LIMIT: usize =
    if cfg!(any(target_os = "linux", target_os = "android", windows)) { 107 } else { 103 };
