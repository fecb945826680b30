//! A link of two sockets, and its life: bursts of numbered messages, and between them the loss of a connection or a socket.
//!
//! One thread drives both ends, so it knows what must arrive. Each burst has a sender number of its own. Within it each message
//! arrives once at most, whole and in the order of its connection; if the link is up and nothing happens to it, all of them
//! arrive. Where the receiver sends replies, the replies keep the same rules.

use std::collections::VecDeque;
use std::mem;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use fastrand::Rng;
use zeroxide::{Mechanism, Message, Options, Socket, SocketType, opt};

use super::cable::Cable;
use super::end::{Address, End, GROUP, HELLO, Sent};
use super::ledger::Ledger;
use super::world::{Contexts, World};
use crate::numbered::{self, Number};
use crate::process::pass;
use crate::wire::LONG;

/// The high-water marks.
const HWM: u32 = 40;
/// Messages on their way at most, where a publisher would drop more or a reply would find no room.
const WINDOW: u64 = 20;
/// A wait for what is on its way.
const SHORT: Duration = Duration::from_millis(1);
/// Between two probes.
const PROBE: Duration = Duration::from_millis(5);

/// Which link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    /// The type of the end that sends.
    pub(super) from: SocketType,
    /// The type of the end that receives.
    pub(super) to: SocketType,
    /// Whether it sends every message back.
    pub(super) replies: bool,
    pub(super) transport: &'static str,
    pub(super) mechanism: Mechanism,
}

impl Kind {
    /// Whether its messages have one frame.
    fn is_single(self) -> bool {
        self.from.has_single_frames() || self.from.is_raw()
    }
}

/// A link that lives.
pub(super) struct Link<'a> {
    kind: Kind,
    name: String,
    world: &'a World,
    contexts: Contexts,
    rng: Rng,
    largest: usize,
    linger: Duration,
    from: End,
    to: End,
    /// Whether the end that sends is the one that binds.
    from_binds: bool,
    bound: String,
    /// Where the other end connects: `bound`, or the cable.
    reached: String,
    cable: Option<Cable>,
    sender: u32,
    there: Ledger,
    back: Ledger,
    replies: VecDeque<(Address, Message)>,
}

