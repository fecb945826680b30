//! Messages, counters and Z85 through C's functions, as a C program calls them: for Miri, which runs no C program
//! (`cargo xtask miri`). What they do is proved by `tests/programs`.

#![allow(clippy::unwrap_used)]

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use zmq::*;

/// Lengths of each form: in the message itself, copied when sent, of the message's own.
const LENGTHS: [usize; 6] = [0, 1, 33, 34, 64, 5000];

/// A `zmq_msg_t` on a C program's stack.
struct Message(MaybeUninit<zmq_msg_t>);

impl Message {
    fn empty() -> Message {
        let mut message = Message(MaybeUninit::uninit());
        // SAFETY: 64 writable bytes that hold no message.
        assert_eq!(unsafe { zmq_msg_init(message.at()) }, 0);
        message
    }

    fn of(content: &[u8]) -> Message {
        let mut message = Message(MaybeUninit::uninit());
        // SAFETY: 64 writable bytes that hold no message, and as many bytes as are told.
        assert_eq!(unsafe { zmq_msg_init_buffer(message.at(), content.as_ptr().cast(), content.len()) }, 0);
        message
    }

    /// Data that is handed over; `FREED` counts.
    fn handed_over(content: &[u8]) -> Message {
        let mut message = Message(MaybeUninit::uninit());
        let data = Box::into_raw(Box::new(content.to_vec()));
        // SAFETY: the vector lives until `freed` is called with it.
        unsafe {
            let start = (*data).as_mut_ptr().cast();
            assert_eq!(zmq_msg_init_data(message.at(), start, content.len(), Some(freed), data.cast()), 0);
        }
        message
    }

    fn at(&mut self) -> *mut zmq_msg_t {
        self.0.as_mut_ptr()
    }

    fn content(&mut self) -> Vec<u8> {
        // SAFETY: a message, whose bytes were all written.
        unsafe {
            let (start, len) = (zmq_msg_data(self.at()), zmq_msg_size(self.at()));
            std::slice::from_raw_parts(start.cast::<u8>(), len).to_vec()
        }
    }

    fn copied_from(&mut self, other: &mut Message) {
        // SAFETY: both are messages.
        assert_eq!(unsafe { zmq_msg_copy(self.at(), other.at()) }, 0);
    }

    fn moved_from(&mut self, other: &mut Message) {
        // SAFETY: both are messages.
        assert_eq!(unsafe { zmq_msg_move(self.at(), other.at()) }, 0);
    }

    fn set_group(&mut self, group: &CStr) {
        // SAFETY: a message and a string.
        assert_eq!(unsafe { zmq_msg_set_group(self.at(), group.as_ptr()) }, 0);
    }

    fn group(&mut self) -> &CStr {
        // SAFETY: a message, whose group lives until it is changed.
        unsafe { CStr::from_ptr(zmq_msg_group(self.at())) }
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // SAFETY: a message; closed twice it is none.
        unsafe {
            assert_eq!(zmq_msg_close(self.at()), 0);
            assert_eq!(zmq_msg_close(self.at()), -1);
        }
    }
}

static FREED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn freed(_: *mut c_void, hint: *mut c_void) {
    // SAFETY: from `handed_over`, once.
    drop(unsafe { Box::from_raw(hint.cast::<Vec<u8>>()) });
    FREED.fetch_add(1, Ordering::SeqCst);
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|n| n as u8).collect()
}

#[test]
fn messages_of_every_form_are_copied_moved_and_freed_once() {
    let before = FREED.load(Ordering::SeqCst);
    let made = LENGTHS.len() * 2;
    for make in [Message::of, Message::handed_over] {
        for len in LENGTHS {
            let mut message = make(&bytes(len));
            let mut copy = Message::of(&bytes(100));
            copy.copied_from(&mut message);
            let mut second = Message::empty();
            second.copied_from(&mut copy);
            let mut moved = Message::handed_over(&bytes(2));
            moved.moved_from(&mut message);
            assert_eq!(message.content(), []);
            drop(message);
            assert_eq!(
                [copy.content(), second.content(), moved.content()],
                [bytes(len), bytes(len), bytes(len)]
            );
            drop(moved);
            assert_eq!(second.content(), copy.content());
        }
    }
    // Those of every length that were handed over, and the one that each move has replaced.
    assert_eq!(FREED.load(Ordering::SeqCst) - before, LENGTHS.len() + made);
}

#[test]
fn a_message_is_written_after_it_is_made_and_may_be_copied_to_itself() {
    for len in LENGTHS {
        let mut message = Message(MaybeUninit::uninit());
        // SAFETY: 64 writable bytes that hold no message; then a message of so many bytes.
        unsafe {
            assert_eq!(zmq_msg_init_size(message.at(), len), 0);
            zmq_msg_data(message.at()).cast::<u8>().write_bytes(7, len);
            let at = message.at();
            assert_eq!(zmq_msg_copy(at, at), 0);
            assert_eq!(zmq_msg_move(at, at), 0);
        }
        assert_eq!(message.content(), vec![7; len]);
    }
}

