//! `zmq_msg_t`: 64 bytes of the application, which hold one part of a message.
//!
//! Up to [`INLINE`] bytes are in the message itself. A longer body is memory that the message owns. It becomes shared when the message
//! is copied. Data that the application hands over ([`zmq_msg_init_data`]) is shared from the start.
//!
//! Invariant: if `magic` is [`MAGIC`] and `kind` is valid, the message was initialized here and is not closed, and all
//! its fields are valid. Other memory is not interpreted.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::ptr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use zeroxide::{Frame, Message};

use crate::boundary::{Errno, call, text};
use crate::raw::Raw;
use crate::sender::Sender;

/// The longest body in the message itself, as in libzmq on 64-bit systems.
const INLINE: usize = 33;
/// The longest body that a frame of the library keeps in itself. A send or receive copies a body up to this length.
const FRAME_INLINE: usize = 64;
/// The size of [`Body`]: 64 bytes less the two pointers and the eight bytes of the fields that follow it.
const IN_PLACE: usize = 64 - 2 * size_of::<usize>() - 8;
const MAGIC: u16 = 0x5a9d;
const MAX_GROUP: usize = 255;

/// One part of a message. Opaque to C.
#[repr(C)]
#[allow(non_camel_case_types)] // C's own name
pub struct zmq_msg_t {
    body: Body,
    about: Sender,
    /// `CString::into_raw`, or NULL.
    group: *mut c_char,
    routing_id: u32,
    magic: u16,
    kind: Kind,
    /// The length of a body that is in the message itself, and the flags [`MORE`] and [`SHARED`].
    short: u8,
}

#[repr(C)]
union Body {
    inline: [u8; IN_PLACE],
    raw: Raw,
    owned: ManuallyDrop<BytesMut>,
    shared: ManuallyDrop<Bytes>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Inline = 1,
    Raw = 2,
    Owned = 3,
    Shared = 4,
}

/// The bits of `short` for a length of at most 33.
const LENGTH: u8 = 0x3f;
const MORE: u8 = 0x40;
const SHARED: u8 = 0x80;

const _: () = assert!(size_of::<zmq_msg_t>() == 64 && align_of::<zmq_msg_t>() == align_of::<usize>());

/// A function that is called once, on any thread, when the data of [`zmq_msg_init_data`] is no longer needed.
///
/// It may call the library, and it may wait for another thread. On an I/O thread, a send or receive on a socket of the
/// same context fails with `EAGAIN` instead of waiting.
#[allow(non_camel_case_types)] // C's own name
pub type zmq_free_fn = Option<unsafe extern "C" fn(data: *mut c_void, hint: *mut c_void)>;

/// Data that the application has handed over.
struct Foreign {
    data: *mut c_void,
    len: usize,
    free: unsafe extern "C" fn(*mut c_void, *mut c_void),
    hint: *mut c_void,
}

// SAFETY: libzmq's contract: the data belongs to the library, and the function may be called on any thread.
unsafe impl Send for Foreign {}

impl AsRef<[u8]> for Foreign {
    fn as_ref(&self) -> &[u8] {
        if self.data.is_null() {
            &[]
        } else {
            // SAFETY: `zmq_msg_init_data` requires it. An empty slice keeps the address, which `zmq_msg_data` returns.
            unsafe { std::slice::from_raw_parts(self.data.cast(), self.len) }
        }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // SAFETY: `free` is called once, with the arguments that the application passed to `zmq_msg_init_data`.
        unsafe { (self.free)(self.data, self.hint) }
    }
}

impl zmq_msg_t {
    /// Creates an empty message.
    const fn new() -> zmq_msg_t {
        zmq_msg_t {
            body: Body { inline: [0; IN_PLACE] },
            about: Sender::nobody(),
            group: ptr::null_mut(),
            routing_id: 0,
            magic: MAGIC,
            kind: Kind::Inline,
            short: 0,
        }
    }

    /// Creates a message of `size` bytes. If it is longer than [`INLINE`], its bytes are not initialized. Fails with `ENOMEM`.
    #[inline]
    fn sized(size: usize) -> Result<zmq_msg_t, Errno> {
        let mut message = zmq_msg_t::new();
        message.resize(size)?;
        Ok(message)
    }

