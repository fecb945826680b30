//! The loop of a proxy: commands, one burst each way, and sleep when nothing was forwarded.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use zeroxide_zmtp::{Frame, Message};

use super::sockets::Sockets;
use super::stats::{ProxySide, ProxyStats, Size};
use super::steering::Steering;
use crate::error::{Error, Result, SendError, Turn};
use crate::poller::{Ready, readiness};
use crate::signal::{Signal, wait_interruptible};
use crate::socket::base::SocketBase;
use crate::socket::lead::{lead, note_awake};
use crate::socket::transfer::WaitLimit;

/// The most messages that are forwarded one way before the other way and the control socket have their turns (libzmq proxy.cpp,
/// `proxy_burst_size`).
const BURST: usize = 1000;

/// A running proxy.
pub(super) struct Forwarder {
    sockets: Sockets,
    steering: Arc<Steering>,
    stats: ProxyStats,
    /// The message that is held for the front, and the one for the back.
    held: [Option<Message>; 2],
    /// Whether messages can go to the front, and to the back.
    goes: [bool; 2],
    /// It runs for the C library: a signal of the system ends it, and it waits for its capture socket.
    interruptible: bool,
}

/// The result of a round.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Round {
    Moved,
    Stopped,
}

/// One direction, named after the socket that sends.
#[derive(Clone, Copy)]
enum To {
    Front,
    Back,
}

impl Forwarder {
    pub(super) fn new(sockets: Sockets, steering: Arc<Steering>, interruptible: bool) -> Forwarder {
        let (front, back) = (sockets.front.socket_type(), sockets.back.socket_type());
        // If both sides are the same socket, there is only one direction.
        let same = Arc::ptr_eq(sockets.front.base(), sockets.back.base());
        let goes = [!same && back.receives() && front.sends(), front.receives() && back.sends()];
        let (stats, held) = (ProxyStats::default(), [None, None]);
        Forwarder { sockets, steering, stats, held, goes, interruptible }
    }

    /// Forwards until it is stopped or a socket ends.
    pub(super) fn run(mut self) -> Result<ProxyStats> {
        let ended = self.forward();
        self.finish(ended)
    }

    /// Counts the messages that it holds as unsent, and returns the counts.
    pub(super) fn finish(&mut self, ended: Result<()>) -> Result<ProxyStats> {
        for to in [To::Front, To::Back] {
            let held = self.held[to as usize].take();
            let (_, side) = self.sides(to);
            side.held = 0;
            side.unsent += u64::from(held.is_some());
        }
        self.steering.tell(self.stats);
        ended.map(|()| self.stats)
    }

    /// Returns the sockets, to be passed to each round.
    pub(super) fn bases(&self) -> Vec<Arc<SocketBase>> {
        self.sockets.all().map(|socket| Arc::clone(socket.base())).collect()
    }

    fn forward(&mut self) -> Result<()> {
        let bases = self.bases();
        let steering = Arc::clone(&self.steering);
        let first = Arc::clone(&bases[0].context);
        let parkers = self.interruptible.then_some(&first.parkers);
        let signals: Vec<&Signal> =
            bases.iter().map(|base| &base.watch).chain(std::iter::once(&steering.orders)).collect();
        loop {
            // Each wake makes a round. After a round that has forwarded something, the next one follows at once.
            let mut round = || self.round(&bases).transpose();
            let found = round().or_else(|| lead(bases.iter(), None, &mut round));
            let slept = || {
                let found = wait_interruptible(parkers, &signals, None, round);
                note_awake(bases.iter());
                found
            };
            match found.map(Ok).or_else(slept) {
                Some(Ok(Ok(Round::Moved))) | None => {}
                Some(Ok(Ok(Round::Stopped))) => return Ok(()),
                Some(Ok(Err(error)) | Err(error)) => return Err(error),
            }
        }
    }

    /// Executes commands, and forwards one burst each way. Returns `None` if there was nothing to do.
    pub(super) fn round(&mut self, bases: &[Arc<SocketBase>]) -> Result<Option<Round>> {
        bases.iter().try_for_each(alive)?;
        self.obey()?;
        self.steering.look();
        if self.steering.is_stopped() {
            return Ok(Some(Round::Stopped));
        }
        if self.steering.is_paused() {
            return Ok(None);
        }
        let mut moved = false;
        for to in [To::Back, To::Front] {
            if self.goes[to as usize] {
                let burst = self.burst(to);
                self.steering.tell(self.stats);
                moved |= burst?;
            }
        }
        Ok(moved.then_some(Round::Moved))
    }

    /// Forwards messages one way. Returns whether there were any.
    fn burst(&mut self, to: To) -> Result<bool> {
        let (from_base, to_base) = match to {
            To::Front => (self.sockets.back.base(), self.sockets.front.base()),
            To::Back => (self.sockets.front.base(), self.sockets.back.base()),
        };
        let (from_base, to_base) = (Arc::clone(from_base), Arc::clone(to_base));
        let mut moved = false;
        for _ in 0..BURST {
            let held = self.held[to as usize].take();
            let message = match held {
                Some(message) => message,
                // A REP that is both sides cannot send before it has received.
                None if !Arc::ptr_eq(&from_base, &to_base) && !takes(&to_base)? => break,
                None if !self.capture_takes()? => break,
                None => match receive(&from_base)? {
                    Some(message) => self.received(message, to),
                    None => break,
                },
            };
            moved |= self.deliver(message, &to_base, to)?;
            if self.held[to as usize].is_some() {
                break;
            }
        }
        if moved {
            // The proxy may wait next, so the open batches leave now.
            to_base.enter(|state| state.flush_now());
        }
        Ok(moved)
    }

