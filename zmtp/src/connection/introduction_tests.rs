//! With `Config::selects` a peer waits for our READY until the owner accepts it.

use super::*;
use crate::pair::Pair;
use crate::{Config, SocketType, Traffic};

/// Returns a ROUTER that selects and a DEALER with the routing id "x", with their mechanisms.
fn pairs() -> Vec<(Config, Config)> {
    let router = Config { selects: true, ..Config::new(SocketType::Router) };
    let dealer = Config { routing_id: "x".into(), redials: true, ..Config::new(SocketType::Dealer) };
    #[allow(unused_mut)] // without the features there is only NULL
    let mut pairs = vec![(router.clone(), dealer.clone())];
    #[cfg(feature = "plain")]
    {
        use crate::mechanism::Settings;
        let client = Settings::PlainClient { username: "ann".into(), password: "secret".into() };
        pairs.push((
            Config { mechanism: Settings::PlainServer, ..router.clone() },
            Config { mechanism: client, ..dealer.clone() },
        ));
    }
    #[cfg(feature = "curve")]
    {
        use crate::mechanism::curve::bench::{client_config, server_config};
        let (server, client) = (server_config(SocketType::Router), client_config(SocketType::Dealer));
        pairs.push((
            Config { authorise: false, selects: true, ..server },
            Config { routing_id: "x".into(), redials: true, ..client },
        ));
    }
    pairs
}

/// Returns both ends, run until the DEALER waits for READY, and its introduction.
fn introduced(router: Config, dealer: Config) -> Pair {
    let mut pair = Pair::new(router, dealer);
    pair.run(1).unwrap();
    let introduction = pair.a.connection.poll_introduction().unwrap();
    assert_eq!((&introduction.routing_id[..], &*introduction.user_id), (&b"x"[..], ""));
    assert_eq!(pair.a.connection.poll_introduction(), None, "once");
    assert!(pair.a.established.is_none() && pair.b.established.is_none());
    pair
}

#[test]
fn our_ready_comes_when_there_is_a_place_for_the_peer() {
    for (router, dealer) in pairs() {
        let mut pair = introduced(router, dealer);
        pair.a.connection.welcome(pair.now).unwrap();
        let established = pair.a.connection.poll_ready().unwrap();
        assert_eq!((&established.routing_id[..], established.properties.len()), (&b"x"[..], 0));
        pair.run(1).unwrap();
        assert!(pair.b.established.is_some());
        // A second call changes nothing.
        pair.a.connection.welcome(pair.now).unwrap();
        assert!(pair.a.output().is_empty());
    }
}

#[test]
fn a_peer_that_dials_again_hears_why_there_is_no_place_for_it_and_another_hears_nothing() {
    for fault in [ProtocolError::RoutingIdInUse, ProtocolError::HasItsPeer] {
        for (router, dealer) in pairs() {
            for redials in [true, false] {
                let mut pair = introduced(router.clone(), Config { redials, ..dealer.clone() });
                pair.a.connection.turn_away(fault.clone());
                assert!(!pair.a.connection.is_ready() && pair.a.connection.poll_ready().is_none());
                assert_eq!(pair.a.connection.welcome(pair.now), Err(fault.clone().into()));
                if redials {
                    assert_eq!(pair.run(1), Err(fault.clone()));
                } else {
                    assert!(pair.a.output().is_empty());
                }
                assert!(pair.b.established.is_none());
            }
        }
    }
}

#[test]
fn it_is_not_said_whose_a_routing_id_is() {
    assert_eq!(ProtocolError::AnothersRoutingId.reason(), ProtocolError::RoutingIdInUse.reason());
}

#[test]
fn what_follows_the_introduction_is_not_looked_at_before_there_is_a_place() {
    let (router, dealer) = pairs().swap_remove(0);
    let mut pair = introduced(router, dealer);
    let mut input = &b"\0\x01m"[..];
    assert_eq!(pair.a.connection.decode(&mut input, pair.now), Ok(None));
    assert_eq!(input.len(), 3);
    pair.a.connection.welcome(pair.now).unwrap();
    assert!(pair.a.connection.poll_ready().is_some());
    assert_eq!(pair.a.connection.decode(&mut input, pair.now), Ok(Some(Traffic::Message("m".into()))));
}
