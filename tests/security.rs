//! Who may come in: authenticators and ZAP handlers, over NULL with a domain. Each mechanism has a file of its own.

#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{LONG, RawPeer, Soon, impatient, no_linger, until, wait_for};
use zeroxide::{
    AccessList, AuthStatus, Authenticate, Context, Credentials, Denial, Error, ErrorKind, EventKind, Frame,
    HandshakeCause, HandshakeError, Message, Monitor, Options, ProtocolError, Role, SecurityError, Socket,
    SocketType, Stage, Verdict, ZapViolation, opt,
};

const HANDLER: &str = "inproc://zeromq.zap.01";

/// Short for a test, and long enough for a question to be put on a busy machine.
const HASTE: Duration = Duration::from_millis(500);

fn with_domain(domain: &str) -> Options {
    no_linger().set(opt::ZAP_DOMAIN, domain.to_owned())
}

/// A server that asks under a domain, bound to tcp, and its monitor.
fn server(cx: &Context, options: &Options) -> (Socket, String, Monitor) {
    let server = cx.socket_with(SocketType::Rep, options).unwrap();
    let monitor = server.monitor();
    let endpoint = server.bind("tcp://127.0.0.1:*").unwrap().to_string();
    (server, endpoint, monitor)
}

fn client(cx: &Context) -> Socket {
    cx.socket_with(SocketType::Req, &no_linger().set(opt::RECONNECT_IVL, None)).unwrap()
}

/// One request and its reply.
fn exchange(client: &Socket, server: &Socket) -> Message {
    client.send("hello").unwrap();
    let request = server.recv_soon();
    server.send("world").unwrap();
    assert_eq!(client.recv_soon()[0], "world");
    request
}

fn failure(monitor: &Monitor) -> Arc<HandshakeError> {
    match wait_for(monitor, "handshake failed", |kind| matches!(kind, EventKind::HandshakeFailed(_))).kind {
        EventKind::HandshakeFailed(error) => error,
        _ => unreachable!(),
    }
}

fn denial(monitor: &Monitor) -> Denial {
    let error = failure(monitor);
    match &error.cause {
        HandshakeCause::Denied(denial) => denial.clone(),
        other => panic!("{other:?}"),
    }
}

/// What a client is told that is refused with a status.
#[track_caller]
fn assert_refused(result: Result<impl std::fmt::Debug, Error>, status: &str) {
    match result.unwrap_err() {
        Error::Handshake(error) => {
            let reason = status.to_owned().into();
            assert_eq!(error.cause, HandshakeCause::Protocol(ProtocolError::Refused { reason }), "{error}");
        }
        other => panic!("{other}"),
    }
}

/// Answers as it is told, and counts how often it was asked.
struct Says(Verdict, Arc<AtomicUsize>);

impl Says {
    fn new(verdict: Verdict) -> (Says, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        (Says(verdict, Arc::clone(&asked)), asked)
    }
}

impl Authenticate for Says {
    fn check(&self, _who: &Credentials) -> Verdict {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.clone()
    }
}

#[test]
fn an_authenticator_sees_who_comes_and_says_who_it_is() {
    struct Note(Mutex<Vec<Credentials>>);
    impl Authenticate for Note {
        fn check(&self, who: &Credentials) -> Verdict {
            self.0.lock().unwrap().push(who.clone());
            Verdict::Allow { user_id: "ann".to_owned(), metadata: vec![("Room".to_owned(), "7".into())] }
        }
    }
    let cx = Context::new();
    let notes = Arc::new(Note(Mutex::default()));
    cx.authenticator("lab", Arc::clone(&notes)).unwrap();
    let (server, endpoint, _) = server(&cx, &with_domain("lab"));
    let client = client(&cx);
    client.connect_ready(&endpoint, LONG).unwrap();
    let request = exchange(&client, &server);
    let peer = request.peer().unwrap();
    assert_eq!((peer.user_id.as_str(), peer.property("Room")), ("ann", Some(&b"7"[..])));
    let notes = notes.0.lock().unwrap();
    assert_eq!(notes.len(), 1);
    let who = &notes[0];
    assert_eq!((who.domain.as_str(), who.address.as_str(), who.mechanism), ("lab", "127.0.0.1", "NULL"));
}

