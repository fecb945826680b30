//! One connection: greeting, handshake, framing and heartbeats as a machine without I/O.
//!
//! Verbs: [`Connection::decode`] takes input, the `poll_*` methods are pulled until they give nothing,
//! [`Connection::handle_timeout`] follows [`Connection::poll_timeout`], and `now` is always an argument.
//!
//! **Order of life**: greeting → handshake → [`Connection::poll_ready`] → traffic. No byte that a peer sends as
//! traffic is looked at before `poll_ready` was taken, and none is accepted before [`Connection::is_ready`].
//!
//! **The gate**: with [`Config::authorise`] the handshake stops when the peer has shown who it is, until
//! [`Connection::decide`] says that it may come in. With [`Config::selects`] it stops once more before our READY.

mod introduction;
mod pongs;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::command::Command;
use crate::decoder::{Decoder, Item, Limits, Phase};
use crate::encoder::{Outbox, Wire};
use crate::error::{CommandKind, ConnectionError, ProtocolError};
use crate::frame::{Framing, Header};
use crate::gate::{Admitted, Credentials, Decision, Gate, Status};
use crate::greeting::{Greeted, Greeting};
use crate::heartbeat::{Due, Heartbeat, tenths};
use crate::mechanism::{Channel, Mechanism, Step, Told, secret};
use crate::{Config, Frame, Message, SocketType, Traffic, Version, groups, raw};

use introduction::Introduced;
pub use introduction::Introduction;
use pongs::Pongs;

/// What is known of the peer when the handshake is over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Established {
    /// The version spoken; `None` for a raw connection.
    pub version: Option<Version>,
    /// The peer's socket type, where it told.
    pub socket_type: Option<SocketType>,
    /// The routing id that it announced; empty for none. Always its own, whatever `Identity` the authoriser gives: in libzmq
    /// it is the one of the two that comes last, which under NULL and CURVE depends on how fast the ZAP handler is.
    pub routing_id: Bytes,
    /// Its further properties, names as it spelled them.
    pub properties: Vec<(String, Bytes)>,
    /// The user that authentication found; empty for none.
    pub user_id: String,
}

impl Established {
    /// What the peer told and what the authoriser said; where both name a property, the authoriser's counts.
    fn new(version: Option<Version>, told: Told, admitted: Admitted) -> Established {
        let Admitted { user_id, metadata: mut properties, .. } = admitted;
        for (name, value) in told.properties {
            if !properties.iter().any(|(known, _)| known.eq_ignore_ascii_case(&name)) {
                properties.push((name, value));
            }
        }
        let (socket_type, routing_id) = (told.socket_type, told.routing_id);
        Established { version, socket_type, routing_id, properties, user_id }
    }
}

/// How far a connection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The peer's greeting, or the identity frame of one below 3.0, is not complete.
    Greeting,
    /// Greetings are exchanged; the mechanism is at work.
    Mechanism,
    /// The peer has shown who it is; a decision about it is awaited, or made and not yet answered by the peer.
    Authorising,
    /// The handshake was over.
    Ready,
}

/// The protocol half of an engine.
#[derive(Debug)]
pub struct Connection {
    config: Arc<Config>,
    state: State,
    stage: Stage,
    gate: Gate,
    /// The straight path of `decode` may be tried: the connection is open and no message needs a second look.
    straight: bool,
    /// A subscription to everything is still to be delivered on behalf of the peer.
    phantom: bool,
    wire: Wire,
    /// Messages are in groups.
    groups: bool,
    /// What encrypts the traffic, under CURVE.
    channel: Option<Box<Channel>>,
    decoder: Decoder,
    heartbeat: Heartbeat,
    handshake_deadline: Option<Instant>,
    signature_deadline: Option<Instant>,
    control: Control,
    /// The peer waits for our READY.
    introduced: Option<Introduced>,
    established: Option<Established>,
}

