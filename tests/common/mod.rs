//! What the tests of the whole library share: waiting without sleeping, the equations of the counters, and a peer made
//! of a plain `TcpStream`, which reads and writes exactly when it is told to.
#![allow(dead_code, unreachable_pub)] // each test program uses its part, as a module of its own

pub mod task;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use zeroxide::{
    Cause, Dropped, Event, EventKind, Message, Monitor, Options, Received, Socket, SocketStats, opt,
};

/// Longer than anything takes that does not hang; under a sanitizer (`cargo xtask sanitize --workspace`) everything takes many
/// times as long.
pub const LONG: Duration = Duration::from_secs(if cfg!(sanitized) { 60 } else { 10 });

/// Receiving in tests.
pub trait Soon {
    /// Receives a message that is there or on its way. A call that got one only by its last look at the deadline has
    /// missed a wake, and fails.
    fn recv_soon(&self) -> Message;
}

impl Soon for Socket {
    #[track_caller]
    fn recv_soon(&self) -> Message {
        let start = Instant::now();
        let message = self.recv_timeout(LONG).unwrap_or_else(|error| panic!("{error}; {}", self.status()));
        assert!(start.elapsed() < LONG / 2, "nobody woke the receiver; {}", self.status());
        message
    }
}

/// Options with which a lost connection is made again soon.
pub fn impatient() -> Options {
    Options::new().set(opt::RECONNECT_IVL, Some(Duration::from_millis(5)))
}

/// Options with which nothing unsent is waited for.
pub fn no_linger() -> Options {
    Options::new().set(opt::LINGER, Some(Duration::ZERO))
}

/// Looks until it is so; panics with `what` if it never is.
#[track_caller]
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !so() {
        assert!(Instant::now() < deadline, "never came true: {what}");
        thread::yield_now();
    }
}

/// Waits for an event of a kind; others pass by.
#[track_caller]
pub fn wait_for(events: &Monitor, what: &str, wanted: impl Fn(&EventKind) -> bool) -> Event {
    let deadline = Instant::now() + LONG;
    loop {
        match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(event) if wanted(&event.kind) => return event,
            Ok(_) => {}
            Err(error) => panic!("no event {what}: {error}"),
        }
    }
}

/// Runs one test of this program in a process of its own, where `ZEROXIDE_TEST_CHILD` is set, under a limit of the shell
/// (`ulimit -n 64`). `true`: this is that process. Panics with what the other one printed if the test failed there.
pub fn in_child(limit: &str, test: &str) -> bool {
    if std::env::var_os("ZEROXIDE_TEST_CHILD").is_some() {
        return true;
    }
    let script = format!("{limit}; exec \"$0\" --exact {test} --nocapture");
    let child = Command::new("sh")
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env("ZEROXIDE_TEST_CHILD", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stdout).into_owned() + &String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{text}");
    false
}

/// The environment variable that tells a process which test of which it is, and where to go.
const CHILD: &str = "ZEROXIDE_TEST_CHILD_OF";

/// The command that runs one test of this program in a process of its own, where [`parents_endpoint`] is `endpoint`.
/// Nothing of what that process prints is shown: its lines would be read as results of this one.
pub fn child_process(test: &str, endpoint: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test]).env(CHILD, endpoint).stdout(std::process::Stdio::null());
    command
}

/// What [`child_process`] was given, where this is the process that it started.
pub fn parents_endpoint() -> Option<String> {
    std::env::var(CHILD).ok()
}

/// Checks the equations of the counters: of every pipe, of the sums, and of a socket that sends each message to one
/// peer at most.
#[track_caller]
pub fn assert_balanced(stats: &SocketStats) {
    for pipe in &stats.pipes {
        assert_eq!(pipe.routed, pipe.written + pipe.dropped.routed() + pipe.queued, "{pipe:?}");
        assert!(adds_up(&pipe.received), "{pipe:?}");
    }
    assert_eq!(stats.routed, stats.written + stats.dropped.routed() + stats.queued, "{stats:?}");
    assert!(adds_up(&stats.received), "{stats:?}");
}

/// Whether each received message is delivered, dropped or waits.
fn adds_up(received: &Received) -> bool {
    received.messages == received.delivered + received.dropped.total() + received.waiting
}

/// Drops of messages that no pipe had taken.
pub fn unrouted(dropped: &Dropped) -> u64 {
    [Cause::NoPeer, Cause::Unroutable].iter().map(|cause| dropped.by(*cause)).sum()
}

/// A peer that speaks just enough ZMTP 3.1 with NULL, and only when told to.
pub struct RawPeer {
    pub stream: TcpStream,
}

/// One frame as it came: flags and body.
#[derive(Debug, PartialEq, Eq)]
pub struct RawFrame {
    pub flags: u8,
    pub body: Vec<u8>,
}

impl RawFrame {
    pub fn is_command(&self) -> bool {
        self.flags & 4 != 0
    }

