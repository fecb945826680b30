//! The handshake of CURVE.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::Config;
use crate::connection::Stage;
use crate::error::{CommandKind, ConnectionError, Excerpt, ProtocolError};
use crate::mechanism::curve::bench::*;
use crate::mechanism::curve::{PublicKey, SecretKey};
use crate::mechanism::{Decision, Proof, Settings, Status};
use crate::pair::{End, Pair, dice, hex};
use crate::{Entropy, Message, SocketType, Traffic, Version};

#[test]
fn client_and_server_meet_and_the_server_asks_for_the_clients_key() {
    for cut in [1, 7, 1000] {
        let mut pair = Pair::new(client_config(SocketType::Dealer), server_config(SocketType::Router));
        pair.run(cut).unwrap();
        assert_eq!(pair.b.connection.stage(), Stage::Authorising);
        assert!(pair.b.established.is_none() && pair.a.established.is_none());
        let question = pair.b.decide(accept(), pair.now).unwrap();
        assert_eq!(question.mechanism, "CURVE");
        assert!(matches!(question.proof, Proof::Curve(key) if key == client_key().public()));
        pair.run(cut).unwrap();
        let (told, heard) = (pair.a.established.as_ref().unwrap(), pair.b.established.as_ref().unwrap());
        assert_eq!(
            (told.socket_type, heard.socket_type),
            (Some(SocketType::Router), Some(SocketType::Dealer))
        );
        assert_eq!((told.version, heard.user_id.as_str()), (Some(Version::V3_1), "anna"));
        pair.a.send(Message::from("Hi"));
        pair.b.send(Message::from(("two", "frames")));
        pair.run(cut).unwrap();
        assert_eq!(pair.b.received, [Traffic::from(Message::from("Hi"))]);
        assert_eq!(pair.a.received, [Traffic::from(Message::from(("two", "frames")))]);
    }
}

#[test]
fn under_curve_the_peers_own_identity_names_it() {
    let client = Config { routing_id: "mine".into(), ..client_config(SocketType::Dealer) };
    let mut pair = Pair::new(client, server_config(SocketType::Router));
    pair.run(7).unwrap();
    let metadata = vec![("Identity".to_owned(), Bytes::from("ann"))];
    pair.b.decide(Decision::Accept { user_id: "anna".into(), metadata }, pair.now).unwrap();
    pair.run(7).unwrap();
    assert_eq!(pair.b.established.as_ref().unwrap().routing_id, "mine");
}

#[test]
fn the_commands_have_rfc_26s_layout() {
    let Handshake { hello, welcome, initiate, ready, .. } = Handshake::done();
    let metadata = 0x29 - 6;
    assert_eq!((hello.len(), &hello[..10]), (202, &b"\x04\xC8\x05HELLO\x01\x00"[..]));
    assert_eq!((&hello[10..82], &hello[114..122]), (&[0; 72][..], &1_u64.to_be_bytes()[..]));
    assert_eq!((welcome.len(), &welcome[..10]), (170, &b"\x04\xA8\x07WELCOME"[..]));
    assert_eq!((initiate.len(), &initiate[..9]), (9 + 257 + metadata, &b"\x06\0\0\0\0\0\0\x01\x24"[..]));
    assert_eq!((&initiate[9..18], &initiate[114..122]), (&b"\x08INITIATE"[..], &2_u64.to_be_bytes()[..]));
    assert_eq!((ready.len(), &ready[..8]), (2 + 30 + metadata, &b"\x04\x41\x05READY"[..]));
    assert_eq!(&ready[8..16], &1_u64.to_be_bytes());
}

