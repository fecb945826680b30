//! The endpoints of one socket, and how each fares.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroxide_transports::Endpoint;
use zeroxide_transports::inproc::Ticket;

use crate::error::{Attachment, DialError, HandshakeError};

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
    pub(crate) id: u64,
    /// RECONNECT_IVL or RECONNECT_STOP forbids another attempt, until the application connects once more.
    pub(crate) given_up: bool,
    /// The text that it was asked for with, where that names it as well as its own does.
    asked: Option<Box<str>>,
    /// The application has handed over its connection (`Socket::connect_stream`), so it is never dialled.
    inherited: bool,
    /// Names the connect in the context's table of inproc names, while nobody is bound.
    pub(crate) ticket: Option<Ticket>,
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
    /// The next attempt follows in a while, unless RECONNECT_IVL or RECONNECT_STOP forbids it.
    Waiting,
    /// The peer was reached and is unfit, for this reason; the next attempt follows as after [`EndpointState::Waiting`].
    Failed(Arc<HandshakeError>),
    /// Nobody in this context has bound this inproc name.
    NotBound,
    /// The socket that had bound this inproc name is closed. Inproc never reconnects: connect again.
    Gone,
}

impl EndpointStatus {
    fn new(
        id: u64,
        endpoint: Endpoint,
        asked: Option<Box<str>>,
        bound: bool,
        state: EndpointState,
    ) -> EndpointStatus {
        EndpointStatus {
            endpoint,
            bound,
            state,
            attempts: 0,
            last: None,
            id,
            given_up: false,
            asked,
            inherited: false,
            ticket: None,
        }
    }

    /// Returns the same for the error of a send that finds no peer here.
    pub(crate) fn attachment(&self) -> Attachment {
        let endpoint = Arc::from(self.endpoint.to_string());
        if self.bound {
            Attachment::Bound(endpoint)
        } else {
            Attachment::Connecting { endpoint, last: self.last.clone(), attempts: self.attempts }
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
        }?;
        if self.given_up { write!(f, "; not dialled again unless you connect again") } else { Ok(()) }
    }
}

/// The endpoints of one socket, kept true by whoever serves them.
#[derive(Default)]
pub(crate) struct EndpointTable {
    rows: Mutex<Vec<EndpointStatus>>,
    last: Mutex<Option<String>>,
}

impl EndpointTable {
    /// Adds the endpoint that was asked for as `text`. A text that each bind resolves anew (a port or a path that the system
    /// chooses) names nothing afterwards.
    pub(crate) fn add(&self, id: u64, endpoint: Endpoint, text: &str, bound: bool, state: EndpointState) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(endpoint.to_string());
        let resolved_anew = text.ends_with('*') || text.ends_with(":0");
        let asked = (!resolved_anew).then(|| text.into());
        self.rows().push(EndpointStatus::new(id, endpoint, asked, bound, state));
    }

    /// Adds the other end of a connection that the application has handed over.
    pub(crate) fn add_inherited(&self, id: u64, endpoint: Endpoint) {
        let row = EndpointStatus::new(id, endpoint, None, false, EndpointState::Handshaking);
        self.rows().push(EndpointStatus { inherited: true, ..row });
    }

    pub(crate) fn remove(&self, id: u64) {
        self.take(id);
    }

    /// Removes a row; `false` when somebody else did.
    pub(crate) fn take(&self, id: u64) -> bool {
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

    /// An attempt came to nothing, for a `fault` of the peer's or for none. Whether the next one follows or the endpoint has
    /// `given_up` is told in the same change: who sees that it waits sees what for.
    pub(crate) fn waits(&self, id: u64, fault: Option<Arc<HandshakeError>>, given_up: bool) {
        self.change(id, |row| {
            row.given_up = given_up;
            row.state = match fault {
                Some(error) => {
                    row.last = Some(DialError::Handshake(Arc::clone(&error)));
                    EndpointState::Failed(error)
                }
                None => EndpointState::Waiting,
            };
        });
    }

    /// The application connects once more to an endpoint that has given up. `true` for the first connect that does, which
    /// has it dialled again: the next one is a connect of its own.
    pub(crate) fn take_up_again(&self, id: u64) -> bool {
        let mut was_given_up = false;
        self.change(id, |row| was_given_up = std::mem::take(&mut row.given_up));
        was_given_up
    }

    /// One more attempt begins.
    pub(crate) fn dialling(&self, id: u64) {
        self.change(id, |row| {
            row.attempts = row.attempts.saturating_add(1);
            row.given_up = false;
            if !matches!(row.state, EndpointState::Failed(_)) {
                row.state = EndpointState::Dialling;
            }
        });
    }

    /// An attempt failed before there was a connection.
    pub(crate) fn failed(&self, id: u64, error: DialError) {
        self.change(id, |row| row.last = Some(error));
    }

    /// Returns the endpoint that was bound or connected last (libzmq `ZMQ_LAST_ENDPOINT`).
    pub(crate) fn last(&self) -> Option<String> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn list(&self) -> Vec<EndpointStatus> {
        self.rows().clone()
    }

    /// Returns the row that `wanted` names: by its resolved text, or by the text it was asked for with.
    pub(crate) fn find(&self, wanted: &str, bound: bool) -> Option<EndpointStatus> {
        let rows = self.rows();
        let mut candidates = rows.iter().filter(|row| row.bound == bound);
        let by_name = candidates.clone().find(|row| row.endpoint.to_string() == wanted);
        by_name.or_else(|| candidates.find(|row| row.asked.as_deref() == Some(wanted))).cloned()
    }

    /// Returns the row of a connecting endpoint, but not of a connection that was handed over.
    pub(crate) fn connecting(&self, endpoint: &Endpoint) -> Option<EndpointStatus> {
        let is_it = |row: &&EndpointStatus| !row.bound && !row.inherited && row.endpoint == *endpoint;
        self.rows().iter().find(is_it).cloned()
    }

    pub(crate) fn get(&self, id: u64) -> Option<EndpointStatus> {
        self.rows().iter().find(|row| row.id == id).cloned()
    }

    /// Returns where a socket without peers might find one, for an error's text.
    pub(crate) fn attachment(&self) -> Attachment {
        let rows = self.rows();
        let row = rows.iter().find(|row| !row.bound).or(rows.first());
        row.map_or(Attachment::Nowhere, EndpointStatus::attachment)
    }

    pub(crate) fn change(&self, id: u64, change: impl FnOnce(&mut EndpointStatus)) {
        if let Some(row) = self.rows().iter_mut().find(|row| row.id == id) {
            change(row);
        }
    }

    fn rows(&self) -> MutexGuard<'_, Vec<EndpointStatus>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
