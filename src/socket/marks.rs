//! The limits of pipes: what a change of options changes, and the high-water marks of an inproc pipe, which follow from
//! the options of both sockets.

use std::sync::{Arc, Mutex, PoisonError};

use zeroxide_transports::pipe::Pipe;

use crate::options::Values;

/// The options of a socket that limit what its pipes hold, and that act on living pipes.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    marks: Marks,
    /// Bytes received from one peer and not taken; 0 is no limit.
    peer: u64,
    /// Bytes received from all peers and not taken, likewise.
    total: u64,
}

/// The limits of a socket that have changed.
pub(super) struct Changes {
    pub(super) send: Option<u32>,
    pub(super) receive: Option<u32>,
    pub(super) peer: Option<u64>,
    pub(super) total: Option<u64>,
}

impl Limits {
    pub(super) fn of(values: &Values) -> Limits {
        Limits { marks: Marks::of(values), peer: values.rcvhwm_bytes, total: values.rcvhwm_bytes_total }
    }

    pub(super) fn changed(self, before: Limits) -> Changes {
        Changes {
            send: differs(self.marks.send, before.marks.send),
            receive: differs(self.marks.receive, before.marks.receive),
            peer: differs(self.peer, before.peer),
            total: differs(self.total, before.total),
        }
    }
}

impl Changes {
    pub(super) fn is_empty(&self) -> bool {
        self.send.is_none() && self.receive.is_none() && self.peer.is_none() && self.total.is_none()
    }
}

fn differs<T: PartialEq>(now: T, before: T) -> Option<T> {
    (now != before).then_some(now)
}

/// The high-water marks of one side of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    pub(crate) send: u32,
    pub(crate) receive: u32,
}

/// The high-water marks of both sides of an inproc pipe. Either side may change its own at any time. No other lock is taken
/// while this one is held.
pub(crate) struct JointMarks(Mutex<BothMarks>);

struct BothMarks {
    connector: Marks,
    /// None before the bind.
    binder: Option<Marks>,
}

/// A side of an inproc pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Connector,
    Binder,
}

impl JointMarks {
    pub(super) fn of(connector: Marks) -> Arc<JointMarks> {
        Arc::new(JointMarks(Mutex::new(BothMarks { connector, binder: None })))
    }

    /// Sets the given marks of the side that has this end of the pipe, and then the marks of the pipe. Returns whether the
    /// other side may have room now.
    pub(crate) fn set(&self, side: Side, send: Option<u32>, receive: Option<u32>, pipe: &mut Pipe) -> bool {
        let mut both = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = match side {
            Side::Connector => &mut both.connector,
            Side::Binder => both.binder.get_or_insert(Marks { send: 0, receive: 0 }),
        };
        ours.send = send.unwrap_or(ours.send);
        ours.receive = receive.unwrap_or(ours.receive);
        let ours = *ours;
        let theirs = match side {
            Side::Connector => both.binder,
            Side::Binder => Some(both.connector),
        };
        pipe.writer.set_hwm(theirs.map_or(ours.send, |theirs| joined(ours.send, theirs.receive)));
        pipe.reader.set_hwm(theirs.map_or(ours.receive, |theirs| joined(theirs.send, ours.receive)))
    }
}

impl Marks {
    pub(super) fn of(values: &Values) -> Marks {
        Marks { send: values.sndhwm, receive: values.rcvhwm }
    }
}

/// Returns the mark of the one queue between two sockets: the sum of both marks, or no limit if either has none (libzmq
/// pipe.cpp).
fn joined(send: u32, receive: u32) -> u32 {
    if send == 0 || receive == 0 { 0 } else { send.saturating_add(receive) }
}
