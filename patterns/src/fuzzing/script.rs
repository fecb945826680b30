//! Scripts for a socket of any type, beside the rules that all types have in common.
//!
//! What a peer sends arrives in order and once, if it arrives. What it receives is in order and once. A PUB or XPUB
//! sends to exactly those whose subscriptions match; what a SUB tells its peers is what it has subscribed to. No credit
//! leaks. [`FakePipes`](crate::fake::FakePipes) checks the contract of `Pipes`.

use std::collections::BTreeSet;

use zeroxide_zmtp::{Frame, Message, SocketType, Traffic};

use crate::fake::Rig;
use crate::{Pattern, PatternOptions, PipeId};

const TYPES: [SocketType; 20] = [
    SocketType::XPub,
    SocketType::Pub,
    SocketType::Sub,
    SocketType::XSub,
    SocketType::Req,
    SocketType::Rep,
    SocketType::Stream,
    SocketType::Server,
    SocketType::Client,
    SocketType::Radio,
    SocketType::Dish,
    SocketType::Gather,
    SocketType::Scatter,
    SocketType::Peer,
    SocketType::Channel,
    SocketType::Router,
    SocketType::Dealer,
    SocketType::Pair,
    SocketType::Push,
    SocketType::Pull,
];

/// More would only make the model slow.
const PEERS: usize = 6;

/// Topics, groups and routing ids.
const NAMES: [&str; 8] = ["", "a", "ab", "abc", "b", "ba", "x", "ax"];

struct Peer {
    pipe: PipeId,
    serial: u32,
    connected: bool,
    /// Its handshake is over, now or before.
    established: bool,
    lost: bool,
    left: bool,
    next_sent: u32,
    last_received: Option<u32>,
    last_taken: Option<u32>,
    /// What it has subscribed to, and what this side has subscribed to at it.
    subscribed: BTreeSet<&'static str>,
    told: BTreeSet<Vec<u8>>,
}

struct Script {
    socket_type: SocketType,
    rig: Rig,
    plain: bool,
    peers: Vec<Peer>,
    serials: u32,
    next: u32,
    own: Vec<&'static str>,
}

/// Runs a script on the type that `select` chooses.
pub(super) fn run(select: u8, data: &[u8]) {
    let Some(([low, high], data)) = data.split_first_chunk() else { return };
    let socket_type = TYPES[usize::from(select) % TYPES.len()];
    let bits = u16::from_le_bytes([*low, *high]);
    // Half of the scripts run with the defaults, for which the model knows who gets what.
    let plain = *high < 0x80;
    let mut rig = Rig::new(socket_type);
    if !plain {
        rig.configure(|options| configure(options, bits));
    }
    let mut script =
        Script { socket_type, rig, plain, peers: Vec::new(), serials: 0, next: 0, own: Vec::new() };
    for pair in data.chunks_exact(2) {
        script.step(pair[0], usize::from(pair[1]));
        script.detach_the_dead();
        assert_eq!(script.rig.pipes.reserved(), 0, "credit leaked");
    }
    script.finish();
}

fn configure(options: &mut PatternOptions, bits: u16) {
    let on = |bit: u16| bits >> bit & 1 == 1;
    *options = PatternOptions {
        router_mandatory: on(0),
        router_handover: on(1),
        router_raw: on(2),
        probe_router: on(3),
        req_correlate: on(4),
        req_relaxed: on(5),
        xpub_verbose: on(6),
        xpub_verboser: on(7),
        xpub_manual: on(8),
        xpub_manual_last_value: on(8) && on(9),
        xpub_nodrop: on(10),
        xpub_welcome_msg: on(11).then(|| "welcome".into()),
        max_subscriptions: u32::from(on(12)) * 3,
        max_subscription_bytes: on(13).then_some(4),
        xsub_verbose_unsubscribe: on(14),
        only_first_subscribe: on(0),
        invert_matching: on(1),
        stream_notify: !on(2),
    };
}

impl Script {
    /// A call that changes whose turn it is, or who is subscribed, says so to those who wait.
    fn step(&mut self, verb: u8, amount: usize) {
        let (before, told) = (self.awaited(), self.rig.pipes.changes);
        self.act(verb, amount);
        let is_call = matches!(verb % 16, 8..=13 | 15);
        if is_call && self.awaited() != before {
            assert!(self.rig.pipes.changes > told, "nobody looks again");
        }
    }

    /// What others may wait for beside news of the pipes.
    fn awaited(&self) -> (Option<bool>, Vec<usize>) {
        let pattern = &self.rig.pattern;
        (pattern.may_send(), NAMES.iter().map(|name| pattern.subscribers(name.as_bytes())).collect())
    }

    fn act(&mut self, verb: u8, amount: usize) {
        match verb % 16 {
            0 => self.attach(false, amount),
            1 => self.attach(true, amount),
            2 => self.reconnect(amount),
            3 | 4 => self.deliver(amount),
            5 => self.deliver_request(amount),
            6 | 7 => self.take(amount),
            8..11 => self.send(amount),
            11 | 12 => _ = self.recv(),
            13 => {
                if self.rig.has_in() {
                    assert!(self.recv(), "has_in promised a message");
                }
                self.rig.has_out();
            }
            14 => self.leave(amount),
            _ => self.change_own(amount),
        }
    }

