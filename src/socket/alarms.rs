//! The times at which tasks of a socket stop waiting. Threads wait with a time-out of their own; a task has no timer without
//! its runtime, so the socket's I/O thread wakes it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use super::base::SocketBase;
use super::orders::Order;
use crate::error::Result;
use crate::user_code;

/// The alarms of one socket.
#[derive(Default)]
pub(crate) struct Alarms(Mutex<List>);

#[derive(Default)]
struct List {
    set: BTreeMap<Alarm, Waker>,
    next: u64,
    /// When the I/O thread looks next, as far as it has been asked to.
    armed: Option<Instant>,
}

/// One alarm: its time, and a number that makes it different from others at that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Alarm(Instant, u64);

impl Alarms {
    /// Wakes the tasks whose time has come. Returns when to look again, unless that has been asked for already.
    pub(crate) fn ring(&self, now: Instant) -> Option<Instant> {
        let mut list = self.list();
        // A timer that an earlier one has made superfluous.
        if list.armed.is_none_or(|armed| armed > now) {
            return None;
        }
        let later = list.set.split_off(&Alarm(now, u64::MAX));
        let due = std::mem::replace(&mut list.set, later);
        list.armed = list.set.first_key_value().map(|(alarm, _)| alarm.0);
        let armed = list.armed;
        drop(list);
        due.into_values().for_each(user_code::wake);
        armed
    }

    /// Returns whether the I/O thread is to look again.
    pub(crate) fn is_armed(&self) -> bool {
        self.list().armed.is_some()
    }

    /// Takes an alarm back.
    pub(crate) fn clear(&self, alarm: Alarm) {
        let removed = self.list().set.remove(&alarm);
        // Not under the lock: a waker is the application's.
        drop(removed);
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SocketBase {
    /// Lets the I/O thread wake a task at a moment.
    ///
    /// # Errors
    /// Returns [`crate::Error::NoIoThread`] in a context without I/O threads, and the errors of their start.
    pub(super) fn set_alarm(self: &Arc<Self>, at: Instant, waker: Waker) -> Result<Alarm> {
        let values = self.enter(|state| state.values.clone());
        let reactor = self.reactor(&values)?;
        let mut list = self.alarms.list();
        let alarm = Alarm(at, list.next);
        list.next = list.next.wrapping_add(1);
        list.set.insert(alarm, waker);
        let earlier = list.armed.is_none_or(|armed| at < armed);
        if earlier {
            list.armed = Some(at);
        }
        drop(list);
        if earlier {
            reactor.send(Order::Alarm(at, Arc::downgrade(self)));
        }
        Ok(alarm)
    }
}
