//! Every option has an effect: the list at the end says which test shows it, and is complete by test.

#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::time::{Duration, Instant};

use bytes::Bytes;
use common::{LONG, RawPeer, Soon, command, impatient, listen, message, no_linger, until, wait_for};
use zeroxide::{
    AtAttach, Context, DialError, Error, EventKind, Opt, Options, ReconnectStop, RoutingId, Socket,
    SocketType, Version, opt,
};

fn with<T>(option: Opt<T, impl zeroxide::Writable>, value: T) -> Options {
    Options::new().set(option, value)
}

fn joined(cx: &Context, bound: (SocketType, Options), connected: (SocketType, Options)) -> (Socket, Socket) {
    let bound = cx.socket_with(bound.0, &bound.1).unwrap();
    let connected = cx.socket_with(connected.0, &connected.1).unwrap();
    connected.connect(bound.bind("tcp://127.0.0.1:*").unwrap().to_string()).unwrap();
    bound.wait_for_peers(1, LONG).unwrap();
    connected.wait_for_peers(1, LONG).unwrap();
    (bound, connected)
}

#[test]
fn sndtimeo_and_rcvtimeo_bound_what_a_call_waits() {
    let cx = Context::new();
    let short = Some(Duration::from_millis(30));
    let dealer = cx.socket(SocketType::Dealer).unwrap();
    dealer.set(opt::SNDTIMEO, short).unwrap();
    dealer.set(opt::RCVTIMEO, short).unwrap();
    let start = Instant::now();
    assert!(matches!(dealer.send("x").unwrap_err().error, Error::TimedOut(_)));
    assert!(matches!(dealer.recv(), Err(Error::TimedOut(_))));
    assert!(start.elapsed() >= Duration::from_millis(60) && start.elapsed() < LONG / 2);
    dealer.set(opt::SNDTIMEO, Some(Duration::ZERO)).unwrap();
    dealer.set(opt::RCVTIMEO, Some(Duration::ZERO)).unwrap();
    assert!(matches!(dealer.send("x").unwrap_err().error, Error::WouldBlock(_)));
    assert!(matches!(dealer.recv(), Err(Error::WouldBlock(_))));
}

#[test]
fn reconnect_ivl_max_lets_the_waits_grow_up_to_it() {
    let cx = Context::new();
    let options = impatient().set(opt::RECONNECT_IVL_MAX, Some(Duration::from_millis(20)));
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    let events = push.monitor();
    push.connect("tcp://127.0.0.1:1").unwrap();
    let waits: Vec<u128> = (0..4)
        .map(|_| {
            let event =
                wait_for(&events, "of a retry", |kind| matches!(kind, EventKind::ConnectRetried { .. }));
            let EventKind::ConnectRetried { after, .. } = event.kind else { unreachable!() };
            after.as_millis()
        })
        .collect();
    assert_eq!(waits, [5, 10, 20, 20]);
}

#[test]
fn reconnect_ivl_none_dials_once() {
    let cx = Context::new();
    let push = cx.socket_with(SocketType::Push, &with(opt::RECONNECT_IVL, None)).unwrap();
    let events = push.monitor();
    push.connect("tcp://127.0.0.1:1").unwrap();
    wait_for(&events, "of the failure", |kind| matches!(kind, EventKind::ConnectFailed(_)));
    assert!(matches!(events.recv_timeout(Duration::from_millis(50)), Err(Error::TimedOut(_))));
}

#[test]
fn connect_timeout_ends_an_attempt_that_nobody_answers() {
    // A listener with a full backlog answers nobody.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let knock = || std::net::TcpStream::connect_timeout(&address, Duration::from_millis(50));
    let full: Vec<_> = std::iter::from_fn(|| knock().ok()).take(600).collect();
    if full.len() == 600 {
        return; // a system with a longer backlog than this
    }
    let cx = Context::new();
    let options = no_linger().set(opt::CONNECT_TIMEOUT, Some(Duration::from_millis(50)));
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    let events = push.monitor();
    push.connect(format!("tcp://{address}")).unwrap();
    let event = wait_for(&events, "of the timeout", |kind| matches!(kind, EventKind::ConnectFailed(_)));
    assert!(matches!(event.kind, EventKind::ConnectFailed(DialError::TimedOut)), "{event:?}");
}