    /// Gives an empty message a body of `size` bytes.
    #[inline]
    fn resize(&mut self, size: usize) -> Result<(), Errno> {
        match NonZeroUsize::new(size) {
            Some(size) if size.get() > INLINE => {
                self.body = Body { raw: Raw::new(size)? };
                self.kind = Kind::Raw;
            }
            _ => self.short = size as u8,
        }
        Ok(())
    }

    /// Creates a message with a shared body. `flag` is what `zmq_msg_get` reports for `ZMQ_SHARED`.
    fn shared(bytes: Bytes, flag: bool) -> zmq_msg_t {
        let body = Body { shared: ManuallyDrop::new(bytes) };
        let short = if flag { SHARED } else { 0 };
        zmq_msg_t { body, kind: Kind::Shared, short, ..zmq_msg_t::new() }
    }

    /// Returns the message behind a pointer.
    ///
    /// # Errors
    /// Returns `EFAULT` for NULL, and for memory that holds no message.
    ///
    /// # Safety
    /// `message` is NULL or points to 64 readable and writable bytes that nothing else uses.
    pub(crate) unsafe fn of<'a>(message: *mut zmq_msg_t) -> Result<&'a mut zmq_msg_t, Errno> {
        // SAFETY: the caller's promise.
        unsafe { zmq_msg_t::check(message) }?;
        // SAFETY: it is a message.
        Ok(unsafe { &mut *message })
    }

    /// Returns the message behind a pointer, for functions that C may call for one message on several threads.
    ///
    /// # Errors
    /// Returns the errors of [`zmq_msg_t::of`].
    ///
    /// # Safety
    /// `message` is NULL or points to 64 readable bytes that do not change.
    unsafe fn look<'a>(message: *const zmq_msg_t) -> Result<&'a zmq_msg_t, Errno> {
        // SAFETY: the caller's promise.
        unsafe { zmq_msg_t::check(message) }?;
        // SAFETY: it is a message.
        Ok(unsafe { &*message })
    }

    /// # Safety
    /// `message` is NULL or points to 64 readable bytes.
    unsafe fn check(message: *const zmq_msg_t) -> Result<(), Errno> {
        if message.is_null() {
            return Err(Errno(libc::EFAULT));
        }
        // SAFETY: the caller's promise. Only `magic` and `kind` are read, as integers, so any bytes are valid.
        let (magic, kind) = unsafe {
            ((&raw const (*message).magic).read(), (&raw const (*message).kind).cast::<u8>().read())
        };
        if magic == MAGIC && (1..=4).contains(&kind) { Ok(()) } else { Err(Errno(libc::EFAULT)) }
    }

    fn is_more(&self) -> bool {
        self.short & MORE != 0
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: `kind` says which body it is.
        unsafe {
            match self.kind {
                Kind::Inline => &self.body.inline[..usize::from(self.short & LENGTH).min(INLINE)],
                Kind::Raw => self.body.raw.bytes(),
                Kind::Owned => &self.body.owned,
                Kind::Shared => &self.body.shared,
            }
        }
    }

