//! Half-closed streams: this side has ended a TCP connection, and its peer may still have something to read.
//!
//! Closing a TCP stream whose input is not read sends a reset, and so does whatever the peer sends after the close. A reset
//! destroys what this side's kernel has not sent yet, and may destroy what the peer has not read yet (RFC 2525 §2.17): the
//! last messages of a closed socket, the ERROR that tells why a peer is refused, or the greeting with our mechanism. So this
//! side shuts down only its own direction, and drops what it receives until the peer closes the other direction.
//!
//! After an orderly end this side waits at most [`LONGEST`], and at most [`LAST`] at the end of a context. For a refused peer it
//! waits at most until the deadline of the handshake, and reads at most [`MAX_DISCARD`] bytes. Until then the peer keeps its
//! place among the handshakes of its listener. When the socket closes, it waits no longer for a refused peer.
//!
//! When the process has no descriptor for a new connection, the stream that has waited longest is closed.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use zeroxide_transports::Stream;

use super::acceptor::Place;
use super::reactor::{Reactor, Timer};
use crate::clock;
use crate::engine::buffers::READ_SIZE;

/// The most bytes that are read and dropped from a refused peer.
const MAX_DISCARD: usize = 1 << 20;

/// The longest wait for a peer to close, after an orderly end, or after a refusal if the handshake has no deadline.
const LONGEST: Duration = Duration::from_secs(10);

/// The longest wait of the end of a context for peers to close.
pub(super) const LAST: Duration = Duration::from_secs(1);

/// The most streams of one I/O thread that wait after an orderly end. If there is one more, the oldest is closed.
const MOST: usize = 256;

/// A stream that waits for its peer to close.
pub(crate) struct HalfClosed {
    stream: Stream,
    /// What the kernel has not taken yet.
    unsent: Vec<u8>,
    shut: bool,
    /// `None` after an orderly end.
    refused: Option<Refused>,
    /// Whether it is in `Reactor::turns`.
    pub(super) waits: bool,
}

/// What is known of a refused peer.
struct Refused {
    /// The socket that refused it.
    socket: u64,
    place: Option<Place>,
    /// The number of bytes that may still be dropped.
    left: usize,
}

/// The result of one turn of a half-closed stream.
enum Step {
    /// There may be more to read.
    More,
    /// An edge will report more.
    Waits,
    Over,
}

impl HalfClosed {
    /// Creates one after an orderly end, when everything is sent.
    pub(super) fn in_order(stream: Stream) -> HalfClosed {
        HalfClosed { stream, unsent: Vec::new(), shut: false, refused: None, waits: false }
    }

    /// Creates one after a refusal by `socket`; `unsent` is still to be sent.
    pub(super) fn refused(stream: Stream, unsent: Vec<u8>, socket: u64, place: Option<Place>) -> HalfClosed {
        let refused = Some(Refused { socket, place, left: MAX_DISCARD });
        HalfClosed { unsent, refused, ..HalfClosed::in_order(stream) }
    }

    pub(super) fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// Returns whether `socket` has refused the peer.
    pub(super) fn is_refused_by(&self, socket: u64) -> bool {
        self.refused.as_ref().is_some_and(|refused| refused.socket == socket)
    }

    fn go_on(&mut self, buffer: &mut [u8]) -> Step {
        while !self.unsent.is_empty() {
            match self.stream.send(&[IoSlice::new(&self.unsent)]) {
                Ok(written) => drop(self.unsent.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => return Step::Over,
            }
        }
        if self.unsent.is_empty() && !self.shut {
            self.shut = true;
            // It fails only if the peer is gone already, which the read finds out.
            let _ = self.stream.shutdown(Shutdown::Write);
        }
        let room = self.refused.as_ref().map_or(buffer.len(), |refused| refused.left.min(buffer.len()));
        match self.stream.read(&mut buffer[..room]) {
            Ok(0) => Step::Over,
            Ok(read) => match &mut self.refused {
                Some(refused) => {
                    refused.left -= read;
                    if refused.left == 0 { Step::Over } else { Step::More }
                }
                None => Step::More,
            },
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Step::Waits,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Step::More,
            Err(_) => Step::Over,
        }
    }
}

impl Reactor {
    /// Keeps a stream, which is still registered under `id`, until its peer closes, at most until `deadline`.
    pub(super) fn half_close(&mut self, id: u64, stream: HalfClosed, deadline: Option<Instant>) {
        if !stream.is_refused() {
            self.half_closed_in_order.retain(|id| self.half_closed.contains_key(id));
            self.half_closed_in_order.push_back(id);
            if self.half_closed_in_order.len() > MOST {
                self.close_oldest_half();
            }
        }
        let longest = if self.leaving { LAST } else { LONGEST };
        self.arm(deadline.unwrap_or_else(|| clock::now() + longest), Timer::HalfClosed(id));
        self.half_closed.insert(id, stream);
        self.read_half_closed(id);
    }

    /// Closes the stream that has waited longest after an orderly end, to free its descriptor. Returns `false` if there is none.
    pub(super) fn close_oldest_half(&mut self) -> bool {
        while let Some(oldest) = self.half_closed_in_order.pop_front() {
            if self.half_closed.contains_key(&oldest) {
                self.close_whole(oldest);
                return true;
            }
        }
        false
    }

    /// Gives a half-closed stream a turn. The turn of a refused peer counts as handshake time.
    pub(super) fn turn_of_half_closed(&mut self, id: u64) {
        let Some(stream) = self.half_closed.get(&id) else { return };
        if !stream.is_refused() {
            return self.read_half_closed(id);
        }
        if self.defers_handshakes() {
            return self.give_turn(id);
        }
        let start = clock::now();
        self.read_half_closed(id);
        self.charge_handshakes(start);
    }

    fn read_half_closed(&mut self, id: u64) {
        let Some(stream) = self.half_closed.get_mut(&id) else { return };
        // Without memory this side does not wait for the peer.
        let Ok(mut buffer) = self.link.buffers().take() else { return self.close_whole(id) };
        let step = stream.go_on(&mut buffer[..READ_SIZE]);
        self.link.buffers().give(buffer);
        match step {
            // One read in each turn, because others wait for theirs.
            Step::More => self.give_turn(id),
            Step::Waits => {}
            Step::Over => self.close_whole(id),
        }
    }

    /// Closes the stream, although the peer may not have closed.
    pub(super) fn close_whole(&mut self, id: u64) {
        let Some(mut stream) = self.half_closed.remove(&id) else { return };
        let _ = self.poll.registry().deregister(&mut stream.stream);
        if let Some(place) = stream.refused.and_then(|refused| refused.place) {
            self.handshake_over(place);
        }
    }
}
