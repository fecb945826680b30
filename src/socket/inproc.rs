//! Inproc: a bind and a connect of one context meet in its table of names, in either order, and share one pipe.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use zeroxide_patterns::{Origin, Pattern, Refusal};
use zeroxide_transports::Endpoint;
use zeroxide_transports::inproc::Met;
use zeroxide_transports::pipe::{Flow, Pipe, pipe};
use zeroxide_zmtp::{Message, ProtocolError, SocketType};

use super::base::{SocketBase, SocketState, owner};
use super::context::ZAP_HANDLER;
use super::marks::{JointMarks, Marks, Side};
use super::pipes::{Entry, FlushCause, Link, Owner};
use crate::endpoints::EndpointState;
use crate::engine::slot::Slot;
use crate::error::{Error, Result};
use crate::options::Values;
use crate::security::Role;
use crate::socket::news::{Attach, News};
use crate::socket::pipe_ends::{greet, leave_pipe};

/// A connect over inproc whose name is not bound yet: the binder's end of the pipe, and the connecting socket.
pub(crate) struct Waiting {
    pub(super) pipe: Pipe,
    /// The slot of the binder's end.
    slot: Slot,
    connector: Owner,
    marks: Arc<JointMarks>,
    routing_id: Bytes,
    /// The endpoint's number, the endpoint and the connector's role in its mechanism: for the error if the binder has the
    /// wrong type. `None` if no connect is refused (C library).
    refusable: Option<(u64, Endpoint, Role)>,
}

/// A socket bound over inproc.
#[derive(Clone)]
pub(crate) struct Binder {
    base: Arc<SocketBase>,
    terms: Terms,
}

/// The options of a bound inproc endpoint.
#[derive(Clone)]
pub(super) struct Terms {
    hwm: Marks,
    /// The HELLO_MSG to send to each peer.
    hello: Option<Message>,
    /// The DISCONNECT_MSG to receive when a peer has left.
    disconnect_notice: Option<Message>,
}

impl Terms {
    pub(super) fn of(values: &Values, t: SocketType) -> Terms {
        Terms {
            hwm: Marks::of(values),
            hello: values.hello(t),
            disconnect_notice: values.disconnect_notice(t),
        }
    }
}

impl Binder {
    /// Returns the type of the socket that is bound.
    pub(crate) fn socket_type(&self) -> SocketType {
        self.base.socket_type
    }
}

impl SocketBase {
    pub(super) fn bind_name(self: &Arc<Self>, name: &str, values: &Values) -> io::Result<Vec<Waiting>> {
        let binder = Binder { base: Arc::clone(self), terms: Terms::of(values, self.socket_type) };
        let waiting = self.context.names.bind(name, binder).map_err(|_| io::ErrorKind::AddrInUse)?;
        if name == ZAP_HANDLER && self.socket_type.handles_zap() {
            self.context.got_zap_handler();
        }
        Ok(waiting)
    }

    pub(super) fn connect_name(
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
        let flow =
            |hwm| Flow { hwm, conflate, count_control: false, lots: values.credit_in_lots, packs: false };
        let (mut ours, theirs) = pipe(flow(hwm.send), flow(hwm.receive));
        // The other side looks at the pipe when it is attached, so it need not be told.
        greet(&mut ours, values.hello(self.socket_type));
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
        self.endpoints.add(id, endpoint.clone(), &endpoint.to_string(), false, EndpointState::NotBound);
        match self.context.names.connect(name, waiting) {
            Met::Bound(binder, waiting) => binder.base.meet(waiting, &binder.terms),
            Met::Parked(ticket) => {
                self.endpoints.change(id, |row| row.ticket = Some(ticket));
                // If the socket was closed in between, its closing did not see the ticket.
                if let Err(closed) = self.enter(|state| state.alive()) {
                    drop(self.context.names.cancel(name, ticket));
                    return Err(closed);
                }
            }
        }
        Ok(())
    }

