//! A peer of the interop harness that speaks one old version of ZMTP, `--zmtp 1.0`, `2.0` or `3.0`, with nothing of
//! the library under test in it: see PROTOCOL.md and `interop::raw`.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::time::Duration;

use interop::raw::rules::{Options, Refusal as Rule};
use interop::raw::socket::{Failure, Timing};
use interop::raw::{Kind, Message, Socket, Version};
use interop::words::{frame, numbered, told};

/// libzmq's -1: no limit.
const FOR_EVER: Duration = Duration::from_secs(1 << 20);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let version = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--zmtp", name] => Version::from_name(name).map(|version| (version, name)),
        _ => None,
    };
    let Some((version, name)) = version else {
        eprintln!("usage: raw-peer --zmtp 1.0|2.0|3.0");
        return ExitCode::from(2);
    };
    match obey_all(Peer { version, name, sockets: HashMap::new() }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("raw-peer: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Obeys line after line until there is no more.
fn obey_all(mut peer: Peer<'_>) -> io::Result<()> {
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let answer = match peer.obey(&line) {
            Ok(words) => format!("ok{words}\n"),
            Err(Refusal { code, text }) => format!("err {code} {}\n", text.replace('\n', " ")),
        };
        output.write_all(answer.as_bytes())?;
        output.flush()?;
        if line == "quit" {
            break;
        }
    }
    Ok(())
}

struct Peer<'a> {
    version: Version,
    name: &'a str,
    sockets: HashMap<String, Slot>,
}

struct Slot {
    socket: Socket,
    /// What a ROUTER is to call the next that it connects to.
    next_name: Option<Vec<u8>>,
}

/// An answer that is not ok.
struct Refusal {
    code: &'static str,
    text: String,
}

type Answer = Result<String, Refusal>;

impl Peer<'_> {
    /// Does what a line says; what follows `ok`, each word with a space before it.
    fn obey(&mut self, line: &str) -> Answer {
        let mut words = line.split(' ');
        let command = words.next().unwrap_or_default();
        let words: Vec<&str> = words.collect();
        match (command, &words[..]) {
            ("hello", ["1"]) => return Ok(format!(" 1 raw-zmtp-{} tcp", self.name)),
            ("quit", []) => self.sockets.clear(),
            ("socket", [name, kind]) => {
                let kind =
                    Kind::from_name(kind.as_bytes()).ok_or_else(|| usage("no such type in this version"))?;
                let socket = Socket::new(self.version, kind);
                self.sockets.insert((*name).to_owned(), Slot { socket, next_name: None });
            }
            ("close", [name]) => drop(self.sockets.remove(*name).ok_or_else(|| usage("no such socket"))?),
            (command, [name, words @ ..]) => {
                let slot = self.sockets.get_mut(*name).ok_or_else(|| usage("no such socket, or command"))?;
                return slot.obey(command, words);
            }
            _ => return Err(usage("unknown command")),
        }
        Ok(String::new())
    }
}

impl Slot {
    fn obey(&mut self, command: &str, words: &[&str]) -> Answer {
        match (command, words) {
            ("set", [option, value]) => self.set(option, value)?,
            ("bind", [endpoint]) => return Ok(format!(" {}", self.socket.bind(endpoint)?)),
            ("connect", [endpoint]) => self.socket.connect(endpoint, self.next_name.take())?,
            ("unbind" | "disconnect", [endpoint]) => self.socket.detach(endpoint)?,
            ("subscribe", [topic]) => {
                let topic = bytes(topic)?;
                self.socket.apply(|rules| rules.subscribe(&topic))?;
            }
            ("unsubscribe", [topic]) => {
                let topic = bytes(topic)?;
                self.socket.apply(|rules| rules.unsubscribe(&topic))?;
            }
            ("send", [limit, words @ ..]) => {
                let message = words.iter().map(|word| bytes(word)).collect::<Result<Message, _>>()?;
                self.socket.send(&message, millis(limit)?)?;
            }
            ("recv", [limit]) => return Ok(all_told(&self.socket.recv(millis(limit)?)?)),
            (command, [limit, rest @ ..]) => return self.talk(command, millis(limit)?, rest),
            _ => return Err(usage("unknown command, or not its words")),
        }
        Ok(String::new())
    }

    /// The commands that move many messages.
    fn talk(&self, command: &str, limit: Duration, words: &[&str]) -> Answer {
        let socket = &self.socket;
        match (command, words) {
            ("burst", [count, head @ ..]) => {
                let head = Head::new(head)?;
                for n in 0..number(count)? {
                    socket.send(&head.message(n), limit)?;
                }
            }
            ("fill", [count, head @ ..]) => {
                let (head, count) = (Head::new(head)?, number(count)?);
                for n in 0..count {
                    match socket.send(&head.message(n), limit) {
                        Err(Failure::Again) => return Ok(format!(" {n}")),
                        sent => sent?,
                    }
                }
                return Ok(format!(" {count}"));
            }
            ("expect", [count, head @ ..]) => {
                let head = Head::new(head)?;
                for n in 0..number(count)? {
                    head.check(n, &socket.recv(limit)?)?;
                }
            }
            ("take", [count, head @ ..]) => {
                let (_, first, last) = take(socket, limit, number(count)?, &Head::new(head)?)?;
                return Ok(format!(" {first} {last}"));
            }
            ("drain", head) => {
                return Ok(match take(socket, limit, u32::MAX, &Head::new(head)?)? {
                    (0, ..) => " 0 - -".to_owned(),
                    (count, first, last) => format!(" {count} {first} {last}"),
                });
            }
            ("request", [count, window, head @ ..]) => {
                let (count, window, head) = (number(count)?, number(window)?, Head::new(head)?);
                let mut sent = 0;
                for n in 0..count {
                    while sent < count.min(n.saturating_add(window)) {
                        socket.send(&head.message(sent), limit)?;
                        sent += 1;
                    }
                    head.check(n, &socket.recv(limit)?)?;
                }
            }
            ("echo", [count]) => {
                for _ in 0..number(count)? {
                    socket.send(&socket.recv(limit)?, limit)?;
                }
            }
            _ => return Err(usage("unknown command, or not its words")),
        }
        Ok(String::new())
    }

