//! The endpoints of a socket: binding, connecting, and how each fares.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use zeroxide_patterns::{Origin, Pattern, Refusal};
use zeroxide_transports::inproc::{Met, Ticket};
use zeroxide_transports::pipe::{Flow, Pipe, pipe};
use zeroxide_transports::{Endpoint, Listener};
use zeroxide_zmtp::{Message, ProtocolError, SocketType};

use super::base::{SocketBase, SocketState, owner};
use super::pipes::{Entry, FlushCause, Link, Owner};
use crate::engine::slot::Slot;
use crate::error::{Attachment, BindError, DialError, Error, HandshakeError, IoError, Result, SecurityError};
use crate::io::command::{Attach, Command, Control};
use crate::io::hub::{leave_pipe, make_pipe, tell};
use crate::io::reactor::ReactorLink;
use crate::io::session::Session;
use crate::io::zap;
use crate::monitor::EventKind;
use crate::options::Values;
use crate::security::Role;
use crate::signal::Latch;

/// How one endpoint of a socket fares, from [`Socket::endpoints`](crate::Socket::endpoints).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndpointStatus {
    /// The endpoint, resolved where it is bound.
    pub endpoint: Endpoint,
    /// Whether it is bound (else it connects).
    pub bound: bool,
    /// Its state.
    pub state: EndpointState,
    /// How often a connect was attempted.
    pub attempts: u32,
    /// How the last failed attempt ended.
    pub last: Option<DialError>,
    id: u64,
    /// Names the connect in the context's table of inproc names, while nobody is bound.
    ticket: Option<Ticket>,
}

/// The state of one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndpointState {
    /// Bound, and open to peers.
    Listening,
    /// A connect is under way.
    Dialling,
    /// The transport is connected, the handshake is not over.
    Handshaking,
    /// The peer is there.
    Connected {
        /// Number of the connection, as in [`Peer::connection`](crate::Peer::connection); 0 over inproc.
        connection: u64,
    },
    /// The next attempt follows in a while.
    Waiting,
    /// The peer was reached and is unfit, for this reason; the next attempt follows in a while.
    Failed(Arc<HandshakeError>),
    /// Nobody in this context has bound this inproc name.
    NotBound,
    /// The socket that had bound this inproc name is closed. Inproc never reconnects: connect again.
    Gone,
}

impl EndpointStatus {
    /// The same for the error of a send that finds no peer here.
    pub(crate) fn attachment(&self) -> Attachment {
        let endpoint = Arc::from(self.endpoint.to_string());
        match self.bound {
            true => Attachment::Bound(endpoint),
            false => Attachment::Connecting { endpoint, last: self.last.clone(), attempts: self.attempts },
        }
    }
}

/// One line: what, in which state, after how many attempts.
impl fmt::Display for EndpointStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (endpoint, attempts) = (&self.endpoint, self.attempts);
        match &self.state {
            EndpointState::Listening => {
                write!(f, "bound {endpoint}")?;
                self.last.as_ref().map_or(Ok(()), |last| write!(f, ", not served: {last}"))
            }
            EndpointState::Connected { .. } => write!(f, "connected {endpoint}"),
            EndpointState::NotBound => write!(
                f,
                "connecting {endpoint}: not bound in this context; inproc joins sockets of one Context only"
            ),
            EndpointState::Gone => {
                write!(f, "lost {endpoint}: the socket that had bound it is closed; connect again")
            }
            EndpointState::Failed(error) => write!(f, "failed {error}"),
            EndpointState::Dialling | EndpointState::Handshaking | EndpointState::Waiting => {
                write!(f, "connecting {endpoint}, attempt {attempts}")?;
                self.last.as_ref().map_or(Ok(()), |last| write!(f, ", last: {last}"))
            }
        }
    }
}

/// The endpoints of one socket, kept true by whoever serves them.
#[derive(Default)]
pub(crate) struct EndpointTable {
    rows: Mutex<Vec<EndpointStatus>>,
    last: Mutex<Option<String>>,
}

