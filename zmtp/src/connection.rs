//! One connection: greeting, handshake, framing and heartbeats as a state machine without I/O.
//!
//! [`Connection::decode`] takes input. The `poll_*` methods return output; call them until they return nothing.
//! [`Connection::poll_timeout`] returns when to call [`Connection::handle_timeout`]. The time `now` is always an
//! argument.
//!
//! **States**: greeting → handshake → [`Connection::poll_ready`] → traffic. No traffic of the peer is decoded before
//! `poll_ready` has returned the peer, and traffic before [`Connection::is_ready`] is a fault.
//!
//! **The gate**: with [`Config::authorise`] the handshake stops when the peer has sent its credentials, until the owner
//! calls [`Connection::decide`]. With [`Config::selects`] it stops once more before our READY, until
//! [`Connection::welcome`].

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
use crate::run::{Room, Run};
use crate::{Config, Frame, Message, SocketType, Traffic, Version, groups, raw};

use introduction::Introduced;
pub use introduction::Introduction;
use pongs::Pongs;

/// What is known of the peer after the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Established {
    /// The version of ZMTP; `None` for a raw connection.
    pub version: Option<Version>,
    /// The peer's socket type, if the peer sent it.
    pub socket_type: Option<SocketType>,
    /// The routing id that the peer announced; empty for none. It is always the peer's own, even if the authentication
    /// returns an `Identity` property. In libzmq it is the later one of the two, which under NULL and CURVE depends on
    /// how fast the ZAP handler is.
    pub routing_id: Bytes,
    /// Further properties of the peer. Their names are spelled as the peer spelled them.
    pub properties: Vec<(String, Bytes)>,
    /// The user id from the authentication; empty for none.
    pub user_id: String,
}

impl Established {
    /// Merges what the peer sent with the result of the authentication. If both have a property of the same name, that
    /// of the authentication counts.
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

/// The stages of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// The peer's greeting, or the identity frame of a peer below 3.0, is not complete.
    Greeting,
    /// The greetings are exchanged; the handshake of the mechanism is in progress.
    Mechanism,
    /// The peer has sent its credentials. The decision about them is awaited, or it is made and the peer's next command
    /// is awaited.
    Authorising,
    /// The handshake is complete.
    Ready,
}

/// The protocol half of an engine.
#[derive(Debug)]
pub struct Connection {
    config: Arc<Config>,
    state: State,
    stage: Stage,
    gate: Gate,
    /// Whether `decode` may try its fast path: the connection is open, and no message needs a check.
    straight: bool,
    /// A subscription to everything is still to be delivered, on behalf of a ZMTP 1.0 peer.
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
    /// The peer that waits for our READY.
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

/// What is sent ahead of traffic.
#[derive(Debug, Default)]
struct Control {
    /// Any of the fields below is set.
    due: bool,
    /// Greeting and handshake.
    bytes: Vec<u8>,
    pongs: Pongs,
    ping: bool,
    /// A PONG without a PING.
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
    /// Creates a connection. Its greeting is to be sent at once, and the time of the handshake starts. Both ends begin
    /// alike; there is no client and no server.
    pub fn new(config: impl Into<Arc<Config>>, now: Instant) -> Connection {
        let config = config.into();
        let raw = config.raw || config.socket_type.is_raw();
        // Without ZMTP there are no credentials to decide about.
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

    /// Consumes `input`, advancing the slice, until one item of traffic is complete or the input is used up. Handles
    /// greeting, handshake and heartbeats itself.
    ///
    /// Returns `None` with input left in two cases. Either the handshake is complete: call [`Connection::poll_ready`]
    /// and go on with the same input. Or the handshake has stopped: call [`Connection::poll_introduction`]. Only one
    /// item may come before `poll_ready`: the subscription to everything on behalf of a ZMTP 1.0 subscriber, which
    /// cannot send one.
    ///
    /// # Errors
    /// Returns the peer's fault. The connection is over then, and every further call returns the same error.
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

    /// Consumes the run of short messages at the beginning of `input`, if there is one. Returns `None` on
    /// a connection whose messages must be checked or decrypted one by one.
    #[inline]
    pub fn decode_run<'a>(&mut self, input: &mut &'a [u8], room: Room, now: Instant) -> Option<Run<'a>> {
        let run = if self.straight { self.decoder.run(input, room)? } else { return None };
        self.heartbeat.heard(now);
        Some(run)
    }

