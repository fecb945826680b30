//! Random operations on the types that move each message to or from one peer, against a small model.
//!
//! In any order of operations: no message is lost, duplicated or reordered within a pipe; every accepted message was
//! taken by a peer, is queued, was queued for a peer that left, or is counted as dropped; no peer is served twice while
//! another waits; and no credit leaks.

use std::collections::HashMap;

use zeroxide_zmtp::{Frame, Message, SocketType, Traffic};

use crate::fake::Rig;
use crate::{Cause, Pattern, PipeId, Refusal};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Attach {
        hwm: usize,
    },
    /// The peer is gone for good; its pipe is detached once its input is read.
    Leave(usize),
    /// This peer sends a message to the socket.
    Deliver(usize),
    /// This peer receives the next message from its pipe.
    Take(usize),
    /// The socket sends a message. The number is the peer for a type that sends by routing id.
    Send(usize),
    /// The peer leaves between the two steps of sending.
    SendInto {
        peer: usize,
        leaving: usize,
    },
    Recv,
    HasIn,
    HasOut,
}

/// One peer in the test. Its name is in every message that it sends.
struct Peer {
    pipe: PipeId,
    name: u32,
    left: bool,
    /// The number in the next message that the peer sends.
    next_sent: u32,
    /// The number in the next message of the peer that the socket must return.
    next_received: u32,
    /// The number in the last message that the peer has received.
    last_taken: Option<u32>,
}

struct Model {
    rig: Rig,
    /// Whether the first frame is the peer's routing id, when sent and when received (ROUTER).
    addressed: bool,
    peers: Vec<Peer>,
    /// The last name that a peer was given.
    names: u32,
    /// How many messages the socket has accepted. This is also the number in its next message.
    accepted: u32,
    /// How many messages the peers have received.
    taken: usize,
    /// How many messages were still queued for peers that left.
    lost_in_queue: usize,
    /// How often each peer was served while each other one waited: `[served][waiting]`.
    out_turns: HashMap<(u32, u32), u32>,
    in_turns: HashMap<(u32, u32), u32>,
}

impl Model {
    fn new(socket_type: SocketType) -> Model {
        Model {
            rig: Rig::new(socket_type),
            addressed: socket_type == SocketType::Router,
            peers: Vec::new(),
            names: 0,
            accepted: 0,
            taken: 0,
            lost_in_queue: 0,
            out_turns: HashMap::new(),
            in_turns: HashMap::new(),
        }
    }

    fn step(&mut self, op: Op) {
        match op {
            Op::Attach { hwm } if self.peers.len() < 5 => self.attach(hwm),
            Op::Leave(at) => self.leave(at),
            Op::Deliver(at) => self.deliver(at),
            Op::Take(at) => self.take(at),
            Op::Send(at) => self.send(at, None),
            Op::SendInto { peer, leaving } => self.send(peer, Some(leaving)),
            Op::Recv => _ = self.recv(),
            Op::HasIn => {
                if self.rig.has_in() {
                    assert!(self.recv(), "has_in promised a message");
                }
            }
            Op::HasOut => {
                let promised = self.rig.has_out();
                let accepted = self.accepted;
                self.send(0, None);
                assert!(self.addressed || promised == (self.accepted > accepted));
            }
            Op::Attach { .. } => {}
        }
        self.detach_the_dead();
        assert_eq!(self.rig.pipes.reserved(), 0, "credit leaked at {op:?}");
    }

    fn attach(&mut self, hwm: usize) {
        self.names += 1;
        let name = self.names;
        if !self.rig.pattern.occupants(&name.to_be_bytes()).is_empty() {
            return; // a second peer of a PAIR is refused
        }
        let pipe = self.rig.accept_as(hwm, &name.to_be_bytes());
        self.peers.push(Peer { pipe, name, left: false, next_sent: 0, next_received: 0, last_taken: None });
    }

    fn leave(&mut self, at: usize) {
        if let Some(peer) = self.peers.get_mut(at) {
            peer.left = true;
            self.rig.kill(peer.pipe);
        }
    }