/// Runs the ends until the command `at` is awaited. Returns them and that command.
fn before(at: usize) -> (End, Vec<u8>) {
    let now = Instant::now();
    let (mut client, hello) = greeted(client_config(SocketType::Dealer), Version::V3_1, now);
    let (mut server, _) = greeted(server_config(SocketType::Router), Version::V3_1, now);
    if at == 0 {
        return (server, hello);
    }
    server.input(&hello, now).unwrap();
    let welcome = server.output();
    if at == 1 {
        return (client, welcome);
    }
    client.input(&welcome, now).unwrap();
    let initiate = client.output();
    if at == 2 {
        return (server, initiate);
    }
    server.input(&initiate, now).unwrap();
    server.decide(accept(), now);
    (client, server.output())
}

/// Returns whether the end accepted its peer.
fn fooled(end: &mut End) -> bool {
    end.connection.is_ready() || end.established.is_some() || end.connection.poll_credentials().is_some()
}

#[test]
fn the_bench_is_right() {
    let now = Instant::now();
    for at in 0..4 {
        let (mut end, command) = before(at);
        end.input(&command, now).unwrap();
        assert_eq!(fooled(&mut end), at >= 2, "{at}");
    }
}

#[test]
fn no_flipped_bit_of_any_command_gets_in() {
    let now = Instant::now();
    for at in 0..4 {
        let (_, command) = before(at);
        let header = command.len() - unframed(&command).len();
        for bit in 0..command.len() * 8 {
            let (mut end, mut command) = before(at);
            command[bit / 8] ^= 1 << (bit % 8);
            let outcome = end.input(&command, now);
            if bit / 8 >= header {
                assert!(outcome.is_err(), "command {at}, bit {bit}");
            } else if (3..8).contains(&bit) {
                // The unused flags are ignored.
                assert!(outcome.is_ok(), "command {at}, bit {bit}");
                continue;
            }
            // After a header with another length, this side may wait for more bytes.
            assert!(!fooled(&mut end), "command {at}, bit {bit}");
        }
    }
}

#[test]
fn no_command_is_shorter_or_longer_than_it_must() {
    let now = Instant::now();
    for at in 0..4 {
        let (_, command) = before(at);
        let body = unframed(&command);
        for length in (0..body.len()).chain([body.len() + 1, body.len() + 8]) {
            let (mut end, _) = before(at);
            let body: Vec<u8> = body.iter().copied().chain(std::iter::repeat(0)).take(length).collect();
            assert!(end.input(&framed(&body), now).is_err(), "command {at}, {length} bytes");
            assert!(!fooled(&mut end), "command {at}, {length} bytes");
        }
        // Cut, and nothing after it.
        for length in 0..command.len() {
            let (mut end, _) = before(at);
            end.input(&command[..length], now).unwrap();
            assert!(!fooled(&mut end), "command {at}, {length} bytes");
            end.input(&command[length..], now).unwrap();
            assert_eq!(fooled(&mut end), at >= 2, "command {at}, {length} bytes");
        }
    }
}

fn unexpected(name: &[u8]) -> Result<(), ProtocolError> {
    Err(ProtocolError::UnexpectedCommand { name: Excerpt::of(name) })
}

#[test]
fn every_command_has_its_moment() {
    let now = Instant::now();
    let commands: Vec<Vec<u8>> = (0..4).map(|at| before(at).1).collect();
    let names = [&b"HELLO"[..], b"WELCOME", b"INITIATE", b"READY"];
    for at in 0..4 {
        for (other, command) in commands.iter().enumerate().filter(|(other, _)| *other != at) {
            let (mut end, _) = before(at);
            // A command longer than the longest expected one is not even read.
            let outcome = end.input(command, now);
            let too_long = matches!(outcome, Err(ProtocolError::CommandTooLong { .. }));
            assert!(outcome == unexpected(names[other]) || too_long, "{outcome:?}");
            assert!(!fooled(&mut end));
        }
        let (mut end, _) = before(at);
        assert_eq!(end.input(&hex("00 02 4869"), now), Err(ProtocolError::TrafficBeforeReady));
        let (mut end, _) = before(at);
        let refused = end.input(&hex("04 0A 05 4552524F52 03 343030"), now);
        match at {
            0 | 2 => assert_eq!(refused, unexpected(b"ERROR")),
            _ => assert_eq!(refused, Err(ProtocolError::Refused { reason: Bytes::from("400") })),
        }
    }
}

