//! An application with one socket: what it sends and receives, and what it knows of it.

mod tasks;

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::time::Duration;

use zeroxide::{
    Context, EndpointState, Error, Message, Monitor, Options, PipeStats, RoutingId, SendError, Socket,
    SocketStats, SocketType, opt,
};

use crate::bytes::{Connections, pack};
use crate::fault::{Checked, Fault};
use crate::ledger::{FIRST, Label, Parsed, Received, Shape};
use crate::task::Task;

/// How a call waits.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wait {
    No,
    /// At most so long.
    For(Duration),
}

/// To whom the next reply goes.
#[derive(Clone, Debug)]
enum Asker {
    /// The socket knows.
    Last,
    Id(RoutingId, Message),
    Number(u32),
}

/// Messages beside those of applications that a session has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extra {
    None,
    /// HELLO_MSG, DISCONNECT_MSG, HICCUP_MSG and ROUTER_NOTIFY.
    Hello,
    /// PROBE_ROUTER.
    Probe,
    /// XPUB_WELCOME_MSG.
    Welcome,
}

/// An application.
#[derive(Debug)]
pub(crate) struct Actor {
    pub(crate) name: String,
    pub(crate) context: Context,
    /// Nobody else uses its context.
    pub(crate) has_own_context: bool,
    pub(crate) options: Options,
    pub(crate) socket: Socket,
    /// The endpoints that it connects to, or the one that it has bound.
    pub(crate) endpoints: Vec<String>,
    pub(crate) bound: bool,
    /// The endpoint of a hostile peer that it connects to.
    trap: Option<String>,
    /// It says with each connect which routing id the peer has (CONNECT_ROUTING_ID).
    pub(crate) names_peers: bool,
    /// Its messages have an empty frame in front, for the sake of a REQ or REP at the other end.
    pub(crate) enveloped: bool,
    /// Another one has the same routing id, and may get replies to this one.
    pub(crate) shares_id: bool,
    /// Its messages are small.
    pub(crate) small: bool,
    /// What it receives comes through others, whose connections may be lost: its order is not promised.
    pub(crate) far: bool,
    pub(crate) extra: Extra,
    /// The number by which its messages name it, and those that it had before. Replies to these may still come.
    pub(crate) life: u32,
    lives: Vec<u32>,
    next: u32,
    pub(crate) received: Received,
    /// Connections whose HELLO_MSG has come.
    greeted: HashSet<u64>,
    /// The numbers of peers whose HELLO_MSG has come (PEER).
    numbers: Vec<u32>,
    /// The connections of a STREAM.
    connections: Connections,
    /// How often it has subscribed to each topic.
    topics: BTreeMap<u8, u32>,
    /// The topics that it has left since it received something.
    left: Vec<u8>,
    /// The requests that it owes a reply to.
    owed: VecDeque<(Asker, Label)>,
    /// The request of a REQ that has no reply, and the connection that it went to if that is known.
    pub(crate) asked: Option<Label>,
    asked_at: Option<u64>,
    /// Messages of ours that it has sent.
    pub(crate) sent: u64,
    /// The last one found no room.
    is_full: bool,
    /// Its tasks, and the messages of those that ended without sending them.
    pub(crate) tasks: Vec<Task>,
    has_had_tasks: bool,
    pub(crate) unsent: Vec<Label>,
    /// What happens to its socket, where somebody looks.
    pub(crate) events: Option<Monitor>,
    /// Two monitors of its socket: for tasks, and to compare.
    twins: Option<(Monitor, Monitor)>,
}

impl Actor {
    pub(crate) fn new(
        name: String,
        context: Context,
        t: SocketType,
        options: Options,
        life: u32,
    ) -> Checked<Actor> {
        let socket = open(&context, t, &options)?;
        let topics = if t.resubscribes() { BTreeMap::from([(FIRST, 1)]) } else { BTreeMap::new() };
        Ok(Actor {
            name,
            context,
            has_own_context: false,
            options,
            socket,
            endpoints: Vec::new(),
            bound: false,
            trap: None,
            names_peers: false,
            enveloped: false,
            shares_id: false,
            small: false,
            far: false,
            extra: Extra::None,
            life,
            lives: vec![life],
            next: 0,
            received: Received::default(),
            greeted: HashSet::new(),
            numbers: Vec::new(),
            connections: Connections::default(),
            topics,
            left: Vec::new(),
            owed: VecDeque::new(),
            asked: None,
            asked_at: None,
            sent: 0,
            is_full: false,
            tasks: Vec::new(),
            has_had_tasks: false,
            unsent: Vec::new(),
            events: None,
            twins: None,
        })
    }

