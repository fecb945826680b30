//! The sender of a message, for `zmq_msg_gets` and `ZMQ_SRCFD`.

use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use zeroxide::Peer;

/// The sender of a message, one of three pointers: NULL; `Arc::into_raw` of a [`Peer`]; or, after the first request for a
/// text, `Arc::into_raw` of an [`About`] with the lowest bit set. Addresses of both types have that bit clear.
///
/// Several threads may ask at once (`zmq_msg_gets` takes a `const` message). The first one stores its `About` here, which
/// keeps the peer alive for the threads that still use it.
pub(crate) struct Sender(AtomicPtr<c_void>);

const _: () = assert!(align_of::<Peer>() > 1 && align_of::<About>() > 1);

/// A sender, and the texts that an application has asked for.
pub(crate) struct About {
    peer: Arc<Peer>,
    /// The texts that `zmq_msg_gets` has returned: they live as long as the message.
    texts: Mutex<Vec<(String, CString)>>,
}

impl Sender {
    pub(crate) const fn nobody() -> Sender {
        Sender(AtomicPtr::new(ptr::null_mut()))
    }

    /// From `Arc::into_raw`.
    pub(crate) fn of(peer: *const Peer) -> Sender {
        Sender(AtomicPtr::new(peer.cast_mut().cast()))
    }

    /// Clones the reference.
    pub(crate) fn again(&self) -> Sender {
        let sender = self.0.load(Ordering::Acquire);
        // SAFETY: NULL, or from `Arc::into_raw` of what the bit says.
        unsafe {
            match sender {
                null if null.is_null() => {}
                about if is_about(about) => Arc::increment_strong_count(to_about(about)),
                peer => Arc::increment_strong_count(peer.cast::<Peer>()),
            }
        }
        Sender(AtomicPtr::new(sender))
    }

    /// Releases the reference.
    ///
    /// # Safety
    /// It is not used any more.
    pub(crate) unsafe fn forget(self) {
        // SAFETY: NULL, or from `Arc::into_raw` of what the bit says; the caller's promise.
        unsafe {
            match self.0.into_inner() {
                null if null.is_null() => {}
                about if is_about(about) => drop(Arc::from_raw(to_about(about))),
                peer => drop(Arc::from_raw(peer.cast::<Peer>())),
            }
        }
    }

    /// Returns the peer that has sent the message.
    fn peer(&self) -> Option<&Peer> {
        let sender = self.0.load(Ordering::Acquire);
        // SAFETY: NULL, or from `Arc::into_raw` of what the bit says. The peer lives as long as this message, whether it
        // is here or in the `About` that another thread may put here meanwhile.
        unsafe {
            if is_about(sender) {
                to_about(sender).as_ref().map(|about| &*about.peer)
            } else {
                sender.cast::<Peer>().as_ref()
            }
        }
    }

    pub(crate) fn is_nobody(&mut self) -> bool {
        self.0.get_mut().is_null()
    }

    /// Returns the descriptor of its connection, or -1 if it is not known (`ZMQ_SRCFD`).
    pub(crate) fn descriptor(&self) -> c_int {
        let descriptor = self.peer().and_then(|peer| peer.descriptor);
        descriptor.and_then(|number| c_int::try_from(number).ok()).unwrap_or(-1)
    }

    /// Returns the sender with the texts, which the first call creates.
    pub(crate) fn texts(&self) -> Option<&About> {
        let mut sender = self.0.load(Ordering::Acquire);
        if sender.is_null() {
            return None;
        }
        if !is_about(sender) {
            let peer = sender.cast::<Peer>().cast_const();
            // SAFETY: from `Arc::into_raw`. It lives as long as this message, here or in the `About` that another thread
            // may have put here meanwhile: the reference of the message is given back only after that one has its own.
            let peer = unsafe {
                Arc::increment_strong_count(peer);
                Arc::from_raw(peer)
            };
            let about = Arc::into_raw(Arc::new(About { peer, texts: Mutex::default() }));
            let tagged = about.cast_mut().cast::<c_void>().map_addr(|address| address | 1);
            match self.0.compare_exchange(sender, tagged, Ordering::AcqRel, Ordering::Acquire) {
                // SAFETY: the message's own reference; after the exchange no other thread can load it.
                Ok(old) => unsafe {
                    drop(Arc::from_raw(old.cast::<Peer>()));
                    sender = tagged;
                },
                // SAFETY: made above, and nobody else knows it.
                Err(first) => unsafe {
                    drop(Arc::from_raw(about));
                    sender = first;
                },
            }
        }
        // SAFETY: from `Arc::into_raw`, and this message's reference keeps it alive.
        unsafe { to_about(sender).as_ref() }
    }
}

/// Returns whether the pointer is one of an [`About`].
fn is_about(sender: *mut c_void) -> bool {
    sender.addr() & 1 != 0
}

fn to_about(sender: *mut c_void) -> *const About {
    sender.map_addr(|address| address & !1).cast_const().cast()
}

impl About {
    pub(crate) fn property(&self, name: &str) -> Option<*const c_char> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, text)) = texts.iter().find(|(known, _)| known == name) {
            return Some(text.as_ptr());
        }
        let value = self.value(name)?;
        // C sees only what is before the first NUL.
        let value = value.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = CString::new(value).ok()?;
        let answer = text.as_ptr();
        texts.push((name.to_owned(), text));
        Some(answer)
    }

    fn value(&self, name: &str) -> Option<Vec<u8>> {
        let peer = &self.peer;
        let known = |text: &str| (!text.is_empty()).then(|| text.as_bytes().to_vec());
        // A property from the authenticator comes first (libzmq stream_engine_base.cpp). Exceptions are the user id, which has a
        // ZAP frame of its own, and the address and the descriptor, which are known here. The authenticator may set each of
        // these names; the peer's handshake may set Identity alone.
        let said = || peer.property(name).map(<[u8]>::to_vec);
        match name {
            "Socket-Type" => said().or_else(|| known(peer.socket_type?.name())),
            // If the peer has announced no routing id, it is empty.
            "Identity" | "Routing-Id" => said().or_else(|| peer.socket_type.map(|_| Vec::new())),
            "User-Id" => known(&peer.user_id).or_else(said),
            "Peer-Address" => known(&peer.address),
            "__fd" => peer.descriptor.map(|number| number.to_string().into_bytes()),
            _ => said(),
        }
    }
}