#[test]
fn who_is_denied_is_told_400_and_the_server_knows_why() {
    let cx = Context::new();
    cx.authenticator("lab", Says::new(Verdict::Deny).0).unwrap();
    let (_server, endpoint, monitor) = server(&cx, &with_domain("lab"));
    assert_refused(client(&cx).connect_ready(&endpoint, LONG), "400");
    let error = failure(&monitor);
    assert_eq!((error.stage, error.security), (Some(Stage::Authorising), Role::default()));
    let said = Denial::Said { status: AuthStatus::AuthenticationFailure, text: "".into() };
    assert_eq!(error.cause, HandshakeCause::Denied(said));
    assert!(error.to_string().ends_with(": refused with status 400"), "{error}");
}

#[test]
fn who_is_to_try_later_is_told_nothing() {
    let cx = Context::new();
    cx.authenticator("lab", Says::new(Verdict::TryLater).0).unwrap();
    let (_server, endpoint, monitor) = server(&cx, &with_domain("lab"));
    match client(&cx).connect_ready(&endpoint, LONG).unwrap_err() {
        Error::Handshake(error) => assert_eq!(error.cause, HandshakeCause::PeerClosed),
        other => panic!("{other}"),
    }
    assert_eq!(denial(&monitor).status(), AuthStatus::TemporaryError);
}

#[test]
fn an_error_in_clear_text_never_ends_redialling() {
    let cx = Context::new();
    let (says, asked) = Says::new(Verdict::Deny);
    cx.authenticator("lab", says).unwrap();
    let (server, endpoint, _) = server(&cx, &with_domain("lab"));
    let client = cx.socket_with(SocketType::Req, &impatient()).unwrap();
    let events = client.monitor();
    client.connect(&endpoint).unwrap();
    for _ in 0..3 {
        let error = failure(&events);
        assert!(matches!(error.cause, HandshakeCause::Protocol(ProtocolError::Refused { .. })), "{error}");
    }
    // Let in at last, it comes in without being connected anew.
    assert!(cx.remove_authenticator("lab") && asked.load(Ordering::SeqCst) >= 3);
    cx.authenticator("lab", AccessList::new()).unwrap();
    server.wait_for_peers(1, LONG).unwrap();
    exchange(&client, &server);
}

#[test]
fn an_authenticator_that_panics_lets_nobody_in_and_goes_on() {
    struct Panics(AtomicUsize);
    impl Authenticate for Panics {
        fn check(&self, _who: &Credentials) -> Verdict {
            assert!(self.0.fetch_add(1, Ordering::SeqCst) > 0, "on purpose");
            Verdict::allow("")
        }
    }
    let cx = Context::new();
    cx.authenticator("lab", Panics(AtomicUsize::new(0))).unwrap();
    let (_server, endpoint, monitor) = server(&cx, &with_domain("lab"));
    assert_refused(client(&cx).connect_ready(&endpoint, LONG), "500");
    assert_eq!(denial(&monitor), Denial::Panicked);
    client(&cx).connect_ready(&endpoint, LONG).unwrap();
}

/// Panics with what panics when it is dropped, and with that once more.
struct Bomb(u8);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 > 0 {
            std::panic::panic_any(Bomb(self.0 - 1));
        }
    }
}

#[test]
fn whatever_of_an_authenticator_panics_fails_closed_is_counted_and_ends_no_thread() {
    struct Spoilt;
    impl AsRef<[u8]> for Spoilt {
        fn as_ref(&self) -> &[u8] {
            b"7"
        }
    }
    impl Drop for Spoilt {
        fn drop(&mut self) {
            panic!("on purpose");
        }
    }
    struct Panics(AtomicUsize, std::sync::mpsc::Sender<()>);
    impl Authenticate for Panics {
        fn check(&self, _who: &Credentials) -> Verdict {
            match self.0.fetch_add(1, Ordering::SeqCst) {
                0 => std::panic::panic_any(Bomb(2)),
                1 => Verdict::Allow {
                    user_id: "ann".to_owned(),
                    metadata: vec![("Room".to_owned(), bytes::Bytes::from_owner(Spoilt))],
                },
                _ => Verdict::allow(""),
            }
        }
    }
    impl Drop for Panics {
        fn drop(&mut self) {
            self.1.send(()).unwrap();
            std::panic::panic_any(Bomb(2));
        }
    }
    let cx = Context::new();
    let (gone, end) = std::sync::mpsc::channel();
    cx.authenticator("lab", Panics(AtomicUsize::new(0), gone)).unwrap();
    let (server, endpoint, monitor) = server(&cx, &with_domain("lab"));
    for _ in 0..2 {
        assert_refused(client(&cx).connect_ready(&endpoint, LONG), "500");
        assert_eq!(denial(&monitor), Denial::Panicked);
    }
    assert!(server.peers().is_empty());
    assert_eq!((server.stats().io.denied, server.stats().io.undecided), (2, 2));
    client(&cx).connect_ready(&endpoint, LONG).unwrap();
    // Released, it goes on its own thread; the panic of its drop stays there.
    assert!(cx.remove_authenticator("lab"));
    end.recv_timeout(LONG).unwrap();
    cx.authenticator("lab", Says::new(Verdict::Deny).0).unwrap();
    assert_refused(client(&cx).connect_ready(&endpoint, LONG), "400");
    assert_eq!((server.stats().io.denied, server.stats().io.undecided), (3, 2));
}

