//! Bind, connect, unbind and disconnect.

use std::sync::Arc;

use zeroxide_patterns::Origin;
use zeroxide_transports::{Endpoint, Listener, OwnedStream, Stream};
use zeroxide_zmtp::ProtocolError;

use super::after_unlock::free_unread;
use super::base::{SocketBase, SocketState};
use super::inproc::{Terms, in_use};
use super::orders::{Connect, Order};
use super::pipes::{Entry, Link};
use crate::endpoints::EndpointState;
use crate::engine::slot::Slot;
use crate::error::{BindError, Error, HandshakeError, IoError, Result, SecurityError};
use crate::events::EventKind;
use crate::options::Values;
use crate::security::Role;
use crate::signal::Latch;
use crate::socket::orders::IoThread;
use crate::socket::pipe_ends::make_pipe;

impl SocketBase {
    /// Binds and returns the resolved endpoint.
    pub(crate) fn bind(self: &Arc<Self>, text: &str, values: &Values) -> Result<Endpoint> {
        self.bind_by(text, values, |endpoint| Listener::bind(endpoint, &values.socket_options()))
    }

    /// Binds with a listener that `listen` creates. Inproc has no listener.
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
            self.endpoints.add(id, endpoint.clone(), text, true, EndpointState::Listening);
            let terms = Terms::of(values, self.socket_type);
            waiting.into_iter().for_each(|waiting| self.meet(waiting, &terms));
            if let Err(error) = self.enter(|state| state.alive()) {
                // The socket was closed in the meantime, perhaps before it could free the name.
                self.free_name(id, name);
                return Err(error);
            }
            return Ok(endpoint);
        }
        self.check_security(text, values)?;
        let reactor = self.reactor(values.affinity)?;
        let listener = listen(&endpoint).map_err(|error| {
            let cause = IoError::from(error.source);
            self.monitors.emit(id, &endpoint.to_string(), "", EventKind::BindFailed(cause.clone()));
            self.bind_error(text, cause)
        })?;
        let resolved = listener.endpoint().clone();
        self.endpoints.add(id, resolved.clone(), text, true, EndpointState::Listening);
        reactor.send(Order::Bind(id, Arc::clone(self), Box::new(listener), Arc::new(values.clone())));
        self.enter(SocketState::changed);
        Ok(resolved)
    }

    /// Returns an error if the mechanism is incomplete, or if there is no authenticator and no ZAP handler to ask.
    fn check_security(&self, text: &str, values: &Values) -> Result<()> {
        if values.is_raw(self.socket_type) {
            // Raw sockets have no security. libzmq ignores the options.
            let is_secured = values.role() != Role::default() || values.zap_domain.is_some();
            return if values.auth_required && is_secured {
                Err(SecurityError::Raw { socket: self.socket_type }.into())
            } else {
                Ok(())
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

    /// Connects in the background. Returns the endpoint and its number.
    pub(crate) fn connect(self: &Arc<Self>, text: &str, values: &Values) -> Result<(Endpoint, u64)> {
        self.context.check_process()?;
        let endpoint = Endpoint::parse_connect(text)?;
        self.enter(|state| state.alive())?;
        if let Some(row) = self.endpoints.connecting(&endpoint) {
            // The endpoint may wait long because its handshake failed, or may have given up. Then it is dialled at once,
            // instead of making a second connection.
            let inproc = matches!(endpoint, Endpoint::Inproc(_));
            let gone = row.state == EndpointState::Gone;
            if gone || inproc && matches!(row.state, EndpointState::Failed(_)) {
                self.endpoints.remove(row.id);
            } else if values.connect_routing_id.is_none() {
                let is_one =
                    self.socket_type.connects_once() || matches!(row.state, EndpointState::Failed(_));
                if is_one || row.given_up {
                    self.check_security(text, values)?;
                    if self.endpoints.take_up_again(row.id) || is_one {
                        self.redial(row.id, values);
                        return Ok((endpoint, row.id));
                    }
                }
            }
        }
        self.check_place(&endpoint, values)?;
        let id = self.context.next_id();
        match &endpoint {
            Endpoint::Inproc(name) => self.connect_name(id, name, &endpoint, values)?,
            _ => {
                self.check_security(text, values)?;
                self.begin_session(id, &endpoint, values, None, || {
                    self.endpoints.add(id, endpoint.clone(), text, false, EndpointState::Dialling);
                })?;
            }
        }
        Ok((endpoint, id))
    }

    /// Returns an error if the socket can have only one peer and already has one.
    fn check_place(self: &Arc<Self>, endpoint: &Endpoint, values: &Values) -> Result<()> {
        if self.socket_type.has_one_peer() && values.refuses() {
            if let Some(fault) = self.enter(|state| state.want_of_place(None, b"", "")) {
                return Err(Error::Handshake(Arc::new(self.refused(endpoint, values.role(), fault))));
            }
        }
        Ok(())
    }

    /// Takes over an open connection of the application. Returns the endpoint of its other end.
    pub(crate) fn take_over(self: &Arc<Self>, stream: OwnedStream, values: &Values) -> Result<Endpoint> {
        self.context.check_process()?;
        self.enter(|state| state.alive())?;
        let (stream, endpoint) = Stream::inherit(stream, &values.socket_options()).map_err(Error::Io)?;
        self.check_place(&endpoint, values)?;
        self.check_security(&endpoint.to_string(), values)?;
        let id = self.context.next_id();
        let add = || self.endpoints.add_inherited(id, endpoint.clone());
        self.begin_session(id, &endpoint, values, Some(Box::new(stream)), add)?;
        Ok(endpoint)
    }

    fn redial(self: &Arc<Self>, id: u64, values: &Values) {
        if let Some(reactor) = self.enter(|state| state.reactor.clone()) {
            reactor.send(Order::Redial(id, Arc::new(values.clone())));
        }
    }

    /// Creates the pipe of a connecting endpoint, and orders the I/O thread to begin its session. `add` adds the
    /// endpoint's row.
    fn begin_session(
        self: &Arc<Self>,
        id: u64,
        endpoint: &Endpoint,
        values: &Values,
        stream: Option<Box<Stream>>,
        add: impl FnOnce(),
    ) -> Result<()> {
        let reactor = self.reactor(values.affinity)?;
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
        add();
        let values = Arc::new(values.clone());
        let (base, endpoint) = (Arc::clone(self), endpoint.clone());
        let connect = Connect { id, base, endpoint, values, slot, pipe: held, given_id, stream };
        reactor.send(Order::Connect(Box::new(connect)));
        self.enter(SocketState::changed);
        Ok(())
    }

    /// Returns the error of a connect that is refused at once, as if its handshake had failed.
    pub(super) fn refused(
        &self,
        endpoint: &Endpoint,
        security: Role,
        fault: ProtocolError,
    ) -> HandshakeError {
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

    /// Ends the endpoint that `text` names.
    pub(crate) fn end_endpoint(self: &Arc<Self>, text: &str, bound: bool) -> Result<()> {
        self.context.check_process()?;
        let row = self.endpoints.find(text, bound);
        // Checked after the row is read: a socket that closes removes its rows.
        self.enter(|state| state.alive())?;
        let row = row.ok_or_else(|| Error::NoSuchEndpoint(text.into()))?;
        if let Endpoint::Inproc(name) = &row.endpoint {
            if bound {
                self.free_name(row.id, name);
            } else {
                self.endpoints.remove(row.id);
                let parked = row.ticket.and_then(|ticket| self.context.names.cancel(name, ticket));
                // Both ends of the pipe are here. Its messages are dropped, and counted as without a peer.
                let unread = parked.map(|mut parked| parked.pipe.reader.abandon());
                self.enter(|state| self.retire_endpoint(state, row.id));
                unread.into_iter().for_each(free_unread);
            }
            return Ok(());
        }
        let Some(reactor) = self.enter(|state| state.reactor.clone()) else { return Ok(()) };
        let receipt = Arc::new(Latch::default());
        if bound {
            reactor.send(Order::Unbind(row.id, Arc::clone(&receipt)));
        } else {
            self.enter(|state| self.retire_endpoint(state, row.id));
            self.endpoints.remove(row.id);
            reactor.send(Order::Disconnect(row.id, Arc::clone(&receipt)));
        }
        if !self.context.is_own_thread() {
            receipt.wait(None);
        }
        Ok(())
    }

    /// Returns the I/O thread of this socket. The first endpoint that needs one selects it.
    pub(super) fn reactor(self: &Arc<Self>, affinity: u64) -> Result<IoThread> {
        if let Some(reactor) = self.enter(|state| state.reactor.clone()) {
            return Ok(reactor);
        }
        let reactor = self.context.reactor(affinity)?;
        // A closed socket must not get one, because that I/O thread would not learn that it is closed.
        self.enter(|state| state.alive().map(|()| state.reactor.get_or_insert(reactor).clone()))
    }
}