    /// Returns why the socket that has bound an inproc name refuses this one, or `None` if it does not.
    fn refusal_of(self: &Arc<Self>, binder: &Arc<SocketBase>) -> Result<Option<ProtocolError>> {
        let (own, peer) = (self.socket_type, binder.socket_type);
        if !own.talks_to(peer) {
            return Ok(Some(ProtocolError::SocketTypeMismatch { own, peer: Some(peer) }));
        }
        let routing_id = self.enter(|state| state.alive().map(|()| state.values.routing_id_bytes()))?;
        Ok(binder.enter(|state| state.want_of_place(None, &routing_id, "")))
    }

    /// Joins a connect with the socket that has bound its name: combines their high-water marks, and sends each side its news.
    pub(super) fn meet(self: &Arc<Self>, waiting: Waiting, terms: &Terms) {
        let Waiting { mut pipe, slot, connector, marks, routing_id, refusable } = waiting;
        let (own, peer) = (connector.base.socket_type, self.socket_type);
        if let Some((id, endpoint, security)) = refusable.filter(|_| !own.talks_to(peer)) {
            let fault = ProtocolError::SocketTypeMismatch { own, peer: Some(peer) };
            let error = connector.base.refused(&endpoint, security, fault);
            connector.base.endpoints.set_state(id, EndpointState::Failed(Arc::new(error)));
            return leave_pipe(&connector.base, &connector.slot, pipe);
        }
        marks.set(Side::Binder, Some(terms.hwm.send), Some(terms.hwm.receive), &mut pipe);
        greet(&mut pipe, terms.hello.clone());
        let binder = owner(self, &slot);
        let base = Arc::clone(&connector.base);
        let bound = News::Bound(connector.slot.clone(), binder);
        let mut entry = Entry::new(pipe, Link::Inproc(connector), slot, 0);
        entry.was_up = true;
        entry.disconnect_notice.clone_from(&terms.disconnect_notice);
        entry.joint = Some((marks, Side::Binder));
        // The connector flushes its open batch when it takes up its news, so its news comes first.
        base.post(bound);
        self.post(News::Attach(Box::new(Attach { entry, origin: Origin::default(), routing_id })));
    }

    /// Frees the inproc names that the socket has bound.
    pub(crate) fn free_names(&self) {
        for row in self.endpoints.list() {
            if let (true, Endpoint::Inproc(name)) = (row.bound, &row.endpoint) {
                self.free_name(row.id, name);
            }
        }
    }

    /// Removes the connects of this socket that wait for a name, except those with unsent messages: these arrive if the name
    /// is bound later (libzmq test_hwm.cpp, connect and close first).
    pub(crate) fn give_up_names(&self, loaded: &[u64]) {
        for row in self.endpoints.list() {
            if let (Some(ticket), Endpoint::Inproc(name)) = (row.ticket, &row.endpoint) {
                if !loaded.contains(&row.id) {
                    drop(self.context.names.cancel(name, ticket));
                }
            }
        }
    }

    /// Frees the name of the row `id`, once only: another socket may bind it after that.
    pub(super) fn free_name(&self, id: u64, name: &str) {
        if self.endpoints.take(id) {
            drop(self.context.names.unbind(name));
        }
    }
}

impl SocketState {
    /// Does the connector's part of [`SocketBase::meet`].
    ///
    /// The binder may have used the pipe already. What this side has flushed, read or ended until now could not be told to
    /// the binder, so all of it is told now: the pipe reports a sleeping reader or writer only once.
    pub(crate) fn bound(&mut self, slot: &Slot, binder: Owner) -> Option<u64> {
        let entry = slot.get().and_then(|id| self.pipes.get_mut(id)).filter(|entry| !entry.is_ended());
        let Some(entry) = entry else {
            self.pipes.after_unlock.tell(&binder, News::Ended);
            return None;
        };
        entry.link = Link::Inproc(binder.clone());
        entry.inproc = true;
        let endpoint = entry.endpoint;
        self.pipes.flush_all(FlushCause::Wait);
        self.pipes.after_unlock.tell(&binder, News::Readable);
        self.pipes.after_unlock.tell(&binder, News::Writable);
        Some(endpoint)
    }
}

pub(super) fn in_use(refusal: Refusal) -> Error {
    match refusal {
        Refusal::InUse(id) => Error::from(crate::options::OptionError::RoutingIdInUse(id)),
        _ => Error::Closed,
    }
}

#[cfg(test)]
#[path = "inproc_tests.rs"]
mod tests;
