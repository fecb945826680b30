//! The bytes that libzmq (inside pyzmq) and Zeroxide send, recorded and compared with what RFC 23 and 37 say.
//!
//! libzmq is the control: where a test fails for it, the expectation is wrong, not Zeroxide.
#![cfg(feature = "peers")]

mod common;

use std::net::TcpListener;

use interop::wire::{SIGNATURE, Wire, command, ready, ready_with, rest_of_greeting};
use interop::words::hex;
use interop::{Failure, Peer, Program, setup};

/// The types that tell the other side their routing id, though it be empty (libzmq mechanism.cpp).
const WITH_IDENTITY: [&str; 3] = ["REQ", "DEALER", "ROUTER"];
/// Each stable type and one that may talk to it.
const TYPES: [(&str, &str); 11] = [
    ("PAIR", "PAIR"),
    ("PUB", "SUB"),
    ("SUB", "PUB"),
    ("REQ", "REP"),
    ("REP", "REQ"),
    ("DEALER", "ROUTER"),
    ("ROUTER", "DEALER"),
    ("PULL", "PUSH"),
    ("PUSH", "PULL"),
    ("XPUB", "XSUB"),
    ("XSUB", "XPUB"),
];

/// A socket of an implementation, and its connection to us.
struct Subject {
    peer: Peer,
    wire: Wire,
}

impl Subject {
    /// A connecting socket.
    fn connecting(program: &Program, socket_type: &str, options: &[&str]) -> Result<Subject, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let mut peer = Subject::socket(program, socket_type, options)?;
        peer.ask(format!("connect s tcp://{}", listener.local_addr()?))?;
        Ok(Subject { peer, wire: Wire::accept(&listener)? })
    }

    /// A bound socket.
    fn bound(program: &Program, socket_type: &str, options: &[&str]) -> Result<Subject, Failure> {
        let mut peer = Subject::socket(program, socket_type, options)?;
        let endpoint = peer.ask("bind s tcp://127.0.0.1:*")?.concat();
        Ok(Subject { peer, wire: Wire::connect(&endpoint)? })
    }

    fn socket(program: &Program, socket_type: &str, options: &[&str]) -> Result<Peer, Failure> {
        let mut peer = Peer::start(program)?;
        peer.ask(format!("socket s {socket_type}"))?;
        for option in options {
            peer.ask(format!("set s {option}"))?;
        }
        Ok(peer)
    }

    /// Ends the handshake, as a peer of this type and minor version.
    fn shake_hands(&mut self, as_type: &str, minor: u8) -> Result<(), Failure> {
        self.wire.greet(minor)?;
        self.wire.frame()?;
        self.wire.write(&ready(as_type, None))
    }

    /// The next frames of the connection, one after the other.
    fn frames(&mut self, count: usize) -> Result<String, Failure> {
        let frames: Result<Vec<String>, _> =
            (0..count).map(|_| self.wire.frame().map(|frame| hex(&frame))).collect();
        Ok(frames?.join(" "))
    }
}

/// The READY of a connecting socket. One of Zeroxide that may find no place at its peer, for its routing id or because the
/// peer has one peer only, says besides that it dials again after a refusal.
fn ready_of(
    program: &Program,
    socket_type: &str,
    identity: Option<&str>,
    may_find_no_place: bool,
) -> Vec<u8> {
    let redials: &[(&str, &str)] = if may_find_no_place && program.name == common::zeroxide().name {
        &[("X-Redials", "1")]
    } else {
        &[]
    };
    ready_with(socket_type, identity, redials)
}

/// Tries something with libzmq and with Zeroxide.
fn with_each(run: fn(&Program) -> Result<(), Failure>) {
    let pyzmq = common::there(setup::standing("pyzmq"), "pyzmq");
    for program in pyzmq.into_iter().chain([common::zeroxide()]) {
        if let Err(failure) = run(&program) {
            panic!("{}: {failure}", program.name);
        }
    }
}

#[test]
fn a_greeting_is_64_bytes_in_three_parts() {
    with_each(|program| {
        for open in [Subject::connecting, Subject::bound] {
            let mut subject = open(program, "DEALER", &[])?;
            let expected = [&SIGNATURE[..], &[3], &rest_of_greeting(1)].concat();
            assert_eq!(hex(&subject.wire.greet(1)?), hex(&expected), "{}", program.name);
        }
        Ok(())
    });
}

#[test]
fn a_peer_that_sends_its_whole_greeting_at_once_is_understood() {
    with_each(|program| {
        let mut subject = Subject::bound(program, "PULL", &[])?;
        let whole = [&SIGNATURE[..], &[3], &rest_of_greeting(0), &ready("PUSH", None)];
        subject.wire.write(&whole.concat())?;
        subject.wire.read(64)?;
        assert_eq!(hex(&subject.wire.frame()?), hex(&ready("PULL", None)), "{}", program.name);
        // Not before its READY: libzmq takes a message then for an unexpected command, and closes.
        subject.wire.write(&[0, 2, b'h', b'i'])?;
        assert_eq!(subject.peer.ask("recv s 10000")?, ["h:6869"], "{}", program.name);
        Ok(())
    });
}

