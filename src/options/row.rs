//! One row of the options table: everything about an option except its Rust type.

use std::fmt;

use bytes::Bytes;
use zeroxide_zmtp::SocketType;

use super::error::OptionError;
use super::table::Values;

/// When a changed value takes effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// At once, also on a socket in use.
    Live,
    /// At the next bind or connect.
    AtAttach,
    /// It can only be read.
    ReadOnly,
}

/// Where an option can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// For the whole socket only.
    Socket,
    /// For the whole socket, or for one endpoint with `bind_with` and `connect_with`.
    Endpoint,
}

/// How far an option is supported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It works.
    Works,
    /// It needs this cargo feature, which is off; setting it is an error.
    NotBuilt(&'static str),
    /// It needs this feature, which does not exist yet; setting it is an error.
    NotYet(&'static str),
    /// It exists only in C; the text names what does the same in Rust.
    COnly(&'static str),
}

/// What the C library does with an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InC {
    /// It works.
    Works,
    /// It can be set and read, but has no effect. libzmq does the same if its transport or platform is absent.
    Kept {
        /// libzmq's default.
        default: i32,
        /// The smallest value that may be set.
        low: i32,
        /// The largest value that may be set.
        high: i32,
    },
    /// Setting and getting it fail.
    Fails,
}

/// The type of an option's value in `zmq_setsockopt` and `zmq_getsockopt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, non_camel_case_types)] // C's own names
pub enum CType {
    int,
    int64_t,
    uint64_t,
    /// A file descriptor: `int` on POSIX.
    zmq_fd_t,
    pid_t,
    uid_t,
    gid_t,
    /// Raw bytes with a length.
    bytes,
    /// Text with a length.
    string,
    /// 32 bytes, or 40 characters of Z85 and a NUL.
    curve_key,
    /// No C form: an option of this library.
    none,
}

impl fmt::Display for CType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CType::none => f.write_str("–"),
            CType::curve_key => f.write_str("32 bytes or Z85"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// The unit of the numbers in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// The value itself.
    Number,
    /// Milliseconds.
    Time,
    /// Bytes of a text, a name or a message.
    Length,
    /// Nothing: every value of the type is allowed.
    Any,
}

/// One row of the options table, as [`opt::TABLE`](super::opt::TABLE) lists them.
pub struct Row {
    pub(super) name: &'static str,
    pub(super) number: Option<i32>,
    pub(super) c_type: CType,
    pub(super) rust_type: &'static str,
    pub(super) scope: Scope,
    pub(super) place: Place,
    pub(super) types: &'static [&'static str],
    pub(super) unit: Unit,
    pub(super) range: Option<(u64, u64)>,
    pub(super) none: Option<&'static str>,
    pub(super) none_in_c: &'static [i32],
    pub(super) rule: Option<&'static str>,
    pub(super) secret: bool,
    pub(super) support: Support,
    pub(super) in_c: InC,
    pub(super) feature: Option<&'static str>,
    pub(super) doc: &'static str,
    pub(super) show: fn(&Values) -> String,
    pub(super) copy: fn(&mut Values, &Values),
    /// Returns the bytes of a text that need not be UTF-8; `None` for other options.
    #[cfg_attr(not(feature = "face"), expect(dead_code, reason = "only the C library sets such bytes"))]
    pub(super) text: fn(&mut Values) -> Option<&mut Option<Bytes>>,
    /// Sets the option from a text; for options that work.
    pub(super) set_text: fn(&mut Values, &str) -> Result<(), OptionError>,
}

impl Row {
    /// Returns libzmq's name without `ZMQ_`, or the name of an option that only this library has.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns libzmq's number, a number from 10001 on for an option that only this library has, or `None` for one that the
    /// C interface does not have.
    #[must_use]
    pub fn number(&self) -> Option<i32> {
        self.number
    }

    /// Returns the value's type in the C interface.
    #[must_use]
    pub fn c_type(&self) -> CType {
        self.c_type
    }

    /// Returns the numbers that stand for `None` in C. `zmq_getsockopt` returns the first; `zmq_setsockopt` accepts each. Empty if
    /// C has no number for it.
    #[must_use]
    pub fn none_in_c(&self) -> &'static [i32] {
        self.none_in_c
    }

    /// Returns what the C library does with the option.
    #[must_use]
    pub fn in_c(&self) -> InC {
        self.in_c
    }

    /// Returns the value's type in Rust, as the table has it; empty for an option that exists only in C.
    #[must_use]
    pub fn rust_type(&self) -> &'static str {
        self.rust_type
    }

    /// Returns when a changed value takes effect.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }

    /// Returns where the option can be set.
    #[must_use]
    pub fn place(&self) -> Place {
        self.place
    }

    /// Returns the names of the socket types that have the option; empty for all types.
    #[must_use]
    pub fn types(&self) -> &'static [&'static str] {
        self.types
    }

    /// Returns whether sockets of type `t` have the option.
    #[must_use]
    pub fn applies_to(&self, t: SocketType) -> bool {
        self.types.is_empty() || self.types.contains(&t.name())
    }

    /// Returns whether the value is a secret, which no `Debug` and no error shows.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret
    }

    /// Returns how far the option is supported.
    #[must_use]
    pub fn support(&self) -> Support {
        self.support
    }

    /// Returns the cargo feature that the option needs, or `None`.
    #[must_use]
    pub fn feature(&self) -> Option<&'static str> {
        self.feature
    }

    /// Returns the meaning of the option, in a few sentences.
    #[must_use]
    pub fn doc(&self) -> &'static str {
        self.doc.trim()
    }

    /// Returns whether this text stands for an absent value: `none`, the word of the table, or a number that
    /// stands for it in C.
    pub(super) fn means_none(&self, text: &str) -> bool {
        let in_c = || text.parse().is_ok_and(|number| self.none_in_c.contains(&number));
        self.none.is_some_and(|word| text == "none" || text == word || in_c())
    }

    /// Returns the error for a text that is no value of the option.
    pub(super) fn malformed(&self, text: &str, form: &'static str) -> OptionError {
        let text = if self.secret { "***" } else { text };
        OptionError::Malformed { option: self.name, text: text.to_owned(), form, none: self.none }
    }

    /// Returns this library's default as text, for sockets of type `t`.
    #[must_use]
    pub fn native_default(&self, t: Option<SocketType>) -> String {
        (self.show)(&Values::native(t))
    }

    /// Returns libzmq's default as text, for sockets of type `t`.
    #[must_use]
    pub fn libzmq_default(&self, t: Option<SocketType>) -> String {
        (self.show)(&Values::libzmq(t))
    }

    /// Returns the allowed values as text, such as `0..6553.5 s`; empty if every value of the type is allowed.
    #[must_use]
    pub fn allowed(&self) -> String {
        let range = match (self.range, self.unit) {
            (None, _) | (_, Unit::Any) => String::new(),
            (Some((low, high)), Unit::Number) => format!("{low}..{high}"),
            (Some((low, high)), Unit::Time) => format!("{}..{} s", seconds(low), seconds(high)),
            (Some((low, high)), Unit::Length) => format!("{low}..{high} bytes"),
        };
        match self.rule {
            Some(rule) if range.is_empty() => rule.to_owned(),
            Some(rule) => format!("{range}, {rule}"),
            None => range,
        }
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Returns milliseconds as text in seconds: 6553500 as `6553.5`.
fn seconds(millis: u64) -> String {
    let text = format!("{}.{:03}", millis / 1000, millis % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
