//! What a session is about: which sockets, how they meet, and who disturbs them.

use zeroxide::SocketType;

use crate::actor::Extra;

/// What a session is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    pub(crate) binder: SocketType,
    pub(crate) connecter: SocketType,
    pub(crate) scheme: &'static str,
    pub(crate) mechanism: u8,
    /// Two clients want the one place, or the one routing id.
    pub(crate) rivals: bool,
    /// Nothing is lost, so that a REQ need not ask twice.
    pub(crate) strict: bool,
    /// ROUTERs name the peer at each endpoint, whoever it is.
    pub(crate) names_peers: bool,
    pub(crate) extra: Extra,
    /// A newcomer takes over the routing id of the peer that has it (ROUTER_HANDOVER).
    pub(crate) handover: bool,
    /// Peers take over all the time, unread, and nobody disturbs them.
    pub(crate) takeover: bool,
    /// Hostile peers that dial, and whether one listens.
    pub(crate) hostiles: usize,
    pub(crate) trap: bool,
    pub(crate) faults: bool,
    /// Applications have tasks, too.
    pub(crate) tasks: bool,
    /// Others go on while a call has the lock of its socket.
    pub(crate) holds: bool,
}

impl Scene {
    /// Whether nothing is cut, and nobody is hostile.
    pub(crate) fn has_no_enemies(self) -> bool {
        self.hostiles == 0 && !self.trap && !self.faults
    }
}
