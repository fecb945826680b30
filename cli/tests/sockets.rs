//! The socket commands, two at a time.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use common::{LIMIT, Place, Running, zx};
use predicates::str::{contains, starts_with};
use wait_timeout::ChildExt;

/// Runs `receiver` beside `sender`, which gets `input`. Returns what the receiver prints.
fn through(sender: &[&str], receiver: &[&str], input: &[u8]) -> Vec<u8> {
    let place = Place::new();
    let with = |arguments: &[&str], flag: &'static str| {
        let [command, rest @ ..] = arguments else { panic!("no command") };
        let mut all = vec![(*command).to_owned(), flag.to_owned(), place.endpoint.clone()];
        all.extend(rest.iter().map(|argument| (*argument).to_owned()));
        all
    };
    let receiver = with(receiver, "-b");
    let receiver = std::thread::spawn(move || {
        let arguments: Vec<&str> = receiver.iter().map(String::as_str).collect();
        zx(&arguments).assert().success().get_output().stdout.clone()
    });
    let sender = with(sender, "-c");
    let arguments: Vec<&str> = sender.iter().map(String::as_str).collect();
    zx(&arguments).write_stdin(input).assert().success();
    receiver.join().unwrap()
}

#[test]
fn each_line_is_a_message() {
    let out = through(&["push"], &["pull", "-n", "4"], b"one\n\nthree\nlast");
    assert_eq!(String::from_utf8(out).unwrap(), "one\n\nthree\nlast\n");
}

#[test]
fn every_byte_travels_as_hex_json_and_with_lengths() {
    let all: Vec<u8> = (0..=255).collect();
    let length = u32::try_from(all.len()).unwrap().to_be_bytes();
    let record = [&length[..], &all].concat();
    assert_eq!(through(&["push", "--len"], &["pull", "--len", "-n", "1"], &record), record);

    let hex = through(&["push", "--len"], &["pull", "--hex", "-n", "1"], &record);
    assert!(hex.starts_with(b"000102") && hex.ends_with(b"fdfeff\n"));
    assert_eq!(through(&["push", "--hex"], &["pull", "--len", "-n", "1"], &hex), record);

    let json = through(&["push", "--hex"], &["pull", "--json", "-n", "1"], &hex);
    assert_eq!(through(&["push", "--json"], &["pull", "--raw", "-n", "1"], &json), all);
    assert_eq!(through(&["push", "--raw"], &["pull", "--len", "-n", "1"], &all), record);
}

#[test]
fn frames_are_separated_as_asked() {
    let out = through(&["push", "--frames", " | "], &["pull", "-n", "1"], b"a | b |  | \n");
    assert_eq!(out, b"a\tb\t\t\n");
}

#[test]
fn a_publisher_waits_for_its_subscriber_whose_topics_filter() {
    let out = through(&["pub"], &["sub", "-t", "b", "-t", "d", "-n", "2"], b"b1\na\nc\nd\nb2\n");
    assert_eq!(out, b"b1\nd\n");
    let out = through(&["pub", "-t", "weather", "-m", "sunny"], &["sub", "-t", "weather", "-n", "1"], b"");
    assert_eq!(out, b"weather\tsunny\n");
}

#[test]
fn a_publisher_ends_when_its_subscriber_has_left_before_the_last_message() {
    let place = Place::new();
    let mut subscriber = Running::start(&["sub", "-b", &place.endpoint, "-n", "1"]);
    let line = [vec![b'x'; 100_000], vec![b'\n']].concat();
    zx(&["pub", &place.endpoint])
        .write_stdin(line.repeat(400))
        .assert()
        .success()
        .stderr(contains("that are gone"));
    assert_eq!(subscriber.end(), Some(0));
}

#[test]
fn a_message_without_a_subscriber_is_told() {
    let place = Place::new();
    let publish = ["pub", "-b", &place.endpoint, "--wait", "0", "-m", "hello"];
    zx(&publish).assert().code(0).stderr(contains("1 message sent without a subscriber"));
    let publish = ["pub", "-b", &place.endpoint, "--timeout", "50ms", "-m", "hello"];
    zx(&publish).assert().code(2).stderr(contains("0 of 1 subscribers are there; --wait 0"));
}

