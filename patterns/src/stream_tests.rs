//! The rules of STREAM in libzmq's stream.cpp and documentation, rule by rule.

use zeroxide_zmtp::{Frame, Message, SocketType};

use super::MAX_NOTES;
use crate::fake::Rig;
use crate::{Cause, Pattern, PipeId, Refusal};

fn stream() -> Rig {
    Rig::new(SocketType::Stream)
}

fn silent() -> Rig {
    Rig::with(SocketType::Stream, |o| o.stream_notify = false)
}

fn id_of(rig: &Rig, pipe: PipeId) -> Frame {
    rig.pattern.routing_id(pipe).expect("a named pipe").to_frame()
}

fn from(id: &Frame, chunk: &str) -> Result<Option<Message>, Refusal> {
    Ok(Some((id.clone(), Frame::from(chunk)).into()))
}

#[test]
fn stream_puts_an_automatic_id_before_each_chunk_and_sends_to_the_id() {
    let mut stream = silent();
    let (a, b) = (stream.connect(0), stream.accept_as(0, b"announced ids mean nothing"));
    let (first, second) = (id_of(&stream, a), id_of(&stream, b));
    assert_eq!((first.len(), first[0], second.len(), second[0]), (5, 0, 5, 0));
    stream.deliver(b, "GET /");
    assert_eq!(stream.recv(), from(&second, "GET /"));
    stream.send((second, "200 OK")).unwrap();
    assert_eq!(stream.take(b), Some("200 OK".into()));
    stream.send(vec![first, "two".into(), " parts".into()]).unwrap();
    assert_eq!(stream.take(a), Some(("two", " parts").into()));
}

/// The connection may bring bytes before the socket knows of it.
#[test]
fn bytes_wait_for_the_note_of_the_beginning_of_their_connection() {
    let mut stream = stream();
    let a = stream.connect(0);
    let id = id_of(&stream, a);
    stream.deliver(a, "early");
    assert!(!stream.has_in());
    assert_eq!(stream.recv(), Ok(None));
    stream.establish(a, b"");
    for chunk in ["", "early"] {
        assert_eq!(stream.recv(), from(&id, chunk));
    }
}

#[test]
fn connect_routing_id_names_a_stream_peer_for_all_its_connections() {
    let mut stream = silent();
    let a = stream.connect_as(0, Some(b"web")).unwrap();
    stream.establish(a, b"");
    stream.lose(a);
    stream.establish(a, b"");
    stream.send(("web", "x")).unwrap();
    assert_eq!(stream.take(a), Some("x".into()));
    assert!(matches!(stream.connect_as(0, Some(b"web")), Err(Refusal::InUse(_))));
}

#[test]
fn stream_refuses_unknown_ids_and_full_peers() {
    let mut stream = stream();
    assert!(!stream.has_out());
    assert!(matches!(stream.send(("nobody", "x")), Err(Refusal::Unroutable(_))));
    let a = stream.accept(1);
    let id = id_of(&stream, a);
    stream.send((id.clone(), "1")).unwrap();
    assert_eq!(stream.send((id, "2")), Err(Refusal::Full { pipes: 1 }));
    assert!(stream.pipes.drops.is_empty());
}

#[test]
fn stream_tells_of_the_beginning_and_the_end_of_a_connection() {
    let mut stream = stream();
    let a = stream.accept(0);
    let id = id_of(&stream, a);
    stream.deliver(a, "bytes");
    assert!(stream.has_in());
    assert_eq!(stream.recv(), from(&id, ""));
    assert!(stream.has_in(), "looks ahead");
    stream.detach(a);
    assert_eq!(stream.recv(), from(&id, "bytes"));
    assert_eq!(stream.recv(), from(&id, ""));
    assert_eq!(stream.recv(), Ok(None));
}

#[test]
fn a_reconnection_ends_one_run_of_bytes_and_begins_another() {
    let mut stream = stream();
    let a = stream.connect(0);
    let id = id_of(&stream, a);
    stream.establish(a, b"");
    stream.deliver(a, "first");
    stream.lose(a);
    stream.establish(a, b"");
    stream.deliver(a, "second");
    for chunk in ["", "first", "", "", "second"] {
        assert_eq!(stream.recv(), from(&id, chunk));
    }
    stream.lose(a);
    stream.detach(a);
    assert_eq!(stream.recv(), from(&id, ""), "one end is told once");
    assert_eq!(stream.recv(), Ok(None));
}

#[test]
fn stream_without_notify_delivers_bytes_only() {
    let mut stream = silent();
    let a = stream.connect(0);
    let id = id_of(&stream, a);
    stream.establish(a, b"");
    stream.deliver(a, "first");
    stream.lose(a);
    stream.establish(a, b"");
    stream.deliver(a, "second");
    assert_eq!(stream.recv(), from(&id, "first"));
    assert_eq!(stream.recv(), from(&id, "second"));
    stream.detach(a);
    assert_eq!(stream.recv(), Ok(None));
}

#[test]
fn an_empty_second_frame_ends_the_connection() {
    let mut stream = stream();
    let a = stream.accept(1);
    let id = id_of(&stream, a);
    assert_eq!(stream.recv(), from(&id, ""));
    stream.send((id, "")).unwrap();
    assert!(stream.pipes.get(a).closed);
    assert_eq!(stream.pipes.reserved(), 0);
    stream.detach(a);
    assert_eq!(stream.recv(), Ok(None), "who ends it is not told of the end");
    assert!(stream.pipes.drops.is_empty());
}

#[test]
fn unread_notes_are_bounded() {
    let mut stream = stream();
    for _ in 0..MAX_NOTES / 2 {
        let a = stream.accept(0);
        stream.detach(a);
    }
    let a = stream.accept(0);
    assert!(stream.pipes.get(a).closed, "no more connections until the application reads");
    stream.detach(a);
    stream.recv().unwrap();
    let b = stream.connect(0);
    stream.establish(b, b"");
    assert!(!stream.pipes.get(b).closed);
    stream.deliver(b, "no room for this");
    stream.lose(b);
    assert_eq!(stream.pipes.drops, [(Some(b), Cause::Unwanted)]);
}

#[test]
fn router_raw_is_a_stream_to_which_mandatory_applies() {
    let mut router = Rig::with(SocketType::Router, |o| o.router_raw = true);
    let a = router.accept(0);
    let id = id_of(&router, a);
    assert_eq!(router.recv(), from(&id, ""));
    router.deliver(a, "bytes");
    assert_eq!(router.recv(), from(&id, "bytes"));
    router.send(("nobody", "x")).unwrap();
    assert_eq!(router.pipes.drops, [(None, Cause::Unroutable)]);
    router.configure(|o| {
        o.router_raw = true;
        o.router_mandatory = true;
    });
    assert!(matches!(router.send(("nobody", "x")), Err(Refusal::Unroutable(_))));
    router.send((id, "")).unwrap();
    assert!(router.pipes.get(a).closed);
}

#[test]
fn what_is_received_of_a_peer_that_is_gone_names_no_other_pipe() {
    let mut rig = stream();
    let pipe = rig.accept(0);
    rig.detach(pipe);
    assert_eq!(rig.accept(0), pipe, "the number is used again");
    let from: Vec<PipeId> = std::iter::from_fn(|| rig.recv_from().unwrap()).map(|(from, _)| from).collect();
    assert_eq!(
        from,
        [PipeId::GONE, PipeId::GONE, pipe],
        "its begin and its end, and the begin of the next one"
    );
}