#[test]
fn min_version_admits_old_peers_or_does_not() {
    let old_push = [&[0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 1, 8][..], &[0, 0], &message(&[b"old"])].concat();
    let cx = Context::new();
    let pull = cx.socket_with(SocketType::Pull, &with(opt::MIN_VERSION, Version::V2_0)).unwrap();
    let mut peer = RawPeer::connect(pull.bind("tcp://127.0.0.1:*").unwrap());
    peer.send_bytes(&old_push);
    assert_eq!(pull.recv_soon()[0], "old");
    let strict = cx.socket(SocketType::Pull).unwrap();
    let mut peer = RawPeer::connect(strict.bind("tcp://127.0.0.1:*").unwrap());
    peer.send_bytes(&old_push);
    peer.expect_end();
}

#[test]
fn max_multipart_and_max_frames_end_a_connection_that_goes_beyond() {
    let cx = Context::new();
    for (options, frames) in [
        (with(opt::MAX_MULTIPART, Some(10)), [&b"123456"[..], b"123456"].to_vec()),
        (with(opt::MAX_FRAMES, 3), [&b""[..]; 4].to_vec()),
    ] {
        let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
        let mut peer = RawPeer::connect(pull.bind("tcp://127.0.0.1:*").unwrap()).shake_hands("PUSH");
        peer.send(&frames[1..]);
        assert_eq!(pull.recv_soon().len(), frames.len() - 1);
        peer.send(&frames);
        peer.expect_end();
    }
}

#[test]
fn max_topic_ends_a_connection_that_subscribes_to_more() {
    let cx = Context::new();
    let publisher = cx.socket_with(SocketType::Pub, &with(opt::MAX_TOPIC, 3)).unwrap();
    let mut peer = RawPeer::connect(publisher.bind("tcp://127.0.0.1:*").unwrap()).shake_hands("SUB");
    peer.send_bytes(&command(b"\x09SUBSCRIBEabc"));
    publisher.wait_for_subscribers("abc", 1, LONG).unwrap();
    peer.send_bytes(&command(b"\x09SUBSCRIBEabcd"));
    peer.expect_end();
}

#[test]
fn metadata_is_told_to_the_peer() {
    let cx = Context::new();
    let pair = ("X-Region".to_owned(), Bytes::from_static(b"north"));
    let (pull, _push) =
        joined(&cx, (SocketType::Pull, Options::new()), (SocketType::Push, with(opt::METADATA, vec![pair])));
    let peer = &pull.peers()[0];
    let told = peer.properties.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-region"));
    assert_eq!(told.map(|(_, value)| &value[..]), Some(&b"north"[..]));
}

#[test]
fn heartbeat_ttl_travels_in_tenths_of_a_second() {
    let cx = Context::new();
    let (listener, endpoint) = listen();
    let options = with(opt::HEARTBEAT_IVL, Some(Duration::from_millis(10)))
        .set(opt::HEARTBEAT_TIMEOUT, Some(Duration::ZERO))
        .set(opt::HEARTBEAT_TTL, Duration::from_millis(6_553_500));
    let dealer = cx.socket_with(SocketType::Dealer, &options).unwrap();
    dealer.connect(&endpoint).unwrap();
    let mut peer = RawPeer::accept(&listener).shake_hands("ROUTER");
    // A timeout of zero never ends it, however long the peer is silent.
    (0..5).for_each(|_| assert_eq!(peer.read_command("PING").unwrap(), [0xFF, 0xFF]));
}

