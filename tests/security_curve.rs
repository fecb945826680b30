//! CURVE between two sockets: keys, secrecy, and what each side is told when they do not fit.
#![cfg(feature = "curve")]
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::sync::Arc;

use common::{LONG, RawPeer, Soon, impatient, no_linger, until, wait_for};
use zeroxide::{
    AccessList, AuthStatus, Context, Denial, Error, EventKind, HandshakeCause, HandshakeError, Mechanism,
    Monitor, Options, ProtocolError, PublicKey, Role, SecretKey, Security, Socket, SocketType, Stage,
    generate_secret_key, opt,
};

fn key() -> SecretKey {
    generate_secret_key().unwrap()
}

fn as_server(key: &SecretKey) -> Options {
    no_linger().security(Security::CurveServer(key.clone()))
}

fn as_client(server: PublicKey, me: &SecretKey) -> Options {
    let security = Security::CurveClient { server, me: me.clone() };
    no_linger().set(opt::RECONNECT_IVL, None).security(security)
}

fn bound(cx: &Context, socket_type: SocketType, options: &Options) -> (Socket, String, Monitor) {
    let server = cx.socket_with(socket_type, options).unwrap();
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
fn a_client_whose_key_is_known_comes_in_under_it() {
    let cx = Context::new();
    let (ours, theirs) = (key(), key());
    cx.authenticator("", AccessList::new().curve_key(theirs.public())).unwrap();
    let (server, endpoint, _) = bound(&cx, SocketType::Rep, &as_server(&ours));
    let client = cx.socket_with(SocketType::Req, &as_client(ours.public(), &theirs)).unwrap();
    client.connect_ready(&endpoint, LONG).unwrap();
    client.send("hello").unwrap();
    let request = server.recv_soon();
    assert_eq!(
        (request[0].as_str(), request.peer().unwrap().user_id.as_str()),
        (Ok("hello"), &*theirs.public().to_string())
    );
    server.send("world").unwrap();
    assert_eq!(client.recv_soon()[0], "world");
    assert_eq!(server.get(opt::MECHANISM).unwrap(), Mechanism::Curve);
    assert_eq!(
        (server.get(opt::CURVE_SERVER).unwrap(), client.get(opt::CURVE_SERVER).unwrap()),
        (true, false)
    );
    assert_eq!(client.get(opt::CURVE_SERVERKEY).unwrap(), ours.public());
    assert_eq!(client.get(opt::CURVE_PUBLICKEY).unwrap(), theirs.public());
}

#[test]
fn messages_of_every_size_and_number_of_frames_arrive_whole() {
    let cx = Context::new();
    let (ours, theirs) = (key(), key());
    cx.authenticator("", AccessList::new().allow_any_curve_key()).unwrap();
    let (pull, endpoint, _) = bound(&cx, SocketType::Pull, &as_server(&ours));
    let push = cx.socket_with(SocketType::Push, &as_client(ours.public(), &theirs)).unwrap();
    push.connect_ready(&endpoint, LONG).unwrap();
    for size in [0_usize, 1, 64, 65, 222, 223, 255, 256, 8192, 65_535, 65_536, 300_000] {
        let body = vec![size as u8; size];
        push.send([&body[..], b"", b"end"]).unwrap();
        let message = pull.recv_soon();
        assert_eq!(message.len(), 3);
        assert!(message[0] == body[..] && message[1].is_empty() && message[2] == "end", "{size}");
    }
    for n in 0..2_000_u32 {
        push.send(&n.to_be_bytes()).unwrap();
    }
    for n in 0..2_000_u32 {
        assert_eq!(pull.recv_soon()[0][..], n.to_be_bytes());
    }
}

#[test]
fn subscriptions_travel_inside() {
    let cx = Context::new();
    let (ours, theirs) = (key(), key());
    cx.authenticator("", AccessList::new().allow_any_curve_key()).unwrap();
    let (publisher, endpoint, _) = bound(&cx, SocketType::Pub, &as_server(&ours));
    let subscriber = cx.socket_with(SocketType::Sub, &as_client(ours.public(), &theirs)).unwrap();
    subscriber.subscribe("a").unwrap();
    subscriber.connect(&endpoint).unwrap();
    publisher.wait_for_subscribers("a", 1, LONG).unwrap();
    publisher.send("b1").unwrap();
    publisher.send("a1").unwrap();
    assert_eq!(subscriber.recv_soon()[0], "a1");
    subscriber.unsubscribe("a").unwrap();
    until("nobody subscribes", || publisher.get(opt::TOPICS_COUNT).unwrap() == 0);
}

#[test]
fn a_wrong_server_key_is_the_likely_reason_of_a_server_that_only_closes() {
    let cx = Context::new();
    let (ours, theirs, others) = (key(), key(), key());
    cx.authenticator("", AccessList::new().allow_any_curve_key()).unwrap();
    let (_server, endpoint, monitor) = bound(&cx, SocketType::Rep, &as_server(&ours));
    let client = cx.socket_with(SocketType::Req, &as_client(others.public(), &theirs)).unwrap();
    assert_eq!(
        told(&client, &endpoint).to_string(),
        format!(
            "{endpoint}: peer closed after our HELLO: most often the server key is not this server's (it did not say)"
        )
    );
    // The server knows.
    let error = failure(&monitor);
    assert!(matches!(&error.cause, HandshakeCause::Protocol(ProtocolError::Forged(_))), "{error}");
    assert_eq!(error.stage, Some(Stage::Mechanism));
    assert_eq!(error.security, Role { mechanism: Mechanism::Curve, server: true });
    let text = error.to_string();
    assert!(
        text.ends_with(": peer's HELLO does not open; most often it has another key for this server"),
        "{text}"
    );
}

#[test]
fn an_unknown_client_key_is_refused_and_both_sides_know() {
    let cx = Context::new();
    let (ours, theirs) = (key(), key());
    cx.authenticator("", AccessList::new().curve_key(ours.public())).unwrap();
    let (_server, endpoint, monitor) = bound(&cx, SocketType::Rep, &as_server(&ours));
    let client = cx.socket_with(SocketType::Req, &as_client(ours.public(), &theirs)).unwrap();
    assert_eq!(
        told(&client, &endpoint).to_string(),
        format!(
            "{endpoint}: peer refused us with status 400; it does not know our public key, or does not want our address"
        )
    );
    let said = Denial::Said { status: AuthStatus::AuthenticationFailure, text: "".into() };
    let error = failure(&monitor);
    assert_eq!(
        (&error.cause, &error.claim),
        (&HandshakeCause::Denied(said), &Some(theirs.public().to_string().into()))
    );
}

#[test]
fn a_refusal_in_clear_text_does_not_end_redialling() {
    let cx = Context::new();
    let (ours, theirs) = (key(), key());
    cx.authenticator("", AccessList::new().curve_key(ours.public())).unwrap();
    let (server, endpoint, _) = bound(&cx, SocketType::Rep, &as_server(&ours));
    let me = Security::CurveClient { server: ours.public(), me: theirs.clone() };
    let client = cx.socket_with(SocketType::Req, &impatient().security(me)).unwrap();
    let events = client.monitor();
    client.connect(&endpoint).unwrap();
    for _ in 0..2 {
        failure(&events);
    }
    cx.remove_authenticator("");
    cx.authenticator("", AccessList::new().curve_key(theirs.public())).unwrap();
    server.wait_for_peers(1, LONG).unwrap();
}

#[test]
fn a_curve_server_does_not_bind_while_nobody_could_be_asked() {
    let cx = Context::new();
    let ours = key();
    let server = cx.socket_with(SocketType::Rep, &as_server(&ours)).unwrap();
    assert_eq!(
        server.bind("tcp://127.0.0.1:5999").unwrap_err().to_string(),
        "tcp://127.0.0.1:5999 (REP): nobody decides who may connect to a CURVE server; call \
         context.authenticator(\"\", AccessList::new().allow_any_curve_key()) before, or bind() a ZAP handler to \
         \"inproc://zeromq.zap.01\""
    );
    // libzmq's rules: encrypted, whoever it is.
    let lenient = as_server(&ours).set(opt::AUTH_REQUIRED, false).set(opt::ZAP_ENFORCE_DOMAIN, false);
    let (_server, endpoint, _) = bound(&cx, SocketType::Rep, &lenient);
    let client = cx.socket_with(SocketType::Req, &as_client(ours.public(), &key())).unwrap();
    client.connect_ready(&endpoint, LONG).unwrap();
    // Enforcing without a domain, libzmq does not even ask; with one it refuses.
    let enforcing = as_server(&ours).set(opt::AUTH_REQUIRED, false).set(opt::ZAP_ENFORCE_DOMAIN, true);
    let (_server, endpoint, _) = bound(&cx, SocketType::Rep, &enforcing);
    cx.socket_with(SocketType::Req, &as_client(ours.public(), &key()))
        .unwrap()
        .connect_ready(&endpoint, LONG)
        .unwrap();
    let with_domain = enforcing.set(opt::ZAP_DOMAIN, "lab".to_owned());
    let (_server, endpoint, _) = bound(&cx, SocketType::Rep, &with_domain);
    let client = cx.socket_with(SocketType::Req, &as_client(ours.public(), &key())).unwrap();
    assert_eq!(
        told(&client, &endpoint).cause,
        HandshakeCause::Protocol(ProtocolError::Refused { reason: "500".into() })
    );
}

#[test]
fn a_handler_is_shown_the_key() {
    let cx = Context::new();
    let (ours, theirs) = (key(), key());
    let handler = cx.socket_with(SocketType::Rep, &no_linger()).unwrap();
    handler.bind("inproc://zeromq.zap.01").unwrap();
    let (server, endpoint, _) = bound(&cx, SocketType::Rep, &as_server(&ours));
    let client = cx.socket_with(SocketType::Req, &as_client(ours.public(), &theirs)).unwrap();
    client.connect(&endpoint).unwrap();
    let request = handler.recv_soon();
    let frames: Vec<&[u8]> = request.iter().map(|frame| &frame[..]).collect();
    assert_eq!(frames[2..], [&b""[..], b"127.0.0.1", b"", b"CURVE", theirs.public().as_bytes()]);
    handler.send([b"1.0", frames[1], b"200", b"OK", b"ann", b""]).unwrap();
    server.wait_for_peers(1, LONG).unwrap();
    assert_eq!(server.peers()[0].user_id, "ann");
}

#[test]
fn what_the_mechanism_lacks_is_told_at_bind_and_connect() {
    let cx = Context::new();
    let (ours, theirs) = (key(), key());
    let text = |options: &Options| {
        let socket = cx.socket_with(SocketType::Req, options).unwrap();
        socket.connect("tcp://127.0.0.1:5999").unwrap_err().to_string()
    };
    assert_eq!(
        text(&no_linger().set(opt::CURVE_SERVERKEY, ours.public())),
        "a CURVE client needs CURVE_SECRETKEY; Options::security() sets all that belongs together"
    );
    assert_eq!(
        text(&no_linger().set(opt::CURVE_SECRETKEY, theirs.clone())),
        "a CURVE client needs CURVE_SERVERKEY; Options::security() sets all that belongs together"
    );
    assert_eq!(
        text(&as_client(ours.public(), &theirs).set(opt::CURVE_PUBLICKEY, ours.public())),
        format!(
            "CURVE_PUBLICKEY {} is not the public key of CURVE_SECRETKEY; it need not be set at all",
            ours.public()
        )
    );
}

#[test]
fn another_key_for_one_endpoint_leaves_the_side_as_it_is() {
    let cx = Context::new();
    let (ours, other, theirs) = (key(), key(), key());
    cx.authenticator("", AccessList::new().allow_any_curve_key()).unwrap();
    // The public key is not set, as it would belong to the first one.
    let options = no_linger().set(opt::CURVE_SERVER, true).set(opt::CURVE_SECRETKEY, ours);
    let server = cx.socket_with(SocketType::Pull, &options).unwrap();
    let rekeyed = Options::new().set(opt::CURVE_SECRETKEY, other.clone());
    let endpoint = server.bind_with("tcp://127.0.0.1:*", &rekeyed).unwrap().to_string();
    let client = cx.socket_with(SocketType::Push, &as_client(other.public(), &theirs)).unwrap();
    client.connect_ready(&endpoint, LONG).unwrap();
}

#[test]
fn null_and_strangers_are_told_on_both_sides() {
    let cx = Context::new();
    let ours = key();
    cx.authenticator("", AccessList::new().allow_any_curve_key()).unwrap();
    let (server, endpoint, monitor) = bound(&cx, SocketType::Rep, &as_server(&ours));
    let null = cx.socket_with(SocketType::Req, &no_linger().set(opt::RECONNECT_IVL, None)).unwrap();
    assert_eq!(
        told(&null, &endpoint).to_string(),
        format!("{endpoint}: peer demands CURVE, we offer NULL; set Options::security(CurveClient{{..}})")
    );
    let text = failure(&monitor).to_string();
    assert!(text.ends_with(": peer offers NULL, we demand CURVE; it must be a CURVE client"), "{text}");
    // ZMTP 2.0 and 1.0 know no mechanism.
    for bytes in [&b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x03\0\0\x01\0\0\x02hi"[..], b"\x01\0\x01\x01\x03\0hi"] {
        RawPeer::connect(&endpoint).send_bytes(bytes);
        let cause = &failure(&monitor).cause;
        assert!(matches!(cause, HandshakeCause::Protocol(ProtocolError::VersionTooOld { .. })), "{cause:?}");
    }
    assert!(server.peers().is_empty() && server.try_recv().is_err());
}

#[test]
fn no_secret_key_prints() {
    let ours = key();
    let secret = String::from_utf8(ours.expose_z85().expose().to_vec()).unwrap();
    for options in [as_server(&ours), as_client(ours.public(), &ours)] {
        let text = format!("{options:?} {:?}", Security::CurveServer(ours.clone()));
        assert!(!text.contains(&secret) && text.contains("CURVE_SECRETKEY: ***"), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn curve_over_ipc_is_as_over_tcp() {
    let cx = Context::new();
    let (ours, theirs, others) = (key(), key(), key());
    cx.authenticator("", AccessList::new().curve_key(theirs.public())).unwrap();
    let server = cx.socket_with(SocketType::Pull, &as_server(&ours)).unwrap();
    let endpoint = server.bind("ipc://*").unwrap().to_string();
    let client = cx.socket_with(SocketType::Push, &as_client(ours.public(), &theirs)).unwrap();
    client.connect_ready(&endpoint, LONG).unwrap();
    client.send("hello").unwrap();
    let message = server.recv_soon();
    assert_eq!(message[0], "hello");
    assert_eq!(message.peer().unwrap().user_id, theirs.public().to_string());
    let stranger = cx.socket_with(SocketType::Push, &as_client(ours.public(), &others)).unwrap();
    assert_eq!(
        told(&stranger, &endpoint).cause,
        HandshakeCause::Protocol(ProtocolError::Refused { reason: "400".into() })
    );
}
