//! Listeners that others have opened, and connections that others have made.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use common::{LONG, Soon, assert_balanced, impatient, listen, until, wait_for};
use zeroxide::{Cause, Context, Error, EventKind, SocketType, Why};

/// A question comes before the socket has the listener, and is answered.
fn serves(endpoint: &str, listener: impl Into<OwnedFd>) {
    let cx = Context::new();
    let (rep, req) = (cx.socket(SocketType::Rep).unwrap(), cx.socket(SocketType::Req).unwrap());
    req.connect(endpoint).unwrap();
    req.send("early").unwrap();
    let bound = rep.bind_listener(listener).unwrap();
    assert_eq!(bound.to_string(), endpoint);
    assert_eq!(rep.recv_soon()[0], "early");
    rep.send("served").unwrap();
    assert_eq!(req.recv_soon()[0], "served");
    rep.unbind(bound).unwrap();
}

#[test]
fn a_listener_of_tcp_is_taken_over_and_unbind_closes_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    serves(&format!("tcp://{address}"), listener);
    assert!(TcpStream::connect(address).is_err(), "it listens no longer");
}

#[test]
fn a_local_listener_is_taken_over() {
    let path = std::env::temp_dir().join(format!("zeroxide-inherited-{}", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    serves(&format!("ipc://{}", path.display()), listener);
    std::fs::remove_file(&path).unwrap(); // who has made it removes it
}

#[test]
fn what_does_not_listen_is_refused() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let refused =
        |error: Error| matches!(error, Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidInput);
    assert!(refused(pull.bind_listener(UdpSocket::bind("127.0.0.1:0").unwrap()).unwrap_err()));
    #[cfg(target_os = "linux")]
    {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(refused(pull.bind_listener(stream).unwrap_err()));
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(pull.close().wait_timeout(LONG).is_ok());
    assert!(matches!(pull.bind_listener(listener), Err(Error::Closed)));
}

/// Both ends of a connection over loopback.
fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let made = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (made, listener.accept().unwrap().0)
}

/// Each end is given to a socket, and a question and its answer cross the connection.
fn speaks(ours: impl Into<OwnedFd>, theirs: impl Into<OwnedFd>) {
    let (here, there) = (Context::new(), Context::new());
    let (req, rep) = (here.socket(SocketType::Req).unwrap(), there.socket(SocketType::Rep).unwrap());
    req.connect_stream(ours).unwrap();
    req.send("a question").unwrap(); // before the other end speaks ZMTP
    rep.connect_stream(theirs).unwrap();
    assert_eq!(rep.recv_soon()[0], "a question");
    rep.send("an answer").unwrap();
    assert_eq!(req.recv_soon()[0], "an answer");
}

#[test]
fn a_connection_over_tcp_is_taken_over_at_both_ends() {
    let (made, accepted) = tcp_pair();
    speaks(made, accepted);
}

#[test]
fn a_pair_of_local_sockets_is_taken_over_at_both_ends() {
    let (left, right) = UnixStream::pair().unwrap();
    speaks(left, right);
}

#[test]
fn a_connection_to_a_bound_socket_is_taken_over_and_disconnect_closes_it() {
    let cx = Context::new();
    let (pull, push) = (cx.socket(SocketType::Pull).unwrap(), cx.socket(SocketType::Push).unwrap());
    let bound = pull.bind("tcp://127.0.0.1:*").unwrap();
    let events = pull.monitor();
    let stream = TcpStream::connect(format!("127.0.0.1:{}", bound.port().unwrap())).unwrap();
    let endpoint = push.connect_stream(stream).unwrap();
    assert_eq!(endpoint, bound);
    push.send("through it").unwrap();
    assert_eq!(pull.recv_soon()[0], "through it");
    // A connect to the same endpoint makes a connection of its own.
    push.connect(&bound).unwrap();
    pull.wait_for_peers(2, LONG).unwrap();
    push.disconnect(&endpoint).unwrap();
    wait_for(&events, "its end", |kind| matches!(kind, EventKind::Disconnected { .. }));
    assert_eq!(pull.peers().len(), 1);
}

#[test]
fn its_end_is_an_event_and_it_is_never_dialled_again() {
    let (listener, address) = listen();
    let cx = Context::new();
    let push = cx.socket_with(SocketType::Push, &impatient()).unwrap();
    let events = push.monitor();
    push.connect_stream(TcpStream::connect(address.trim_start_matches("tcp://")).unwrap()).unwrap();
    let mut peer = common::RawPeer::accept(&listener).shake_hands("PULL");
    push.send("written").unwrap();
    assert_eq!(peer.read_message().unwrap(), [b"written"]);
    let up = wait_for(&events, "the handshake", |kind| matches!(kind, EventKind::HandshakeSucceeded { .. }));
    peer.kill();
    let end = wait_for(&events, "its end", |kind| matches!(kind, EventKind::Disconnected { .. }));
    assert_eq!(end.connection, up.connection);
    until("it is forgotten", || push.endpoints().is_empty());
    assert!(matches!(push.try_send("more").unwrap_err().error, Error::WouldBlock(Why::NoPeer { .. })));
    push.close().wait();
    while let Ok(event) = events.try_recv() {
        let dials = matches!(event.kind, EventKind::ConnectDelayed | EventKind::ConnectRetried { .. });
        assert!(!dials, "{event}");
    }
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn one_that_does_not_speak_zmtp_fails_its_handshake_and_what_waited_is_counted() {
    let (ours, mut theirs) = tcp_pair();
    let push = Context::new().socket_with(SocketType::Push, &impatient()).unwrap();
    let events = push.monitor();
    push.connect_stream(ours).unwrap();
    push.send("never sent").unwrap();
    theirs.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    wait_for(&events, "the failure", |kind| matches!(kind, EventKind::HandshakeFailed(_)));
    until("it is counted", || push.stats().dropped.by(Cause::PeerLost) == 1);
    assert_balanced(&push.stats());
    assert!(push.endpoints().is_empty());
    assert!(theirs.read_to_end(&mut Vec::new()).is_ok(), "it is closed");
}

#[cfg(feature = "curve")]
#[test]
fn the_side_that_dialled_may_be_the_server_of_curve() {
    let (secret, client) = (generate_secret_key().unwrap(), generate_secret_key().unwrap());
    let server = secret.public();
    let (ours, theirs) = tcp_pair();
    let cx = Context::new();
    use zeroxide::{AccessList, Options, Security, generate_secret_key};
    let open = AccessList::new().allow_any_curve_key();
    cx.authenticator("", open).unwrap();
    let options = Options::new().security(Security::CurveServer(secret));
    let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
    let options = Options::new().security(Security::CurveClient { server, me: client });
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    pull.connect_stream(ours).unwrap();
    push.connect_stream(theirs).unwrap();
    push.send("sealed").unwrap();
    assert_eq!(pull.recv_soon()[0], "sealed");
}

#[test]
fn what_is_no_connection_is_refused() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let refused = |stream: OwnedFd| match pull.connect_stream(stream).unwrap_err() {
        Error::Io(error) => error.kind(),
        other => panic!("{other:?}"),
    };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(refused(listener.into()), ErrorKind::NotConnected);
    assert_eq!(refused(UdpSocket::bind("127.0.0.1:0").unwrap().into()), ErrorKind::InvalidInput);
    assert_eq!(refused(std::os::unix::net::UnixDatagram::pair().unwrap().0.into()), ErrorKind::InvalidInput);
    assert!(pull.endpoints().is_empty());
    let (ours, _theirs) = tcp_pair();
    assert!(pull.close().wait_timeout(LONG).is_ok());
    assert!(matches!(pull.connect_stream(ours), Err(Error::Closed)));
}

#[test]
fn one_whose_peer_has_closed_ends_with_an_event() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    theirs.shutdown(Shutdown::Both).unwrap();
    drop(theirs);
    let pull = Context::new().socket(SocketType::Pull).unwrap();
    let events = pull.monitor();
    // The system may say at once that it is not connected.
    match pull.connect_stream(ours) {
        Ok(_) => drop(wait_for(&events, "its end", |kind| matches!(kind, EventKind::HandshakeFailed(_)))),
        Err(error) => assert!(matches!(error, Error::Io(error) if error.kind() == ErrorKind::NotConnected)),
    }
}

/// What a process inherits is mostly left open for its children, too.
#[cfg(target_os = "linux")]
#[test]
fn what_is_taken_over_is_closed_on_exec() {
    let open_on_exec = |fd: OwnedFd| {
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::empty()).unwrap();
        fd
    };
    let closed_on_exec = |number: i32| {
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}")).unwrap();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap().trim();
        u32::from_str_radix(flags, 8).unwrap() & 0o2000000 != 0
    };
    let pull = Context::new().socket(SocketType::Pull).unwrap();
    let listener = open_on_exec(TcpListener::bind("127.0.0.1:0").unwrap().into());
    let first = listener.as_raw_fd();
    assert!(!closed_on_exec(first));
    pull.bind_listener(listener).unwrap();
    assert!(closed_on_exec(first));
    // Its other end is open, so the handshake goes on.
    let (ours, _theirs) = tcp_pair();
    let stream = open_on_exec(ours.into());
    let number = stream.as_raw_fd();
    pull.connect_stream(stream).unwrap();
    assert!(closed_on_exec(number));
}
