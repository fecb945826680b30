//! Connections through a SOCKS5 proxy (RFC 1928, RFC 1929), played by the test.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::io::{ErrorKind, Read};
use std::net::TcpListener;
use std::time::Duration;

use common::{RawPeer, Soon, impatient, until, wait_for};
use zeroxide::{Context, DialError, EventKind, Options, Socket, SocketType, SocksError, SocksRefusal, opt};

/// The request for the peer of these tests, which nobody but the proxy can find.
const REQUEST: &[u8] = b"\x05\x01\x00\x03\x0cpeer.invalid\x15\xb3";
const PEER: &str = "tcp://peer.invalid:5555";
/// "Connected", from 127.0.0.1:4660.
const CONNECTED: &[u8] = &[5, 0, 0, 1, 127, 0, 0, 1, 0x12, 0x34];

/// A proxy that listens, and options to go through it.
fn proxy() -> (TcpListener, Options) {
    let (listener, endpoint) = common::listen();
    let options = impatient().set(opt::SOCKS_PROXY, common::address(endpoint));
    (listener, options)
}

fn push(cx: &Context, options: &Options) -> Socket {
    let push = cx.socket_with(SocketType::Push, options).unwrap();
    push.connect(PEER).unwrap();
    push
}

/// Reads exactly these bytes.
#[track_caller]
fn expect(proxy: &mut RawPeer, bytes: &[u8]) {
    let mut read = vec![0; bytes.len()];
    proxy.stream.read_exact(&mut read).unwrap();
    assert_eq!(read, bytes);
}

/// How the last attempt ended, once one has.
fn last(socket: &Socket) -> DialError {
    until("an attempt failed", || socket.endpoints()[0].last.is_some());
    socket.endpoints()[0].last.clone().unwrap()
}

#[test]
fn a_peer_is_reached_by_the_name_that_its_proxy_looks_up() {
    let ((listener, options), cx) = (proxy(), Context::new());
    let push = push(&cx, &options);
    let mut proxy = RawPeer::accept(&listener);
    expect(&mut proxy, &[5, 1, 0]);
    proxy.send_bytes(&[5, 0]);
    expect(&mut proxy, REQUEST);
    // The peer's first bytes come right behind the reply: none of them is the dialogue's.
    proxy.send_bytes(&[CONNECTED, &common::greeting(), &common::ready("PULL", "")].concat());
    push.send("through the proxy").unwrap();
    expect(&mut proxy, &common::greeting());
    assert_eq!(proxy.read_message().unwrap(), [b"through the proxy"]);
}

#[test]
fn a_dialogue_goes_on_when_its_bytes_come_one_by_one() {
    let ((listener, options), cx) = (proxy(), Context::new());
    let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
    pull.connect(PEER).unwrap();
    let mut proxy = RawPeer::accept(&listener);
    expect(&mut proxy, &[5, 1, 0]);
    [5, 0].iter().for_each(|byte| proxy.send_bytes(&[*byte]));
    expect(&mut proxy, REQUEST);
    CONNECTED.iter().for_each(|byte| proxy.send_bytes(&[*byte]));
    let mut peer = proxy.shake_hands("PUSH");
    peer.send(&[b"x"]);
    assert_eq!(pull.recv_soon()[0], "x");
}

#[test]
fn a_proxy_that_asks_is_shown_the_name_and_the_password() {
    let ((listener, options), cx) = (proxy(), Context::new());
    let options = options.set(opt::SOCKS_USERNAME, "ann".to_owned()).set(opt::SOCKS_PASSWORD, "hunter2");
    assert!(!format!("{options:?}").contains("hunter2"));
    let push = push(&cx, &options);
    let mut proxy = RawPeer::accept(&listener);
    expect(&mut proxy, &[5, 1, 2]);
    proxy.send_bytes(&[5, 2]);
    expect(&mut proxy, b"\x01\x03ann\x07hunter2");
    proxy.send_bytes(&[1, 0]);
    expect(&mut proxy, REQUEST);
    proxy.send_bytes(CONNECTED);
    let mut peer = proxy.shake_hands("PULL");
    push.send("x").unwrap();
    assert_eq!(peer.read_message().unwrap(), [b"x"]);
}

#[test]
fn a_refused_password_is_named_and_the_proxy_dialled_again() {
    let ((listener, options), cx) = (proxy(), Context::new());
    let options = options.set(opt::SOCKS_USERNAME, "ann".to_owned());
    let push = push(&cx, &options);
    for _ in 0..2 {
        let mut proxy = RawPeer::accept(&listener);
        expect(&mut proxy, &[5, 1, 2]);
        proxy.send_bytes(&[5, 2]);
        expect(&mut proxy, b"\x01\x03ann\x00");
        proxy.send_bytes(&[1, 1]);
        proxy.expect_end();
        assert_eq!(last(&push), DialError::Proxy(SocksError::LoginRefused(1)));
    }
}

#[test]
fn why_a_proxy_did_not_connect_is_told_and_it_is_asked_again() {
    let ((listener, options), cx) = (proxy(), Context::new());
    let push = cx.socket_with(SocketType::Push, &options).unwrap();
    let events = push.monitor();
    push.connect(PEER).unwrap();
    let mut proxy = RawPeer::accept(&listener);
    proxy.send_bytes(&[5, 0]);
    proxy.send_bytes(&[5, 5, 0, 1, 0, 0, 0, 0, 0, 0]);
    proxy.expect_end();
    let refusal = DialError::Proxy(SocksError::Refused(SocksRefusal::ConnectionRefused));
    let refused = |kind: &EventKind| matches!(kind, EventKind::ConnectFailed(error) if *error == refusal);
    assert_eq!(wait_for(&events, "of the refusal", refused).remote, PEER);
    assert_eq!(last(&push), refusal);
    RawPeer::accept(&listener);
}

#[test]
fn a_proxy_that_is_silent_has_as_long_as_a_handshake() {
    let ((listener, options), cx) = (proxy(), Context::new());
    let push = push(&cx, &options.set(opt::HANDSHAKE_IVL, Some(Duration::from_millis(200))));
    let mut silent = RawPeer::accept(&listener);
    silent.expect_end();
    assert_eq!(last(&push), DialError::TimedOut);
}

#[test]
fn a_proxy_that_closes_or_is_none_is_named() {
    let ((listener, options), cx) = (proxy(), Context::new());
    let push = push(&cx, &options);
    RawPeer::accept(&listener).kill();
    // The system may say that it was reset, where the greeting was not read.
    match last(&push) {
        DialError::Proxy(SocksError::Closed) => {}
        DialError::Io(error) => {
            assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
        }
        other => panic!("{other}"),
    }
    let mut server = RawPeer::accept(&listener);
    server.send_bytes(b"SSH-2.0-nothing of ours\r\n");
    server.expect_end();
    until("the version is told", || last(&push) == DialError::Proxy(SocksError::NotSocks5 { version: b'S' }));
}

#[test]
fn a_socket_that_closes_leaves_its_proxy() {
    let ((listener, options), cx) = (proxy(), Context::new());
    let push = push(&cx, &options);
    let mut proxy = RawPeer::accept(&listener);
    expect(&mut proxy, &[5, 1, 0]);
    drop(push);
    proxy.expect_end();
}
