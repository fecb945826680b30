//! What a running proxy says of itself, to `zx top` and to whoever asks: one JSON object in reply to any request.

use std::thread;

use serde::{Deserialize, Serialize};
use zeroxide::{Context, PipeStats, ProxySide, Socket, SocketType};

use crate::attach::attach_failed;
use crate::exit::Outcome;

/// The state of a proxy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) front: Side,
    pub(crate) back: Side,
}

/// The state of one of its sockets. Counts are messages since its start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Side {
    /// The type of the socket.
    pub(crate) socket: String,
    pub(crate) endpoints: Vec<String>,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    /// Dropped, because a peer was gone or full.
    pub(crate) dropped: u64,
    pub(crate) peers: Vec<PeerRow>,
}

/// One connected peer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PeerRow {
    pub(crate) socket: String,
    pub(crate) address: String,
    /// Seconds since it came.
    pub(crate) connected: u64,
    /// Messages written to it, on their way to it, and dropped for it.
    pub(crate) written: u64,
    pub(crate) queued: u64,
    pub(crate) dropped: u64,
}

impl Side {
    /// Returns the state of a socket, with the counts of the proxy.
    pub(crate) fn of(socket: &Socket, counts: &ProxySide) -> Side {
        let stats = socket.stats();
        Side {
            socket: socket.socket_type().to_string(),
            endpoints: socket.endpoints().iter().map(|row| row.endpoint.to_string()).collect(),
            received: counts.received.messages,
            sent: counts.sent.messages,
            dropped: counts.dropped() + stats.dropped.total(),
            peers: stats.pipes.iter().filter_map(row).collect(),
        }
    }
}

fn row(pipe: &PipeStats) -> Option<PeerRow> {
    let peer = pipe.peer.as_ref()?;
    Some(PeerRow {
        socket: peer.socket_type.map(|t| t.to_string()).unwrap_or_default(),
        address: peer.address.clone(),
        connected: peer.since.elapsed().as_secs(),
        written: pipe.written,
        queued: pipe.queued,
        dropped: pipe.dropped.total(),
    })
}

/// Replies to requests at `endpoint` with the state, until the context ends.
pub(crate) fn serve(
    context: &Context,
    endpoint: &str,
    state: impl Fn() -> Status + Send + 'static,
) -> Outcome {
    let socket = context.socket(SocketType::Rep)?;
    let bound = socket.bind(endpoint).map_err(|error| attach_failed(error, endpoint))?;
    eprintln!("zx: status bound to {bound}");
    thread::spawn(move || {
        while socket.recv().is_ok() {
            let text = serde_json::to_string(&state()).unwrap_or_default();
            if socket.send(text).is_err() {
                return;
            }
        }
    });
    Ok(())
}
