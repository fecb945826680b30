//! The high-water marks of an inproc pipe, which follow from the options of both sockets.

use std::sync::{Arc, Mutex, PoisonError};

use zeroxide_transports::pipe::Pipe;

use crate::options::Values;

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
