//! Socket options: one table, and its typed face.
//!
//! Every option is one row of [`opt::TABLE`], whose macro makes a constant of it in [`opt`], named as libzmq names
//! it. The constant's type says what its value is and when it may change: [`Live`] ones on a socket in use,
//! [`AtAttach`] ones before a bind or connect, [`ReadOnly`] ones never. So "identity set after connect", which
//! libzmq accepts and ignores, cannot be written.
//!
//! Invariant: a [`Values`] that left this module holds no value outside its range, and none that its socket type
//! does not have.

mod context;
mod kind;
mod row;
mod security;
mod table;
#[cfg(test)]
mod tests;
mod values;

use std::fmt;
use std::marker::PhantomData;

use bytes::Bytes;
use zeroxide_patterns::{RoutingId, RoutingIdError};
use zeroxide_zmtp::mechanism::Secret;
use zeroxide_zmtp::{Frame, SocketType};

use crate::security::Security;

pub use context::ContextOptions;
pub(crate) use kind::show_duration;
pub(crate) use row::{Place, Row, Support};
pub(crate) use table::Values;
pub use table::opt;

/// Marks an option that may change on a live socket, with [`Socket::set`](crate::Socket::set).
#[derive(Clone, Copy, Debug)]
pub enum Live {}

/// Marks an option that is read at bind or connect: it is given to the socket when it is made, or to one endpoint.
#[derive(Clone, Copy, Debug)]
pub enum AtAttach {}

/// Marks an option that can only be read.
#[derive(Clone, Copy, Debug)]
pub enum ReadOnly {}

/// The scopes whose options can be set: [`Live`] and [`AtAttach`].
pub trait Writable: sealed::Sealed {}

impl Writable for Live {}
impl Writable for AtAttach {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Live {}
    impl Sealed for super::AtAttach {}
}

/// One option: `T` is the type of its value, `S` its scope ([`Live`], [`AtAttach`] or [`ReadOnly`]).
///
/// They are constants in [`opt`]. An option that is read at bind or connect does not fit where a live one is asked
/// for:
///
/// ```compile_fail,E0308
/// use zeroxide::{Live, Opt, opt};
///
/// fn change<T>(_option: Opt<T, Live>) {} // as Socket::set
/// change(opt::SNDHWM);
/// change(opt::ROUTING_ID);
/// ```
///
/// and one that can only be read cannot be set at all:
///
/// ```compile_fail,E0277
/// use zeroxide::{Options, opt};
///
/// let options = Options::new().set(opt::TOPICS_COUNT, 1);
/// ```
pub struct Opt<T, S> {
    row: &'static Row,
    check: fn(&T) -> Result<(), OptionError>,
    write: fn(&mut Values, T),
    read: fn(&Values) -> Option<T>,
    scope: PhantomData<fn() -> S>,
}

impl<T, S> Opt<T, S> {
    /// Everything else about the option: number, default, limits.
    #[must_use]
    pub fn row(&self) -> &'static Row {
        self.row
    }

    /// Its value in `values`, those of one socket.
    ///
    /// # Errors
    /// [`OptionError::NotYet`], [`OptionError::NotForType`], and [`OptionError::Unset`] for a value that has no default.
    pub(crate) fn read_from(self, values: &Values) -> Result<T, OptionError> {
        if let Support::NotYet(needs) = self.row.support {
            return Err(OptionError::NotYet { option: self.row.name, needs });
        }
        values.socket_type.map_or(Ok(()), |t| for_type(self.row, t))?;
        (self.read)(values).ok_or(OptionError::Unset { option: self.row.name })
    }

    /// Puts `value` in `values`, for a socket of type `t`.
    ///
    /// # Errors
    /// [`OptionError::NotYet`], [`OptionError::NotForType`], [`OptionError::OutOfRange`]; nothing has changed then.
    pub(crate) fn write_to(self, values: &mut Values, value: T, t: SocketType) -> Result<(), OptionError> {
        self.admit(&value)?;
        for_type(self.row, t)?;
        (self.write)(values, value);
        Ok(())
    }

    /// [`Opt::write_to`] for the C face; a `generic` option fits sockets of every type.
    #[cfg(feature = "face")]
    pub(crate) fn write_for_c(
        self,
        values: &mut Values,
        value: T,
        t: SocketType,
        generic: bool,
    ) -> Result<(), OptionError> {
        if !generic {
            return self.write_to(values, value, t);
        }
        self.admit(&value)?;
        (self.write)(values, value);
        Ok(())
    }

    /// The value for the C face, which knows of options that were never set; `generic` as in `write_for_c`.
    #[cfg(feature = "face")]
    pub(crate) fn read_for_c(
        self,
        values: &Values,
        t: SocketType,
        generic: bool,
    ) -> Result<Option<T>, OptionError> {
        if !generic {
            for_type(self.row, t)?;
        }
        Ok((self.read)(values))
    }

    fn admit(&self, value: &T) -> Result<(), OptionError> {
        match self.row.support {
            Support::NotYet(needs) => Err(OptionError::NotYet { option: self.row.name, needs }),
            Support::NotBuilt(feature) => Err(OptionError::NotBuilt { option: self.row.name, feature }),
            Support::Works | Support::COnly(_) => (self.check)(value),
        }
    }
}

