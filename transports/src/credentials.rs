//! The peer of a local socket, as the system reports it.

/// The process at the other end of a local socket at the time when it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// The process, by its number in this process' pid namespace.
    pub pid: i32,
}