#[test]
fn ipv6_binds_both_families() {
    let cx = Context::new();
    let pull = cx.socket_with(SocketType::Pull, &with(opt::IPV6, true)).unwrap();
    let Ok(endpoint) = pull.bind("tcp://*:*") else { return }; // a machine without IPv6
    let port = endpoint.port().unwrap();
    for host in ["127.0.0.1", "[::1]"] {
        let push = cx.socket_with(SocketType::Push, &with(opt::IPV6, true)).unwrap();
        push.connect(format!("tcp://{host}:{port}")).unwrap();
        push.send(host).unwrap();
        assert_eq!(pull.recv_soon()[0], host);
    }
}

#[test]
fn router_raw_talks_bytes() {
    let cx = Context::new();
    let router = cx.socket_with(SocketType::Router, &with(opt::ROUTER_RAW, true)).unwrap();
    let mut plain = RawPeer::connect(router.bind("tcp://127.0.0.1:*").unwrap());
    plain.send_bytes(b"hello");
    let mut message = router.recv_soon();
    if message[1].is_empty() {
        message = router.recv_soon();
    }
    assert_eq!(message[1], "hello");
    let id = RoutingId::new(message[0].clone()).unwrap();
    router.send_to(&id, "bytes").unwrap();
    let mut answer = [0; 5];
    std::io::Read::read_exact(&mut plain.stream, &mut answer).unwrap();
    assert_eq!(&answer, b"bytes");
}

#[test]
fn req_correlate_numbers_requests_and_req_relaxed_allows_another() {
    let cx = Context::new();
    let options = with(opt::REQ_CORRELATE, true).set(opt::REQ_RELAXED, true);
    let (router, req) = joined(&cx, (SocketType::Router, Options::new()), (SocketType::Req, options));
    req.send("one").unwrap();
    let first = router.recv_soon();
    assert_eq!((first.len(), first[1].len(), &first[3]), (4, 4, &"one".into()));
    req.send("two").unwrap();
    let second = router.recv_soon();
    assert_ne!(first[1], second[1]);
    router.send(first).unwrap();
    router.send(second).unwrap();
    assert_eq!(req.recv_soon()[0], "two");
}

#[test]
fn stream_notify_off_tells_of_bytes_only() {
    let cx = Context::new();
    let stream = cx.socket_with(SocketType::Stream, &with(opt::STREAM_NOTIFY, false)).unwrap();
    let mut plain = RawPeer::connect(stream.bind("tcp://127.0.0.1:*").unwrap());
    plain.send_bytes(b"x");
    assert_eq!(stream.recv_soon()[1], "x");
    plain.kill();
    until("it is gone", || stream.stats().pipes.is_empty());
    assert!(matches!(stream.try_recv(), Err(Error::WouldBlock(_))));
}

#[test]
fn xpub_verboser_reports_every_end_of_a_subscription() {
    let cx = Context::new();
    let (xpub, one) =
        joined(&cx, (SocketType::XPub, with(opt::XPUB_VERBOSER, true)), (SocketType::Sub, Options::new()));
    let two = cx.socket(SocketType::Sub).unwrap();
    two.connect(xpub.endpoints()[0].endpoint.to_string()).unwrap();
    for subscriber in [&one, &two] {
        subscriber.subscribe("a").unwrap();
        assert_eq!(xpub.recv_soon()[0], "\u{1}a");
    }
    for subscriber in [&one, &two] {
        subscriber.unsubscribe("a").unwrap();
        assert_eq!(xpub.recv_soon()[0], "\0a");
    }
}

#[test]
fn invert_matching_sends_what_is_not_subscribed() {
    let cx = Context::new();
    let inverted = || with(opt::INVERT_MATCHING, true);
    let (publisher, subscriber) = joined(&cx, (SocketType::Pub, inverted()), (SocketType::Sub, inverted()));
    subscriber.subscribe("a").unwrap();
    until("it is heard", || publisher.get(opt::TOPICS_COUNT).unwrap() == 1);
    publisher.send("a").unwrap();
    publisher.send("b").unwrap();
    assert_eq!(subscriber.recv_soon()[0], "b");
}