#[test]
fn constant_data_is_not_copied_and_never_freed() {
    static DATA: [u8; 100] = [3; 100];
    let mut message = Message(MaybeUninit::uninit());
    let data = DATA.as_ptr().cast_mut();
    // SAFETY: 64 writable bytes that hold no message, and data that lives for ever.
    unsafe {
        assert_eq!(zmq_msg_init_data(message.at(), data.cast(), 100, None, ptr::null_mut()), 0);
        assert_eq!(zmq_msg_data(message.at()), data.cast());
    }
    let mut copy = Message::empty();
    copy.copied_from(&mut message);
    drop(message);
    assert_eq!(copy.content(), DATA);
}

#[test]
fn a_copy_has_a_group_and_a_number_of_its_own() {
    let mut message = Message::of(&bytes(50));
    message.set_group(c"first");
    message.set_group(c"group");
    // SAFETY: a message.
    assert_eq!(unsafe { zmq_msg_set_routing_id(message.at(), 9) }, 0);
    let mut copy = Message::empty();
    copy.copied_from(&mut message);
    message.set_group(c"another");
    assert_eq!((copy.group(), message.group()), (c"group", c"another"));
    drop(message);
    // SAFETY: a message.
    assert_eq!(unsafe { zmq_msg_routing_id(copy.at()) }, 9);
    assert_eq!(copy.group(), c"group");
}

#[test]
fn memory_that_holds_no_message_is_never_interpreted() {
    for content in [0_u8, 1, 0xff] {
        let mut memory = Message(MaybeUninit::uninit());
        // SAFETY: 64 bytes of the test's own, none of them a message; they are bytes of a program in C.
        unsafe {
            memory.at().cast::<u8>().write_bytes(content, 64);
            assert_eq!(zmq_msg_close(memory.at()), -1);
            assert_eq!(zmq_msg_size(memory.at()), 0);
            assert!(zmq_msg_data(memory.at()).is_null());
            assert_eq!(zmq_msg_close(ptr::null_mut()), -1);
        }
        std::mem::forget(memory);
    }
}

#[test]
fn threads_share_a_body_and_the_last_one_frees_it() {
    struct Shared(Message);
    // SAFETY: a message may go to another thread.
    unsafe impl Send for Shared {}
    let mut message = Message::of(&bytes(3000));
    let copies: Vec<Shared> = (0..4)
        .map(|_| {
            let mut copy = Shared(Message::empty());
            copy.0.copied_from(&mut message);
            copy
        })
        .collect();
    drop(message);
    thread::scope(|scope| {
        for copy in copies {
            scope.spawn(move || {
                let Shared(message) = &mut { copy };
                let mut second = Message::empty();
                second.copied_from(message);
                assert_eq!(second.content(), bytes(3000));
            });
        }
    });
}

#[test]
fn a_counter_counts_on_every_thread_until_it_is_destroyed() {
    struct Counter(*mut c_void);
    // SAFETY: a counter is for all threads (zmq_atomic_counter_new(3)).
    unsafe impl Sync for Counter {}
    const ROUNDS: c_int = 50;
    let counter = Counter(zmq_atomic_counter_new());
    let count = || {
        let counter = &counter;
        for _ in 0..ROUNDS {
            // SAFETY: a counter.
            unsafe { zmq_atomic_counter_inc(counter.0) };
        }
    };
    thread::scope(|scope| (0..3).for_each(|_| drop(scope.spawn(count))));
    let Counter(mut counter) = counter;
    // SAFETY: a counter; then NULL, which is none.
    unsafe {
        assert_eq!(zmq_atomic_counter_value(counter), 3 * ROUNDS);
        zmq_atomic_counter_set(counter, 1);
        assert_eq!(zmq_atomic_counter_dec(counter), 0);
        zmq_atomic_counter_destroy(&raw mut counter);
        assert!(counter.is_null());
        zmq_atomic_counter_destroy(&raw mut counter);
    }
}

#[test]
fn z85_writes_what_fits_its_buffers_to_the_byte() {
    let key = bytes(32);
    let mut text: [c_char; 41] = [1; 41];
    let mut decoded = [0; 32];
    // SAFETY: buffers of the lengths that zmq_z85_encode(3) and zmq_z85_decode(3) ask for.
    unsafe {
        assert_eq!(zmq_z85_encode(text.as_mut_ptr(), key.as_ptr(), key.len()), text.as_mut_ptr());
        assert_eq!(zmq_z85_decode(decoded.as_mut_ptr(), text.as_ptr()), decoded.as_mut_ptr());
    }
    assert_eq!(decoded, key[..]);
}
