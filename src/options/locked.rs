//! The options of a socket for the C library, which allows some values that this library refuses.

use bytes::Bytes;
use zeroxide_zmtp::SocketType;

use super::error::OptionError;
use super::table::Values;
use super::typed::{Opt, for_type};

pub use super::table::number;

/// The options of one socket, under its lock. With `every_type`, an option may be used on socket types that its row does not
/// name.
pub struct LockedOptions<'a> {
    pub(crate) values: &'a mut Values,
    pub(crate) socket: SocketType,
}

impl LockedOptions<'_> {
    /// Sets an option within the limits of its row.
    ///
    /// # Errors
    /// Returns [`OptionError`]. Then nothing has changed.
    pub fn set<T, S>(&mut self, option: Opt<T, S>, value: T, every_type: bool) -> Result<(), OptionError> {
        option.admit(&value)?;
        self.set_unchecked(option, value, every_type)
    }

    /// Sets an option without checking the limits of its row.
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

    /// Returns the value of an option, or `None` if it was never set.
    ///
    /// # Errors
    /// Returns [`OptionError::NotForType`].
    pub fn get<T, S>(&self, option: Opt<T, S>, every_type: bool) -> Result<Option<T>, OptionError> {
        if !every_type {
            for_type(option.row, self.socket)?;
        }
        Ok((option.read)(self.values))
    }

    /// Returns the bytes of a text that need not be UTF-8; `None` for other options.
    pub fn text<S>(&mut self, option: Opt<String, S>) -> Option<&mut Option<Bytes>> {
        (option.row.text)(self.values)
    }
}
