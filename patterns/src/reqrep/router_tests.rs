//! RFC 28 §ROUTER, rule by rule, and what libzmq's router.cpp adds to it.

use zeroxide_zmtp::{Frame, Message, SocketType};

use crate::fake::Rig;
use crate::{Cause, Pattern, PipeId, Refusal, RoutingId, waiting};

fn router() -> Rig {
    Rig::new(SocketType::Router)
}

fn mandatory() -> Rig {
    Rig::with(SocketType::Router, |o| o.router_mandatory = true)
}

fn handover() -> Rig {
    Rig::with(SocketType::Router, |o| o.router_handover = true)
}

fn id(text: &[u8]) -> RoutingId {
    RoutingId::new(text).expect("a legal id")
}

fn id_of(router: &Rig, pipe: PipeId) -> Frame {
    router.pattern.routing_id(pipe).expect("a named pipe").to_frame()
}

#[test]
fn router_sends_to_the_peer_that_the_first_frame_names_and_takes_the_frame_off() {
    let mut router = router();
    let (a, b) = (router.accept_as(0, b"a"), router.accept_as(0, b"b"));
    router.send(["b", "", "x"]).unwrap();
    assert_eq!(router.take(b), Some(("", "x").into()));
    assert_eq!(router.take(a), None);
}

#[test]
fn router_puts_the_name_of_the_sender_in_front_and_receives_in_turn() {
    let mut router = router();
    let (a, b) = (router.accept_as(0, b"a"), router.accept_as(0, b"b"));
    router.deliver(a, "a1");
    router.deliver(a, "a2");
    router.deliver(b, ("", "b1"));
    assert!(router.has_in());
    assert_eq!(router.recv(), Ok(Some(("a", "a1").into())));
    assert_eq!(router.recv(), Ok(Some(["b", "", "b1"].into())));
    assert_eq!(router.recv(), Ok(Some(("a", "a2").into())));
    assert_eq!(router.recv(), Ok(None));
}

#[test]
fn router_names_a_peer_without_id_by_a_zero_byte_and_a_counter() {
    let mut router = router();
    let (a, b) = (router.accept(0), router.accept(0));
    let (first, second) = (id_of(&router, a), id_of(&router, b));
    let number = |frame: &Frame| u32::from_be_bytes(frame[1..].try_into().expect("5 bytes"));
    assert_eq!((first[0], second[0]), (0, 0));
    assert_eq!(number(&second), number(&first).wrapping_add(1));
    router.send((second, "x")).unwrap();
    assert_eq!(router.take(b), Some("x".into()));
}

#[test]
fn router_drops_and_counts_what_it_cannot_route() {
    let mut router = router();
    assert!(router.has_out());
    router.send(("nobody", "x")).unwrap();
    router.send(("", "x")).unwrap();
    let a = router.accept_as(1, b"a");
    router.send(("a", "1")).unwrap();
    router.send(("a", "2")).unwrap();
    router.kill(a);
    router.send(("a", "3")).unwrap();
    let (hwm, lost) = ((Some(a), Cause::Hwm), (Some(a), Cause::PeerLost));
    assert_eq!(router.pipes.drops, [(None, Cause::Unroutable), (None, Cause::Unroutable), hwm, lost]);
    assert_eq!(router.pipes.discarded.len(), 4);
}

#[test]
fn router_asks_for_a_drive_before_it_drops() {
    let mut router = router();
    let a = router.accept_as(1, b"a");
    router.send(("a", "1")).unwrap();
    router.pipes.get(a).drivable = true;
    assert_eq!(router.send(("a", "2")), Err(Refusal::Full { pipes: 1 }));
    assert!(router.pipes.drops.is_empty());
    router.send(("a", "2")).unwrap();
    assert_eq!(router.pipes.drops, [(Some(a), Cause::Hwm)]);
}

#[test]
fn router_mandatory_refuses_what_it_cannot_route() {
    let mut router = mandatory();
    assert!(!router.has_out());
    let unroutable = |text: &str| Err(Refusal::Unroutable(Box::new(RoutingId::as_written(text.as_bytes()))));
    assert_eq!(router.send(("nobody", "x")), unroutable("nobody"));
    assert_eq!(router.send(("", "x")), unroutable(""));
    assert_eq!(router.send(("x".repeat(300), "x".to_owned())), unroutable(&"x".repeat(255)));
    let (a, b) = (router.accept_as(1, b"a"), router.accept_as(1, b"b"));
    router.send(("a", "1")).unwrap();
    assert_eq!(router.send(("a", "2")), Err(Refusal::Full { pipes: 1 }));
    assert!(router.has_out(), "b has room");
    router.send(("b", "1")).unwrap();
    assert!(!router.has_out());
    router.take(a);
    assert!(router.has_out());
    router.kill(b);
    assert_eq!(router.send(("b", "2")), unroutable("b"));
    assert!(router.pipes.drops.is_empty());
    assert_eq!(router.pipes.reserved(), 0);
}

