//! Memory of a message that C fills in: no Rust type claims its bytes before.
//!
//! Invariant: `size` bytes, at least one, of the global allocator, aligned to one: what a `Vec<u8>` frees.

use std::alloc::{self, Layout};
use std::num::NonZeroUsize;

use crate::boundary::Errno;

/// Memory of the message's own, which the application may not have filled yet.
///
/// A copy names the same memory.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Raw {
    memory: *mut u8,
    size: usize,
}

impl Raw {
    /// Memory of so many bytes, which are whatever was there. `ENOMEM`.
    #[inline]
    pub(crate) fn new(size: NonZeroUsize) -> Result<Raw, Errno> {
        let size = size.get();
        let layout = Layout::array::<u8>(size).map_err(|_| Errno(libc::ENOMEM))?;
        // SAFETY: more than no bytes.
        let memory = unsafe { alloc::alloc(layout) };
        // For the compiler, others may have written there from now on, wherever the callers are compiled into.
        let memory = std::hint::black_box(memory);
        if memory.is_null() { Err(Errno(libc::ENOMEM)) } else { Ok(Raw { memory, size }) }
    }

    /// Returns how long it is, filled or not.
    #[inline]
    pub(crate) fn len(self) -> usize {
        self.size
    }

    /// Returns where it begins.
    #[inline]
    pub(crate) fn as_mut_ptr(self) -> *mut u8 {
        self.memory
    }

    /// Returns what the application has filled in.
    ///
    /// The memory went to C by `zmq_msg_init_size` or was filled here; whoever uses the content promises that it was
    /// written (zmq_msg_init_size(3): the content is undefined until then). So no Rust type claims the bytes before.
    /// libzmq's own perf programs break the promise: they get whatever was in memory, as with libzmq, since the compiler
    /// was told that others may have written there.
    ///
    /// # Safety
    /// The memory lives as long as the answer.
    #[inline]
    pub(crate) unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: the type's invariant, and the promise above.
        unsafe { std::slice::from_raw_parts(self.memory, self.size) }
    }

    /// Returns the same memory as a buffer, by the promise of [`Raw::bytes`].
    ///
    /// # Safety
    /// It is not used any more.
    pub(crate) unsafe fn into_vec(self) -> Vec<u8> {
        // SAFETY: the type's invariant, and the promise above.
        unsafe { Vec::from_raw_parts(self.memory, self.size, self.size) }
    }

    /// Frees the memory.
    ///
    /// # Safety
    /// It is not used any more.
    #[inline]
    pub(crate) unsafe fn free(self) {
        // SAFETY: the type's invariant: it was allocated with this layout.
        unsafe { alloc::dealloc(self.memory, Layout::from_size_align_unchecked(self.size, 1)) }
    }
}