impl EndpointTable {
    fn add(&self, id: u64, endpoint: Endpoint, bound: bool, state: EndpointState) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(endpoint.to_string());
        self.rows().push(EndpointStatus {
            endpoint,
            bound,
            state,
            attempts: 0,
            last: None,
            id,
            ticket: None,
        });
    }

    pub(crate) fn remove(&self, id: u64) {
        self.take(id);
    }

    /// Removes a row; `false` when somebody else did.
    fn take(&self, id: u64) -> bool {
        let mut rows = self.rows();
        let before = rows.len();
        rows.retain(|row| row.id != id);
        rows.len() < before
    }

    pub(crate) fn set_state(&self, id: u64, state: EndpointState) {
        self.change(id, |row| {
            if let EndpointState::Failed(error) = &state {
                row.last = Some(DialError::Handshake(Arc::clone(error)));
            }
            row.state = state;
        });
    }

    /// One more attempt begins.
    pub(crate) fn dialling(&self, id: u64) {
        self.change(id, |row| {
            row.attempts = row.attempts.saturating_add(1);
            if !matches!(row.state, EndpointState::Failed(_)) {
                row.state = EndpointState::Dialling;
            }
        });
    }

    /// An attempt failed before there was a connection.
    pub(crate) fn failed(&self, id: u64, error: DialError) {
        self.change(id, |row| row.last = Some(error));
    }

    /// The endpoint that was bound or connected last (libzmq `ZMQ_LAST_ENDPOINT`).
    pub(crate) fn last(&self) -> Option<String> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn list(&self) -> Vec<EndpointStatus> {
        self.rows().clone()
    }

    /// The row that `wanted` names: by its resolved text, or by the text it was asked for with.
    fn find(&self, wanted: &str) -> Option<EndpointStatus> {
        self.rows().iter().find(|row| row.endpoint.to_string() == wanted).cloned()
    }

    /// The row of a connecting endpoint.
    fn connecting(&self, endpoint: &Endpoint) -> Option<EndpointStatus> {
        self.rows().iter().find(|row| !row.bound && row.endpoint == *endpoint).cloned()
    }

    pub(crate) fn get(&self, id: u64) -> Option<EndpointStatus> {
        self.rows().iter().find(|row| row.id == id).cloned()
    }

    /// Where a socket without peers might find one, for an error's text.
    pub(crate) fn attachment(&self) -> Attachment {
        let rows = self.rows();
        let row = rows.iter().find(|row| !row.bound).or(rows.first());
        row.map_or(Attachment::Nowhere, EndpointStatus::attachment)
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut EndpointStatus)) {
        if let Some(row) = self.rows().iter_mut().find(|row| row.id == id) {
            change(row);
        }
    }

    fn rows(&self) -> MutexGuard<'_, Vec<EndpointStatus>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connect over inproc whose name nobody has bound yet: the binder's end of the pipe, and who connects.
pub(crate) struct Waiting {
    pipe: Pipe,
    /// The slot of the binder's end.
    slot: Slot,
    connector: Owner,
    marks: Arc<JointMarks>,
    routing_id: Bytes,
    /// The endpoint's number, its text and the connector's part in security, where a socket of the wrong type is refused.
    refusable: Option<(u64, Endpoint, Role)>,
}

/// A socket bound over inproc.
#[derive(Clone)]
pub(crate) struct Binder {
    base: Arc<SocketBase>,
    terms: Terms,
}

/// What a bound inproc endpoint holds for those who connect to it.
#[derive(Clone)]
struct Terms {
    hwm: Marks,
    /// What each peer is sent first.
    hello: Option<Message>,
    /// What the binder receives when a peer has left.
    farewell: Option<Message>,
}

impl Terms {
    fn of(values: &Values, t: SocketType) -> Terms {
        Terms { hwm: Marks::of(values), hello: values.hello(t), farewell: values.farewell(t) }
    }
}

/// The high-water marks of one side of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) send: u32,
    pub(crate) receive: u32,
}

/// The high-water marks of both sides of an inproc pipe, either of which may change on the living pipe. The lock is a
/// leaf.
pub(crate) struct JointMarks(Mutex<BothMarks>);

struct BothMarks {
    connector: Marks,
    /// None before the bind.
    binder: Option<Marks>,
}

/// A side of an inproc pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Connector,
    Binder,
}

impl JointMarks {
    fn of(connector: Marks) -> Arc<JointMarks> {
        Arc::new(JointMarks(Mutex::new(BothMarks { connector, binder: None })))
    }

