//! PLAIN: both roles, on every version, and what each refuses.
#![allow(clippy::unwrap_used)] // a test's helpers

use std::time::Instant;

use bytes::Bytes;

use crate::Config;
use crate::connection::Stage;
use crate::error::{CommandKind, Excerpt, ProtocolError};
use crate::mechanism::{Decision, Proof, Secret, Settings, Status};
use crate::pair::{End, Pair, hex};
use crate::{Message, SocketType, Traffic, Version};

use SocketType::{Dealer, Pull, Push, Router};

/// A greeting of version 3.1 with the mechanism PLAIN.
const GREETING: &str = "FF 00*8 7F 0301 504C41494E 00*15 00*32";
/// `admin`, `secret` (golden bytes).
const HELLO: &str = "04 13 05 48454C4C4F 05 61646D696E 06 736563726574";
const WELCOME: &str = "04 08 07 57454C434F4D45";

fn client() -> Config {
    let (username, password) = (Bytes::from("admin"), Secret::from("secret"));
    Config { mechanism: Settings::PlainClient { username, password }, ..Config::new(Dealer) }
}

fn server() -> Config {
    Config { mechanism: Settings::PlainServer, authorise: true, ..Config::new(Router) }
}

fn accept() -> Decision {
    Decision::Accept { user_id: "admin".into(), metadata: Vec::new() }
}

/// Returns the result of bytes after the greeting, when the decision is to accept.
fn fault(config: Config, bytes: &str) -> Option<ProtocolError> {
    let now = Instant::now();
    let mut end = End::new(config, now);
    end.input(&hex(GREETING), now).unwrap();
    hex(bytes).iter().find_map(|byte| {
        end.decide(accept(), now);
        end.input(&[*byte], now).err()
    })
}

fn unexpected(name: &[u8]) -> Option<ProtocolError> {
    Some(ProtocolError::UnexpectedCommand { name: Excerpt::of(name) })
}

#[test]
fn client_and_server_meet_and_the_server_asks() {
    for cut in [1, 5, 1000] {
        let mut pair = Pair::new(client(), server());
        pair.run(cut).unwrap();
        assert_eq!(pair.a.connection.stage(), Stage::Mechanism);
        assert_eq!(pair.b.connection.stage(), Stage::Authorising);
        let question = pair.b.decide(accept(), pair.now).unwrap();
        let Proof::Plain { username, password } = question.proof else { panic!("{question:?}") };
        assert_eq!(
            (question.mechanism, &username[..], password.expose()),
            ("PLAIN", &b"admin"[..], &b"secret"[..])
        );
        pair.run(cut).unwrap();
        assert_eq!(pair.a.established.as_ref().unwrap().socket_type, Some(Router));
        let told = pair.b.established.as_ref().unwrap();
        assert_eq!((told.socket_type, told.user_id.as_str()), (Some(Dealer), "admin"));
        pair.a.send(Message::from("Hi"));
        pair.run(cut).unwrap();
        assert_eq!(pair.b.received, [Traffic::from(Message::from("Hi"))]);
    }
}

#[test]
fn the_bytes_are_rfc_24s() {
    let now = Instant::now();
    let mut end = End::new(client(), now);
    end.output();
    end.input(&hex(GREETING), now).unwrap();
    let greeting = hex("03 01 504C41494E 00*15 00*32");
    assert_eq!(end.output(), [greeting.clone(), hex(HELLO)].concat());
    end.input(&hex(WELCOME), now).unwrap();
    let properties = "0B 536F636B65742D54797065 00000006 4445414C4552 08 4964656E74697479 00000000";
    assert_eq!(end.output(), hex(&format!("04 2C 08 494E495449415445 {properties}")));
    let mut end = End::new(server(), now);
    end.output();
    end.input(&hex(GREETING), now).unwrap();
    end.input(&hex(HELLO), now).unwrap();
    assert_eq!(end.output(), greeting);
    end.decide(accept(), now).unwrap();
    assert_eq!(end.output(), hex(WELCOME));
    end.input(&hex(&format!("04 2C 08 494E495449415445 {properties}")), now).unwrap();
    assert!(end.output().starts_with(&hex("04 29 05 5245414459")));
    assert!(end.established.is_some());
}

#[test]
fn a_refused_client_is_told() {
    for status in [Status::AuthenticationFailure, Status::InternalError] {
        let mut pair = Pair::new(client(), server());
        pair.run(64).unwrap();
        pair.b.decide(Decision::Refuse(status), pair.now).unwrap();
        let reason = Bytes::from(status.to_string());
        assert_eq!(pair.run(64), Err(ProtocolError::Refused { reason }));
        assert!(pair.b.established.is_none() && !pair.b.connection.is_ready());
    }
}

