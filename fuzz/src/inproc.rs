//! Sockets of all types over inproc, in one thread: an account of every message.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use zeroxide::{Context, Error, Frame, Message, Options, RoutingId, Socket, SocketType, opt};

use crate::feed::Feed;

const TYPES: [SocketType; 20] = [
    SocketType::Push,
    SocketType::Pull,
    SocketType::Dealer,
    SocketType::Router,
    SocketType::Pub,
    SocketType::Sub,
    SocketType::XPub,
    SocketType::XSub,
    SocketType::Req,
    SocketType::Rep,
    SocketType::Pair,
    SocketType::Server,
    SocketType::Client,
    SocketType::Radio,
    SocketType::Dish,
    SocketType::Scatter,
    SocketType::Gather,
    SocketType::Peer,
    SocketType::Channel,
    SocketType::Stream,
];

/// More would only make the script slow.
const SOCKETS: usize = 6;
const PLACES: usize = 4;
const NAMES: [&str; 4] = ["", "a", "ab", "b"];

thread_local! {
    static CONTEXT: Context = Context::new();
    /// Counts the scripts: the names of one are not those of the next.
    static SCRIPTS: Cell<u64> = const { Cell::new(0) };
}

struct Member {
    socket: Socket,
    /// Stands in each message that it sends, with the number of the message.
    serial: u32,
    next: u32,
    /// What it has received: sender and number.
    received: HashSet<(u32, u32)>,
    /// The last number of each sender.
    last: HashMap<u32, u32>,
    /// Names of peers that it has heard from.
    peers: Vec<Frame>,
    numbers: Vec<u32>,
}

struct Script {
    id: u64,
    members: Vec<Member>,
    serials: u32,
    /// Pairs of sockets that have had one pipe between them and no other: what goes through it is in order.
    pipes: HashMap<(u32, u32), u32>,
    bound: HashMap<usize, u32>,
    dialled: HashMap<(usize, u32), usize>,
    /// Something ended, so messages may be lost with it.
    ended: bool,
    accepted: u64,
    received: u64,
}

/// Runs a script. What arrives is whole and arrives once; between two sockets with one pipe it is in order; the
/// counters of each socket balance; and while nothing ends, what a type accepts that never drops is received or queued.
pub fn inproc(data: &[u8]) {
    let mut feed = Feed::new(data);
    let id = SCRIPTS.replace(SCRIPTS.get() + 1);
    let mut script = Script {
        id,
        members: Vec::new(),
        serials: 0,
        pipes: HashMap::new(),
        bound: HashMap::new(),
        dialled: HashMap::new(),
        ended: false,
        accepted: 0,
        received: 0,
    };
    // A script that may end things, and one that must not lose anything.
    let ends = feed.byte() & 1 == 1;
    while !feed.is_empty() {
        let verb = feed.byte();
        script.step(verb, ends, &mut feed);
    }
    script.finish();
}

impl Script {
    fn step(&mut self, verb: u8, ends: bool, feed: &mut Feed<'_>) {
        if verb % 16 == 0 || self.members.is_empty() {
            return self.open(feed);
        }
        let (at, place) = (feed.below(self.members.len()), feed.below(PLACES));
        match verb % 16 {
            1 | 2 => self.bind(at, place),
            3 | 4 => self.connect(at, place),
            5..8 => self.send(at, feed),
            8..11 => _ = self.recv(at),
            11 | 12 => self.change(at, feed),
            13 if ends => self.end_endpoint(at, place, feed.byte()),
            14 if ends => self.close(at),
            _ => {
                let events = self.members[at].socket.get(opt::EVENTS).unwrap();
                if events & 1 == 1 {
                    assert!(self.recv(at), "EVENTS promised a message");
                }
            }
        }
        for member in &self.members {
            member.balance();
        }
    }

    fn open(&mut self, feed: &mut Feed<'_>) {
        if self.members.len() >= SOCKETS {
            return;
        }
        let socket_type = feed.pick(&TYPES);
        let choices = feed.byte();
        let defaults = if choices & 1 == 0 { Options::new() } else { Options::with_libzmq_defaults() };
        let mut options = defaults
            .set(opt::SNDHWM, u32::from(choices >> 1 & 3))
            .set(opt::RCVHWM, u32::from(choices >> 3 & 3))
            .set(opt::LINGER, Some(Duration::ZERO));
        if choices & 32 != 0 && socket_type == SocketType::Dealer {
            options = options.set(opt::ROUTING_ID, NAMES[1]);
        }
        let socket = CONTEXT.with(|context| context.socket_with(socket_type, &options)).unwrap();
        self.serials += 1;
        self.members.push(Member {
            socket,
            serial: self.serials,
            next: 0,
            received: HashSet::new(),
            last: HashMap::new(),
            peers: Vec::new(),
            numbers: Vec::new(),
        });
    }

