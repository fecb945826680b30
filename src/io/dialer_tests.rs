use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use zeroxide_transports::Host;

use super::*;
use crate::engine::slot::Slot;
use crate::io::session::Session;
use crate::options::Values;
use crate::random::Random;
use crate::socket::orders::Connect;
use crate::socket::orders::IoThread;
use crate::{Context, Options, Socket, SocketType, opt};

/// The session of a connect, on a reactor without a thread.
fn session(socket: &Socket, id: u64, endpoint: &str) -> Session {
    let values = Arc::new(Values::native(None));
    let endpoint = Endpoint::parse_connect(endpoint).unwrap();
    let (base, slot) = (Arc::clone(socket.base()), Slot::new());
    let (pipe, given_id, stream) = (None, None, None);
    Session::new(Connect { id, base, endpoint, values, slot, pipe, given_id, stream })
}

/// An address that no socket can be bound for: the dial fails at once.
fn unfit() -> Resolved {
    let (address, source) = ("127.0.0.1:5555".parse().unwrap(), "[::1]:0".parse().ok());
    Resolved::Tcp { address, source }
}

#[test]
fn ten_thousand_addresses_that_fail_at_once_do_not_deepen_the_stack() {
    let small = thread::Builder::new().stack_size(256 * 1024).spawn(|| {
        let cx = Context::new();
        let push = cx.socket(SocketType::Push).unwrap();
        let events = push.monitor();
        let mut reactor = Reactor::new(Arc::clone(&push.base().context), Random::new(1)).unwrap();
        reactor.sessions.insert(7, session(&push, 7, "tcp://many.example:5555"));
        reactor.found(7, Ok(vec![unfit(); 10_000]));
        assert!(reactor.sessions[&7].addresses.is_empty(), "each was tried");
        let kinds: Vec<EventKind> =
            std::iter::from_fn(|| events.try_recv().ok()).map(|event| event.kind).collect();
        assert!(
            matches!(kinds[..], [EventKind::ConnectFailed(_), EventKind::ConnectRetried { .. }]),
            "one attempt failed: {kinds:?}"
        );
    });
    small.unwrap().join().unwrap();
}

const LONG: Duration = Duration::from_secs(60);

/// A resolver that is silent about names that begin with "hang" until it is dropped, and finds `good` for all others.
struct Names {
    resolve: Resolve,
    calls: Arc<AtomicUsize>,
    _silence: Sender<()>,
}

fn names(good: SocketAddr) -> Names {
    let (silence, heard) = channel();
    let (heard, calls) = (Mutex::new(heard), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&calls);
    let resolve = move |endpoint: &Endpoint, _| {
        count.fetch_add(1, Ordering::SeqCst);
        if matches!(endpoint, Endpoint::Tcp { host: Host::Name(name), .. } if name.starts_with("hang")) {
            // Those behind the first wait for the lock as long.
            let _ = heard.lock().unwrap_or_else(PoisonError::into_inner).recv();
        }
        Ok(vec![Resolved::Tcp { address: good, source: None }])
    };
    Names { resolve: Arc::new(resolve), calls, _silence: silence }
}

/// Gives a socket an I/O thread of its own that looks names up with `resolve`.
fn with_resolver(socket: &Socket, resolve: &Resolve) -> IoThread {
    let mut reactor = Reactor::new(Arc::clone(&socket.base().context), Random::new(1)).unwrap();
    reactor.resolve = Arc::clone(resolve);
    let link = reactor.link.clone();
    socket.base().enter(|state| state.reactor = Some(link.clone()));
    thread::spawn(move || reactor.run());
    link
}

#[test]
fn names_that_hang_do_not_hold_up_a_good_one_of_the_same_socket_or_of_another() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let bound = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    let names = names(bound.trim_start_matches("tcp://").parse().unwrap());
    let (push, other) = (cx.socket(SocketType::Push).unwrap(), cx.socket(SocketType::Push).unwrap());
    let link = with_resolver(&push, &names.resolve);
    other.base().enter(|state| state.reactor = Some(link.clone()));
    for n in 0..40 {
        push.connect(format!("tcp://hang{n}.example:5555")).unwrap();
    }
    push.connect_ready("tcp://good.example:5555", LONG).unwrap();
    other.connect_ready("tcp://good.example:5556", LONG).unwrap();
    drop(names);
    push.close().wait();
    other.close().wait();
    link.send(Order::Exit);
}

#[test]
fn a_lookup_ends_its_attempt_after_connect_timeout_and_serves_a_later_one() {
    let cx = Context::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let names = names(listener.local_addr().unwrap());
    let options = Options::new()
        .set(opt::CONNECT_TIMEOUT, Some(Duration::from_millis(20)))
        .set(opt::RECONNECT_IVL, Some(Duration::from_millis(5)));
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    let events = push.monitor();
    let link = with_resolver(&push, &names.resolve);
    push.connect("tcp://hang.example:5555").unwrap();
    let mut ends = 0;
    while ends < 3 {
        if let EventKind::ConnectFailed(error) = events.recv_timeout(LONG).unwrap().kind {
            assert_eq!(error, DialError::LookupTimedOut);
            ends += 1;
        }
    }
    assert_eq!(push.endpoints()[0].last, Some(DialError::LookupTimedOut));
    assert_eq!(names.calls.load(Ordering::SeqCst), 1, "the attempts share one lookup");
    drop(names);
    listener.accept().unwrap();
    push.close().wait();
    link.send(Order::Exit);
}

#[test]
fn addresses_that_come_between_two_attempts_are_those_of_the_next() {
    let cx = Context::new();
    let push = cx.socket(SocketType::Push).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let names = names(listener.local_addr().unwrap());
    let mut reactor = Reactor::new(Arc::clone(&push.base().context), Random::new(1)).unwrap();
    reactor.resolve = Arc::clone(&names.resolve);
    reactor.sessions.insert(7, session(&push, 7, "tcp://hang.example:5555"));
    reactor.dial(7);
    reactor.connect_timed_out(7, reactor.sessions[&7].attempt);
    assert!(!reactor.sessions[&7].looking);
    reactor.resolved(1, (names.resolve)(&Endpoint::parse_connect("tcp://good.example:1").unwrap(), false));
    assert!(reactor.sessions[&7].connection.is_none(), "not before its time");
    reactor.dial(7);
    assert!(reactor.sessions[&7].connection.is_some(), "without another lookup");
}