    /// The name of a command.
    pub fn name(&self) -> &[u8] {
        let len = usize::from(self.body[0]);
        &self.body[1..=len]
    }
}

impl RawPeer {
    /// Connects to `endpoint`, which is a tcp one.
    pub fn connect(endpoint: impl ToString) -> RawPeer {
        RawPeer::over(TcpStream::connect(address(endpoint)).unwrap())
    }

    /// Takes the next connection.
    pub fn accept(listener: &TcpListener) -> RawPeer {
        RawPeer::over(listener.accept().unwrap().0)
    }

    /// A peer at the other end of `stream`.
    pub fn over(stream: TcpStream) -> RawPeer {
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        stream.set_nodelay(true).unwrap();
        RawPeer { stream }
    }

    /// Does the whole handshake as a socket of type `name` without a routing id.
    pub fn shake_hands(self, name: &str) -> RawPeer {
        self.shake_hands_as(name, "")
    }

    /// Does the whole handshake as a socket of type `name` with this routing id.
    pub fn shake_hands_as(mut self, name: &str, id: &str) -> RawPeer {
        self.stream.write_all(&greeting()).unwrap();
        self.stream.write_all(&ready(name, id)).unwrap();
        let mut theirs = [0; 64];
        self.stream.read_exact(&mut theirs).unwrap();
        let answer = self.read_frame().unwrap();
        assert!(answer.is_command() && answer.name() == b"READY", "{answer:?}");
        self
    }

    /// The next frame, whatever it is.
    pub fn read_frame(&mut self) -> io::Result<RawFrame> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head)?;
        let (flags, mut len) = (head[0], usize::from(head[1]));
        if flags & 2 != 0 {
            let mut rest = [0; 7];
            self.stream.read_exact(&mut rest)?;
            len = rest.iter().fold(len, |sum, byte| sum << 8 | usize::from(*byte));
        }
        let mut body = vec![0; len];
        self.stream.read_exact(&mut body)?;
        Ok(RawFrame { flags, body })
    }

    /// The next message; commands are passed over.
    pub fn read_message(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let mut frames = Vec::new();
        loop {
            let frame = self.read_frame()?;
            if frame.is_command() {
                continue;
            }
            frames.push(frame.body);
            if frame.flags & 1 == 0 {
                return Ok(frames);
            }
        }
    }

    /// The next command with this name; messages and other commands are passed over.
    pub fn read_command(&mut self, name: &str) -> io::Result<Vec<u8>> {
        loop {
            let frame = self.read_frame()?;
            if frame.is_command() && frame.name() == name.as_bytes() {
                return Ok(frame.body[1 + name.len()..].to_vec());
            }
        }
    }

    /// Sends a message of short frames.
    pub fn send(&mut self, frames: &[&[u8]]) {
        self.stream.write_all(&message(frames)).unwrap();
    }

    /// Sends bytes as they are.
    pub fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    /// Waits for the other side to close; whatever comes before is thrown away.
    #[track_caller]
    pub fn expect_end(&mut self) {
        let mut rest = [0; 4096];
        loop {
            match self.stream.read(&mut rest) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return,
                Err(error) => panic!("the connection did not end: {error}"),
            }
        }
    }

    /// Kills the connection in both directions.
    pub fn kill(&self) {
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// The part of a tcp endpoint that a `TcpStream` connects to.
pub fn address(endpoint: impl ToString) -> String {
    endpoint.to_string().trim_start_matches("tcp://").to_owned()
}

/// A listener of the system, and its endpoint.
pub fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("tcp://{}", listener.local_addr().unwrap());
    (listener, endpoint)
}

/// A greeting of ZMTP 3.1 with NULL.
pub fn greeting() -> Vec<u8> {
    let mut bytes = vec![0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1];
    bytes.extend(b"NULL");
    bytes.resize(64, 0);
    bytes
}

/// READY of a socket of type `name`.
pub fn ready(name: &str, id: &str) -> Vec<u8> {
    let mut body = b"\x05READY\x0bSocket-Type".to_vec();
    body.extend((name.len() as u32).to_be_bytes());
    body.extend(name.as_bytes());
    body.extend(b"\x08Identity");
    body.extend((id.len() as u32).to_be_bytes());
    body.extend(id.as_bytes());
    command(&body)
}

/// A command frame around `body`, which begins with the command's name.
pub fn command(body: &[u8]) -> Vec<u8> {
    let mut frame = vec![4, u8::try_from(body.len()).unwrap()];
    frame.extend(body);
    frame
}

/// A message of short frames on the wire.
pub fn message(frames: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (n, frame) in frames.iter().enumerate() {
        bytes.push(u8::from(n + 1 < frames.len()));
        bytes.push(u8::try_from(frame.len()).unwrap());
        bytes.extend(*frame);
    }
    bytes
}
