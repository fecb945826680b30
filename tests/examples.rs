//! The examples `threads` and `smol` as processes: what they do, and how Ctrl-C ends them.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a test's helpers

#[allow(dead_code)] // its main
#[path = "../examples/smol.rs"]
mod smol_example;
#[allow(dead_code)] // its main
#[path = "../examples/threads.rs"]
mod threads_example;

use std::env;
use std::error::Error;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use zeroxide::{Context, Message, Socket, SocketType};

const LONG: Duration = Duration::from_secs(60);
/// A port of the system's choice.
const ANY: &str = "tcp://127.0.0.1:*";
/// Set in a process that is the example.
const IS_EXAMPLE: &str = "ZEROXIDE_TEST_IS_EXAMPLE";

/// A process that is the example: cargo builds no example for a test, so it is this program again.
struct Example {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl Example {
    /// Starts the example of the test with this name. In the process that is the example, runs it and returns `None`.
    fn start(test: &str, run: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Option<Example> {
        if env::var_os(IS_EXAMPLE).is_some() {
            run().unwrap();
            return None;
        }
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(IS_EXAMPLE, "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap()).lines();
        Some(Example { process, output })
    }

    /// Reads lines until one has this text, and returns what follows it. The harness writes lines, too.
    fn line(&mut self, text: &str) -> String {
        let after = |line: String| line.split_once(text).map(|(_, after)| after.to_owned());
        self.output.find_map(|line| after(line.unwrap())).unwrap_or_else(|| panic!("no line with {text:?}"))
    }

    fn interrupt(&self) {
        kill_process(Pid::from_child(&self.process), Signal::INT).unwrap();
    }

    fn exit_code(mut self) -> Option<i32> {
        self.output.by_ref().for_each(drop);
        self.process.wait().unwrap().code()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn ask(req: &Socket, request: impl Into<Message>) -> String {
    req.request(request, LONG).unwrap()[0].as_str().unwrap().to_owned()
}

#[test]
fn threads() {
    let Some(mut example) = Example::start("threads", || threads_example::run(ANY)) else { return };
    let at = example.line("bound ");
    let context = Context::new();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let req = context.socket(SocketType::Req).unwrap();
                req.connect(at.as_str()).unwrap();
                for (number, primes) in [("2", "0"), ("100", "25"), ("10000", "1229")] {
                    assert_eq!(ask(&req, number), primes);
                }
            });
        }
    });
    let dealer = context.socket(SocketType::Dealer).unwrap();
    dealer.connect(at.as_str()).unwrap();
    dealer.send(["number 7", "many"]).unwrap();
    let reply = dealer.recv_timeout(LONG).unwrap();
    assert_eq!((reply.len(), reply[0].as_str()), (2, Ok("number 7")), "what the client wants to have back");
    assert!(reply[1].as_str().unwrap().starts_with("not a number"));

    example.interrupt();
    assert_eq!(example.line("25 replies, "), "0 not sent, 0 dropped");
    assert_eq!(example.exit_code(), Some(0));
}

#[test]
fn smol() {
    let Some(mut example) = Example::start("smol", || smol_example::run(ANY, ANY)) else { return };
    let line = example.line("requests at ");
    let (requests, changes) = line.split_once(", changes at ").unwrap();
    let context = Context::new();
    let (req, sub) = (context.socket(SocketType::Req).unwrap(), context.socket(SocketType::Sub).unwrap());
    req.connect(requests).unwrap();
    sub.connect(changes).unwrap();
    sub.subscribe("colour").unwrap();
    // A subscription is there when something published arrives.
    while sub.try_recv().is_err() {
        assert_eq!(ask(&req, ["set", "colour", "green"]), "green");
    }
    assert_eq!(ask(&req, ["set", "size", "large"]), "large");
    assert_eq!(ask(&req, ["set", "colour", "red"]), "red");
    let mut values =
        std::iter::repeat_with(|| sub.recv_timeout(LONG).unwrap()[1].as_str().unwrap().to_owned());
    assert_eq!(values.find(|value| value != "green").unwrap(), "red", "and no size");
    assert_eq!(ask(&req, ["get", "colour"]), "red");
    assert_eq!(ask(&req, ["get", "shape"]), "");
    assert!(ask(&req, "paint").starts_with("set NAME"));

    example.interrupt();
    assert_eq!(example.line("2 values, "), "0 messages dropped");
    assert_eq!(example.exit_code(), Some(0));
}
