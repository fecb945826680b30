//! The steps of clone as processes: what a client's map has, however late the client comes.
#![cfg(unix)]

use std::collections::BTreeSet;

use guide_running::{ANY, Program};

/// Milliseconds between two signs of life.
const BEAT: &str = "50";
/// Milliseconds between two changes.
const OFTEN: &str = "1";

/// A server that binds `endpoints` endpoints, and those.
fn server<const N: usize>(path: &str, interval: &str) -> (Program, [String; N]) {
    let mut arguments = vec![ANY; N];
    arguments.push(interval);
    let mut server = Program::start(path, &arguments);
    let endpoint = |line: String| line.split(' ').next().unwrap_or_default().to_owned();
    let endpoints = std::array::from_fn(|_| endpoint(server.line("bound ")));
    (server, endpoints)
}

/// The two numbers of each line `N keys of M` of a client.
fn keys_of(lines: &[String]) -> Vec<(u64, u64)> {
    let numbers = |line: &String| {
        let (keys, sequence) = line.trim_start_matches("snapshot: ").split_once(" keys of ")?;
        Some((keys.parse().ok()?, sequence.parse().ok()?))
    };
    lines.iter().filter_map(numbers).collect()
}

#[test]
fn step_1_a_client_that_comes_late_lacks_what_was_before() {
    let (mut server, [updates]) = server(env!("CARGO_BIN_EXE_clone1_server"), OFTEN);
    server.line("20 keys");
    let late = Program::start(env!("CARGO_BIN_EXE_clone1_client"), &[&updates, "10"]).end();
    let keys = keys_of(&late.lines);
    assert_eq!(keys.len(), 10);
    assert!(keys.iter().all(|(keys, sequence)| keys + 20 <= *sequence), "{keys:?}");
}

#[test]
fn step_2_a_client_that_comes_late_has_everything() {
    let (mut server, [snapshots, updates]) = server(env!("CARGO_BIN_EXE_clone2_server"), OFTEN);
    server.line("20 keys");
    let client = || Program::start(env!("CARGO_BIN_EXE_clone2_client"), &[&snapshots, &updates, "100"]);
    let clients = [client(), client(), client()];
    for late in clients.map(Program::end) {
        let keys = keys_of(&late.lines);
        // Each update has a key of its own, so a map of update n has n keys, and no update is missing or applied twice.
        assert!(keys.len() > 10 && keys[0].0 >= 20, "{keys:?}");
        assert!(keys.iter().all(|(keys, sequence)| keys == sequence), "{keys:?}");
        assert!(keys.windows(2).all(|two| two[0].1 + 1 == two[1].1), "{keys:?}");
    }
}

/// The entries that a client has printed so far.
fn entries(client: &Program) -> BTreeSet<String> {
    client.printed().iter().filter(|line| line.starts_with('/')).cloned().collect()
}

/// Waits until a client has printed so many entries.
#[track_caller]
fn wait_for(client: &mut Program, number: usize) {
    while entries(client).len() < number {
        client.line("/");
    }
}

#[test]
fn step_3_every_client_sees_the_changes_of_all() {
    let (_server, [snapshots, updates, changes]) = server(env!("CARGO_BIN_EXE_clone3_server"), BEAT);
    let client = |name| {
        let arguments = [&snapshots[..], &updates, &changes, name, "10", OFTEN];
        Program::start(env!("CARGO_BIN_EXE_clone3_client"), &arguments)
    };
    let mut first = [client("anna"), client("bert")];
    wait_for(&mut first[0], 15);
    let mut late = client("carl");
    let all: BTreeSet<String> = ["anna", "bert", "carl"]
        .iter()
        .flat_map(|name| (1..=10).map(move |number| format!("/{name}/{number} = {number}")))
        .collect();
    for client in first.iter_mut().chain([&mut late]) {
        wait_for(client, 30);
        assert_eq!(entries(client), all);
    }
}

#[test]
fn step_4_a_client_sees_its_subtree_alone() {
    let (mut server, [snapshots, updates, changes]) = server(env!("CARGO_BIN_EXE_clone3_server"), BEAT);
    let writer = |name| {
        let arguments = [&snapshots[..], &updates, &changes, name, "10", OFTEN];
        Program::start(env!("CARGO_BIN_EXE_clone3_client"), &arguments)
    };
    let reader = || Program::start(env!("CARGO_BIN_EXE_clone4_client"), &[&snapshots, &updates, "/bert/"]);
    let _anna = writer("anna");
    let _first = writer("bert/first");
    server.line("10 = 10");
    server.line("10 = 10");
    let mut early = reader();
    wait_for(&mut early, 10);
    // What it must not see is published before what it waits for.
    let _carl = writer("carl");
    server.line("10 = 10");
    let _second = writer("bert/second");
    server.line("10 = 10");
    let mut late = reader();
    let keys = |part| (1..=10).map(move |number| format!("/bert/{part}/{number} = {number}"));
    let expected: BTreeSet<String> = keys("first").chain(keys("second")).collect();
    for client in [&mut early, &mut late] {
        wait_for(client, 20);
        assert_eq!(entries(client), expected);
    }
}

#[test]
fn step_5_a_value_expires_unless_it_is_set_again() {
    let (mut server, [snapshots, updates, changes]) = server(env!("CARGO_BIN_EXE_clone5_server"), BEAT);
    let writer = |name| Program::start(env!("CARGO_BIN_EXE_clone5_client"), &[&changes, name, "1000"]);
    let mut reader = Program::start(env!("CARGO_BIN_EXE_clone4_client"), &[&snapshots, &updates, "/here/"]);
    let (bert, _anna) = (writer("bert"), writer("anna"));
    reader.line("/here/bert = yes");
    reader.line("/here/anna = yes");
    bert.kill();
    server.line(r#"/here/bert = """#);
    reader.line("/here/bert = ");
    // The one that lives goes on setting it.
    server.line("/here/anna = \"yes\"");
    assert!(!server.printed().iter().any(|line| line.contains(r#"/here/anna = """#)));
}
