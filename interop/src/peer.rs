//! A running peer: a process, told by lines and answering by lines.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use crate::complaints::Complaints;
use crate::deadline::Deadline;
use crate::pair::Side;
use crate::program::Program;

/// How long a peer may be silent beyond what its command allows, in its own time.
const GRACE: Duration = Duration::from_secs(15);

/// Lines that are kept for reports.
const LOG: usize = 24;

/// Characters of a line that reports show.
const LONG: usize = 2000;

/// A running peer. It is killed when dropped.
pub struct Peer {
    /// What it calls itself, with versions.
    pub name: String,
    /// The transports that it can speak with other implementations.
    pub transports: Vec<String>,
    child: Child,
    commands: ChildStdin,
    answers: Receiver<String>,
    complaints: Complaints,
    /// Commands whose answers are due, oldest first.
    due: VecDeque<String>,
    /// Whether it has failed to answer.
    lost: bool,
    /// What it has shown that it knows.
    skills: Skills,
    /// The last lines each way, for reports.
    log: VecDeque<String>,
}

impl Peer {
    /// Starts a program and exchanges greetings with it.
    ///
    /// # Errors
    /// [`Failure::NotStarted`], or as [`Peer::ask`].
    pub fn start(program: &Program) -> Result<Peer, Failure> {
        let not_started = |error: io::Error| Failure::NotStarted { program: program.name, error };
        let mut command = Command::new(&program.command);
        command.args(&program.arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(not_started)?;
        let (Some(commands), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(not_started(io::ErrorKind::BrokenPipe.into()));
        };
        let complaints = child.stderr.take().map(|stderr| Complaints::of(program.name, stderr));
        // A thread of its own reads, so that whoever waits can look at the clock.
        let (sender, answers) = sync_channel(64);
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let name = program.name.to_owned();
        let mut peer = Peer {
            name,
            transports: Vec::new(),
            child,
            commands,
            answers,
            complaints: complaints.unwrap_or_default(),
            due: VecDeque::new(),
            lost: false,
            skills: Skills::default(),
            log: VecDeque::new(),
        };
        let hello = peer.ask("hello 1")?;
        let mut words = hello.into_iter();
        match (words.next().as_deref(), words.next()) {
            (Some("1"), Some(name)) => peer.name = name,
            (version, _) => {
                let seen = version.unwrap_or("nothing").to_owned();
                return Err(peer.unlike("hello 1", "protocol 1", seen));
            }
        }
        peer.transports = words.collect();
        Ok(peer)
    }

    /// Kills it, and starts its program anew, of which is known what it has shown before.
    ///
    /// # Errors
    /// As [`Peer::start`].
    pub fn restart(&mut self, program: &Program) -> Result<(), Failure> {
        self.kill();
        let skills = std::mem::take(&mut self.skills);
        *self = Peer::start(program)?;
        self.skills.seen.extend(skills.seen);
        Ok(())
    }

    /// Gives a command without waiting for its answer.
    ///
    /// # Errors
    /// [`Failure::Died`].
    pub fn tell(&mut self, command: impl Into<String>) -> Result<(), Failure> {
        let mut command = command.into();
        command.push('\n');
        // In one write, so that a command is one packet of the pipe.
        let written = self.commands.write_all(command.as_bytes()).and_then(|()| self.commands.flush());
        command.pop();
        match written {
            Ok(()) => {
                self.note(format!("> {command}"));
                self.due.push_back(command);
                Ok(())
            }
            Err(_) => Err(self.died(command)),
        }
    }

    /// The answer to the oldest command that has none; waits for it for `limit` and a grace.
    ///
    /// # Errors
    /// [`Failure::Refused`], [`Failure::Lacks`], [`Failure::Died`], [`Failure::Silent`].
    pub fn answer(&mut self, limit: Duration) -> Result<Vec<String>, Failure> {
        let deadline = Deadline::new(limit + GRACE, &[self.process()]);
        loop {
            let left = deadline.left();
            if let Some(answer) = self.answer_within(left) {
                return answer;
            }
            if left.is_zero() {
                self.lost = true;
                let command = self.due.pop_front().unwrap_or_default();
                return Err(Failure::Silent { peer: self.name.clone(), command });
            }
        }
    }

    /// The answer to the oldest command that has none, if it is there within `limit`.
    pub fn answer_within(&mut self, limit: Duration) -> Option<Result<Vec<String>, Failure>> {
        let line = match self.answers.recv_timeout(limit) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => return None,
            Err(RecvTimeoutError::Disconnected) => {
                let command = self.due.pop_front().unwrap_or_default();
                return Some(Err(self.died(command)));
            }
        };
        let command = self.due.pop_front().unwrap_or_default();
        Some(self.read(command, line))
    }