#[test]
fn a_slow_authenticator_does_not_delay_that_of_another_domain() {
    struct Slow(Mutex<std::sync::mpsc::Receiver<()>>, std::sync::mpsc::Sender<()>);
    impl Authenticate for Slow {
        fn check(&self, _who: &Credentials) -> Verdict {
            self.1.send(()).unwrap();
            let _ = self.0.lock().unwrap().recv();
            Verdict::allow("")
        }
    }
    let cx = Context::new();
    let (go, gate) = std::sync::mpsc::channel();
    let (asked, began) = std::sync::mpsc::channel();
    cx.authenticator("slow", Slow(Mutex::new(gate), asked)).unwrap();
    cx.authenticator("quick", AccessList::new()).unwrap();
    let (slow, slow_endpoint, _) = server(&cx, &with_domain("slow"));
    let (quick, quick_endpoint, _) = server(&cx, &with_domain("quick"));
    let waiting = client(&cx);
    waiting.connect(&slow_endpoint).unwrap();
    began.recv_timeout(LONG).unwrap();
    for _ in 0..5 {
        let neighbour = client(&cx);
        neighbour.connect_ready(&quick_endpoint, LONG).unwrap();
        exchange(&neighbour, &quick);
    }
    assert!(slow.peers().is_empty());
    // What it was asked before its domain was released, it answers.
    assert!(cx.remove_authenticator("slow"));
    go.send(()).unwrap();
    exchange(&waiting, &slow);
}

#[test]
fn the_thread_of_an_authenticator_ends_with_its_context() {
    struct Tells(std::sync::mpsc::Sender<()>);
    impl Authenticate for Tells {
        fn check(&self, _who: &Credentials) -> Verdict {
            Verdict::allow("")
        }
    }
    impl Drop for Tells {
        fn drop(&mut self) {
            let _ = self.0.send(());
        }
    }
    let (gone, end) = std::sync::mpsc::channel();
    let cx = Context::new();
    cx.authenticator("lab", Tells(gone)).unwrap();
    drop(cx);
    end.recv_timeout(LONG).unwrap();
}

#[test]
fn a_slow_authenticator_holds_nobody_up_who_does_not_ask_it() {
    struct Slow(Mutex<std::sync::mpsc::Receiver<()>>);
    impl Authenticate for Slow {
        fn check(&self, _who: &Credentials) -> Verdict {
            let _ = self.0.lock().unwrap().recv();
            Verdict::allow("")
        }
    }
    let cx = Context::new();
    let (go, gate) = std::sync::mpsc::sync_channel(1);
    cx.authenticator("slow", Slow(Mutex::new(gate))).unwrap();
    let hasty = with_domain("slow").set(opt::HANDSHAKE_IVL, Some(HASTE));
    let (_slow, slow_endpoint, monitor) = server(&cx, &hasty);
    let (open, open_endpoint, _) = server(&cx, &no_linger());
    let waiting = client(&cx);
    waiting.connect(&slow_endpoint).unwrap();
    let neighbour = client(&cx);
    neighbour.connect_ready(&open_endpoint, LONG).unwrap();
    exchange(&neighbour, &open);
    // Its handshake's time is over: it is gone, and what the authenticator says at last is ignored.
    let error = failure(&monitor);
    assert_eq!((&error.cause, error.stage), (&HandshakeCause::TimedOut, Some(Stage::Authorising)));
    go.send(()).unwrap();
    exchange(&neighbour, &open);
}

