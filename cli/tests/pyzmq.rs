//! The command and pyzmq, both ways. `cargo run -p interop` sets the Python up; `cargo xtask test` says when there is none.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::PathBuf;
use std::process::Command;

use common::{Place, Running, zx};
use predicates::str::contains;

/// A program in Python beside the test.
fn python(program: &str, arguments: &[&str]) -> Running {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target"));
    let bin = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
    let program = format!("import sys, zmq\nctx = zmq.Context()\n{program}");
    Running::of(
        Command::new(target.join("peers/pyzmq/venv").join(bin)).args(["-u", "-c", &program]).args(arguments),
    )
}

#[test]
fn a_subscriber_of_pyzmqs_publisher() {
    let place = Place::new();
    let publish = "s = ctx.socket(zmq.XPUB); s.connect(sys.argv[1]); s.recv()\n\
                   for m in [b'a', b'b\\xff', b'c']: s.send_multipart([b'weather', m])\n\
                   s.send(b'other')";
    let mut sub = Running::start(&["sub", "-b", &place.endpoint, "-t", "weather", "-n", "3", "--json"]);
    let _publisher = python(publish, &[&place.endpoint]);
    let lines = [sub.line_out(), sub.line_out(), sub.line_out()];
    for (line, frame) in lines.iter().zip([r#""a""#, r#"{"hex":"62ff"}"#, r#""c""#]) {
        assert!(line.ends_with(&format!(r#""frames":["weather",{frame}]}}"#)), "{line}");
    }
    assert_eq!(sub.end(), Some(0));
}

#[test]
fn a_publisher_to_pyzmqs_subscriber() {
    let place = Place::new();
    let subscribe =
        "s = ctx.socket(zmq.SUB); s.bind(sys.argv[1]); s.subscribe(b'w')\nprint(s.recv_multipart())";
    let mut subscriber = python(subscribe, &[&place.endpoint]);
    zx(&["pub", &place.endpoint, "-t", "weather", "-m", "sunny"]).assert().success();
    assert_eq!(subscriber.line_out(), "[b'weather', b'sunny']");
}

#[test]
fn requests_both_ways() {
    let place = Place::new();
    let serve = "s = ctx.socket(zmq.REP); s.bind(sys.argv[1])\nwhile True: s.send(s.recv().upper())";
    let _server = python(serve, &[&place.endpoint]);
    zx(&["req", &place.endpoint]).write_stdin("one\ntwo\n").assert().success().stdout("ONE\nTWO\n");

    let place = Place::new();
    let ask = "s = ctx.socket(zmq.REQ); s.connect(sys.argv[1]); s.send(b'hello'); print(s.recv())";
    let _server = Running::start(&["rep", "-b", &place.endpoint, "--exec", "tr a-z A-Z"]);
    assert_eq!(python(ask, &[&place.endpoint]).line_out(), "b'HELLO'");
}

#[test]
fn curve_with_certificates_of_either() {
    let place = Place::new();
    let folder = place.folder.path().to_str().unwrap();
    let file = |name: &str| format!("{folder}/{name}");
    zx(&["keygen", &file("ours")]).assert().success();
    let serve = "import zmq.auth\n\
                 zmq.auth.create_certificates(sys.argv[2], 'theirs')\n\
                 s = ctx.socket(zmq.REP); s.curve_server = True\n\
                 s.curve_publickey, s.curve_secretkey = zmq.auth.load_certificate(sys.argv[2] + '/theirs.key_secret')\n\
                 print(zmq.auth.load_certificate(sys.argv[2] + '/ours.key_secret')[1] is not None)\n\
                 s.bind(sys.argv[1])\nwhile True: s.send(s.recv())";
    let mut server = python(serve, &[&place.endpoint, folder]);
    assert_eq!(server.line_out(), "True", "pyzmq reads the files of keygen");
    let request = ["req", &place.endpoint, "-m", "secret", "--server-key", &file("theirs.key")];
    zx(&[&request[..], &["--key", &file("ours.key_secret")]].concat()).assert().success().stdout("secret\n");
    zx(&["doctor", &place.endpoint]).assert().code(1).stdout(contains("give --server-key"));
}

#[test]
fn the_doctor_knows_pyzmqs_sockets() {
    for (name, shown) in
        [("REP", "REP"), ("PUSH", "PUSH"), ("PUB", "PUB"), ("DEALER", "DEALER"), ("PAIR", "PAIR")]
    {
        let place = Place::new();
        let serve = "s = ctx.socket(getattr(zmq, sys.argv[2])); s.bind(sys.argv[1]); print('bound'); sys.stdin.read()";
        let mut server = python(serve, &[&place.endpoint, name]);
        assert_eq!(server.line_out(), "bound");
        zx(&["doctor", &place.endpoint]).assert().success().stdout(contains(format!("peer is {shown}\n")));
    }
}
