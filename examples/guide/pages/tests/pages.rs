//! The programs of the pages to look things up, as processes.
#![allow(clippy::unwrap_used)] // a test's helpers

use guide_running::{ANY, Program};

#[test]
fn four_surprises_are_what_the_page_says() {
    let ended = Program::start(env!("CARGO_BIN_EXE_surprises"), &[]).end();
    assert!(ended.success);
    assert!(ended.has("1. connect has returned"));
    assert!(ended.has("status: REQ: connecting tcp://127.0.0.1:1"), "{:?}", ended.lines);
    assert!(ended.has("connect_ready: tcp://127.0.0.1:1 not ready after 100 ms: "), "{:?}", ended.lines);
    assert!(ended.has("2. received: [\"in time\"]"), "{:?}", ended.lines);
    assert!(ended.has("published without a subscriber: 1"), "{:?}", ended.lines);
    assert!(ended.has("3. dropped at the end: 1"), "{:?}", ended.lines);
    assert!(ended.has("4. frames that were too large: 1"), "{:?}", ended.lines);
    assert!(ended.has("frame 2000 > MAXMSGSIZE 1024; raise opt::MAXMSGSIZE"), "{:?}", ended.lines);
}

#[test]
fn a_publisher_that_waits_for_its_subscriber_loses_nothing() {
    let ended = Program::start(env!("CARGO_BIN_EXE_slow_joiner"), &[]).end();
    assert!(ended.success);
    let (missed, received) = ended.after("at once:").trim().split_once(" of 1000 missed, ").unwrap();
    let received = received.strip_suffix(" received").unwrap();
    assert_eq!(missed.parse::<u32>().unwrap() + received.parse::<u32>().unwrap(), 1000);
    assert_eq!(ended.after("wait_for_subscribers: "), "1000 of 1000 received");
    assert_eq!(ended.after("XPUB: ").trim(), "1000 of 1000 received");
}

/// A public and a secret key, as `secure_client` makes them.
fn keys() -> (String, String) {
    let ended = Program::start(env!("CARGO_BIN_EXE_secure_client"), &[]).end();
    (ended.after("public ").to_owned(), ended.after("secret ").to_owned())
}

#[test]
fn a_secure_server_serves_the_clients_whose_keys_it_knows() {
    let (known, secret) = keys();
    let mut server = Program::start(env!("CARGO_BIN_EXE_secure_server"), &[ANY, &known]);
    let (at, key) = (server.line("bound "), server.line("key "));
    let client = |arguments: &[&str]| Program::start(env!("CARGO_BIN_EXE_secure_client"), arguments).end();

    let ended = client(&[&secret, &key, &at]);
    assert_eq!((ended.success, ended.after("reply ")), (true, "\"this is secret\""));
    let unknown = client(&[&keys().1, &key, &at]);
    assert_eq!((unknown.code, unknown.count("400")), (Some(1), 1), "{:?}", unknown.lines);
    let wrong_server = client(&[&secret, &known, &at]);
    assert_eq!(wrong_server.code, Some(1));
    assert!(wrong_server.has("most often the server key is not this server's"), "{:?}", wrong_server.lines);

    let served = server.kill();
    assert_eq!(served.after("received "), format!("\"a secret, please\" from {known}"));
    assert_eq!(served.count("received "), 1);
}

/// A text with `#` for each run of digits: ports and times differ.
fn without_numbers(text: &str) -> String {
    let mut runs: Vec<&str> = text.split(|c: char| c.is_ascii_digit()).collect();
    runs.dedup_by(|a, b| a.is_empty() && b.is_empty());
    runs.join("#")
}

#[test]
fn each_text_of_the_page_on_errors_is_one_that_a_program_has_got() {
    const PAGE: &str = include_str!("../../../../docs/guide/src/pages/errors.md");
    let ended = Program::start(env!("CARGO_BIN_EXE_errors"), &[]).end();
    assert!(ended.success, "{:?}", ended.lines);
    let mut got: Vec<String> = ended.lines.iter().map(|line| without_numbers(line)).collect();
    let texts = PAGE.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let mut listed: Vec<String> = texts.map(|(text, _)| without_numbers(text)).collect();
    assert!(listed.len() > 20, "{listed:#?}");
    got.sort();
    listed.sort();
    assert_eq!(listed, got);
}