    fn endpoint(&self, place: usize) -> String {
        format!("inproc://{}-{place}", self.id)
    }

    fn bind(&mut self, at: usize, place: usize) {
        let member = &self.members[at];
        let taken = self.bound.contains_key(&place);
        match member.socket.bind(self.endpoint(place)) {
            Ok(_) => {
                assert!(!taken, "a name was bound twice");
                let serial = member.serial;
                self.bound.insert(place, serial);
                let dialled: Vec<u32> =
                    self.dialled.keys().filter(|(to, _)| *to == place).map(|(_, from)| *from).collect();
                dialled.into_iter().for_each(|from| self.join(from, serial));
            }
            Err(error) => {
                let raw = member.socket.socket_type().is_raw();
                assert!(taken || raw, "a free name was refused: {error}");
            }
        }
    }

    fn connect(&mut self, at: usize, place: usize) {
        let (endpoint, member) = (self.endpoint(place), &self.members[at]);
        let serial = member.serial;
        if self.dialled.contains_key(&(place, serial)) || member.socket.connect(endpoint).is_err() {
            return;
        }
        self.dialled.insert((place, serial), 1);
        if let Some(bound) = self.bound.get(&place).copied() {
            self.join(serial, bound);
        }
    }

    fn join(&mut self, a: u32, b: u32) {
        // A socket that is connected to itself has both ends.
        *self.pipes.entry((a.min(b), a.max(b))).or_default() += if a == b { 2 } else { 1 };
        let kind = |serial| {
            self.members.iter().find(|member| member.serial == serial).map(|m| m.socket.socket_type())
        };
        if let (Some(a), Some(b)) = (kind(a), kind(b)) {
            // What waits for a peer of the wrong type is lost when that is bound.
            self.ended |= !a.talks_to(b);
        }
    }

    fn send(&mut self, at: usize, feed: &mut Feed<'_>) {
        let member = &mut self.members[at];
        let kind = member.socket.socket_type();
        let (name, pads) = (feed.pick(&NAMES), feed.below(4));
        let body =
            [member.serial.to_be_bytes(), member.next.to_be_bytes(), (pads as u32).to_be_bytes()].concat();
        let mut message = Message::from(&body[..]);
        if kind.has_groups() {
            message = message.with_group(name);
        } else if kind.has_single_frames() {
            let number = feed.pick(&[&member.numbers[..], &[0]].concat());
            message = message.with_routing_id(number);
        } else {
            // Long ones too, which are not kept in place; none is empty, which would end an envelope.
            (0..pads).for_each(|pad| message.push_back(vec![pad as u8; 1 + 40 * pad]));
            message.push_front(name);
            if kind.addresses() {
                let peers = [&member.peers[..], &[Frame::from("a")]].concat();
                message.push_front(peers[feed.below(peers.len())].clone());
            }
        }
        let accepted = member.socket.stats().accepted;
        match member.socket.try_send(message.clone()) {
            Ok(()) => {
                member.next += 1;
                let routed_for_sure = matches!(
                    kind,
                    SocketType::Push | SocketType::Dealer | SocketType::Scatter | SocketType::Client
                );
                self.accepted += u64::from(routed_for_sure);
                assert_eq!(member.socket.stats().accepted, accepted + 1);
            }
            Err(refused) => {
                assert_eq!(refused.message, message, "a refused message was changed");
                assert_eq!(member.socket.stats().accepted, accepted);
            }
        }
    }

    fn recv(&mut self, at: usize) -> bool {
        let member = &mut self.members[at];
        let message = match member.socket.try_recv() {
            Ok(message) => message,
            Err(Error::WouldBlock(_) | Error::WrongState { .. } | Error::NotSupported { .. }) => {
                return false;
            }
            Err(error) => panic!("{error}"),
        };
        if message.routing_id() != 0 {
            member.numbers.push(message.routing_id());
        }
        if member.socket.socket_type().addresses() && message.len() > 1 {
            member.peers.push(message[0].clone());
        }
        let Some(body) = message.iter().position(|frame| frame.len() == 12) else { return true };
        let [serial, number, pads] =
            [0, 4, 8].map(|from| u32::from_be_bytes(message[body][from..from + 4].try_into().unwrap()));
        if !member.socket.socket_type().has_single_frames() {
            assert_eq!(
                message.len(),
                body + 1 + pads as usize,
                "not whole: {} got {message:?}",
                member.socket.socket_type()
            );
            let pad = |pad: usize| message[body + 1 + pad][..] == vec![pad as u8; 1 + 40 * pad];
            assert!((0..pads as usize).all(pad), "not what was sent");
        }
        let pair = (serial.min(member.serial), serial.max(member.serial));
        let alone = self.pipes.get(&pair) == Some(&1);
        let kind = member.socket.socket_type();
        // Who is connected to a publisher twice gets everything twice.
        let published = kind.peers().iter().any(|peer| peer.publishes());
        let new = member.received.insert((serial, number));
        assert!(new || (published && !alone), "{kind}: received twice");
        let last = member.last.insert(serial, number);
        if alone {
            assert!(last < Some(number), "out of order: from {serial} to {}", member.serial);
        }
        if matches!(member.socket.socket_type(), SocketType::Pull | SocketType::Gather) {
            self.received += 1;
        }
        true
    }