#[test]
fn a_second_hello_or_initiate_ends_the_connection() {
    let now = Instant::now();
    let (mut server, hello) = before(0);
    server.input(&hello, now).unwrap();
    assert_eq!(server.input(&hello, now), unexpected(b"HELLO"));
    let (mut server, initiate) = before(2);
    server.input(&initiate, now).unwrap();
    // Longer than anything that may come while the decision is awaited.
    assert_eq!(server.input(&initiate, now), Err(ProtocolError::CommandTooLong { length: 292, limit: 200 }));
    assert!(server.connection.poll_credentials().is_none());
    let mut met = Handshake::done();
    let malformed = Err(ProtocolError::MalformedCommand(CommandKind::Message));
    assert_eq!(met.server.input(&met.initiate, now), malformed);
    assert_eq!(met.client.input(&met.ready, now), malformed);
    assert_eq!(Handshake::done().server.input(&met.hello, now), malformed);
}

/// An attacker that replays a recorded handshake gets a new WELCOME for the HELLO, and nothing more.
#[test]
fn a_recorded_handshake_does_not_play_again() {
    let now = Instant::now();
    let recorded = Handshake::done();
    let fresh = Config { entropy: dice(99), ..server_config(SocketType::Router) };
    let (mut server, _) = greeted(fresh, Version::V3_1, now);
    server.input(&recorded.hello, now).unwrap();
    assert_ne!(server.output(), recorded.welcome);
    assert_eq!(server.input(&recorded.initiate, now), Err(ProtocolError::Forged(CommandKind::Initiate)));
    let fresh = Config { entropy: dice(98), ..client_config(SocketType::Dealer) };
    let (mut client, _) = greeted(fresh, Version::V3_1, now);
    assert_eq!(client.input(&recorded.welcome, now), Err(ProtocolError::Forged(CommandKind::Welcome)));
}

#[test]
fn each_connection_has_keys_of_its_own() {
    let entropy = dice(5);
    let client = || Config { entropy: entropy.clone(), ..client_config(SocketType::Dealer) };
    let server = || Config { entropy: entropy.clone(), ..server_config(SocketType::Router) };
    let one = Handshake::of(client(), server(), Version::V3_1);
    let two = Handshake::of(client(), server(), Version::V3_1);
    assert_ne!(one.hello[82..114], two.hello[82..114]);
    // The parts of a WELCOME and an INITIATE that the same keys would make alike.
    assert_ne!(one.welcome[10..26], two.welcome[10..26]);
    assert_ne!(one.initiate[18..34], two.initiate[18..34]);
}

/// Returns the answer of a server to a HELLO and an INITIATE with other keys.
fn answer(change: impl Fn(&mut Stranger), claim: impl Fn(&mut Claims)) -> Result<(), ProtocolError> {
    let now = Instant::now();
    let (mut server, _) = greeted(server_config(SocketType::Router), Version::V3_1, now);
    let mut stranger = Stranger::new();
    change(&mut stranger);
    server.input(&stranger.hello(), now)?;
    let mut claims = stranger.claims();
    claim(&mut claims);
    let initiate = stranger.initiate(&server.output(), &claims);
    let outcome = server.input(&initiate, now);
    assert_eq!(fooled(&mut server), outcome.is_ok());
    outcome
}