    /// Sets the marks of the side that `pipe` is the end of, as far as they are given, and with them those of the
    /// pipe. `true`: the other side may have room now.
    pub(crate) fn set(&self, side: Side, send: Option<u32>, receive: Option<u32>, pipe: &mut Pipe) -> bool {
        let mut both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = match side {
            Side::Connector => &mut both.connector,
            Side::Binder => both.binder.get_or_insert(Marks { send: 0, receive: 0 }),
        };
        ours.send = send.unwrap_or(ours.send);
        ours.receive = receive.unwrap_or(ours.receive);
        let ours = *ours;
        let theirs = match side {
            Side::Connector => both.binder,
            Side::Binder => Some(both.connector),
        };
        pipe.writer.set_hwm(theirs.map_or(ours.send, |theirs| joined(ours.send, theirs.receive)));
        pipe.reader.set_hwm(theirs.map_or(ours.receive, |theirs| joined(theirs.send, ours.receive)))
    }
}

impl Marks {
    fn of(values: &Values) -> Marks {
        Marks { send: values.sndhwm, receive: values.rcvhwm }
    }
}

/// One queue stands for both: its mark is the sum, or none if either side has none (libzmq pipe.cpp).
fn joined(send: u32, receive: u32) -> u32 {
    if send == 0 || receive == 0 { 0 } else { send.saturating_add(receive) }
}

impl Binder {
    /// The type of the socket that is bound.
    pub(crate) fn socket_type(&self) -> SocketType {
        self.base.socket_type
    }
}

impl SocketBase {
    /// Binds and answers the resolved endpoint.
    pub(crate) fn bind(self: &Arc<Self>, text: &str, values: &Values) -> Result<Endpoint> {
        self.bind_by(text, values, |endpoint| Listener::bind(endpoint, &values.socket_options()))
    }

    /// Binds by a listener that `listen` makes; inproc has none.
    pub(crate) fn bind_by(
        self: &Arc<Self>,
        text: &str,
        values: &Values,
        listen: impl FnOnce(&Endpoint) -> Result<Listener, zeroxide_transports::BindError>,
    ) -> Result<Endpoint> {
        self.context.check_process()?;
        let endpoint = Endpoint::parse_bind(text)?;
        let id = self.context.next_id();
        self.enter(|state| state.alive())?;
        if let Endpoint::Inproc(name) = &endpoint {
            let waiting =
                self.bind_name(name, values).map_err(|source| self.bind_error(text, source.into()))?;
            self.endpoints.add(id, endpoint.clone(), true, EndpointState::Listening);
            let terms = Terms::of(values, self.socket_type);
            waiting.into_iter().for_each(|waiting| self.meet(waiting, &terms));
            if let Err(error) = self.enter(|state| state.alive()) {
                // Closed in the meantime, perhaps before the name could be freed.
                self.free_name(id, name);
                return Err(error);
            }
            return Ok(endpoint);
        }
        self.check_security(text, values)?;
        let reactor = self.reactor(values)?;
        let listener = listen(&endpoint).map_err(|error| {
            let cause = IoError::from(error.source);
            self.monitors.emit(id, &endpoint.to_string(), "", EventKind::BindFailed(cause.clone()));
            self.bind_error(text, cause)
        })?;
        let resolved = listener.endpoint().clone();
        self.endpoints.add(id, resolved.clone(), true, EndpointState::Listening);
        reactor.send(Command::Bind(id, Arc::clone(self), Box::new(listener), Arc::new(values.clone())));
        self.enter(SocketState::changed);
        Ok(resolved)
    }

    /// Refuses to open a way in while the mechanism is incomplete, or nobody could be asked who may use it.
    fn check_security(&self, text: &str, values: &Values) -> Result<()> {
        if values.is_raw(self.socket_type) {
            // libzmq's raw sockets ignore both without a word.
            return match values.auth_required
                && (values.role() != Role::default() || values.zap_domain.is_some())
            {
                true => Err(SecurityError::Raw { socket: self.socket_type }.into()),
                false => Ok(()),
            };
        }
        let settings = values.settings();
        if values.auth_required {
            settings?;
        }
        if !values.asks() || !values.auth_required {
            return Ok(());
        }
        let domain = values.zap_domain.as_deref().unwrap_or_default();
        if self.context.authorities.of(domain).is_some() || self.context.has_zap_handler() {
            return Ok(());
        }
        Err(SecurityError::NobodyToAsk {
            endpoint: text.into(),
            socket: self.socket_type,
            security: values.role(),
            domain: String::from_utf8_lossy(domain).into(),
        }
        .into())
    }

