//! RFC 31, rule by rule.

use zeroxide_zmtp::{Message, SocketType};

use crate::fake::Rig;
use crate::{Cause, Pattern, Refusal};

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
fn pair_closes_every_further_pipe_until_the_first_is_detached() {
    let mut pair = Rig::new(SocketType::Pair);
    let (a, b) = (pair.accept(0), pair.accept(0));
    assert!(pair.pipes.get(b).closed && !pair.pipes.get(a).closed);
    pair.detach(b);
    pair.deliver(a, "last words");
    pair.kill(a);
    assert_eq!(pair.send("x"), Err(Refusal::NoPeer));
    let c = pair.accept(0);
    assert!(pair.pipes.get(c).closed, "unread input keeps the place");
    assert_eq!(pair.recv(), Ok(Some("last words".into())));
    pair.detach(a);
    let d = pair.accept(0);
    pair.send("x").unwrap();
    assert_eq!(pair.take(d), Some(Message::from("x")));
}

#[test]
fn an_inproc_peer_of_a_pair_waits_until_the_place_is_free() {
    let mut pair = Rig::new(SocketType::Pair);
    let a = pair.accept(0);
    let [b, c] = [(), ()].map(|()| {
        let pipe = pair.pipes.open(0);
        pair.pipes.get(pipe).inproc = true;
        pair.pattern.attached(pipe, &Default::default(), &mut pair.pipes).unwrap();
        pair.deliver(pipe, "later");
        pipe
    });
    assert_eq!((pair.pattern.occupant(b""), pair.recv()), (Some(a), Ok(None)));
    pair.detach(b);
    pair.detach(a);
    assert_eq!(pair.recv(), Ok(Some("later".into())));
    pair.send("x").unwrap();
    assert_eq!(pair.take(c), Some(Message::from("x")));
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