impl<T, S> Clone for Opt<T, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, S> Copy for Opt<T, S> {}

impl<T, S> fmt::Debug for Opt<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.row.name)
    }
}

/// What an option can be set to: a value of its type; for a text or a secret also what it is made from, and for a routing
/// id whatever a frame can be made of.
///
/// ```
/// use zeroxide::{Options, RoutingId, opt};
///
/// let options = Options::new().set(opt::ROUTING_ID, "worker-1");
/// assert_eq!(options.get(opt::ROUTING_ID), Some(RoutingId::new("worker-1")?));
///
/// let error = Options::new().set(opt::ROUTING_ID, "").check().unwrap_err();
/// assert_eq!(error.to_string(), "ROUTING_ID = 0 bytes: allowed 1..255 bytes, not beginning with a zero byte");
/// # Ok::<(), zeroxide::RoutingIdError>(())
/// ```
pub trait OptionValue<T> {
    /// The value.
    ///
    /// # Errors
    /// [`RoutingIdError`] when it has not the length of a routing id.
    fn into_value(self) -> Result<T, RoutingIdError>;
}

impl<T> OptionValue<T> for T {
    fn into_value(self) -> Result<T, RoutingIdError> {
        Ok(self)
    }
}

macro_rules! made_from {
    ($value:ty: $($given:ty),* => $make:expr) => {$(
        impl OptionValue<$value> for $given {
            fn into_value(self) -> Result<$value, RoutingIdError> {
                $make(self)
            }
        }
    )*};
}

made_from!(RoutingId: &str, String, &String, &[u8], Vec<u8>, Bytes, Frame, &Frame => RoutingId::new);
made_from!(String: &str, &String => |text: &str| Ok(text.to_owned()));
made_from!(Secret: &str, String, &[u8] => |secret| Ok(Secret::from(secret)));

impl<const N: usize> OptionValue<RoutingId> for &[u8; N] {
    fn into_value(self) -> Result<RoutingId, RoutingIdError> {
        RoutingId::new(self)
    }
}

/// Options for a socket or for one of its endpoints: those that were set, over the defaults of the socket's type.
///
/// Setting never fails. An invalid value is remembered, and reported by [`Options::check`] and by whatever the
/// options are then used for.
///
/// ```
/// use std::time::Duration;
/// use zeroxide::{Options, opt};
///
/// let options = Options::new().set(opt::SNDHWM, 10_000).set(opt::LINGER, Some(Duration::from_secs(5)));
/// assert_eq!(options.get(opt::SNDHWM), Some(10_000));
/// assert_eq!(options.get(opt::RCVHWM), None);
///
/// let options = options.set(opt::HEARTBEAT_TTL, Duration::from_secs(7000));
/// let error = options.check().unwrap_err();
/// assert_eq!(error.to_string(), "HEARTBEAT_TTL = 7000 s: allowed 0..6553.5 s");
/// ```
#[derive(Clone)]
pub struct Options {
    /// Only the options in `set` count.
    values: Values,
    set: Vec<&'static Row>,
    error: Option<OptionError>,
    libzmq: bool,
}

impl Options {
    /// Nothing set: this library's defaults, which bound every wait and every size.
    #[must_use]
    pub fn new() -> Options {
        Options { values: Values::native(None), set: Vec::new(), error: None, libzmq: false }
    }

    /// Nothing set, over libzmq's defaults instead: linger for ever, no size limit, ROUTER drops what it cannot
    /// route, peers as old as ZMTP 1.0. Has no effect on the options of one endpoint.
    #[must_use]
    pub fn with_libzmq_defaults() -> Options {
        Options { libzmq: true, ..Options::new() }
    }