#[test]
fn only_first_subscribe_leaves_later_frames_alone() {
    for (on, frames) in [(true, 2), (false, 1)] {
        let cx = Context::new();
        let (xpub, xsub) = joined(
            &cx,
            (SocketType::XPub, with(opt::ONLY_FIRST_SUBSCRIBE, on)),
            (SocketType::XSub, with(opt::ONLY_FIRST_SUBSCRIBE, on)),
        );
        xsub.send(("user data", "\u{1}a")).unwrap();
        until("something came", || xpub.get(opt::EVENTS).unwrap() & 1 == 1);
        let told = std::iter::repeat_with(|| xpub.recv_soon()).find(|message| message[0] == "user data");
        assert_eq!(told.unwrap().len(), frames);
    }
}

#[test]
fn xsub_verbose_unsubscribe_passes_every_end_on() {
    for (on, ends) in [(true, 2), (false, 1)] {
        let cx = Context::new();
        let (listener, endpoint) = listen();
        let xsub = cx.socket_with(SocketType::XSub, &with(opt::XSUB_VERBOSE_UNSUBSCRIBE, on)).unwrap();
        xsub.connect(&endpoint).unwrap();
        let mut publisher = RawPeer::accept(&listener).shake_hands("XPUB");
        for request in ["\u{1}a", "\u{1}a", "\0a", "\0a", "\u{1}end"] {
            xsub.send(request).unwrap();
        }
        let mut cancels = 0;
        loop {
            let frame = publisher.read_frame().unwrap();
            match frame.name() {
                b"CANCEL" => cancels += 1,
                _ if frame.body.ends_with(b"end") => break,
                _ => {}
            }
        }
        assert_eq!(cancels, ends);
    }
}

#[test]
fn what_can_be_read_is_true() {
    let cx = Context::new();
    let (pull, push) = joined(&cx, (SocketType::Pull, Options::new()), (SocketType::Push, Options::new()));
    assert_eq!(pull.get(opt::TYPE).unwrap(), SocketType::Pull);
    assert_eq!(pull.get(opt::LAST_ENDPOINT).unwrap(), pull.endpoints()[0].endpoint.to_string());
    assert_eq!((pull.get(opt::EVENTS).unwrap(), push.get(opt::EVENTS).unwrap()), (0, 2));
    push.send("x").unwrap();
    until("it is readable", || pull.get(opt::EVENTS).unwrap() == 1);
    let subscriber = cx.socket(SocketType::Sub).unwrap();
    assert!(matches!(subscriber.get(opt::LAST_ENDPOINT), Err(Error::Option(_))));
    ["a", "a", "b"].into_iter().for_each(|topic| subscriber.subscribe(topic).unwrap());
    assert_eq!(subscriber.get(opt::TOPICS_COUNT).unwrap(), 2);
}

#[test]
fn an_option_of_one_endpoint_is_that_endpoints_alone() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let small = with(opt::MAXMSGSIZE, Some(3));
    let mut strict =
        RawPeer::connect(pull.bind_with("tcp://127.0.0.1:*", &small).unwrap()).shake_hands("PUSH");
    let mut lax = RawPeer::connect(pull.bind("tcp://127.0.0.1:*").unwrap()).shake_hands("PUSH");
    strict.send(&[b"long"]);
    strict.expect_end();
    lax.send(&[b"long"]);
    assert_eq!(pull.recv_soon()[0], "long");
    let whole = with(opt::ROUTER_MANDATORY, true);
    let router = cx.socket(SocketType::Router).unwrap();
    assert!(matches!(router.connect_with("tcp://127.0.0.1:1", &whole), Err(Error::Option(_))));
    let _: Opt<u64, AtAttach> = opt::AFFINITY;
}

