//! Accept filters: who may connect to a bound endpoint at all.
#![cfg(target_os = "linux")] // where all of 127/8 is this machine, and peers of ipc have credentials
#![allow(clippy::unwrap_used)] // a test's helpers

mod common;

use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;

use common::{RawPeer, Soon, wait_for};
use zeroxide::{Context, EventKind, Filter, Net, Options, SocketType, opt};

fn nets(texts: &[&str]) -> Vec<Net> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn who_is_in_no_network_is_closed_told_and_counted_and_takes_no_place() {
    let cx = Context::new();
    let options = Options::new()
        .set(opt::TCP_ACCEPT_FILTER, nets(&["10.0.0.0/8", "127.0.0.2/31"]))
        .set(opt::MAX_HANDSHAKES, 1);
    let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
    let events = pull.monitor();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    for n in 1..=3 {
        RawPeer::connect(&endpoint).expect_end();
        let filtered = |kind: &EventKind| matches!(kind, EventKind::Filtered(Filter::Address));
        let event = wait_for(&events, "of the stranger", filtered);
        assert!(event.remote.starts_with("tcp://127.0.0.1:"), "{event:?}");
        assert_eq!(event.local, endpoint);
        assert_eq!(pull.stats().io.filtered, n);
    }
    let push = cx.socket(SocketType::Push).unwrap();
    push.connect(format!("tcp://127.0.0.3:0;{}", common::address(&endpoint))).unwrap();
    push.send("from the right network").unwrap();
    assert_eq!(pull.recv_soon()[0], "from the right network");
}

#[test]
fn a_filter_of_one_endpoint_leaves_the_others_alone() {
    let cx = Context::new();
    let pull = cx.socket(SocketType::Pull).unwrap();
    let options = Options::new().set(opt::TCP_ACCEPT_FILTER, nets(&["10.0.0.0/8"]));
    let shut = pull.bind_with("tcp://127.0.0.1:*", &options).unwrap().to_string();
    let open = pull.bind("tcp://127.0.0.1:*").unwrap().to_string();
    RawPeer::connect(&shut).expect_end();
    let mut peer = RawPeer::connect(&open).shake_hands("PUSH");
    peer.send(&[b"x"]);
    assert_eq!(pull.recv_soon()[0], "x");
}

#[test]
fn ipc_lets_in_who_is_one_of_the_users_groups_or_processes() {
    let me = std::fs::metadata("/proc/self").unwrap();
    let mine = [
        Options::new().set(opt::IPC_FILTER_UID, vec![me.uid() + 1, me.uid()]),
        Options::new().set(opt::IPC_FILTER_GID, vec![me.gid()]),
        Options::new().set(opt::IPC_FILTER_PID, vec![std::process::id()]),
        Options::new().set(opt::IPC_FILTER_PID, vec![1]).set(opt::IPC_FILTER_UID, vec![me.uid()]),
    ];
    for options in mine {
        let cx = Context::new();
        let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
        let endpoint = pull.bind("ipc://*").unwrap().to_string();
        let push = cx.socket(SocketType::Push).unwrap();
        push.connect(&endpoint).unwrap();
        push.send("x").unwrap();
        assert_eq!(pull.recv_soon()[0], "x", "{options:?}");
    }
}

#[test]
fn ipc_closes_who_is_none_of_them() {
    let nobody = 4_000_000_001;
    let others = [
        Options::new().set(opt::IPC_FILTER_UID, vec![nobody]),
        Options::new().set(opt::IPC_FILTER_GID, vec![nobody]),
        Options::new().set(opt::IPC_FILTER_PID, vec![nobody]),
    ];
    for options in others {
        let cx = Context::new();
        let pull = cx.socket_with(SocketType::Pull, &options).unwrap();
        let events = pull.monitor();
        let endpoint = pull.bind("ipc://*").unwrap().to_string();
        let _stranger = UnixStream::connect(endpoint.trim_start_matches("ipc://")).unwrap();
        wait_for(&events, "of the stranger", |kind| matches!(kind, EventKind::Filtered(Filter::Process)));
        assert_eq!(pull.stats().io.filtered, 1, "{options:?}");
    }
}
