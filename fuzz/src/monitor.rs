//! The messages of a monitor of C (`zmq_socket_monitor_versioned`), in both forms.

use std::cell::Cell;
use std::ffi::{CString, c_int, c_void};
use std::ptr;

use zeroxide::SocketType;

use crate::feed::Feed;

const STOPPED: u64 = 0x400;
/// Every event of zmq.h.
const KNOWN: u64 = 0x1_7fff;
const RCVMORE: c_int = 13;
const DONTWAIT: c_int = 1;
const LINGER: c_int = 17;
const RCVTIMEO: c_int = 27;
const SUBSCRIBE: c_int = 6;

thread_local! {
    static CONTEXT: *mut c_void = zmq::zmq_ctx_new();
    static SCRIPTS: Cell<u64> = const { Cell::new(0) };
}

/// Tests that each message of a monitor is a known event that was asked for, in the right form, and that the last tells
/// the end.
pub fn monitor(data: &[u8]) {
    let mut feed = Feed::new(data);
    let script = SCRIPTS.replace(SCRIPTS.get() + 1);
    let kind = feed.pick(&[
        SocketType::Push,
        SocketType::Dealer,
        SocketType::Pub,
        SocketType::Rep,
        SocketType::Pair,
    ]);
    let (version, events) = (c_int::from(feed.byte() % 4), u64::from_le_bytes(feed.array()));
    let events = if feed.byte() & 1 == 0 { 0xffff } else { events };
    let told_by = feed.pick(&[SocketType::Pair, SocketType::Push, SocketType::Pub, SocketType::Rep]);
    let (watched, other) = (open(kind), open(kind.peers()[0]));
    let address = CString::new(format!("inproc://monitor-{script}")).unwrap();
    // SAFETY: the address is a string.
    let done = unsafe {
        zmq::zmq_socket_monitor_versioned(watched, address.as_ptr(), events, version, told_by as c_int)
    };
    let legal = matches!(version, 1 | 2) && (version == 2 || events <= 0xffff) && told_by != SocketType::Rep;
    assert_eq!(done == 0, legal, "{}", zmq::zmq_errno());
    let reader = open(told_by.peers()[0]);
    if legal {
        // SAFETY: the address is a string, and the value has no bytes.
        unsafe {
            assert_eq!(zmq::zmq_connect(reader, address.as_ptr()), 0);
            if told_by == SocketType::Pub {
                zmq::zmq_setsockopt(reader, SUBSCRIBE, ptr::null(), 0);
            }
        }
    }
    while !feed.is_empty() {
        act(&mut feed, script, watched, other);
    }
    if legal {
        // SAFETY: NULL ends the monitor.
        assert_eq!(unsafe { zmq::zmq_socket_monitor_versioned(watched, ptr::null(), 0, version, 0) }, 0);
        // A PUB drops what nobody has subscribed to yet, the end included.
        let certain = told_by != SocketType::Pub;
        hear_all(reader, events, version, certain);
    }
    for socket in [watched, other, reader] {
        assert_eq!(zmq::zmq_close(socket), 0);
    }
}

fn open(kind: SocketType) -> *mut c_void {
    let socket = CONTEXT.with(|context| zmq::zmq_socket(*context, kind as c_int));
    let zero: c_int = 0;
    let patience: c_int = 60_000;
    for (option, value) in [(LINGER, zero), (RCVTIMEO, patience)] {
        // SAFETY: the value has the size of an `int`.
        unsafe { zmq::zmq_setsockopt(socket, option, ptr::from_ref(&value).cast(), size_of::<c_int>()) };
    }
    socket
}

fn act(feed: &mut Feed<'_>, script: u64, watched: *mut c_void, other: *mut c_void) {
    let verb = feed.byte();
    let socket = if verb & 0x80 == 0 { watched } else { other };
    // An abstract name leaves neither a file nor a port behind.
    let endpoint =
        CString::new(format!("ipc://@zeroxide-fuzz-{}-{script}-{}", std::process::id(), verb >> 4 & 1));
    let endpoint = endpoint.unwrap();
    // SAFETY: the endpoint is a string, the buffer has the length that is given.
    unsafe {
        match verb % 6 {
            0 | 1 => _ = zmq::zmq_bind(socket, endpoint.as_ptr()),
            2 | 3 => _ = zmq::zmq_connect(socket, endpoint.as_ptr()),
            4 => _ = zmq::zmq_unbind(socket, endpoint.as_ptr()),
            _ => _ = zmq::zmq_send(socket, b"x".as_ptr().cast(), 1, DONTWAIT),
        }
    }
}

/// Reads to the end, which is told if it was asked for.
fn hear_all(reader: *mut c_void, events: u64, version: c_int, certain: bool) {
    let told = events & STOPPED != 0 && certain;
    loop {
        let flags = if told { 0 } else { DONTWAIT };
        let Some(frames) = receive(reader, flags) else {
            return assert!(!told, "the end was not told");
        };
        let event = check(&frames, version);
        assert!(event & events != 0 && event & KNOWN != 0 && event.is_power_of_two(), "{event:#x}");
        if event == STOPPED {
            return assert_eq!(receive(reader, DONTWAIT), None, "something follows the end");
        }
    }
}

/// Checks the form of a message. Returns its event.
fn check(frames: &[Vec<u8>], version: c_int) -> u64 {
    if version == 1 {
        assert_eq!((frames.len(), frames[0].len()), (2, 6));
        assert!(std::str::from_utf8(&frames[1]).is_ok());
        return u16::from_ne_bytes(frames[0][..2].try_into().unwrap()).into();
    }
    let number = |frame: &Vec<u8>| u64::from_ne_bytes(frame[..].try_into().unwrap());
    let count = number(&frames[1]);
    assert_eq!(frames.len() as u64, 4 + count);
    assert_eq!(count, if number(&frames[0]) == 0x1_0000 { 2 } else { 1 });
    frames[2..2 + count as usize].iter().for_each(|value| _ = number(value));
    assert!(frames[2 + count as usize..].iter().all(|address| std::str::from_utf8(address).is_ok()));
    number(&frames[0])
}

fn receive(socket: *mut c_void, flags: c_int) -> Option<Vec<Vec<u8>>> {
    let mut frames = Vec::new();
    loop {
        let mut buffer = [0; 256];
        // SAFETY: the buffer has the length that is given.
        let length = unsafe { zmq::zmq_recv(socket, buffer.as_mut_ptr().cast(), buffer.len(), flags) };
        let length = usize::try_from(length).ok()?;
        frames.push(buffer[..length].to_vec());
        let (mut more, mut size): (c_int, usize) = (0, size_of::<c_int>());
        // SAFETY: the value has the size of an `int`.
        unsafe { zmq::zmq_getsockopt(socket, RCVMORE, ptr::from_mut(&mut more).cast(), &mut size) };
        if more == 0 {
            return Some(frames);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn monitor(data in prop::collection::vec(any::<u8>(), 0..60)) {
            super::monitor(&data);
        }
    }
}
