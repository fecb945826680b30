//! Sending and receiving: the blocking, non-blocking and timed calls over one attempt each.

use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroxide_patterns::{Pattern, Refusal};
use zeroxide_zmtp::Message;

use super::base::{SocketBase, SocketState};
use crate::clock;
use crate::error::{Error, GroupError, Op, Result, SendError, Turn, Why};
use crate::signal::{Signal, wait_hearing};
use crate::stats::Counters;

/// How long a call may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    /// Not at all.
    None,
    /// As long as SNDTIMEO or RCVTIMEO says.
    Option,
    /// So long.
    For(Duration),
}

impl SocketBase {
    /// Sends a message, waiting as long as `patience` allows.
    #[inline]
    pub(crate) fn send(self: &Arc<Self>, message: Message, patience: Patience) -> Result<(), SendError> {
        let mut held = Some(message);
        match self.attempt_to_send(&mut held) {
            Ok(None) => Ok(()),
            Ok(Some(refusal)) => self.wait_to_send(held, refusal, patience),
            Err(error) => Err(SendError { error: *error, message: held.unwrap_or_default() }),
        }
    }

    #[cold]
    fn wait_to_send(
        self: &Arc<Self>,
        mut held: Option<Message>,
        refusal: Refusal,
        patience: Patience,
    ) -> Result<(), SendError> {
        let start = clock::now();
        let limit = match patience {
            Patience::None => Some(Duration::ZERO),
            Patience::For(limit) => Some(limit),
            Patience::Option => self.enter(|state| state.values.sndtimeo),
        };
        let error = if limit == Some(Duration::ZERO) || self.context.is_own_thread() {
            Error::WouldBlock(self.why_not_sent(&refusal))
        } else {
            let deadline = limit.and_then(|limit| start.checked_add(limit));
            match self.wait_for_room(refusal, deadline, false, || self.attempt_to_send(&mut held)) {
                Ok(None) => return Ok(()),
                Ok(Some(refusal)) => Error::TimedOut(self.why_not_sent(&refusal)),
                Err(error) => error,
            }
        };
        self.enter(|state| state.refused += 1);
        Err(SendError { error, message: held.unwrap_or_default() })
    }

    /// Attempts to send, at once and whenever there may be room, until the deadline; returns the last refusal if it never
    /// could. A signal of the system ends the wait of a caller who `hears`.
    pub(crate) fn wait_for_room(
        &self,
        mut refusal: Refusal,
        deadline: Option<Instant>,
        hears: bool,
        mut attempt: impl FnMut() -> Attempt<Option<Refusal>>,
    ) -> Result<Option<Refusal>> {
        self.context.check_process()?;
        let _wait = self.sending.begin(clock::now());
        let sent = self.wait_at(&self.output, deadline, hears, || match attempt() {
            Ok(None) => Some(Ok(())),
            Ok(Some(why)) => {
                refusal = why;
                None
            }
            Err(error) => Some(Err(*error)),
        });
        Ok(sent?.is_none().then_some(refusal))
    }

    /// The wait that all calls that send or receive have in common: `None` when the deadline has passed.
    fn wait_at<T>(
        &self,
        signal: &Signal,
        deadline: Option<Instant>,
        hears: bool,
        look: impl FnMut() -> Option<Result<T>>,
    ) -> Result<Option<T>> {
        Counters::add(&self.counters.waits, 1);
        let parkers = hears.then_some(&self.context.parkers);
        wait_hearing(parkers, &[signal], deadline, look).transpose()?.transpose()
    }

    #[inline]
    fn attempt_to_send(self: &Arc<Self>, held: &mut Option<Message>) -> Attempt<Option<Refusal>> {
        self.attempt(|state| state.try_send(held))
    }

    /// One attempt to send; returns why it may succeed later. Before it refuses, what is open has been flushed and driven,
    /// and it has looked once more.
    #[inline]
    pub(crate) fn attempt(
        self: &Arc<Self>,
        mut send: impl FnMut(&mut SocketState) -> Result<(), Refused>,
    ) -> Attempt<Option<Refusal>> {
        match self.enter_to_send(&mut send) {
            Ok(()) => Ok(None),
            // Leaving the lock drove the engines: whoever was full because of open messages is not any more.
            Err(Refused::Now(_)) => self.attempt_once_more(send),
            Err(Refused::For(error)) => Err(error),
        }
    }

