//! Sending and receiving part by part.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use zeroxide_patterns::{Cause, Pattern, Pipes, Refusal};
use zeroxide_zmtp::Message;

use super::Wait;
use crate::error::{Error, Result, Turn};
use crate::socket::base::{SocketBase, SocketState};
use crate::socket::transfer::{Attempt, Refused, Taken, dispose};

impl SocketBase {
    /// Sends one part, a message of one frame. It stays in `held` unless it is accepted.
    #[inline]
    pub(crate) fn send_part(
        self: &Arc<Self>,
        held: &mut Option<Message>,
        more: bool,
        wait: Wait,
    ) -> Result<()> {
        let waits = matches!(wait, Wait::AsSet);
        match self.attempt_in_c(waits, |state| state.try_send_part(held, more)) {
            Ok(None) => {}
            Ok(Some(refusal)) => self.wait_to_send_part(held, more, refusal, wait)?,
            Err(error) => return Err(*error),
        }
        dispose(held);
        Ok(())
    }

    /// Makes one attempt to send. If the pipes are at their high-water mark and this thread has driven them a moment ago, a
    /// call that does not wait is refused without another look, as libzmq refuses it. On a socket type that would drop the
    /// message, it looks.
    #[inline]
    fn attempt_in_c(
        self: &Arc<Self>,
        waits: bool,
        mut send: impl FnMut(&mut SocketState) -> Result<(), Refused>,
    ) -> Attempt<Option<Refusal>> {
        let mut refuses = false;
        let sent = self.enter_to_send(|state| {
            state.pipes.hurried = !waits || state.values.sndtimeo == Some(Duration::ZERO);
            let sent = send(state);
            state.pipes.hurried = false;
            refuses = std::mem::take(&mut state.pipes.passed_over) && !state.pattern.drops_when_full();
            sent
        });
        match sent {
            Ok(()) => Ok(None),
            Err(Refused::Now(refusal)) if refuses => Ok(Some(refusal)),
            Err(Refused::Now(_)) => self.attempt_once_more(send),
            Err(Refused::For(error)) => Err(error),
        }
    }

    #[cold]
    fn wait_to_send_part(
        self: &Arc<Self>,
        held: &mut Option<Message>,
        more: bool,
        refusal: Refusal,
        wait: Wait,
    ) -> Result<()> {
        let deadline = wait.deadline(|| self.enter(|state| state.values.sndtimeo));
        let mut attempt = || self.attempt(|state| state.try_send_part(held, more));
        let sent = match deadline {
            _ if self.context.is_own_thread() => Ok(Some(refusal)),
            // Before it gives up, it rearms ZMQ_FD and looks once more.
            Err(()) if self.rearmed() => attempt().map_err(|error| *error),
            Err(()) => Ok(Some(refusal)),
            Ok(deadline) => self.wait_for_room(refusal, deadline, true, attempt),
        };
        let Some(refusal) = sent? else { return Ok(()) };
        self.enter(|state| state.refused += 1);
        Err(Error::WouldBlock(self.why_not_sent(&refusal)))
    }

    /// Receives one part, a message of one frame, into `received`, which is empty. Returns whether another part of the same
    /// message follows.
    #[inline]
    pub(crate) fn recv_part(self: &Arc<Self>, received: &mut Message, wait: Wait) -> Result<bool> {
        match self.attempt_to_recv_part(received) {
            Ok(Some(more)) => Ok(more),
            Ok(None) => self.wait_to_recv_part(received, wait),
            Err(error) => Err(*error),
        }
    }

    #[cold]
    fn wait_to_recv_part(self: &Arc<Self>, received: &mut Message, wait: Wait) -> Result<bool> {
        let deadline = wait.deadline(|| self.enter(|state| state.values.rcvtimeo));
        let mut attempt = || self.attempt_to_recv_part(received);
        let more = match deadline {
            _ if self.context.is_own_thread() => Ok(None),
            Err(()) if self.rearmed() => attempt().map_err(|error| *error),
            Err(()) => Ok(None),
            Ok(deadline) => match look_between_yields(|| attempt().transpose()) {
                Some(more) => more.map(Some).map_err(|error| *error),
                None => self.wait_for_input(deadline, true, attempt),
            },
        };
        more?.ok_or_else(|| Error::WouldBlock(self.why_nothing_came(None)))
    }

    /// Makes one attempt. Returns whether more parts follow.
    #[inline]
    fn attempt_to_recv_part(self: &Arc<Self>, received: &mut Message) -> Attempt<Option<bool>> {
        self.attempt_to_take(|state| state.try_recv_part(received))
    }

    /// Rearms ZMQ_FD. Returns `true` if there is one: a change before this call does not signal it, so look once more.
    fn rearmed(&self) -> bool {
        #[cfg(unix)]
        return self.rearm_zmq_fd();
        #[cfg(not(unix))]
        false
    }
}

impl SocketState {
    #[inline]
    fn try_send_part(&mut self, held: &mut Option<Message>, more: bool) -> Result<(), Refused> {
        if more || self.parts.outgoing.is_some() || self.parts.has_in() {
            return self.try_send_between(held, more);
        }
        self.try_send_whole(held)
    }

