//! Why something failed stands in events, in `endpoints()`, in `status()` and in errors, whole and with its type.
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::time::Duration;

use common::{impatient, no_linger, until, wait_for};
use zeroxide::{Context, DialError, Error, EventKind, ResolveError, Socket, SocketType, opt};

/// Connects to what cannot be reached, and checks that the cause is told alike everywhere.
#[track_caller]
fn connect_in_vain(push: &Socket, endpoint: &str, cause: &DialError) {
    let events = push.monitor();
    push.connect(endpoint).unwrap();
    let is_cause = |kind: &EventKind| matches!(kind, EventKind::ConnectFailed(error) if error == cause);
    wait_for(&events, "of the failure", is_cause);
    until("the status tells it", || push.status().to_string().contains(&format!("last: {cause}")));
    assert_eq!(push.endpoints().last().and_then(|row| row.last.clone()).as_ref(), Some(cause));
    let failed = push.try_send("x").map_err(|failed| failed.error.to_string());
    assert!(
        failed.is_ok() || failed.as_ref().is_err_and(|text| text.contains(&cause.to_string())),
        "{failed:?}"
    );
    let failed = push.connect_ready(endpoint, Duration::from_millis(500)).unwrap_err().to_string();
    assert!(failed.contains(&cause.to_string()), "{failed}");
    assert!(!failed.contains("; is the server running?"), "no server is asked: {failed}");
}

fn push(cx: &Context, ipv6: bool) -> Socket {
    let options = impatient().set(opt::LINGER, Some(Duration::ZERO)).set(opt::IPV6, ipv6);
    cx.socket_with(SocketType::Push, &options).unwrap()
}

#[test]
fn a_source_of_another_family_is_named_wherever_it_is_asked_for() {
    let cx = Context::new();
    let cause = DialError::Resolve(ResolveError::MixedFamilies);
    connect_in_vain(&push(&cx, true), "tcp://[::1]:*;127.0.0.1:5555", &cause);
}

#[test]
fn a_source_that_is_no_interface_is_named_wherever_it_is_asked_for() {
    let cx = Context::new();
    let cause = DialError::Resolve(ResolveError::NoInterface);
    connect_in_vain(&push(&cx, false), "tcp://no-such-interface:*;127.0.0.1:5555", &cause);
}

#[test]
fn an_ipv6_address_without_ipv6_is_named_wherever_it_is_asked_for() {
    let cx = Context::new();
    let cause = DialError::Resolve(ResolveError::Ipv6Off);
    connect_in_vain(&push(&cx, false), "tcp://[::1]:5555", &cause);
}

#[test]
#[cfg(unix)]
fn a_path_that_is_not_there_is_named_wherever_it_is_asked_for() {
    let cx = Context::new();
    let cause = DialError::Io(std::io::Error::from_raw_os_error(2).into());
    connect_in_vain(&push(&cx, false), "ipc:///no/such/directory/socket", &cause);
}

#[test]
fn a_bind_that_fails_tells_the_same_cause_in_its_error_and_in_its_event() {
    let cx = Context::new();
    let pull = cx.socket_with(SocketType::Pull, &no_linger()).unwrap();
    let events = pull.monitor();
    for endpoint in ["tcp://[::1]:*", "tcp://198.51.100.77:5555"] {
        let Err(Error::Bind(error)) = pull.bind(endpoint) else { panic!("{endpoint} is bound") };
        let same = |kind: &EventKind| matches!(kind, EventKind::BindFailed(cause) if *cause == error.source);
        wait_for(&events, "of the bind", same);
    }
    let Err(Error::Bind(error)) = pull.bind("tcp://[::1]:*") else { panic!("it is bound") };
    let typed = error.source.get_ref().and_then(|cause| cause.downcast_ref());
    assert_eq!(typed, Some(&ResolveError::Ipv6Off), "{error}");
}
