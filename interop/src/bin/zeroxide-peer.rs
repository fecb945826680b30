//! Zeroxide as a peer of the interop harness: see PROTOCOL.md.

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::time::Duration;

use interop::words::{frame, numbered, told};
use zeroxide::{
    AccessList, Context, Error, Message, Monitor, Options, Proxy, ProxyHandle, PublicKey, RoutingId, Secret,
    SecretKey, SendError, Socket, SocketStats, SocketType, Version, opt,
};

fn main() -> io::Result<()> {
    let mut peer = Peer {
        context: Context::new(),
        sockets: HashMap::new(),
        proxies: Vec::new(),
        user: None,
        client: None,
    };
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

struct Peer {
    context: Context,
    sockets: HashMap<String, Slot>,
    proxies: Vec<Forwarding>,
    /// Who comes in by PLAIN, with the password.
    user: Option<(String, Vec<u8>)>,
    /// Who comes in by CURVE.
    client: Option<PublicKey>,
}

/// A proxy that runs, and the names of its sockets.
struct Forwarding {
    front: String,
    back: String,
    handle: ProxyHandle,
}

/// A socket is made when it is first used: most of its options are read then.
struct Slot {
    socket_type: SocketType,
    options: Options,
    /// With what happens on it, for `status`.
    socket: Option<(Socket, Monitor)>,
}

/// An answer that is not ok.
struct Refusal {
    code: &'static str,
    text: String,
}

impl Peer {
    /// Does what a line says; what follows `ok`, each word with a space before it.
    fn obey(&mut self, line: &str) -> Result<String, Refusal> {
        let mut words = line.split(' ');
        let command = words.next().unwrap_or_default();
        let words: Vec<&str> = words.collect();
        match (command, &words[..]) {
            ("hello", ["1"]) => Ok(format!(" 1 zeroxide-{} tcp ipc", env!("CARGO_PKG_VERSION"))),
            ("quit", []) => {
                for proxy in self.proxies.drain(..) {
                    proxy.handle.stop()?;
                }
                self.sockets.clear();
                Ok(String::new())
            }
            ("socket", [name, socket_type]) => self.open(name, socket_type),
            ("close", [name]) => {
                let slot = self.sockets.remove(*name).ok_or_else(|| usage("no such socket"))?;
                slot.socket.map(|(socket, _)| socket.close().wait());
                Ok(String::new())
            }
            ("set", [name, option, value]) => {
                let slot = self.slot(name)?;
                slot.options = set(std::mem::take(&mut slot.options), option, value)?;
                Ok(String::new())
            }
            ("bind", [name, endpoint]) => {
                let (socket, _) = self.socket(name)?;
                Ok(format!(" {}", socket.bind(endpoint)?))
            }
            ("connect", [name, endpoint]) => {
                self.socket(name)?.0.connect(endpoint)?;
                Ok(String::new())
            }
            ("status", [name]) => {
                let (socket, events) = self.socket(name)?;
                Ok(status(socket, events))
            }
            ("tally", [name]) => Ok(tally(self.socket(name)?.0.stats())),
            ("zap", [mechanism, credentials @ ..]) => self.zap(mechanism, credentials),
            ("proxy", [front, back]) => self.proxy(front, back),
            ("counts", [name]) => self.counts(name),
            (_, [name, rest @ ..]) => {
                let (socket, _) = self.socket(name)?;
                talk(socket, command, rest)
            }
            _ => Err(usage("unknown command")),
        }
    }

    fn open(&mut self, name: &str, socket_type: &str) -> Result<String, Refusal> {
        let socket_type =
            SocketType::from_name(socket_type.as_bytes()).ok_or_else(|| usage("unknown socket type"))?;
        let options = Options::new().set(opt::LINGER, Some(Duration::ZERO));
        self.sockets.insert(name.to_owned(), Slot { socket_type, options, socket: None });
        Ok(String::new())
    }

    /// Sets who may come in, which the authenticator of sockets without a ZAP_DOMAIN decides.
    fn zap(&mut self, mechanism: &str, credentials: &[&str]) -> Result<String, Refusal> {
        match (mechanism, credentials) {
            ("PLAIN", [user, password]) => self.user = Some((text(user)?, bytes(password)?)),
            ("CURVE", [client]) => self.client = Some(PublicKey::from_bytes(key(client)?)),
            _ => return Err(usage("unknown mechanism, or not its credentials")),
        }
        let mut list = AccessList::new();
        if let Some((user, password)) = &self.user {
            list = list.plain_user(user, password.as_slice());
        }
        list = match self.client {
            Some(client) => list.curve_key(client),
            None => list.allow_any_curve_key(),
        };
        self.context.remove_authenticator("");
        self.context.authenticator("", list)?;
        Ok(String::new())
    }

    fn proxy(&mut self, front: &str, back: &str) -> Result<String, Refusal> {
        let (from, to) = (self.socket(front)?.0.clone(), self.socket(back)?.0.clone());
        let handle = Proxy::new(&from, &to).spawn()?;
        self.proxies.push(Forwarding { front: front.to_owned(), back: back.to_owned(), handle });
        Ok(String::new())
    }

    /// What the proxy of a socket has received there, sent there, and dropped instead of sending it there.
    fn counts(&self, name: &str) -> Result<String, Refusal> {
        let of = |proxy: &&Forwarding| proxy.front == name || proxy.back == name;
        let proxy = self.proxies.iter().find(of).ok_or_else(|| usage("no proxy has this socket"))?;
        // The counts are told between rounds, and a proxy that pauses has ended its round.
        proxy.handle.pause();
        let stats = proxy.handle.stats();
        proxy.handle.resume();
        let side = if proxy.front == name { stats.front } else { stats.back };
        Ok(format!(" {} {} {}", side.received.messages, side.sent.messages, side.dropped()))
    }

    fn slot(&mut self, name: &str) -> Result<&mut Slot, Refusal> {
        self.sockets.get_mut(name).ok_or_else(|| usage("no such socket"))
    }

    /// The socket, made now if it was not yet.
    fn socket(&mut self, name: &str) -> Result<&(Socket, Monitor), Refusal> {
        let context = self.context.clone();
        let slot = self.slot(name)?;
        if slot.socket.is_none() {
            let socket = context.socket_with(slot.socket_type, &slot.options)?;
            let events = socket.monitor();
            slot.socket = Some((socket, events));
        }
        slot.socket.as_ref().ok_or_else(|| usage("no such socket"))
    }
}

/// The commands that a socket alone can obey.
fn talk(socket: &Socket, command: &str, words: &[&str]) -> Result<String, Refusal> {
    match (command, words) {
        ("unbind", [endpoint]) => socket.unbind(endpoint)?,
        ("disconnect", [endpoint]) => socket.disconnect(endpoint)?,
        ("subscribe", [topic]) => socket.subscribe(bytes(topic)?)?,
        ("unsubscribe", [topic]) => socket.unsubscribe(bytes(topic)?)?,
        ("send", [limit, words @ ..]) => socket.send_timeout(message(words)?, millis(limit)?)?,
        ("recv", [limit]) => {
            let message = socket.recv_timeout(millis(limit)?)?;
            return Ok(message.iter().map(|frame| format!(" {}", told(frame))).collect());
        }
        ("burst", [limit, count, head @ ..]) => {
            let (limit, head) = (millis(limit)?, Head::new(head)?);
            for n in 0..number(count)? {
                socket.send_timeout(head.message(n), limit)?;
            }
        }
        ("expect", [limit, count, head @ ..]) => {
            let (limit, head) = (millis(limit)?, Head::new(head)?);
            for n in 0..number(count)? {
                head.check(n, &socket.recv_timeout(limit)?)?;
            }
        }
        ("take", [limit, count, head @ ..]) => return take(socket, millis(limit)?, number(count)?, head),
        ("drain", [limit, head @ ..]) => return drain(socket, millis(limit)?, head),
        ("fill", [limit, count, head @ ..]) => return fill(socket, millis(limit)?, number(count)?, head),
        ("request", [limit, count, window, head @ ..]) => {
            let (limit, count, window) = (millis(limit)?, number(count)?, number(window)?);
            let head = Head::new(head)?;
            let mut sent = 0;
            for n in 0..count {
                while sent < count.min(n.saturating_add(window)) {
                    socket.send_timeout(head.message(sent), limit)?;
                    sent += 1;
                }
                head.check(n, &socket.recv_timeout(limit)?)?;
            }
        }
        ("echo", [limit, count]) => {
            let limit = millis(limit)?;
            for _ in 0..number(count)? {
                let message = socket.recv_timeout(limit)?;
                socket.send_timeout(message, limit)?;
            }
        }
        _ => return Err(usage("unknown command, or not its words")),
    }
    Ok(String::new())
}

/// Receives `count` numbered messages; the numbers of the first and the last.
fn take(socket: &Socket, limit: Duration, count: u32, head: &[&str]) -> Result<String, Refusal> {
    let head = Head::new(head)?;
    let (mut first, mut last) = (None, None);
    for _ in 0..count {
        last = Some(head.next(&socket.recv_timeout(limit)?, last)?);
        first = first.or(last);
    }
    Ok(told_number(first) + &told_number(last))
}

/// Receives numbered messages until none has come for `limit`: how many, the numbers of the first and the last.
fn drain(socket: &Socket, limit: Duration, head: &[&str]) -> Result<String, Refusal> {
    let head = Head::new(head)?;
    let (mut count, mut first, mut last) = (0, None, None);
    loop {
        match socket.recv_timeout(limit) {
            Ok(message) => last = Some(head.next(&message, last)?),
            Err(Error::TimedOut(_) | Error::WouldBlock(_)) => break,
            Err(error) => return Err(error.into()),
        }
        first = first.or(last);
        count += 1;
    }
    Ok(format!(" {count}{}{}", told_number(first), told_number(last)))
}

/// Sends `count` numbered messages, or those that are taken within `limit` each; how many.
fn fill(socket: &Socket, limit: Duration, count: u32, head: &[&str]) -> Result<String, Refusal> {
    let head = Head::new(head)?;
    for n in 0..count {
        match socket.send_timeout(head.message(n), limit).map_err(|refused| refused.error) {
            Ok(()) => {}
            Err(Error::TimedOut(_) | Error::WouldBlock(_)) => return Ok(format!(" {n}")),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(format!(" {count}"))
}

fn told_number(n: Option<u32>) -> String {
    n.map_or_else(|| " -".to_owned(), |n| format!(" {n}"))
}

/// What the socket can say about itself, and what has happened on it since it was last asked.
fn status(socket: &Socket, events: &Monitor) -> String {
    let mut words = format!(" {}", socket.status());
    while let Ok(event) = events.try_recv() {
        words += &format!("\n{} {} {:?}", event.connection, event.remote, event.kind);
    }
    words.replace('\n', " | ")
}

/// What became of the messages that the socket was given.
fn tally(stats: SocketStats) -> String {
    let SocketStats { accepted, unmatched, written, queued, dropped, .. } = stats;
    format!(" {accepted} {unmatched} {written} {queued} {}", dropped.routed())
}

/// The frames before a numbered one; `None` stands for any.
struct Head(Vec<Option<Vec<u8>>>);

impl Head {
    fn new(words: &[&str]) -> Result<Head, Refusal> {
        let frames = words.iter().map(|word| if *word == "*" { Ok(None) } else { bytes(word).map(Some) });
        Ok(Head(frames.collect::<Result<_, _>>()?))
    }

    fn message(&self, n: u32) -> Message {
        let mut message: Message = self.0.iter().flatten().cloned().map(zeroxide::Frame::from).collect();
        message.push_back(numbered(n));
        message
    }

    /// The number of a message, which must be greater than `last`.
    fn next(&self, message: &Message, last: Option<u32>) -> Result<u32, Refusal> {
        let number = message.iter().last().and_then(|frame| frame.get(..4)?.try_into().ok());
        let n = number.map_or(0, u32::from_be_bytes);
        self.check(n, message)?;
        match last {
            Some(last) if n <= last => {
                Err(Refusal { code: "order", text: format!("message {n} came after {last}") })
            }
            _ => Ok(n),
        }
    }

    fn check(&self, n: u32, message: &Message) -> Result<(), Refusal> {
        let heads = self.0.iter().zip(message.iter());
        let same = message.len() == self.0.len() + 1
            && heads.into_iter().all(|(want, have)| want.as_deref().is_none_or(|want| want == &have[..]))
            && message[self.0.len()] == numbered(n)[..];
        if same {
            return Ok(());
        }
        let frames: Vec<String> = message.iter().map(|frame| told(frame)).collect();
        Err(Refusal { code: "order", text: format!("message {n} is {}", frames.join(" ")) })
    }
}

/// Sets an option from libzmq's name and value.
fn set(options: Options, option: &str, value: &str) -> Result<Options, Refusal> {
    let time = || millis(value);
    let flag = || Ok::<_, Refusal>(number(value)? != 0);
    let time_unless_0 = || time().map(|time| Some(time).filter(|time| !time.is_zero()));
    // libzmq's -1.
    let time_or_none = || if value == "-1" { Ok(None) } else { time().map(Some) };
    let id = || RoutingId::new(bytes(value)?).map_err(|_| usage("not a routing id"));
    let options = match option {
        "SNDHWM" => options.set(opt::SNDHWM, number(value)?),
        "RCVHWM" => options.set(opt::RCVHWM, number(value)?),
        "SNDBUF" => options.set(opt::SNDBUF, Some(number(value)?)),
        "RCVBUF" => options.set(opt::RCVBUF, Some(number(value)?)),
        "LINGER" => options.set(opt::LINGER, time_or_none()?),
        "IMMEDIATE" => options.set(opt::IMMEDIATE, flag()?),
        "CONFLATE" => options.set(opt::CONFLATE, flag()?),
        "ROUTING_ID" => options.set(opt::ROUTING_ID, id()?),
        "CONNECT_ROUTING_ID" => options.set(opt::CONNECT_ROUTING_ID, id()?),
        "RECONNECT_IVL" => options.set(opt::RECONNECT_IVL, time_or_none()?),
        "RECONNECT_IVL_MAX" => options.set(opt::RECONNECT_IVL_MAX, Some(time()?)),
        "HANDSHAKE_IVL" => options.set(opt::HANDSHAKE_IVL, time_unless_0()?),
        "HEARTBEAT_IVL" => options.set(opt::HEARTBEAT_IVL, time_unless_0()?),
        "HEARTBEAT_TIMEOUT" => options.set(opt::HEARTBEAT_TIMEOUT, time_or_none()?),
        "HEARTBEAT_TTL" => options.set(opt::HEARTBEAT_TTL, time()?),
        "MAXMSGSIZE" if value == "-1" => options.set(opt::MAXMSGSIZE, None),
        "MAXMSGSIZE" => options.set(opt::MAXMSGSIZE, Some(number(value)?.into())),
        "MIN_VERSION" => options.set(opt::MIN_VERSION, version(value)?),
        "ROUTER_MANDATORY" => options.set(opt::ROUTER_MANDATORY, flag()?),
        "ROUTER_HANDOVER" => options.set(opt::ROUTER_HANDOVER, flag()?),
        "PROBE_ROUTER" => options.set(opt::PROBE_ROUTER, flag()?),
        "REQ_CORRELATE" => options.set(opt::REQ_CORRELATE, flag()?),
        "REQ_RELAXED" => options.set(opt::REQ_RELAXED, flag()?),
        "XPUB_VERBOSE" => options.set(opt::XPUB_VERBOSE, flag()?),
        "XPUB_VERBOSER" => options.set(opt::XPUB_VERBOSER, flag()?),
        "XPUB_NODROP" => options.set(opt::XPUB_NODROP, flag()?),
        "XPUB_WELCOME_MSG" => options.set(opt::XPUB_WELCOME_MSG, Some(bytes(value)?.into())),
        "PLAIN_SERVER" => as_libzmq(options).set(opt::PLAIN_SERVER, flag()?),
        "PLAIN_USERNAME" => options.set(opt::PLAIN_USERNAME, text(value)?),
        "PLAIN_PASSWORD" => options.set(opt::PLAIN_PASSWORD, Secret::new(bytes(value)?)),
        "CURVE_SERVER" => as_libzmq(options).set(opt::CURVE_SERVER, flag()?),
        "CURVE_PUBLICKEY" => options.set(opt::CURVE_PUBLICKEY, PublicKey::from_bytes(key(value)?)),
        "CURVE_SECRETKEY" => options.set(opt::CURVE_SECRETKEY, SecretKey::from_bytes(key(value)?)),
        "CURVE_SERVERKEY" => options.set(opt::CURVE_SERVERKEY, PublicKey::from_bytes(key(value)?)),
        "ZAP_DOMAIN" => as_libzmq(options).set(opt::ZAP_DOMAIN, text(value)?),
        _ => return Err(usage("unknown option")),
    };
    options.check().map_err(|error| usage(&error.to_string()))?;
    Ok(options)
}

/// A revision of ZMTP, such as `2.0`; the option is Zeroxide's own.
fn version(word: &str) -> Result<Version, Refusal> {
    match word {
        "1.0" => Ok(Version::V1_0),
        "2.0" => Ok(Version::V2_0),
        "3.0" => Ok(Version::V3_0),
        "3.1" => Ok(Version::V3_1),
        _ => Err(usage("no revision of ZMTP")),
    }
}

/// Where there is no handler, peers come in as they do with libzmq: with NULL and with any key of CURVE.
fn as_libzmq(options: Options) -> Options {
    options.set(opt::AUTH_REQUIRED, false).set(opt::ZAP_ENFORCE_DOMAIN, false)
}

fn text(word: &str) -> Result<String, Refusal> {
    String::from_utf8(bytes(word)?).map_err(|_| usage("not text"))
}

/// The 32 bytes of a key.
fn key(word: &str) -> Result<[u8; 32], Refusal> {
    bytes(word)?.try_into().map_err(|_| usage("not a key of 32 bytes"))
}

fn message(words: &[&str]) -> Result<Message, Refusal> {
    let frames: Vec<Vec<u8>> = words.iter().map(|word| bytes(word)).collect::<Result<_, _>>()?;
    Ok(frames.into())
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

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        let code = match &error {
            Error::WouldBlock(_) | Error::TimedOut(_) => "again",
            Error::Unroutable { .. } => "unroutable",
            Error::WrongState { .. } => "state",
            Error::NotSupported { .. } | Error::Option(_) => "usage",
            _ => "other",
        };
        Refusal { code, text: error.to_string() }
    }
}

impl From<SendError> for Refusal {
    fn from(refused: SendError) -> Refusal {
        refused.error.into()
    }
}