#[derive(Debug)]
enum State {
    Greeting(Greeting),
    /// Waiting for the identity frame of a peer below 3.0.
    Identity(Version, Option<SocketType>),
    Handshake(Version, Mechanism),
    /// Waiting for `poll_ready`.
    Ready,
    Open,
    Failed(ProtocolError),
}

/// What goes out ahead of traffic.
#[derive(Debug, Default)]
struct Control {
    /// Anything below is set.
    due: bool,
    /// Greeting and handshake.
    bytes: Vec<u8>,
    pongs: Pongs,
    ping: bool,
    /// A PONG that nobody asked for.
    pong: bool,
}

impl Control {
    fn beat(&mut self, due: Due) {
        self.ping |= due == Due::Ping;
        self.pong |= due == Due::Pong;
        self.due |= self.ping || self.pong;
    }
}

impl Connection {
    /// A new connection: its greeting is to be sent at once, and the handshake's clock runs. There is no client and
    /// no server: both ends begin alike.
    pub fn new(config: impl Into<Arc<Config>>, now: Instant) -> Connection {
        let config = config.into();
        let raw = config.raw || config.socket_type.is_raw();
        // Without ZMTP there is no mechanism to ask with.
        let gate = Gate::new(config.asks() && !raw);
        let mut connection = Connection {
            state: State::Ready,
            stage: Stage::Greeting,
            gate,
            straight: false,
            phantom: false,
            wire: None,
            groups: config.socket_type.has_groups(),
            channel: None,
            decoder: Decoder::new(Framing::V2, Phase::Handshake, config.open_limits()),
            heartbeat: Heartbeat::new(config.heartbeat, config.heartbeat_timeout, now),
            handshake_deadline: None,
            signature_deadline: None,
            control: Control::default(),
            introduced: None,
            established: None,
            config,
        };
        if raw {
            connection.state = connection.ready(None, Told::default(), now).unwrap_or_else(State::Failed);
        } else {
            let deadline = |timeout: Option<Duration>| {
                timeout.filter(|timeout| !timeout.is_zero()).and_then(|timeout| now.checked_add(timeout))
            };
            connection.handshake_deadline = deadline(connection.config.handshake_timeout);
            connection.signature_deadline = deadline(connection.config.signature_timeout);
            let greeting = Greeting::start(&connection.config, &mut connection.control.bytes);
            connection.control.due = true;
            connection.state = State::Greeting(greeting);
        }
        connection
    }

    /// Eats from `input`, advancing the slice, until one item of traffic is complete or the input is used up.
    /// Greeting, handshake and heartbeats are dealt with inside.
    ///
    /// `None` with input left means that the handshake is over: take [`Connection::poll_ready`] and go on with the
    /// same input; or that it has stopped for [`Connection::poll_introduction`]. Only one item may come between: the subscription to everything that stands for a ZMTP 1.0
    /// subscriber, which cannot tell what it wants.
    ///
    /// # Errors
    /// The peer's fault. The connection is over then, and every further call gives the same error.
    #[inline]
    pub fn decode(&mut self, input: &mut &[u8], now: Instant) -> Result<Option<Traffic>, ProtocolError> {
        if self.straight {
            if let Some(frame) = self.decoder.straight(input) {
                self.heartbeat.heard(now);
                return Ok(Some(Traffic::Message(frame.into())));
            }
        }
        self.decode_any(input, now)
    }

    /// The large body that is arriving, to be read into: its spare room is for bytes of this body alone. Call
    /// [`Connection::decode`] after that, with an empty input.
    pub fn arriving(&mut self) -> Option<&mut Vec<u8>> {
        if let State::Open = self.state { self.decoder.arriving() } else { None }
    }

    /// What the peer showed, once, when the handshake waits for a decision about it: always with
    /// [`Config::authorise`], never without. Look after every [`Connection::decode`].
    pub fn poll_credentials(&mut self) -> Option<Credentials> {
        if let State::Failed(_) = self.state { None } else { self.gate.take_question() }
    }

