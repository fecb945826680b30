use std::sync::Arc;
use std::time::Duration;
use std::{error, io};

use zeroxide_transports::{Endpoint, ResolveError, SocksError};
use zeroxide_zmtp::error::Excerpt;
use zeroxide_zmtp::{ConnectionError, ProtocolError, Version};

use super::*;
use crate::options::{Options, opt};
use crate::security::Role;

fn socket_type(name: &str) -> SocketType {
    SocketType::from_name(name.as_bytes()).unwrap()
}

fn bind(endpoint: &str, socket: &str, kind: io::ErrorKind) -> Error {
    BindError { endpoint: endpoint.into(), socket: socket_type(socket), source: kind.into() }.into()
}

fn handshake(endpoint: &str, socket: &str, cause: HandshakeCause) -> Error {
    HandshakeError {
        endpoint: endpoint.into(),
        socket: socket_type(socket),
        security: Role::default(),
        connecting: true,
        claim: None,
        stage: None,
        cause,
    }
    .into()
}

fn not_ready(last: Option<DialError>, attempts: u32) -> Error {
    let endpoint = "tcp://127.0.0.1:5555".into();
    let after = Duration::from_secs(2);
    Error::TimedOut(Why::NotReady(Box::new(NotReady { endpoint, after, last, attempts })))
}

fn not_supported(socket: &str, op: Op) -> Error {
    Error::NotSupported { socket: socket_type(socket), op }
}

fn wrong_state(socket: &str, next: Turn) -> Error {
    Error::WrongState { socket: socket_type(socket), next }
}

fn no_peer(at: Attachment) -> Error {
    Error::WouldBlock(Why::NoPeer { socket: socket_type("PUSH"), at: Box::new(at) })
}

fn unroutable(known: usize) -> Error {
    Error::Unroutable { id: Box::new(RoutingId::new("w7").unwrap()), known }
}

