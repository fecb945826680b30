//! Sending and receiving part by part.

use std::sync::Arc;
use std::time::Instant;

use zeroxide_patterns::{Cause, Pattern, Pipes, Refusal};
use zeroxide_zmtp::{Frame, Message, Peer, SocketType};

use super::Wait;
use crate::error::{Error, Result, Turn};
use crate::io::signaler::wait_hearing;
use crate::socket::base::{SocketBase, SocketState};
use crate::socket::transfer::Refused;
use crate::stats::Counters;

/// How often a receiver lets others run before it sleeps. A sender on the same processor puts a whole run of messages in
/// meanwhile; without it, it wakes the receiver for each one, and the receiver takes the processor from it for each one.
const YIELDS: usize = 2;

/// One part of a message (`zmq_msg_t`).
#[derive(Clone, Debug, Default)]
pub struct Part {
    /// Its bytes.
    pub frame: Frame,
    /// Whether another part of the same message follows.
    pub more: bool,
    /// Who sent it; ignored when it is sent on.
    pub peer: Option<Arc<Peer>>,
    /// The number of the peer of a SERVER or PEER that it came from or goes to; 0 for none.
    pub routing_id: u32,
    /// The group of a RADIO or DISH; empty for none.
    pub group: Box<[u8]>,
}

/// The messages under way of one socket.
#[derive(Default)]
pub(crate) struct Parts {
    /// Routed by its first part; waits for its last.
    outgoing: Option<Message>,
    /// What is left of the message under way.
    incoming: Message,
    peer: Option<Arc<Peer>>,
    /// Whether the part received last had another behind it (`ZMQ_RCVMORE`).
    pub(crate) more: bool,
}

impl Parts {
    /// Whether there are parts to receive, whatever the pattern has.
    pub(crate) fn has_in(&self) -> bool {
        !self.incoming.is_empty()
    }

    /// Whether a socket that takes turns has still to read its message to the end (libzmq rep.cpp, req.cpp: the state
    /// changes with the last part).
    pub(crate) fn hold_the_turn(&self, socket: SocketType) -> bool {
        self.has_in() && (socket.answers() || socket.expects_reply_envelope())
    }
}

impl SocketBase {
    /// Sends one part.
    #[allow(clippy::result_large_err)] // the part is given back as it came, with its group
    #[inline]
    pub(crate) fn send_part(self: &Arc<Self>, part: Part, wait: Wait) -> Result<(), (Error, Part)> {
        let mut held = Some(part);
        match self.attempt_to_send_part(&mut held) {
            Ok(None) => Ok(()),
            Ok(Some(refusal)) => self.wait_to_send_part(held, refusal, wait),
            Err(error) => Err((error, held.unwrap_or_default())),
        }
    }

    #[allow(clippy::result_large_err)]
    #[cold]
    fn wait_to_send_part(
        self: &Arc<Self>,
        mut held: Option<Part>,
        mut refusal: Refusal,
        wait: Wait,
    ) -> Result<(), (Error, Part)> {
        let start = Instant::now();
        let deadline = wait.deadline(|| self.enter(|state| state.values.sndtimeo));
        let mut attempt = |held: &mut Option<Part>| match self.attempt_to_send_part(held) {
            Ok(None) => Some(Ok(())),
            Ok(Some(why)) => {
                refusal = why;
                None
            }
            Err(error) => Some(Err(error)),
        };
        let sent = match deadline {
            _ if self.context.is_own_thread() => None,
            // Whoever gives up rearms ZMQ_FD, and looks once more after that.
            Err(()) => self.rearmed().then(|| attempt(&mut held)).flatten(),
            Ok(deadline) => {
                Counters::add(&self.counters.waits, 1);
                let _wait = self.sending.begin(start);
                let waited = self.context.check_process();
                let waited =
                    waited.map(|()| wait_hearing(true, &[&self.output], deadline, || attempt(&mut held)));
                match waited {
                    Ok(sent) => sent.map(Result::flatten_error),
                    Err(error) => Some(Err(error)),
                }
            }
        };
        let error = match sent {
            Some(Ok(())) => return Ok(()),
            Some(Err(error)) => error,
            None => Error::WouldBlock(self.why_not_sent(&refusal)),
        };
        self.enter(|state| state.refused += 1);
        Err((error, held.unwrap_or_default()))
    }

    /// One attempt; takes the part out of `held` when it succeeds, else tells why it may succeed later.
    #[inline]
    fn attempt_to_send_part(self: &Arc<Self>, held: &mut Option<Part>) -> Result<Option<Refusal>> {
        let first = self.enter_to_send(|state| state.try_send_part(held));
        let refused = match first {
            Ok(()) => return Ok(None),
            // Leaving the lock drove the engines: whoever was full because of open messages is not any more.
            Err(Refused::Now(_)) => self.enter_to_send(|state| {
                state.pipes.driven = true;
                let sent = state.try_send_part(held);
                state.pipes.driven = false;
                sent
            }),
            Err(refused) => Err(refused),
        };
        match refused {
            Ok(()) => Ok(None),
            Err(Refused::Now(refusal)) => Ok(Some(refusal)),
            Err(Refused::For(error)) => Err(error),
        }
    }