    /// The decision about what [`Connection::poll_credentials`] gave: the handshake goes on or is over. There may be
    /// something to transmit then, and [`Connection::poll_ready`] may have an answer.
    ///
    /// One that nobody waits for, because there was no question or there is an answer already, changes nothing.
    ///
    /// # Errors
    /// Why the connection is over: [`ProtocolError::Denied`] when the decision was to refuse. What is left to transmit
    /// should go out first: it tells the peer.
    pub fn decide(&mut self, decision: Decision, now: Instant) -> Result<(), ConnectionError> {
        if let State::Failed(error) = &self.state {
            return Err(error.clone().into());
        }
        let decided = match self.gate.answer(decision) {
            None => Ok(()),
            Some(Ok(())) => self.admit(now),
            Some(Err(status)) => {
                self.send_commands(status.error_command().map(<[u8]>::to_vec));
                Err(ProtocolError::Denied { status })
            }
        };
        if let Err(error) = &decided {
            self.fail(error.clone());
        }
        decided.map_err(ConnectionError::from)
    }

    /// Who waits for our READY, once, with [`Config::selects`]. Look after every [`Connection::decode`] and
    /// [`Connection::decide`].
    pub fn poll_introduction(&mut self) -> Option<Introduction> {
        self.introduced.as_mut()?.ask(self.gate.user_id())
    }

    /// There is a place for the peer that [`Connection::poll_introduction`] told of: READY is to be transmitted, and
    /// [`Connection::poll_ready`] has its answer. Changes nothing where nobody waits.
    ///
    /// # Errors
    /// Why the connection is over.
    pub fn welcome(&mut self, now: Instant) -> Result<(), ConnectionError> {
        let welcomed = match (&self.state, self.introduced.take()) {
            (State::Failed(error), _) => return Err(error.clone().into()),
            (State::Handshake(version, _), Some(introduced)) => {
                self.end_handshake(*version, introduced.told, now)
            }
            _ => Ok(()),
        };
        if let Err(error) = &welcomed {
            self.fail(error.clone());
        }
        welcomed.map_err(ConnectionError::from)
    }

    /// There is no place for the peer, for this `fault`. The connection is over. What is left to transmit should go out
    /// first: it tells a peer that dials again. Any other is told nothing: after an ERROR libzmq gives up for good.
    pub fn turn_away(&mut self, fault: ProtocolError) {
        let redials = self.introduced.take().is_some_and(|introduced| introduced.told.redials);
        if let Some(reason) = fault.reason().filter(|_| redials) {
            let length = [u8::try_from(reason.len()).unwrap_or(u8::MAX)];
            self.send_commands([[b"\x05ERROR", &length[..], reason].concat()]);
        }
        self.fail(fault);
    }

    /// How far the connection came, also after it failed.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// What is known of the peer, once, when the handshake is over.
    pub fn poll_ready(&mut self) -> Option<Established> {
        if let State::Ready = self.state {
            self.state = State::Open;
            self.straight = self.wire >= Some(Version::V2_0)
                && self.channel.is_none()
                && !self.config.socket_type.publishes()
                && !self.groups
                && !self.config.socket_type.expects_reply_envelope();
        }
        self.established.take()
    }

