//! A hub and fifty clients as processes. The others receive why each of them leaves.
#![cfg(unix)]

use std::collections::BTreeMap;

use guide_running::{ANY, Program};

/// Between two heartbeats, in milliseconds. Who is silent for three of them hangs, so a busy machine must not be that slow.
const HEARTBEAT: &str = "1000";
const CLIENTS: usize = 50;

const GOODBYE: &str = "said goodbye";
const CLOSED: &str = "was killed or crashed: the connection closed without a goodbye";
const SILENT: &str = "hangs or is cut off: it stopped answering";

fn hub() -> (Program, String) {
    let mut hub = Program::start(env!("CARGO_BIN_EXE_chat_hub"), &[ANY, HEARTBEAT]);
    let endpoint = hub.line("bound ");
    (hub, endpoint)
}

fn client(name: &str, hub: &str) -> Program {
    Program::start_with_input(env!("CARGO_BIN_EXE_chat_client"), &[name, hub, HEARTBEAT])
}

/// Who is there, as the hub tells a client.
fn who(client: &mut Program) -> Vec<String> {
    client.write("/who");
    let count: usize = client.line("* here: ").parse().expect("a number");
    let mut names: Vec<String> = (0..count).map(|_| client.line("*   ")).collect();
    names.iter_mut().for_each(|line| line.truncate(line.find(',').expect("a name and a comma")));
    names.sort();
    names
}

/// The next lines of a program that say who has left, and why.
fn departures(told: &mut Program, count: usize) -> BTreeMap<String, String> {
    let mut left = BTreeMap::new();
    while left.len() < count {
        let line = told.line("client-");
        if let Some((number, why)) = line.split_once(' ').filter(|(_, why)| *why != "joined") {
            left.insert(format!("client-{number}"), why.to_owned());
        }
    }
    left
}

#[test]
fn fifty_clients_and_why_each_of_them_leaves() {
    let (mut hub, endpoint) = hub();
    let name = |number: usize| format!("client-{number:02}");
    let mut clients: BTreeMap<String, Program> =
        (0..CLIENTS).map(|number| (name(number), client(&name(number), &endpoint))).collect();
    for _ in 0..CLIENTS {
        hub.line(" joined");
    }
    let mut watcher = clients.remove(&name(0)).expect("the first client");
    assert_eq!(who(&mut watcher), (0..CLIENTS).map(name).collect::<Vec<_>>());

    // Every fifth is killed, every fifth says goodbye, two hang.
    let mut expected = BTreeMap::new();
    for number in (1..CLIENTS).filter(|number| number % 5 == 1) {
        clients.remove(&name(number)).expect("a client").kill();
        expected.insert(name(number), CLOSED.to_owned());
    }
    for number in (1..CLIENTS).filter(|number| number % 5 == 2) {
        let mut leaves = clients.remove(&name(number)).expect("a client");
        leaves.end_input();
        assert!(leaves.end().success);
        expected.insert(name(number), GOODBYE.to_owned());
    }
    for number in [3, 4] {
        clients[&name(number)].stop();
        expected.insert(name(number), SILENT.to_owned());
    }

    // The hub prints it, and tells the others.
    for told in [&mut hub, &mut watcher] {
        assert_eq!(departures(told, expected.len()), expected);
    }
    let there: Vec<String> = (0..CLIENTS).map(name).filter(|name| !expected.contains_key(name)).collect();
    assert_eq!(who(&mut watcher), there);

    // One that hung goes on: it connects again under its name.
    clients[&name(3)].resume();
    hub.line("client-03 joined");
}

#[test]
fn what_one_says_all_receive() {
    let (mut hub, endpoint) = hub();
    let mut clients = ["ann", "bob", "eve"].map(|name| client(name, &endpoint));
    (0..3).for_each(|_| drop(hub.line(" joined")));
    clients[1].write("good morning");
    for client in &mut clients {
        assert_eq!(client.line("bob: "), "good morning");
    }
}

#[test]
fn a_name_is_used_once_at_a_time() {
    let (mut hub, endpoint) = hub();
    let ann = client("ann", &endpoint);
    hub.line("ann joined");
    let second = client("ann", &endpoint).end();
    assert!(!second.success && second.has("another peer has this routing id"), "{second:?}");
    // The name of a client that was killed is free at once.
    ann.kill();
    hub.line(CLOSED);
    let _third = client("ann", &endpoint);
    hub.line("ann joined");
}

#[test]
fn clients_come_back_to_a_hub_that_was_killed() {
    let (mut first, endpoint) = hub();
    let mut clients = ["ann", "bob"].map(|name| client(name, &endpoint));
    for client in &mut clients {
        client.line("connected");
    }
    (0..2).for_each(|_| drop(first.line(" joined")));
    first.kill();
    clients[0].line("the hub is away");
    let mut second = Program::start(env!("CARGO_BIN_EXE_chat_hub"), &[&endpoint, HEARTBEAT]);
    (0..2).for_each(|_| drop(second.line(" joined")));
    assert_eq!(who(&mut clients[0]), ["ann", "bob"]);
}
