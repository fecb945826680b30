//! The three models of freelance with servers that are killed, or hang.
#![cfg(unix)]

use guide_running::{ANY, Program};

/// Milliseconds that no test waits.
const NEVER: &str = "600000";
const ENDLESS: &str = "1000000000";

fn server(endpoint: &str) -> (Program, String) {
    let mut server = Program::start(env!("CARGO_BIN_EXE_lazy_server"), &[endpoint]);
    let bound = server.line("bound ");
    (server, bound)
}

/// Ends a client, whose replies must be those of its requests, each once and in order.
#[track_caller]
fn assert_replies(client: Program) {
    let ended = client.kill();
    let replies: Vec<&str> = ended.lines.iter().filter_map(|line| line.strip_prefix("reply ")).collect();
    let expected: Vec<String> = (1..=replies.len()).map(|number| format!("done: {number}")).collect();
    assert_eq!(replies, expected);
}

#[test]
fn model_1_asks_the_next_server_when_one_does_not_reply() {
    let ((first, one), (mut second, two)) = (server(ANY), server(ANY));
    first.kill();
    // Long enough for the server that lives, on a machine that is busy.
    let client = Program::start(env!("CARGO_BIN_EXE_freelance1_client"), &["1000", "1", &one, &two]);
    second.line("request 1");
    let ended = client.end();
    assert_eq!((ended.success, ended.count("server 0 does not reply")), (true, 1));
    assert_eq!(ended.after("reply "), "done: 1");
    second.kill();
    let ended = Program::start(env!("CARGO_BIN_EXE_freelance1_client"), &["50", "1", &one, &two]).end();
    assert_eq!(
        (ended.success, ended.count("does not reply"), ended.count("no server replies")),
        (false, 2, 1)
    );
}

#[test]
fn model_2_takes_the_first_reply_and_does_not_wait_for_a_server_that_hangs() {
    let ((mut first, one), (mut second, two)) = (server(ANY), server(ANY));
    let program = env!("CARGO_BIN_EXE_freelance2_client");
    let mut client = Program::start(program, &[NEVER, ENDLESS, &one, &two]);
    // Both are asked the same.
    first.line("request 10");
    second.line("request 10");
    first.stop();
    for _ in 0..10 {
        client.line("reply ");
    }
    second.kill();
    first.resume();
    for _ in 0..10 {
        client.line("reply ");
    }
    assert_replies(client);
}

#[test]
fn model_3_knows_by_heartbeats_that_a_server_hangs_or_is_gone() {
    let ((mut first, one), (mut second, two)) = (server(ANY), server(ANY));
    let program = env!("CARGO_BIN_EXE_freelance3_client");
    let mut client = Program::start(program, &["50", ENDLESS, &one, &two]);
    first.line("request 10");
    first.stop();
    client.line("server 0 is lost");
    second.line("request");
    client.line("reply ");
    second.kill();
    client.line("no server lives");
    first.resume();
    for _ in 0..10 {
        client.line("reply ");
    }
    assert_replies(client);
}