#[test]
fn router_swallows_and_counts_an_id_with_nothing_behind_it() {
    let mut router = router();
    let a = router.accept_as(1, b"a");
    router.send("a").unwrap();
    assert_eq!(router.pipes.drops, [(Some(a), Cause::Unwanted)]);
    assert_eq!((router.pipes.reserved(), router.take(a)), (0, None));
    router.send("nobody").unwrap();
    assert_eq!(router.pipes.drops[1], (None, Cause::Unroutable));
}

#[test]
fn router_puts_a_shared_id_frame_aside_instead_of_dropping_it_under_the_lock() {
    let mut router = router();
    let a = router.accept_as(0, b"a");
    router.send((Frame::from_owner("a"), Frame::from("x"))).unwrap();
    assert_eq!(router.pipes.discarded, [Message::from("a")]);
    assert_eq!(router.take(a), Some("x".into()));
    assert!(router.pipes.drops.is_empty());
}

#[test]
fn router_knows_a_connecting_pipe_only_after_the_handshake() {
    let mut router = mandatory();
    let a = router.connect(0);
    assert!(!router.has_out());
    assert!(matches!(router.send(("a", "x")), Err(Refusal::Unroutable(_))));
    router.deliver(a, "early");
    assert!(!router.has_in());
    router.establish(a, b"a");
    assert_eq!(router.recv(), Ok(Some(("a", "early").into())));
    router.send(("a", "x")).unwrap();
}

#[test]
fn router_fixes_the_id_at_the_first_handshake() {
    let mut router = router();
    let a = router.connect(0);
    router.establish(a, b"first");
    router.lose(a);
    router.establish(a, b"second");
    assert_eq!(router.pattern.find(b"first"), Some(a));
    assert_eq!(router.pattern.find(b"second"), None);
}

#[test]
fn connect_routing_id_makes_a_peer_known_at_once() {
    let mut router = mandatory();
    let a = router.connect_as(0, Some(b"a")).unwrap();
    router.send(("a", "x")).unwrap();
    assert_eq!(router.take(a), Some("x".into()));
    router.establish(a, b"other");
    router.deliver(a, "y");
    assert_eq!(router.recv(), Ok(Some(("a", "y").into())));
}

#[test]
fn connect_routing_id_that_is_taken_is_refused() {
    let mut router = handover();
    router.accept_as(0, b"a");
    assert_eq!(router.connect_as(0, Some(b"a")), Err(Refusal::InUse(Box::new(id(b"a")))));
}

#[test]
fn who_succeeds_a_peer_that_is_gone_may_have_its_name_and_what_that_one_sent_keeps_it() {
    let mut router = router();
    let before = router.connect_as(0, Some(b"a")).unwrap();
    router.deliver(before, "left");
    router.kill(before);
    router.pattern.succeeded(before, &mut router.pipes);
    let next = router.connect_as(0, Some(b"a")).unwrap();
    router.deliver(next, "new");
    assert_eq!(router.recv(), Ok(Some(("a", "left").into())));
    assert_eq!(router.recv(), Ok(Some(("a", "new").into())));
    router.detach(before);
    router.send(("a", "answer")).unwrap();
    assert_eq!(router.pattern.find(b"a"), Some(next));
}

#[test]
fn router_does_not_read_a_newcomer_whose_id_is_taken() {
    let mut router = router();
    let a = router.accept_as(0, b"a");
    let b = router.pipes.open(0);
    router.pattern.attached(b, &crate::Origin::default(), &mut router.pipes).unwrap();
    router.deliver(b, "intruder");
    router.establish(b, b"a");
    assert!(!router.pipes.get(b).closed && !router.pipes.get(a).closed);
    assert!(!router.has_in());
    router.detach(b);
    router.send(("a", "x")).unwrap();
    assert_eq!(router.take(a), Some("x".into()), "the old peer keeps its name");
    router.detach(a);
    let c = router.accept_as(0, b"a");
    assert_eq!(router.pattern.find(b"a"), Some(c));
}

#[test]
fn handover_gives_the_name_to_the_newcomer_and_reads_the_old_pipe_to_its_end() {
    let mut router = handover();
    let a = router.accept_as(0, b"a");
    router.deliver(a, "old 1");
    router.deliver(a, "old 2");
    let b = router.accept_as(0, b"a");
    router.send(("a", "x")).unwrap();
    assert_eq!((router.take(a), router.take(b)), (None, Some("x".into())));
    assert!(!router.pipes.get(a).closed, "its input is not read yet");
    router.deliver(b, "new");
    let aside = id_of(&router, a);
    assert_eq!(aside[0], 0);
    assert_eq!(router.recv(), Ok(Some((aside.clone(), "old 1").into())));
    assert_eq!(router.recv(), Ok(Some((aside.clone(), "old 2").into())));
    assert_eq!(router.recv(), Ok(Some(("a", "new").into())));
    assert!(!router.has_in());
    assert!(router.pipes.get(a).closed);
    assert_eq!(router.pattern.find(&aside), None, "nobody can address it");
    router.detach(a);
    assert_eq!(router.pattern.find(b"a"), Some(b));
}

