//! Read buffers for the threads that drive engines. An idle engine has one only if its pipe had no room for input.

use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroxide_zmtp::{ProtocolError, memory};

/// The size of a read buffer.
pub(crate) const READ_SIZE: usize = 64 * 1024;

/// The most buffers that are kept for the next use. More are needed only while many engines have leftover input.
const MAX_SPARE: usize = 16;

/// Read buffers that wait for their next use.
#[derive(Default)]
pub(crate) struct Buffers(Mutex<Vec<Box<[u8]>>>);

impl Buffers {
    /// Returns a buffer of [`READ_SIZE`] bytes.
    ///
    /// # Errors
    /// Returns [`ProtocolError::OutOfMemory`].
    pub(crate) fn take(&self) -> Result<Box<[u8]>, ProtocolError> {
        let spare = self.spare().pop();
        spare.map_or_else(|| memory::zeros(READ_SIZE), Ok)
    }

    /// Gives a buffer back. A buffer of another size is freed.
    pub(crate) fn give(&self, buffer: Box<[u8]>) {
        let mut spare = self.spare();
        if spare.len() < MAX_SPARE && buffer.len() == READ_SIZE {
            spare.push(buffer);
        }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Box<[u8]>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The part of a read buffer that is not decoded yet.
pub(super) struct Leftover {
    pub(super) buffer: Box<[u8]>,
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Leftover {
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Copies the bytes to an allocation of exactly their length. Also returns the old buffer, with these bytes zeroed,
    /// for the next connection.
    pub(super) fn shortened(mut self) -> (Leftover, Box<[u8]>) {
        let rest: Box<[u8]> = self.bytes().into();
        if let Some(bytes) = self.buffer.get_mut(self.start..self.end) {
            bytes.fill(0);
        }
        (Leftover { start: 0, end: rest.len(), buffer: rest }, self.buffer)
    }
}
