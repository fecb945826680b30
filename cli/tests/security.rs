//! PLAIN and CURVE by flags and files.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Place, Running, zx};
use predicates::str::contains;
use zeroxide::generate_secret_key;

/// Writes a pair as CZMQ does: `NAME.key` and `NAME.key_secret`. Returns their paths.
fn pair(place: &Place, name: &str) -> (String, String) {
    let key = generate_secret_key().unwrap();
    let (public, secret) = (key.public(), key.expose_z85());
    let secret = std::str::from_utf8(secret.expose()).unwrap();
    let head = format!("metadata\ncurve\n    public-key = \"{public}\"\n");
    let file = place.file(&format!("{name}.key"), &head);
    (file, place.file(&format!("{name}.key_secret"), &format!("{head}    secret-key = \"{secret}\"\n")))
}

#[test]
fn curve_lets_known_clients_in() {
    let place = Place::new();
    let (server_key, server_secret) = pair(&place, "server");
    let (client_key, client_secret) = pair(&place, "client");
    let server = ["rep", "-b", &place.endpoint, "--echo", "--curve-server", "--key", &server_secret];
    let mut server = Running::start(&[&server[..], &["--client-key", &client_key]].concat());
    let request = ["req", &place.endpoint, "-m", "secret", "--server-key", &server_key];
    zx(&[&request[..], &["--key", &client_secret]].concat()).assert().success().stdout("secret\n");
    // Another key is refused.
    zx(&[&request[..], &["--timeout", "500ms"]].concat()).assert().code(2).stderr(contains("refused"));
    server.line_err("refused");
}

#[test]
fn a_client_without_the_mechanism_is_told_which_flag() {
    let place = Place::new();
    let (_, secret) = pair(&place, "server");
    let curve = ["--curve-server", "--key", &secret, "--any-client"];
    let users = place.file("users", "ann:secret\n");
    for (flags, advice) in [
        (&curve[..], "peer wants CURVE, we offered NULL: give --server-key"),
        (&["--users", &users], "peer wants PLAIN, we offered NULL: give --user"),
    ] {
        let _server = Running::start(&[&["rep", "-b", &place.endpoint, "--echo"], flags].concat());
        let mut client = Running::start(&["req", &place.endpoint, "-m", "x"]);
        client.line_err(advice);
    }
}

/// A client that comes again each tenth of a second is one problem.
#[test]
fn a_problem_is_told_once() {
    let mut server = Running::start(&["rep", "-b", "tcp://127.0.0.1:*", "--echo"]);
    let endpoint = server.bound();
    zx(&["sub", &endpoint, "--timeout", "500ms"])
        .assert()
        .code(2)
        .stderr(contains("peer is REP, we are SUB"));
    zx(&["req", &endpoint, "-m", "x"]).assert().success();
    assert!(server.line_err("peer is SUB, we are REP").contains("a REP talks to REQ or DEALER"));
    server.close_input();
    server.kill();
    assert_eq!(server.rest_err(), Vec::<String>::new());
    let failed = zx(&["rep", "-b", &place_in_use(), "--echo"]).assert().code(1);
    assert_eq!(String::from_utf8_lossy(&failed.get_output().stderr).matches("in use").count(), 1);
}

/// An endpoint that something else has bound, until the test ends.
fn place_in_use() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    std::mem::forget(listener);
    endpoint
}

#[test]
fn plain_needs_the_password() {
    let place = Place::new();
    let users = place.file("users", "# who may come in\nann:secret\n");
    let (right, wrong) = (place.file("right", "secret\n"), place.file("wrong", "guess\n"));
    let _server = Running::start(&["rep", "-b", &place.endpoint, "--echo", "--users", &users]);
    let request = |password: &str| {
        let request =
            ["req", &place.endpoint, "-m", "x", "--timeout", "10", "--user", "ann", "--password-file"];
        Running::start(&[&request[..], &[password]].concat())
    };
    let mut right = request(&right);
    assert_eq!(right.line_out(), "x");
    assert_eq!(right.end(), Some(0));
    request(&wrong).line_err("refused");
}

#[test]
fn flags_that_do_not_go_together_say_so() {
    let place = Place::new();
    let (public, secret) = pair(&place, "server");
    for (flags, text) in [
        (&["--curve-server", "--key", &secret][..], "--any-client"),
        (&["--curve-server", "--key", &public, "--any-client"], "only the public key"),
        (&["--key", &secret], "--server-key"),
        (&["--curve-server"], "--key"),
        (&["--user", "ann"], "--password-file"),
        (&["--users", "/nowhere"], "cannot read /nowhere"),
    ] {
        zx(&[&["pull", "-b", &place.endpoint], flags].concat()).assert().code(1).stderr(contains(text));
    }
}