#[test]
fn handover_reads_what_has_arrived_on_the_old_connection_before_it_ends() {
    for has_closed in [true, false] {
        let mut router = handover();
        let a = router.accept_as(0, b"a");
        assert!(!router.has_in());
        router.pipes.get(a).connected = true;
        router.pipes.get(a).hung_up = has_closed;
        let b = router.accept_as(0, b"a");
        assert!(router.pipes.get(a).ends_when_read && !router.pipes.get(a).closed);
        router.deliver(b, "new");
        if has_closed {
            assert_eq!(router.recv(), Ok(None), "more will come of the old one");
        } else {
            assert_eq!(router.recv(), Ok(Some(("a", "new").into())));
        }
        router.deliver(a, "was on its way");
        assert_eq!(router.recv().unwrap().unwrap()[1], "was on its way");
        router.detach(a);
        if has_closed {
            assert_eq!(router.recv(), Ok(Some(("a", "new").into())));
        }
    }
}

#[test]
fn of_two_replaced_peers_both_are_read_and_the_last_one_is_heard_after_them() {
    let mut router = handover();
    let a = router.accept_as(0, b"a");
    router.deliver(a, "1");
    let b = router.accept_as(0, b"a");
    router.deliver(b, "2");
    router.kill(b);
    let c = router.accept_as(0, b"a");
    router.deliver(c, "3");
    for (text, closed) in [("1", None), ("2", Some(a)), ("3", Some(b))] {
        assert_eq!(router.recv().unwrap().unwrap()[1], text);
        assert!(closed.is_none_or(|pipe| router.pipes.get(pipe).closed));
    }
    assert_eq!(router.recv(), Ok(None));
}

#[test]
fn who_follows_peers_that_are_gone_is_heard_after_each_of_them() {
    let mut router = router();
    let a = router.accept_as(0, b"a");
    router.deliver(a, "1");
    router.kill(a);
    router.pattern.succeeded(a, &mut router.pipes);
    let b = router.accept_as(0, b"a");
    router.kill(b);
    router.pattern.succeeded(b, &mut router.pipes);
    let c = router.accept_as(0, b"a");
    router.deliver(c, "3");
    router.send(("a", "x")).unwrap();
    assert_eq!(router.take(c), Some("x".into()));
    // The one between leaves nothing.
    router.detach(b);
    assert_eq!(router.recv(), Ok(Some(("a", "1").into())));
    assert_eq!(router.recv(), Ok(None));
    router.detach(a);
    assert_eq!(router.recv(), Ok(Some(("a", "3").into())));
    router.detach(c);
    let d = router.accept_as(0, b"a");
    router.deliver(d, "4");
    assert_eq!(router.recv(), Ok(Some(("a", "4").into())));
}

#[test]
fn who_follows_one_that_left_nothing_is_heard_after_all_that_were_replaced() {
    let mut router = handover();
    let a = router.accept_as(0, b"a");
    router.deliver(a, "1");
    router.kill(a);
    router.pattern.succeeded(a, &mut router.pipes);
    let b = router.accept_as(0, b"a");
    router.deliver(b, "2");
    let c = router.accept_as(0, b"a");
    router.detach(c);
    let d = router.accept_as(0, b"a");
    router.deliver(d, "3");
    assert_eq!(router.recv(), Ok(Some(("a", "1").into())));
    router.detach(a);
    let second = router.recv().unwrap().expect("what the replaced one sent");
    assert_eq!(second[1], "2");
    assert_eq!(router.recv(), Ok(Some(("a", "3").into())));
    assert!(router.pipes.get(b).closed);
}

#[test]
fn a_peer_waits_for_a_routing_id_that_is_in_use_and_takes_it_when_it_is_free() {
    let mut router = mandatory();
    let a = router.accept_as(0, b"a");
    let (b, c) = (router.accept_as(0, b"a"), router.accept_as(0, b"a"));
    // Its connection is made again.
    router.establish(b, b"a");
    assert_eq!(router.pattern.occupants(b"a"), [a, b, c]);
    assert_eq!(router.pattern.occupants(b"b"), []);
    for (pipe, text) in [(b, "from b"), (c, "from c")] {
        assert!(!router.pipes.get(pipe).closed);
        router.deliver(pipe, text);
    }
    assert!(!router.has_in());
    router.detach(a);
    assert_eq!(router.recv(), Ok(Some(("a", "from b").into())));
    assert_eq!(router.recv(), Ok(None), "the third waits on");
    router.send(("a", "x")).unwrap();
    assert_eq!(router.take(b), Some("x".into()));
    router.detach(b);
    assert_eq!(router.recv(), Ok(Some(("a", "from c").into())));
    router.detach(c);
    assert!(router.send(("a", "x")).is_err());
}

