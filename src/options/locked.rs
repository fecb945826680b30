//! The options of a socket as the C library sets and reads them: libzmq takes more than this library.

use bytes::Bytes;
use zeroxide_zmtp::SocketType;

use super::error::OptionError;
use super::table::Values;
use super::typed::{Opt, for_type};

pub use super::table::number;

/// The options of one socket, under its lock. An option of `every_type` fits sockets that its row does not name.
pub struct LockedOptions<'a> {
    pub(crate) values: &'a mut Values,
    pub(crate) socket: SocketType,
}

impl LockedOptions<'_> {
    /// Sets an option within the limits of its row.
    ///
    /// # Errors
    /// Returns [`OptionError`]; nothing has changed then.
    pub fn set<T, S>(&mut self, option: Opt<T, S>, value: T, every_type: bool) -> Result<(), OptionError> {
        option.admit(&value)?;
        self.set_unchecked(option, value, every_type)
    }

    /// [`LockedOptions::set`] without limits.
    ///
    /// # Errors
    /// Returns [`OptionError::NotForType`].
    pub fn set_unchecked<T, S>(
        &mut self,
        option: Opt<T, S>,
        value: T,
        every_type: bool,
    ) -> Result<(), OptionError> {
        if !every_type {
            for_type(option.row, self.socket)?;
        }
        (option.write)(self.values, value);
        Ok(())
    }

    /// Returns the value of an option, `None` for one that was never set.
    ///
    /// # Errors
    /// Returns [`OptionError::NotForType`].
    pub fn get<T, S>(&self, option: Opt<T, S>, every_type: bool) -> Result<Option<T>, OptionError> {
        if !every_type {
            for_type(option.row, self.socket)?;
        }
        Ok((option.read)(self.values))
    }

    /// Returns the bytes of a text that need not be UTF-8, where the option is one.
    pub fn text<S>(&mut self, option: Opt<String, S>) -> Option<&mut Option<Bytes>> {
        (option.row.text)(self.values)
    }
}