    fn peer(&self, amount: usize) -> Option<usize> {
        (!self.peers.is_empty()).then(|| amount % self.peers.len()).filter(|at| !self.peers[*at].left)
    }

    fn attach(&mut self, connected: bool, amount: usize) {
        if self.peers.len() >= PEERS {
            return;
        }
        let (hwm, id) = (amount % 4, NAMES[amount / 4 % NAMES.len()].as_bytes());
        let pipe = if connected {
            self.rig.connect_as(hwm, (amount >= 128 && !id.is_empty()).then_some(id)).ok()
        } else {
            self.rig.pattern.occupants(id).is_empty().then(|| self.rig.accept_as(hwm, id))
        };
        let Some(pipe) = pipe else { return };
        self.serials += 1;
        self.peers.push(Peer {
            pipe,
            serial: self.serials,
            connected,
            established: !connected,
            lost: false,
            left: false,
            next_sent: 0,
            last_received: None,
            last_taken: None,
            subscribed: BTreeSet::new(),
            told: BTreeSet::new(),
        });
    }

    /// A connecting endpoint gets its peer, loses it, or gets the next.
    fn reconnect(&mut self, amount: usize) {
        let Some(at) = self.peer(amount).filter(|at| self.peers[*at].connected) else { return };
        let pipe = self.peers[at].pipe;
        let id = NAMES[amount / 8 % NAMES.len()].as_bytes();
        if self.peers[at].established && !self.peers[at].lost {
            self.peers[at].lost = true;
            return self.rig.lose(pipe);
        }
        let again = self.peers[at].established;
        let occupied = self.rig.pattern.occupants(id).iter().any(|occupant| *occupant != pipe);
        if occupied || (again && self.socket_type.has_pipe_per_connection()) {
            return;
        }
        if again {
            self.rig.deliver_traffic(pipe, Traffic::NextConnection);
        }
        self.rig.establish(pipe, id);
        let peer = &mut self.peers[at];
        (peer.established, peer.lost) = (true, false);
        peer.subscribed.clear();
    }

    /// A peer sends a message, in the form that the type expects of its peers.
    fn deliver(&mut self, amount: usize) {
        let Some(at) = self.peer(amount).filter(|at| self.peers[*at].established && !self.peers[*at].lost)
        else {
            return;
        };
        let peer = &mut self.peers[at];
        let body = [peer.serial.to_be_bytes(), peer.next_sent.to_be_bytes()].concat();
        peer.next_sent += 1;
        let name = NAMES[amount / PEERS % NAMES.len()];
        let mut message = Message::from(&body[..]);
        if self.socket_type.has_groups() {
            message = message.with_group(name);
        } else if !self.socket_type.has_single_frames() && !self.socket_type.is_raw() {
            message.push_front(name);
        }
        self.rig.deliver(peer.pipe, message);
    }

    /// A peer subscribes, joins, or ends that.
    fn deliver_request(&mut self, amount: usize) {
        let Some(at) = self.peer(amount).filter(|at| self.peers[*at].established && !self.peers[*at].lost)
        else {
            return;
        };
        let name = NAMES[amount / 2 % NAMES.len()];
        let ends = amount & 1 == 1;
        let frame = Frame::from(name);
        let traffic = match (self.socket_type.has_groups(), ends) {
            (true, false) => Traffic::Join(frame),
            (true, true) => Traffic::Leave(frame),
            (false, false) => Traffic::Subscribe(frame),
            (false, true) => Traffic::Cancel(frame),
        };
        let peer = &mut self.peers[at];
        if ends {
            peer.subscribed.remove(name)
        } else {
            peer.subscribed.insert(name)
        };
        self.rig.deliver_traffic(peer.pipe, traffic);
    }

    fn take(&mut self, amount: usize) {
        let Some(at) = self.peer(amount) else { return };
        let pipe = self.peers[at].pipe;
        let Some(traffic) = self.rig.take_traffic(pipe) else { return };
        let peer = &mut self.peers[at];
        match traffic {
            Traffic::Message(message) => {
                let Some(number) = message.iter().last().and_then(number) else { return };
                assert!(peer.last_taken < Some(number), "doubled or reordered");
                peer.last_taken = Some(number);
            }
            Traffic::Subscribe(name) | Traffic::Join(name) => _ = peer.told.insert(name.to_vec()),
            Traffic::Cancel(name) | Traffic::Leave(name) => _ = peer.told.remove(&name[..]),
            Traffic::NextConnection => panic!("no pattern writes that"),
        }
    }

