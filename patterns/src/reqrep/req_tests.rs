//! RFC 28 §REQ, rule by rule.

use zeroxide_zmtp::{Message, SocketType};

use crate::fake::Rig;
use crate::{Cause, Pattern, PipeId, Refusal};

fn req() -> Rig {
    Rig::new(SocketType::Req)
}

fn correlating() -> Rig {
    Rig::with(SocketType::Req, |o| {
        o.req_correlate = true;
        o.req_relaxed = true;
    })
}

/// Returns the request on the wire, split into its number and the rest.
fn take_numbered(req: &mut Rig, pipe: PipeId) -> (u32, Message) {
    let mut message = req.take(pipe).expect("a request");
    let id = message.pop_front().expect("a number");
    (u32::from_ne_bytes(id[..].try_into().expect("4 bytes")), message)
}

#[test]
fn req_puts_a_delimiter_before_the_request_and_takes_it_off_the_reply() {
    let mut req = req();
    let a = req.accept(0);
    req.send(("q", "r")).unwrap();
    assert_eq!(req.take(a), Some(Message::from(["", "q", "r"])));
    req.deliver(a, ["", "x", "y"]);
    assert!(req.has_in());
    assert_eq!(req.recv(), Ok(Some(("x", "y").into())));
}

#[test]
fn req_sends_and_receives_strictly_by_turns() {
    let mut req = req();
    let a = req.accept(0);
    assert_eq!(req.recv(), Err(Refusal::WrongState));
    assert!(req.has_out() && !req.has_in());
    req.send("q").unwrap();
    assert_eq!(req.send("q2"), Err(Refusal::WrongState));
    assert!(!req.has_out());
    assert_eq!(req.recv(), Ok(None));
    req.deliver(a, ("", "x"));
    assert_eq!(req.recv(), Ok(Some("x".into())));
    assert_eq!(req.recv(), Err(Refusal::WrongState));
    assert!(req.has_out());
}

#[test]
fn req_without_a_request_drops_what_arrives_so_that_nothing_hides_the_end_of_its_connection() {
    let mut req = req();
    let a = req.accept(1);
    req.deliver(a, ("", "before the first request"));
    assert!(req.pipes.get(a).input.is_empty());
    req.send("q").unwrap();
    req.deliver(a, ("", "x"));
    assert_eq!(req.recv(), Ok(Some("x".into())));
    req.deliver(a, ("", "again"));
    assert!(req.pipes.get(a).input.is_empty());
    assert_eq!(req.pipes.drops, [(Some(a), Cause::Unwanted); 2]);
}

#[test]
fn req_without_room_keeps_the_reply_that_it_waits_for_and_drops_what_is_around_it() {
    let mut req = correlating();
    let a = req.accept(2);
    req.send("q").unwrap();
    let (id, _) = take_numbered(&mut req, a);
    req.pipes.get(a).reserved = 2; // full
    let reply = |id: u32, text: &str| Message::from([&id.to_ne_bytes()[..], b"", text.as_bytes()]);
    for (id, text) in [(id.wrapping_sub(1), "late"), (id, "x"), (id, "again")] {
        req.deliver(a, reply(id, text));
        assert!(req.pipes.get(a).input.is_empty(), "{text}");
    }
    assert_eq!(req.send("q2"), Err(Refusal::Full { pipes: 1 }));
    assert_eq!(req.pipes.drops, [(Some(a), Cause::Unwanted); 2]);
    assert_eq!(req.recv(), Ok(Some("x".into())));
}

#[test]
fn req_changes_state_with_the_commit_only() {
    let mut req = req();
    let a = req.accept(1);
    req.pipes.get(a).reserved = 1; // full
    assert_eq!(req.send("q"), Err(Refusal::Full { pipes: 1 }));
    assert_eq!(req.recv(), Err(Refusal::WrongState), "a refused request is none");
    req.pipes.get(a).reserved = 0;
    req.pattern.writable(a);
    req.route(&"q".into()).unwrap();
    assert_eq!(req.recv(), Err(Refusal::WrongState));
    req.commit("q".into());
    assert_eq!(req.recv(), Ok(None));
    assert_eq!(req.pipes.reserved(), 0);
}

#[test]
fn req_asks_its_peers_in_turn_and_waits_when_there_is_none() {
    let mut req = req();
    assert_eq!(req.send("q"), Err(Refusal::NoPeer));
    for peer in [req.accept(0), req.connect(0)] {
        req.send("q").unwrap();
        assert_eq!(req.take(peer), Some(Message::from(("", "q"))));
        req.deliver(peer, ("", "x"));
        assert_eq!(req.recv(), Ok(Some("x".into())));
    }
}

#[test]
fn req_discards_replies_from_peers_it_did_not_ask() {
    let mut req = req();
    let (a, b) = (req.accept(0), req.accept(0));
    req.send("q").unwrap();
    req.deliver(b, ("", "not asked"));
    assert!(!req.has_in());
    assert_eq!(req.pipes.drops, [(Some(b), Cause::Unwanted)]);
    req.deliver(a, ("", "asked"));
    assert_eq!(req.recv(), Ok(Some("asked".into())));
}

