//! The memory of a message that C fills in. Until then its bytes are not initialized for Rust.
//!
//! Invariant: `size` bytes, at least one, of the global allocator, aligned to one: what a `Vec<u8>` frees.

use std::alloc::{self, Layout};
use std::num::NonZeroUsize;

use crate::boundary::Errno;

/// Memory that a message owns. The application may not have written it yet.
///
/// A copy refers to the same memory.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Raw {
    memory: *mut u8,
    size: usize,
}

impl Raw {
    /// Allocates `size` bytes, which are not initialized. Fails with `ENOMEM`.
    #[inline]
    pub(crate) fn new(size: NonZeroUsize) -> Result<Raw, Errno> {
        let size = size.get();
        let layout = Layout::array::<u8>(size).map_err(|_| Errno(libc::ENOMEM))?;
        // SAFETY: the size is not 0.
        let memory = unsafe { alloc::alloc(layout) };
        // From now on the compiler must assume that others may have written there.
        let memory = std::hint::black_box(memory);
        if memory.is_null() { Err(Errno(libc::ENOMEM)) } else { Ok(Raw { memory, size }) }
    }

    /// Returns the size in bytes.
    #[inline]
    pub(crate) fn len(self) -> usize {
        self.size
    }

    /// Returns the address.
    #[inline]
    pub(crate) fn as_mut_ptr(self) -> *mut u8 {
        self.memory
    }

    /// Returns the content, which the application has written.
    ///
    /// The memory was given to C by `zmq_msg_init_size`, or written here. A program that uses the content must have written it
    /// (zmq_msg_init_size(3): the content is undefined until then). libzmq's own perf programs do not: they get whatever was in
    /// memory, as with libzmq, because the compiler must assume that others may have written there.
    ///
    /// # Safety
    /// The memory lives as long as the result.
    #[inline]
    pub(crate) unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: the type's invariant, and the promise above.
        unsafe { std::slice::from_raw_parts(self.memory, self.size) }
    }

    /// Returns the same memory as a `Vec`; the content must be written as for [`Raw::bytes`].
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
