//! record, replay and proxy.

#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::{Place, Running, zx};
use predicates::str::contains;

#[test]
fn what_was_recorded_is_replayed_at_its_pace() {
    let place = Place::new();
    let file = place.folder.path().join("feed").to_str().unwrap().to_owned();
    let mut record = Running::start(&["record", "-o", &file, "-b", &place.endpoint, "-t", "a", "-n", "3"]);
    zx(&["pub", &place.endpoint, "--rate", "20"]).write_stdin("a1\nb\na2\na3\n").assert().success();
    assert_eq!(record.end(), Some(0));

    let start = Instant::now();
    let mut sub = Running::start(&["sub", &place.endpoint, "-n", "3"]);
    zx(&["replay", "-i", &file, "-b", &place.endpoint]).assert().success().stderr("");
    assert_eq!([sub.line_out(), sub.line_out(), sub.line_out()], ["a1", "a2", "a3"]);
    // a1 to a3 is three steps of 50 ms, of which the recording may have lost a little.
    assert!(start.elapsed() >= Duration::from_millis(100), "{:?}", start.elapsed());
    zx(&["record", "-o", &file, "-b", &place.endpoint])
        .assert()
        .code(1)
        .stderr(contains("--force replaces it"));
}

#[test]
fn a_torn_recording_is_replayed_up_to_its_last_whole_message() {
    let place = Place::new();
    let file = place.folder.path().join("tasks").to_str().unwrap().to_owned();
    let mut record =
        Running::start(&["record", "-o", &file, "-b", &place.endpoint, "--as", "pull", "-n", "2"]);
    zx(&["push", &place.endpoint, "-m", "one", "-m", "two"]).assert().success();
    assert_eq!(record.end(), Some(0));
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();

    let mut pull = Running::start(&["pull", "-b", &place.endpoint, "-n", "1"]);
    let replay = zx(&["replay", "-i", &file, &place.endpoint, "--as", "push", "--speed", "0"]).assert();
    replay.success().stderr(contains("ends inside a message (22 bytes), after 1 whole message"));
    assert_eq!((pull.line_out(), pull.end()), ("one".to_owned(), Some(0)));

    let other = place.file("other", "no recording\n");
    zx(&["replay", "-i", &other, &place.endpoint]).assert().code(1).stderr(contains("it is no recording"));
    zx(&["replay", "-i", "/nowhere", &place.endpoint])
        .assert()
        .code(1)
        .stderr(contains("cannot read /nowhere"));
}

/// A proxy between two endpoints of its own, and these.
fn proxy(kind: &str, flags: &[&str]) -> (Running, String, String) {
    let ends = ["-f", "tcp://127.0.0.1:*", "-b", "tcp://127.0.0.1:*"];
    let mut proxy = Running::start(&[&["proxy", kind], &ends[..], flags].concat());
    let (front, back) = (proxy.bound(), proxy.bound());
    (proxy, front, back)
}

#[test]
fn a_proxy_forwards_each_kind() {
    let (_proxy, front, back) = proxy("pubsub", &[]);
    let mut sub = Running::start(&["sub", &back, "-t", "a", "-n", "1"]);
    zx(&["pub", &front]).write_stdin("a\n").assert().success();
    assert_eq!(sub.line_out(), "a");

    let (_proxy, front, back) = proxy("reqrep", &[]);
    let _rep = Running::start(&["rep", &back, "--echo"]);
    zx(&["req", &front, "-m", "hello"]).assert().success().stdout("hello\n");

    let (_proxy, front, back) = proxy("pipeline", &[]);
    let mut pull = Running::start(&["pull", &back, "-n", "2"]);
    zx(&["push", &front, "-m", "one", "-m", "two"]).assert().success();
    assert_eq!([pull.line_out(), pull.line_out()], ["one", "two"]);
}

#[cfg(unix)]
#[test]
fn a_proxy_records_and_counts() {
    let place = Place::new();
    let file = place.folder.path().join("all").to_str().unwrap().to_owned();
    let (mut proxy, front, back) = proxy("pipeline", &["--capture", &file, "--stats", "50ms"]);
    let mut pull = Running::start(&["pull", &back, "-n", "2"]);
    zx(&["push", &front, "-m", "one", "-m", "two"]).assert().success();
    assert_eq!(pull.end(), Some(0));
    proxy.line_err("to the back");
    proxy.signal("INT");
    proxy.line_err("2 messages to the back, 0 messages to the front");
    assert_eq!(proxy.end(), Some(0));

    let mut pull = Running::start(&["pull", "-b", &place.endpoint, "-n", "2"]);
    zx(&["replay", "-i", &file, &place.endpoint, "--as", "push", "--speed", "0"]).assert().success();
    assert_eq!([pull.line_out(), pull.line_out()], ["one", "two"]);
}

#[test]
fn a_running_proxy_can_be_watched() {
    let place = Place::new();
    let (_proxy, front, back) = proxy("pipeline", &["--status", &place.endpoint]);
    let mut pull = Running::start(&["pull", &back]);
    zx(&["push", &front, "-m", "one", "-m", "two"]).assert().success();
    assert_eq!([pull.line_out(), pull.line_out()], ["one", "two"]);

    let reply = zx(&["req", &place.endpoint, "-m", "status"]).assert().success().get_output().stdout.clone();
    let status: serde_json::Value = serde_json::from_slice(&reply).unwrap();
    let back = &status["back"];
    assert_eq!((&status["front"]["received"], &back["sent"]), (&2.into(), &2.into()), "{status}");
    assert_eq!(
        (&back["peers"][0]["socket"], &back["peers"][0]["written"]),
        (&"PULL".into(), &2.into()),
        "{status}"
    );

    let screen = zx(&["top", &place.endpoint, "--once"]).assert().success();
    screen.stdout(contains("back: PUSH tcp://127.0.0.1:")).stdout(contains("PULL"));
    let echo = Place::new();
    let _echo = Running::start(&["rep", "-b", &echo.endpoint, "--echo"]);
    zx(&["top", &echo.endpoint, "--once"]).assert().code(1).stderr(contains("not a proxy"));
}

#[test]
fn a_proxy_needs_two_ends() {
    zx(&["proxy", "pubsub", "-f", "tcp://127.0.0.1:*"]).assert().code(1).stderr(contains("--back"));
    zx(&["proxy", "nonsense"]).assert().code(1).stderr(contains("pubsub"));
}
