//! What cells cannot say about PLAIN, CURVE and ZAP with libzmq (inside pyzmq): user ids, domains, and the events of
//! libzmq when it is refused.
//!
//! The peers are those that `cargo run --release -p interop` has set up.
#![cfg(feature = "peers")]
#![allow(clippy::unwrap_used)] // a test's helpers

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use interop::setup;
use zeroxide::{
    AccessList, Context, Error, HandshakeCause, Options, ProtocolError, PublicKey, SecretKey, Security,
    Socket, SocketType, generate_secret_key, opt,
};

const LONG: Duration = Duration::from_secs(20);

/// A pyzmq socket in a process of its own, which ends with its input.
struct Python {
    child: Child,
    says: BufReader<ChildStdout>,
}

impl Python {
    fn start(words: &[&str]) -> Python {
        let python = setup::standing("pyzmq").expect("pyzmq is set up").command;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/python/secure.py");
        let mut child = Command::new(python)
            .arg(script)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let says = BufReader::new(child.stdout.take().unwrap());
        Python { child, says }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn key() -> SecretKey {
    generate_secret_key().unwrap()
}

fn z85(key: &SecretKey) -> String {
    String::from_utf8(key.expose_z85().expose().to_vec()).unwrap()
}

fn options() -> Options {
    Options::new().set(opt::LINGER, Some(Duration::ZERO)).set(opt::RECONNECT_IVL, None)
}

fn plain(user: &str, password: &str) -> Options {
    options().security(Security::PlainClient { user: user.to_owned(), password: password.into() })
}

fn curve(server: PublicKey, me: &SecretKey) -> Options {
    options().security(Security::CurveClient { server, me: me.clone() })
}

/// The reply to one request, which is the user that the server saw, or why there is none.
fn ask(options: &Options, endpoint: &str) -> Result<String, HandshakeCause> {
    let cx = Context::new();
    let client = cx.socket_with(SocketType::Req, options).unwrap();
    match client.connect_ready(endpoint, LONG) {
        Ok(_) => {}
        Err(Error::Handshake(error)) => return Err(error.cause.clone()),
        Err(error) => panic!("{error}"),
    }
    client.send("hello").unwrap();
    Ok(client.recv_timeout(LONG).unwrap()[0].as_str().unwrap().to_owned())
}

fn refused(status: &'static str) -> Result<String, HandshakeCause> {
    Err(HandshakeCause::Protocol(ProtocolError::Refused { reason: status.into() }))
}

/// A Zeroxide server that answers each request with the user it is from, on a thread until the test ends.
fn serve(cx: &Context, options: &Options) -> String {
    let server = cx.socket_with(SocketType::Rep, options).unwrap();
    let endpoint = server.bind("tcp://127.0.0.1:*").unwrap().to_string();
    std::thread::spawn(move || answer(&server));
    endpoint
}

fn answer(server: &Socket) {
    while let Ok(request) = server.recv() {
        let user = request.peer().map_or("", |peer| &peer.user_id);
        if server.send(if user.is_empty() { "-" } else { user }).is_err() {
            return;
        }
    }
}

#[test]
fn plain_client_of_libzmq_and_its_handler() {
    let mut server = Python::start(&["server", "plain"]);
    let endpoint = server.line();
    assert_eq!(ask(&plain("ann", "secret"), &endpoint), Ok("ann".to_owned()));
    assert_eq!(ask(&plain("ann", "wrong"), &endpoint), refused("400"));
    assert_eq!(ask(&plain("ann", "secret"), &endpoint), Ok("ann".to_owned()));
}

#[test]
fn curve_client_of_libzmq_and_its_handler() {
    let (ours, theirs) = (key(), key());
    let mut server = Python::start(&["server", "curve", &z85(&theirs), &ours.public().to_string()]);
    let endpoint = server.line();
    assert_eq!(ask(&curve(theirs.public(), &ours), &endpoint), Ok(ours.public().to_string()));
    assert_eq!(ask(&curve(theirs.public(), &key()), &endpoint), refused("400"));
    assert_eq!(ask(&curve(key().public(), &ours), &endpoint), Err(HandshakeCause::PeerClosed));
    assert_eq!(ask(&curve(theirs.public(), &ours), &endpoint), Ok(ours.public().to_string()));
}

#[test]
fn null_client_of_libzmq_with_a_domain() {
    let mut server = Python::start(&["server", "null"]);
    let endpoint = server.line();
    assert_eq!(ask(&options(), &endpoint), Ok("anonymous".to_owned()));
}

#[test]
fn libzmq_as_client_of_plain() {
    let cx = Context::new();
    cx.authenticator("", AccessList::new().plain_user("ann", "secret")).unwrap();
    let endpoint = serve(&cx, &options().security(Security::PlainServer));
    assert_eq!(Python::start(&["client", "plain", &endpoint, "ann", "secret"]).line(), "reply ann");
    // libzmq 4.3 knows the ERROR of PLAIN only as it misspells it itself (^RROR), and calls that of RFC 24 unexpected.
    assert_eq!(Python::start(&["client", "plain", &endpoint, "ann", "wrong"]).line(), "protocol 268435457");
    let closed = Python::start(&["client", "null", &endpoint]).line();
    assert!(closed.starts_with("protocol "), "{closed}");
}

#[test]
fn libzmq_as_client_of_curve() {
    let (ours, theirs) = (key(), key());
    let cx = Context::new();
    cx.authenticator("", AccessList::new().curve_key(theirs.public())).unwrap();
    let endpoint = serve(&cx, &options().security(Security::CurveServer(ours.clone())));
    let ask = |server: &SecretKey, me: &SecretKey| {
        Python::start(&["client", "curve", &endpoint, &server.public().to_string(), &z85(me)]).line()
    };
    assert_eq!(ask(&ours, &theirs), format!("reply {}", theirs.public()));
    assert_eq!(ask(&ours, &key()), "auth 400");
    let closed = ask(&key(), &theirs);
    assert!(closed.starts_with("closed "), "{closed}");
}

#[test]
fn libzmq_as_client_of_a_zap_handler_here() {
    let (ours, theirs) = (key(), key());
    let cx = Context::new();
    let handler = cx.socket_with(SocketType::Rep, &options()).unwrap();
    handler.bind("inproc://zeromq.zap.01").unwrap();
    let answers = std::thread::spawn(move || {
        let request = handler.recv_timeout(LONG).unwrap();
        let seen: Vec<Vec<u8>> = request.iter().map(|frame| frame.to_vec()).collect();
        handler.send([b"1.0", &seen[1][..], b"200", b"OK", b"bob", b""]).unwrap();
        seen
    });
    let endpoint = serve(&cx, &options().security(Security::CurveServer(ours.clone())));
    let words = ["client", "curve", &endpoint, &ours.public().to_string(), &z85(&theirs)];
    assert_eq!(Python::start(&words).line(), "reply bob");
    let seen = answers.join().unwrap();
    assert_eq!(seen[3..], [&b"127.0.0.1"[..], b"", b"CURVE", theirs.public().as_bytes()]);
}