#[test]
fn a_second_authenticator_for_a_domain_is_in_use() {
    let cx = Context::new();
    cx.authenticator("lab", AccessList::new()).unwrap();
    cx.authenticator("other", AccessList::new()).unwrap();
    let error = cx.authenticator("lab", AccessList::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Security);
    let text = "domain \"lab\" is in use: it has an authenticator; remove_authenticator() frees it";
    assert_eq!(error.to_string(), text);
    assert!(cx.remove_authenticator("lab") && !cx.remove_authenticator("lab"));
    cx.authenticator("lab", AccessList::new()).unwrap();
}

#[test]
fn a_second_handler_is_in_use() {
    let cx = Context::new();
    let (one, two) = (cx.socket(SocketType::Rep).unwrap(), cx.socket(SocketType::Router).unwrap());
    one.bind(HANDLER).unwrap();
    assert_eq!(two.bind(HANDLER).unwrap_err().kind(), ErrorKind::Bind);
}

#[test]
fn nothing_is_bound_or_connected_while_nobody_could_be_asked() {
    let cx = Context::new();
    let server = cx.socket_with(SocketType::Rep, &with_domain("lab")).unwrap();
    let text = "tcp://127.0.0.1:5999 (REP): nobody decides who may connect to ZAP domain \"lab\"; call \
                context.authenticator(\"lab\", AccessList::new()...) before, or bind() a ZAP handler to \
                \"inproc://zeromq.zap.01\"";
    for result in [server.bind("tcp://127.0.0.1:5999"), server.connect("tcp://127.0.0.1:5999")] {
        let error = result.unwrap_err();
        assert!(matches!(&error, Error::Security(e) if matches!(**e, SecurityError::NobodyToAsk { .. })));
        assert_eq!(error.to_string(), text);
    }
    assert!(server.endpoints().is_empty());
    // A socket that could not answer is no handler.
    let puller = cx.socket(SocketType::Pull).unwrap();
    puller.bind(HANDLER).unwrap();
    assert!(server.bind("tcp://127.0.0.1:*").is_err());
    puller.unbind(HANDLER).unwrap();
    let _handler = handler(&cx, SocketType::Router);
    server.bind("tcp://127.0.0.1:*").unwrap();
}

/// A handler socket that is asked and answered by hand.
fn handler(cx: &Context, socket_type: SocketType) -> Socket {
    let handler = cx.socket_with(socket_type, &no_linger()).unwrap();
    handler.bind(HANDLER).unwrap();
    handler
}

fn reply_to(request: &Message, status: &str, user_id: &str) -> Message {
    Message::from([
        &request[0][..],
        &request[1],
        status.as_bytes(),
        b"words",
        user_id.as_bytes(),
        b"\x01k\0\0\0\x01v",
    ])
}