    /// Returns the length of the content, which may not be initialized.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        // SAFETY: `kind` says which body it is.
        unsafe {
            match self.kind {
                Kind::Inline => usize::from(self.short & LENGTH),
                Kind::Raw => self.body.raw.len(),
                Kind::Owned => self.body.owned.len(),
                Kind::Shared => self.body.shared.len(),
            }
        }
    }

    fn data(&mut self) -> *mut u8 {
        // SAFETY: `kind` says which body it is. Writing to a shared body is up to the application (zmq_msg_data(3)).
        unsafe {
            match self.kind {
                Kind::Inline => (&raw mut self.body.inline).cast(),
                Kind::Raw => self.body.raw.as_mut_ptr(),
                Kind::Owned => (*self.body.owned).as_mut_ptr(),
                Kind::Shared => (*self.body.shared).as_ptr().cast_mut(),
            }
        }
    }

    /// Makes the body shared, unless it is in the message itself.
    fn share(&mut self) {
        // SAFETY: `kind` says which body it is, and it is replaced at once.
        let shared = unsafe {
            match self.kind {
                Kind::Inline => return,
                Kind::Raw => Bytes::from(self.body.raw.into_vec()),
                Kind::Owned => ManuallyDrop::take(&mut self.body.owned).freeze(),
                Kind::Shared => ManuallyDrop::take(&mut self.body.shared),
            }
        };
        self.body = Body { shared: ManuallyDrop::new(shared) };
        self.kind = Kind::Shared;
        self.short |= SHARED;
    }

    /// Returns another message with the same content.
    fn duplicate(&mut self) -> zmq_msg_t {
        self.share();
        let mut copy = match self.kind {
            // SAFETY: `kind` says which body it is.
            Kind::Shared => zmq_msg_t::shared(unsafe { (*self.body.shared).clone() }, true),
            // SAFETY: the body is in the message itself, which is plain data. It is copied whole, because the bytes behind its
            // length may not be initialized.
            _ => zmq_msg_t { body: unsafe { ptr::read(&self.body) }, ..zmq_msg_t::new() },
        };
        copy.short |= self.short & (LENGTH | MORE);
        copy.routing_id = self.routing_id;
        copy.about = self.about.again();
        if let Some(group) = self.group() {
            copy.group = group.to_owned().into_raw();
        }
        copy
    }

    fn group(&self) -> Option<&CStr> {
        // SAFETY: NULL, or from `CString::into_raw`.
        (!self.group.is_null()).then(|| unsafe { CStr::from_ptr(self.group) })
    }

    /// Frees what the message holds. The message is empty after that.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.clear_marks();
        self.clear_body();
    }

    /// Like [`zmq_msg_t::clear`], but keeps a buffer that the message owns, so that [`zmq_msg_t::receive`] can reuse
    /// it.
    #[inline]
    pub(crate) fn clear_for_more(&mut self) {
        self.clear_marks();
        if self.kind != Kind::Raw {
            self.clear_body();
        }
    }

    #[inline]
    fn clear_marks(&mut self) {
        self.short = 0;
        self.routing_id = 0;
        if !self.about.is_nobody() {
            let about = std::mem::replace(&mut self.about, Sender::nobody());
            // SAFETY: the field was replaced above, so nothing refers to it any more.
            unsafe { about.forget() };
        }
        if !self.group.is_null() {
            let group = std::mem::replace(&mut self.group, ptr::null_mut());
            // SAFETY: from `CString::into_raw`. The field was replaced above, so nothing refers to it any more.
            drop(unsafe { CString::from_raw(group) });
        }
    }

    /// Frees the body. Called last, because it may call the application's free function: the message must be valid
    /// then.
    #[inline]
    fn clear_body(&mut self) {
        // SAFETY: the old `kind` says which body it is. `kind` is `Inline` now, so the old body is not used again.
        unsafe {
            match std::mem::replace(&mut self.kind, Kind::Inline) {
                Kind::Inline => {}
                Kind::Raw => self.body.raw.free(),
                Kind::Owned => drop(ManuallyDrop::take(&mut self.body.owned)),
                Kind::Shared => drop(ManuallyDrop::take(&mut self.body.shared)),
            }
        }
    }

    /// Returns the part to send. A long body that the message owns moves into the part; [`zmq_msg_t::put_back`] undoes
    /// that.
    #[inline]
    pub(crate) fn take_part(&mut self) -> Message {
        let is_short = self.len() <= FRAME_INLINE;
        let frame = match self.kind {
            // A shared body is not copied, however short: the free function of `zmq_msg_init_data` must be called only
            // when the data was sent, because applications wait for that call (pyzmq's MessageTracker).
            // SAFETY: `kind` says which body it is.
            Kind::Shared if is_short => Frame::from_owner(unsafe { (*self.body.shared).clone() }),
            _ if is_short => Frame::copy_from(self.bytes()),
            // SAFETY: `kind` says which body it is.
            Kind::Shared => Frame::from(unsafe { (*self.body.shared).clone() }),
            _ => self.take_body(),
        };
        let mut part = Message::from(frame);
        if self.routing_id != 0 {
            part = part.with_routing_id(self.routing_id);
        }
        if let Some(group) = self.group() {
            part = part.with_group(group.to_bytes());
        }
        part
    }

    /// Takes a long body that the message owns. The message is empty after that.
    fn take_body(&mut self) -> Frame {
        // SAFETY: the old `kind` says which body it is. `kind` is `Inline` now, so the old body is not used again.
        unsafe {
            match std::mem::replace(&mut self.kind, Kind::Inline) {
                Kind::Raw => match Bytes::from(self.body.raw.into_vec()).try_into_mut() {
                    Ok(bytes) => Frame::from(bytes),
                    Err(bytes) => Frame::from(bytes),
                },
                Kind::Owned => Frame::from(ManuallyDrop::take(&mut self.body.owned)),
                Kind::Shared => Frame::from(ManuallyDrop::take(&mut self.body.shared)),
                Kind::Inline => Frame::new(),
            }
        }
    }

    /// Restores the message, because the part was not sent. The address of the body does not change.
    #[cold]
    pub(crate) fn put_back(&mut self, part: Option<Message>) {
        let Some(frame) = part.and_then(|mut part| part.pop_front()) else { return };
        // The other fields have not changed.
        if self.kind == Kind::Inline && frame.len() > FRAME_INLINE {
            match frame.try_into_mut() {
                Ok(bytes) => {
                    self.body = Body { owned: ManuallyDrop::new(bytes) };
                    self.kind = Kind::Owned;
                }
                Err(bytes) => {
                    self.body = Body { shared: ManuallyDrop::new(bytes) };
                    self.kind = Kind::Shared;
                }
            }
        }
    }

    /// Puts a received part into a message that is empty except for memory that it owns. `more` tells that another part follows.
    #[inline]
    pub(crate) fn receive(&mut self, mut part: Message, more: bool) {
        let body = part.first().map_or(&[][..], |frame| frame);
        if self.kind == Kind::Raw && self.len() != body.len() {
            self.clear_body();
        }
        if body.len() <= FRAME_INLINE && (self.kind == Kind::Raw || self.resize(body.len()).is_ok()) {
            // SAFETY: the body has exactly `body.len()` bytes: `resize` made room for them, or the lengths were
            // compared above.
            unsafe { self.data().copy_from_nonoverlapping(body.as_ptr(), body.len()) };
        } else {
            self.receive_long(part.pop_front().unwrap_or_default());
        }
        if more {
            self.short |= MORE;
        }
        if let Some(peer) = part.take_peer() {
            self.about = Sender::of(Arc::into_raw(peer));
        }
        self.routing_id = part.routing_id();
        if !part.group().is_empty() {
            // C cannot represent a group with a NUL in it. Such a message has no group.
            self.group = CString::new(part.group()).map_or(ptr::null_mut(), CString::into_raw);
        }
    }

    fn receive_long(&mut self, frame: Frame) {
        self.clear_body();
        let (body, kind) = match frame.try_into_mut() {
            Ok(bytes) => (Body { owned: ManuallyDrop::new(bytes) }, Kind::Owned),
            Err(bytes) => (Body { shared: ManuallyDrop::new(bytes) }, Kind::Shared),
        };
        self.body = body;
        self.kind = kind;
    }
}

