//! The times at which tasks of a socket stop waiting. Threads wait with a time-out of their own; a task has no timer without
//! its runtime, so the socket's I/O thread wakes it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

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
    /// Adds an alarm. Returns it, and whether the I/O thread must be asked to look at its time.
    pub(super) fn set(&self, at: Instant, waker: Waker) -> (Alarm, bool) {
        let mut list = self.list();
        let alarm = Alarm(at, list.next);
        list.next = list.next.wrapping_add(1);
        list.set.insert(alarm, waker);
        let earlier = list.armed.is_none_or(|armed| at < armed);
        if earlier {
            list.armed = Some(at);
        }
        (alarm, earlier)
    }

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

    /// Gives an alarm the present waker of its task. Returns `false` if it has rung already.
    pub(super) fn renew(&self, alarm: Alarm, waker: &Waker) -> bool {
        // Not under the lock: its clone and its drop are code of the application.
        let mut waker = waker.clone();
        let mut list = self.list();
        let waits = list.set.get_mut(&alarm).map(|kept| std::mem::swap(kept, &mut waker)).is_some();
        drop(list);
        drop(waker);
        waits
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