#[test]
fn without_redial_after_fault_a_peer_that_is_unfit_is_dialled_once() {
    let (listener, endpoint) = listen();
    let cx = Context::new();
    let options = impatient().set(opt::REDIAL_AFTER_FAULT, false);
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    let events = push.monitor();
    push.connect(endpoint).unwrap();
    let (mut stranger, _) = listener.accept().unwrap();
    // PUSH does not talk to PUSH.
    let unfit = [common::greeting(), common::ready("PUSH", "")].concat();
    std::io::Write::write_all(&mut stranger, &unfit).unwrap();
    wait_for(&events, "of the failure", |kind| matches!(kind, EventKind::HandshakeFailed(_)));
    assert!(matches!(events.recv_timeout(Duration::from_millis(50)), Err(Error::TimedOut(_))));
    assert!(push.endpoints().is_empty(), "the endpoint is given up");
}

/// libzmq ends such an endpoint, whether the handshake was over or not (session_base.cpp).
#[test]
fn without_redial_after_fault_an_endpoint_that_is_never_dialled_again_ends_with_its_queue() {
    let cx = Context::new();
    let libzmqs = Options::new().set(opt::REDIAL_AFTER_FAULT, false);
    let refused = ReconnectStop { conn_refused: true, ..ReconnectStop::default() };
    for (options, listens) in [
        (libzmqs.clone().set(opt::RECONNECT_IVL, None), true),
        (libzmqs.set(opt::RECONNECT_STOP, refused), false),
    ] {
        let (listener, endpoint) = listen();
        let listener = listens.then_some(listener);
        let push = cx.socket_with(SocketType::Push, &options).unwrap();
        push.connect(endpoint).unwrap();
        let sent = push.try_send("never sent").is_ok();
        assert!(sent || !listens);
        if let Some(listener) = listener {
            drop(listener.accept().unwrap());
        }
        until("the endpoint is gone", || push.endpoints().is_empty() && push.stats().queued == 0);
        assert_eq!(push.stats().dropped.total(), u64::from(sent));
        common::assert_balanced(&push.stats());
    }
}

