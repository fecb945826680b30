//! The gate under NULL: when credentials are returned, and what a decision does.

use std::time::Instant;

use bytes::Bytes;

use crate::Config;
use crate::connection::Stage;
use crate::error::{ConnectionError, ProtocolError};
use crate::mechanism::{Decision, Proof, Status};
use crate::pair::{End, Pair, hex, opening};
use crate::{SocketType, Version};

use SocketType::{Dealer, Pull, Push, Router};

fn asking(socket_type: SocketType) -> Config {
    Config { authorise: true, ..Config::new(socket_type) }
}

fn accept(user_id: &str) -> Decision {
    Decision::Accept { user_id: user_id.to_owned(), metadata: Vec::new() }
}

#[test]
fn nobody_is_asked_without_authorise() {
    let mut pair = Pair::new(Config::new(Push), Config::new(Pull));
    pair.run(64).unwrap();
    assert!(pair.b.connection.poll_credentials().is_none());
    assert!(pair.b.established.is_some());
}

#[test]
fn ready_waits_for_the_decision() {
    let mut pair = Pair::new(asking(Pull), Config::new(Push));
    assert_eq!(pair.a.connection.stage(), Stage::Greeting);
    pair.run(7).unwrap();
    // The peer has sent READY and received none.
    assert_eq!(
        (pair.a.connection.stage(), pair.b.connection.stage()),
        (Stage::Authorising, Stage::Mechanism)
    );
    assert!(!pair.a.connection.is_ready() && pair.a.established.is_none() && pair.b.established.is_none());
    let question = pair.a.decide(accept("anna"), pair.now).unwrap();
    assert!(matches!((question.mechanism, question.proof), ("NULL", Proof::None)));
    assert_eq!(pair.a.established.as_ref().unwrap().user_id, "anna");
    pair.run(7).unwrap();
    assert!(pair.b.established.is_some());
    assert_eq!((pair.a.connection.stage(), pair.b.connection.stage()), (Stage::Ready, Stage::Ready));
}

#[test]
fn a_decision_may_come_before_the_peer_says_ready() {
    let now = Instant::now();
    let mut end = End::new(asking(Pull), now);
    let bytes = opening(Version::V3_1, Push, b"");
    let (greeting, ready) = bytes.split_at(64);
    end.input(greeting, now).unwrap();
    end.output();
    end.decide(accept("anna"), now).unwrap();
    assert!(!end.connection.is_ready());
    assert!(end.output().starts_with(&hex("04 1A 05 5245414459")));
    end.input(ready, now).unwrap();
    assert_eq!(end.established.unwrap().user_id, "anna");
}

#[test]
fn two_that_ask_meet_when_both_said_yes() {
    let mut pair = Pair::new(asking(Pull), asking(Push));
    pair.run(64).unwrap();
    pair.a.decide(accept("b"), pair.now).unwrap();
    pair.run(64).unwrap();
    assert!(pair.a.established.is_none() && pair.b.established.is_none());
    pair.b.decide(accept("a"), pair.now).unwrap();
    pair.run(64).unwrap();
    assert_eq!(pair.a.established.unwrap().user_id, "b");
    assert_eq!(pair.b.established.unwrap().user_id, "a");
}

#[test]
fn a_refusal_is_told_except_300() {
    for (status, told) in [
        (Status::TemporaryError, None),
        (Status::AuthenticationFailure, Some("400")),
        (Status::InternalError, Some("500")),
    ] {
        let mut pair = Pair::new(asking(Pull), Config::new(Push));
        pair.run(64).unwrap();
        let denied = ProtocolError::Denied { status };
        assert!(pair.a.connection.poll_credentials().is_some());
        let outcome = pair.a.connection.decide(Decision::Refuse(status), pair.now);
        assert_eq!(outcome, Err(ConnectionError::Protocol(denied.clone())));
        assert_eq!(pair.a.connection.stage(), Stage::Authorising);
        let refused = told.map(|told| ProtocolError::Refused { reason: Bytes::from(told) });
        assert_eq!(pair.run(64).err(), refused);
        assert_eq!(told.and_then(|told| Status::from_reason(told.as_bytes())), told.map(|_| status));
        // It stays so.
        assert_eq!(pair.a.connection.decide(accept(""), pair.now), Err(denied.clone().into()));
        assert_eq!(pair.a.input(b"x", pair.now), Err(denied));
        assert!(pair.a.connection.poll_ready().is_none() && pair.a.connection.poll_credentials().is_none());
    }
}