    /// The second look of [`SocketBase::attempt`].
    #[cold]
    pub(crate) fn attempt_once_more(
        self: &Arc<Self>,
        send: impl FnOnce(&mut SocketState) -> Result<(), Refused>,
    ) -> Attempt<Option<Refusal>> {
        let sent = self.enter_to_send(|state| {
            state.pipes.driven = true;
            let sent = send(state);
            state.pipes.driven = false;
            sent
        });
        match sent {
            Ok(()) => Ok(None),
            Err(Refused::Now(refusal)) => Ok(Some(refusal)),
            Err(Refused::For(error)) => Err(error),
        }
    }

    pub(crate) fn why_not_sent(&self, refusal: &Refusal) -> Why {
        match refusal {
            Refusal::Full { pipes } => Why::Full {
                socket: self.socket_type,
                hwm: self.values_hwm(),
                peers: u32::try_from(*pipes).unwrap_or(u32::MAX),
            },
            _ => Why::NoPeer { socket: self.socket_type, at: Box::new(self.endpoints.attachment()) },
        }
    }

    fn values_hwm(&self) -> u32 {
        self.lock().values.sndhwm
    }

    /// Receives a message, waiting as long as `patience` allows.
    #[inline]
    pub(crate) fn recv(self: &Arc<Self>, patience: Patience) -> Result<Message> {
        match self.attempt_to_recv() {
            Ok(Some(message)) => Ok(message),
            Ok(None) => self.wait_to_recv(patience),
            Err(error) => Err(*error),
        }
    }

    #[cold]
    fn wait_to_recv(self: &Arc<Self>, patience: Patience) -> Result<Message> {
        let start = clock::now();
        let limit = match patience {
            Patience::None => Some(Duration::ZERO),
            Patience::For(limit) => Some(limit),
            Patience::Option => self.enter(|state| state.values.rcvtimeo),
        };
        if limit == Some(Duration::ZERO) || self.context.is_own_thread() {
            return Err(Error::WouldBlock(self.why_nothing_came(None)));
        }
        let deadline = limit.and_then(|limit| start.checked_add(limit));
        self.wait_for_input(deadline, false, || self.attempt_to_recv())?
            .ok_or_else(|| Error::TimedOut(self.why_nothing_came(limit)))
    }

    /// Attempts to receive, at once and whenever there may be input, until the deadline. A signal of the system ends the wait
    /// of a caller who `hears`.
    pub(crate) fn wait_for_input<T>(
        self: &Arc<Self>,
        deadline: Option<Instant>,
        hears: bool,
        mut attempt: impl FnMut() -> Attempt<Option<T>>,
    ) -> Result<Option<T>> {
        self.context.check_process()?;
        self.enter(|state| state.pipes.pull_input());
        self.wait_at(&self.input, deadline, hears, || attempt().map_err(|error| *error).transpose())
    }

    /// One attempt to receive a whole message.
    #[inline]
    pub(crate) fn attempt_to_recv(self: &Arc<Self>) -> Attempt<Option<Message>> {
        let mut received = None;
        self.attempt_to_take(|state| state.try_recv(&mut received))?;
        Ok(received)
    }

    /// One attempt to receive. Before it returns `None`, what is open has been flushed, engines whose input waits have been
    /// driven, and it has looked once more.
    #[inline]
    pub(crate) fn attempt_to_take<T>(
        self: &Arc<Self>,
        mut take: impl FnMut(&mut SocketState) -> Attempt<Taken<T>>,
    ) -> Attempt<Option<T>> {
        let mut taken = self.enter(&mut take)?;
        if let Taken::Nothing { drives: true } = taken {
            taken = self.enter(take)?;
        }
        let Taken::Something(taken) = taken else { return Ok(None) };
        if self.input.waiting() > 0 {
            self.pass_on_input();
        }
        Ok(Some(taken))
    }

    /// One wake was for one message; if there are more, the next in line is to have them.
    #[cold]
    fn pass_on_input(self: &Arc<Self>) {
        self.enter(|state| {
            if state.has_in() {
                state.pipes.errands.wake_input = true;
                state.pipes.errands.mark();
            }
        });
    }

    pub(crate) fn why_nothing_came(self: &Arc<Self>, after: Option<Duration>) -> Why {
        let socket = self.socket_type;
        let unsubscribed = socket.resubscribes() && self.enter(|state| state.pattern.topics() == 0);
        if unsubscribed {
            Why::NoSubscription { socket, after }
        } else if socket.expects_reply_envelope() {
            Why::AwaitingReply { after }
        } else {
            Why::NoMessage { socket, after }
        }
    }
}