#[test]
fn a_server_believes_an_honest_stranger_and_no_other() {
    let honest = |_: &mut Stranger| ();
    let other = SecretKey::generate(&dice(8)).unwrap().public();
    let zero = PublicKey::from_bytes([0; 32]);
    let forged = |kind| Err(ProtocolError::Forged(kind));
    assert_eq!(answer(honest, |_| ()), Ok(()));
    assert_eq!(answer(honest, |claims| claims.metadata.clear()), Ok(()));
    assert_eq!(answer(|stranger| stranger.hello_nonce = 77, |_| ()), Ok(()));

    let malformed = Err(ProtocolError::MalformedCommand(CommandKind::Hello));
    for version in [[2, 0], [0, 0], [1, 1], [0, 1]] {
        assert_eq!(answer(|stranger| stranger.version = version, |_| ()), malformed);
    }
    assert_eq!(answer(|stranger| stranger.padding[71] = 1, |_| ()), malformed);
    assert_eq!(answer(|stranger| stranger.claimed = Some(other), |_| ()), forged(CommandKind::Hello));
    assert_eq!(answer(|stranger| stranger.claimed = Some(zero), |_| ()), Err(ProtocolError::WeakKey));

    let replayed = Err(ProtocolError::Replayed(CommandKind::Initiate));
    assert_eq!(answer(honest, |claims| claims.nonce = 1), replayed);
    assert_eq!(answer(|stranger| stranger.hello_nonce = u64::MAX - 1, |claims| claims.nonce = 3), replayed);
    assert_eq!(answer(honest, |claims| claims.public = Some(other)), forged(CommandKind::Initiate));
    assert_eq!(answer(honest, |claims| claims.public = Some(zero)), Err(ProtocolError::WeakKey));
    let foreign = Err(ProtocolError::ForeignVouch);
    assert_eq!(answer(honest, |claims| claims.vouched_transient = other), foreign);
    assert_eq!(answer(honest, |claims| claims.vouched_server = other), foreign);
    let garbage = |claims: &mut Claims| claims.metadata.push(1);
    assert_eq!(answer(honest, garbage), Err(ProtocolError::InvalidMetadata));
    let pull = |claims: &mut Claims| claims.metadata = b"\x0BSocket-Type\0\0\0\x04PULL".to_vec();
    let (own, peer) = (SocketType::Router, Some(SocketType::Pull));
    assert_eq!(answer(honest, pull), Err(ProtocolError::SocketTypeMismatch { own, peer }));
}

#[test]
fn a_cookie_is_good_for_60_seconds() {
    for (seconds, outcome) in [(60, Ok(())), (61, Err(ProtocolError::CookieExpired))] {
        let now = Instant::now();
        let config = Config { handshake_timeout: None, ..server_config(SocketType::Router) };
        let (mut server, _) = greeted(config, Version::V3_1, now);
        let stranger = Stranger::new();
        server.input(&stranger.hello(), now).unwrap();
        let initiate = stranger.initiate(&server.output(), &stranger.claims());
        assert_eq!(server.input(&initiate, now + Duration::from_secs(seconds)), outcome);
    }
}

#[test]
fn a_cookie_of_another_connection_is_none() {
    let now = Instant::now();
    let stranger = Stranger::new();
    let (mut one, _) = greeted(server_config(SocketType::Router), Version::V3_1, now);
    let other = Config { entropy: dice(44), ..server_config(SocketType::Router) };
    let (mut two, _) = greeted(other, Version::V3_1, now);
    one.input(&stranger.hello(), now).unwrap();
    two.input(&stranger.hello(), now).unwrap();
    let initiate = stranger.initiate(&one.output(), &stranger.claims());
    assert_eq!(two.input(&initiate, now), Err(ProtocolError::Forged(CommandKind::Initiate)));
    one.input(&initiate, now).unwrap();
    assert!(fooled(&mut one));
}

/// A malicious server that has S.
#[test]
fn a_client_refuses_a_transient_key_of_low_order() {
    let now = Instant::now();
    let (mut client, hello) = greeted(client_config(SocketType::Dealer), Version::V3_1, now);
    let welcome = Impostor::new(&hello).welcome(&[0; 128]);
    assert_eq!(client.input(&welcome, now), Err(ProtocolError::WeakKey));
}

