//! RFC 28 §REP, rule by rule.

use zeroxide_zmtp::{Message, SocketType};

use crate::fake::Rig;
use crate::{Cause, Refusal};

fn rep() -> Rig {
    Rig::new(SocketType::Rep)
}

#[test]
fn rep_keeps_the_envelope_and_puts_it_before_the_reply() {
    let mut rep = rep();
    let a = rep.accept(0);
    rep.deliver(a, ["hop 1", "hop 2", "", "q", "", "r"]);
    assert_eq!(rep.recv(), Ok(Some(Message::from(["q", "", "r"]))));
    rep.send(("x", "y")).unwrap();
    assert_eq!(rep.take(a), Some(Message::from(["hop 1", "hop 2", "", "x", "y"])));
}

#[test]
fn rep_receives_and_sends_strictly_by_turns() {
    let mut rep = rep();
    let a = rep.accept(0);
    assert_eq!(rep.send("x"), Err(Refusal::WrongState));
    assert!(!rep.has_out());
    rep.deliver(a, ("", "q1"));
    rep.deliver(a, ("", "q2"));
    assert!(rep.has_in());
    assert_eq!(rep.recv(), Ok(Some("q1".into())));
    assert_eq!(rep.recv(), Err(Refusal::WrongState));
    assert!(rep.has_out() && !rep.has_in());
    rep.send("x1").unwrap();
    assert!(!rep.has_out() && rep.has_in());
    assert_eq!(rep.recv(), Ok(Some("q2".into())));
}

#[test]
fn rep_drops_a_request_without_delimiter() {
    let mut rep = rep();
    let a = rep.accept(0);
    rep.deliver(a, "q");
    rep.deliver(a, ("q", "r"));
    rep.deliver(a, ("id", ""));
    rep.deliver(a, ("", "good"));
    assert_eq!(rep.recv(), Ok(Some("good".into())));
    assert_eq!(rep.pipes.drops, [(Some(a), Cause::Unwanted); 3]);
    assert_eq!(rep.pipes.discarded, [Message::from("q"), ("q", "r").into(), ("id", "").into()]);
}

#[test]
fn rep_takes_requests_fairly_and_answers_the_one_who_asked() {
    let mut rep = rep();
    let (a, b) = (rep.accept(0), rep.accept(0));
    for text in ["a1", "a2"] {
        rep.deliver(a, ["a", "", text]);
    }
    rep.deliver(b, ["b", "", "b1"]);
    for (peer, name, text) in [(a, "a", "a1"), (b, "b", "b1"), (a, "a", "a2")] {
        assert!(rep.has_in());
        assert_eq!(rep.recv_from(), Ok(Some((peer, text.into()))));
        rep.send("x").unwrap();
        assert_eq!(rep.take(peer), Some([name, "", "x"].into()));
    }
}

#[test]
fn rep_drops_the_reply_to_a_requester_that_is_gone() {
    let mut rep = rep();
    let a = rep.accept(0);
    rep.deliver(a, ("", "q"));
    rep.recv().unwrap();
    rep.detach(a);
    let b = rep.accept(0);
    assert_eq!(a, b, "the number is used again, which must not matter");
    rep.send("x").unwrap();
    assert_eq!(rep.pipes.drops, [(None, Cause::PeerLost)]);
    assert_eq!(rep.take(b), None);
    rep.deliver(b, ("", "next"));
    assert_eq!(rep.recv(), Ok(Some("next".into())));
    rep.kill(b);
    rep.send("x").unwrap();
    assert_eq!(rep.pipes.drops[1], (Some(b), Cause::PeerLost));
    assert_eq!(rep.pipes.discarded, [Message::from(("", "x")), ("", "x").into()]);
}

#[test]
fn rep_remembers_that_the_requester_left_after_has_in_saw_the_request() {
    let mut rep = rep();
    let a = rep.accept(0);
    rep.deliver(a, ("", "q"));
    assert!(rep.has_in());
    rep.detach(a);
    let b = rep.accept(0);
    assert_eq!(rep.recv(), Ok(Some("q".into())));
    rep.send("x").unwrap();
    assert_eq!(rep.take(b), None);
    assert_eq!(rep.pipes.dropped_for(Cause::PeerLost), 1);
}

#[test]
fn rep_drops_the_reply_to_a_full_requester_after_one_drive() {
    let mut rep = rep();
    let a = rep.accept(1);
    for (n, drivable) in [(0, false), (1, true)] {
        rep.deliver(a, ("", "q"));
        rep.recv().unwrap();
        rep.pipes.get(a).drivable = drivable;
        if drivable {
            assert_eq!(rep.send("x"), Err(Refusal::Full { pipes: 1 }));
        }
        rep.send("x").unwrap();
        assert_eq!(rep.pipes.dropped_for(Cause::Hwm), n);
    }
    assert_eq!(rep.pipes.reserved(), 0);
}

#[test]
fn a_refused_reply_leaves_the_envelope_for_the_next_attempt() {
    let mut rep = rep();
    let a = rep.accept(1);
    for id in ["id1", "id2"] {
        rep.deliver(a, [id, "", "q"]);
    }
    rep.recv().unwrap();
    rep.send("x").unwrap();
    rep.recv().unwrap();
    rep.pipes.get(a).drivable = true;
    assert_eq!(rep.send("y"), Err(Refusal::Full { pipes: 1 }));
    assert_eq!(rep.pipes.reserved(), 0);
    assert_eq!(rep.take(a), Some(["id1", "", "x"].into()));
    rep.send("z").unwrap();
    assert_eq!(rep.take(a), Some(["id2", "", "z"].into()));
}