    fn change(&mut self, at: usize, feed: &mut Feed<'_>) {
        let (name, socket) = (feed.pick(&NAMES), &self.members[at].socket);
        let verb = feed.byte();
        let _ = match (socket.socket_type().has_groups(), verb & 1) {
            (true, 0) => socket.join(name),
            (true, _) => socket.leave(name),
            (false, 0) => socket.subscribe(name),
            (false, _) => socket.unsubscribe(name),
        };
        if verb & 6 == 6 {
            socket.set(opt::SNDHWM, u32::from(verb >> 4)).unwrap();
        }
    }

    fn end_endpoint(&mut self, at: usize, place: usize, verb: u8) {
        let (endpoint, member) = (self.endpoint(place), &self.members[at]);
        let serial = member.serial;
        if verb & 1 == 0 {
            let was = self.bound.get(&place) == Some(&serial);
            assert_eq!(member.socket.unbind(endpoint).is_ok(), was);
            if was {
                self.bound.remove(&place);
                self.ended = true;
            }
        } else {
            let was = self.dialled.contains_key(&(place, serial));
            let done = member.socket.disconnect(endpoint).is_ok();
            assert!(was || !done, "an end of what never was");
            self.ended |= done;
        }
        if self.ended {
            // What follows may come through another pipe.
            self.pipes.values_mut().for_each(|pipes| *pipes += 1);
        }
    }

    fn close(&mut self, at: usize) {
        let member = self.members.remove(at);
        drop(member.socket.close());
        self.ended = true;
        self.bound.retain(|_, serial| *serial != member.serial);
        self.dialled.retain(|(_, serial), _| *serial != member.serial);
        assert!(matches!(member.socket.try_recv(), Err(Error::Closed)));
    }

    fn finish(mut self) {
        while (0..self.members.len()).any(|at| self.recv(at)) {}
        for member in &self.members {
            member.balance();
        }
        self.all_arrived();
        for member in &self.members {
            drop(member.socket.close());
        }
    }

    /// PUSH and SCATTER drop nothing, and PULL and GATHER take all.
    fn all_arrived(&self) {
        let kinds: Vec<SocketType> = self.members.iter().map(|member| member.socket.socket_type()).collect();
        let other = |kind: &SocketType| {
            !matches!(kind, SocketType::Push | SocketType::Pull | SocketType::Scatter | SocketType::Gather)
        };
        if self.ended || kinds.iter().any(other) {
            return;
        }
        let queued: u64 = self.members.iter().map(|member| member.socket.stats().queued).sum();
        assert_eq!(self.accepted, self.received + queued, "lost, and nobody says so");
    }
}

impl Member {
    /// For every pipe, and summed over the socket: routed = written + dropped + queued.
    fn balance(&self) {
        let stats = self.socket.stats();
        let sum = stats.written + stats.dropped.routed() + stats.queued;
        assert_eq!(stats.routed, sum, "{}: {stats:?}", self.socket.socket_type());
        for pipe in &stats.pipes {
            assert_eq!(pipe.routed, pipe.written + pipe.dropped.routed() + pipe.queued, "{pipe:?}");
        }
        let ids = self.peers.iter().filter(|id| RoutingId::new(&id[..]).is_err());
        assert_eq!(ids.count(), 0, "a message of nobody");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn inproc(data in prop::collection::vec(any::<u8>(), 0..400)) {
            super::inproc(&data);
        }

        /// Few types, so that most sockets fit each other.
        #[test]
        fn inproc_pipelines(ops in prop::collection::vec((any::<u8>(), any::<u8>(), 0..4_u8, 0..2_u8), 0..150)) {
            let ops = ops.into_iter().map(|(verb, at, place, kind)| match verb % 16 {
                0 => vec![0, kind, at],
                _ => vec![verb, at, place, kind, place],
            });
            super::inproc(&[&[0][..], &ops.collect::<Vec<_>>().concat()].concat());
        }
    }
}
