//! PLAIN between two sockets: names, passwords, and what each side is told when they do not fit.
#![cfg(feature = "plain")]
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{LONG, RawPeer, Soon, no_linger, until, wait_for};
use zeroxide::{
    AccessList, Context, Denial, Error, EventKind, HandshakeCause, HandshakeError, Mechanism, Monitor,
    Options, ProtocolError, Role, RoutingId, Security, Socket, SocketType, Stage, opt,
};

fn as_client(user: &str, password: &str) -> Options {
    let security = Security::PlainClient { user: user.to_owned(), password: password.into() };
    no_linger().set(opt::RECONNECT_IVL, None).security(security)
}

fn as_server() -> Options {
    no_linger().security(Security::PlainServer)
}

fn server(cx: &Context, options: &Options) -> (Socket, String, Monitor) {
    let server = cx.socket_with(SocketType::Rep, options).unwrap();
    let monitor = server.monitor();
    let endpoint = server.bind("tcp://127.0.0.1:*").unwrap().to_string();
    (server, endpoint, monitor)
}

fn failure(monitor: &Monitor) -> Arc<HandshakeError> {
    match wait_for(monitor, "handshake failed", |kind| matches!(kind, EventKind::HandshakeFailed(_))).kind {
        EventKind::HandshakeFailed(error) => error,
        _ => unreachable!(),
    }
}

fn told(client: &Socket, endpoint: &str) -> Arc<HandshakeError> {
    match client.connect_ready(endpoint, LONG).unwrap_err() {
        Error::Handshake(error) => error,
        other => panic!("{other}"),
    }
}

#[test]
fn a_user_with_his_password_comes_in_under_his_name() {
    let cx = Context::new();
    cx.authenticator("", AccessList::new().plain_user("ann", "secret")).unwrap();
    let (server, endpoint, _) = server(&cx, &as_server());
    let client = cx.socket_with(SocketType::Req, &as_client("ann", "secret")).unwrap();
    client.connect_ready(&endpoint, LONG).unwrap();
    client.send("hello").unwrap();
    let request = server.recv_soon();
    assert_eq!(request.peer().unwrap().user_id, "ann");
    assert!(server.peers().to_string().contains(" user \"ann\", "), "{}", server.peers());
    server.send("world").unwrap();
    assert_eq!(client.recv_soon()[0], "world");
    assert_eq!(server.get(opt::MECHANISM).unwrap(), Mechanism::Plain);
    assert_eq!(
        (server.get(opt::PLAIN_SERVER).unwrap(), client.get(opt::PLAIN_SERVER).unwrap()),
        (true, false)
    );
}

#[test]
fn who_binds_and_who_connects_does_not_matter() {
    let cx = Context::new();
    cx.authenticator("", AccessList::new().plain_user("ann", "secret")).unwrap();
    let client = cx.socket_with(SocketType::Push, &as_client("ann", "secret")).unwrap();
    let endpoint = client.bind("tcp://127.0.0.1:*").unwrap();
    let server = cx.socket_with(SocketType::Pull, &as_server()).unwrap();
    server.connect_ready(endpoint.to_string(), LONG).unwrap();
    client.send("hello").unwrap();
    assert_eq!(server.recv_soon()[0], "hello");
}

#[test]
fn a_wrong_name_and_a_wrong_password_are_told_alike() {
    let cx = Context::new();
    cx.authenticator("", AccessList::new().plain_user("ann", "secret")).unwrap();
    let (_server, endpoint, monitor) = server(&cx, &as_server());
    for (user, password) in [("ann", "wrong"), ("eve", "secret"), ("eve", "wrong")] {
        let client = cx.socket_with(SocketType::Req, &as_client(user, password)).unwrap();
        let error = told(&client, &endpoint);
        assert_eq!(
            error.to_string(),
            format!(
                "{endpoint}: peer refused us with status 400; it knows no such user with this password, or does not \
                 want our address"
            )
        );
        assert_eq!(error.stage, Some(Stage::Mechanism));
        let error = failure(&monitor);
        assert!(matches!(&error.cause, HandshakeCause::Denied(Denial::Said { .. })), "{error}");
        assert_eq!(error.security, Role { mechanism: Mechanism::Plain, server: true });
        let text = error.to_string();
        assert!(text.ends_with(&format!(": refused with status 400 (user {user:?})")), "{text}");
    }
}

