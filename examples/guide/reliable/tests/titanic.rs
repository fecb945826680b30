//! Titanic as processes. Whoever is killed: each request that was stored is done, and its reply fetched once.
#![cfg(unix)]

use std::path::PathBuf;

use guide_running::{ANY, Program};

const BEAT: &str = "50";
const REQUESTS: usize = 30;

/// The file of one titanic, removed when the test ends.
struct File(PathBuf);

impl File {
    fn new() -> File {
        File(std::env::temp_dir().join(format!("zeroxide-titanic-{}.redb", std::process::id())))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn broker(endpoint: &str) -> (Program, String) {
    let mut broker = Program::start(env!("CARGO_BIN_EXE_mdp_broker"), &[endpoint, BEAT]);
    let bound = broker.line("bound ");
    (broker, bound)
}

fn worker(broker: &str) -> Program {
    Program::start(env!("CARGO_BIN_EXE_mdp_worker"), &[broker, "echo", BEAT])
}

fn titanic(broker: &str, file: &File) -> Program {
    Program::start(env!("CARGO_BIN_EXE_titanic"), &[broker, &file.0.to_string_lossy(), BEAT])
}

#[test]
fn no_stored_request_is_lost_or_doubled_whoever_is_killed() {
    let file = File::new();
    let (first_broker, endpoint) = broker(ANY);
    let first = titanic(&endpoint, &file);
    let requests = REQUESTS.to_string();
    let mut client =
        Program::start(env!("CARGO_BIN_EXE_titanic_client"), &[&endpoint, "echo", &requests, "200"]);

    // While requests are stored: titanic and the broker.
    client.line("stored 10");
    first.kill();
    let second = titanic(&endpoint, &file);
    client.line("stored 20");
    first_broker.kill();
    let (second_broker, _) = broker(&endpoint);
    client.line(&format!("stored {REQUESTS}"));

    // Before any of them is done, and while they are done: titanic, a worker and the broker.
    second.kill();
    let mut third = titanic(&endpoint, &file);
    assert_eq!(third.line(""), format!("{REQUESTS} requests and 0 replies in the file"));
    let mut first_worker = worker(&endpoint);
    first_worker.line("request");
    third.line("done");
    third.kill();
    let mut fourth = titanic(&endpoint, &file);
    fourth.line("done");
    first_worker.kill();
    let _second_worker = worker(&endpoint);
    fourth.line("done");
    second_broker.kill();
    let (_third_broker, _) = broker(&endpoint);

    let ended = client.end();
    let mut replies: Vec<&str> =
        ended.lines.iter().filter_map(|line| line.strip_prefix("reply to ")).collect();
    let mut expected: Vec<String> =
        (1..=REQUESTS).map(|number| format!("{number}: done: {number}")).collect();
    replies.sort_unstable();
    expected.sort_unstable();
    assert_eq!(replies, expected);

    // All are closed, so nothing is left.
    fourth.kill();
    let mut fifth = titanic(&endpoint, &file);
    assert_eq!(fifth.line(""), "0 requests and 0 replies in the file");
}
