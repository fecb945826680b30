//! Nodes as processes, which find each other by beacons on the loopback network.
#![cfg(unix)]

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

use guide_running::{LONG, Program};
use presence::{Beacon, BeaconSocket};
use uuid::Uuid;

/// The broadcast address of the loopback network.
const ALL: &str = "127.255.255.255";
/// Between two beacons, in milliseconds; so many may be missing.
const EVERY: &str = "100";
const MISSING: &str = "30";

/// A port for the beacons of one test, if broadcasts reach this machine's own sockets.
fn port() -> Option<u16> {
    match try_port() {
        Ok(port) => Some(port),
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "NOT RUN: beacons on the loopback network: {why}");
            None
        }
    }
}

fn try_port() -> std::io::Result<u16> {
    let port = UdpSocket::bind("0.0.0.0:0")?.local_addr()?.port();
    let (sender, receiver) = (BeaconSocket::open(port)?, BeaconSocket::open(port)?);
    receiver.set_patience(Duration::from_secs(10))?;
    let to = SocketAddrV4::new(ALL.parse::<Ipv4Addr>().expect("an address"), port);
    sender.send(Beacon { node: Uuid::new_v4(), port: Some(1) }, to)?;
    receiver.recv().map(|_| port)
}

/// A node, and its id as the others know it.
struct Node {
    name: &'static str,
    program: Program,
}

fn node(name: &'static str, port: u16) -> Node {
    let arguments = [name, &port.to_string(), ALL, EVERY, MISSING];
    let mut program = Program::start(env!("CARGO_BIN_EXE_node"), &arguments);
    program.line("listens");
    Node { name, program }
}

impl Node {
    /// Waits until the nodes with these names have said hello. Returns their ids, in this order.
    fn hear(&mut self, names: &[&str]) -> Vec<String> {
        let mut ids: Vec<Option<String>> = vec![None; names.len()];
        while ids.contains(&None) {
            let line = self.program.line("hello from ");
            let (name, id) = line.trim_end_matches(')').split_once(" (").expect("a name and an id");
            let place = names.iter().position(|expected| *expected == name);
            ids[place.unwrap_or_else(|| panic!("{} hears {name}", self.name))] = Some(id.to_owned());
        }
        ids.into_iter().flatten().collect()
    }
}

#[test]
fn nodes_find_each_other_and_notice_who_leaves_and_who_is_killed() {
    let Some(port) = port() else { return };
    let [mut ann, mut bob, mut eve] = ["ann", "bob", "eve"].map(|name| node(name, port));
    let ids_for_ann = ann.hear(&["bob", "eve"]);
    let ids_for_bob = bob.hear(&["ann", "eve"]);
    let ids_for_eve = eve.hear(&["ann", "bob"]);
    let (ann_id, bob_id, eve_id) = (&ids_for_bob[0], &ids_for_ann[0], &ids_for_ann[1]);
    assert_eq!((&ids_for_bob[1], &ids_for_eve[0], &ids_for_eve[1]), (eve_id, ann_id, bob_id));

    // Who leaves says so.
    assert!(eve.program.interrupt().has("eve leaves"));
    assert_eq!((&ann.program.line("left "), &bob.program.line("left ")), (eve_id, eve_id));
    // Who is killed is noticed by its silence, and not before its time.
    let killed = Instant::now();
    bob.program.kill();
    assert_eq!(&ann.program.line("silent "), bob_id);
    assert!(killed.elapsed() >= Duration::from_secs(1) && killed.elapsed() < LONG);
    // A node that comes later finds who is still there, and nobody else.
    let mut zoe = node("zoe", port);
    assert_eq!(&zoe.hear(&["ann"])[0], ann_id);
    ann.hear(&["zoe"]);
    let zoe = zoe.program.interrupt();
    assert_eq!(zoe.count("found "), 1, "{zoe:?}");
}

#[test]
fn packets_of_others_are_ignored_and_reported() {
    let Some(port) = port() else { return };
    let mut ann = node("ann", port);
    let other = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    for packet in [b"hello".as_slice(), b"ZXB\x02and then something"] {
        other.send_to(packet, ("127.0.0.1", port)).expect("a packet");
        ann.program.line("ignored from 127.0.0.1: a ");
    }
    let mut bob = node("bob", port);
    bob.hear(&["ann"]);
    ann.hear(&["bob"]);
}