#[test]
fn a_plain_server_does_not_bind_while_nobody_could_be_asked() {
    let cx = Context::new();
    let server = cx.socket_with(SocketType::Rep, &as_server()).unwrap();
    assert_eq!(
        server.bind("tcp://127.0.0.1:5999").unwrap_err().to_string(),
        "tcp://127.0.0.1:5999 (REP): nobody decides who may connect to a PLAIN server; call \
         context.authenticator(\"\", AccessList::new()...) before, or bind() a ZAP handler to \
         \"inproc://zeromq.zap.01\""
    );
    // Even under libzmq's rules PLAIN lets nobody in unasked.
    let lenient = as_server().set(opt::AUTH_REQUIRED, false).set(opt::ZAP_ENFORCE_DOMAIN, false);
    let (_server, endpoint, _) = self::server(&cx, &lenient);
    let client = cx.socket_with(SocketType::Req, &as_client("ann", "secret")).unwrap();
    let reason = "500".into();
    assert_eq!(told(&client, &endpoint).cause, HandshakeCause::Protocol(ProtocolError::Refused { reason }));
}

#[test]
fn a_handler_is_shown_name_and_password() {
    let cx = Context::new();
    let handler = cx.socket_with(SocketType::Rep, &no_linger()).unwrap();
    handler.bind("inproc://zeromq.zap.01").unwrap();
    let (server, endpoint, _) = server(&cx, &as_server());
    let client = cx.socket_with(SocketType::Req, &as_client("ann", "secret")).unwrap();
    client.connect(&endpoint).unwrap();
    let request = handler.recv_soon();
    let frames: Vec<&[u8]> = request.iter().map(|frame| &frame[..]).collect();
    assert_eq!(frames[2..], [&b""[..], b"127.0.0.1", b"", b"PLAIN", b"ann", b"secret"]);
    handler.send([b"1.0", frames[1], b"200", b"OK", b"Ann", b""]).unwrap();
    server.wait_for_peers(1, LONG).unwrap();
    assert_eq!(server.peers()[0].user_id, "Ann");
}

#[test]
fn mechanisms_that_differ_are_told_on_both_sides() {
    let cx = Context::new();
    cx.authenticator("", AccessList::new().plain_user("ann", "secret")).unwrap();
    let (_plain, endpoint, monitor) = server(&cx, &as_server());
    let null = cx.socket_with(SocketType::Req, &no_linger().set(opt::RECONNECT_IVL, None)).unwrap();
    assert_eq!(
        told(&null, &endpoint).to_string(),
        format!("{endpoint}: peer demands PLAIN, we offer NULL; set Options::security(PlainClient{{..}})")
    );
    let text = failure(&monitor).to_string();
    assert!(text.ends_with(": peer offers NULL, we demand PLAIN; it must be a PLAIN client"), "{text}");

    let (_null, endpoint, monitor) = server(&cx, &no_linger());
    let plain = cx.socket_with(SocketType::Req, &as_client("ann", "secret")).unwrap();
    assert_eq!(
        told(&plain, &endpoint).to_string(),
        format!("{endpoint}: peer offers NULL, we demand PLAIN; it must be a PLAIN server")
    );
    let text = failure(&monitor).to_string();
    assert!(
        text.ends_with(": peer demands PLAIN, we offer NULL; set Options::security(PlainServer)"),
        "{text}"
    );
}

#[test]
fn two_clients_and_two_servers_are_told_what_they_are() {
    let cx = Context::new();
    cx.authenticator("", AccessList::new().plain_user("ann", "secret")).unwrap();
    let (_client, endpoint, _) = server(&cx, &as_client("ann", "secret"));
    let client = cx.socket_with(SocketType::Req, &as_client("ann", "secret")).unwrap();
    assert_eq!(
        told(&client, &endpoint).to_string(),
        format!("{endpoint}: peer is a PLAIN client like us; one side must be the server")
    );
    // Both greetings are to be exchanged within it, on a busy machine too.
    let hasty = as_server().set(opt::HANDSHAKE_IVL, Some(Duration::from_millis(500)));
    let (_server, endpoint, monitor) = server(&cx, &hasty);
    let other = cx.socket_with(SocketType::Req, &as_server().set(opt::RECONNECT_IVL, None)).unwrap();
    other.connect(&endpoint).unwrap();
    let error = failure(&monitor);
    assert_eq!((&error.cause, error.stage), (&HandshakeCause::TimedOut, Some(Stage::Mechanism)));
    let text = error.to_string();
    assert!(
        text.ends_with("peer did not show who it is within HANDSHAKE_IVL; is it a PLAIN server like us?"),
        "{text}"
    );
}

