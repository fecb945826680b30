//! Listeners that others have opened.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;

use common::{LONG, Soon};
use zeroxide::{Context, Error, SocketType};

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