    /// Appends the run at the beginning of `bytes` to `out`, until `out` has `quantum` bytes. Returns how many bytes and how
    /// many messages were appended: 0 if messages must be encoded one by one.
    pub fn encode_run(&mut self, bytes: &[u8], out: &mut Outbox, quantum: usize) -> (usize, usize) {
        if self.control.due {
            self.poll_transmit(out);
        }
        let plain = self.channel.is_none() && !self.groups && self.wire >= Some(Version::V2_0);
        if plain && self.is_ready() { out.push_run(bytes, quantum) } else { (0, 0) }
    }

    /// Returns the buffer of a large body that is arriving, to read the stream into it directly. Its spare room is for
    /// bytes of this body only. Call [`Connection::decode`] with an empty input after reading.
    pub fn arriving(&mut self) -> Option<&mut Vec<u8>> {
        if let State::Open = self.state { self.decoder.arriving() } else { None }
    }

    /// Returns whether the last body was large (64 KiB or more). Then the next one is probably large, too. In that
    /// case, read only a few bytes, which contain its header; the body can then be read directly
    /// ([`Connection::arriving`]).
    #[must_use]
    pub fn expects_large_body(&self) -> bool {
        self.decoder.expects_large()
    }

    /// Returns the peer's credentials, once, when the handshake waits for a decision about them. It waits if
    /// [`Config::authorise`] is set, and otherwise does not. Call this after every [`Connection::decode`].
    pub fn poll_credentials(&mut self) -> Option<Credentials> {
        if let State::Failed(_) = self.state { None } else { self.gate.take_question() }
    }

    /// Takes the decision about the credentials from [`Connection::poll_credentials`]. The handshake goes on or is
    /// over. Then there may be something to transmit, and [`Connection::poll_ready`] may return the peer.
    ///
    /// A decision that is not awaited changes nothing: one without credentials to decide about, or a second one.
    ///
    /// # Errors
    /// Returns why the connection is over: [`ProtocolError::Denied`] if the decision was to refuse. Transmit first what
    /// is left, which is the ERROR for the peer.
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

    /// Returns the peer that waits for our READY, once, with [`Config::selects`]. Call this after every
    /// [`Connection::decode`] and [`Connection::decide`].
    pub fn poll_introduction(&mut self) -> Option<Introduction> {
        self.introduced.as_mut()?.ask(self.gate.user_id())
    }

    /// Accepts the peer from [`Connection::poll_introduction`]: our READY is to be transmitted, and
    /// [`Connection::poll_ready`] returns the peer. Changes nothing if no peer waits.
    ///
    /// # Errors
    /// Returns why the connection is over.
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

    /// Turns the peer away because of `fault`. The connection is over. Transmit first what is left: a peer that dials
    /// again gets an ERROR with the reason. Any other peer gets none, because libzmq never dials again after an ERROR.
    pub fn turn_away(&mut self, fault: ProtocolError) {
        let redials = self.introduced.take().is_some_and(|introduced| introduced.told.redials);
        if let Some(reason) = fault.reason().filter(|_| redials) {
            let length = [u8::try_from(reason.len()).unwrap_or(u8::MAX)];
            self.send_commands([[b"\x05ERROR", &length[..], reason].concat()]);
        }
        self.fail(fault);
    }

    /// Returns the stage that the connection reached, also after it failed.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Returns what is known of the peer, once, after the handshake.
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