#[test]
fn a_peer_too_old_for_mechanisms_is_refused_whatever_min_version_says() {
    let cx = Context::new();
    cx.authenticator("", AccessList::new().plain_user("ann", "secret")).unwrap();
    let old = as_server().set(opt::MIN_VERSION, zeroxide::Version::V1_0);
    let (server, endpoint, monitor) = server(&cx, &old);
    // ZMTP 2.0: signature, revision 1, socket type REQ, an empty identity, a message.
    let mut peer = RawPeer::connect(&endpoint);
    peer.send_bytes(b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x03\0\0\x01\0\0\x02hi");
    assert!(matches!(failure(&monitor).cause, HandshakeCause::Protocol(ProtocolError::VersionTooOld { .. })));
    // ZMTP 1.0: an empty identity, a message.
    let mut peer = RawPeer::connect(&endpoint);
    peer.send_bytes(b"\x01\0\x01\x01\x03\0hi");
    assert!(matches!(failure(&monitor).cause, HandshakeCause::Protocol(ProtocolError::VersionTooOld { .. })));
    assert!(server.peers().is_empty() && server.try_recv().is_err());
}

#[test]
fn the_last_option_that_belongs_to_a_mechanism_decides() {
    let cx = Context::new();
    let role = |options: &Options| {
        let socket = cx.socket_with(SocketType::Rep, options).unwrap();
        (socket.get(opt::MECHANISM).unwrap(), socket.get(opt::PLAIN_SERVER).unwrap())
    };
    let server = Options::new().set(opt::PLAIN_SERVER, true);
    assert_eq!(role(&server), (Mechanism::Plain, true));
    let client = server.clone().set(opt::PLAIN_USERNAME, "ann".to_owned());
    assert_eq!(role(&client), (Mechanism::Plain, false));
    assert_eq!(role(&client.clone().set(opt::PLAIN_SERVER, true)), (Mechanism::Plain, true));
    assert_eq!(role(&client.security(Security::Null)), (Mechanism::Null, false));
}

#[test]
fn an_endpoint_may_have_a_mechanism_of_its_own() {
    let cx = Context::new();
    cx.authenticator("", AccessList::new().plain_user("ann", "secret")).unwrap();
    let server = cx.socket_with(SocketType::Pull, &no_linger()).unwrap();
    let open = server.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let plain = Options::new().security(Security::PlainServer);
    let closed = server.bind_with("tcp://127.0.0.1:*", &plain).unwrap().to_string();
    let client = cx.socket_with(SocketType::Push, &no_linger()).unwrap();
    client.connect_ready(&open, LONG).unwrap();
    let me = Security::PlainClient { user: "ann".to_owned(), password: "secret".into() };
    client.connect_with(&closed, &Options::new().security(me)).unwrap();
    server.wait_for_peers(2, LONG).unwrap();
    let mut users: Vec<String> = server.peers().iter().map(|peer| peer.user_id.clone()).collect();
    users.sort();
    assert_eq!(users, ["", "ann"]);
}

#[test]
fn handover_gives_a_routing_id_to_the_same_user_alone() {
    let cx = Context::new();
    cx.authenticator("", AccessList::new().plain_user("ann", "secret").plain_user("eve", "other")).unwrap();
    let router = cx.socket_with(SocketType::Router, &as_server().set(opt::ROUTER_HANDOVER, true)).unwrap();
    let events = router.monitor();
    let endpoint = router.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let dealer = |user, password| {
        let options = as_client(user, password).set(opt::ROUTING_ID, RoutingId::new("desk").unwrap());
        let dealer = cx.socket_with(SocketType::Dealer, &options).unwrap();
        dealer.connect(&endpoint).unwrap();
        dealer
    };
    let ann = dealer("ann", "secret");
    ann.send("here").unwrap();
    assert_eq!(router.recv_soon()[0], "desk");
    let eve = dealer("eve", "other");
    let fault = failure(&events);
    assert_eq!(fault.cause, HandshakeCause::Protocol(ProtocolError::AnothersRoutingId));
    assert_eq!(fault.claim.as_deref(), Some("eve"));
    router.send(["desk", "for ann"]).unwrap();
    assert_eq!(ann.recv_soon()[0], "for ann");
    // Who comes back as herself takes over.
    let again = dealer("ann", "secret");
    again.send("here again").unwrap();
    assert_eq!(router.recv_soon()[1], "here again");
    router.send(["desk", "for ann"]).unwrap();
    assert_eq!(again.recv_soon()[0], "for ann");
    drop(eve);
}

/// A DEALER called "desk" that binds and shows name and password where it is connected to.
fn desk(cx: &Context, user: &str, password: &str, endpoint: &str) -> (Socket, String) {
    let options = as_client(user, password).set(opt::ROUTING_ID, RoutingId::new("desk").unwrap());
    let dealer = cx.socket_with(SocketType::Dealer, &options).unwrap();
    let endpoint = dealer.bind(endpoint).unwrap().to_string();
    (dealer, endpoint)
}

/// A context that knows ann and eve, and a ROUTER of it with ROUTER_HANDOVER that demands to know who is there.
fn router_with_handover() -> (Context, Socket, Monitor) {
    let cx = Context::new();
    cx.authenticator("", AccessList::new().plain_user("ann", "secret").plain_user("eve", "other")).unwrap();
    let options =
        as_server().set(opt::ROUTER_HANDOVER, true).set(opt::RECONNECT_IVL, Some(Duration::from_millis(5)));
    let router = cx.socket_with(SocketType::Router, &options).unwrap();
    let events = router.monitor();
    (cx, router, events)
}

const ANYWHERE: &str = "tcp://127.0.0.1:*";

#[test]
fn handover_gives_no_routing_id_to_another_user_that_was_connected_to() {
    let (cx, router, events) = router_with_handover();
    let (ann, anns) = desk(&cx, "ann", "secret", ANYWHERE);
    let (eve, eves) = desk(&cx, "eve", "other", ANYWHERE);
    router.connect_ready(&anns, LONG).unwrap();
    router.connect(&eves).unwrap();
    for _ in 0..2 {
        let fault = failure(&events);
        assert_eq!(fault.cause, HandshakeCause::Protocol(ProtocolError::AnothersRoutingId));
        router.send(["desk", "for ann"]).unwrap();
        assert_eq!(ann.recv_soon()[0], "for ann");
    }
    assert!(eve.try_recv().is_err());
    // The same user may come by it, at a second address as well.
    let (again, agains) = desk(&cx, "ann", "secret", ANYWHERE);
    router.connect_ready(&agains, LONG).unwrap();
    again.send("here again").unwrap();
    assert_eq!(router.recv_soon()[1], "here again");
    router.send(["desk", "for ann"]).unwrap();
    assert_eq!(again.recv_soon()[0], "for ann");
}

#[test]
fn what_waits_for_a_user_is_not_sent_to_another_at_the_same_address() {
    let (cx, router, events) = router_with_handover();
    let (ann, endpoint) = desk(&cx, "ann", "secret", ANYWHERE);
    router.connect_ready(&endpoint, LONG).unwrap();
    ann.send("here").unwrap();
    assert_eq!(router.recv_soon()[1], "here");
    ann.close().wait();
    wait_for(&events, "of the end", |kind| matches!(kind, EventKind::Disconnected { .. }));
    router.send(["desk", "for ann"]).unwrap();
    let (eve, _) = desk(&cx, "eve", "other", &endpoint);
    for _ in 0..2 {
        let fault = failure(&events);
        assert_eq!(fault.cause, HandshakeCause::Protocol(ProtocolError::AnothersRoutingId));
    }
    assert!(eve.try_recv().is_err() && router.peers().is_empty());
    eve.close().wait();
    let (ann, _) = desk(&cx, "ann", "secret", &endpoint);
    assert_eq!(ann.recv_soon()[0], "for ann");
}

#[test]
fn a_routing_id_that_was_given_at_connect_is_not_handed_to_another_user() {
    let (cx, router, events) = router_with_handover();
    let bound = router.bind(ANYWHERE).unwrap().to_string();
    let (ann, endpoint) = {
        let dealer = cx.socket_with(SocketType::Dealer, &as_client("ann", "secret")).unwrap();
        let endpoint = dealer.bind(ANYWHERE).unwrap().to_string();
        (dealer, endpoint)
    };
    let given = Options::new().set(opt::CONNECT_ROUTING_ID, RoutingId::new("desk").unwrap());
    router.connect_with(&endpoint, &given).unwrap();
    router.wait_for_peers(1, LONG).unwrap();
    let eve = as_client("eve", "other").set(opt::ROUTING_ID, RoutingId::new("desk").unwrap());
    let eve = cx.socket_with(SocketType::Dealer, &eve).unwrap();
    eve.connect(&bound).unwrap();
    let fault = failure(&events);
    assert_eq!(fault.cause, HandshakeCause::Protocol(ProtocolError::AnothersRoutingId));
    assert_eq!(fault.claim.as_deref(), Some("eve"));
    router.send(["desk", "for ann"]).unwrap();
    assert_eq!(ann.recv_soon()[0], "for ann");
}

#[test]
fn what_a_peer_calls_itself_is_nothing_where_it_was_given_a_name_at_connect() {
    let (cx, router, _events) = router_with_handover();
    let (ann, anns) = desk(&cx, "ann", "secret", ANYWHERE);
    router.connect_ready(&anns, LONG).unwrap();
    let (eve, eves) = desk(&cx, "eve", "other", ANYWHERE);
    for immediate in [false, true] {
        let given = Options::new()
            .set(opt::CONNECT_ROUTING_ID, RoutingId::new("second").unwrap())
            .set(opt::IMMEDIATE, immediate);
        router.connect_with(&eves, &given).unwrap();
        router.wait_for_peers(2, LONG).unwrap();
        for (name, peer) in [("desk", &ann), ("second", &eve)] {
            router.send([name, "yours"]).unwrap();
            assert_eq!(peer.recv_soon()[0], "yours");
            peer.send("mine").unwrap();
            assert_eq!(router.recv_soon()[0], name);
        }
        router.disconnect(&eves).unwrap();
        until("the name is free", || router.send(["second", "nobody's"]).is_err());
    }
}

#[cfg(unix)]
#[test]
fn plain_over_ipc_is_as_over_tcp_and_the_address_is_the_process() {
    let cx = Context::new();
    let handler = cx.socket_with(SocketType::Rep, &no_linger()).unwrap();
    handler.bind("inproc://zeromq.zap.01").unwrap();
    let server = cx.socket_with(SocketType::Rep, &as_server()).unwrap();
    let monitor = server.monitor();
    let endpoint = server.bind("ipc://*").unwrap().to_string();
    for (status, let_in) in [("400", false), ("200", true)] {
        let client = cx.socket_with(SocketType::Req, &as_client("ann", "secret")).unwrap();
        client.connect(&endpoint).unwrap();
        let request = handler.recv_soon();
        let frames: Vec<&[u8]> = request.iter().map(|frame| &frame[..]).collect();
        assert!(frames[3].starts_with(b"localhost"), "{frames:?}");
        assert_eq!(frames[5..], [&b"PLAIN"[..], b"ann", b"secret"]);
        handler.send([b"1.0", frames[1], status.as_bytes(), b"", b"ann", b""]).unwrap();
        if let_in {
            server.wait_for_peers(1, LONG).unwrap();
            assert_eq!(server.peers()[0].user_id, "ann");
        } else {
            assert!(matches!(&failure(&monitor).cause, HandshakeCause::Denied(Denial::Said { .. })));
        }
    }
}

#[test]
fn inproc_has_no_mechanism_and_asks_nobody_as_in_libzmq() {
    let cx = Context::new();
    cx.authenticator("", AccessList::new().deny_net("0.0.0.0/0").unwrap()).unwrap();
    let server = cx.socket_with(SocketType::Pull, &as_server()).unwrap();
    server.bind("inproc://open").unwrap();
    let client = cx.socket_with(SocketType::Push, &no_linger()).unwrap();
    client.connect("inproc://open").unwrap();
    client.send("hello").unwrap();
    let message = server.recv_soon();
    assert_eq!((message[0].as_str(), message.peer().is_none()), (Ok("hello"), true));
}
