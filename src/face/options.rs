//! The options of a socket for the C library, which allows some values that this library refuses.
//!
//! The options themselves are in the one table ([`crate::opt`]). The C library converts between bytes and values.

use zeroxide_patterns::Pattern;

use crate::error::{Error, Result};
#[cfg(not(unix))]
use crate::options::OptionError;
use crate::socket::base::SocketState;
use crate::{Ready, Socket};

pub use crate::options::locked::{LockedOptions, number};

/// Changes options of a socket.
///
/// # Errors
/// Returns [`Error::Closed`], [`Error::Terminated`], and whatever `change` returns.
pub fn change_options<E: From<Error>>(
    socket: &Socket,
    change: impl FnOnce(&mut LockedOptions<'_>) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    socket.base().enter(|state| {
        state.alive()?;
        change(&mut LockedOptions { values: &mut state.values, socket: socket.socket_type() })?;
        state.reconfigure();
        Ok(())
    })
}

/// Reads options of a socket.
///
/// # Errors
/// Returns the errors of [`change_options`].
pub fn read_options<R, E: From<Error>>(
    socket: &Socket,
    read: impl FnOnce(&mut LockedOptions<'_>) -> std::result::Result<R, E>,
) -> std::result::Result<R, E> {
    socket.base().enter(|state| {
        state.alive()?;
        read(&mut LockedOptions { values: &mut state.values, socket: socket.socket_type() })
    })
}

/// Returns the value of EVENTS: what can be done without waiting. Rearms ZMQ_FD, so that the next change signals it again.
///
/// # Errors
/// Returns [`Error::Closed`], [`Error::Terminated`].
pub fn events(socket: &Socket) -> Result<Ready> {
    let base = socket.base();
    #[cfg(unix)]
    base.rearm_zmq_fd();
    crate::poller::readiness(base, Ready::IN | Ready::OUT)
}

/// Returns the descriptor of FD.
///
/// # Errors
/// Returns [`Error::Closed`], [`Error::Terminated`], or [`Error::Limit`] if the system gives no descriptor.
#[cfg(unix)]
pub fn zmq_fd(socket: &Socket) -> Result<i32> {
    socket.base().zmq_fd()
}

/// Returns an error: there is no ZMQ_FD on this platform.
///
/// # Errors
/// Returns [`Error::Option`].
#[cfg(not(unix))]
pub fn zmq_fd(_: &Socket) -> Result<i32> {
    Err(OptionError::NotYet { option: "FD", needs: "descriptors of this platform" }.into())
}

/// Returns the value of RCVMORE: whether another part of the same message follows the part received last.
///
/// # Errors
/// Returns [`Error::Closed`], [`Error::Terminated`].
pub fn receives_more(socket: &Socket) -> Result<bool> {
    socket.base().enter(|state| state.alive().map(|()| state.parts.more))
}

/// Returns `None` if the socket speaks ZMTP. Otherwise (STREAM, ROUTER_RAW) returns the routing id of the peer of its last connect,
/// which the application reads as ROUTING_ID (zmq_socket(3)).
///
/// # Errors
/// Returns [`Error::Closed`], [`Error::Terminated`].
pub fn raw_peer(socket: &Socket) -> Result<Option<Vec<u8>>> {
    socket.base().enter(|state| {
        state.alive()?;
        Ok(state.values.is_raw(socket.socket_type()).then(|| last_routing_id(state)))
    })
}

fn last_routing_id(state: &SocketState) -> Vec<u8> {
    let last = state.pipes.iter().max_by_key(|(_, entry)| entry.endpoint).map(|(pipe, _)| pipe);
    let id = last.and_then(|pipe| state.pattern.routing_id(pipe));
    id.map(|id| id.as_bytes().to_vec()).unwrap_or_default()
}
