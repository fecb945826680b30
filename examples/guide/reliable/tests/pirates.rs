//! The pirates as processes: servers, queues and workers are killed, stopped and started again, and clients go on.
#![cfg(unix)]

use guide_running::{ANY, Program};

/// More tries than any of these tests needs.
const MANY: &str = "1000";
/// A number of requests that no test sees the end of.
const ENDLESS: &str = "1000000000";

fn lazy_server(endpoint: &str) -> (Program, String) {
    let mut server = Program::start(env!("CARGO_BIN_EXE_lazy_server"), &[endpoint]);
    let bound = server.line("bound ");
    (server, bound)
}

fn lazy_client(server: &str, limit: &str, tries: &str, requests: &str) -> Program {
    Program::start(env!("CARGO_BIN_EXE_lazy_client"), &[server, limit, tries, requests])
}

/// A queue and its endpoints for clients and for workers.
fn queue(path: &str, clients: &str, workers: &str) -> (Program, String, String) {
    let mut queue = Program::start(path, &[clients, workers, BEAT]);
    let [clients, workers] = [queue.line("bound "), queue.line("bound ")];
    let endpoint = |line: String| line.split(' ').next().unwrap_or_default().to_owned();
    (queue, endpoint(clients), endpoint(workers))
}

fn simple_queue(clients: &str, workers: &str) -> (Program, String, String) {
    queue(env!("CARGO_BIN_EXE_simple_queue"), clients, workers)
}

fn paranoid_queue(clients: &str, workers: &str) -> (Program, String, String) {
    queue(env!("CARGO_BIN_EXE_paranoid_queue"), clients, workers)
}

/// Milliseconds between two heartbeats.
const BEAT: &str = "50";

fn paranoid_worker(queue: &str) -> Program {
    Program::start(env!("CARGO_BIN_EXE_paranoid_worker"), &[queue, BEAT])
}

fn simple_worker(queue: &str) -> Program {
    Program::start(env!("CARGO_BIN_EXE_simple_worker"), &[queue])
}

/// Ends a client, whose replies must be those of its requests, each once and in order; there are at least `least`.
#[track_caller]
fn assert_replies(client: Program, least: usize) {
    let ended = client.kill();
    let replies: Vec<&str> = ended.lines.iter().filter_map(|line| line.strip_prefix("reply ")).collect();
    let expected: Vec<String> = (1..=replies.len()).map(|number| format!("done: {number}")).collect();
    assert_eq!(replies, expected);
    assert!(replies.len() >= least, "{}", replies.len());
}

#[test]
fn a_lazy_client_gives_up_after_its_tries() {
    let (server, endpoint) = lazy_server(ANY);
    server.kill();
    let ended = lazy_client(&endpoint, "20", "3", "1").end();
    assert_eq!((ended.code, ended.count("not sent"), ended.count("gave up after 3 tries")), (Some(1), 3, 1));
}

#[test]
fn a_lazy_client_survives_a_server_that_is_killed_and_started_again() {
    let (mut server, endpoint) = lazy_server(ANY);
    let mut client = lazy_client(&endpoint, "100", MANY, ENDLESS);
    server.line("request 100");
    server.kill();
    client.line("not sent: no server");
    let (mut server, _) = lazy_server(&endpoint);
    server.line("request");
    client.line("reply done");
    assert_replies(client, 100);
}

#[test]
fn a_lazy_client_takes_no_late_reply_for_the_reply_to_another_request() {
    let (mut server, endpoint) = lazy_server(ANY);
    let mut client = lazy_client(&endpoint, "100", MANY, ENDLESS);
    server.line("request 10");
    // It has the request, or receives it when it goes on; either way it replies when nobody waits any more.
    server.stop();
    client.line("was sent: no reply");
    client.line("no");
    server.resume();
    for _ in 0..10 {
        client.line("reply done");
    }
    assert_replies(client, 10);
}

#[test]
fn a_simple_queue_goes_on_with_the_workers_that_are_left() {
    let (mut queue, clients, workers) = simple_queue(ANY, ANY);
    let mut team: Vec<Program> = (0..3).map(|_| simple_worker(&workers)).collect();
    let mut client = lazy_client(&clients, "100", MANY, ENDLESS);
    for mut worker in team.drain(1..) {
        worker.line("request");
        worker.kill();
    }
    team[0].line("request");
    queue.line("is free");
    for _ in 0..100 {
        client.line("reply done");
    }
    assert_replies(client, 100);
}

#[test]
fn a_simple_queue_that_is_started_again_has_no_workers() {
    let (mut queue, clients, workers) = simple_queue(ANY, ANY);
    let _worker = simple_worker(&workers);
    queue.line("is free");
    queue.kill();
    let _queue = simple_queue(&clients, &workers);
    // Its worker has connected again, and waits for a request.
    let ended = lazy_client(&clients, "100", "3", "1").end();
    assert_eq!((ended.code, ended.count("no reply") + ended.count("no server")), (Some(1), 3));
}

#[test]
fn a_paranoid_queue_that_is_started_again_gets_its_workers_back() {
    let (mut queue, clients, workers) = paranoid_queue(ANY, ANY);
    let mut worker = paranoid_worker(&workers);
    let mut client = lazy_client(&clients, "100", MANY, ENDLESS);
    queue.line("is free");
    client.line("reply done");
    queue.kill();
    worker.line("queue is silent");
    let (mut queue, _, _) = paranoid_queue(&clients, &workers);
    queue.line("is free");
    client.line("no");
    client.line("reply done");
    assert_replies(client, 2);
}

#[test]
fn a_paranoid_queue_notices_a_worker_that_hangs_and_takes_it_back() {
    let (mut queue, clients, workers) = paranoid_queue(ANY, ANY);
    let mut hanging = paranoid_worker(&workers);
    queue.line("is free");
    hanging.stop();
    queue.line("is silent");
    let mut other = paranoid_worker(&workers);
    let mut client = lazy_client(&clients, "1000", MANY, ENDLESS);
    other.line("request 1");
    hanging.resume();
    hanging.line("request");
    client.line("reply done");
    assert_replies(client, 1);
}