    /// Opens a new socket in the place of the last, which is closed.
    pub(crate) fn open_anew(&mut self, life: u32) -> Checked {
        let (t, watched, has_twins) = (self.socket_type(), self.events.is_some(), self.twins.is_some());
        self.socket = open(&self.context, t, &self.options)?;
        self.begin_life(life);
        self.greeted.clear();
        self.numbers.clear();
        self.connections = Connections::default();
        self.topics = if t.resubscribes() { BTreeMap::from([(FIRST, 1)]) } else { BTreeMap::new() };
        self.left.clear();
        (self.asked, self.trap) = (None, None);
        self.owed.clear();
        self.watch(watched);
        self.monitor_for_tasks(has_twins);
        self.open_endpoints()
    }

    /// Lets tasks wait for what happens to its socket.
    pub(crate) fn monitor_for_tasks(&mut self, wanted: bool) {
        self.twins = wanted.then(|| (self.socket.monitor(), self.socket.monitor()));
    }

    /// Takes another routing id. Replies to what it has sent are no longer for it.
    pub(crate) fn take_id(&mut self, id: RoutingId) {
        self.options = self.options.clone().set(opt::ROUTING_ID, id);
        self.lives.clear();
    }

    /// Keeps the events of its socket, if somebody looks.
    pub(crate) fn watch(&mut self, wanted: bool) {
        self.events = wanted.then(|| self.socket.monitor());
    }

    /// Binds or connects to all its endpoints.
    pub(crate) fn open_endpoints(&mut self) -> Checked {
        for at in 0..self.endpoints.len() {
            self.open_endpoint(&self.endpoints[at])?;
        }
        Ok(())
    }

    pub(crate) fn open_endpoint(&self, endpoint: &str) -> Checked {
        let opened = match (self.bound, self.names_peers) {
            (true, _) => self.socket.bind(endpoint),
            (false, false) => self.socket.connect(endpoint),
            (false, true) => {
                let id =
                    RoutingId::new(format!("at {endpoint}")).map_err(|error| self.fault("an id", error))?;
                self.socket.connect_with(endpoint, &Options::new().set(opt::CONNECT_ROUTING_ID, id))
            }
        };
        opened.map(drop).map_err(|error| self.fault("an endpoint can be opened", error))
    }

    pub(crate) fn close_endpoint(&self, endpoint: &str) -> Checked {
        let closed = if self.bound { self.socket.unbind(endpoint) } else { self.socket.disconnect(endpoint) };
        closed.map_err(|error| self.fault("an endpoint can be closed", error))
    }

    /// Connects to a hostile peer, too.
    pub(crate) fn fall_into(&mut self, trap: &str) -> Checked {
        self.socket.connect(trap).map_err(|error| self.fault("an endpoint can be opened", error))?;
        self.trap = Some(trap.to_owned());
        Ok(())
    }

    /// Ends its connection to a hostile peer.
    pub(crate) fn escape(&mut self) {
        if let Some(trap) = self.trap.take() {
            // RECONNECT_STOP may have ended it.
            let _ = self.socket.disconnect(&*trap);
        }
    }

    /// Whether all its endpoints have their peer. One that has given up (RECONNECT_STOP) is connected once more.
    pub(crate) fn is_connected(&self) -> bool {
        let rows = self.socket.endpoints();
        let connected = |endpoint: &String| {
            let row = rows.iter().find(|row| row.endpoint.to_string() == *endpoint);
            if row.is_some_and(|row| row.to_string().contains("not dialled again")) {
                let _ = self.socket.connect(&**endpoint);
            }
            row.is_some_and(|row| row.bound || matches!(row.state, EndpointState::Connected { .. }))
        };
        self.endpoints.iter().all(connected)
    }