    fn bind_error(&self, text: &str, source: IoError) -> Error {
        if crate::error::is_limit(&source) {
            return Error::Limit(source.into());
        }
        BindError { endpoint: text.into(), socket: self.socket_type, source }.into()
    }

    fn bind_name(self: &Arc<Self>, name: &str, values: &Values) -> io::Result<Vec<Waiting>> {
        let binder = Binder { base: Arc::clone(self), terms: Terms::of(values, self.socket_type) };
        let waiting = self.context.names.bind(name, binder).map_err(|_| io::ErrorKind::AddrInUse)?;
        if name == zap::NAME && self.socket_type.handles_zap() {
            self.context.got_zap_handler();
        }
        Ok(waiting)
    }

    /// Connects, in the background; answers the endpoint and its number.
    pub(crate) fn connect(self: &Arc<Self>, text: &str, values: &Values) -> Result<(Endpoint, u64)> {
        self.context.check_process()?;
        let endpoint = Endpoint::parse_connect(text)?;
        self.enter(|state| state.alive())?;
        if let Some(row) = self.endpoints.connecting(&endpoint) {
            // An endpoint whose peer is unfit waits long: whoever connects once more means it, not another connection.
            let inproc = matches!(endpoint, Endpoint::Inproc(_));
            let gone = row.state == EndpointState::Gone;
            if gone || inproc && matches!(row.state, EndpointState::Failed(_)) {
                self.endpoints.remove(row.id);
            } else if self.socket_type.connects_once() || matches!(row.state, EndpointState::Failed(_)) {
                self.redial(row.id);
                return Ok((endpoint, row.id));
            }
        }
        if self.socket_type.has_one_peer() && values.refuses() {
            if let Some(fault) = self.enter(|state| state.want_of_place(None, b"", "")) {
                return Err(Error::Handshake(Arc::new(self.refused(&endpoint, values.role(), fault))));
            }
        }
        let id = self.context.next_id();
        match &endpoint {
            Endpoint::Inproc(name) => self.connect_name(id, name, &endpoint, values)?,
            _ => {
                self.check_security(text, values)?;
                self.connect_stream(id, &endpoint, values)?;
            }
        }
        Ok((endpoint, id))
    }

    fn redial(self: &Arc<Self>, id: u64) {
        if let Some(reactor) = self.enter(|state| state.reactor.clone()) {
            reactor.send(Command::Redial(id));
        }
    }

    fn connect_stream(self: &Arc<Self>, id: u64, endpoint: &Endpoint, values: &Values) -> Result<()> {
        let reactor = self.reactor(values)?;
        let slot = Slot::new();
        let mut held = None;
        let given_id = values.connect_routing_id.clone();
        self.enter(|state| {
            state.alive()?;
            if !values.immediate {
                let (ours, theirs) = make_pipe(self, values);
                let origin = Origin { connected: true, routing_id: given_id.clone() };
                state.attach(Entry::new(ours, Link::Offline, slot.clone(), id), &origin).map_err(in_use)?;
                held = Some(theirs);
            }
            Ok::<(), Error>(())
        })?;
        self.endpoints.add(id, endpoint.clone(), false, EndpointState::Dialling);
        let values = Arc::new(values.clone());
        let session = Session::new(id, Arc::clone(self), endpoint.clone(), values, slot, held, given_id);
        reactor.send(Command::Connect(Box::new(session)));
        self.enter(SocketState::changed);
        Ok(())
    }