/// Initializes an empty message.
///
/// # Safety
/// `msg` points to 64 writable bytes that hold no message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_init(msg: *mut zmq_msg_t) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { init(msg, || Ok(zmq_msg_t::new())) }
}

/// Initializes a message of `size` bytes. The application must write them. Fails with `ENOMEM`.
///
/// # Safety
/// As [`zmq_msg_init`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_init_size(msg: *mut zmq_msg_t, size: usize) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { init(msg, || zmq_msg_t::sized(size)) }
}

/// Initializes a message with a copy of `size` bytes. Fails with `ENOMEM`.
///
/// # Safety
/// As [`zmq_msg_init`]; `buf` points to `size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_init_buffer(msg: *mut zmq_msg_t, buf: *const c_void, size: usize) -> c_int {
    // SAFETY: the caller's promise.
    let result = unsafe { zmq_msg_init_size(msg, size) };
    if result == 0 && size > 0 {
        // SAFETY: the caller's promise, and `zmq_msg_init_size` has made room for `size` bytes.
        unsafe { zmq_msg_data(msg).cast::<u8>().copy_from_nonoverlapping(buf.cast(), size) };
    }
    result
}

/// Initializes a message with data that it takes over, without a copy. `ffn` is called once, when the data is no longer
/// needed. Without `ffn` the data is constant and is never freed. Fails with `EFAULT` if `data` is NULL and `size` is
/// not 0.
///
/// # Safety
/// As [`zmq_msg_init`]; `data` points to `size` bytes that do not change until `ffn` is called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_init_data(
    msg: *mut zmq_msg_t,
    data: *mut c_void,
    size: usize,
    ffn: zmq_free_fn,
    hint: *mut c_void,
) -> c_int {
    if data.is_null() && size > 0 {
        return call(-1, || Err(Errno(libc::EFAULT)));
    }
    let made = match ffn {
        Some(free) => zmq_msg_t::shared(Bytes::from_owner(Foreign { data, len: size, free, hint }), false),
        // SAFETY: the caller's promise: constant data.
        None => match unsafe { constant(data, size) } {
            Ok(bytes) => zmq_msg_t::shared(bytes, true),
            Err(error) => return call(-1, || Err(error)),
        },
    };
    // SAFETY: the caller's promise.
    unsafe { init(msg, || Ok(made)) }
}

