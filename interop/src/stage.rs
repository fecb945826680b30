//! One cell, set up: a socket on each side, and the ways to make them talk.

use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::cell::Cell;
use crate::pair::{Flow, Side};
use crate::peer::{Failure, Peer};
use crate::words;

/// How long a message may take.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How long one attempt to make contact waits before the next.
const ATTEMPT: Duration = Duration::from_millis(50);
/// The name of the socket in each peer.
const SOCKET: &str = "s";

/// Two peers with a socket each, on the endpoint that one of them has bound.
pub struct Stage<'a> {
    cell: &'a Cell<'a>,
    endpoint: String,
    /// Removes the file of an ipc endpoint in the end: a killed binder leaves it behind.
    _file: SocketFile,
    peers: [Peer; 2],
    /// Counts the messages that made contact.
    contacts: u32,
    /// The side that was killed last.
    restarted: Option<Side>,
    /// What stood before the last message that the right side received: where it answers in turns, its address.
    envelope: Vec<String>,
}

impl<'a> Stage<'a> {
    /// Opens the sockets of a cell in two running peers; binds and connects, or in a lasting cell the other way round.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn open(cell: &'a Cell<'a>, peers: [Peer; 2]) -> Result<Stage<'a>, Failure> {
        let file = SocketFile(fresh_path());
        let endpoint = match (cell.transport, cell.lasting) {
            ("ipc", _) => format!("ipc://{}", file.0.display()),
            (transport, false) => format!("{transport}://127.0.0.1:*"),
            (transport, true) => format!("{transport}://127.0.0.1:{}", free_port()?),
        };
        let mut stage =
            Stage { cell, endpoint, _file: file, peers, contacts: 0, restarted: None, envelope: Vec::new() };
        // An endpoint that is known beforehand may be connected before it is bound.
        let first = if cell.lasting { cell.binder.other() } else { cell.binder };
        stage.enter(first)?;
        stage.enter(first.other())?;
        Ok(stage)
    }

    /// Closes the sockets and gives the peers back.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn close(mut self) -> Result<[Peer; 2], Failure> {
        for side in Side::BOTH {
            self.ask(side, "close", "")?;
        }
        Ok(self.peers)
    }

    /// The last lines that each peer was told and answered, and what it can say about its socket.
    #[must_use]
    pub fn log(&mut self) -> String {
        for side in Side::BOTH {
            // Not every peer knows the command, and a dead one knows none.
            let _ = self.ask(side, "status", "");
        }
        self.peers.iter().map(Peer::log).collect()
    }

    /// The cell that is played.
    #[must_use]
    pub fn cell(&self) -> &'a Cell<'a> {
        self.cell
    }

    /// Kills one side, starts it anew and lets it come back to the same endpoint.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn restart(&mut self, side: Side) -> Result<(), Failure> {
        let program = self.cell.program(side);
        self.restarted = Some(side);
        self.peers[side as usize].kill();
        if self.cell.pair.role(side).socket_type == "PAIR" && side != self.cell.binder {
            self.wait_until_missed(side.other())?;
        }
        self.peers[side as usize] = Peer::start(program)?;
        self.enter(side)
    }

    /// Makes sure that messages pass, each way that they may: repeats a message until it comes through. What is
    /// lost before, for want of a subscription, a handshake or a reconnect, is nobody's fault.
    ///
    /// # Errors
    /// [`Failure::NoContact`], or any other.
    pub fn make_contact(&mut self) -> Result<(), Failure> {
        match self.cell.pair.flow {
            Flow::OneWay => self.contact(Side::Left),
            Flow::BothWays => {
                // The side that connected is known to the other by its handshake; a ROUTER cannot begin before that.
                let first = self.cell.binder.other();
                self.contact(first)?;
                self.contact(first.other())
            }
            Flow::Turns { .. } => self.contact_in_turns(),
        }
    }

    /// Sends a message of these words from `side`, and receives it on the other.
    ///
    /// # Errors
    /// [`Failure::Unlike`] when another message came; any other.
    pub fn pass(&mut self, side: Side, message: &[&str]) -> Result<(), Failure> {
        let there = side.other();
        match self.cell.pair.flow {
            Flow::Turns { .. } if side == Side::Right => {
                let frames = spaced(&self.envelope) + &spaced(message);
                self.ask(side, "send", &format!("{}{frames}", PATIENCE.as_millis()))?;
            }
            _ => self.send(side, message, PATIENCE)?,
        }
        let mut seen = self.recv(there, PATIENCE)?.unwrap_or_default();
        let told: Vec<String> = message.iter().map(|word| words::retold(word)).collect();
        let body = seen.split_off(seen.len().saturating_sub(told.len()));
        let finds = self.cell.pair.role(there).finds;
        if body == told && self.is_envelope(&seen, finds) {
            self.envelope = seen;
            return Ok(());
        }
        let finds: Vec<String> = finds.iter().map(|word| words::retold(word)).collect();
        let expected = spaced(&finds) + &spaced(&told);
        seen.extend(body);
        Err(self.peers[there as usize].unlike("recv", expected.trim_start(), seen.join(" ")))
    }

    /// Whether `seen` is the envelope that a role finds. REQ_CORRELATE adds a frame of four bytes before the
    /// delimiter, which a ROUTER sees.
    fn is_envelope(&self, seen: &[String], finds: &[&str]) -> bool {
        let finds: Vec<String> = finds.iter().map(|word| words::retold(word)).collect();
        let correlated = self.cell.lasting && self.cell.pair.left.socket_type == "REQ";
        match seen {
            [id, number, delimiter] if correlated => {
                number.len() == "h:00000000".len() && finds == [id.clone(), delimiter.clone()]
            }
            _ => seen == finds,
        }
    }

    /// Sends a message of these words from `side`.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn send(&mut self, side: Side, message: &[&str], limit: Duration) -> Result<(), Failure> {
        let sends = self.cell.pair.role(side).sends;
        let frames: Vec<&str> = sends.iter().chain(message).copied().collect();
        self.tell(side, "send", &format!("{} {}", limit.as_millis(), frames.join(" ")))?;
        self.peers[side as usize].answer(limit).map(drop)
    }

    /// Receives a message on `side`, whole; `None` when none came in time.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn recv(&mut self, side: Side, limit: Duration) -> Result<Option<Vec<String>>, Failure> {
        self.tell(side, "recv", &limit.as_millis().to_string())?;
        match self.peers[side as usize].answer(limit) {
            Ok(words) => Ok(Some(words)),
            Err(failure) if failure.code() == "again" => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Passes `count` numbered messages from `side` to the other, as fast as they go.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn flood(&mut self, side: Side, count: u32) -> Result<(), Failure> {
        let (there, patience) = (side.other(), PATIENCE.as_millis());
        let sends = spaced(self.cell.pair.role(side).sends);
        let finds = spaced(self.cell.pair.role(there).finds);
        self.tell(there, "expect", &format!("{patience} {count}{finds}"))?;
        self.tell(side, "burst", &format!("{patience} {count}{sends}"))?;
        self.both_answers(side)
    }

    /// Lets the left side ask `count` numbered questions and the right side echo them.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn interrogate(&mut self, count: u32, window: u32) -> Result<(), Failure> {
        let patience = PATIENCE.as_millis();
        let sends = spaced(self.cell.pair.role(Side::Left).sends);
        self.tell(Side::Right, "echo", &format!("{patience} {count}"))?;
        self.tell(Side::Left, "request", &format!("{patience} {count} {window}{sends}"))?;
        self.both_answers(Side::Left)
    }

    /// Gives a command about the socket of `side` and waits for the answer.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn ask(&mut self, side: Side, command: &str, rest: &str) -> Result<Vec<String>, Failure> {
        self.tell(side, command, rest)?;
        self.peers[side as usize].answer(PATIENCE)
    }

    fn tell(&mut self, side: Side, command: &str, rest: &str) -> Result<(), Failure> {
        let space = if rest.is_empty() { "" } else { " " };
        self.peers[side as usize].tell(format!("{command} {SOCKET}{space}{rest}"))
    }

    /// Both peers work; whoever fails first says more than whoever waits for it in vain.
    fn both_answers(&mut self, side: Side) -> Result<(), Failure> {
        // As many messages as there are may each take their time, but not all of them.
        let limit = 3 * PATIENCE;
        let here = self.peers[side as usize].answer(limit);
        let there = self.peers[side.other() as usize].answer(limit);
        match (here, there) {
            (Ok(_), Ok(_)) => Ok(()),
            (Err(failure), Ok(_)) | (Ok(_), Err(failure)) => Err(failure),
            (Err(here), Err(there)) => Err(if here.code() == "again" { there } else { here }),
        }
    }

    /// Makes the socket of one side and attaches it.
    fn enter(&mut self, side: Side) -> Result<(), Failure> {
        let role = self.cell.pair.role(side);
        self.ask(side, "socket", role.socket_type)?;
        let extra = self.cell.options.iter().filter(|(types, _, _)| types.contains(&role.socket_type));
        let extra = extra.map(|(_, option, value)| (*option, *value));
        for (option, value) in role.options.iter().copied().chain(extra) {
            self.ask(side, "set", &format!("{option} {value}"))?;
        }
        if side == self.cell.binder {
            let endpoint = self.endpoint.clone();
            match self.ask(side, "bind", &endpoint)?.into_iter().next() {
                Some(resolved) => self.endpoint = resolved,
                None => return Err(self.peers[side as usize].unlike("bind", "an endpoint", String::new())),
            }
        } else {
            if role.socket_type == "ROUTER" && self.cell.pair.role(side.other()).socket_type == "ROUTER" {
                let id = format!("CONNECT_ROUTING_ID t:{}", side.other().name());
                self.ask(side, "set", &id)?;
            }
            let endpoint = self.endpoint.clone();
            self.ask(side, "connect", &endpoint)?;
        }
        self.subscribe(side, "-")
    }

    /// Subscribes, if `side` is a subscriber.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn subscribe(&mut self, side: Side, topic: &str) -> Result<(), Failure> {
        self.request_topic(side, "subscribe", "01", topic)
    }

    /// Takes a subscription back.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn unsubscribe(&mut self, side: Side, topic: &str) -> Result<(), Failure> {
        self.request_topic(side, "unsubscribe", "00", topic)
    }

    fn request_topic(&mut self, side: Side, command: &str, mark: &str, topic: &str) -> Result<(), Failure> {
        match self.cell.pair.role(side).socket_type {
            "SUB" => self.ask(side, command, topic).map(drop),
            "XSUB" => {
                let topic = words::hex(&words::frame(topic).unwrap_or_default());
                self.send(side, &[&format!("h:{mark}{topic}")], PATIENCE)
            }
            _ => Ok(()),
        }
    }

    /// Waits until a PAIR has noticed that its peer is gone and refuses to send. A newcomer before that is turned
    /// away, and libzmq leaves it in the belief that it is connected (libzmq pair.cpp `xattach_pipe`).
    fn wait_until_missed(&mut self, side: Side) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            let refuses = !self.attempt(side, "t:lost")?;
            // libzmq lets the old pipe go only when somebody has read to its end, and does it while somebody waits.
            self.recv(side, ATTEMPT)?;
            if refuses {
                return Ok(());
            }
        }
        Err(self.no_contact(side))
    }

    fn contact(&mut self, side: Side) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        let (mut due, mut last) = (true, String::new());
        while Instant::now() < end {
            if due {
                last = self.next_contact();
                self.attempt(side, &last)?;
            }
            // What was sent first arrives first; so whatever arrives, the last is on its way.
            let seen = self.recv(side.other(), ATTEMPT)?;
            if is_last(seen.as_deref(), &last) {
                return Ok(());
            }
            due = seen.is_none();
        }
        Err(self.no_contact(side))
    }

    fn contact_in_turns(&mut self) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        let (mut due, mut last) = (true, String::new());
        while Instant::now() < end {
            if due {
                let next = self.next_contact();
                if self.attempt(Side::Left, &next)? {
                    last = next;
                }
            }
            // While there are old questions nothing is asked anew: an answer that always comes a question late would
            // never be the last.
            let question = self.recv(Side::Right, ATTEMPT)?;
            due = question.is_none();
            if let Some(question) = question {
                let question = question.join(" ");
                self.ask(Side::Right, "send", &format!("{} {question}", PATIENCE.as_millis()))?;
            }
            let seen = self.recv_unless_out_of_turn(Side::Left)?;
            if is_last(seen.as_deref(), &last) {
                return Ok(());
            }
        }
        Err(self.no_contact(Side::Left))
    }

    fn recv_unless_out_of_turn(&mut self, side: Side) -> Result<Option<Vec<String>>, Failure> {
        match self.recv(side, ATTEMPT) {
            Err(failure) if failure.code() == "state" => Ok(None),
            other => other,
        }
    }

    /// Tries to send; whether that worked.
    fn attempt(&mut self, side: Side, word: &str) -> Result<bool, Failure> {
        match self.send(side, &[word], ATTEMPT) {
            Ok(()) => Ok(true),
            Err(failure) if ["again", "unroutable", "state"].contains(&failure.code()) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    fn next_contact(&mut self) -> String {
        self.contacts += 1;
        words::told(format!("contact {}", self.contacts).as_bytes())
    }

    fn no_contact(&self, side: Side) -> Failure {
        let (here, there) = (self.cell.program(side).name, self.cell.program(side.other()).name);
        let since = self.restarted.map(|side| format!(", the {} side restarted", side.name()));
        let what = format!("{here} to {there} for {} s{}", PATIENCE.as_secs(), since.unwrap_or_default());
        Failure::NoContact { what }
    }
}

struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn is_last(seen: Option<&[String]>, last: &str) -> bool {
    !last.is_empty() && seen.and_then(<[String]>::last).is_some_and(|word| word == last)
}

fn spaced(words: &[impl AsRef<str>]) -> String {
    words.iter().flat_map(|word| [" ", word.as_ref()]).collect()
}

/// A path for an ipc endpoint that nobody used before; short, because the system's limit is.
fn fresh_path() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let n = COUNT.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("zx-{}-{n}", std::process::id()))
}

/// A port that nobody listens on, outside the range that systems give to outgoing connections: an endpoint that
/// dials it while it is free can then neither lose it to another nor meet itself.
fn free_port() -> Result<u16, Failure> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let spread = std::process::id().wrapping_mul(97);
    for _ in 0..12_000 {
        let n = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(spread) % 12_000;
        let port = 20_000 + n as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    Err(Failure::Io(std::io::ErrorKind::AddrInUse.into()))
}