    fn connect_name(
        self: &Arc<Self>,
        id: u64,
        name: &str,
        endpoint: &Endpoint,
        values: &Values,
    ) -> Result<()> {
        if let Some(id) = &values.connect_routing_id {
            let taken = self.enter(|state| state.pattern.find(id.as_bytes()).is_some());
            if taken {
                return Err(in_use(Refusal::InUse(Box::new(id.clone()))));
            }
        }
        if let Some(binder) = self.context.names.get(name).filter(|_| values.refuses()) {
            if let Some(fault) = self.refusal_of(&binder.base)? {
                return Err(Error::Handshake(Arc::new(self.refused(endpoint, values.role(), fault))));
            }
        }
        let (slot, far_slot, hwm) = (Slot::new(), Slot::new(), Marks::of(values));
        let conflate = values.conflate && self.socket_type.conflates();
        let flow = |hwm| Flow { hwm, conflate, count_control: false, lots: values.credit_in_lots };
        let (mut ours, theirs) = pipe(flow(hwm.send), flow(hwm.receive));
        // The other side looks at the pipe when it joins: nobody has to be told.
        tell(&mut ours, values.hello(self.socket_type));
        let marks = JointMarks::of(hwm);
        let mut entry = Entry::new(ours, Link::Offline, slot.clone(), id);
        entry.joint = Some((Arc::clone(&marks), Side::Connector));
        let routing_id = self.enter(|state| {
            state.alive()?;
            let origin = Origin { connected: true, routing_id: values.connect_routing_id.clone() };
            state.attach(entry, &origin).map_err(in_use)?;
            Ok::<Bytes, Error>(state.values.routing_id_bytes())
        })?;
        let connector = owner(self, &slot);
        let refusable = values.refuses().then(|| (id, endpoint.clone(), values.role()));
        let waiting = Waiting { pipe: theirs, slot: far_slot, connector, marks, routing_id, refusable };
        self.endpoints.add(id, endpoint.clone(), false, EndpointState::NotBound);
        match self.context.names.connect(name, waiting) {
            Met::Bound(binder, waiting) => binder.base.meet(waiting, &binder.terms),
            Met::Parked(ticket) => {
                self.endpoints.change(id, |row| row.ticket = Some(ticket));
                // A socket that closed in between did not see the ticket.
                if let Err(closed) = self.enter(|state| state.alive()) {
                    drop(self.context.names.cancel(name, ticket));
                    return Err(closed);
                }
            }
        }
        Ok(())
    }

    /// Why the socket that has bound an inproc name does not take this one as its peer, if it does not.
    fn refusal_of(self: &Arc<Self>, binder: &Arc<SocketBase>) -> Result<Option<ProtocolError>> {
        let (own, peer) = (self.socket_type, binder.socket_type);
        if !own.talks_to(peer) {
            return Ok(Some(ProtocolError::SocketTypeMismatch { own, peer: Some(peer) }));
        }
        let routing_id = self.enter(|state| state.alive().map(|()| state.values.routing_id_bytes()))?;
        Ok(binder.enter(|state| state.want_of_place(None, &routing_id, "")))
    }

    /// A refusal at connect, in the words of a handshake that failed.
    fn refused(&self, endpoint: &Endpoint, security: Role, fault: ProtocolError) -> HandshakeError {
        HandshakeError {
            endpoint: endpoint.to_string().into(),
            socket: self.socket_type,
            security,
            connecting: true,
            stage: None,
            claim: None,
            cause: fault.into(),
        }
    }

    /// A bound name and a connect for it have met: join their marks, and give each side its news.
    fn meet(self: &Arc<Self>, waiting: Waiting, terms: &Terms) {
        let Waiting { mut pipe, slot, connector, marks, routing_id, refusable } = waiting;
        let (own, peer) = (connector.base.socket_type, self.socket_type);
        if let Some((id, endpoint, security)) = refusable.filter(|_| !own.talks_to(peer)) {
            let fault = ProtocolError::SocketTypeMismatch { own, peer: Some(peer) };
            let error = connector.base.refused(&endpoint, security, fault);
            connector.base.endpoints.set_state(id, EndpointState::Failed(Arc::new(error)));
            return leave_pipe(&connector.base, &connector.slot, pipe);
        }
        marks.set(Side::Binder, Some(terms.hwm.send), Some(terms.hwm.receive), &mut pipe);
        tell(&mut pipe, terms.hello.clone());
        let binder = owner(self, &slot);
        let base = Arc::clone(&connector.base);
        let bound = Control::Bound(connector.slot.clone(), binder);
        let mut entry = Entry::new(pipe, Link::Inproc(connector), slot, 0);
        entry.was_up = true;
        entry.farewell.clone_from(&terms.farewell);
        entry.joint = Some((marks, Side::Binder));
        // The connector's open batch is flushed by its news, so its news comes first.
        base.post(bound);
        self.post(Control::Attach(Box::new(Attach { entry, origin: Origin::default(), routing_id })));
    }

