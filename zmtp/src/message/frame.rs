//! A frame: one part of a message.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::str::Utf8Error;

use bytes::{Bytes, BytesMut};

use crate::error::ProtocolError;
use crate::memory::{self, SMALL};
use crate::short::Short;

/// The longest body that a frame stores in place, in bytes.
pub const INLINE: usize = 64;

/// One part of a message: a run of bytes (RFC 37 §3.3 "frame"; libzmq's `zmq_msg_t`).
///
/// Small bodies are stored in place; larger ones own their bytes or share them. A clone copies a body that is stored in
/// place or owned. A clone of a shared frame copies nothing; [`Frame::share`] turns an owned frame into a shared one.
///
/// ```
/// # extern crate zeroxide_zmtp as zeroxide;
/// use zeroxide::Frame;
/// let frame = Frame::from("hello");
/// assert_eq!(&frame[..], b"hello");
/// ```
pub struct Frame(Repr);

enum Repr {
    Inline(Short<INLINE>),
    Owned(BytesMut),
    Shared(Bytes),
}

impl Frame {
    /// Creates an empty frame.
    #[must_use]
    pub const fn new() -> Frame {
        Frame(Repr::Inline(Short::new()))
    }

    /// Creates a frame over constant bytes. Nothing is copied or freed.
    #[must_use]
    pub const fn from_static(bytes: &'static [u8]) -> Frame {
        Frame(Repr::Shared(Bytes::from_static(bytes)))
    }

    /// Creates a frame over bytes that `owner` keeps: a memory map, or an array of another language. Nothing is copied.
    /// `owner` is dropped with the last clone of the frame, on any thread. Sending a frame of up to 2048 bytes over tcp or
    /// ipc may copy its bytes and drop the frame at once, because a copy is faster than a reference.
    pub fn from_owner(owner: impl AsRef<[u8]> + Send + 'static) -> Frame {
        Frame(Repr::Shared(Bytes::from_owner(owner)))
    }

    /// Creates a frame with a copy of `bytes`: in place up to [`INLINE`] bytes, else in one allocation of exactly their
    /// length.
    #[must_use]
    #[inline]
    pub fn copy_from(bytes: &[u8]) -> Frame {
        match Short::copy_from(bytes) {
            Some(short) => Frame(Repr::Inline(short)),
            None => Frame(Repr::Owned(BytesMut::from(bytes))),
        }
    }

    /// Creates a frame with a copy of the first `len` bytes of `bytes`. If more bytes follow, a short body is copied as
    /// a block of fixed size, which is faster; the bytes beyond `len` are not part of the frame.
    ///
    /// `len` is at most the length of `bytes`.
    #[inline]
    pub(crate) fn copy_prefix(bytes: &[u8], len: usize) -> Frame {
        debug_assert!(len <= bytes.len());
        match bytes.first_chunk().and_then(|block| Short::copy_block(block, len)) {
            Some(short) => Frame(Repr::Inline(short)),
            None => Frame::copy_from(bytes.get(..len).unwrap_or(bytes)),
        }
    }

    /// Does the same as [`Frame::copy_prefix`], for a length that a peer chose.
    ///
    /// # Errors
    /// Returns [`ProtocolError::OutOfMemory`] if there is not enough memory.
    #[inline]
    pub(crate) fn try_copy_prefix(bytes: &[u8], len: usize) -> Result<Frame, ProtocolError> {
        if len <= SMALL {
            return Ok(Frame::copy_prefix(bytes, len));
        }
        // The copy has no spare capacity, so both conversions move the allocation instead of copying it.
        memory::copy(bytes.get(..len).unwrap_or(bytes))
            .map(|copy| Frame::from(BytesMut::from(Bytes::from(copy))))
    }

    /// Returns the block of a body that is stored in place, and the body's length.
    #[inline]
    pub(crate) fn block(&self) -> Option<(&[u8; INLINE], u8)> {
        if let Repr::Inline(short) = &self.0 { Some(short.block()) } else { None }
    }

    /// Returns the bytes for writing, or `None` if they are constant or other frames share them.
    pub fn get_mut(&mut self) -> Option<&mut [u8]> {
        if let Repr::Shared(bytes) = &mut self.0 {
            match std::mem::take(bytes).try_into_mut() {
                Ok(owned) => self.0 = Repr::Owned(owned),
                Err(shared) => *bytes = shared,
            }
        }
        match &mut self.0 {
            Repr::Inline(short) => Some(short.as_mut_slice()),
            Repr::Owned(bytes) => Some(bytes),
            Repr::Shared(_) => None,
        }
    }

    /// Converts the frame into [`Bytes`]. Copies only a body that is stored in place.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Repr::Inline(short) => Bytes::copy_from_slice(short.as_slice()),
            Repr::Owned(bytes) => bytes.freeze(),
            Repr::Shared(bytes) => bytes,
        }
    }

    /// Converts the frame into a buffer of its own. Copies only a body that is stored in place.
    ///
    /// # Errors
    /// Returns the bytes if they are constant or other frames share them.
    pub fn try_into_mut(self) -> Result<BytesMut, Bytes> {
        match self.0 {
            Repr::Inline(short) => Ok(BytesMut::from(short.as_slice())),
            Repr::Owned(bytes) => Ok(bytes),
            Repr::Shared(bytes) => bytes.try_into_mut(),
        }
    }

    /// Returns the bytes as text.
    ///
    /// # Errors
    /// Returns an error if they are not UTF-8.
    pub fn as_str(&self) -> Result<&str, Utf8Error> {
        std::str::from_utf8(self)
    }

    /// Turns owned bytes into shared ones, without a copy, so that later clones copy nothing.
    pub fn share(&mut self) {
        if let Repr::Owned(bytes) = &mut self.0 {
            self.0 = Repr::Shared(std::mem::take(bytes).freeze());
        }
    }

    /// Returns whether dropping this frame may run code of the application ([`Frame::from_owner`]). A caller that holds
    /// a lock must drop such a frame later.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        matches!(self.0, Repr::Shared(_))
    }
}