#[test]
fn req_accepts_a_reply_from_anybody_once_the_asked_pipe_is_gone() {
    let mut req = req();
    let (a, b) = (req.accept(0), req.accept(0));
    req.send("q").unwrap();
    req.detach(a);
    req.deliver(b, ("", "x"));
    assert_eq!(req.recv_from(), Ok(Some((b, "x".into()))));
}

#[test]
fn req_skips_replies_without_delimiter_or_body() {
    let mut req = req();
    let a = req.accept(0);
    req.send("q").unwrap();
    req.deliver(a, "no delimiter");
    req.deliver(a, ("no", "delimiter"));
    req.deliver(a, "");
    assert!(!req.has_in());
    assert_eq!(req.pipes.dropped_for(Cause::Unwanted), 3);
    assert_eq!(req.recv(), Ok(None), "it still waits");
}

#[test]
fn req_discards_what_is_queued_when_it_asks_anew() {
    let mut req = correlating();
    let a = req.accept(0);
    req.send("q1").unwrap();
    let (first, _) = take_numbered(&mut req, a);
    req.deliver(a, (&first.to_ne_bytes()[..], &b""[..], &b"late"[..]));
    assert!(req.has_in());
    req.deliver(a, "more");
    req.send("q2").unwrap();
    assert_eq!(req.pipes.dropped_for(Cause::Unwanted), 2);
    assert_eq!(req.recv(), Ok(None));
}

#[test]
fn req_relaxed_may_ask_again_and_correlate_tells_the_replies_apart() {
    let mut req = correlating();
    let a = req.accept(0);
    req.send("q1").unwrap();
    assert!(req.has_out());
    req.send("q2").unwrap();
    let (first, body) = take_numbered(&mut req, a);
    assert_eq!(body, Message::from(("", "q1")));
    let (second, body) = take_numbered(&mut req, a);
    assert_eq!(body, Message::from(("", "q2")));
    assert_eq!(second, first.wrapping_add(1));
    for wrong in [&first.to_ne_bytes()[..], b"", b"abc", b"abcde"] {
        req.deliver(a, (wrong, &b""[..], &b"late"[..]));
    }
    req.deliver(a, (&second.to_ne_bytes()[..], &b"x"[..], &b"no delimiter"[..]));
    assert!(!req.has_in());
    assert_eq!(req.pipes.dropped_for(Cause::Unwanted), 5);
    req.deliver(a, (&second.to_ne_bytes()[..], &b""[..], &b"x"[..]));
    assert_eq!(req.recv(), Ok(Some("x".into())));
}

#[test]
fn req_awaits_any_reply_when_its_request_was_swallowed() {
    let mut req = req();
    let a = req.accept(1);
    req.route(&"q".into()).unwrap();
    req.detach(a);
    req.commit("q".into());
    assert_eq!(req.pipes.drops, [(None, Cause::PeerLost)]);
    assert_eq!(req.recv(), Ok(None));
    let b = req.accept(1);
    req.deliver(b, ("", "x"));
    assert_eq!(req.recv(), Ok(Some("x".into())));
}

#[test]
fn req_with_probe_router_probes_each_new_pipe() {
    let mut req = Rig::with(SocketType::Req, |o| o.probe_router = true);
    let a = req.connect(1);
    assert_eq!(req.take(a), Some(Message::from("")));
}

#[test]
fn req_numbers_one_request_on_demand_and_throws_its_late_reply_away() {
    let mut req = req();
    let a = req.accept(0);
    req.pattern.number_request(true);
    req.send("q1").unwrap();
    let (first, _) = take_numbered(&mut req, a);
    assert_eq!(req.pattern.abandon_request(&mut req.pipes), None, "it is on its way");
    req.pattern.number_request(true);
    req.send("q2").unwrap();
    let (second, _) = take_numbered(&mut req, a);
    req.deliver(a, (&first.to_ne_bytes()[..], &b""[..], &b"late"[..]));
    assert_eq!(req.recv(), Ok(None));
    req.deliver(a, (&second.to_ne_bytes()[..], &b""[..], &b"x"[..]));
    assert_eq!(req.recv(), Ok(Some("x".into())));
    req.send("q3").unwrap();
    assert_eq!(req.take(a), Some(Message::from(("", "q3"))), "only the next request is numbered");
}

#[test]
fn req_takes_a_request_back_that_is_still_queued_and_has_room_for_the_next() {
    let mut req = req();
    let a = req.connect(1);
    for _ in 0..2 {
        req.pattern.number_request(true);
        req.send(("q", "of two frames")).unwrap();
        assert_eq!(req.pattern.abandon_request(&mut req.pipes), Some((a, ("q", "of two frames").into())));
    }
    req.send("next").unwrap();
    assert_eq!(req.take(a), Some(Message::from(("", "next"))), "nothing before it, and it is not numbered");
    assert_eq!(req.pipes.reserved(), 0);
}