    /// Receives one part.
    #[inline]
    pub(crate) fn recv_part(self: &Arc<Self>, wait: Wait) -> Result<Part> {
        match self.attempt_to_recv_part()? {
            Some(part) => Ok(part),
            None => self.wait_to_recv_part(wait),
        }
    }

    #[cold]
    fn wait_to_recv_part(self: &Arc<Self>, wait: Wait) -> Result<Part> {
        let deadline = wait.deadline(|| self.enter(|state| state.values.rcvtimeo));
        let received = match deadline {
            _ if self.context.is_own_thread() => None,
            Err(()) => self.rearmed().then(|| self.attempt_to_recv_part().transpose()).flatten(),
            Ok(deadline) => {
                for _ in 0..YIELDS {
                    std::thread::yield_now();
                    if let Some(part) = self.attempt_to_recv_part()? {
                        return Ok(part);
                    }
                }
                self.context.check_process()?;
                self.enter(|state| state.pipes.pull_input());
                Counters::add(&self.counters.waits, 1);
                let attempt = || self.attempt_to_recv_part().transpose();
                wait_hearing(true, &[&self.input], deadline, attempt).map(Result::flatten_error)
            }
        };
        received.unwrap_or_else(|| Err(Error::WouldBlock(self.why_nothing_came(None))))
    }

    /// One attempt. Before it answers `None`, what is open has been flushed, engines whose input waits have been
    /// driven, and it has looked once more.
    #[inline]
    fn attempt_to_recv_part(self: &Arc<Self>) -> Result<Option<Part>> {
        let mut received = None;
        if self.enter(|state| state.try_recv_part(&mut received))? {
            self.enter(|state| state.try_recv_part(&mut received))?;
        }
        if received.is_some() && self.input.waiting() > 0 {
            self.pass_on_input();
        }
        Ok(received)
    }

    /// Whether there is a ZMQ_FD, which is rearmed then: what happened before has to be looked for.
    fn rearmed(&self) -> bool {
        #[cfg(unix)]
        return self.rearm_event_fd();
        #[cfg(not(unix))]
        false
    }
}

impl SocketState {
    fn try_send_part(&mut self, held: &mut Option<Part>) -> Result<(), Refused> {
        self.alive().map_err(Refused::For)?;
        if self.parts.hold_the_turn(self.socket_type) {
            let error = Error::WrongState { socket: self.socket_type, next: Turn::Recv };
            return Err(Refused::For(error));
        }
        let Some(part) = held.take() else { return Ok(()) };
        if let Some(mut message) = self.parts.outgoing.take() {
            message.push_back(part.frame);
            // Raw bytes have no parts: one follows the id (libzmq stream.cpp).
            if part.more && !self.socket_type.is_raw() && !self.values.router_raw {
                self.parts.outgoing = Some(message);
            } else {
                self.commit(message);
            }
            return Ok(());
        }
        if self.socket_type.has_single_frames() {
            if part.more {
                *held = Some(part);
                return Err(Refused::For(self.too_many_frames()));
            }
            self.pattern.address(part.routing_id);
            self.pattern.group(&part.group);
        }
        match self.pattern.route(&part.frame, &mut self.pipes) {
            Ok(()) => {
                let mut message = Message::from(part.frame);
                if !part.group.is_empty() {
                    message = message.with_group(&part.group[..]);
                }
                if part.more {
                    self.parts.outgoing = Some(message);
                } else {
                    self.commit(message);
                }
                Ok(())
            }
            // An id with nothing behind it is swallowed, whomever it names (libzmq router.cpp, stream.cpp).
            Err(Refusal::Unroutable(_)) if self.socket_type.addresses() && !part.more => {
                self.accepted += 1;
                self.pipes.dropped(None, Cause::Unroutable);
                self.pipes.discard(part.frame.into());
                Ok(())
            }
            Err(refusal) => {
                *held = Some(part);
                Err(self.refuse(refusal))
            }
        }
    }

    /// Puts a part into `received` if there is one; else answers whether leaving the lock will drive an engine, after
    /// which there may be one.
    #[inline]
    fn try_recv_part(&mut self, received: &mut Option<Part>) -> Result<bool> {
        self.alive()?;
        if let Some(frame) = self.parts.incoming.pop_front() {
            let more = self.parts.has_in();
            let peer = if more { self.parts.peer.clone() } else { self.parts.peer.take() };
            self.parts.more = more;
            *received = Some(Part { frame, more, peer, ..Part::default() });
            return Ok(false);
        }
        let mut next = None;
        let drives = self.try_recv(&mut next)?;
        if let Some(mut message) = next {
            let (peer, routing_id) = (message.take_peer(), message.routing_id());
            let group = message.group().into();
            let frame = message.pop_front().unwrap_or_default();
            let more = !message.is_empty();
            if more {
                self.parts.peer.clone_from(&peer);
                self.parts.incoming = message;
            }
            self.parts.more = more;
            *received = Some(Part { frame, more, peer, routing_id, group });
        }
        Ok(drives)
    }
}

/// The error of a wait, or that of what it waited for.
trait FlattenError<T> {
    fn flatten_error(self) -> Result<T>;
}

impl<T> FlattenError<T> for Result<Result<T>> {
    fn flatten_error(self) -> Result<T> {
        self.and_then(std::convert::identity)
    }
}