#[test]
fn a_server_refuses_what_is_no_hello() {
    let malformed = Some(ProtocolError::MalformedCommand(CommandKind::Hello));
    let hello = "05 48454C4C4F";
    for (bytes, expected) in [
        (format!("04 06 {hello}"), malformed.clone()),
        (format!("04 07 {hello} 00"), malformed.clone()),
        (format!("04 08 {hello} 00 00"), None),
        (format!("04 09 {hello} 00 00 00"), malformed.clone()),
        (format!("04 08 {hello} 00 01"), malformed.clone()),
        (format!("04 08 {hello} 05 61"), malformed),
        ("04 07 06 48454C4C4F21".to_owned(), unexpected(b"HELLO!")),
        (WELCOME.to_owned(), unexpected(b"WELCOME")),
        ("04 09 08 494E495449415445".to_owned(), unexpected(b"INITIATE")),
        ("04 06 05 5245414459".to_owned(), unexpected(b"READY")),
        ("04 0A 05 4552524F52 03 343030".to_owned(), unexpected(b"ERROR")),
        ("00 02 4869".to_owned(), Some(ProtocolError::TrafficBeforeReady)),
        (format!("{HELLO} {HELLO}"), unexpected(b"HELLO")),
        (format!("{HELLO} 04 06 05 5245414459"), unexpected(b"READY")),
        (format!("{HELLO} 04 0A 08 494E495449415445 01"), Some(ProtocolError::InvalidMetadata)),
        (format!("{HELLO} 04 09 08 494E495449415445"), None),
        ("06 0000000000000207".to_owned(), Some(ProtocolError::CommandTooLong { length: 519, limit: 518 })),
    ] {
        assert_eq!(fault(server(), &bytes), expected, "{bytes}");
    }
}

#[test]
fn a_client_refuses_what_is_no_welcome() {
    for (bytes, expected) in [
        (WELCOME.to_owned(), None),
        (
            "04 09 07 57454C434F4D45 00".to_owned(),
            Some(ProtocolError::MalformedCommand(CommandKind::Welcome)),
        ),
        ("04 06 05 5245414459".to_owned(), unexpected(b"READY")),
        (HELLO.to_owned(), unexpected(b"HELLO")),
        (format!("{WELCOME} {WELCOME}"), unexpected(b"WELCOME")),
        (format!("{WELCOME} 04 06 05 5245414459"), None),
        (format!("{WELCOME} 04 06 05 5245414459 04 06 05 5245414459"), unexpected(b"READY")),
        (format!("{WELCOME} 00 02 4869"), Some(ProtocolError::TrafficBeforeReady)),
        ("04 06 05 4552524F52".to_owned(), Some(ProtocolError::MalformedCommand(CommandKind::Error))),
        ("04 07 05 4552524F52 00".to_owned(), Some(ProtocolError::Refused { reason: Bytes::new() })),
        (
            format!("{WELCOME} 04 0A 05 4552524F52 03 343030"),
            Some(ProtocolError::Refused { reason: Bytes::from("400") }),
        ),
    ] {
        assert_eq!(fault(client(), &bytes), expected, "{bytes}");
    }
}

#[test]
fn a_hello_says_nothing_while_the_decision_is_awaited() {
    let now = Instant::now();
    let mut end = End::new(server(), now);
    end.input(&hex(GREETING), now).unwrap();
    end.input(&hex(HELLO), now).unwrap();
    assert_eq!(end.input(&hex("04 09 08 494E495449415445"), now).err(), unexpected(b"INITIATE"));
    assert!(end.connection.poll_credentials().is_none());
}

#[test]
fn two_clients_fail_and_two_servers_wait_for_their_deadline() {
    let mut pair = Pair::new(client(), Config { socket_type: Router, ..client() });
    assert_eq!(pair.run(64).err(), unexpected(b"HELLO"));
    let mut pair = Pair::new(server(), server());
    pair.run(64).unwrap();
    assert!(!pair.a.connection.is_ready() && pair.a.connection.poll_credentials().is_none());
    pair.now = pair.a.connection.poll_timeout().unwrap();
    assert!(pair.a.connection.handle_timeout(pair.now).is_err());
}

#[test]
fn plain_and_null_do_not_meet() {
    let mut pair = Pair::new(client(), Config::new(Router));
    assert!(matches!(pair.run(64), Err(ProtocolError::MechanismMismatch { .. })));
}

#[test]
fn plain_speaks_no_version_below_3() {
    let now = Instant::now();
    for config in [client(), server(), Config { authorise: false, ..server() }] {
        let config = Config { min_version: Version::V1_0, ..config };
        let fault = End::new(config, now).input(&hex("FF 00*8 7F 01"), now);
        let (spoken, minimum) = (Version::V2_0, Version::V3_0);
        assert_eq!(fault, Err(ProtocolError::VersionTooOld { spoken, minimum }));
    }
}