    /// Sets one option; an earlier value of it is forgotten.
    #[must_use]
    pub fn set<T, S: Writable>(mut self, option: Opt<T, S>, value: impl OptionValue<T>) -> Options {
        let value = value.into_value().map_err(|error| OptionError::OutOfRange {
            option: option.row.name,
            value: format!("{} bytes", error.length),
            allowed: option.row.allowed(),
        });
        match value.and_then(|value| option.admit(&value).map(|()| value)) {
            Err(error) => {
                self.error.get_or_insert(error);
            }
            Ok(value) => {
                self.error = self.error.filter(|error| error.option() != option.row.name);
                (option.write)(&mut self.values, value);
                if !self.is_set(option.row) {
                    self.set.push(option.row);
                }
            }
        }
        self
    }

    /// Sets the mechanism and this side's part in it, with all that belongs to it: the same as setting the options of the
    /// mechanism one by one.
    ///
    /// ```
    /// use zeroxide::{Options, Security};
    ///
    /// let options = Options::new().security(Security::Null);
    /// ```
    #[must_use]
    pub fn security(self, security: Security) -> Options {
        match security {
            // Without the features nothing else can have been set.
            Security::Null if cfg!(feature = "plain") => self.set(opt::PLAIN_SERVER, false),
            Security::Null if cfg!(feature = "curve") => self.set(opt::CURVE_SERVER, false),
            Security::Null => self,
            Security::PlainServer => self.set(opt::PLAIN_SERVER, true),
            Security::PlainClient { user, password } => {
                self.set(opt::PLAIN_USERNAME, user).set(opt::PLAIN_PASSWORD, password)
            }
            #[cfg(feature = "curve")]
            Security::CurveServer(key) => self
                .set(opt::CURVE_PUBLICKEY, key.public())
                .set(opt::CURVE_SECRETKEY, key)
                .set(opt::CURVE_SERVER, true),
            #[cfg(feature = "curve")]
            Security::CurveClient { server, me } => self
                .set(opt::CURVE_PUBLICKEY, me.public())
                .set(opt::CURVE_SECRETKEY, me)
                .set(opt::CURVE_SERVERKEY, server),
        }
    }

    /// The value that was set for an option; `None` when it was not.
    #[must_use]
    pub fn get<T, S>(&self, option: Opt<T, S>) -> Option<T> {
        self.is_set(option.row).then(|| (option.read)(&self.values)).flatten()
    }

    /// Whether every value that was set is valid.
    ///
    /// # Errors
    /// The first that is not: [`OptionError::OutOfRange`], [`OptionError::NotYet`] or [`OptionError::NotBuilt`].
    pub fn check(&self) -> Result<(), OptionError> {
        self.error.clone().map_or(Ok(()), Err)
    }

    /// All values for a new socket of type `t`.
    ///
    /// # Errors
    /// As [`Options::check`], and [`OptionError::NotForType`].
    pub(crate) fn values(&self, t: SocketType) -> Result<Values, OptionError> {
        let defaults = if self.libzmq { Values::libzmq(Some(t)) } else { Values::native(Some(t)) };
        self.over(defaults, t)
    }

    /// All values for one endpoint of a socket of type `t` whose values are `socket`.
    ///
    /// # Errors
    /// As [`Options::check`], [`OptionError::NotForType`] and [`OptionError::NotForEndpoint`].
    pub(crate) fn endpoint_values(&self, t: SocketType, socket: &Values) -> Result<Values, OptionError> {
        match self.set.iter().find(|row| row.place == Place::Socket) {
            Some(row) => Err(OptionError::NotForEndpoint { option: row.name }),
            None => self.over(socket.clone(), t),
        }
    }

    fn over(&self, mut values: Values, t: SocketType) -> Result<Values, OptionError> {
        self.check()?;
        for row in &self.set {
            for_type(row, t)?;
            (row.copy)(&mut values, &self.values);
        }
        Ok(values)
    }

    fn is_set(&self, row: &Row) -> bool {
        self.set.iter().any(|set| set.name == row.name)
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::new()
    }
}

/// What was set, with `***` in place of secrets.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_struct("Options");
        for row in &self.set {
            let value = if row.secret { "***".to_owned() } else { (row.show)(&self.values) };
            out.field(row.name, &format_args!("{value}"));
        }
        if let Some(error) = &self.error {
            out.field("invalid", &format_args!("{error}"));
        }
        out.finish()
    }
}