/// The rows of the table "The first hour", in its order.
#[test]
fn the_first_hour() {
    let refused = DialError::Io(io::ErrorKind::ConnectionRefused.into());
    let second = Some(Duration::from_secs(1));
    let rows: Vec<(Error, &str)> = vec![
        (
            Endpoint::parse_bind("localhost:5555").unwrap_err().into(),
            r#""localhost:5555": no transport; write "tcp://localhost:5555" (known: tcp, ipc, inproc)"#,
        ),
        (
            Endpoint::parse_bind("tcp://127.0.0.1").unwrap_err().into(),
            r#""tcp://127.0.0.1": no port; add ":5555", or ":*" to let the system choose"#,
        ),
        (
            Endpoint::parse_bind("tcp://127.0.0.1:70000").unwrap_err().into(),
            r#""tcp://127.0.0.1:70000": port "70000" is not in 1..65535"#,
        ),
        (
            Endpoint::parse_connect("tcp://*:5555").unwrap_err().into(),
            r#""tcp://*:5555": "*" is for bind; connect needs a host such as 127.0.0.1"#,
        ),
        (
            bind("tcp://127.0.0.1:5555", "PUB", io::ErrorKind::AddrInUse),
            "cannot bind tcp://127.0.0.1:5555 (PUB): address in use; another socket or process listens there",
        ),
        (
            bind("tcp://10.9.9.9:5555", "PUB", io::ErrorKind::AddrNotAvailable),
            "cannot bind tcp://10.9.9.9:5555: not an address of this machine; did you mean connect?",
        ),
        (
            handshake(
                "tcp://127.0.0.1:5555",
                "REQ",
                ProtocolError::SocketTypeMismatch { own: socket_type("REQ"), peer: Some(socket_type("PUB")) }
                    .into(),
            ),
            "tcp://127.0.0.1:5555: peer is PUB, we are REQ; a REQ talks to REP or ROUTER",
        ),
        (
            handshake(
                "tcp://127.0.0.1:80",
                "REQ",
                ProtocolError::NotZmtp { first: Excerpt::of(b"HTTP/1.1") }.into(),
            ),
            r#"tcp://127.0.0.1:80: peer does not speak ZMTP (first bytes "HTTP/1.1")"#,
        ),
        (
            not_ready(Some(refused), 13),
            "tcp://127.0.0.1:5555 not ready after 2 s: connection refused, 13 attempts; is the server running?",
        ),
        (
            not_supported("SUB", Op::Send),
            "a SUB socket cannot send; it receives from PUB or XPUB. To subscribe call subscribe()",
        ),
        (wrong_state("REQ", Turn::Recv), "this REQ awaits a reply: call recv() first, or use request()"),
        (wrong_state("REP", Turn::Recv), "this REP has no request to answer: call recv() first"),
        (
            no_peer(Attachment::Bound("tcp://127.0.0.1:5555".into())),
            "PUSH bound to tcp://127.0.0.1:5555 has no peer yet; message returned",
        ),
        (
            Error::WouldBlock(Why::Full { socket: socket_type("PUSH"), hwm: 1000, peers: 2 }),
            "all 2 peers of this PUSH are at their high-water mark (1000); message returned",
        ),
        (
            Error::TimedOut(Why::NoSubscription { socket: socket_type("SUB"), after: second }),
            r#"no message in 1 s: this SUB has no subscription; call subscribe("") for everything"#,
        ),
        (unroutable(3), r#"no peer with routing id "w7"; 3 peers known, see peers()"#),
        (
            Options::new().set(opt::HEARTBEAT_TTL, Duration::from_secs(7000)).check().unwrap_err().into(),
            "HEARTBEAT_TTL = 7000 s: allowed 0..6553.5 s",
        ),
    ];
    for (error, text) in rows {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn texts_beside_the_first_hour() {
    let sub = socket_type("SUB");
    let rows: Vec<(Error, &str)> = vec![
        (
            wrong_state("REQ", Turn::Send),
            "this REQ has no request under way: call send() first, or use request()",
        ),
        (wrong_state("REP", Turn::Send), "this REP owes a reply: call send() first"),
        (not_supported("PULL", Op::Send), "a PULL socket cannot send; it receives from PUSH"),
        (not_supported("PUB", Op::Recv), "a PUB socket cannot receive; it sends to SUB or XSUB"),
        (
            not_supported("XPUB", Op::Subscribe),
            "an XPUB socket cannot subscribe by itself; with XPUB_MANUAL it can for its peers",
        ),
        (not_supported("PUSH", Op::Subscribe), "a PUSH socket cannot subscribe; a SUB can"),
        (
            no_peer(Attachment::Nowhere),
            "PUSH is neither bound nor connected; call bind() or connect() first; message returned",
        ),
        (
            no_peer(Attachment::Connecting {
                endpoint: "tcp://a:1".into(),
                last: Some(ResolveError::UnknownHost("no such name".into()).into()),
                attempts: 3,
            }),
            "PUSH connecting to tcp://a:1 has no peer yet (attempt 3, last: unknown host: no such name); message returned",
        ),
        (
            Error::TimedOut(Why::Full { socket: socket_type("PUSH"), hwm: 1, peers: 1 }),
            "timed out: the peer of this PUSH is at its high-water mark (1); message returned",
        ),
        (
            Error::TimedOut(Why::NoMessage { socket: sub, after: Some(Duration::from_millis(250)) }),
            "no message for this SUB in 250 ms",
        ),
        (Error::WouldBlock(Why::NoMessage { socket: sub, after: None }), "no message for this SUB now"),
        (unroutable(1), r#"no peer with routing id "w7"; 1 peer known, see peers()"#),
        (
            handshake("tcp://a:1", "PUSH", HandshakeCause::from(ConnectionError::HandshakeTimeout)),
            "tcp://a:1: peer did not end its handshake within HANDSHAKE_IVL",
        ),
        (
            handshake(
                "tcp://a:1",
                "PUSH",
                HandshakeCause::from(&IoError::from(io::ErrorKind::UnexpectedEof)),
            ),
            "tcp://a:1: peer closed during the handshake; its log may say why",
        ),
        (
            handshake(
                "tcp://a:1",
                "PUSH",
                ProtocolError::VersionTooOld { spoken: Version::V2_0, minimum: Version::V3_0 }.into(),
            ),
            "tcp://a:1: peer speaks ZMTP 2.0, we demand 3.0; MIN_VERSION can allow it",
        ),
        (
            not_ready(None, 0),
            "tcp://127.0.0.1:5555 not ready after 2 s: the first attempt is not over; is the address right?",
        ),
    ];
    for (error, text) in rows {
        assert_eq!(error.to_string(), text);
    }
}

fn ipv6_is_off() -> Error {
    let source = io::Error::from(ResolveError::Ipv6Off);
    BindError { endpoint: "tcp://[::1]:1".into(), socket: socket_type("PUB"), source: source.into() }.into()
}

#[test]
fn errno_of_every_kind_is_libzmqs() {
    let table: Vec<(Error, ErrorKind, i32)> = vec![
        (no_peer(Attachment::Nowhere), ErrorKind::WouldBlock, errno::EAGAIN),
        (not_ready(None, 1), ErrorKind::TimedOut, errno::EAGAIN),
        (wrong_state("REQ", Turn::Recv), ErrorKind::WrongState, 156_384_763),
        (not_supported("SUB", Op::Send), ErrorKind::NotSupported, errno::ENOTSUP),
        (unroutable(0), ErrorKind::Unroutable, errno::EHOSTUNREACH),
        (Error::EmptyMessage, ErrorKind::EmptyMessage, errno::EINVAL),
        (Endpoint::parse_bind("tcp://a").unwrap_err().into(), ErrorKind::Endpoint, errno::EINVAL),
        (Endpoint::parse_bind("foo://a").unwrap_err().into(), ErrorKind::Endpoint, errno::EPROTONOSUPPORT),
        (bind("tcp://127.0.0.1:1", "PUB", io::ErrorKind::AddrInUse), ErrorKind::Bind, errno::EADDRINUSE),
        (bind("tcp://nohost:1", "PUB", io::ErrorKind::NotFound), ErrorKind::Bind, errno::ENODEV),
        (ipv6_is_off(), ErrorKind::Bind, errno::ENODEV),
        (Error::NoSuchEndpoint("tcp://a:1".into()), ErrorKind::NoSuchEndpoint, errno::ENOENT),
        (OptionError::Unset { option: "TYPE" }.into(), ErrorKind::Option, errno::EINVAL),
        (handshake("tcp://a:1", "SUB", HandshakeCause::TimedOut), ErrorKind::Handshake, errno::EPROTO),
        (Error::Closed, ErrorKind::Closed, errno::ENOTSOCK),
        (Error::Terminated, ErrorKind::Terminated, 156_384_765),
        (Error::Forked, ErrorKind::Forked, 156_384_765),
        (Error::Interrupted, ErrorKind::Interrupted, errno::EINTR),
        (Error::NoIoThread, ErrorKind::NoIoThread, 156_384_766),
        (Error::Limit(io::ErrorKind::OutOfMemory.into()), ErrorKind::Limit, errno::EMFILE),
        (Error::Io(io::ErrorKind::PermissionDenied.into()), ErrorKind::Io, errno::EACCES),
    ];
    for (error, kind, number) in table {
        assert_eq!((error.kind(), error.errno()), (kind, number), "{error}");
    }
}

#[test]
fn a_dial_error_is_the_typed_cause_or_what_the_system_said() {
    let typed = |error: io::Error| DialError::from(error);
    for cause in [ResolveError::UnknownHost("no such name".into()), ResolveError::MixedFamilies] {
        assert_eq!(typed(cause.clone().into()), DialError::Resolve(cause));
    }
    assert_eq!(typed(SocksError::Closed.into()), DialError::Proxy(SocksError::Closed));
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    assert_eq!(typed(refused()), DialError::Io(refused().into()));
    let not_found = || io::Error::new(io::ErrorKind::NotFound, "by somebody else");
    assert_eq!(typed(not_found()).to_string(), "by somebody else");
}

#[test]
#[cfg(unix)]
fn the_text_of_a_failed_dial_is_the_cause_and_its_advice_fits() {
    let system = |number| DialError::from(io::Error::from_raw_os_error(number));
    let rows = [
        (system(errno::ECONNREFUSED), "connection refused, 1 attempt; is the server running?"),
        (
            system(errno::EMFILE),
            "Too many open files (os error 24), 1 attempt; close some, or raise the limit",
        ),
        (
            system(errno::ENOENT),
            "No such file or directory (os error 2), 1 attempt; is the path right, and the server running?",
        ),
        (system(errno::EACCES), "Permission denied (os error 13), 1 attempt"),
        (ResolveError::MixedFamilies.into(), "source and target are of different IP families, 1 attempt"),
        (
            ResolveError::UnknownHost("no such name".into()).into(),
            "unknown host: no such name, 1 attempt; is the name right?",
        ),
    ];
    for (last, text) in rows {
        let text = format!("tcp://127.0.0.1:5555 not ready after 2 s: {text}");
        assert_eq!(not_ready(Some(last), 1).to_string(), text);
    }
}

#[test]
fn an_io_error_keeps_its_number_and_its_typed_cause_in_every_copy() {
    let system = IoError::from(io::Error::from_raw_os_error(errno::EMFILE));
    let kept = system.clone();
    assert_eq!((kept.raw_os_error(), kept.errno(), &kept), (Some(errno::EMFILE), errno::EMFILE, &system));
    assert_eq!(io::Error::from(kept).raw_os_error(), Some(errno::EMFILE));
    let typed = IoError::from(io::Error::from(SocksError::Closed));
    let cause = |error: &io::Error| error.get_ref().and_then(|cause| cause.downcast_ref()).copied();
    assert_eq!(cause(&typed.clone()), Some(SocksError::Closed));
    assert_eq!(io::Error::from(typed.clone()).kind(), typed.kind());
    assert_ne!(system, typed);
}

/// What std itself takes the numbers for, on whatever system the test runs.
#[test]
#[cfg(unix)]
fn system_numbers_are_the_systems() {
    let table = [
        (errno::EAGAIN, io::ErrorKind::WouldBlock),
        (errno::EINTR, io::ErrorKind::Interrupted),
        (errno::ENOENT, io::ErrorKind::NotFound),
        (errno::EACCES, io::ErrorKind::PermissionDenied),
        (errno::EINVAL, io::ErrorKind::InvalidInput),
        (errno::ENOMEM, io::ErrorKind::OutOfMemory),
        (errno::EPIPE, io::ErrorKind::BrokenPipe),
        (errno::EADDRINUSE, io::ErrorKind::AddrInUse),
        (errno::EADDRNOTAVAIL, io::ErrorKind::AddrNotAvailable),
        (errno::ECONNREFUSED, io::ErrorKind::ConnectionRefused),
        (errno::ECONNRESET, io::ErrorKind::ConnectionReset),
        (errno::ECONNABORTED, io::ErrorKind::ConnectionAborted),
        (errno::ENOTCONN, io::ErrorKind::NotConnected),
        (errno::EHOSTUNREACH, io::ErrorKind::HostUnreachable),
        (errno::ENETUNREACH, io::ErrorKind::NetworkUnreachable),
        (errno::ETIMEDOUT, io::ErrorKind::TimedOut),
        (errno::ENOTSUP, io::ErrorKind::Unsupported),
    ];
    for (number, kind) in table {
        assert_eq!(io::Error::from_raw_os_error(number).kind(), kind, "{number}");
    }
}

#[test]
fn an_io_error_keeps_the_systems_own_number() {
    if cfg!(unix) {
        assert_eq!(Error::Io(io::Error::from_raw_os_error(errno::ENAMETOOLONG)).errno(), errno::ENAMETOOLONG);
    }
}

#[test]
fn a_failed_send_gives_the_very_message_back() {
    let failed = || SendError { error: Error::Terminated, message: Message::from("job 1") };
    let request: RequestError = failed().into();
    assert_eq!(request.unsent, Some(Message::from("job 1")));
    assert_eq!(request.to_string(), failed().to_string());
    assert_eq!(Error::from(request).kind(), ErrorKind::Terminated);

    fn caller(failed: SendError) -> Result<()> {
        Err(failed)?;
        Ok(())
    }
    assert_eq!(caller(failed()).unwrap_err().kind(), ErrorKind::Terminated);
}

#[test]
fn sources_lead_to_the_cause() {
    let error = handshake("tcp://a:1", "SUB", ProtocolError::InvalidMetadata.into());
    let cause = error::Error::source(&error).and_then(error::Error::source).unwrap();
    assert_eq!(cause.downcast_ref(), Some(&ProtocolError::InvalidMetadata));
    assert!(error::Error::source(&Error::Closed).is_none());
}

#[test]
fn errors_cross_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<Error>();
    crosses::<SendError>();
    crosses::<RequestError>();
    crosses::<Arc<HandshakeError>>();
}
