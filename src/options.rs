//! Socket options: one table, and typed constants made from it.
//!
//! Every option is one row of [`opt::TABLE`], whose macro makes a constant of it in [`opt`], named as libzmq names
//! it. The constant's type tells the type of the value and when it may change: [`Live`] options on a socket in use,
//! [`AtAttach`] options before a bind or connect, [`ReadOnly`] options never. So a routing id that is set after connect,
//! which libzmq accepts and ignores, does not compile.
//!
//! Invariant: [`Values`] outside this module contain no value that is out of range or not for their socket type.

mod choices;
mod context;
mod error;
mod kind;
#[cfg(feature = "face")]
pub(crate) mod locked;
mod names;
mod row;
mod security;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod typed;
mod values;

use std::fmt;

use bytes::Bytes;
use zeroxide_patterns::{RoutingId, RoutingIdError};
use zeroxide_zmtp::mechanism::Secret;
use zeroxide_zmtp::{Frame, SocketType};

use crate::security::Security;
use typed::for_type;

pub use choices::{ReconnectStop, RouterNotify};
pub use context::ContextOptions;
pub use error::OptionError;
pub(crate) use kind::show_duration;
pub(crate) use row::{Place, Row, Scope, Support};
pub(crate) use table::Values;
pub use table::opt;
pub use typed::{AtAttach, Live, Opt, ReadOnly, Writable};

/// A value for an option of type `T`: a `T`, or something that a `T` is made from. A text or a secret is made from strings, and
/// a routing id from everything that a frame is made from.
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
    /// Converts it into the option's type.
    ///
    /// # Errors
    /// Returns [`RoutingIdError`] if it is too short or too long for a routing id.
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

/// Options for a socket or for one of its endpoints. An option that is not set has the default of the socket's type.
///
/// Setting never fails. The first invalid value is noted, and is the error of [`Options::check`] and of every call that uses the
/// options.
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
    /// Creates options of which none is set. This library's defaults limit every wait and every size.
    #[must_use]
    pub fn new() -> Options {
        Options { values: Values::native(None), set: Vec::new(), error: None, libzmq: false }
    }

    /// Creates options of which none is set, with libzmq's defaults instead: LINGER is for ever, sizes have no limit, a ROUTER
    /// drops what it cannot route, and peers may speak ZMTP 1.0. This has no effect on the options of one endpoint.
    #[must_use]
    pub fn with_libzmq_defaults() -> Options {
        Options { libzmq: true, ..Options::new() }
    }

    /// Sets one option, in place of an earlier value.
    #[must_use]
    pub fn set<T, S: Writable>(mut self, option: Opt<T, S>, value: impl OptionValue<T>) -> Options {
        let value = value.into_value().map_err(|error| OptionError::OutOfRange {
            option: option.row.name,
            value: format!("{} bytes", error.length),
            allowed: option.row.allowed(),
        });
        let set = value.and_then(|value| {
            option.admit(&value)?;
            (option.write)(&mut self.values, value);
            Ok(())
        });
        self.note(option.row, set)
    }

    /// Sets one option from text, in place of an earlier value. A time has a unit; what may be absent is set to nothing by `none`
    /// or the word that docs/OPTIONS.md shows for it; a list has commas.
    ///
    /// ```
    /// use std::time::Duration;
    /// use zeroxide::{Options, opt};
    ///
    /// let [linger, sndhwm] = ["LINGER", "SNDHWM"].map(|name| opt::by_name(name).unwrap());
    /// let options = Options::new().set_text(linger, "2.5s").set_text(sndhwm, "10");
    /// assert_eq!(options.get(opt::LINGER), Some(Some(Duration::from_millis(2500))));
    ///
    /// let error = options.set_text(linger, "soon").check().unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     r#"LINGER = "soon": write a time with its unit, such as 250ms, 1.5s or 2m, or "for ever""#
    /// );
    /// ```
    #[must_use]
    pub fn set_text(mut self, option: &'static Row, text: &str) -> Options {
        let name = option.name;
        let set = match (option.support, option.scope) {
            (Support::NotYet(needs), _) => Err(OptionError::NotYet { option: name, needs }),
            (Support::NotBuilt(feature), _) => Err(OptionError::NotBuilt { option: name, feature }),
            (Support::COnly(instead), _) => Err(OptionError::COnly { option: name, instead }),
            (Support::Works, Scope::ReadOnly) => Err(OptionError::ReadOnly { option: name }),
            (Support::Works, _) => (option.set_text)(&mut self.values, text),
        };
        self.note(option, set)
    }

    /// Notes that an option was set, or why it was not.
    fn note(mut self, row: &'static Row, set: Result<(), OptionError>) -> Options {
        match set {
            Err(error) => {
                self.error.get_or_insert(error);
            }
            Ok(()) => {
                self.error = self.error.filter(|error| error.option() != row.name);
                if !self.is_set(row) {
                    self.set.push(row);
                }
            }
        }
        self
    }

    /// Sets the mechanism, this side's role in it and its credentials. This is the same as setting the options of the mechanism
    /// one by one.
    ///
    /// ```
    /// use zeroxide::{Options, Security};
    ///
    /// let options = Options::new().security(Security::Null);
    /// ```
    #[must_use]
    pub fn security(self, security: Security) -> Options {
        match security {
            // Without the features no other mechanism can be set.
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

    /// Returns the value that was set for an option, or `None` if it was not set.
    #[must_use]
    pub fn get<T, S>(&self, option: Opt<T, S>) -> Option<T> {
        self.is_set(option.row).then(|| (option.read)(&self.values)).flatten()
    }

    /// Checks that every value that was set is valid.
    ///
    /// # Errors
    /// Returns the error of the first invalid value: [`OptionError::OutOfRange`], [`OptionError::NotYet`] or
    /// [`OptionError::NotBuilt`].
    pub fn check(&self) -> Result<(), OptionError> {
        self.error.clone().map_or(Ok(()), Err)
    }

    /// Returns all values for a new socket of type `t`.
    ///
    /// # Errors
    /// Returns the errors of [`Options::check`], and [`OptionError::NotForType`].
    pub(crate) fn values(&self, t: SocketType) -> Result<Values, OptionError> {
        let defaults = if self.libzmq { Values::libzmq(Some(t)) } else { Values::native(Some(t)) };
        self.over(defaults, t)
    }

    /// Returns all values for one endpoint of a socket of type `t` whose values are `socket`.
    ///
    /// # Errors
    /// Returns the errors of [`Options::check`], [`OptionError::NotForType`] and [`OptionError::NotForEndpoint`].
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

/// Shows the options that were set, with `***` in place of secrets.
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
