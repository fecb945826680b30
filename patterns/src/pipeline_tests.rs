//! RFC 30, rule by rule.

use zeroxide_zmtp::{Message, SocketType};

use crate::fake::Rig;
use crate::{Cause, Refusal};

#[test]
fn push_sends_to_its_peers_in_turn() {
    let mut push = Rig::new(SocketType::Push);
    let peers = [push.connect(0), push.accept(0), push.accept(0)];
    for text in ["a", "b", "c", "d", "e", "f"] {
        push.send(text).unwrap();
    }
    for (peer, expected) in peers.into_iter().zip([["a", "d"], ["b", "e"], ["c", "f"]]) {
        for text in expected {
            assert_eq!(push.take(peer), Some(Message::from(text)));
        }
    }
}

#[test]
fn push_without_peers_waits_for_one() {
    let mut push = Rig::new(SocketType::Push);
    assert!(!push.has_out());
    assert_eq!(push.send("x"), Err(Refusal::NoPeer));
}

#[test]
fn push_with_full_peers_waits_for_room() {
    let mut push = Rig::new(SocketType::Push);
    let (a, b) = (push.accept(1), push.accept(2));
    for text in ["a", "b", "c"] {
        push.send(text).unwrap();
    }
    assert_eq!(push.send("d"), Err(Refusal::Full { pipes: 2 }));
    assert!(!push.has_out());
    assert_eq!(push.take(b), Some(Message::from("b")));
    assert!(push.has_out());
    push.send("d").unwrap();
    assert_eq!(push.take(b), Some(Message::from("c")));
    assert_eq!(push.take(b), Some(Message::from("d")));
    assert_eq!(push.take(a), Some(Message::from("a")));
    assert!(push.pipes.drops.is_empty(), "a PUSH drops nothing");
}

#[test]
fn a_full_pipe_that_a_drive_may_empty_stays_in_the_rotation() {
    let mut push = Rig::new(SocketType::Push);
    let a = push.accept(1);
    push.send("a").unwrap();
    push.pipes.get(a).drivable = true;
    assert_eq!(push.send("b"), Err(Refusal::Full { pipes: 1 }));
    push.pipes.get(a).output.clear(); // driven: no `writable` follows, because no `Full` was returned
    push.send("b").unwrap();
}

#[test]
fn a_look_for_room_moves_no_cursor_and_keeps_no_credit() {
    let mut push = Rig::new(SocketType::Push);
    let (a, _b) = (push.accept(1), push.accept(1));
    for _ in 0..3 {
        assert!(push.has_out());
        assert_eq!(push.pipes.reserved(), 0);
    }
    push.send("y").unwrap();
    assert_eq!(push.take(a), Some(Message::from("y")));
}

#[test]
fn a_pipe_detached_between_route_and_commit_swallows_the_message() {
    let mut push = Rig::new(SocketType::Push);
    let a = push.accept(1);
    push.route(&"x".into()).unwrap();
    push.detach(a);
    let b = push.accept(1);
    assert_eq!(a, b, "the number is used again, which must not matter");
    push.commit("x".into());
    assert_eq!(push.pipes.drops, [(None, Cause::PeerLost)]);
    assert_eq!(push.take(b), None);
}

#[test]
fn a_pipe_that_dies_between_route_and_commit_swallows_the_message() {
    let mut push = Rig::new(SocketType::Push);
    let a = push.accept(1);
    push.route(&"x".into()).unwrap();
    push.kill(a);
    push.commit("x".into());
    assert_eq!(push.pipes.drops, [(Some(a), Cause::PeerLost)]);
    assert_eq!(push.send("y"), Err(Refusal::NoPeer));
}

#[test]
fn push_receives_nothing_and_throws_away_what_comes() {
    let mut push = Rig::new(SocketType::Push);
    let a = push.accept(1);
    push.deliver(a, "x");
    assert!(!push.has_in());
    assert_eq!(push.recv(), Err(Refusal::NotSupported));
    assert_eq!(push.pipes.drops, [(Some(a), Cause::Unwanted)]);
    assert!(push.pipes.get(a).input.is_empty());
}

#[test]
fn pull_takes_one_message_from_each_peer_in_turn() {
    let mut pull = Rig::new(SocketType::Pull);
    let (a, b, c) = (pull.accept(0), pull.accept(0), pull.accept(0));
    for text in ["a1", "a2", "a3"] {
        pull.deliver(a, text);
    }
    pull.deliver(c, "c1");
    pull.deliver(b, "b1");
    pull.deliver(b, "b2");
    for text in ["a1", "b1", "c1", "a2", "b2", "a3"] {
        assert!(pull.has_in());
        assert_eq!(pull.recv(), Ok(Some(text.into())));
    }
    assert!(!pull.has_in());
    assert_eq!(pull.recv(), Ok(None));
}

#[test]
fn pull_keeps_a_message_that_has_in_saw_when_its_pipe_is_detached() {
    let mut pull = Rig::new(SocketType::Pull);
    let a = pull.accept(0);
    pull.deliver(a, "x");
    assert!(pull.has_in());
    pull.detach(a);
    assert_eq!(pull.recv(), Ok(Some("x".into())));
}

#[test]
fn pull_sends_nothing() {
    let mut pull = Rig::new(SocketType::Pull);
    pull.accept(0);
    assert!(!pull.has_out());
    assert_eq!(pull.send("x"), Err(Refusal::NotSupported));
}