#[test]
fn the_wrong_server_key_ends_at_the_hello() {
    let other = SecretKey::generate(&dice(8)).unwrap().public();
    let mechanism = Settings::CurveClient { server: other, secret: client_key() };
    let client = Config { mechanism, ..client_config(SocketType::Dealer) };
    let mut pair = Pair::new(client, server_config(SocketType::Router));
    assert_eq!(pair.run(64), Err(ProtocolError::Forged(CommandKind::Hello)));
    assert_eq!(pair.b.output(), b"");
}

#[test]
fn two_clients_fail_and_two_servers_wait_for_their_deadline() {
    let mut pair = Pair::new(client_config(SocketType::Dealer), client_config(SocketType::Router));
    assert_eq!(pair.run(64), unexpected(b"HELLO"));
    let mut pair = Pair::new(server_config(SocketType::Dealer), server_config(SocketType::Router));
    pair.run(64).unwrap();
    assert!(!fooled(&mut pair.a) && !fooled(&mut pair.b));
    pair.now = pair.a.connection.poll_timeout().unwrap();
    assert_eq!(pair.a.connection.handle_timeout(pair.now), Err(ConnectionError::HandshakeTimeout));
}

#[test]
fn curve_meets_no_other_mechanism_and_no_version_below_3() {
    for config in [client_config(SocketType::Router), server_config(SocketType::Router)] {
        let config = Config { min_version: Version::V1_0, authorise: false, ..config };
        let mut pair = Pair::new(Config::new(SocketType::Dealer), config.clone());
        assert!(matches!(pair.run(64), Err(ProtocolError::MechanismMismatch { .. })));
        for (bytes, spoken) in [("01 00", Version::V1_0), ("FF 00*8 7F 01", Version::V2_0)] {
            let fault = End::new(config.clone(), pair.now).input(&hex(bytes), pair.now);
            let minimum = Version::V3_0;
            assert_eq!(fault, Err(ProtocolError::VersionTooOld { spoken, minimum }));
        }
    }
}

#[test]
fn without_random_bytes_nothing_starts() {
    let none = |config| Config { entropy: Entropy::none(), ..config };
    let mut pair = Pair::new(none(client_config(SocketType::Dealer)), server_config(SocketType::Router));
    assert_eq!(pair.run(64), Err(ProtocolError::NoEntropy));
    let mut pair = Pair::new(client_config(SocketType::Dealer), none(server_config(SocketType::Router)));
    assert_eq!(pair.run(64), Err(ProtocolError::NoEntropy));
}

#[test]
fn a_refusal_reaches_the_client_except_300() {
    for status in [Status::TemporaryError, Status::AuthenticationFailure, Status::InternalError] {
        let mut pair = Pair::new(client_config(SocketType::Dealer), server_config(SocketType::Router));
        pair.run(64).unwrap();
        pair.b.decide(Decision::Refuse(status), pair.now).unwrap();
        let refused = ProtocolError::Refused { reason: Bytes::from(status.to_string()) };
        let told = (status != Status::TemporaryError).then_some(refused);
        assert_eq!(pair.run(64).err(), told);
        assert!(!fooled(&mut pair.a) && !fooled(&mut pair.b));
    }
}

#[test]
fn properties_travel_both_ways_unseen() {
    let name = |config| Config { properties: vec![("X-Name".into(), "visible?".into())], ..config };
    let client = Config { routing_id: "my-own-id".into(), ..name(client_config(SocketType::Dealer)) };
    let met = Handshake::of(client, name(server_config(SocketType::Router)), Version::V3_1);
    let (told, heard) = (met.client.established.unwrap(), met.server.established.unwrap());
    assert_eq!((&told.properties, &heard.properties), (&heard.properties, &told.properties));
    assert_eq!((told.properties.len(), &heard.routing_id[..]), (1, &b"my-own-id"[..]));
    for sent in [met.hello, met.welcome, met.initiate, met.ready] {
        assert!(!sent.windows(8).any(|window| window == b"visible?" || window == b"Identity"));
        assert!(!sent.windows(32).any(|window| window == client_key().public().as_bytes()));
    }
}