    fn send(&mut self, amount: usize) {
        let name = NAMES[amount / 8 % NAMES.len()];
        let body = [b"body", &self.next.to_be_bytes()[..]].concat();
        let mut message = Message::from(&body[..]);
        if self.socket_type.has_groups() {
            self.rig.pattern.group(name.as_bytes());
            message = message.with_group(name);
        } else if self.socket_type.addresses() {
            let id =
                self.peer(amount).and_then(|at| self.rig.pattern.routing_id(self.peers[at].pipe).cloned());
            message.push_front(id.map_or_else(|| name.into(), |id| Frame::copy_from(id.as_bytes())));
        } else if !self.socket_type.has_single_frames() {
            message.push_front(name);
        }
        let number = self.peer(amount).map_or(0, |at| self.rig.pattern.number(self.peers[at].pipe));
        self.rig.address(number);
        if self.rig.route(&message).is_err() {
            return assert_eq!(self.rig.pipes.reserved(), 0, "a refused message has changed nothing");
        }
        self.next += 1;
        let expected = self.expected(name);
        let before = self.queued();
        self.rig.commit(message);
        if let Some(expected) = expected {
            let got = self.queued().into_iter().zip(before).map(|(after, before)| after - before);
            assert_eq!(got.collect::<Vec<_>>(), expected, "published to others than the subscribers");
        }
    }

    /// How many copies of a published message each peer must get, where the model knows.
    fn expected(&mut self, name: &str) -> Option<Vec<usize>> {
        if !self.plain || !self.socket_type.publishes() || self.socket_type.has_groups() {
            return None;
        }
        let pipes = &mut self.rig.pipes;
        self.peers
            .iter()
            .map(|peer| {
                let end = pipes.get(peer.pipe);
                let queued = end.output.iter().filter(|traffic| traffic.is_message()).count();
                let room = !end.gone && !end.closed && (end.hwm == 0 || queued < end.hwm);
                let wants = peer.subscribed.iter().any(|topic| name.starts_with(topic));
                // What has not been read yet is not known.
                end.input.is_empty().then_some(usize::from(room && wants))
            })
            .collect()
    }

    fn queued(&mut self) -> Vec<usize> {
        let pipes = &mut self.rig.pipes;
        let messages = |pipe| pipes.get(pipe).output.iter().filter(|traffic| traffic.is_message()).count();
        self.peers.iter().map(|peer| peer.pipe).map(messages).collect()
    }

    fn recv(&mut self) -> bool {
        let Ok(Some(message)) = self.rig.recv() else { return false };
        let Some(body) = message.iter().last().filter(|body| body.len() == 8) else { return true };
        let serial = u32::from_be_bytes(body[..4].try_into().expect("4 bytes"));
        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.serial == serial) {
            let number = number(body);
            assert!(peer.last_received < number, "doubled or reordered");
            peer.last_received = number;
        }
        true
    }

    fn leave(&mut self, amount: usize) {
        let Some(at) = self.peer(amount) else { return };
        self.peers[at].left = true;
        let pipe = self.peers[at].pipe;
        if self.rig.pipes.get(pipe).input.is_empty() {
            self.rig.kill(pipe);
        } else {
            self.rig.end(pipe);
        }
    }

    /// The application subscribes or joins, or ends that.
    fn change_own(&mut self, amount: usize) {
        let name = NAMES[amount / 2 % NAMES.len()];
        let ends = amount & 1 == 1;
        let done = match (self.socket_type.has_groups(), ends) {
            (true, false) => self.rig.join(name),
            (true, true) => self.rig.leave(name),
            (false, false) => self.rig.pattern.subscribe(name.as_bytes(), &mut self.rig.pipes),
            (false, true) => self.rig.pattern.unsubscribe(name.as_bytes(), &mut self.rig.pipes),
        };
        if done.is_err() {
            return;
        }
        match (ends, self.own.iter().position(|own| *own == name)) {
            (false, _) => self.own.push(name),
            (true, Some(at)) => _ = self.own.remove(at),
            (true, None) => {}
        }
    }

    fn detach_the_dead(&mut self) {
        for at in (0..self.peers.len()).rev() {
            let pipe = self.peers[at].pipe;
            if self.peers[at].left && self.rig.pipes.get(pipe).input.is_empty() {
                self.rig.detach(pipe);
                self.peers.remove(at);
            }
        }
    }

    fn finish(mut self) {
        for at in 0..self.peers.len() {
            while self.rig.pipes.get(self.peers[at].pipe).output.front().is_some() {
                self.take(at);
                if self.peers[at].left {
                    break;
                }
            }
        }
        let subscribes = matches!(self.socket_type, SocketType::Sub | SocketType::Dish);
        let own: BTreeSet<Vec<u8>> = self.own.iter().map(|name| name.as_bytes().to_vec()).collect();
        for peer in self.peers.iter().filter(|peer| !peer.connected && !peer.left) {
            assert!(!subscribes || !self.plain || peer.told == own, "a peer was told something else");
        }
        for peer in std::mem::take(&mut self.peers) {
            self.rig.kill(peer.pipe);
            self.rig.detach(peer.pipe);
            assert!(NAMES.iter().all(|name| self.rig.pattern.find(name.as_bytes()) != Some(peer.pipe)));
        }
        assert_eq!(self.rig.pipes.reserved(), 0, "credit leaked");
    }
}

/// Returns the number at the end of a body.
fn number(body: &Frame) -> Option<u32> {
    Some(u32::from_be_bytes(*body.last_chunk()?)).filter(|_| body.len() == 8)
}