/// When RECONNECT_STOP gives up on an endpoint instead of dialling again; all off by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReconnectStop {
    /// When nobody listens there (libzmq `ZMQ_RECONNECT_STOP_CONN_REFUSED`, 1).
    pub conn_refused: bool,
    /// When the handshake fails (libzmq `ZMQ_RECONNECT_STOP_HANDSHAKE_FAILED`, 2).
    pub handshake_failed: bool,
    /// When nobody listens there after `disconnect` (libzmq `ZMQ_RECONNECT_STOP_AFTER_DISCONNECT`, 4).
    pub after_disconnect: bool,
}

/// What a ROUTER is told of the comings and goings of its peers, as empty messages from them ([`opt::ROUTER_NOTIFY`]).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouterNotify {
    /// A peer's handshake is over (libzmq `ZMQ_NOTIFY_CONNECT`, 1).
    pub connect: bool,
    /// A peer is lost; its own messages come first (libzmq `ZMQ_NOTIFY_DISCONNECT`, 2).
    pub disconnect: bool,
}

/// Why an option cannot have a value, or cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OptionError {
    /// The value is outside its limits.
    OutOfRange {
        /// Name of the option.
        option: &'static str,
        /// The value, as text with its unit; `***` for a secret.
        value: String,
        /// The limits, as text with their unit.
        allowed: String,
    },
    /// Sockets of this type do not have the option.
    NotForType {
        /// Name of the option.
        option: &'static str,
        /// The socket's type.
        socket: SocketType,
        /// Names of the types that have it.
        types: &'static [&'static str],
    },
    /// The option belongs to a whole socket, not to one of its endpoints.
    NotForEndpoint {
        /// Name of the option.
        option: &'static str,
    },
    /// The option belongs to a feature that does not exist yet.
    NotYet {
        /// Name of the option.
        option: &'static str,
        /// Name of the feature.
        needs: &'static str,
    },
    /// The option belongs to a cargo feature that is off.
    NotBuilt {
        /// Name of the option.
        option: &'static str,
        /// Name of the feature.
        feature: &'static str,
    },
    /// The option was never set and has no default.
    Unset {
        /// Name of the option.
        option: &'static str,
    },
    /// There is no option with this number.
    Unknown {
        /// The number, as in `zmq_setsockopt`.
        number: i32,
    },
    /// CONNECT_ROUTING_ID names an id that another peer of the socket has.
    RoutingIdInUse(Box<RoutingId>),
}

impl OptionError {
    /// Name of the option.
    #[must_use]
    pub fn option(&self) -> &'static str {
        match self {
            OptionError::OutOfRange { option, .. }
            | OptionError::NotForType { option, .. }
            | OptionError::NotForEndpoint { option }
            | OptionError::NotYet { option, .. }
            | OptionError::NotBuilt { option, .. }
            | OptionError::Unset { option } => option,
            OptionError::Unknown { .. } => "?",
            OptionError::RoutingIdInUse(_) => "CONNECT_ROUTING_ID",
        }
    }
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptionError::OutOfRange { option, value, allowed } => {
                write!(f, "{option} = {value}: allowed {allowed}")
            }
            OptionError::NotForType { option, socket, types } => {
                write!(f, "{option}: {socket} sockets do not have it, only {}", types.join(", "))
            }
            OptionError::NotForEndpoint { option } => write!(
                f,
                "{option}: belongs to the whole socket, not to one endpoint; give it to socket_with()"
            ),
            OptionError::NotYet { option, needs } => {
                write!(f, "{option}: not supported yet (needs {needs})")
            }
            OptionError::NotBuilt { option, feature } => {
                write!(f, "{option}: not built in; enable the feature {feature:?} of zeroxide in Cargo.toml")
            }
            OptionError::Unset { option } => write!(f, "{option}: not set, and it has no default"),
            OptionError::Unknown { number } => write!(f, "there is no option {number}"),
            OptionError::RoutingIdInUse(id) => {
                write!(f, "CONNECT_ROUTING_ID = {id}: another peer of this socket has this routing id")
            }
        }
    }
}

impl std::error::Error for OptionError {}

fn for_type(row: &Row, socket: SocketType) -> Result<(), OptionError> {
    if row.applies_to(socket) {
        Ok(())
    } else {
        Err(OptionError::NotForType { option: row.name, socket, types: row.types })
    }
}