    /// Returns whether the handshake is over and traffic may be sent.
    #[must_use]
    #[inline]
    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Open | State::Ready)
    }

    /// Returns whether [`Connection::poll_transmit`] has something to append.
    #[must_use]
    #[inline]
    pub fn has_transmit(&self) -> bool {
        self.control.due
    }

    /// Appends what is to be sent now, ahead of queued traffic: greeting, handshake commands, PONG, PING.
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

    /// Encodes one item at the end of `out`, after the output of [`Connection::poll_transmit`]. Bodies of up to
    /// [`COPY_LIMIT`](crate::encoder::COPY_LIMIT) bytes are copied, longer ones referenced.
    ///
    /// Call this only while [`Connection::is_ready`]. Before the handshake is over, and after a protocol error, the
    /// item is dropped.
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

    /// Returns when to call [`Connection::handle_timeout`] next. A call of any other method may change it.
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

    /// Handles what is due at `now`: a PING to send, or a handshake or an answer that is overdue. An early call does no
    /// harm.
    ///
    /// # Errors
    /// Returns why the connection is over.
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
                if self.handshake_deadline.is_some_and(|deadline| deadline <= now) {
                    Err(ConnectionError::HandshakeTimeout)
                } else {
                    Ok(())
                }
            }
        }
    }

    /// Notes that input has arrived, although it is not read yet: a peer whose input waits is not silent.
    pub fn heard(&mut self, now: Instant) {
        self.heartbeat.heard(now);
    }

    /// Notes whether input is left unread for lack of room. As long as it is, PONGs are sent without waiting for PINGs, if
    /// the peer has sent a PING before.
    #[inline]
    pub fn leave_unread(&mut self, waits: bool, now: Instant) {
        self.heartbeat.leave_unread(waits, now);
    }

    /// Returns how often the memory of a body was enlarged while it arrived, since the connection began.
    #[must_use]
    pub fn growths(&self) -> u64 {
        self.decoder.growths()
    }

    /// Returns whether only a part of a message has arrived. If the stream ends now, that part is dropped with the
    /// connection.
    #[must_use]
    pub fn partial(&self) -> bool {
        self.is_ready()
            && (self.decoder.is_partial()
                || self.channel.as_ref().is_some_and(|channel| channel.is_partial()))
    }

    /// Returns the bytes of memory held for an unfinished frame.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn reserved(&self) -> usize {
        self.decoder.reserved()
    }

    /// Returns what encrypts the traffic of an open connection.
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
                // A peer may already send traffic. It is not decoded before the owner has accepted the peer.
                State::Handshake(..) if self.introduced.is_some() => return Ok(None),
                State::Handshake(_, mechanism) => {
                    let Some(Item::Command(mut body)) = self.decoder.next(input)? else { return Ok(None) };
                    let mut send = Vec::new();
                    let step = Command::parse(&body)
                        .and_then(|command| mechanism.receive(&self.config, &command, now, &mut send));
                    // A HELLO of PLAIN contains a password.
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
                // This peer reads our first ten bytes as the header of our identity frame. Here is its body.
                self.control.bytes.extend_from_slice(&self.config.routing_id);
                self.control.due = true;
                // Peers of 1.0 do not send subscriptions and want everything (libzmq zmtp_engine.cpp).
                self.phantom = self.config.socket_type.publishes() && !self.groups;
                self.decoder = Decoder::new(Framing::V1, Phase::Identity, limits);
                self.state = State::Identity(Version::V1_0, None);
                // `replay` is at most one header, so it completes at most an empty identity frame.
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

    /// Acts on a step of the mechanism's handshake.
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

    /// Admits the peer, and sends what the mechanism sends then.
    fn admit(&mut self, now: Instant) -> Result<(), ProtocolError> {
        let State::Handshake(_, mechanism) = &mut self.state else { return Ok(()) };
        let mut send = Vec::new();
        let step = mechanism.admit(&self.config, &mut send);
        self.send_commands(send);
        self.go_on(step, now)
    }

    /// Ends the handshake with our READY.
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

    /// Ends the handshake for a peer that has passed the gate. Returns the next state.
    fn ready(
        &mut self,
        version: Option<Version>,
        mut told: Told,
        now: Instant,
    ) -> Result<State, ProtocolError> {
        let Some(admitted) = self.gate.pass() else {
            // Every mechanism passes the gate before this. If one ever did not, its peer would be refused here.
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
        // Peers below 3.1, and the applications of newer XSUBs, send subscriptions in this form.
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
        // ZMTP 2.0 reserves the command bit; such frames are dropped, as in libzmq.
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
            // RFC 37 §3.5 allows new commands; unknown ones are dropped, as in libzmq.
            Command::Subscribe(_)
            | Command::Cancel(_)
            | Command::Join(_)
            | Command::Leave(_)
            | Command::Pong
            | Command::Other { .. } => Ok(None),
        }
    }

    /// Writes a command of the open connection.
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

    /// Sends commands of the handshake. They may contain a password, of which no copy stays here.
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

/// Returns the group that a command names.
fn group(name: &[u8], command: CommandKind) -> Result<Frame, ProtocolError> {
    if groups::is_group(name) {
        Ok(Frame::copy_from(name))
    } else {
        Err(ProtocolError::MalformedCommand(command))
    }
}

/// Returns whether a message has the form that libzmq's `req_session_t` requires: at most one request id of 4 bytes, an
/// empty frame, and at least one frame of body.
fn has_reply_envelope(message: &Message) -> bool {
    let delimiter = usize::from(message.first().is_some_and(|frame| frame.len() == 4));
    let mut rest = message.iter().skip(delimiter);
    rest.next().is_some_and(|frame| frame.is_empty()) && rest.next().is_some()
}

#[cfg(test)]
mod introduction_tests;
#[cfg(test)]
mod tests;
