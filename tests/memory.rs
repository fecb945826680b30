//! What a peer sends when there is no memory for it: its connection ends, and everybody else is served.
#![allow(clippy::unwrap_used)] // a test's helpers
#![cfg(target_os = "linux")]

mod common;

use std::io::Write;
use std::process::Command;

use common::{RawPeer, Soon, wait_for};
use zeroxide::{Context, DisconnectReason, EventKind, Options, Socket, SocketType, opt};

const MIB: u64 = 1024 * 1024;

/// Runs one test of this program in a process of its own with 600 MiB of address space; `true`: this is that process.
fn in_child(test: &str) -> bool {
    if std::env::var_os("ZEROXIDE_TEST_CHILD").is_some() {
        return true;
    }
    let script = format!("ulimit -v 614400; exec \"$0\" --exact {test} --nocapture");
    let child = Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env("ZEROXIDE_TEST_CHILD", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stdout).into_owned() + &String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{text}");
    false
}

/// Sends `frames` messages of `size` bytes each, or as many as the other side takes.
fn flood(mut peer: RawPeer, frames: usize, size: u64) {
    let piece = vec![0; MIB as usize];
    std::thread::spawn(move || {
        for _ in 0..frames {
            peer.stream.write_all(&[&[2][..], &size.to_be_bytes()].concat())?;
            (0..size / MIB).try_for_each(|_| peer.stream.write_all(&piece))?;
        }
        // It stays until the other side has ended it.
        peer.expect_end();
        Ok::<(), std::io::Error>(())
    });
}

/// A bad peer sends more than there is memory for; a good one is served before, meanwhile and after.
fn serve_a_good_peer_beside(pull: &Socket, frames: usize, size: u64) {
    let events = pull.monitor();
    let endpoint = pull.bind("tcp://127.0.0.1:*").unwrap();
    let mut good = RawPeer::connect(&endpoint).shake_hands("PUSH");
    good.send(&[b"before"]);
    assert_eq!(pull.recv_soon()[0], "before");
    flood(RawPeer::connect(&endpoint).shake_hands("PUSH"), frames, size);
    let ended = wait_for(&events, "of the end", |kind| matches!(kind, EventKind::Disconnected { .. }));
    let EventKind::Disconnected { why, .. } = ended.kind else { unreachable!() };
    let DisconnectReason::Fault(fault) = why else { panic!("{why:?}") };
    assert!(fault.to_string().contains("no memory for"), "{fault}");
    assert_eq!(pull.stats().io.out_of_memory, 1);
    good.send(&[b"after"]);
    // What had arrived whole is received; the good peer's comes in its turn.
    while pull.recv_soon()[0] != *"after" {}
}

#[test]
fn eight_frames_of_60_mib_end_one_connection_and_its_neighbour_is_served() {
    if in_child("eight_frames_of_60_mib_end_one_connection_and_its_neighbour_is_served") {
        let pull = Context::new().socket(SocketType::Pull).unwrap();
        serve_a_good_peer_beside(&pull, 12, 60 * MIB);
    }
}

#[test]
fn a_frame_of_2_gib_without_a_limit_ends_one_connection_and_its_neighbour_is_served() {
    if in_child("a_frame_of_2_gib_without_a_limit_ends_one_connection_and_its_neighbour_is_served") {
        let options = Options::new().set(opt::MAXMSGSIZE, None);
        let pull = Context::new().socket_with(SocketType::Pull, &options).unwrap();
        serve_a_good_peer_beside(&pull, 1, 2048 * MIB);
    }
}

#[test]
fn frames_of_5_mib_in_a_row_end_one_connection_and_its_neighbour_is_served() {
    if in_child("frames_of_5_mib_in_a_row_end_one_connection_and_its_neighbour_is_served") {
        let options = Options::new().set(opt::RCVHWM, 0);
        let pull = Context::new().socket_with(SocketType::Pull, &options).unwrap();
        serve_a_good_peer_beside(&pull, 200, 5 * MIB);
    }
}
