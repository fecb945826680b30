//! Majordomo as processes, and the frames that RFC 7 prescribes.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a test's helpers

use guide_running::{ANY, LONG, Program};
use zeroxide::{Context, Message, SocketType};

/// Milliseconds between two heartbeats.
const BEAT: &str = "200";

fn broker(endpoint: &str) -> (Program, String) {
    let mut broker = Program::start(env!("CARGO_BIN_EXE_mdp_broker"), &[endpoint, BEAT]);
    let bound = broker.line("bound ");
    (broker, bound)
}

fn worker(broker: &str, service: &str) -> Program {
    Program::start(env!("CARGO_BIN_EXE_mdp_worker"), &[broker, service, BEAT])
}

fn client(broker: &str, requests: &str) -> Program {
    Program::start(env!("CARGO_BIN_EXE_mdp_client"), &[broker, "echo", requests, "100", "1000"])
}

/// What a program prints that asks for the service.
fn discover(broker: &str, service: &str) -> Vec<String> {
    Program::start(env!("CARGO_BIN_EXE_mdp_service"), &[broker, service, "60000"]).end().lines
}

#[track_caller]
fn assert_replies(lines: &[String]) {
    let replies: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("reply ")).collect();
    let expected: Vec<String> = (1..=replies.len()).map(|number| format!("done: {number}")).collect();
    assert_eq!(replies, expected);
}

#[test]
fn a_service_is_found_while_it_has_a_worker() {
    let (mut broker, endpoint) = broker(ANY);
    assert_eq!(discover(&endpoint, "echo"), ["echo has no worker"]);
    let echo = worker(&endpoint, "echo");
    broker.line("offers echo");
    assert_eq!(discover(&endpoint, "echo"), ["echo has workers"]);
    assert_eq!(discover(&endpoint, "coffee"), ["coffee has no worker"]);
    echo.stop();
    broker.line("is silent");
    assert_eq!(discover(&endpoint, "echo"), ["echo has no worker"]);
    echo.resume();
    broker.line("offers echo");
    assert_eq!(discover(&endpoint, "echo"), ["echo has workers"]);
}

#[test]
fn a_client_gets_its_replies_while_workers_and_the_broker_are_killed() {
    let (first, endpoint) = broker(ANY);
    let mut workers = [worker(&endpoint, "echo"), worker(&endpoint, "echo")];
    let mut client = client(&endpoint, "1000000000");
    for worker in &mut workers {
        worker.line("request");
    }
    let [left, killed] = workers;
    killed.kill();
    for _ in 0..10 {
        client.line("reply done");
    }
    first.kill();
    let (mut second, _) = broker(&endpoint);
    second.line("offers echo");
    for _ in 0..10 {
        client.line("reply done");
    }
    drop(left);
    assert_replies(&client.kill().lines);
}

#[test]
fn requests_wait_for_a_worker_of_their_service() {
    let (mut broker, endpoint) = broker(ANY);
    let context = Context::new();
    let client = context.socket(SocketType::Dealer).unwrap();
    client.connect(&endpoint).unwrap();
    client.send(["", "MDPC01", "echo", "early"]).unwrap();
    let _other = worker(&endpoint, "other");
    broker.line("offers other");
    assert!(client.try_recv().is_err());
    let _echo = worker(&endpoint, "echo");
    assert_eq!(client.recv_timeout(LONG).unwrap(), Message::from(["", "MDPC01", "echo", "done: early"]));
}

#[test]
fn the_frames_are_those_of_the_protocol() {
    let (_broker, endpoint) = broker(ANY);
    let context = Context::new();
    let worker = context.socket(SocketType::Dealer).unwrap();
    worker.connect(&endpoint).unwrap();
    worker.send(["", "MDPW01", "\x01", "echo"]).unwrap();
    let client = context.socket(SocketType::Req).unwrap();
    client.connect(&endpoint).unwrap();
    client.send(["MDPC01", "echo", "one", "two"]).unwrap();

    let heartbeat = Message::from(["", "MDPW01", "\x04"]);
    let from_broker = || std::iter::repeat_with(|| worker.recv_timeout(LONG).unwrap());
    let request = from_broker().find(|message| *message != heartbeat).unwrap();
    let mut frames: Vec<_> = request.into_iter().collect();
    assert_eq!(frames[..3], ["", "MDPW01", "\x02"]);
    assert_eq!(frames[4..], ["", "one", "two"]);
    frames[2] = "\x03".into();
    frames.truncate(5);
    frames.push("answer".into());
    worker.send(frames).unwrap();
    assert_eq!(client.recv_timeout(LONG).unwrap(), Message::from(["MDPC01", "echo", "answer"]));

    // A worker that says that it leaves is not known any more: what it says then is a fault.
    worker.send(["", "MDPW01", "\x05"]).unwrap();
    worker.send(["", "MDPW01", "\x04"]).unwrap();
    let disconnect = Message::from(["", "MDPW01", "\x05"]);
    assert_eq!(from_broker().find(|message| *message != heartbeat).unwrap(), disconnect);
}