    fn detach_the_dead(&mut self) {
        for at in (0..self.peers.len()).rev() {
            let pipe = self.peers[at].pipe;
            let end = self.rig.pipes.get(pipe);
            if self.peers[at].left && end.input.is_empty() {
                self.lost_in_queue += end.output.len();
                self.rig.detach(pipe);
                self.peers.remove(at);
            }
        }
    }

    fn deliver(&mut self, at: usize) {
        let Some(peer) = self.peers.get_mut(at).filter(|peer| !peer.left) else { return };
        if self.rig.pipes.get(peer.pipe).input.is_empty() {
            let name = peer.name;
            self.in_turns.retain(|(_, waiting), _| *waiting != name);
        }
        let message = (&peer.name.to_be_bytes(), &peer.next_sent.to_be_bytes());
        peer.next_sent += 1;
        self.rig.deliver(peer.pipe, (Frame::from(message.0), Frame::from(message.1)));
    }

    fn recv(&mut self) -> bool {
        let waiting: Vec<u32> = self.waiting_for_recv();
        let Some(mut message) = self.rig.recv().expect("it can receive") else {
            assert!(waiting.is_empty(), "input waits and recv gives nothing");
            return false;
        };
        if self.addressed {
            assert_eq!(message.pop_front(), message.first().cloned(), "signed with the sender's name");
        }
        let [name, number] = numbers(&message);
        if let Some(peer) = self.peers.iter_mut().find(|peer| peer.name == name) {
            assert_eq!(number, peer.next_received, "lost, doubled or reordered");
            peer.next_received += 1;
        }
        serve(&mut self.in_turns, name, &waiting);
        true
    }

    fn waiting_for_recv(&mut self) -> Vec<u32> {
        let pipes = &mut self.rig.pipes;
        self.peers.iter().filter(|p| !pipes.get(p.pipe).input.is_empty()).map(|p| p.name).collect()
    }

    /// Returns the next message to send. If the type sends by routing id, it begins with that of peer `at`.
    fn message(&self, at: usize) -> Message {
        let mut message = Message::from(&self.accepted.to_be_bytes());
        if self.addressed {
            message.push_front(&self.peers.get(at).map_or(u32::MAX, |peer| peer.name).to_be_bytes());
        }
        message
    }

    fn send(&mut self, at: usize, leaving: Option<usize>) {
        let message = self.message(at);
        let with_room = self.with_room();
        let alive = self.peers.iter().filter(|peer| !peer.left).count();
        match self.rig.route(&message) {
            Err(Refusal::Full { pipes }) => {
                // A pipe that was full and whose peer has left may still be counted.
                assert!(with_room.is_empty() && alive <= pipes && pipes <= self.peers.len());
                return;
            }
            Err(Refusal::NoPeer) => return assert_eq!(alive, 0),
            Err(other) => panic!("{other:?} from {:?}", self.rig.pattern),
            Ok(()) => {}
        }
        self.accepted += 1;
        if let Some(leaving) = leaving {
            self.leave(leaving);
            self.detach_the_dead();
            self.attach(1); // gets the number of a pipe that was detached
            // The chosen pipe had its turn, whether or not the message arrived.
            self.out_turns.clear();
            return self.rig.commit(message);
        }
        let before = self.queued();
        self.rig.commit(message);
        let grown = self.queued().into_iter().zip(before).find(|(after, before)| after > before);
        match grown {
            Some(((name, _), _)) if !self.addressed => serve(&mut self.out_turns, name, &with_room),
            Some(((name, _), _)) => assert_eq!(Some(name), self.peers.get(at).map(|peer| peer.name)),
            None => assert!(self.addressed, "only a ROUTER drops"),
        }
    }

    fn with_room(&mut self) -> Vec<u32> {
        let pipes = &mut self.rig.pipes;
        let room = |p: &&Peer| !p.left && pipes.get(p.pipe).output.len() < pipes.get(p.pipe).hwm;
        self.peers.iter().filter(room).map(|p| p.name).collect()
    }

    fn queued(&mut self) -> Vec<(u32, usize)> {
        let pipes = &mut self.rig.pipes;
        self.peers.iter().map(|peer| (peer.name, pipes.get(peer.pipe).output.len())).collect()
    }