/// Why an attempt to send came to nothing.
pub(crate) enum Refused {
    /// It may come to something later.
    Now(Refusal),
    /// It never will.
    For(Box<Error>),
}

const _: () = assert!(size_of::<Result<(), Refused>>() <= 3 * size_of::<usize>());

impl From<Error> for Refused {
    #[cold]
    fn from(error: Error) -> Refused {
        Refused::For(Box::new(error))
    }
}

/// How an attempt to receive came out.
pub(crate) enum Taken<T> {
    Something(T),
    /// Nothing; whether leaving the lock drives an engine, after which there may be something.
    Nothing {
        drives: bool,
    },
}

/// What an attempt came to. The error is behind a pointer: what is answered for each message must be small.
pub(crate) type Attempt<T> = std::result::Result<T, Box<Error>>;

impl SocketState {
    #[inline]
    pub(crate) fn try_send(&mut self, held: &mut Option<Message>) -> Result<(), Refused> {
        self.alive()?;
        let Some(message) = held.as_ref() else { return Ok(()) };
        let Some(first) = message.first() else { return Err(Error::EmptyMessage.into()) };
        if self.socket_type.has_single_frames() {
            if message.len() > 1 && self.socket_type.sends() {
                return Err(self.too_many_frames().into());
            }
            self.pattern.address(message.routing_id());
            self.pattern.group(message.group());
        }
        if message.len() == 1 && self.socket_type.addresses() {
            return Err(Error::EmptyMessage.into());
        }
        match self.pattern.route(first, &mut self.pipes) {
            Ok(()) => {
                held.take().into_iter().for_each(|message| self.commit(message));
                Ok(())
            }
            Err(refusal) => Err(self.refuse(refusal)),
        }
    }

    #[cold]
    pub(crate) fn too_many_frames(&self) -> Error {
        Error::NotSupported { socket: self.socket_type, op: Op::Multipart }
    }

    /// Moves a message to where `route` chose.
    #[inline]
    pub(crate) fn commit(&mut self, message: Message) {
        self.pattern.commit(message, &mut self.pipes);
        self.accepted += 1;
        if self.pipes.unmatched != self.unmatched {
            self.note_unmatched();
        }
    }

    /// Nobody got the message: because nobody had subscribed to anything yet?
    #[cold]
    fn note_unmatched(&mut self) {
        let none_before = self.before_subscriptions == self.unmatched;
        self.unmatched = self.pipes.unmatched;
        if none_before && self.pattern.topics() == 0 {
            self.before_subscriptions = self.unmatched;
        }
    }

    /// Returns what a refusal means to the caller. Who may wait flushes first.
    #[cold]
    pub(crate) fn refuse(&mut self, refusal: Refusal) -> Refused {
        let socket = self.socket_type;
        let error = match refusal {
            Refusal::Full { .. } | Refusal::NoPeer => {
                self.flush_now();
                return Refused::Now(refusal);
            }
            Refusal::Unroutable(id) => Error::Unroutable { id, known: self.pipes.iter().count() },
            Refusal::WrongState => Error::WrongState { socket, next: Turn::Recv },
            Refusal::EmptyMessage => Error::EmptyMessage,
            Refusal::InvalidGroup => Error::Group(GroupError::Invalid),
            _ => Error::NotSupported { socket, op: Op::Send },
        };
        error.into()
    }

    /// Puts a message into `received` if there is one.
    #[inline]
    pub(crate) fn try_recv(&mut self, received: &mut Option<Message>) -> Attempt<Taken<()>> {
        self.alive()?;
        match self.pattern.recv(&mut self.pipes) {
            Ok(Some((pipe, message))) => {
                let message = received.insert(message);
                // A report of an XPUB or a STREAM is no message of its peer, and is signed only now.
                let reports = self.socket_type.publishes() || self.socket_type.is_raw();
                if reports && message.peer().is_none() {
                    message.set_peer(self.pipes.get(pipe).and_then(|entry| entry.peer.clone()));
                }
                Ok(Taken::Something(()))
            }
            Ok(None) => {
                self.flush_now();
                Ok(Taken::Nothing { drives: self.pipes.errands.drives() })
            }
            Err(refusal) => Err(self.why_not_received(&refusal)),
        }
    }

    #[cold]
    fn why_not_received(&self, refusal: &Refusal) -> Box<Error> {
        let socket = self.socket_type;
        Box::new(match refusal {
            Refusal::WrongState => Error::WrongState { socket, next: Turn::Send },
            _ => Error::NotSupported { socket, op: Op::Recv },
        })
    }
}
