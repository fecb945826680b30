//! Parting: the stream of a connection that is over on this side, kept until the peer has read what was sent to it.
//!
//! Closing a TCP stream whose input is not read sends a reset, and so does what the peer sends after the close. A reset
//! destroys what this side's kernel has not sent yet, and may destroy what the peer has not read yet (RFC 2525 §2.17):
//! the last messages of a socket that closed, the ERROR that says why a peer stays out, or the greeting that names our
//! mechanism. So this side closes its own direction alone, and throws away what comes until the peer closes the other.
//! No peer is waited for without bounds: not for more than [`MAX_DISCARD`] bytes, nor longer than [`ORDERLY`] after an
//! end in order, or than the handshake's deadline after a refusal. Who was refused keeps its place among the handshakes
//! of its listener for that time, and is let go when the socket closes.

use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::time::{Duration, Instant};

use zeroxide_transports::Stream;

use super::acceptor::Place;
use super::reactor::{Reactor, Timer};
use crate::engine::buffers::READ_SIZE;

/// Bytes read and thrown away of one peer.
const MAX_DISCARD: usize = 1 << 20;

/// How long a peer is waited for that was refused where a handshake has no deadline.
const NO_DEADLINE: Duration = Duration::from_secs(10);

/// How long a peer is waited for after an end in order. A context's end waits no longer than that for a peer that does not
/// read to the end.
const ORDERLY: Duration = Duration::from_secs(1);

/// A stream that waits for its peer to close.
pub(crate) struct Parting {
    stream: Stream,
    /// The socket that refused the peer.
    pub(super) refused_by: Option<u64>,
    place: Option<Place>,
    /// What the kernel has not taken yet.
    unsent: Vec<u8>,
    shut: bool,
    /// Bytes that may still be thrown away.
    left: usize,
    /// It is in the line for another turn.
    pub(super) waits: bool,
}

/// How a parting stands.
enum Step {
    /// There may be more to throw away.
    More,
    /// An edge will tell.
    Waits,
    Over,
}

impl Parting {
    /// After an end in order: everything is sent.
    pub(super) fn in_order(stream: Stream) -> Parting {
        Parting {
            stream,
            refused_by: None,
            place: None,
            unsent: Vec::new(),
            shut: false,
            left: MAX_DISCARD,
            waits: false,
        }
    }

    /// After a refusal by `socket`, of which `unsent` is still to be sent.
    pub(super) fn refused(stream: Stream, unsent: Vec<u8>, socket: u64, place: Option<Place>) -> Parting {
        Parting { refused_by: Some(socket), place, unsent, ..Parting::in_order(stream) }
    }

    /// When the peer is waited for no longer, if nothing says otherwise.
    fn deadline(&self) -> Instant {
        Instant::now() + if self.refused_by.is_some() { NO_DEADLINE } else { ORDERLY }
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
        let room = buffer.len().min(self.left);
        match self.stream.read(&mut buffer[..room]) {
            Ok(0) => Step::Over,
            Ok(read) => {
                self.left -= read;
                if self.left == 0 { Step::Over } else { Step::More }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Step::Waits,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Step::More,
            Err(_) => Step::Over,
        }
    }
}

impl Reactor {
    /// Keeps a stream, which is registered under `id` still, until its peer closes, at most until `deadline`.
    pub(super) fn part(&mut self, id: u64, parting: Parting, deadline: Option<Instant>) {
        self.arm(deadline.unwrap_or_else(|| parting.deadline()), Timer::Part(id));
        self.partings.insert(id, parting);
        self.part_on(id);
    }

    /// A turn: those who were refused have theirs from the strangers' time.
    pub(super) fn turn_of_parting(&mut self, id: u64) {
        if !self.partings.contains_key(&id) {
            return;
        }
        if self.puts_off_strangers() {
            return self.give_turn(id);
        }
        let start = Instant::now();
        self.part_on(id);
        self.served_stranger(start);
    }

    fn part_on(&mut self, id: u64) {
        let Some(parting) = self.partings.get_mut(&id) else { return };
        // Without memory the peer is not waited for.
        let Ok(mut buffer) = self.link.buffers().take() else { return self.parted(id) };
        let step = parting.go_on(&mut buffer[..READ_SIZE]);
        self.link.buffers().give(buffer);
        match step {
            // One read in a turn; each costs some of what may be thrown away, so they are few.
            Step::More => self.give_turn(id),
            Step::Waits => {}
            Step::Over => self.parted(id),
        }
    }

    /// Closes the stream, whatever the peer has not said yet.
    pub(super) fn parted(&mut self, id: u64) {
        let Some(mut parting) = self.partings.remove(&id) else { return };
        let _ = self.poll.registry().deregister(&mut parting.stream);
        if let Some(place) = parting.place {
            self.handshake_over(place);
        }
    }
}