/// libzmq takes such bytes for ZMTP 1.0, and what it makes of them for a lost connection (zmtp_engine.cpp).
#[test]
fn without_redial_after_fault_what_is_no_zmtp_is_dialled_again() {
    let (listener, endpoint) = listen();
    let cx = Context::new();
    let options = impatient().set(opt::REDIAL_AFTER_FAULT, false);
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    push.connect(endpoint).unwrap();
    let (mut stranger, _) = listener.accept().unwrap();
    std::io::Write::write_all(&mut stranger, b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    listener.accept().unwrap();
}

#[test]
#[cfg(unix)]
fn ipc_take_over_takes_a_path_from_who_listens_there() {
    let folder = std::env::temp_dir().join(format!("zeroxide-take-over-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let endpoint = format!("ipc://{}", folder.join("socket").display());
    let cx = Context::new();
    let (old, new) = (cx.socket(SocketType::Pull).unwrap(), cx.socket(SocketType::Pull).unwrap());
    old.bind(&endpoint).unwrap();
    assert!(matches!(new.bind(&endpoint), Err(Error::Bind(_))));
    new.bind_with(&endpoint, &with(opt::IPC_TAKE_OVER, true)).unwrap();
    let push = cx.socket(SocketType::Push).unwrap();
    push.connect(&endpoint).unwrap();
    push.send("to the new one").unwrap();
    assert_eq!(new.recv_soon()[0], "to the new one");
    old.unbind(&endpoint).unwrap();
    assert!(folder.join("socket").exists(), "the old listener leaves the file of the new one alone");
    new.unbind(&endpoint).unwrap();
    std::fs::remove_dir(&folder).unwrap();
}

/// Where the effect of each option is shown.
const SHOWN: &[(&str, &str)] = &[
    ("hwm", "SNDHWM RCVHWM XPUB_NODROP"),
    ("budget", "RCVHWM_BYTES RCVHWM_BYTES_TOTAL"),
    ("pubsub_live", "CONFLATE XPUB_VERBOSE XPUB_MANUAL XPUB_WELCOME_MSG"),
    ("reconnect", "IMMEDIATE RECONNECT_IVL RECONNECT_STOP"),
    ("life", "LINGER"),
    ("limits", "HANDSHAKE_IVL MAX_HANDSHAKES HEARTBEAT_IVL HEARTBEAT_TIMEOUT MAXMSGSIZE ACCEPT_BACKOFF"),
    ("limits_subscriptions", "MAX_SUBSCRIPTIONS MAX_SUBSCRIPTION_BYTES"),
    ("limits_strangers", "SIGNATURE_IVL MAX_HANDSHAKES_PER_HOST HANDSHAKE_BUFFER"),
    ("security", "ZAP_DOMAIN ZAP_ENFORCE_DOMAIN AUTH_REQUIRED MECHANISM"),
    // And through the C interface by libzmq's own program test_xpub_manual_last_value.
    ("patterns: xpub", "XPUB_MANUAL_LAST_VALUE"),
    ("notices", "HELLO_MSG DISCONNECT_MSG HICCUP_MSG ROUTER_NOTIFY"),
    ("accept_filters", "TCP_ACCEPT_FILTER IPC_FILTER_PID IPC_FILTER_UID IPC_FILTER_GID"),
    ("socks", "SOCKS_PROXY SOCKS_USERNAME SOCKS_PASSWORD"),
    ("security_plain", "PLAIN_SERVER PLAIN_USERNAME PLAIN_PASSWORD"),
    ("security_curve", "CURVE_SERVER CURVE_PUBLICKEY CURVE_SECRETKEY CURVE_SERVERKEY"),
    ("patterns_live", "ROUTING_ID CONNECT_ROUTING_ID ROUTER_MANDATORY ROUTER_HANDOVER PROBE_ROUTER"),
    (
        "options",
        "SNDTIMEO RCVTIMEO RECONNECT_IVL_MAX CONNECT_TIMEOUT MIN_VERSION MAX_MULTIPART MAX_FRAMES MAX_TOPIC",
    ),
    (
        "options",
        "METADATA HEARTBEAT_TTL IPV6 ROUTER_RAW REQ_CORRELATE REQ_RELAXED STREAM_NOTIFY XPUB_VERBOSER",
    ),
    ("options", "INVERT_MATCHING ONLY_FIRST_SUBSCRIBE XSUB_VERBOSE_UNSUBSCRIBE"),
    ("options", "TYPE LAST_ENDPOINT EVENTS TOPICS_COUNT IPC_TAKE_OVER REDIAL_AFTER_FAULT"),
    // What the kernel was told can be asked of the stream itself only.
    (
        "transports: options_reach_both_ends",
        "SNDBUF RCVBUF TCP_KEEPALIVE TCP_KEEPALIVE_CNT TCP_KEEPALIVE_IDLE",
    ),
    ("transports: options_reach_both_ends", "TCP_KEEPALIVE_INTVL TCP_MAXRT TOS PRIORITY"),
    // Shown nowhere: BACKLOG is a hint to the kernel; the others need privileges or hardware; AFFINITY chooses a thread.
    ("nowhere", "BACKLOG BUSY_POLL BINDTODEVICE AFFINITY"),
];

#[test]
fn every_option_that_works_is_in_the_list() {
    let listed: Vec<&str> = SHOWN.iter().flat_map(|(_, names)| names.split(' ')).collect();
    for row in opt::TABLE {
        let works = matches!(row.support(), opt::Support::Works | opt::Support::NotBuilt(_));
        assert_eq!(works, listed.contains(&row.name()), "{}", row.name());
    }
}
