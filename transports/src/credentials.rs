//! Who the system says is at the other end of a local socket.

/// The process at the other end of a local socket, when it connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// User.
    pub uid: u32,
    /// Primary group.
    pub gid: u32,
    /// Process, as this process' pid namespace numbers it.
    pub pid: i32,
}
