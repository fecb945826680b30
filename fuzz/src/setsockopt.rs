//! Options of C: any number, any bytes, any length.

use std::ffi::{c_int, c_void};
use std::ptr;

use zeroxide::SocketType;
use zeroxide::opt::{CType, InC, Row, TABLE};

use crate::feed::Feed;

/// Beside a buffer, to see that nobody writes there.
const CANARY: u8 = 0xA5;

thread_local! {
    static CONTEXT: *mut c_void = zmq::zmq_ctx_new();
}

/// Tests that a call returns 0, or -1 and `EINVAL`; that reading writes no further than the buffer; and that what was
/// read can be set again and is then the same.
pub fn setsockopt(data: &[u8]) {
    let mut feed = Feed::new(data);
    let kind = c_int::from(feed.byte() % 21);
    let socket = CONTEXT.with(|context| zmq::zmq_socket(*context, kind));
    if socket.is_null() {
        return assert_eq!(kind, SocketType::Dgram as c_int, "the one type that is not implemented");
    }
    while !feed.is_empty() {
        let row = TABLE[feed.below(TABLE.len())];
        let number = match (feed.byte(), row.number()) {
            (0..200, Some(number)) => number,
            (0..200, None) => continue,
            _ => feed.number() as c_int,
        };
        match feed.byte() % 4 {
            0 => set_any(socket, number, &mut feed),
            1 => get(socket, number, feed.byte().into()),
            2 => set_likely(socket, row, &mut feed),
            _ => there_and_back(socket, number),
        }
    }
    context_options(&mut feed);
    assert_eq!(zmq::zmq_close(socket), 0);
}

fn set_any(socket: *mut c_void, number: c_int, feed: &mut Feed<'_>) {
    let value = feed.run();
    let value = if value.is_empty() && feed.byte() & 1 == 1 { None } else { Some(value) };
    set(socket, number, value);
}

/// Sets an option, and checks the errno of a failure. Returns whether it was set.
fn set(socket: *mut c_void, number: c_int, value: Option<&[u8]>) -> bool {
    let (pointer, length) = value.map_or((ptr::null(), 0), |value| (value.as_ptr(), value.len()));
    // SAFETY: the pointer is that of a slice, or NULL with the length 0.
    let done = unsafe { zmq::zmq_setsockopt(socket, number, pointer.cast(), length) };
    assert!(done == 0 || (done == -1 && zmq::zmq_errno() == libc::EINVAL), "{number}: {}", zmq::zmq_errno());
    done == 0
}

/// Sets a value of the size that the row has.
fn set_likely(socket: *mut c_void, row: &Row, feed: &mut Feed<'_>) {
    let Some(number) = row.number() else { return };
    let value = feed.number();
    let done = match row.c_type() {
        CType::int64_t | CType::uint64_t => set(socket, number, Some(&value.to_ne_bytes())),
        CType::curve_key => set(socket, number, Some(&feed.array::<32>())),
        CType::bytes | CType::string => set(socket, number, Some(feed.run())),
        _ => set(socket, number, Some(&(value as u32).to_ne_bytes())),
    };
    assert!(!done || row.in_c() != InC::Fails, "{row:?}");
}

/// Reads an option into a buffer of `size` bytes.
fn read(socket: *mut c_void, number: c_int, size: usize) -> Option<Vec<u8>> {
    let mut buffer = vec![CANARY; size + 8];
    let mut length = size;
    // SAFETY: the buffer has at least `length` bytes.
    let done = unsafe { zmq::zmq_getsockopt(socket, number, buffer.as_mut_ptr().cast(), &mut length) };
    assert!(buffer[size..].iter().all(|byte| *byte == CANARY), "{number}: written behind the buffer");
    if done == -1 {
        assert_eq!(zmq::zmq_errno(), libc::EINVAL, "{number}");
        return None;
    }
    assert!(done == 0 && length <= size, "{number}");
    buffer.truncate(length);
    Some(buffer)
}

fn get(socket: *mut c_void, number: c_int, size: usize) {
    let first = read(socket, number, size);
    assert!(first == read(socket, number, size), "{number}: two readings differ");
}

fn there_and_back(socket: *mut c_void, number: c_int) {
    let is_text = TABLE.iter().any(|row| row.number() == Some(number) && row.c_type() == CType::string);
    for size in [4, 8, 32, 300] {
        let Some(before) = read(socket, number, size) else { continue };
        // A text is read with a NUL and set without.
        let end = before.len() - usize::from(is_text && before.ends_with(&[0]));
        if set(socket, number, Some(&before[..end])) {
            assert_eq!(read(socket, number, size).as_ref(), Some(&before), "{number}");
        }
    }
}

/// The same for a context that never made a socket, so has no threads.
fn context_options(feed: &mut Feed<'_>) {
    let context = zmq::zmq_ctx_new();
    for _ in 0..4 {
        let (number, value) = (feed.byte() as i8, feed.number() as c_int);
        let done = zmq::zmq_ctx_set(context, number.into(), value);
        assert!(done == 0 || zmq::zmq_errno() == libc::EINVAL);
        let read = zmq::zmq_ctx_get(context, number.into());
        assert!(read != -1 || zmq::zmq_errno() == libc::EINVAL);
    }
    assert_eq!(zmq::zmq_ctx_term(context), 0);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn setsockopt(data in prop::collection::vec(any::<u8>(), 0..300)) {
            super::setsockopt(&data);
        }
    }
}