/// Returns constant memory as `Bytes`, without a copy.
///
/// # Safety
/// `data` points to `size` readable bytes that are never changed or freed, or `size` is 0.
pub(crate) unsafe fn constant(data: *const c_void, size: usize) -> Result<Bytes, Errno> {
    // SAFETY: the caller's promise.
    unsafe { crate::boundary::bytes(data.cast(), size) }.map(Bytes::from_static)
}

/// # Safety
/// `msg` points to 64 writable bytes that hold no message.
#[inline]
unsafe fn init(msg: *mut zmq_msg_t, make: impl FnOnce() -> Result<zmq_msg_t, Errno>) -> c_int {
    call(-1, || {
        if msg.is_null() {
            return Err(Errno(libc::EFAULT));
        }
        let message = make()?;
        // SAFETY: the caller's promise; what lies there is not read.
        unsafe { msg.write(message) };
        Ok(0)
    })
}

/// Closes a message and frees what it holds. Fails with `EFAULT` if it is no message.
///
/// # Safety
/// `msg` is NULL or points to 64 readable and writable bytes that no other thread uses during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_close(msg: *mut zmq_msg_t) -> c_int {
    call(-1, || {
        // SAFETY: the caller's promise.
        let message = unsafe { zmq_msg_t::of(msg) }?;
        message.clear();
        message.magic = 0;
        Ok(0)
    })
}

/// Moves a message. What `dest` has held is freed, and `src` is empty after that. Fails with `EFAULT`.
///
/// # Safety
/// Both are NULL or point to 64 readable and writable bytes that no other thread uses during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_move(dest: *mut zmq_msg_t, src: *mut zmq_msg_t) -> c_int {
    call(-1, || {
        // SAFETY: the caller's promise; one after the other, as both may be the same.
        unsafe {
            zmq_msg_t::of(dest)?;
            let moved = zmq_msg_t::of(src)?;
            if !ptr::eq(dest, src) {
                let moved = std::mem::replace(moved, zmq_msg_t::new());
                let dest = zmq_msg_t::of(dest)?;
                dest.clear();
                *dest = moved;
            }
        }
        Ok(0)
    })
}

/// Makes `dest` a copy of `src`. A long body is shared. Fails with `EFAULT`.
///
/// # Safety
/// Both are NULL or point to 64 readable and writable bytes that no other thread uses during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_copy(dest: *mut zmq_msg_t, src: *mut zmq_msg_t) -> c_int {
    call(-1, || {
        // SAFETY: the caller's promise; one after the other, as both may be the same.
        unsafe {
            zmq_msg_t::of(dest)?;
            let copy = zmq_msg_t::of(src)?.duplicate();
            let dest = zmq_msg_t::of(dest)?;
            dest.clear();
            *dest = copy;
        }
        Ok(0)
    })
}

/// Returns the address of the content, or NULL for memory that holds no message.
///
/// # Safety
/// `msg` is NULL or points to 64 readable and writable bytes that no other thread uses during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_data(msg: *mut zmq_msg_t) -> *mut c_void {
    // SAFETY: the caller's promise.
    call(ptr::null_mut(), || Ok(unsafe { zmq_msg_t::of(msg) }?.data().cast()))
}

/// Returns the length of the content in bytes, or 0 for memory that holds no message.
///
/// # Safety
/// `msg` is NULL or points to 64 readable bytes that do not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_size(msg: *const zmq_msg_t) -> usize {
    // SAFETY: the caller's promise.
    call(0, || Ok(unsafe { zmq_msg_t::look(msg) }?.len()))
}

/// Returns 1 if another part of the message follows, else 0.
///
/// # Safety
/// `msg` is NULL or points to 64 readable bytes that do not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_more(msg: *const zmq_msg_t) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { zmq_msg_get(msg, PROPERTY_MORE) }
}

const PROPERTY_MORE: c_int = 1;
const PROPERTY_SRCFD: c_int = 2;
const PROPERTY_SHARED: c_int = 3;