    /// Ends the endpoint that `text` names.
    pub(crate) fn end_endpoint(self: &Arc<Self>, text: &str, bound: bool) -> Result<()> {
        self.context.check_process()?;
        let row = self.endpoints.find(text).filter(|row| row.bound == bound);
        // Looked at after the row: a socket that closes takes its endpoints along.
        self.enter(|state| state.alive())?;
        let row = row.ok_or_else(|| Error::NoSuchEndpoint(text.into()))?;
        if let Endpoint::Inproc(name) = &row.endpoint {
            match bound {
                true => self.free_name(row.id, name),
                false => {
                    self.endpoints.remove(row.id);
                    let parked = row.ticket.and_then(|ticket| self.context.names.cancel(name, ticket));
                    // Both ends of the pipe are here: what is in it is dropped for want of a peer, and counted.
                    drop(parked.map(|mut parked| parked.pipe.reader.abandon()));
                    self.enter(|state| self.retire_endpoint(state, row.id));
                }
            }
            return Ok(());
        }
        let Some(reactor) = self.enter(|state| state.reactor.clone()) else { return Ok(()) };
        let receipt = Arc::new(Latch::default());
        if bound {
            reactor.send(Command::Unbind(row.id, Arc::clone(&receipt)));
        } else {
            self.enter(|state| self.retire_endpoint(state, row.id));
            self.endpoints.remove(row.id);
            reactor.send(Command::Disconnect(row.id, Arc::clone(&receipt)));
        }
        if !self.context.is_own_thread() {
            receipt.wait(None);
        }
        Ok(())
    }

    /// Frees the inproc names that the socket has bound.
    pub(crate) fn free_names(&self) {
        for row in self.endpoints.list() {
            if let (true, Endpoint::Inproc(name)) = (row.bound, &row.endpoint) {
                self.free_name(row.id, name);
            }
        }
    }

    /// Takes back the connects that wait for a name nobody has bound, but for those with something to deliver: that
    /// arrives if the name is bound later (libzmq test_hwm.cpp, connect and close first).
    pub(crate) fn give_up_names(&self, loaded: &[u64]) {
        for row in self.endpoints.list() {
            if let (Some(ticket), Endpoint::Inproc(name)) = (row.ticket, &row.endpoint) {
                if !loaded.contains(&row.id) {
                    drop(self.context.names.cancel(name, ticket));
                }
            }
        }
    }

    /// Frees a name that row `id` stands for. Once: it may be somebody else's soon.
    fn free_name(&self, id: u64, name: &str) {
        if self.endpoints.take(id) {
            drop(self.context.names.unbind(name));
        }
    }

    /// The I/O thread of this socket; the first endpoint that needs one gets it.
    fn reactor(self: &Arc<Self>, values: &Values) -> Result<ReactorLink> {
        if let Some(reactor) = self.enter(|state| state.reactor.clone()) {
            return Ok(reactor);
        }
        let reactor = self.context.reactor(values.affinity)?;
        // Not for a closed socket, whose end its I/O thread would have to be told.
        self.enter(|state| state.alive().map(|()| state.reactor.get_or_insert(reactor).clone()))
    }
}

impl SocketState {
    /// The connector's side of [`SocketBase::meet`].
    ///
    /// The binder may have used the pipe before this news was taken up. What was flushed, read or ended on this side
    /// until now found nobody to tell, so everything is told now: a flush or an acknowledgement names its sleeper once.
    pub(crate) fn bound(&mut self, slot: &Slot, binder: Owner) -> Option<u64> {
        let entry = slot.get().and_then(|id| self.pipes.get_mut(id)).filter(|entry| !entry.is_ended());
        let Some(entry) = entry else {
            self.pipes.errands.tell(&binder, Control::Ended);
            return None;
        };
        entry.link = Link::Inproc(binder.clone());
        entry.inproc = true;
        let endpoint = entry.endpoint;
        self.pipes.flush_all(FlushCause::Wait);
        self.pipes.errands.tell(&binder, Control::Readable);
        self.pipes.errands.tell(&binder, Control::Writable);
        Some(endpoint)
    }
}

fn in_use(refusal: Refusal) -> Error {
    match refusal {
        Refusal::InUse(id) => Error::from(crate::options::OptionError::RoutingIdInUse(id)),
        _ => Error::Closed,
    }
}

#[cfg(test)]
#[path = "meeting_tests.rs"]
mod tests;