    /// Returns whether the proxy need not wait for the capture socket. Only the C library's proxy waits for it, as libzmq's does
    /// (proxy.cpp, `capture`).
    fn capture_takes(&self) -> Result<bool> {
        match self.sockets.capture.as_ref().filter(|_| self.interruptible) {
            Some(capture) => Ok(readiness(capture.base(), Ready::OUT)?.is_out()),
            None => Ok(true),
        }
    }

    /// Counts a received message, and sends a copy to the capture socket.
    fn received(&mut self, mut message: Message, to: To) -> Message {
        // The sender of the message is removed, as by a send in libzmq.
        message.set_peer(None);
        let size = Size::of(&message);
        let (from, _) = self.sides(to);
        from.received.add(size);
        if let Some(capture) = &self.sockets.capture {
            message.share();
            match capture.base().send(message.clone(), WaitLimit::None) {
                Ok(()) => self.stats.captured.add(size),
                Err(_) => self.stats.capture_dropped += 1,
            }
        }
        message
    }

    /// Sends, drops or holds a message. Returns whether it was sent or dropped.
    fn deliver(&mut self, message: Message, to_base: &Arc<SocketBase>, to: To) -> Result<bool> {
        let size = Size::of(&message);
        let addresses = to_base.socket_type.addresses();
        let sent = to_base.send(message, WaitLimit::None);
        let (_, side) = self.sides(to);
        side.held = 0;
        match sent {
            Ok(()) => side.sent.add(size),
            Err(SendError { error: Error::WouldBlock(_), .. }) if addresses => side.full += 1,
            Err(SendError { error, message }) => match error {
                Error::WouldBlock(_) | Error::WrongState { .. } => {
                    side.held = 1;
                    self.held[to as usize] = Some(message);
                    return Ok(false);
                }
                Error::Unroutable { .. } | Error::EmptyMessage => side.unroutable += 1,
                error => {
                    side.held = 1;
                    self.held[to as usize] = Some(message);
                    return Err(error);
                }
            },
        }
        Ok(true)
    }

    /// Returns the counts of the side that receives messages, and of the side that sends them.
    fn sides(&mut self, to: To) -> (&mut ProxySide, &mut ProxySide) {
        let ProxyStats { front, back, .. } = &mut self.stats;
        match to {
            To::Front => (back, front),
            To::Back => (front, back),
        }
    }

    /// Receives and executes the commands of the control socket.
    fn obey(&mut self) -> Result<()> {
        let Some(control) = self.sockets.control.as_ref().map(|socket| Arc::clone(socket.base())) else {
            return Ok(());
        };
        let answers = control.socket_type.answers();
        while !self.steering.is_stopped() {
            let Some(command) = receive(&control)? else { return Ok(()) };
            let answer = match Command::of(&command) {
                Some(Command::Pause) => {
                    self.steering.command_pause(true);
                    Message::from(Frame::new())
                }
                Some(Command::Resume) => {
                    self.steering.command_pause(false);
                    Message::from(Frame::new())
                }
                Some(Command::Terminate) => {
                    self.steering.command_stop();
                    Message::from(Frame::new())
                }
                Some(Command::Statistics) if control.socket_type.sends() => self.stats.to_message(),
                Some(Command::Statistics) | None => Message::from(Frame::new()),
            };
            if answers || answer.len() > 1 {
                // If the peer does not read its replies, this one is dropped.
                let _ = control.send(answer, WaitLimit::None);
            }
        }
        Ok(())
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.steering.end();
    }
}

/// A command of the control socket.
enum Command {
    Pause,
    Resume,
    Terminate,
    Statistics,
}

impl Command {
    /// Returns the command in a message, which must have exactly one frame.
    fn of(message: &Message) -> Option<Command> {
        let [frame] = message.iter().collect::<Vec<_>>()[..] else { return None };
        match &frame[..] {
            b"PAUSE" => Some(Command::Pause),
            b"RESUME" => Some(Command::Resume),
            b"TERMINATE" => Some(Command::Terminate),
            b"STATISTICS" => Some(Command::Statistics),
            _ => None,
        }
    }
}

/// Returns an error if the socket has ended.
fn alive(base: &Arc<SocketBase>) -> Result<()> {
    if base.gone.load(Ordering::SeqCst) { base.enter(|state| state.alive()) } else { Ok(()) }
}

/// Returns whether a side can take a message now. The proxy does not wait for a side that addresses its peers.
fn takes(base: &Arc<SocketBase>) -> Result<bool> {
    Ok(base.socket_type.addresses() || readiness(base, Ready::OUT)?.is_out())
}

/// Returns the next message of a socket, or `None` if there is none or the socket must send first.
fn receive(base: &Arc<SocketBase>) -> Result<Option<Message>> {
    match base.attempt_to_recv().map_err(|error| *error) {
        Err(Error::WrongState { next: Turn::Send, .. }) => Ok(None),
        received => received,
    }
}