#[test]
fn ready_names_the_type_and_the_identity_of_those_who_have_one() {
    with_each(|program| {
        for (socket_type, _) in TYPES {
            let mut subject = Subject::connecting(program, socket_type, &[])?;
            subject.wire.greet(1)?;
            let identity = WITH_IDENTITY.contains(&socket_type).then_some("");
            let expected = ready_of(program, socket_type, identity, socket_type == "PAIR");
            assert_eq!(hex(&subject.wire.frame()?), hex(&expected), "{} {socket_type}", program.name);
        }
        Ok(())
    });
}

#[test]
fn ready_carries_the_routing_id() {
    with_each(|program| {
        let mut subject = Subject::connecting(program, "DEALER", &["ROUTING_ID t:me"])?;
        subject.wire.greet(1)?;
        let expected = ready_of(program, "DEALER", Some("me"), true);
        assert_eq!(hex(&subject.wire.frame()?), hex(&expected), "{}", program.name);
        Ok(())
    });
}

#[test]
fn frames_are_short_up_to_255_bytes_and_long_beyond() {
    with_each(|program| {
        let mut subject = Subject::connecting(program, "PUSH", &[])?;
        subject.shake_hands("PULL", 1)?;
        subject.peer.ask("send s 10000 - t:a f:255:0 f:256:0")?;
        let expected = [
            &[1, 0, 1, 1, b'a', 1, 255][..],
            &interop::words::fill(255, 0),
            &[2, 0, 0, 0, 0, 0, 0, 1, 0],
            &interop::words::fill(256, 0),
        ];
        assert_eq!(subject.frames(4)?.replace(' ', ""), hex(&expected.concat()), "{}", program.name);
        Ok(())
    });
}

#[test]
fn a_request_begins_with_an_empty_frame() {
    with_each(|program| {
        let mut subject = Subject::connecting(program, "REQ", &[])?;
        subject.shake_hands("REP", 1)?;
        subject.peer.ask("send s 10000 t:hi")?;
        assert_eq!(subject.frames(2)?, "0100 00026869", "{}", program.name);
        subject.wire.write(&[1, 0, 0, 3, b'y', b'e', b's'])?;
        assert_eq!(subject.peer.ask("recv s 10000")?, ["h:796573"], "{}", program.name);
        Ok(())
    });
}

#[test]
fn a_3_1_peer_is_sent_subscriptions_as_commands() {
    with_each(|program| {
        let mut subject = Subject::connecting(program, "SUB", &[])?;
        subject.peer.ask("subscribe s t:abc")?;
        subject.shake_hands("PUB", 1)?;
        subject.peer.ask("unsubscribe s t:abc")?;
        let expected = [hex(&command("SUBSCRIBE", b"abc")), hex(&command("CANCEL", b"abc"))].join(" ");
        assert_eq!(subject.frames(2)?, expected, "{}", program.name);
        Ok(())
    });
}

#[test]
fn a_3_0_peer_is_sent_subscriptions_as_messages() {
    with_each(|program| {
        let mut subject = Subject::connecting(program, "SUB", &[])?;
        subject.peer.ask("subscribe s t:abc")?;
        subject.shake_hands("PUB", 0)?;
        subject.peer.ask("unsubscribe s t:abc")?;
        assert_eq!(subject.frames(2)?, "000401616263 000400616263", "{}", program.name);
        Ok(())
    });
}

#[test]
fn a_publisher_takes_subscriptions_in_both_forms_from_anybody() {
    with_each(|program| {
        for request in [command("SUBSCRIBE", b"abc"), vec![0, 4, 1, b'a', b'b', b'c']] {
            for minor in [0, 1] {
                let mut subject = Subject::bound(program, "XPUB", &[])?;
                subject.shake_hands("SUB", minor)?;
                subject.wire.write(&request)?;
                assert_eq!(subject.peer.ask("recv s 10000")?, ["h:01616263"], "{}", program.name);
                subject.peer.ask("send s 10000 t:abcd")?;
                assert_eq!(subject.frames(1)?, "000461626364", "{}", program.name);
            }
        }
        Ok(())
    });
}

#[test]
fn a_ping_is_answered_with_its_context() {
    with_each(|program| {
        let mut subject = Subject::connecting(program, "DEALER", &[])?;
        subject.shake_hands("ROUTER", 1)?;
        subject.wire.write(&command("PING", b"\0\0hello"))?;
        assert_eq!(subject.frames(1)?, hex(&command("PONG", b"hello")), "{}", program.name);
        Ok(())
    });
}

#[test]
fn an_illegal_pair_is_refused_by_closing() {
    with_each(|program| {
        let mut subject = Subject::bound(program, "PULL", &[])?;
        subject.shake_hands("SUB", 1)?;
        assert!(matches!(subject.wire.read(1), Err(Failure::Io(error)) if
            !matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)));
        Ok(())
    });
}