    #[inline]
    fn try_send_whole(&mut self, held: &mut Option<Message>) -> Result<(), Refused> {
        match self.try_send(held) {
            // A routing id without further frames is dropped, also if there is no such peer (libzmq router.cpp, stream.cpp).
            Err(Refused::For(error))
                if self.socket_type.addresses() && matches!(*error, Error::EmptyMessage) =>
            {
                self.accepted += 1;
                self.pipes.dropped(None, Cause::Unroutable);
                held.take().into_iter().for_each(|message| self.pipes.discard(message));
                Ok(())
            }
            sent => sent,
        }
    }

    /// Sends a part of a longer message, or a part while a message is being received.
    #[cold]
    fn try_send_between(&mut self, held: &mut Option<Message>, more: bool) -> Result<(), Refused> {
        self.alive()?;
        if self.parts.must_receive_rest(self.socket_type) {
            return Err(Error::WrongState { socket: self.socket_type, next: Turn::Recv }.into());
        }
        let Some(part) = held.take() else { return Ok(()) };
        if let Some(mut message) = self.parts.outgoing.take() {
            part.into_iter().for_each(|frame| message.push_back(frame));
            // A raw message has only one part after the routing id (libzmq stream.cpp).
            if more && !self.socket_type.is_raw() && !self.values.router_raw {
                self.parts.outgoing = Some(message);
            } else {
                // What is left of it is dropped where the caller holds no lock.
                self.commit(held.insert(message));
            }
            return Ok(());
        }
        *held = Some(part);
        if more { self.begin(held) } else { self.try_send_whole(held) }
    }

    /// Routes the first of several parts, and keeps it until the others follow.
    fn begin(&mut self, held: &mut Option<Message>) -> Result<(), Refused> {
        if self.socket_type.has_single_frames() && self.socket_type.sends() {
            return Err(self.too_many_frames().into());
        }
        let Some(first) = held.as_ref().and_then(Message::first) else { return Ok(()) };
        match self.pattern.route(first, &mut self.pipes) {
            Ok(()) => {
                self.parts.outgoing = held.take();
                Ok(())
            }
            Err(refusal) => Err(self.refuse(refusal)),
        }
    }

    /// Puts a part into `received` if there is one, with whether another part of the same message follows.
    #[inline]
    fn try_recv_part(&mut self, received: &mut Message) -> Attempt<Taken<bool>> {
        let more = if self.parts.has_in() {
            self.alive()?;
            self.take_next(received)
        } else {
            if let Taken::Nothing { drives } = self.try_recv(received)? {
                return Ok(Taken::Nothing { drives });
            }
            received.len() > 1 && self.keep_the_rest(received)
        };
        self.parts.more = more;
        Ok(Taken::Something(more))
    }

    /// Takes the next part of the message that is being received. Returns whether more follow.
    #[cold]
    fn take_next(&mut self, received: &mut Message) -> bool {
        let incoming = &mut self.parts.incoming;
        let mut part = Message::from(incoming.pop_front().unwrap_or_default());
        let more = !incoming.is_empty();
        if !more {
            // A REQ or REP may send now.
            self.pipes.after_unlock.wake_everybody();
        }
        part.set_peer(if more { incoming.peer().cloned() } else { incoming.take_peer() });
        *received = part;
        more
    }

    /// Keeps all frames of a message but the first, to be received later. Returns whether there are any.
    #[cold]
    fn keep_the_rest(&mut self, message: &mut Message) -> bool {
        let mut rest = std::mem::take(message);
        let mut first = Message::from(rest.pop_front().unwrap_or_default());
        if rest.routing_id() != 0 {
            first = first.with_routing_id(rest.routing_id());
        }
        if !rest.group().is_empty() {
            first = first.with_group(rest.group());
        }
        first.set_peer(rest.peer().cloned());
        *message = first;
        self.parts.incoming = rest;
        self.parts.has_in()
    }
}

/// How often a receiver lets other threads run before it sleeps.
const YIELDS: usize = 2;

/// Before a receiver sleeps: lets other threads run and looks again, [`YIELDS`] times. Meanwhile a sender on the same
/// processor puts in a whole run of messages. Otherwise it would wake the receiver for each message, and the receiver would
/// take the processor from it. If no other thread wants the processor, this costs two short system calls.
///
/// A signal that arrives here does not end the call. Only a sleep reports a signal: after its handler has returned, nothing
/// does. libzmq has the same gap between its look at the mailbox and its poll. An application that must not miss a signal
/// sets a flag in the handler and wakes itself.
fn look_between_yields<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    (0..YIELDS).find_map(|_| {
        thread::yield_now();
        look()
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::{Context, Poller, Ready, SocketType};

    #[test]
    fn the_last_part_of_a_request_wakes_who_waits_to_reply() {
        let cx = Context::new();
        let (rep, req) = (cx.socket(SocketType::Rep).unwrap(), cx.socket(SocketType::Req).unwrap());
        rep.bind("inproc://parts").unwrap();
        req.connect("inproc://parts").unwrap();
        req.send(["two", "parts"]).unwrap();
        let receive = || rep.base().recv_part(&mut Message::new(), Wait::AsSet).unwrap();
        assert!(receive(), "one more follows");
        let (fd, mut foreign, mut events) = (rep.ready_fd(Ready::OUT).unwrap(), Poller::new(), Vec::new());
        foreign.add_fd(&fd, 1, Ready::IN).unwrap();
        let mut is_readable = || foreign.wait(&mut events, Some(Duration::ZERO)).unwrap() == 1;
        assert!(!is_readable());
        assert!(!receive());
        assert!(is_readable());
        assert_eq!(fd.ready().unwrap(), Ready::OUT);
    }
}