    /// What an answer says.
    fn read(&mut self, command: String, line: String) -> Result<Vec<String>, Failure> {
        self.note(format!("< {line}"));
        let mut words = line.split(' ').map(str::to_owned);
        match words.next().as_deref() {
            Some("ok") => {
                self.skills.note(&command);
                Ok(words.collect())
            }
            Some("err") => {
                let (peer, code) = (self.name.clone(), words.next().unwrap_or_default());
                let text = words.collect::<Vec<_>>().join(" ");
                if code == "usage" && !self.skills.has(&command) {
                    return Err(Failure::Lacks { peer, command, text });
                }
                if code != "usage" {
                    self.skills.note(&command);
                }
                Err(Failure::Refused { peer, command, code, text })
            }
            _ => Err(self.unlike(&command, "ok or err", line)),
        }
    }

    /// Gives a command and waits for its answer.
    ///
    /// # Errors
    /// As [`Peer::tell`] and [`Peer::answer`].
    pub fn ask(&mut self, command: impl Into<String>) -> Result<Vec<String>, Failure> {
        self.tell(command)?;
        self.answer(Duration::ZERO)
    }

    /// Whether it has answered every command, so that it will answer another.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        !self.lost && self.due.is_empty()
    }

    /// The number that the system has given to its process.
    #[must_use]
    pub fn process(&self) -> u32 {
        self.child.id()
    }

    /// Ends the process, as a power cut would, and waits until it is gone.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// The failure of an answer that should have been another.
    #[must_use]
    pub fn unlike(&self, command: &str, expected: &str, seen: String) -> Failure {
        let (command, expected) = (command.to_owned(), expected.to_owned());
        Failure::Unlike { peer: self.name.clone(), command, expected, seen }
    }

    /// The last lines each way, oldest first, and what it has said on its standard error.
    #[must_use]
    pub fn log(&self) -> String {
        let lines = self.log.iter().map(|line| format!("    {}: {}\n", self.name, shortened(line)));
        lines.chain([self.complaints.lines(&self.name)]).collect()
    }

    fn note(&mut self, line: String) {
        if self.log.len() == LOG {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }

    fn died(&mut self, command: String) -> Failure {
        self.lost = true;
        let status = self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
        Failure::Died { peer: self.name.clone(), command, status }
    }
}

/// The commands that a peer has shown to know, with each type of socket: one that it has obeyed, or refused for a reason
/// of its own, it cannot lack the next time.
#[derive(Default)]
struct Skills {
    /// The types of its sockets, by their names.
    types: HashMap<String, String>,
    /// Types and commands.
    seen: HashSet<(String, String)>,
}

impl Skills {
    fn note(&mut self, command: &str) {
        let mut words = command.split(' ').map(str::to_owned);
        let (Some(command), Some(socket)) = (words.next(), words.next()) else { return };
        if command == "socket" {
            self.types.insert(socket, words.next().unwrap_or_default());
        } else if let Some(socket_type) = self.types.get(&socket) {
            self.seen.insert((socket_type.clone(), command));
        }
    }

    /// Whether it has shown to know the command. Of options and types, each is a thing of its own.
    fn has(&self, command: &str) -> bool {
        let mut words = command.split(' ');
        let (command, socket) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let socket_type = self.types.get(socket).cloned().unwrap_or_default();
        !["socket", "set"].contains(&command) && self.seen.contains(&(socket_type, command.to_owned()))
    }
}

