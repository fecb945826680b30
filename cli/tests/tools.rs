//! doctor, monitor, keygen, completions and man.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::Write;
use std::net::TcpListener;

use common::{Place, Running, zx};
use predicates::prelude::PredicateBooleanExt;
use predicates::str::contains;

/// What the doctor prints about an endpoint, and its exit code.
fn doctor(endpoint: &str, flags: &[&str]) -> (String, i32) {
    let output = zx(&[&["doctor", endpoint], flags].concat()).output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    (String::from_utf8(output.stdout).unwrap(), output.status.code().unwrap())
}

#[track_caller]
fn fails(endpoint: &str, flags: &[&str], step: &str, why: &str) {
    let (text, code) = doctor(endpoint, flags);
    let last = text.lines().last().unwrap();
    assert!(last.starts_with(&format!("FAIL  {step}")) && last.contains(why), "{text}");
    assert_eq!(code, 1, "{text}");
}

#[test]
fn the_doctor_names_the_peer_and_measures() {
    for (command, name) in
        [("rep", "REP"), ("router", "ROUTER"), ("pull", "PULL"), ("sub", "SUB"), ("xpub", "XPUB")]
    {
        let mut server = Running::start(&[command, "-b", "tcp://127.0.0.1:*"]);
        let (text, code) = doctor(&server.bound(), &[]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines.len(), code), (6, 0), "{text}");
        assert!(lines[2].contains("ZMTP 3.1") && lines[4].ends_with(&format!("peer is {name}")), "{text}");
        assert!(lines[5].starts_with("ok    round trip") && lines[5].ends_with(" ms"), "{text}");
    }
}

#[test]
fn the_doctor_takes_no_work_from_a_peer() {
    let mut push = Running::start(&["push", "-b", "tcp://127.0.0.1:*", "-m", "task"]);
    let endpoint = push.bound();
    let (text, code) = doctor(&endpoint, &[]);
    assert!(text.contains("peer is PUSH") && code == 0, "{text}");
    zx(&["pull", &endpoint, "-n", "1"]).assert().success().stdout("task\n");
    assert_eq!(push.end(), Some(0));
}

#[test]
fn the_doctor_says_what_is_wrong_and_what_to_do() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    fails(&format!("tcp://{closed}"), &[], "connect", "connection refused: no program listens there");
    fails("tcp://no-such-host.invalid:5", &[], "address", "is the name right");
    let place = Place::new();
    fails(&place.endpoint, &[], "connect", "no such file");
    zx(&["doctor", "localhost:5"]).assert().code(1).stderr(contains("tcp://localhost:5"));
    zx(&["doctor", "tcp://h:5", "--as", "FOO"]).assert().code(1).stderr(contains("no socket type"));
}

#[test]
fn the_doctor_knows_what_does_not_speak_zmtp() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"SSH-2.0-OpenSSH\r\n").unwrap();
        listener
    });
    fails(&endpoint, &[], "greeting", "an SSH server; is the port right?");
    // Whoever accepts and is silent is found out by the limit.
    let _listener = server.join().unwrap();
    let (text, code) = doctor(&endpoint, &["--timeout", "100ms"]);
    assert!(text.contains("FAIL  greeting    peer sent no greeting in 100ms") && code == 2, "{text}");
}

#[test]
fn the_doctor_asks_for_what_is_missing() {
    let place = Place::new();
    let name = |name: &str| place.folder.path().join(name).to_str().unwrap().to_owned();
    zx(&["keygen", &name("server")]).assert().success();
    zx(&["keygen", &name("other")]).assert().success();
    let secret = name("server.key_secret");
    let flags = ["--echo", "--curve-server", "--key", &secret, "--any-client"];
    let _server = Running::start(&[&["rep", "-b", &place.endpoint], &flags[..]].concat());
    let with = |key: &str| ["--server-key".to_owned(), name(key)];
    // The socket may not be there yet.
    zx(&["req", &place.endpoint, "-m", "x", "--server-key", &name("server.key")]).assert().success();

    fails(&place.endpoint, &[], "mechanism", "peer wants CURVE, we offered NULL: give --server-key");
    let right = with("server.key");
    let (text, code) = doctor(&place.endpoint, &[&right[0], &right[1]]);
    assert!(text.contains("peer is REP") && code == 0, "{text}");
    let wrong = with("other.key");
    fails(&place.endpoint, &[&wrong[0], &wrong[1]], "handshake", "server key is not this server's");
}

#[test]
fn the_doctor_compares_types() {
    let mut server = Running::start(&["pub", "-b", "tcp://127.0.0.1:*"]);
    let endpoint = server.bound();
    fails(&endpoint, &["--as", "req"], "type", "REQ does not talk to PUB; use SUB, XSUB");
    assert!(doctor(&endpoint, &["--as", "sub"]).0.contains("SUB talks to PUB"));
}

#[test]
fn events_are_printed_as_they_come() {
    let mut server = Running::start(&["rep", "-b", "tcp://127.0.0.1:*"]);
    let endpoint = server.bound();
    let shown = zx(&["monitor", &endpoint, "-n", "3"]).assert().success();
    shown.stdout(contains("connecting")).stdout(contains(format!("{endpoint}: peer is there\n")));
    let shown = zx(&["monitor", &endpoint, "-n", "3", "--json"]).assert().success();
    shown.stdout(contains(r#""event":"HandshakeSucceeded","#));
    zx(&["monitor", &endpoint, "--timeout", "200ms"]).assert().code(2);
}

#[test]
fn keys_are_printed_or_written_once_for_their_owner_alone() {
    zx(&["keygen"]).assert().success().stdout(contains("public-key = ").and(contains("secret-key = ")));
    let place = Place::new();
    let name = place.folder.path().join("k").to_str().unwrap().to_owned();
    zx(&["keygen", &name]).assert().success();
    let secret = std::fs::read_to_string(format!("{name}.key_secret")).unwrap();
    assert!(!std::fs::read_to_string(format!("{name}.key")).unwrap().contains("secret-key"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(format!("{name}.key_secret")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    zx(&["keygen", &name]).assert().code(1).stderr(contains("--force"));
    assert_eq!(std::fs::read_to_string(format!("{name}.key_secret")).unwrap(), secret);
    zx(&["keygen", &name, "--force"]).assert().success();
    assert_ne!(std::fs::read_to_string(format!("{name}.key_secret")).unwrap(), secret);
}

#[test]
fn completions_and_pages_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        zx(&["completions", shell]).assert().success().stdout(contains("doctor"));
    }
    zx(&["man"]).assert().success().stdout(contains(".TH zx 1").and(contains("doctor")));
    zx(&["man", "sub"]).assert().success().stdout(contains("topic"));
    zx(&["man", "nope"]).assert().code(1).stderr(contains("zx --help"));
    let place = Place::new();
    let folder = place.folder.path().join("pages");
    zx(&["man", "--dir", folder.to_str().unwrap()]).assert().success();
    let page = std::fs::read_to_string(folder.join("zx-sub.1")).unwrap();
    assert!(page.contains("topic"));
    // Each example has a line of its own.
    let (_, examples) = page.split_once(".SH EXAMPLES\n.nf\n").unwrap();
    assert!(examples.lines().all(|line| line == ".fi" || line.starts_with("  zx sub ")), "{examples}");
    assert!(!folder.join("zx-bench-peer.1").exists(), "a hidden command");
}

#[test]
fn top_says_that_no_proxy_is_there() {
    let place = Place::new();
    zx(&["top", &place.endpoint]).assert().code(2).stderr(contains("--status").and(contains("zx doctor")));
}