    /// Whether what is unsent when it closes has a second, and nothing is replaced by newer messages.
    pub(crate) fn keeps_last_words(&self) -> bool {
        self.options.get(opt::LINGER).is_none() && self.options.get(opt::CONFLATE).is_none()
    }

    /// Subscribes to a topic, or unsubscribes.
    pub(crate) fn change_topic(&mut self, topic: u8, wanted: bool) {
        // It may be joined or left already.
        let done = subscribe(&self.socket, topic, wanted).is_ok();
        let joins = self.socket_type() == SocketType::Dish;
        let count = self.topics.entry(topic).or_default();
        if done && !wanted {
            self.left.push(topic);
        }
        *count = match (done, wanted) {
            (false, _) => *count,
            (true, true) if joins => 1,
            (true, true) => *count + 1,
            (true, false) => count.saturating_sub(1),
        };
    }

    pub(crate) fn wants(&self, topic: u8) -> bool {
        self.topics.get(&topic).is_some_and(|count| *count > 0)
    }

    /// Whether exactly so many peers of this publisher are subscribed to a topic.
    pub(crate) fn has_subscribers(&self, topic: u8, count: usize) -> bool {
        let at_least = |count| self.socket.wait_for_subscribers([topic], count, Duration::ZERO).is_ok();
        at_least(count) && !at_least(count + 1)
    }

    pub(crate) fn socket_type(&self) -> SocketType {
        self.socket.socket_type()
    }

    fn shape(&self) -> Shape {
        let t = self.socket_type();
        Shape { single: t.has_single_frames() || t.is_raw(), small: self.small }
    }

    /// Whether it sends without having been asked.
    pub(crate) fn initiates(&self) -> bool {
        let t = self.socket_type();
        t.sends() && !t.resubscribes() && !self.replies()
    }

    /// Whether it sends only what it is asked for.
    pub(crate) fn replies(&self) -> bool {
        match self.socket_type() {
            SocketType::Rep | SocketType::Router | SocketType::Server => true,
            SocketType::Peer | SocketType::Stream => self.bound,
            _ => false,
        }
    }

    /// Begins a new life: from now on its messages may take another way than those before.
    pub(crate) fn begin_life(&mut self, life: u32) {
        (self.life, self.next) = (life, 0);
        self.lives.push(life);
    }

    /// Receives all there is, and replies; returns whether there was anything to do.
    pub(crate) fn serve(&mut self) -> Checked<bool> {
        let mut busy = self.poll_tasks()? | self.reply(Wait::No)?;
        while self.receive(Wait::No)? {
            busy = true;
            self.reply(Wait::No)?;
        }
        Ok(busy)
    }

    /// Whether a message waits at its socket, perhaps one that is no message for it.
    pub(crate) fn has_input(&self) -> bool {
        self.socket_type().receives()
            && self.socket.stats().pipes.iter().any(|pipe| pipe.received.waiting > 0)
    }