/// Returns a property: `ZMQ_MORE`, `ZMQ_SHARED`, or `ZMQ_SRCFD` (the descriptor of the connection). Fails with `EINVAL`
/// for another property and if the descriptor is not known, and with `EFAULT` if `msg` is no message.
///
/// # Safety
/// `msg` is NULL or points to 64 readable bytes that do not change during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_get(msg: *const zmq_msg_t, property: c_int) -> c_int {
    call(-1, || {
        // SAFETY: the caller's promise.
        let message = unsafe { zmq_msg_t::look(msg) }?;
        match property {
            PROPERTY_MORE => Ok(message.is_more().into()),
            PROPERTY_SHARED => Ok((message.short & SHARED != 0).into()),
            PROPERTY_SRCFD => match message.about.descriptor() {
                -1 => Err(Errno(libc::EINVAL)),
                descriptor => Ok(descriptor),
            },
            _ => Err(Errno(libc::EINVAL)),
        }
    })
}

/// Fails with `EINVAL`: no property can be set.
#[unsafe(no_mangle)]
pub extern "C" fn zmq_msg_set(_msg: *mut zmq_msg_t, _property: c_int, _value: c_int) -> c_int {
    call(-1, || Err(Errno(libc::EINVAL)))
}

/// Returns a property of the sender as text, which lives as long as the message: `Socket-Type`, `Identity` or
/// `Routing-Id`, `User-Id`, `Peer-Address`, or a property from the authenticator or the handshake. Returns NULL with
/// `EINVAL` if there is none.
///
/// # Safety
/// `msg` is NULL or points to 64 readable bytes that do not change during the call; `property` is NULL or a string that
/// ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_gets(msg: *const zmq_msg_t, property: *const c_char) -> *const c_char {
    call(ptr::null(), || {
        // SAFETY: the caller's promise.
        let (message, name) = unsafe { (zmq_msg_t::look(msg)?, text(property)?) };
        message.about.texts().and_then(|about| about.property(name)).ok_or(Errno(libc::EINVAL))
    })
}

/// Sets the routing id (a number) of the peer to which a SERVER or PEER sends the message. Fails with `EINVAL` for 0.
///
/// # Safety
/// `msg` is NULL or points to 64 readable and writable bytes that no other thread uses during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_set_routing_id(msg: *mut zmq_msg_t, routing_id: u32) -> c_int {
    call(-1, || {
        // SAFETY: the caller's promise.
        let message = unsafe { zmq_msg_t::of(msg) }?;
        if routing_id == 0 {
            return Err(Errno(libc::EINVAL));
        }
        message.routing_id = routing_id;
        Ok(0)
    })
}

/// Returns the routing id (a number) of the peer from which a SERVER or PEER received the message, or 0.
///
/// # Safety
/// `msg` is NULL or points to 64 readable and writable bytes that no other thread uses during the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_routing_id(msg: *mut zmq_msg_t) -> u32 {
    // SAFETY: the caller's promise.
    call(0, || Ok(unsafe { zmq_msg_t::of(msg) }?.routing_id))
}

/// Sets the group to which a RADIO sends the message. Fails with `EINVAL` for NULL and for more than 255 bytes.
///
/// # Safety
/// `msg` is NULL or points to 64 readable and writable bytes that no other thread uses during the call; `group` is NULL
/// or a string that ends with NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_set_group(msg: *mut zmq_msg_t, group: *const c_char) -> c_int {
    call(-1, || {
        // SAFETY: the caller's promise.
        let message = unsafe { zmq_msg_t::of(msg) }?;
        if group.is_null() {
            return Err(Errno(libc::EINVAL));
        }
        // SAFETY: the caller's promise.
        let group = unsafe { CStr::from_ptr(group) };
        if group.count_bytes() > MAX_GROUP {
            return Err(Errno(libc::EINVAL));
        }
        let old = std::mem::replace(&mut message.group, group.to_owned().into_raw());
        if !old.is_null() {
            // SAFETY: from `CString::into_raw`, and replaced.
            drop(unsafe { CString::from_raw(old) });
        }
        Ok(0)
    })
}

/// Returns the group of the message, or "".
///
/// # Safety
/// `msg` is NULL or points to 64 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn zmq_msg_group(msg: *mut zmq_msg_t) -> *const c_char {
    // SAFETY: the caller's promise.
    call(c"".as_ptr(), || Ok(unsafe { zmq_msg_t::of(msg) }?.group().map_or(c"".as_ptr(), CStr::as_ptr)))
}