#[test]
fn a_decision_counts_once_and_only_when_asked_for() {
    let mut pair = Pair::new(asking(Pull), Config::new(Push));
    let now = pair.now;
    // Before there are credentials, and before they were taken.
    pair.a.connection.decide(accept("early"), now).unwrap();
    pair.run(64).unwrap();
    pair.a.connection.decide(accept("blind"), now).unwrap();
    assert!(!pair.a.connection.is_ready());
    pair.a.decide(accept("anna"), now).unwrap();
    pair.a.connection.decide(Decision::Refuse(Status::AuthenticationFailure), now).unwrap();
    pair.run(64).unwrap();
    assert_eq!(pair.a.established.unwrap().user_id, "anna");
}

#[test]
fn the_handshakes_deadline_covers_the_decision() {
    let mut pair = Pair::new(asking(Pull), Config::new(Push));
    pair.run(64).unwrap();
    pair.now = pair.a.connection.poll_timeout().unwrap();
    assert_eq!(pair.a.connection.handle_timeout(pair.now), Err(ConnectionError::HandshakeTimeout));
}

#[test]
fn who_waits_for_a_decision_accepts_one_ready_and_no_traffic() {
    let now = Instant::now();
    for (more, fault) in [
        (
            "04 06 05 5245414459",
            ProtocolError::UnexpectedCommand { name: crate::error::Excerpt::of(b"READY") },
        ),
        ("00 02 4869", ProtocolError::TrafficBeforeReady),
    ] {
        let mut end = End::new(asking(Pull), now);
        end.input(&opening(Version::V3_1, Push, b""), now).unwrap();
        assert_eq!(end.input(&hex(more), now), Err(fault));
        assert!(end.connection.poll_credentials().is_none());
    }
}

#[test]
fn who_asks_speaks_no_version_below_3() {
    for (version, minimum) in [(Version::V1_0, Version::V3_0), (Version::V2_0, Version::V3_0)] {
        let config = Config { min_version: Version::V1_0, ..asking(Pull) };
        let now = Instant::now();
        let fault = End::new(config, now).input(&opening(version, Push, b""), now);
        assert_eq!(fault, Err(ProtocolError::VersionTooOld { spoken: version, minimum }));
    }
}

#[test]
fn the_authorisers_properties_come_before_the_peers_own() {
    let named = |name: &str, value: &str| (name.to_owned(), Bytes::from(value.to_owned()));
    let peer = Config {
        properties: vec![named("X-Role", "admin"), named("user-id", "root"), named("X-Host", "h")],
        ..Config::new(Push)
    };
    let mut pair = Pair::new(asking(Pull), peer);
    pair.run(64).unwrap();
    let metadata = vec![named("x-role", "guest"), named("Colour", "red")];
    pair.a.decide(Decision::Accept { user_id: "anna".into(), metadata }, pair.now).unwrap();
    let told = pair.a.established.unwrap();
    assert_eq!(told.user_id, "anna");
    assert_eq!(told.properties, [named("x-role", "guest"), named("Colour", "red"), named("X-Host", "h")]);
}

#[test]
fn under_null_the_peers_own_identity_names_it() {
    let mut pair = Pair::new(asking(Router), Config { routing_id: "mine".into(), ..Config::new(Dealer) });
    pair.run(64).unwrap();
    let metadata = vec![("Identity".to_owned(), Bytes::from("ann"))];
    pair.a.decide(Decision::Accept { user_id: "anna".into(), metadata }, pair.now).unwrap();
    assert_eq!(pair.a.established.unwrap().routing_id, "mine");
}