impl<'a> Link<'a> {
    /// Opens both ends.
    pub(super) fn open(world: &'a World, contexts: Contexts, kind: Kind, seed: u64) -> Result<Link<'a>> {
        let mut rng = Rng::with_seed(seed);
        let name = format!(
            "soak.{}_{}.{}.{}.{seed}",
            kind.from.name(),
            kind.to.name(),
            kind.transport,
            kind.mechanism
        );
        let (from_binds, number) = (rng.bool(), world.number());
        let linger = Duration::from_millis(if rng.bool() { 0 } else { 20 });
        let types = if from_binds { (kind.from, kind.to) } else { (kind.to, kind.from) };
        let binder = Self::make(world, &contexts, kind, types.0, true, linger)?;
        let bound = match kind.transport {
            "tcp" => "tcp://127.0.0.1:*".to_owned(),
            "ipc" => format!("ipc://{}", world.folder.join(number.to_string()).display()),
            _ => format!("inproc://{number}"),
        };
        let bound = binder.bind(&bound)?.to_string();
        let connecter = Self::make(world, &contexts, kind, types.1, false, linger)?;
        let cable = match kind.transport {
            "inproc" => None,
            _ if rng.bool() => None,
            _ => Some(Cable::lay(&bound, &world.folder, number)?),
        };
        let reached = cable.as_ref().map_or(bound.clone(), |cable| cable.endpoint.clone());
        connecter.connect(&reached)?;
        let (from, to) = if from_binds { (binder, connecter) } else { (connecter, binder) };
        let (from, to) = (End::new(from), End::new(to));
        let largest = if rng.u8(..) < 64 { 1 << 20 } else { 0 };
        let (there, back, replies) = (Ledger::default(), Ledger::default(), VecDeque::new());
        #[rustfmt::skip]
        return Ok(Link {
            kind, name, world, contexts, rng, largest, linger, from, to, from_binds, bound, reached, cable, sender: 0,
            there, back, replies,
        });
    }

    /// Makes the socket of one end.
    fn make(
        world: &World,
        contexts: &Contexts,
        kind: Kind,
        socket_type: SocketType,
        binds: bool,
        linger: Duration,
    ) -> Result<Socket> {
        let mut options: Options = world.options(kind.mechanism, binds)?;
        options = options.set(opt::SNDHWM, HWM).set(opt::RCVHWM, HWM).set(opt::LINGER, Some(linger));
        if socket_type == SocketType::Req {
            options = options.set(opt::REQ_RELAXED, true).set(opt::REQ_CORRELATE, true);
        }
        if socket_type == SocketType::Peer {
            options = options.set(opt::HELLO_MSG, Some(HELLO.to_vec().into()));
        }
        let theirs = !binds && kind.transport != "inproc";
        let context = if theirs { &contexts.theirs } else { &contexts.ours };
        let socket = context.socket_with(socket_type, &options)?;
        match socket_type {
            SocketType::Sub => socket.subscribe("")?,
            SocketType::XSub => socket.send(&[1])?,
            SocketType::Dish => socket.join(GROUP)?,
            _ => {}
        }
        Ok(socket)
    }

    /// Plays the whole life. What is not as it must be is told to the world.
    pub(super) fn play(mut self, events: usize) -> Result<()> {
        let result = self.live(events).with_context(|| self.name.clone());
        self.world.count_messages(self.there.received + self.back.received);
        for (way, ledger) in [("there", &self.there), ("back", &self.back)] {
            ledger
                .faults
                .iter()
                .for_each(|fault| self.world.violation(&self.name, &format!("{way}: {fault}")));
        }
        for socket in [self.from.socket, self.to.socket] {
            if socket.close().wait_timeout(LONG).is_err() {
                self.world.violation(&self.name, "a socket does not close");
            }
        }
        result
    }

    fn live(&mut self, events: usize) -> Result<()> {
        for _ in 0..events {
            if !self.reach()? || !self.burst()? {
                return Ok(());
            }
            self.disturb()?;
            self.world.count_reconnect();
        }
        let _ = self.reach()? && self.burst()?;
        Ok(())
    }

    /// Sends probes until one arrives, with its reply, and each end has one peer; then once more: the first one may have waited in
    /// a queue for the new connection, ahead of its subscriptions. From then on nothing may be lost.
    fn reach(&mut self) -> Result<bool> {
        let start = Instant::now();
        self.sender += 1;
        let (mut next, mut first) = (0, None);
        while start.elapsed() < LONG {
            let probe = numbered::single(self.number(next), 0, &mut self.rng);
            self.there.sent(self.sender, next + 1);
            self.back.sent(self.sender, next + 1);
            next += u64::from(matches!(self.from.send(probe)?, Sent::Yes));
            let sent = Instant::now();
            while sent.elapsed() < PROBE {
                let _ = self.receive(SHORT)? | self.reply()? | self.receive_reply(Duration::ZERO)?;
                if self.is_reached(first.unwrap_or(0)) {
                    if first.is_some() {
                        return Ok(true);
                    }
                    first = Some(next);
                    break;
                }
            }
        }
        self.world.violation(&self.name, &format!("not reached again within {LONG:?}: {}", self.state()));
        Ok(false)
    }

    /// Whether this probe or a later one has arrived, and its reply, and each end has one peer.
    fn is_reached(&self, probe: u64) -> bool {
        let arrived = |ledger: &Ledger| ledger.last(self.sender).is_some_and(|last| last >= probe);
        arrived(&self.there)
            && (!self.kind.replies || arrived(&self.back))
            && one_peer(&self.from.socket)
            && one_peer(&self.to.socket)
    }

    /// Sends a burst. The receiver may be slow: it waits until the sender has no room. A part of the bursts is left on its way.
    fn burst(&mut self) -> Result<bool> {
        self.sender += 1;
        let (count, slow, whole) = (self.rng.u64(5..100), self.rng.bool(), self.rng.u8(..) < 170);
        let window = match self.kind.from {
            SocketType::Req => 1,
            from if from.publishes() || self.kind.replies => WINDOW,
            _ => u64::MAX,
        };
        self.there.sent(self.sender, count);
        self.back.sent(self.sender, count);
        let (mut sent, mut held, mut last_move) = (0, None, Instant::now());
        loop {
            let mut moved = false;
            let done =
                if self.kind.replies { self.back.count(self.sender) } else { self.there.count(self.sender) };
            if done == count || (!whole && sent == count) {
                return Ok(true);
            }
            let message =
                held.take().or_else(|| (sent < count && sent - done < window).then(|| self.message(sent)));
            if let Some(message) = message {
                match self.from.send(message)? {
                    Sent::Yes => (sent, moved) = (sent + 1, true),
                    Sent::NotNow(message) => held = Some(message),
                    Sent::Gone => bail!("the peer is gone, and nobody ended it: {}", self.state()),
                }
            }
            if !moved || !slow {
                let limit = if moved { Duration::ZERO } else { SHORT };
                moved |= self.receive(limit)? | self.reply()?;
                moved |= self.receive_reply(if moved { Duration::ZERO } else { SHORT })?;
            }
            if moved {
                last_move = Instant::now();
            } else if last_move.elapsed() > LONG {
                let what =
                    format!("burst {}: {sent} of {count} sent, {done} done: {}", self.sender, self.state());
                self.world.violation(&self.name, &what);
                return Ok(false);
            }
        }
    }

    /// Ends a connection or a socket, and makes it anew.
    fn disturb(&mut self) -> Result<()> {
        match (self.rng.u8(0..4), &self.cable) {
            (0 | 1, Some(cable)) => cable.cut(),
            (0, None) | (2, _) => self.connect_again(),
            (1, None) => self.open_again(false),
            _ if self.kind.transport == "inproc" => self.open_again(false),
            _ => self.open_again(true),
        }
    }

    /// Disconnects and connects.
    fn connect_again(&mut self) -> Result<()> {
        let both = (self.to.socket.clone(), self.from.socket.clone());
        let (this, other) = if self.from_binds { both } else { (both.1, both.0) };
        this.disconnect(&self.reached)?;
        // What the other end sends on the old connection could still arrive, and nothing would tell it from the new one.
        let start = Instant::now();
        while other.wait_for_peers(1, Duration::ZERO).is_ok() {
            ensure!(start.elapsed() < LONG, "a peer that disconnected is still there: {}", self.state());
            // Who has no room does not see the end of the stream.
            if !self.receive(SHORT)? && !self.receive_reply(Duration::ZERO)? {
                pass(SHORT);
            }
        }
        this.connect(&self.reached)?;
        self.forget_replies();
        Ok(())
    }

    /// Replies to a connection that is over are not sent on the next one, where they could overtake what lingers. A REP has to
    /// send the one that it owes.
    fn forget_replies(&mut self) {
        if !self.to.socket.socket_type().answers() {
            self.replies.clear();
        }
    }

    /// Closes one end and opens a new one.
    fn open_again(&mut self, binder: bool) -> Result<()> {
        let is_from = self.from_binds == binder;
        let socket_type = if is_from { self.kind.from } else { self.kind.to };
        let socket = Self::make(self.world, &self.contexts, self.kind, socket_type, binder, self.linger)?;
        let new = End::new(socket.clone());
        let old = mem::replace(if is_from { &mut self.from } else { &mut self.to }, new);
        if old.socket.close().wait_timeout(LONG).is_err() {
            bail!("a socket does not close within {LONG:?}");
        }
        self.forget_replies();
        if !is_from {
            self.replies.clear();
        }
        if !binder {
            socket.connect(&self.reached)?;
            return Ok(());
        }
        // On tcp a new port: somebody else may have the old one by now.
        let at = if self.kind.transport == "tcp" { "tcp://127.0.0.1:*" } else { &self.bound };
        let bound = socket.bind(at)?.to_string();
        if let Some(cable) = &self.cable {
            cable.point_to(&bound)?;
        } else {
            let other = if self.from_binds { &self.to } else { &self.from };
            other.socket.disconnect(&self.reached)?;
            other.socket.connect(&bound)?;
            self.reached.clone_from(&bound);
        }
        self.bound = bound;
        Ok(())
    }

    fn number(&self, seq: u64) -> Number {
        Number { sender: self.sender, seq }
    }

    fn message(&mut self, seq: u64) -> Message {
        let number = self.number(seq);
        let single = self.kind.is_single() || self.rng.bool();
        (if single { numbered::single } else { numbered::make })(number, self.largest, &mut self.rng)
    }

    /// Receives what is there, one message, and keeps it if it has to go back.
    fn receive(&mut self, limit: Duration) -> Result<bool> {
        let received = match self.to.whole() {
            Some(message) => Some((Address::Only, message)),
            None => self.to.take(limit)?,
        };
        let Some((from, message)) = received else { return Ok(false) };
        self.there.take(&message);
        if self.kind.replies {
            self.replies.push_back((from, message));
        }
        Ok(true)
    }

    /// Sends one message back.
    fn reply(&mut self) -> Result<bool> {
        let Some((peer, message)) = self.replies.pop_front() else { return Ok(false) };
        if let Sent::NotNow(message) = self.to.send_to(&peer, message)? {
            self.replies.push_front((peer, message));
            return Ok(false);
        }
        Ok(true)
    }

    /// Receives what came back. A STREAM learns here who is there.
    fn receive_reply(&mut self, limit: Duration) -> Result<bool> {
        let Some((_, message)) = self.from.take(if self.kind.replies { limit } else { Duration::ZERO })?
        else {
            return Ok(false);
        };
        self.back.take(&message);
        Ok(true)
    }

    fn state(&self) -> String {
        format!("{}\n{}", self.from.socket.status(), self.to.socket.status())
    }
}

/// Whether there is one peer, neither none nor a former one beside it.
fn one_peer(socket: &Socket) -> bool {
    let at_least = |n| socket.wait_for_peers(n, Duration::ZERO).is_ok();
    at_least(1) && !at_least(2)
}