#[test]
fn requests_get_their_replies_in_order() {
    let place = Place::new();
    let mut server = Running::start(&["rep", "-b", &place.endpoint, "--exec", "tr a-z A-Z", "-n", "3"]);
    let request = zx(&["req", &place.endpoint]).write_stdin("one\ntwo").assert();
    request.success().stdout("ONE\nTWO\n");
    zx(&["req", &place.endpoint, "-m", "three", "--json"])
        .assert()
        .success()
        .stdout(contains(r#"["THREE"]"#));
    assert_eq!([server.line_out(), server.line_out(), server.line_out()], ["one", "two", "three"]);
    assert_eq!(server.end(), Some(0));
}

#[test]
fn replies_can_be_typed_given_or_the_request() {
    let place = Place::new();
    let mut server = Running::start(&["rep", "-b", &place.endpoint]);
    server.line_in("typed");
    zx(&["req", &place.endpoint, "-m", "a"]).assert().success().stdout("typed\n");
    server.close_input();
    zx(&["req", &place.endpoint, "-m", "b", "--timeout", "10ms"]).assert().code(2);
    server.line_err("standard input has ended");
    assert_eq!(server.end(), Some(1));
    for (how, reply) in [(&["--echo"][..], "a\n"), (&["-m", "fine"], "fine\n")] {
        let arguments = [&["rep", "-b", &place.endpoint, "-n", "1"], how].concat();
        let mut server = Running::start(&arguments);
        zx(&["req", &place.endpoint, "-m", "a"]).assert().success().stdout(reply);
        assert_eq!(server.end(), Some(0));
    }
}

#[test]
fn a_router_names_its_peers_in_the_first_frame() {
    let place = Place::new();
    let mut router = Running::start(&["router", "-b", &place.endpoint, "--json"]);
    let mut dealer =
        Running::start(&["dealer", &place.endpoint, "--opt", "ROUTING_ID=w1", "-m", "hi", "-n", "1"]);
    let received = router.line_out();
    assert!(received.ends_with(r#""frames":["w1","hi"]}"#), "{received}");
    router.line_in(r#"{"frames":["nobody","hello"]}"#);
    router.line_err("no peer with routing id \"nobody\"");
    router.line_in(r#"{"frames":["w1","hello"]}"#);
    assert_eq!(dealer.line_out(), "hello");
    assert_eq!(dealer.end(), Some(0));
    router.line_in("nonsense");
    router.line_err("input, line 3: ");
    assert_eq!(router.end(), Some(1));
}

#[test]
fn both_ends_of_a_pair_talk() {
    for command in ["pair", "channel"] {
        let place = Place::new();
        let mut left = Running::start(&[command, "-b", &place.endpoint]);
        let mut right = Running::start(&[command, &place.endpoint]);
        left.line_in("from left");
        right.line_in("from right");
        assert_eq!([left.line_out(), right.line_out()], ["from right", "from left"], "{command}");
    }
}

#[test]
fn a_server_replies_to_a_number() {
    let place = Place::new();
    let mut server = Running::start(&["server", "-b", &place.endpoint]);
    let mut client = Running::start(&["client", &place.endpoint, "-m", "hi", "-n", "1"]);
    let line = server.line_out();
    let (number, text) = line.split_once('\t').unwrap();
    assert_eq!(text, "hi");
    server.line_in(&format!("{number}\thello"));
    assert_eq!(client.line_out(), "hello");
    assert_eq!(client.end(), Some(0));
    server.line_in("hello");
    server.line_err("write NUMBER, a tab and the message");
    assert_eq!(server.end(), Some(1));
}

#[test]
fn groups_are_joined_and_named() {
    let out = through(&["radio"], &["dish", "-g", "b", "-g", "c", "-n", "2"], b"b\tone\na\ttwo\nc\tthree\n");
    assert_eq!(out, b"b\tone\nc\tthree\n");
    let out = through(&["radio", "-g", "b", "-m", "x\ty"], &["dish", "-g", "b", "-n", "1", "--json"], b"");
    assert!(String::from_utf8(out).unwrap().ends_with("\"group\":\"b\",\"frames\":[\"x\\ty\"]}\n"));
}

#[test]
fn work_is_scattered_and_subscriptions_are_seen() {
    assert_eq!(through(&["scatter"], &["gather", "-n", "2"], b"1\n2\n"), b"1\n2\n");
    let place = Place::new();
    let mut xpub = Running::start(&["xpub", "-b", &place.endpoint, "--hex"]);
    let mut xsub = Running::start(&["xsub", &place.endpoint, "-t", "ab", "-n", "1"]);
    assert_eq!(xpub.line_out(), "016162");
    xpub.line_in("616263");
    assert_eq!(xsub.line_out(), "abc");
}

#[test]
fn a_stream_shows_bytes() {
    use std::io::Write;
    let mut stream = Running::start(&["stream", "-b", "tcp://127.0.0.1:*", "--hex"]);
    let endpoint = stream.bound();
    let mut peer = std::net::TcpStream::connect(endpoint.trim_start_matches("tcp://")).unwrap();
    let (id, _) =
        stream.line_out().split_once(',').map(|(id, rest)| (id.to_owned(), rest.to_owned())).unwrap();
    peer.write_all(b"GET").unwrap();
    assert_eq!(stream.line_out(), format!("{id},474554"));
}

#[test]
fn several_endpoints_are_used() {
    let (one, two) = (Place::new(), Place::new());
    let mut pull = Running::start(&["pull", "-c", &one.endpoint, "-c", &two.endpoint, "-n", "2"]);
    zx(&["push", "-b", &one.endpoint, "-m", "same"]).assert().success();
    zx(&["push", "-b", &two.endpoint, "-m", "same"]).assert().success();
    assert_eq!([pull.line_out(), pull.line_out()], ["same", "same"]);
    assert_eq!(pull.end(), Some(0));
}

#[test]
fn a_rate_and_a_count_hold() {
    let start = std::time::Instant::now();
    let out = through(&["push", "-m", "tick", "-n", "6", "--rate", "100"], &["pull", "-n", "6"], b"");
    assert_eq!(out, b"tick\n".repeat(6));
    assert!(start.elapsed().as_millis() >= 50);
}

#[test]
fn a_timeout_is_exit_code_2_and_says_why() {
    let refused = zx(&["sub", "tcp://127.0.0.1:1", "--timeout", "200ms"]).assert();
    refused.code(2).stderr(
        contains("connection refused; trying again").and_contains("no message for this SUB in 200 ms"),
    );
    let unsent = zx(&["push", "tcp://127.0.0.1:1", "-m", "x", "--timeout", "100ms", "-q"]).assert();
    unsent.code(2).stderr("zx: 1 message not sent in time\n");
    zx(&["req", "tcp://127.0.0.1:1", "-m", "x", "--timeout", "100ms"])
        .assert()
        .code(2)
        .stderr(contains("no reply in 100 ms"));
}

/// `contains(a)` and `contains(b)`.
trait Also {
    fn and_contains(self, part: &'static str) -> impl predicates::Predicate<str>;
}

impl<P: predicates::Predicate<str>> Also for P {
    fn and_contains(self, part: &'static str) -> impl predicates::Predicate<str> {
        predicates::prelude::PredicateBooleanExt::and(self, contains(part))
    }
}

#[test]
fn a_wrong_command_line_is_exit_code_1_and_says_what_to_do() {
    for (arguments, text) in [
        (&["sub"][..], "no endpoint: give tcp://HOST:PORT"),
        (&["sub", "localhost:5556"], "write \"tcp://localhost:5556\""),
        (&["push", "-c", "tcp://*:5", "-m", "x"], "\"*\" is for bind"),
        (&["pull", "-b", "tcp://127.0.0.1"], "no port"),
        (&["sub", "tcp://h:1", "--opt", "RCVHMW=1"], "did you mean RCVHWM?"),
        (&["sub", "tcp://h:1", "--opt", "RCVHWM"], "NAME=VALUE"),
        (&["sub", "tcp://h:1", "--opt", "RCVHWM=many"], "write a whole number"),
        (&["sub", "tcp://h:1", "--opt", "ROUTER_MANDATORY=on"], "SUB sockets do not have it"),
        (&["sub", "tcp://h:1", "--opt", "TYPE=SUB"], "can only be read"),
        (&["sub", "tcp://h:1", "--server-key", "nonsense"], "zx keygen"),
        (&["sub", "tcp://h:1", "--timeout", "soon"], "250ms"),
        (&["sub", "tcp://h:1", "-n", "0"], "1.."),
        (&["dish", "tcp://h:1"], "--group"),
        (&["nope"], "unrecognized subcommand"),
        (&[], "Usage"),
    ] {
        zx(arguments).assert().code(1).stdout("").stderr(contains(text));
    }
    zx(&["--version"]).assert().code(0).stdout(starts_with("zx "));
    zx(&["sub", "--help"]).assert().code(0).stdout(contains("Examples:"));
}

#[test]
fn both_names_are_one_command() {
    let mut zeroxide = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("zeroxide"));
    zeroxide.arg("--help").assert().success().stdout(contains("Publish each line"));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_well_with_the_totals() {
    for signal in ["INT", "TERM"] {
        let mut sub = Running::start(&["sub", "-b", "tcp://127.0.0.1:*"]);
        let endpoint = sub.bound();
        zx(&["pub", &endpoint, "-m", "hello"]).assert().success();
        assert_eq!(sub.line_out(), "hello");
        sub.signal(signal);
        sub.line_err("received 1 message (5 bytes) in ");
        assert_eq!(sub.end(), Some(0), "{signal}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_sender_that_waits_and_names_what_is_lost() {
    let mut push = Running::start(&["push", "tcp://127.0.0.1:1", "-m", "x"]);
    push.line_err("1 message waiting to be sent");
    push.signal("INT");
    push.line_err("1 message not sent");
    assert_eq!(push.end(), Some(1));
}

/// `zx sub | head -1` ends with head, not with the next message.
#[cfg(unix)]
#[test]
fn an_output_that_nobody_reads_ends_the_command_quietly() {
    let place = Place::new();
    let mut sub = Command::new(assert_cmd::cargo::cargo_bin!("zx"));
    sub.args(["sub", "-b", &place.endpoint]).stdout(Stdio::piped());
    let mut sub = sub.spawn().unwrap();
    let mut out = BufReader::new(sub.stdout.take().unwrap());
    zx(&["pub", &place.endpoint, "-m", "hello"]).assert().success();
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    drop(out);
    let ended = sub.wait_timeout(LIMIT).unwrap();
    sub.kill().unwrap_or_default();
    assert_eq!((line.as_str(), ended.and_then(|status| status.code())), ("hello\n", Some(0)));
}