/// A line of a report: a frame in hexadecimal digits or a status may be long, and its ends say most.
fn shortened(line: &str) -> String {
    let count = line.chars().count();
    if count <= LONG {
        return line.to_owned();
    }
    let (head, tail): (String, String) =
        (line.chars().take(LONG / 2).collect(), line.chars().skip(count - LONG / 2).collect());
    format!("{head} … {tail}")
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Why a cell failed.
#[derive(Debug)]
pub enum Failure {
    /// A program could not be started.
    NotStarted {
        /// Its name.
        program: &'static str,
        /// Why.
        error: io::Error,
    },
    /// A peer ended by itself.
    Died {
        /// Its name.
        peer: String,
        /// The command that it did not answer.
        command: String,
        /// Its exit status.
        status: String,
    },
    /// A peer did not answer in time.
    Silent {
        /// Its name.
        peer: String,
        /// The command that it did not answer.
        command: String,
    },
    /// A peer answered with an error.
    Refused {
        /// Its name.
        peer: String,
        /// The command.
        command: String,
        /// The error's code.
        code: String,
        /// The peer's own words.
        text: String,
    },
    /// A peer does not know a command, a socket type, an option or its value.
    Lacks {
        /// Its name.
        peer: String,
        /// The command.
        command: String,
        /// The peer's own words.
        text: String,
    },
    /// A peer answered something else than it should.
    Unlike {
        /// Its name.
        peer: String,
        /// The command.
        command: String,
        /// What the answer should have been.
        expected: String,
        /// What it was.
        seen: String,
    },
    /// Two sockets did not find each other.
    NoContact {
        /// What was tried.
        what: String,
    },
    /// A rule does not hold.
    Broken {
        /// Which, and what was seen.
        rule: String,
    },
    /// The harness itself saw one side break a rule, whoever may be on the other.
    Caught {
        /// Which side.
        side: Side,
        /// Which rule, and what was seen.
        rule: String,
    },
    /// The harness's own files, ports and streams failed it.
    Io(io::Error),
}

impl Failure {
    /// Whether it says that an implementation other than `ours` lacks a command, a socket type or an option.
    #[must_use]
    pub fn is_lack(&self, ours: &str) -> bool {
        matches!(self, Failure::Lacks { peer, .. } if peer != ours)
    }

    /// The side that broke a rule before the harness's eyes.
    #[must_use]
    pub fn culprit(&self) -> Option<Side> {
        match self {
            Failure::Caught { side, .. } => Some(*side),
            _ => None,
        }
    }

    /// The code with which a peer refused; empty for failures of other kinds.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Failure::Refused { code, .. } => code,
            Failure::Lacks { .. } => "usage",
            _ => "",
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Io(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NotStarted { program, error } => write!(f, "{program} cannot be started: {error}"),
            Failure::Died { peer, command, status } => write!(f, "{peer} died ({status}) at {command:?}"),
            Failure::Silent { peer, command } => write!(f, "{peer} did not answer {command:?}"),
            Failure::Refused { peer, command, code, text } => {
                write!(f, "{peer} refused {command:?}: {code} {text}")
            }
            Failure::Lacks { peer, command, text } => {
                write!(f, "{peer} does not know {command:?}: {text}")
            }
            Failure::Unlike { peer, command, expected, seen } => {
                write!(f, "{peer} at {command:?}: expected {expected}, seen {seen}")
            }
            Failure::NoContact { what } => write!(f, "no contact: {what}"),
            Failure::Broken { rule } => write!(f, "{rule}"),
            Failure::Caught { side, rule } => write!(f, "the {} side: {rule}", side.name()),
            Failure::Io(error) => write!(f, "harness: {error}"),
        }
    }
}

impl std::error::Error for Failure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_lacks_no_command_that_it_has_obeyed_with_this_type() {
        let mut skills = Skills::default();
        for command in ["socket a PUSH", "socket b PUSH", "socket c PULL", "set a SNDHWM 5", "fill a 10 5"] {
            skills.note(command);
        }
        assert!(skills.has("fill a 10 7 t:x") && skills.has("fill b 10 5"));
        assert!(!skills.has("fill c 10 5"), "another type");
        assert!(!skills.has("fill d 10 5"), "no socket");
        assert!(
            !skills.has("set a RCVHWM 5") && !skills.has("set a SNDHWM 6"),
            "options are things of their own"
        );
        assert!(!skills.has("socket a PUSH"));
    }
}