    fn take(&mut self, at: usize) {
        let Some(peer) = self.peers.get_mut(at).filter(|peer| !peer.left) else { return };
        let end = self.rig.pipes.get(peer.pipe);
        let (name, was_full) = (peer.name, end.output.len() >= end.hwm);
        let Some(Traffic::Message(message)) = self.rig.take_traffic(peer.pipe) else { return };
        let [number] = numbers(&message);
        assert!(peer.last_taken < Some(number), "doubled or reordered");
        peer.last_taken = Some(number);
        self.taken += 1;
        if was_full {
            self.out_turns.retain(|(_, waiting), _| *waiting != name);
        }
    }

    fn finish(mut self, receives: bool) {
        while receives && self.recv() {}
        for peer in &self.peers {
            assert!(!receives || peer.next_received == peer.next_sent, "input was lost");
        }
        let queued: usize = self.queued().into_iter().map(|(_, n)| n).sum();
        let dropped = self.rig.pipes.drops.iter().filter(|(_, cause)| *cause != Cause::Unwanted).count();
        assert_eq!(self.accepted as usize, self.taken + queued + self.lost_in_queue + dropped);
        for at in (0..self.peers.len()).rev() {
            let pipe = self.peers[at].pipe;
            self.rig.detach(pipe);
            assert_eq!(self.rig.pattern.find(&self.peers[at].name.to_be_bytes()), None);
        }
        assert!(!self.rig.has_in());
    }
}

/// Notes that `name` was served while all peers in `waiting` were ready. Panics if one of them has waited for `name`
/// before.
fn serve(turns: &mut HashMap<(u32, u32), u32>, name: u32, waiting: &[u32]) {
    turns.retain(|(_, other), _| *other != name && waiting.contains(other));
    for other in waiting.iter().filter(|other| **other != name) {
        let times = turns.entry((name, *other)).or_default();
        *times += 1;
        assert!(*times <= 1, "{name} was served twice while {other} waited");
    }
}

fn numbers<const N: usize>(message: &Message) -> [u32; N] {
    assert_eq!(message.len(), N);
    std::array::from_fn(|at| u32::from_be_bytes(message[at][..].try_into().expect("4 bytes")))
}

/// The types that the model describes.
pub(crate) const TYPES: [SocketType; 5] =
    [SocketType::Push, SocketType::Pull, SocketType::Dealer, SocketType::Pair, SocketType::Router];

/// Runs `ops` on a socket and on the model.
pub(crate) fn run(socket_type: SocketType, ops: impl IntoIterator<Item = Op>) {
    let mut model = Model::new(socket_type);
    for op in ops {
        let skip = match op {
            Op::Recv | Op::HasIn | Op::Deliver(_) => !socket_type.receives(),
            Op::Send(_) | Op::SendInto { .. } | Op::HasOut => !socket_type.sends(),
            _ => false,
        };
        if !skip {
            model.step(op);
        }
    }
    model.finish(socket_type.receives());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        let n = 0..5usize;
        let op = prop_oneof![
            2 => (1..4usize).prop_map(|hwm| Op::Attach { hwm }),
            1 => n.clone().prop_map(Op::Leave),
            6 => n.clone().prop_map(Op::Deliver),
            4 => n.clone().prop_map(Op::Take),
            6 => n.clone().prop_map(Op::Send),
            1 => (n.clone(), n).prop_map(|(peer, leaving)| Op::SendInto { peer, leaving }),
            6 => Just(Op::Recv),
            1 => Just(Op::HasIn),
            1 => Just(Op::HasOut),
        ];
        prop::collection::vec(op, 0..150)
    }

    proptest! {
        #[test]
        fn push_keeps_its_rules(ops in ops()) {
            run(SocketType::Push, ops);
        }

        #[test]
        fn pull_keeps_its_rules(ops in ops()) {
            run(SocketType::Pull, ops);
        }

        #[test]
        fn dealer_keeps_its_rules(ops in ops()) {
            run(SocketType::Dealer, ops);
        }

        #[test]
        fn pair_keeps_its_rules(ops in ops()) {
            run(SocketType::Pair, ops);
        }

        #[test]
        fn router_keeps_its_rules(ops in ops()) {
            run(SocketType::Router, ops);
        }
    }
}