    /// Sets an option from libzmq's name and value.
    fn set(&mut self, option: &str, value: &str) -> Result<(), Refusal> {
        let limit = || number(value).map(|limit| if limit == 0 { usize::MAX } else { limit as usize });
        let time = || if value == "-1" { Ok(FOR_EVER) } else { millis(value) };
        type Change = Box<dyn FnOnce(&mut Options, &mut Timing)>;
        let change: Change = match option {
            "ROUTING_ID" => {
                let id = bytes(value)?;
                Box::new(|options, _| options.routing_id = id)
            }
            "CONNECT_ROUTING_ID" => {
                self.next_name = Some(bytes(value)?);
                return Ok(());
            }
            "SNDHWM" => {
                let limit = limit()?;
                Box::new(move |options, _| options.send_limit = limit)
            }
            "RCVHWM" => {
                let limit = limit()?;
                Box::new(move |options, _| options.receive_limit = limit)
            }
            "ROUTER_MANDATORY" => {
                let flag = number(value)? != 0;
                Box::new(move |options, _| options.mandatory = flag)
            }
            "ROUTER_HANDOVER" => {
                let flag = number(value)? != 0;
                Box::new(move |options, _| options.handover = flag)
            }
            "LINGER" => {
                let time = time()?;
                Box::new(move |_, timing| timing.linger = time)
            }
            "RECONNECT_IVL" => {
                let time = time()?;
                Box::new(move |_, timing| timing.reconnect = time)
            }
            "HANDSHAKE_IVL" => {
                let time = time()?;
                Box::new(move |_, timing| timing.handshake = time)
            }
            _ => return Err(usage("unknown option")),
        };
        self.socket.set(change);
        Ok(())
    }
}

/// Receives up to `count` numbered messages, whose numbers grow; how many came, the first number and the last. Where
/// fewer than `u32::MAX` are asked for, all of them must come.
fn take(socket: &Socket, limit: Duration, count: u32, head: &Head) -> Result<(u32, u32, u32), Refusal> {
    let (mut taken, mut first, mut last) = (0, 0, 0);
    while taken < count {
        let message = match socket.recv(limit) {
            Err(Failure::Again) if count == u32::MAX => break,
            received => received?,
        };
        let number = message.last().and_then(|frame| frame.first_chunk::<4>());
        let n = number.map(|number| u32::from_be_bytes(*number)).unwrap_or_default();
        head.check(n, &message)?;
        if taken > 0 && n <= last {
            return Err(Refusal { code: "order", text: format!("message {n} came after {last}") });
        }
        if taken == 0 {
            first = n;
        }
        last = n;
        taken += 1;
    }
    Ok((taken, first, last))
}

/// The frames before a numbered one; `None` stands for any.
struct Head(Vec<Option<Vec<u8>>>);

impl Head {
    fn new(words: &[&str]) -> Result<Head, Refusal> {
        let frames = words.iter().map(|word| if *word == "*" { Ok(None) } else { bytes(word).map(Some) });
        Ok(Head(frames.collect::<Result<_, _>>()?))
    }

    fn message(&self, n: u32) -> Message {
        self.0.iter().flatten().cloned().chain([numbered(n)]).collect()
    }

    fn check(&self, n: u32, message: &Message) -> Result<(), Refusal> {
        let heads =
            self.0.iter().zip(message).all(|(want, have)| want.as_ref().is_none_or(|want| want == have));
        if heads && message.len() == self.0.len() + 1 && message.last() == Some(&numbered(n)) {
            return Ok(());
        }
        Err(Refusal { code: "order", text: format!("message {n} is{}", all_told(message)) })
    }
}

fn all_told(message: &Message) -> String {
    message.iter().map(|frame| format!(" {}", told(frame))).collect()
}

fn bytes(word: &str) -> Result<Vec<u8>, Refusal> {
    frame(word).ok_or_else(|| usage("not a frame"))
}

fn number(word: &str) -> Result<u32, Refusal> {
    word.parse().map_err(|_| usage("not a number"))
}

fn millis(word: &str) -> Result<Duration, Refusal> {
    number(word).map(|ms| Duration::from_millis(ms.into()))
}

fn usage(text: &str) -> Refusal {
    Refusal { code: "usage", text: text.to_owned() }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Refusal {
        let (code, text) = match failure {
            Failure::Again => ("again", "the time is up".to_owned()),
            Failure::Refused(Rule::Unroutable) => ("unroutable", "nobody has this name".to_owned()),
            Failure::Refused(Rule::State) => ("state", "not in turn".to_owned()),
            Failure::Refused(Rule::Unsupported) => ("usage", "this type cannot do that".to_owned()),
            Failure::Io(error) => ("other", error.to_string()),
        };
        Refusal { code, text }
    }
}