    /// Whether the handshake is over and traffic may be sent.
    #[must_use]
    #[inline]
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Open | State::Ready)
    }

    /// Whether [`Connection::poll_transmit`] has something to append.
    #[must_use]
    #[inline]
    pub fn has_transmit(&self) -> bool {
        self.control.due
    }

    /// Appends what must go out now, ahead of queued traffic: greeting, handshake commands, PONG, PING.
    pub fn poll_transmit(&mut self, out: &mut Outbox) {
        let mut control = std::mem::take(&mut self.control);
        out.stage(&control.bytes);
        secret::wipe(&mut control.bytes);
        for context in control.pongs.contexts() {
            self.write_command(&[b"\x04PONG", context].concat(), out);
        }
        if control.pong {
            self.write_command(b"\x04PONG", out);
        }
        if control.ping {
            let ttl = tenths(self.config.heartbeat_ttl).to_be_bytes();
            self.write_command(&[&b"\x04PING"[..], &ttl].concat(), out);
        }
    }

    /// Frames one item at the end of `out`, after whatever [`Connection::poll_transmit`] still had. Bodies of up to
    /// [`COPY_LIMIT`](crate::encoder::COPY_LIMIT) bytes are copied, longer ones referenced.
    ///
    /// Only while [`Connection::is_ready`]: before, and after a protocol error, the item is thrown away.
    #[inline]
    pub fn encode(&mut self, traffic: Traffic, out: &mut Outbox) {
        if self.control.due {
            self.poll_transmit(out);
        }
        let ready = self.is_ready();
        let traffic = match traffic {
            Traffic::Message(message) if self.groups => Traffic::Message(groups::wrap(message)),
            traffic => traffic,
        };
        match &mut self.channel {
            None if ready => out.push(self.wire, traffic),
            Some(channel) if ready => {
                if let Err(error) = channel.seal(self.wire, traffic, out) {
                    self.fail(error);
                }
            }
            _ => out.discard(traffic),
        }
    }

    /// When [`Connection::handle_timeout`] wants to be called next. It may move with every call of another method.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.state {
            State::Open | State::Ready => self.heartbeat.next(),
            State::Failed(_) => None,
            State::Greeting(greeting) if !greeting.is_signed() => {
                [self.signature_deadline, self.handshake_deadline].into_iter().flatten().min()
            }
            State::Greeting(_) | State::Identity(..) | State::Handshake(..) => self.handshake_deadline,
        }
    }

    /// Looks at the clock: a PING may be due, the handshake or an answer overdue. Calling it early does no harm.
    ///
    /// # Errors
    /// Why the connection is over.
    pub fn handle_timeout(&mut self, now: Instant) -> Result<(), ConnectionError> {
        match &self.state {
            State::Open | State::Ready => match self.heartbeat.due(now) {
                Due::Dead => Err(ConnectionError::HeartbeatTimeout),
                due => {
                    self.control.beat(due);
                    Ok(())
                }
            },
            State::Failed(error) => Err(error.clone().into()),
            State::Greeting(greeting)
                if !greeting.is_signed()
                    && self.signature_deadline.is_some_and(|deadline| deadline <= now) =>
            {
                Err(ConnectionError::SignatureTimeout)
            }
            State::Greeting(_) | State::Identity(..) | State::Handshake(..) => {
                match self.handshake_deadline.is_some_and(|deadline| deadline <= now) {
                    true => Err(ConnectionError::HandshakeTimeout),
                    false => Ok(()),
                }
            }
        }
    }

    /// Tells that input arrived which is left unread for now: the peer is not silent, whoever makes it wait.
    pub fn heard(&mut self, now: Instant) {
        self.heartbeat.heard(now);
    }

    /// Tells whether input waits unread for lack of room. While it does, a peer that has sent a PING gets PONGs unasked.
    #[inline]
    pub fn leave_unread(&mut self, waits: bool, now: Instant) {
        self.heartbeat.leave_unread(waits, now);
    }

    /// How often memory for a body was enlarged while it arrived, since the connection was made.
    #[must_use]
    pub fn growths(&self) -> u64 {
        self.decoder.growths()
    }

    /// Whether the stream, if it ended here, would cut a message in two; the half is dropped with the connection.
    #[must_use]
    pub fn partial(&self) -> bool {
        self.is_ready()
            && (self.decoder.is_partial()
                || self.channel.as_ref().is_some_and(|channel| channel.is_partial()))
    }

    /// Bytes of memory held for a frame that is not finished.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn reserved(&self) -> usize {
        self.decoder.reserved()
    }

    /// What encrypts the traffic of an open connection.
    #[cfg(all(test, feature = "curve"))]
    pub(crate) fn channel_mut(&mut self) -> &mut Channel {
        self.channel.as_mut().expect("an open connection under CURVE")
    }

    #[inline(never)]
    fn decode_any(&mut self, input: &mut &[u8], now: Instant) -> Result<Option<Traffic>, ProtocolError> {
        let result = self.step(input, now);
        if let Err(error) = &result {
            self.fail(error.clone());
        }
        result
    }

    fn fail(&mut self, error: ProtocolError) {
        self.straight = false;
        self.introduced = None;
        self.state = State::Failed(error);
    }

    fn step(&mut self, input: &mut &[u8], now: Instant) -> Result<Option<Traffic>, ProtocolError> {
        loop {
            match &mut self.state {
                State::Open => return self.traffic(input, now),
                State::Ready => {
                    let phantom = std::mem::take(&mut self.phantom);
                    return Ok(phantom.then(|| Traffic::Subscribe(Frame::new())));
                }
                State::Failed(error) => return Err(error.clone()),
                State::Greeting(greeting) => {
                    let before = self.control.bytes.len();
                    let greeted = greeting.receive(&self.config, input, &mut self.control.bytes)?;
                    self.control.due |= self.control.bytes.len() > before;
                    let Some(greeted) = greeted else { return Ok(None) };
                    self.greeted(greeted, now)?;
                }
                State::Identity(version, socket_type) => {
                    let (version, socket_type) = (*version, *socket_type);
                    let Some(Item::Message(identity)) = self.decoder.next(input)? else { return Ok(None) };
                    self.identified(version, socket_type, identity, now)?;
                }
                // A peer may send at once what it has. It is not looked at before there is a place for the peer.
                State::Handshake(..) if self.introduced.is_some() => return Ok(None),
                State::Handshake(_, mechanism) => {
                    let Some(Item::Command(mut body)) = self.decoder.next(input)? else { return Ok(None) };
                    let mut send = Vec::new();
                    let step = Command::parse(&body)
                        .and_then(|command| mechanism.receive(&self.config, &command, now, &mut send));
                    // A HELLO of PLAIN has a password in it.
                    if let Some(body) = body.get_mut() {
                        secret::overwrite(body);
                    }
                    let step = step?;
                    self.send_commands(send);
                    self.go_on(step, now)?;
                }
            }
        }
    }

    fn greeted(&mut self, greeted: Greeted, now: Instant) -> Result<(), ProtocolError> {
        let limits = self.config.open_limits();
        match greeted {
            Greeted::Unversioned { replay } => {
                // Our ten bytes were, to this peer, the header of our identity frame.
                self.control.bytes.extend_from_slice(&self.config.routing_id);
                self.control.due = true;
                // Peers this old do not forward subscriptions: they want everything (libzmq zmtp_engine.cpp).
                self.phantom = self.config.socket_type.publishes() && !self.groups;
                self.decoder = Decoder::new(Framing::V1, Phase::Identity, limits);
                self.state = State::Identity(Version::V1_0, None);
                // At most one header, so at most an empty identity frame.
                if let Some(Item::Message(identity)) = self.decoder.next(&mut &replay[..])? {
                    self.identified(Version::V1_0, None, identity, now)?;
                }
            }
            Greeted::Legacy { version, socket_type } => {
                self.decoder = Decoder::new(Framing::of(version), Phase::Identity, limits);
                self.state = State::Identity(version, socket_type);
            }
            Greeted::Modern { version } => {
                let mut send = Vec::new();
                let (mechanism, step) = Mechanism::start(&self.config, &mut send)?;
                self.send_commands(send);
                self.decoder = Decoder::new(Framing::V2, Phase::Handshake, limits);
                self.state = State::Handshake(version, mechanism);
                self.stage = Stage::Mechanism;
                self.go_on(step, now)?;
            }
        }
        Ok(())
    }

    /// The dialogue of the mechanism took a step.
    fn go_on(&mut self, step: Step, now: Instant) -> Result<(), ProtocolError> {
        let State::Handshake(version, mechanism) = &self.state else { return Ok(()) };
        let limits = Limits { command: mechanism.max_command() as u64, ..self.config.open_limits() };
        self.decoder.enter(Phase::Handshake, limits);
        match step {
            Step::More => Ok(()),
            Step::Ask(proof) => {
                let credentials = Credentials { mechanism: self.config.mechanism.name(), proof };
                if self.gate.ask(credentials) {
                    return self.admit(now);
                }
                self.stage = Stage::Authorising;
                Ok(())
            }
            Step::Introduced(told) if self.config.selects => {
                self.introduced = Some(Introduced::new(told));
                Ok(())
            }
            Step::Introduced(told) => self.end_handshake(*version, told, now),
            Step::Ready(told) => {
                self.state = self.ready(Some(*version), told, now)?;
                Ok(())
            }
        }
    }

    /// The peer may come in, and is told so.
    fn admit(&mut self, now: Instant) -> Result<(), ProtocolError> {
        let State::Handshake(_, mechanism) = &mut self.state else { return Ok(()) };
        let mut send = Vec::new();
        let step = mechanism.admit(&self.config, &mut send);
        self.send_commands(send);
        self.go_on(step, now)
    }

    /// Our READY ends the handshake.
    fn end_handshake(&mut self, version: Version, told: Told, now: Instant) -> Result<(), ProtocolError> {
        self.send_commands([Mechanism::welcome(&self.config, &told)]);
        self.state = self.ready(Some(version), told, now)?;
        Ok(())
    }

    fn identified(
        &mut self,
        version: Version,
        socket_type: Option<SocketType>,
        identity: Message,
        now: Instant,
    ) -> Result<(), ProtocolError> {
        let routing_id = identity.into_iter().next().unwrap_or_default().into_bytes();
        let told = Told { socket_type, routing_id, ..Told::default() };
        self.state = self.ready(Some(version), told, now)?;
        Ok(())
    }

    /// The handshake is over: the state that follows, for a peer that the gate lets through.
    fn ready(
        &mut self,
        version: Option<Version>,
        mut told: Told,
        now: Instant,
    ) -> Result<State, ProtocolError> {
        let Some(admitted) = self.gate.pass() else {
            // No mechanism comes here unasked; should one ever, nobody gets in by it.
            return Err(ProtocolError::Denied { status: Status::InternalError });
        };
        self.wire = version;
        self.channel = told.channel.take();
        match self.channel {
            #[cfg(feature = "curve")]
            Some(_) => self.decoder.enter(Phase::Sealed, self.config.sealed_limits()),
            _ => self.decoder.enter(Phase::Open, self.config.open_limits()),
        }
        if version >= Some(Version::V3_0) {
            self.heartbeat.start(now);
            self.control.beat(self.heartbeat.due(now));
        }
        self.established = Some(Established::new(version, told, admitted));
        self.stage = Stage::Ready;
        Ok(State::Ready)
    }

    fn traffic(&mut self, input: &mut &[u8], now: Instant) -> Result<Option<Traffic>, ProtocolError> {
        if input.is_empty() && !self.decoder.is_whole() {
            return Ok(None);
        }
        if self.wire.is_none() {
            return Ok(raw::chunk(input).map(Traffic::Message));
        }
        self.heartbeat.heard(now);
        while let Some(item) = self.next_item(input)? {
            let traffic = match item {
                Item::Message(message) => Some(self.message(message)?),
                Item::Command(body) => self.command(&body)?,
            };
            if traffic.is_some() {
                return Ok(traffic);
            }
        }
        Ok(None)
    }

    fn next_item(&mut self, input: &mut &[u8]) -> Result<Option<Item>, ProtocolError> {
        match &mut self.channel {
            None => self.decoder.next(input),
            Some(channel) => channel.next(&mut self.decoder, input, &self.config.open_limits()),
        }
    }

    fn message(&self, message: Message) -> Result<Traffic, ProtocolError> {
        let socket_type = self.config.socket_type;
        if socket_type.expects_reply_envelope() && !has_reply_envelope(&message) {
            return Err(ProtocolError::BadReplyEnvelope);
        }
        if self.groups && socket_type.receives() {
            return groups::unwrap(message).map(Traffic::Message);
        }
        if !socket_type.publishes() || self.groups || message.len() != 1 {
            return Ok(Traffic::Message(message));
        }
        // Subscriptions come in this form from peers below 3.1, and from applications of newer XSUBs.
        match message.first().and_then(|frame| frame.split_first()) {
            Some((1, topic)) => self.topic(topic).map(Traffic::Subscribe),
            Some((0, topic)) => self.topic(topic).map(Traffic::Cancel),
            _ => Ok(Traffic::Message(message)),
        }
    }

    fn topic(&self, topic: &[u8]) -> Result<Frame, ProtocolError> {
        let limit = self.config.max_topic;
        if topic.len() > limit {
            Err(ProtocolError::TopicTooLong { limit })
        } else {
            Frame::try_copy_prefix(topic, topic.len())
        }
    }

    fn command(&mut self, body: &[u8]) -> Result<Option<Traffic>, ProtocolError> {
        // 2.0 reserves the command bit; libzmq drops such frames.
        if self.wire < Some(Version::V3_0) {
            return Ok(None);
        }
        let publishes = self.config.socket_type.publishes();
        match Command::parse(body)? {
            Command::Join(name) if publishes && self.groups => {
                group(name, CommandKind::Join).map(Traffic::Join).map(Some)
            }
            Command::Leave(name) if publishes && self.groups => {
                group(name, CommandKind::Leave).map(Traffic::Leave).map(Some)
            }
            Command::Subscribe(_) | Command::Cancel(_) if self.groups => Ok(None),
            Command::Subscribe(topic) if publishes => self.topic(topic).map(Traffic::Subscribe).map(Some),
            Command::Cancel(topic) if publishes => self.topic(topic).map(Traffic::Cancel).map(Some),
            Command::Ping { ttl, context } => {
                self.heartbeat.pinged(ttl);
                self.control.pongs.owe(context);
                self.control.due = true;
                Ok(None)
            }
            command @ (Command::Ready(_) | Command::Error(_)) => {
                Err(ProtocolError::UnexpectedCommand { name: command.name() })
            }
            // RFC 37 §3.5 leaves room for new commands; libzmq drops what it does not know.
            Command::Subscribe(_)
            | Command::Cancel(_)
            | Command::Join(_)
            | Command::Leave(_)
            | Command::Pong
            | Command::Other { .. } => Ok(None),
        }
    }

    /// A command of the open connection.
    fn write_command(&mut self, body: &[u8], out: &mut Outbox) {
        if let Some(channel) = &mut self.channel {
            if let Err(error) = channel.seal_command(body, out) {
                self.fail(error);
            }
            return;
        }
        let mut bytes = Vec::with_capacity(32);
        Framing::V2.write(Header::command(body.len()), &mut bytes);
        bytes.extend_from_slice(body);
        out.stage(&bytes);
    }

    /// Commands of the handshake. They may have a password in them, of which no copy stays here.
    fn send_commands(&mut self, bodies: impl IntoIterator<Item = Vec<u8>>) {
        for mut body in bodies {
            let mut header = Vec::new();
            Framing::V2.write(Header::command(body.len()), &mut header);
            secret::append(&mut self.control.bytes, &header);
            secret::append(&mut self.control.bytes, &body);
            secret::wipe(&mut body);
            self.control.due = true;
        }
    }
}

/// The group that a command names.
fn group(name: &[u8], command: CommandKind) -> Result<Frame, ProtocolError> {
    match groups::is_group(name) {
        true => Ok(Frame::copy_from(name)),
        false => Err(ProtocolError::MalformedCommand(command)),
    }
}

/// What libzmq's `req_session_t` demands: a 4-byte request id or none, an empty frame, at least one frame of body.
fn has_reply_envelope(message: &Message) -> bool {
    let delimiter = usize::from(message.first().is_some_and(|frame| frame.len() == 4));
    message.get(delimiter).is_some_and(|frame| frame.is_empty()) && message.len() > delimiter + 1
}

#[cfg(test)]
mod introduction_tests;
#[cfg(test)]
mod tests;
