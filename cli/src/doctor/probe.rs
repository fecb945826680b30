//! The type of the peer, found out by handshakes.
//!
//! A peer says its type in READY. Over NULL and PLAIN it does so even to a type that it does not talk to; over CURVE it closes. So
//! each type that does no harm is tried, until one is let in or the peer has said its own.

use std::time::Duration;

use zeroxide::{Context, Error, ErrorKind, HandshakeCause, Options, Peer, ProtocolError, SocketType, opt};

use super::found::Found;
use crate::attach::context;
use crate::exit::{End, Outcome};
use crate::security::SecurityArgs;
use crate::words;

/// Types that take nothing from a peer and send it nothing: SUB without a subscription, REQ without a request, PUSH and PUB
/// without a message.
const HARMLESS: [SocketType; 4] = [SocketType::Sub, SocketType::Req, SocketType::Push, SocketType::Pub];

/// Returns the harmless type that talks to `peer`.
pub(super) fn harmless(peer: SocketType) -> Option<SocketType> {
    HARMLESS.into_iter().find(|own| own.talks_to(peer))
}

/// Returns the type of the peer, if it says it.
pub(super) fn peer(
    endpoint: &zeroxide::Endpoint,
    security: &SecurityArgs,
    limit: Duration,
) -> Outcome<Found<Option<SocketType>>> {
    let context = context()?;
    let mut first = None;
    for own in HARMLESS {
        let options = security.client(Options::new())?;
        match shake(&context, endpoint, options, own, limit) {
            Ok(peer) => return Ok(describe(&peer)),
            Err(error) => match mismatch(&error) {
                Some(Some(peer)) => return Ok(Found::new(format!("peer is {peer}"), Some(peer))),
                Some(None) => {}
                // A CURVE server closes for a wrong type and for a wrong key alike.
                None if error.kind() == ErrorKind::Handshake => first = first.or(Some(error)),
                None => return Err(error.into()),
            },
        }
    }
    match first {
        Some(Error::Handshake(error)) => Err(End::failed(words::handshake(&error))),
        Some(error) => Err(error.into()),
        None => Ok(Found::new("peer is of a type that is not known here", None)),
    }
}

fn shake(
    context: &Context,
    endpoint: &zeroxide::Endpoint,
    options: Options,
    own: SocketType,
    limit: Duration,
) -> zeroxide::Result<std::sync::Arc<Peer>> {
    // One attempt is enough: a second would fail in the same way.
    let options = options.set(opt::LINGER, Some(Duration::ZERO)).set(opt::HANDSHAKE_IVL, Some(limit));
    let options = options.set(opt::RECONNECT_IVL, None);
    let socket = context.socket_with(own, &options)?;
    let peer = socket.connect_ready(endpoint, limit);
    drop(socket.close());
    peer
}

/// Returns the type of the peer if the types did not fit; the inner is `None` if this library does not know it.
#[expect(clippy::option_option, reason = "no mismatch, and a mismatch with an unknown type")]
fn mismatch(error: &Error) -> Option<Option<SocketType>> {
    let Error::Handshake(error) = error else { return None };
    match &error.cause {
        HandshakeCause::Protocol(ProtocolError::SocketTypeMismatch { peer, .. }) => Some(*peer),
        _ => None,
    }
}

fn describe(peer: &Peer) -> Found<Option<SocketType>> {
    let mut text = match peer.socket_type {
        Some(t) => format!("peer is {t}"),
        None => "peer does not say its type".to_owned(),
    };
    if !peer.routing_id.is_empty() {
        text += &format!(" {:?}", String::from_utf8_lossy(&peer.routing_id));
    }
    Found::new(text, peer.socket_type)
}