impl Deref for Frame {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline(short) => short.as_slice(),
            Repr::Owned(bytes) => bytes,
            Repr::Shared(bytes) => bytes,
        }
    }
}

impl Clone for Frame {
    #[inline]
    fn clone(&self) -> Frame {
        match &self.0 {
            Repr::Inline(short) => Frame(Repr::Inline(*short)),
            Repr::Owned(bytes) => Frame(Repr::Owned(bytes.clone())),
            Repr::Shared(bytes) => Frame(Repr::Shared(bytes.clone())),
        }
    }
}

impl Default for Frame {
    fn default() -> Frame {
        Frame::new()
    }
}

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl PartialEq for Frame {
    fn eq(&self, other: &Frame) -> bool {
        self[..] == other[..]
    }
}

impl Eq for Frame {}

/// Orders by the bytes (`[u8]`), so that frames are keys of a `BTreeMap` or can be sorted.
impl Ord for Frame {
    fn cmp(&self, other: &Frame) -> Ordering {
        self[..].cmp(&other[..])
    }
}

impl PartialOrd for Frame {
    fn partial_cmp(&self, other: &Frame) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Hashes like the bytes (`[u8]`), so that a map whose keys are frames can be searched by bytes.
///
/// ```
/// # extern crate zeroxide_zmtp as zeroxide;
/// # use std::collections::HashMap;
/// use zeroxide::Frame;
/// let jobs = HashMap::from([(Frame::from("w7"), 3), (Frame::from(vec![7; 100]), 4)]);
/// assert_eq!((jobs.get(&b"w7"[..]), jobs.get(&[7; 100][..])), (Some(&3), Some(&4)));
/// ```
impl Hash for Frame {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self[..].hash(state);
    }
}

impl Borrow<[u8]> for Frame {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl PartialEq<[u8]> for Frame {
    fn eq(&self, other: &[u8]) -> bool {
        self[..] == *other
    }
}

impl PartialEq<&[u8]> for Frame {
    fn eq(&self, other: &&[u8]) -> bool {
        self[..] == **other
    }
}

impl PartialEq<&str> for Frame {
    fn eq(&self, other: &&str) -> bool {
        self[..] == *other.as_bytes()
    }
}

impl PartialEq<str> for Frame {
    fn eq(&self, other: &str) -> bool {
        **self == *other.as_bytes()
    }
}

impl<const N: usize> PartialEq<[u8; N]> for Frame {
    fn eq(&self, other: &[u8; N]) -> bool {
        **self == other[..]
    }
}

impl<const N: usize> PartialEq<&[u8; N]> for Frame {
    fn eq(&self, other: &&[u8; N]) -> bool {
        **self == other[..]
    }
}

/// Prints text in quotes if the bytes are printable ASCII, else hexadecimal digits: at most 32 bytes, then the length.
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.get(..32).unwrap_or(self);
        if shown.iter().all(|b| (0x20..0x7f).contains(b)) {
            write!(f, "{:?}", String::from_utf8_lossy(shown))?;
        } else {
            shown.iter().try_for_each(|b| write!(f, "{b:02x}"))?;
        }
        if shown.len() < self.len() { write!(f, "… ({} bytes)", self.len()) } else { Ok(()) }
    }
}

impl From<&[u8]> for Frame {
    #[inline]
    fn from(bytes: &[u8]) -> Frame {
        Frame::copy_from(bytes)
    }
}

impl<const N: usize> From<&[u8; N]> for Frame {
    #[inline]
    fn from(bytes: &[u8; N]) -> Frame {
        Frame::copy_from(bytes)
    }
}

impl From<&str> for Frame {
    #[inline]
    fn from(text: &str) -> Frame {
        Frame::copy_from(text.as_bytes())
    }
}

impl From<&String> for Frame {
    fn from(text: &String) -> Frame {
        Frame::copy_from(text.as_bytes())
    }
}

impl From<Bytes> for Frame {
    /// Copies up to [`INLINE`] bytes in place, so that a queue keeps no allocation for them.
    fn from(bytes: Bytes) -> Frame {
        if bytes.len() <= INLINE { Frame::copy_from(&bytes) } else { Frame(Repr::Shared(bytes)) }
    }
}

impl From<BytesMut> for Frame {
    fn from(bytes: BytesMut) -> Frame {
        if bytes.len() <= INLINE { Frame::copy_from(&bytes) } else { Frame(Repr::Owned(bytes)) }
    }
}

impl From<Vec<u8>> for Frame {
    fn from(bytes: Vec<u8>) -> Frame {
        Frame::from(Bytes::from(bytes))
    }
}

impl From<Box<[u8]>> for Frame {
    fn from(bytes: Box<[u8]>) -> Frame {
        Frame::from(Bytes::from(bytes))
    }
}

impl From<String> for Frame {
    fn from(text: String) -> Frame {
        Frame::from(text.into_bytes())
    }
}

impl From<&Frame> for Frame {
    fn from(frame: &Frame) -> Frame {
        frame.clone()
    }
}
