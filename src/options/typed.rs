//! One option with the types of its value and of its scope.

use std::fmt;
use std::marker::PhantomData;

use zeroxide_zmtp::SocketType;

use super::error::OptionError;
use super::row::{Row, Support};
use super::table::Values;

/// Marks an option that may change on a live socket, with [`Socket::set`](crate::Socket::set).
#[derive(Clone, Copy, Debug)]
pub enum Live {}

/// Marks an option that is read at bind or connect. It can be set when the socket is created, or for one endpoint.
#[derive(Clone, Copy, Debug)]
pub enum AtAttach {}

/// Marks an option that can only be read.
#[derive(Clone, Copy, Debug)]
pub enum ReadOnly {}

/// The scopes of options that can be set: [`Live`] and [`AtAttach`].
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
/// The options are constants in [`opt`](crate::opt). An option that is read at bind or connect cannot be changed on a socket in
/// use:
///
/// ```compile_fail,E0308
/// use zeroxide::{Live, Opt, opt};
///
/// fn change<T>(_option: Opt<T, Live>) {} // as Socket::set
/// change(opt::SNDHWM);
/// change(opt::ROUTING_ID);
/// ```
///
/// An option that can only be read cannot be set at all:
///
/// ```compile_fail,E0277
/// use zeroxide::{Options, opt};
///
/// let options = Options::new().set(opt::TOPICS_COUNT, 1);
/// ```
pub struct Opt<T, S> {
    pub(super) row: &'static Row,
    pub(super) check: fn(&T) -> Result<(), OptionError>,
    pub(super) write: fn(&mut Values, T),
    pub(super) read: fn(&Values) -> Option<T>,
    pub(super) scope: PhantomData<fn() -> S>,
}

impl<T, S> Opt<T, S> {
    /// Returns the row of the table: number, defaults, limits and the rest.
    #[must_use]
    pub fn row(&self) -> &'static Row {
        self.row
    }

    /// Returns the value of the option in the `values` of a socket.
    ///
    /// # Errors
    /// Returns [`OptionError::NotYet`], [`OptionError::NotForType`], or [`OptionError::Unset`] if it was not set and has no default.
    pub(crate) fn read_from(self, values: &Values) -> Result<T, OptionError> {
        if let Support::NotYet(needs) = self.row.support {
            return Err(OptionError::NotYet { option: self.row.name, needs });
        }
        values.socket_type.map_or(Ok(()), |t| for_type(self.row, t))?;
        (self.read)(values).ok_or(OptionError::Unset { option: self.row.name })
    }

    /// Sets the option in the `values` of a socket of type `t`.
    ///
    /// # Errors
    /// Returns [`OptionError::NotYet`], [`OptionError::NotForType`], [`OptionError::OutOfRange`]; nothing has changed then.
    pub(crate) fn write_to(self, values: &mut Values, value: T, t: SocketType) -> Result<(), OptionError> {
        self.admit(&value)?;
        for_type(self.row, t)?;
        (self.write)(values, value);
        Ok(())
    }

    pub(super) fn admit(&self, value: &T) -> Result<(), OptionError> {
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

pub(super) fn for_type(row: &Row, socket: SocketType) -> Result<(), OptionError> {
    if row.applies_to(socket) {
        Ok(())
    } else {
        Err(OptionError::NotForType { option: row.name, socket, types: row.types })
    }
}