#[test]
fn who_waits_for_a_routing_id_and_goes_leaves_nothing_behind() {
    let mut router = router();
    let a = router.accept_as(0, b"a");
    let b = router.accept_as(0, b"a");
    router.detach(b);
    router.detach(a);
    assert_eq!(router.pattern.find(b"a"), None);
    assert_eq!(router.pattern.occupants(b"a"), []);
}

#[test]
fn nobody_comes_before_a_peer_whose_routing_id_is_handed_over_or_reserved() {
    let mut router = handover();
    router.accept_as(0, b"a");
    assert_eq!(router.pattern.occupants(b"a"), []);
    let mut router = self::router();
    let automatic = router.accept(0);
    let reserved = id_of(&router, automatic);
    assert_eq!(router.pattern.occupants(&reserved), []);
}

#[test]
fn handover_closes_an_old_pipe_without_input_at_once() {
    let mut router = handover();
    let a = router.accept_as(0, b"a");
    assert!(!router.has_in());
    router.accept_as(0, b"a");
    assert!(router.pipes.get(a).closed);
}

#[test]
fn an_announced_id_that_collides_with_an_automatic_one_is_answered_by_another() {
    let mut router = handover();
    let a = router.accept(0);
    let taken = id_of(&router, a);
    let b = router.accept_as(0, &taken);
    assert_eq!(router.pattern.find(&taken), Some(a), "nobody is hijacked");
    assert_ne!(id_of(&router, b), taken);
    let c = router.accept_as(0, b"\0mine");
    assert_eq!(router.pattern.find(b"\0mine"), Some(c), "libzmq accepts such ids");
}

#[test]
fn a_peer_that_leaves_between_route_and_commit_costs_the_message() {
    let mut router = mandatory();
    let a = router.accept_as(1, b"a");
    router.route(&("a", "x").into()).unwrap();
    router.detach(a);
    let b = router.accept_as(1, b"b");
    router.commit(("a", "x").into());
    assert_eq!(router.pipes.drops, [(None, Cause::PeerLost)]);
    router.send(("b", "x")).unwrap();
    assert_eq!(router.take(b), Some("x".into()));
    assert_eq!(router.pipes.reserved(), 0);
}

#[test]
fn router_with_probe_router_probes_each_new_pipe() {
    let mut router = Rig::with(SocketType::Router, |o| o.probe_router = true);
    let a = router.connect(1);
    assert_eq!(router.take(a), Some("".into()));
}

#[test]
fn router_delivers_a_probe_as_an_empty_message() {
    let mut router = router();
    let a = router.accept_as(0, b"a");
    router.deliver(a, "");
    assert_eq!(router.recv(), Ok(Some(("a", "").into())));
}

#[test]
fn router_tells_whom_a_newcomer_would_displace_and_that_is_nobody_without_handover_or_for_a_reserved_id() {
    let mut router = handover();
    let (a, automatic) = (router.accept_as(0, b"a"), router.accept(0));
    let reserved = id_of(&router, automatic);
    assert_eq!(router.pattern.displaced_by(b"a"), Some(a));
    assert_eq!(router.pattern.displaced_by(&reserved), None);
    assert_eq!([&b"b"[..], b""].map(|id| router.pattern.displaced_by(id)), [None, None]);
    let newcomer = router.accept_as(0, &reserved);
    assert_ne!(id_of(&router, newcomer), reserved, "it gets another");
    assert_eq!(router.pattern.find(&reserved), Some(automatic));
    let mut strict = self::router();
    strict.accept_as(0, b"a");
    assert_eq!(strict.pattern.displaced_by(b"a"), None);
}

#[test]
fn of_lost_peers_that_wait_for_a_routing_id_only_so_many_are_kept() {
    let mut router = router();
    let first = router.accept_as(0, b"x");
    for _ in 0..waiting::MOST + 30 {
        let pipe = router.accept_as(0, b"x");
        router.deliver(pipe, "later");
        router.end(pipe);
        if router.pipes.get(pipe).closed {
            router.detach(pipe);
        }
    }
    assert_eq!(router.pipes.dropped_for(Cause::Unwanted), 30);
    router.detach(first);
    let mut later = 0;
    while let Some((pipe, _)) = router.recv_from().unwrap() {
        later += 1;
        router.detach(pipe);
    }
    assert_eq!(later, waiting::MOST);
}
