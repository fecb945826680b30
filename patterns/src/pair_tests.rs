//! RFC 31, rule by rule.

use zeroxide_zmtp::{Message, SocketType};

use crate::fake::Rig;
use crate::{Cause, Pattern, Refusal, waiting};

#[test]
fn pair_talks_both_ways_with_one_peer() {
    let mut pair = Rig::new(SocketType::Pair);
    assert_eq!(pair.send("x"), Err(Refusal::NoPeer));
    let a = pair.connect(1);
    pair.send("x").unwrap();
    assert_eq!(pair.send("y"), Err(Refusal::Full { pipes: 1 }));
    assert!(!pair.has_out());
    assert_eq!(pair.take(a), Some(Message::from("x")));
    assert!(pair.has_out());
    pair.deliver(a, ("1", "2"));
    assert!(pair.has_in());
    assert_eq!(pair.recv(), Ok(Some(("1", "2").into())));
    assert_eq!(pair.recv(), Ok(None));
}

#[test]
fn a_further_peer_of_a_pair_waits_until_the_place_is_free() {
    let mut pair = Rig::new(SocketType::Pair);
    let a = pair.accept(0);
    let [b, c] = [(), ()].map(|()| {
        let pipe = pair.accept(0);
        pair.deliver(pipe, "later");
        pipe
    });
    assert_eq!((pair.pattern.occupants(b""), pair.recv()), (vec![a, b, c], Ok(None)));
    pair.send("x").unwrap();
    assert_eq!(pair.take(a), Some(Message::from("x")));
    pair.detach(b);
    pair.detach(a);
    assert_eq!(pair.recv(), Ok(Some("later".into())));
    pair.send("y").unwrap();
    assert_eq!(pair.take(c), Some(Message::from("y")));
}

#[test]
fn the_last_words_of_a_pairs_peer_are_read_before_the_next_one_which_is_sent_to_at_once() {
    let mut pair = Rig::new(SocketType::Pair);
    let a = pair.accept(0);
    pair.deliver(a, "last words");
    pair.kill(a);
    assert_eq!(pair.send("x"), Err(Refusal::NoPeer));
    let b = pair.accept(1);
    pair.deliver(b, "hello");
    pair.send("x").unwrap();
    assert_eq!(pair.take(b), Some(Message::from("x")));
    pair.route(&"y".into()).unwrap();
    pair.detach(b);
    pair.commit("y".into());
    assert_eq!(pair.pipes.drops, [(None, Cause::PeerLost)]);
    let c = pair.accept(0);
    pair.deliver(c, "hello");
    assert_eq!(pair.recv(), Ok(Some("last words".into())));
    assert_eq!(pair.recv(), Ok(None));
    pair.detach(a);
    assert_eq!(pair.recv(), Ok(Some("hello".into())));
}

#[test]
fn a_pair_sends_to_the_first_in_the_line_whose_peer_is_there() {
    let mut pair = Rig::new(SocketType::Pair);
    let [a, b, c] = [(); 3].map(|()| pair.accept(1));
    for (pipe, text) in [(a, "1"), (b, "2")] {
        pair.deliver(pipe, text);
        pair.kill(pipe);
    }
    pair.send("x").unwrap();
    assert_eq!(pair.take(c), Some(Message::from("x")));
    assert_eq!(pair.pattern.occupants(b""), [a, b, c]);
    for (pipe, text) in [(a, "1"), (b, "2")] {
        assert_eq!(pair.recv(), Ok(Some(text.into())));
        pair.detach(pipe);
    }
    assert_eq!(pair.pattern.occupants(b""), [c]);
    pair.detach(c);
    assert_eq!(pair.pattern.occupants(b""), []);
}

#[test]
fn pair_swallows_the_rest_when_its_peer_leaves_between_route_and_commit() {
    let mut pair = Rig::new(SocketType::Pair);
    let a = pair.accept(0);
    pair.route(&"x".into()).unwrap();
    pair.detach(a);
    pair.commit("x".into());
    assert_eq!(pair.pipes.drops, [(None, Cause::PeerLost)]);
}

#[test]
fn of_lost_peers_that_wait_for_the_place_only_so_many_are_kept() {
    let mut pair = Rig::new(SocketType::Pair);
    let first = pair.accept(0);
    for _ in 0..waiting::MOST + 30 {
        let pipe = pair.accept(0);
        pair.deliver(pipe, "later");
        pair.end(pipe);
        if pair.pipes.get(pipe).closed {
            pair.detach(pipe);
        }
    }
    assert_eq!(pair.pipes.dropped_for(Cause::Unwanted), 30);
    pair.detach(first);
    let mut later = 0;
    while let Some((pipe, _)) = pair.recv_from().unwrap() {
        later += 1;
        pair.detach(pipe);
    }
    assert_eq!(later, waiting::MOST);
}
