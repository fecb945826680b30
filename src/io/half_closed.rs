//! Half-closed streams: this side of a TCP connection is over, and its peer may still have something to read.
//!
//! Closing a TCP stream whose input is not read sends a reset, and so does whatever the peer sends after the close. A reset
//! destroys what this side's kernel has not sent yet, and may destroy what the peer has not read yet (RFC 2525 §2.17): the
//! last messages of a socket that closed, the ERROR that says why a peer is refused, or the greeting that names our
//! mechanism. So this side shuts down its own direction alone, and throws away what comes until the peer closes the other.
//!
//! After an end in order the peer is waited for at most [`LONGEST`], and the end of a context waits at most [`LAST`] of it.
//! A peer that was refused is not waited for beyond the handshake's deadline, nor for more than [`MAX_DISCARD`] bytes. Until
//! then it keeps its place among the handshakes of its listener; it is let go when the socket closes.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use zeroxide_transports::Stream;

use super::acceptor::Place;
use super::reactor::{Reactor, Timer};
use crate::clock;
use crate::engine::buffers::READ_SIZE;

/// Bytes read and thrown away of a peer that was refused.
const MAX_DISCARD: usize = 1 << 20;

/// How long a peer is waited for: after an end in order, and after a refusal where the handshake has no deadline.
const LONGEST: Duration = Duration::from_secs(10);

/// How long the end of a context waits for peers after ends in order.
pub(super) const LAST: Duration = Duration::from_secs(1);

/// How many streams of one I/O thread wait after an end in order. When there is one more, the oldest is closed.
const MOST: usize = 256;

/// A stream that waits for its peer to close.
pub(crate) struct HalfClosed {
    stream: Stream,
    /// What the kernel has not taken yet.
    unsent: Vec<u8>,
    shut: bool,
    /// None after an end in order.
    refused: Option<Refused>,
    /// It is in the line for another turn.
    pub(super) waits: bool,
}

/// What is special about a peer that was refused.
struct Refused {
    /// The socket that refused it.
    socket: u64,
    place: Option<Place>,
    /// Bytes that may still be thrown away.
    left: usize,
}

/// How a half-closed stream stands.
enum Step {
    /// There may be more to throw away.
    More,
    /// An edge will tell.
    Waits,
    Over,
}

impl HalfClosed {
    /// After an end in order: everything is sent.
    pub(super) fn in_order(stream: Stream) -> HalfClosed {
        HalfClosed { stream, unsent: Vec::new(), shut: false, refused: None, waits: false }
    }

    /// After a refusal by `socket`, of which `unsent` is still to be sent.
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
            // Fails only where the peer is gone already, which the read finds out.
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
    /// Keeps a stream, which is registered under `id` still, until its peer closes, at most until `deadline`.
    pub(super) fn half_close(&mut self, id: u64, stream: HalfClosed, deadline: Option<Instant>) {
        if !stream.is_refused() {
            self.half_closed_in_order.retain(|id| self.half_closed.contains_key(id));
            self.half_closed_in_order.push_back(id);
            if self.half_closed_in_order.len() > MOST {
                if let Some(oldest) = self.half_closed_in_order.pop_front() {
                    self.close_whole(oldest);
                }
            }
        }
        let longest = if self.leaving { LAST } else { LONGEST };
        self.arm(deadline.unwrap_or_else(|| clock::now() + longest), Timer::HalfClosed(id));
        self.half_closed.insert(id, stream);
        self.read_half_closed(id);
    }

    /// A turn. That of a refused peer counts as handshake time.
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
        // Without memory the peer is not waited for.
        let Ok(mut buffer) = self.link.buffers().take() else { return self.close_whole(id) };
        let step = stream.go_on(&mut buffer[..READ_SIZE]);
        self.link.buffers().give(buffer);
        match step {
            // One read in a turn: others want theirs.
            Step::More => self.give_turn(id),
            Step::Waits => {}
            Step::Over => self.close_whole(id),
        }
    }

    /// Closes the stream, whatever the peer has not said yet.
    pub(super) fn close_whole(&mut self, id: u64) {
        let Some(mut stream) = self.half_closed.remove(&id) else { return };
        let _ = self.poll.registry().deregister(&mut stream.stream);
        if let Some(place) = stream.refused.and_then(|refused| refused.place) {
            self.handshake_over(place);
        }
    }
}