#[test]
fn credentials_of_256_bytes_have_no_form() {
    for (username, password) in [(255, 255), (256, 0), (0, 256)] {
        let mechanism = Settings::PlainClient {
            username: vec![b'u'; username].into(),
            password: Secret::new(vec![b'p'; password]),
        };
        let mut pair =
            Pair::new(Config { mechanism, ..Config::new(Push) }, Config { socket_type: Pull, ..server() });
        let result = pair.run(64);
        match username.max(password) {
            255 => assert!(result.is_ok() && pair.b.connection.poll_credentials().is_some()),
            _ => assert_eq!(result, Err(ProtocolError::CredentialsTooLong)),
        }
    }
}

#[test]
fn a_password_does_not_print() {
    assert!(!format!("{:?}", client()).contains("secret"));
    let mut pair = Pair::new(client(), server());
    pair.run(64).unwrap();
    assert!(!format!("{:?}", pair.b.connection.poll_credentials()).contains("secret"));
}

/// Bytes that libzmq 4.3.5 sends: the length of the name and its first letter have become one.
#[test]
fn the_misspelt_error_of_libzmq_is_a_refusal() {
    let refused = |reason: &'static [u8]| Some(ProtocolError::Refused { reason: reason.into() });
    assert_eq!(fault(client(), "04 09 5E52524F52 03 343030"), refused(b"400"));
    assert_eq!(fault(client(), "04 0A 05 4552524F52 03 343030"), refused(b"400"));
    let malformed = Some(ProtocolError::MalformedCommand(CommandKind::Error));
    assert_eq!(fault(client(), "04 05 5E52524F52"), malformed);
    assert_eq!(fault(client(), "04 07 5E52524F52 02 34"), malformed);
}

/// Runs a server that accepts `admin` with `secret`. Returns the results of the client's two commands.
fn guarded(hello: &[u8], initiate: &[u8]) -> (End, Result<(), ProtocolError>) {
    let now = Instant::now();
    let mut end = End::new(server(), now);
    end.input(&hex(GREETING), now).expect("a greeting");
    let outcome = end.input(hello, now);
    if let Some(question) = end.connection.poll_credentials() {
        let Proof::Plain { username, password } = question.proof else { panic!("{question:?}") };
        let known = &username[..] == b"admin" && password.expose() == b"secret";
        let decision = if known { accept() } else { Decision::Refuse(Status::AuthenticationFailure) };
        let _ = end.connection.decide(decision, now);
    }
    let outcome = outcome.and_then(|()| end.input(initiate, now));
    (end, outcome)
}

#[test]
fn no_flipped_bit_of_a_hello_gets_in() {
    let hello = hex(HELLO);
    let initiate = hex("04 09 08 494E495449415445");
    assert!(guarded(&hello, &initiate).0.established.is_some());
    // The first five bits of the first byte are unused flags.
    for bit in (0..hello.len() * 8).filter(|bit| !(3..8).contains(bit)) {
        let mut hello = hello.clone();
        hello[bit / 8] ^= 1 << (bit % 8);
        let (end, _) = guarded(&hello, &initiate);
        assert!(end.established.is_none() && !end.connection.is_ready(), "bit {bit}");
    }
}

/// The properties in an INITIATE may be changed on the way, because PLAIN protects nothing. The peer's type must still
/// be legal.
#[test]
fn a_flipped_bit_of_an_initiate_brings_no_illegal_peer() {
    let initiate = hex("04 24 08 494E495449415445 0B 536F636B65742D54797065 00000006 4445414C4552");
    let initiate = [&[4, initiate.len() as u8 - 2], &initiate[2..]].concat();
    let mut refused = 0;
    for bit in 0..initiate.len() * 8 {
        let mut initiate = initiate.clone();
        initiate[bit / 8] ^= 1 << (bit % 8);
        let (end, outcome) = guarded(&hex(HELLO), &initiate);
        match end.established {
            Some(told) => assert!(matches!(told.socket_type, Some(Dealer) | None), "bit {bit}"),
            None => refused += usize::from(outcome.is_err()),
        }
    }
    assert!(refused > 100, "{refused}");
}

#[test]
fn plain_is_the_same_for_a_peer_of_version_3_0() {
    let now = Instant::now();
    let greeting = hex("FF 00*8 7F 0300 504C41494E 00*15 00*32");
    let (mut client, mut server) = (End::new(client(), now), End::new(server(), now));
    for end in [&mut client, &mut server] {
        end.input(&greeting, now).unwrap();
    }
    let hello = client.output().split_off(64);
    server.output();
    server.input(&hello, now).unwrap();
    server.decide(accept(), now).unwrap();
    client.input(&server.output(), now).unwrap();
    server.input(&client.output(), now).unwrap();
    client.input(&server.output(), now).unwrap();
    for end in [client, server] {
        assert_eq!(end.established.unwrap().version, Some(Version::V3_0));
    }
}