#[test]
fn a_handler_is_asked_for_domains_without_an_authenticator() {
    let cx = Context::new();
    let (says, asked) = Says::new(Verdict::Deny);
    cx.authenticator("other", says).unwrap();
    let handler = handler(&cx, SocketType::Rep);
    let named = with_domain("lab").set(opt::ROUTING_ID, zeroxide::RoutingId::new("srv").unwrap());
    let (server, endpoint, _) = server(&cx, &named);
    let client = client(&cx);
    client.connect(&endpoint).unwrap();
    let request = handler.recv_soon();
    let frames: Vec<&[u8]> = request.iter().map(|frame| &frame[..]).collect();
    assert_eq!(frames[0], b"1.0");
    assert_eq!(frames[2..], [&b"lab"[..], b"127.0.0.1", b"srv", b"NULL"]);
    handler.send(reply_to(&request, "200", "bob")).unwrap();
    let request = exchange(&client, &server);
    let peer = request.peer().unwrap();
    assert_eq!((peer.user_id.as_str(), peer.property("k")), ("bob", Some(&b"v"[..])));
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[test]
fn a_router_handles_many_at_once_in_any_order() {
    let cx = Context::new();
    let handler = handler(&cx, SocketType::Router);
    let (server, endpoint, _) = server(&cx, &with_domain("lab"));
    let clients: Vec<Socket> = (0..5).map(|_| client(&cx)).collect();
    for client in &clients {
        client.connect(&endpoint).unwrap();
    }
    let mut requests: Vec<Message> = (0..5).map(|_| handler.recv_soon()).collect();
    while let Some(request) = requests.pop() {
        let mut reply = Message::from([&request[0][..], b"", b"1.0", &request[3], b"200", b"OK"]);
        reply.push_back(format!("user-{}", requests.len()));
        reply.push_back(Frame::new());
        handler.send(reply).unwrap();
    }
    server.wait_for_peers(5, LONG).unwrap();
    let mut users: Vec<String> = server.peers().iter().map(|peer| peer.user_id.clone()).collect();
    users.sort();
    assert_eq!(users, ["user-0", "user-1", "user-2", "user-3", "user-4"]);
}

#[test]
fn every_status_of_a_handler_reaches_both_sides() {
    let cx = Context::new();
    let handler = handler(&cx, SocketType::Rep);
    let (_server, endpoint, monitor) = server(&cx, &with_domain("lab"));
    for (code, status) in [
        ("300", AuthStatus::TemporaryError),
        ("400", AuthStatus::AuthenticationFailure),
        ("500", AuthStatus::InternalError),
    ] {
        let client = client(&cx);
        let events = client.monitor();
        client.connect(&endpoint).unwrap();
        let request = handler.recv_soon();
        handler.send(reply_to(&request, code, "")).unwrap();
        assert_eq!(denial(&monitor), Denial::Said { status, text: "words".into() });
        let told = match &failure(&events).cause {
            HandshakeCause::Protocol(ProtocolError::Refused { reason }) => reason.clone(),
            HandshakeCause::PeerClosed => "300".into(),
            other => panic!("{other:?}"),
        };
        assert_eq!(told, code, "the words stay here, the code goes out, and of 300 nothing");
    }
}

#[test]
fn a_malformed_reply_lets_nobody_in_and_is_told_by_its_own_name() {
    type Spoil = fn(&mut Vec<Frame>);
    let cx = Context::new();
    let handler = handler(&cx, SocketType::Rep);
    let (_server, endpoint, monitor) = server(&cx, &with_domain("lab"));
    let good = |request: &Message| -> Vec<Frame> { reply_to(request, "200", "").into_iter().collect() };
    let spoil: [(ZapViolation, Spoil); 6] = [
        (ZapViolation::Frames { count: 1 + 5 }, |frames| drop(frames.pop())),
        (ZapViolation::Version, |frames| frames[0] = "2.0".into()),
        (ZapViolation::RequestId, |frames| frames[1] = "999999".into()),
        (ZapViolation::StatusCode, |frames| frames[2] = "20".into()),
        (ZapViolation::UserId, |frames| frames[4] = b"\xff".into()),
        (ZapViolation::Metadata, |frames| frames[5] = b"\x05x".into()),
    ];
    for (violation, spoil) in spoil {
        let client = client(&cx);
        client.connect(&endpoint).unwrap();
        let mut frames = good(&handler.recv_soon());
        spoil(&mut frames);
        handler.send(frames).unwrap();
        assert_eq!(denial(&monitor), Denial::Reply(violation));
    }
}

#[test]
fn a_handler_that_dies_lets_nobody_in() {
    let cx = Context::new();
    let handler = handler(&cx, SocketType::Rep);
    let (_server, endpoint, monitor) = server(&cx, &with_domain("lab"));
    let client = client(&cx);
    client.connect(&endpoint).unwrap();
    handler.recv_soon();
    drop(handler);
    assert_eq!(denial(&monitor), Denial::HandlerGone);
    // And now there is none at all.
    let late = self::client(&cx);
    assert_refused(late.connect_ready(&endpoint, LONG), "500");
    wait_for(&monitor, "nobody to ask", |kind| match kind {
        EventKind::HandshakeFailed(error) => error.cause == HandshakeCause::Denied(Denial::NobodyToAsk),
        _ => false,
    });
}

#[test]
fn by_libzmqs_rules_a_peer_comes_back_with_the_handler() {
    let cx = Context::new();
    let handler = handler(&cx, SocketType::Rep);
    handler.unbind(HANDLER).unwrap();
    let rules = with_domain("lab").set(opt::AUTH_REQUIRED, false).set(opt::ZAP_ENFORCE_DOMAIN, true);
    let (server, endpoint, monitor) = server(&cx, &rules);
    // An ERROR is a fault to it, after which libzmq's peers do not come back.
    let client = cx.socket_with(SocketType::Req, &impatient().set(opt::REDIAL_AFTER_FAULT, false)).unwrap();
    client.connect(&endpoint).unwrap();
    assert_eq!(denial(&monitor), Denial::HandlerGone);
    handler.bind(HANDLER).unwrap();
    let request = handler.recv_soon();
    handler.send(reply_to(&request, "200", "")).unwrap();
    exchange(&client, &server);
}

#[test]
fn a_silent_handler_keeps_nothing_of_those_who_gave_up() {
    let cx = Context::new();
    let handler = handler(&cx, SocketType::Router);
    let hasty = with_domain("lab").set(opt::HANDSHAKE_IVL, Some(HASTE));
    let (_server, endpoint, monitor) = server(&cx, &hasty);
    for _ in 0..3 {
        let client = client(&cx);
        client.connect(&endpoint).unwrap();
        let error = failure(&monitor);
        assert_eq!((&error.cause, error.stage), (&HandshakeCause::TimedOut, Some(Stage::Authorising)));
    }
    until("all questions are withdrawn", || handler.stats().pipes.is_empty());
    assert_eq!(handler.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_reply_that_comes_too_late_goes_nowhere_and_hurts_nobody() {
    let cx = Context::new();
    let handler = handler(&cx, SocketType::Rep);
    let hasty = with_domain("lab").set(opt::HANDSHAKE_IVL, Some(HASTE));
    let (_server, endpoint, monitor) = server(&cx, &hasty);
    let late = client(&cx);
    late.connect(&endpoint).unwrap();
    let request = handler.recv_soon();
    assert_eq!(failure(&monitor).cause, HandshakeCause::TimedOut);
    handler.send(reply_to(&request, "200", "late")).unwrap();
    let (server, endpoint, _) = self::server(&cx, &with_domain("lab"));
    let next = client(&cx);
    next.connect(&endpoint).unwrap();
    let request = handler.recv_soon();
    handler.send(reply_to(&request, "200", "next")).unwrap();
    server.wait_for_peers(1, LONG).unwrap();
    assert_eq!(server.peers()[0].user_id, "next");
}

#[test]
fn a_storm_at_a_dead_handlers_door_leaves_nothing_and_a_neighbour_goes_on() {
    const STORM: usize = 200;
    let cx = Context::new();
    let handler = handler(&cx, SocketType::Rep);
    let limits = with_domain("lab").set(opt::MAX_HANDSHAKES, 0).set(opt::MAX_HANDSHAKES_PER_HOST, Some(0));
    let (storm, endpoint, _) = server(&cx, &limits);
    let (open, open_endpoint, _) = server(&cx, &no_linger());
    let neighbour = client(&cx);
    neighbour.connect(&open_endpoint).unwrap();
    exchange(&neighbour, &open);
    let strangers: Vec<RawPeer> = (0..STORM)
        .map(|_| {
            let mut peer = RawPeer::connect(&endpoint);
            peer.send_bytes(&common::greeting());
            exchange(&neighbour, &open);
            peer
        })
        .collect();
    until("each has its question", || handler.stats().pipes.len() == STORM);
    drop(strangers);
    until("no question is left", || handler.stats().pipes.is_empty());
    assert_eq!(handler.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(storm.peers().is_empty());
    exchange(&neighbour, &open);
}

#[test]
fn a_context_ends_while_somebody_waits_for_a_decision() {
    struct Never(std::sync::mpsc::SyncSender<()>, Mutex<std::sync::mpsc::Receiver<()>>);
    impl Authenticate for Never {
        fn check(&self, _who: &Credentials) -> Verdict {
            self.0.send(()).unwrap();
            let _ = self.1.lock().unwrap().recv();
            Verdict::allow("")
        }
    }
    let (asked, question) = std::sync::mpsc::sync_channel(1);
    let (go, gate) = std::sync::mpsc::sync_channel(1);
    let cx = Context::new();
    cx.authenticator("never", Never(asked, Mutex::new(gate))).unwrap();
    let handler = handler(&cx, SocketType::Rep);
    let (_never, never, _) = server(&cx, &with_domain("never"));
    let (_asking, asking, _) = server(&cx, &with_domain("lab"));
    let mut peers = [never, asking].map(RawPeer::connect);
    for peer in &mut peers {
        peer.send_bytes(&common::greeting());
    }
    handler.recv_soon();
    question.recv_timeout(LONG).unwrap();
    assert_eq!(cx.term().wait(), Default::default());
    peers.iter_mut().for_each(RawPeer::expect_end);
    go.send(()).unwrap();
}

#[test]
fn a_domain_shuts_out_those_who_know_no_mechanism() {
    let cx = Context::new();
    cx.authenticator("lab", AccessList::new()).unwrap();
    let old = with_domain("lab").set(opt::MIN_VERSION, zeroxide::Version::V1_0);
    let (server, endpoint, monitor) = server(&cx, &old);
    for bytes in [&b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x03\0\0\x01\0\0\x02hi"[..], b"\x01\0\x01\x01\x03\0hi"] {
        RawPeer::connect(&endpoint).send_bytes(bytes);
        let cause = &failure(&monitor).cause;
        assert!(matches!(cause, HandshakeCause::Protocol(ProtocolError::VersionTooOld { .. })), "{cause:?}");
    }
    assert!(server.try_recv().is_err());
}

#[test]
fn libzmqs_rules_let_null_in_while_there_is_no_handler() {
    let cx = Context::new();
    let lenient = with_domain("lab").set(opt::AUTH_REQUIRED, false).set(opt::ZAP_ENFORCE_DOMAIN, false);
    let (_server, endpoint, _) = server(&cx, &lenient);
    client(&cx).connect_ready(&endpoint, LONG).unwrap();
    let enforcing = with_domain("lab").set(opt::AUTH_REQUIRED, false).set(opt::ZAP_ENFORCE_DOMAIN, true);
    let (_server, endpoint, monitor) = server(&cx, &enforcing);
    assert_refused(client(&cx).connect_ready(&endpoint, LONG), "500");
    assert_eq!(denial(&monitor), Denial::NobodyToAsk);
}

#[test]
fn null_without_a_domain_asks_nobody() {
    let cx = Context::new();
    let (says, asked) = Says::new(Verdict::Deny);
    cx.authenticator("", says).unwrap();
    let handler = handler(&cx, SocketType::Rep);
    let (server, endpoint, _) = server(&cx, &no_linger());
    let client = client(&cx);
    client.connect(&endpoint).unwrap();
    exchange(&client, &server);
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert_eq!(handler.try_recv().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_connecting_side_with_a_domain_asks_about_its_peer_as_well() {
    let cx = Context::new();
    cx.authenticator("lab", AccessList::new().deny_net("127.0.0.0/8").unwrap()).unwrap();
    let (_server, endpoint, _) = server(&cx, &no_linger());
    let client = cx.socket_with(SocketType::Req, &with_domain("lab")).unwrap();
    match client.connect_ready(&endpoint, LONG).unwrap_err() {
        Error::Handshake(error) => assert!(matches!(error.cause, HandshakeCause::Denied(_)), "{error}"),
        other => panic!("{other}"),
    }
}

#[test]
fn an_open_socket_that_more_than_this_machine_can_reach_is_warned_of() {
    let cx = Context::new();
    cx.authenticator("lab", AccessList::new()).unwrap();
    let exposed = |options: &Options, endpoint: &str| {
        let socket = cx.socket_with(SocketType::Rep, options).unwrap();
        let events = socket.monitor();
        socket.bind(endpoint).unwrap();
        let first = wait_for(&events, "first", |_| true).kind;
        match first {
            EventKind::Exposed => {
                wait_for(&events, "listening", |kind| matches!(kind, EventKind::Listening));
                true
            }
            EventKind::Listening => false,
            other => panic!("{other:?}"),
        }
    };
    assert!(exposed(&no_linger(), "tcp://*:*"));
    assert!(!exposed(&no_linger(), "tcp://127.0.0.1:*"));
    assert!(!exposed(&with_domain("lab"), "tcp://*:*"));
}

#[test]
fn a_raw_socket_refuses_a_domain_that_it_cannot_keep() {
    let cx = Context::new();
    cx.authenticator("lab", AccessList::new().deny_net("127.0.0.1").unwrap()).unwrap();
    let raw = with_domain("lab").set(opt::ROUTER_RAW, true);
    for (socket_type, options) in [(SocketType::Stream, with_domain("lab")), (SocketType::Router, raw)] {
        let socket = cx.socket_with(socket_type, &options).unwrap();
        for result in [socket.bind("tcp://127.0.0.1:*"), socket.connect("tcp://127.0.0.1:5999")] {
            let error = result.unwrap_err();
            assert!(
                matches!(&error, Error::Security(e) if **e == SecurityError::Raw { socket: socket_type })
            );
        }
    }
    cx.socket(SocketType::Stream).unwrap().bind("tcp://127.0.0.1:*").unwrap();
}