    /// How many messages it has sent in this life.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    fn fault(&self, rule: &'static str, text: impl std::fmt::Display) -> Fault {
        Fault::new(rule, format!("{} ({}): {text}", self.name, self.socket_type()))
    }

    /// Sends a message; returns its label if the socket took it.
    pub(crate) fn send(&mut self, topic: u8, wait: Wait) -> Checked<Option<Label>> {
        let t = self.socket_type();
        if self.asks_as_task() {
            return Ok(None);
        }
        let label = Label { sender: self.life, number: self.next };
        let Some(message) = self.compose(label, topic) else { return Ok(None) };
        let before = if t == SocketType::Req { self.routed() } else { BTreeMap::new() };
        let sent = self.pass_on(message, wait)?;
        if !sent && !self.is_full && t == SocketType::Peer {
            self.numbers.pop();
        }
        if sent && t == SocketType::Req {
            self.asked = Some(label);
            let grown =
                |(connection, routed): &(u64, u64)| before.get(connection).is_some_and(|n| n < routed);
            self.asked_at = self.routed().into_iter().find(grown).map(|(connection, _)| connection);
        }
        Ok(sent.then_some(label))
    }

    /// The message of a label, as its socket takes it; `None` if no peer is known that it could be addressed to.
    fn compose(&mut self, label: Label, topic: u8) -> Option<Message> {
        let t = self.socket_type();
        let mut message = label.message(topic, self.shape(), None);
        if self.enveloped {
            message.push_front("");
        }
        if t.has_groups() {
            message = message.with_group([topic].to_vec());
        }
        match t {
            SocketType::Peer => Some(message.with_routing_id(*self.numbers.last()?)),
            SocketType::Stream => {
                let mut packed = pack(&message);
                packed.push_front(self.connections.next()?.to_frame());
                Some(packed)
            }
            _ => Some(message),
        }
    }

    /// How many messages went to each connection.
    fn routed(&self) -> BTreeMap<u64, u64> {
        let pipes = self.socket.stats().pipes.into_iter();
        pipes.filter_map(|pipe| Some((pipe.peer?.connection, pipe.routed))).collect()
    }

    /// Sends a reply that it owes, if it owes one.
    /// Returns whether it did.
    pub(crate) fn reply(&mut self, wait: Wait) -> Checked<bool> {
        let Some((asker, request)) = self.owed.pop_front() else { return Ok(false) };
        let label = Label { sender: self.life, number: self.next };
        let mut message = label.message(FIRST, self.shape(), Some(request));
        match &asker {
            Asker::Last => {}
            Asker::Id(id, envelope) => {
                if self.socket_type().is_raw() {
                    message = pack(&message);
                }
                if self.enveloped {
                    message.push_front("");
                }
                envelope.iter().rev().for_each(|frame| message.push_front(frame.clone()));
                message.push_front(id.to_frame());
            }
            Asker::Number(number) => message = message.with_routing_id(*number),
        }
        let sent = self.pass_on(message, wait)?;
        if !sent && self.is_full {
            // Others have their turn first.
            self.owed.push_back((asker, request));
        }
        Ok(sent)
    }

    fn pass_on(&mut self, message: Message, wait: Wait) -> Checked<bool> {
        self.is_full = false;
        let sent = match wait {
            Wait::No => self.socket.try_send(message),
            Wait::For(limit) => self.socket.send_timeout(message, limit),
        };
        match sent {
            Ok(()) => {
                self.next += 1;
                self.sent += 1;
                Ok(true)
            }
            Err(SendError { error, .. }) => match error {
                Error::WouldBlock(_) | Error::TimedOut(_) => {
                    self.is_full = true;
                    Ok(false)
                }
                Error::WrongState { .. } | Error::Unroutable { .. } => Ok(false),
                error => Err(self.fault("a send fails for a known cause alone", error)),
            },
        }
    }

    /// Receives one message; `false` if there is none.
    pub(crate) fn receive(&mut self, wait: Wait) -> Checked<bool> {
        if !self.socket_type().receives() || !self.owed.is_empty() && self.socket_type().answers() {
            return Ok(false);
        }
        if self.asks_as_task() {
            return Ok(false);
        }
        let received = match wait {
            // A message wakes one, and no task goes on while this thread waits.
            _ if !self.tasks.is_empty() => self.socket.try_recv(),
            Wait::No => self.socket.try_recv(),
            Wait::For(limit) => self.socket.recv_timeout(limit),
        };
        let message = match received {
            Ok(message) => message,
            Err(Error::WouldBlock(_) | Error::TimedOut(_) | Error::WrongState { .. }) => return Ok(false),
            Err(error) => return Err(self.fault("a receive fails for a known cause alone", error)),
        };
        self.take(message)?;
        Ok(true)
    }

    fn take(&mut self, mut message: Message) -> Checked {
        let t = self.socket_type();
        let connection = message.peer().map_or(0, |peer| peer.connection);
        if t == SocketType::Req {
            self.check_replier(connection)?;
        }
        let number = message.routing_id();
        let id = if t.addresses() { message.pop_front() } else { None };
        let id = id.map(|id| RoutingId::as_written(&id));
        if let Some(id) = id.as_ref().filter(|_| t.is_raw()) {
            let bytes = message.first().cloned().unwrap_or_default();
            let whole = self.connections.take(id.as_bytes(), &bytes);
            let whole = whole.map_err(|text| self.fault("bytes come between begin and end", text))?;
            let asker = || Asker::Id(id.clone(), Message::new());
            return whole.iter().try_for_each(|message| self.take_whole(message, asker(), connection));
        }
        let mut envelope = Message::new();
        if self.enveloped {
            (envelope, message) = message.split_envelope();
        }
        let asker = match id {
            Some(id) => Asker::Id(id, envelope),
            None if number != 0 => Asker::Number(number),
            None => Asker::Last,
        };
        self.take_whole(&message, asker, connection)
    }

    fn take_whole(&mut self, message: &Message, asker: Asker, connection: u64) -> Checked {
        let t = self.socket_type();
        let parsed = match Label::parse(message, self.shape()) {
            Some(parsed) => parsed.map_err(|text| self.fault("a message is whole", text))?,
            None => return self.take_other(message, &asker, connection),
        };
        let topic = message.first().and_then(|frame| frame.first().copied()).unwrap_or_default();
        // Where several wait, whoever receives a message looks for the next one, as a poll does. That one is received, whatever is
        // unsubscribed then.
        let left = std::mem::take(&mut self.left);
        let was_found = self.has_had_tasks && left.contains(&topic);
        if matches!(t, SocketType::Sub | SocketType::Dish) && !self.wants(topic) && !was_found {
            return Err(
                self.fault("a subscriber receives what it has subscribed to", format!("topic {topic}"))
            );
        }
        // What a connecting socket receives late names the connection that its endpoint has now.
        let is_exact = self.bound && connection != 0 && self.options.get(opt::CONFLATE).is_none();
        if self.extra == Extra::Hello && is_exact && !self.greeted.contains(&connection) {
            return Err(self.fault("HELLO_MSG comes first", format!("{parsed:?}")));
        }
        self.note(parsed, connection)?;
        if self.replies() {
            self.owed.push_back((asker, parsed.label));
        }
        Ok(())
    }

    /// A notice, a subscription, or what a hostile peer has sent.
    fn take_other(&mut self, message: &Message, asker: &Asker, connection: u64) -> Checked {
        if self.socket_type().answers() {
            // Whoever it was gets an answer, too, for the next request to be read.
            let _ = self.socket.try_send("");
        }
        let first = message.first().map(|frame| frame.to_vec()).unwrap_or_default();
        match (self.extra, &*first) {
            (Extra::Hello, b"hello") => {
                self.greeted.insert(connection);
                if let Asker::Number(number) = asker {
                    self.numbers.push(*number);
                }
            }
            (Extra::Probe, b"") | (Extra::Welcome, b"A welcome") => self.received.count += 1,
            _ => {}
        }
        if self.options.get(opt::XPUB_MANUAL) == Some(true) {
            match &*first {
                [1, topic @ ..] => drop(self.socket.subscribe(topic)),
                [0, topic @ ..] => drop(self.socket.unsubscribe(topic)),
                _ => {}
            }
        }
        Ok(())
    }

    /// A reply comes from the peer that was asked, if that is still there.
    fn check_replier(&mut self, connection: u64) -> Checked {
        let asked = self.asked_at.take().filter(|asked| *asked != connection);
        match asked.filter(|asked| self.routed().contains_key(asked)) {
            None => Ok(()),
            Some(asked) => {
                Err(self.fault("only who was asked replies", format!("{connection} in place of {asked}")))
            }
        }
    }

    fn note(&mut self, parsed: Parsed, connection: u64) -> Checked {
        let path = if self.far { self.received.count } else { connection };
        self.received
            .note(parsed.label, path)
            .map_err(|text| self.fault("a message comes once, in order", text))?;
        let t = self.socket_type();
        if t == SocketType::Req {
            let numbered = self.options.get(opt::REQ_RELAXED) != Some(true)
                || self.options.get(opt::REQ_CORRELATE) == Some(true);
            if numbered && parsed.reply_to != self.asked {
                let text = format!("asked {:?}, the reply is to {:?}", self.asked, parsed.reply_to);
                return Err(self.fault("a reply is to the request", text));
            }
            self.asked = None;
        } else if let Some(asked) = self.misled(parsed) {
            let text = format!("{asked:?} is of another, its own lives are {:?}", self.lives);
            return Err(self.fault("a reply reaches who asked", text));
        }
        Ok(())
    }

    /// The request of another one, to which this is the reply.
    fn misled(&self, parsed: Parsed) -> Option<Label> {
        parsed.reply_to.filter(|asked| !self.shares_id && !self.lives.contains(&asked.sender))
    }

    /// How it fares, for a report.
    pub(crate) fn summary(&self) -> String {
        let mut text = format!("{} ({}), life {}:", self.name, self.socket_type(), self.life);
        for row in self.socket.endpoints() {
            let state = format!("{:?}", row.state);
            text +=
                &format!(" {} {}, {} attempts;", row.endpoint, &state[..state.len().min(120)], row.attempts);
        }
        let stats = self.socket.stats();
        let pipe = |pipe: &PipeStats| {
            let peer = pipe.peer.as_ref().map_or(0, |peer| peer.connection);
            format!(
                "{peer}: {} routed, {} queued, {} waiting",
                pipe.routed, pipe.queued, pipe.received.waiting
            )
        };
        let pipes: Vec<String> = stats.pipes.iter().map(pipe).collect();
        text += &format!(
            " {} accepted, {} refused, {} routed, {} written, {:?}; {} received; pipes {pipes:?}",
            stats.accepted, stats.refused, stats.routed, stats.written, stats.dropped, self.received.count
        );
        text
    }

    /// Whether a pipe belongs to an accepted connection that is lost. Nobody else comes to it.
    fn is_for_who_is_gone(&self, pipe: &PipeStats) -> bool {
        let connection = pipe.peer.as_ref().map_or(0, |peer| peer.connection);
        let is_there = || self.socket.peers().iter().any(|peer| peer.connection == connection);
        self.bound && connection != 0 && !is_there()
    }

    /// Whether its counters add up.
    pub(crate) fn check(&self) -> Checked<SocketStats> {
        let stats = self.socket.stats();
        let balanced =
            |routed: u64, written: u64, dropped: u64, queued: u64| routed == written + dropped + queued;
        let rule = "what is routed is written, dropped or queued";
        for pipe in &stats.pipes {
            if !balanced(pipe.routed, pipe.written, pipe.dropped.routed(), pipe.queued) {
                return Err(self.fault(rule, format!("{pipe:?}")));
            }
            if pipe.queued > 0 && self.is_for_who_is_gone(pipe) {
                return Err(self.fault("nothing is queued for who is gone", format!("{pipe:?}")));
            }
        }
        if !balanced(stats.routed, stats.written, stats.dropped.routed(), stats.queued) {
            return Err(self.fault(rule, format!("{stats:?}")));
        }
        let adds_up = |received: &zeroxide::Received| {
            received.messages == received.delivered + received.dropped.total() + received.waiting
        };
        if !stats.pipes.iter().map(|pipe| &pipe.received).chain([&stats.received]).all(adds_up) {
            return Err(self.fault("what is received is delivered, dropped or waits", format!("{stats:?}")));
        }
        Ok(stats)
    }
}

fn open(context: &Context, t: SocketType, options: &Options) -> Checked<Socket> {
    let failed = |error: Error| Fault::new("a socket can be made", error.to_string());
    let socket = context.socket_with(t, options).map_err(failed)?;
    if t.resubscribes() {
        subscribe(&socket, FIRST, true).map_err(failed)?;
    }
    Ok(socket)
}

/// Subscribes to a topic, or unsubscribes; joins or leaves a group.
fn subscribe(socket: &Socket, topic: u8, wanted: bool) -> Result<(), Error> {
    match (socket.socket_type(), wanted) {
        (SocketType::Dish, true) => socket.join([topic]),
        (SocketType::Dish, false) => socket.leave([topic]),
        (SocketType::XSub, _) => Ok(socket.try_send(&[u8::from(wanted), topic])?),
        (_, true) => socket.subscribe([topic]),
        (_, false) => socket.unsubscribe([topic]),
    }
}
