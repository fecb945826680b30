//! Waiting, in one place: application threads sleep here and nowhere else.
//!
//! A [`Signal`] is a list of waiters for one kind of change. Whoever waits registers first, then looks once more at
//! what it waits for, then sleeps; whoever changes something does so under the socket's lock, then notifies. As both
//! take that lock in between, no wake is lost. One change wakes one waiter; a woken waiter that does not use its
//! wake passes it on ([`Signal::cancel`] tells it).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread::{self, Thread};
use std::time::Instant;

/// Who is to be woken.
#[derive(Clone)]
pub(crate) enum Waiter {
    /// A thread that sleeps in [`Parker::park`].
    Thread(Arc<Parker>),
    /// A task of any executor, or a `mio` waker wrapped as one.
    Task(Waker),
}

impl Waiter {
    fn wake(self) {
        match self {
            Waiter::Thread(parker) => parker.unpark(),
            Waiter::Task(waker) => waker.wake(),
        }
    }
}

/// One thread's place to sleep.
pub(crate) struct Parker {
    thread: Thread,
    woken: AtomicBool,
}

impl Parker {
    /// A place for the calling thread.
    pub(crate) fn new() -> Arc<Parker> {
        Arc::new(Parker { thread: thread::current(), woken: AtomicBool::new(false) })
    }

    /// Sleeps until unparked (`true`) or until the deadline (`false`).
    pub(crate) fn park(&self, deadline: Option<Instant>) -> bool {
        loop {
            if self.woken.swap(false, Ordering::SeqCst) {
                return true;
            }
            match deadline {
                None => thread::park(),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return self.woken.swap(false, Ordering::SeqCst);
                    }
                    thread::park_timeout(left);
                }
            }
        }
    }

    fn unpark(&self) {
        self.woken.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

/// Names one registration at a [`Signal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(u64);

#[derive(Default)]
struct List {
    waiters: Vec<(Ticket, Waiter)>,
    next: u64,
}

/// The waiters for one kind of change.
#[derive(Default)]
pub(crate) struct Signal {
    waiting: AtomicUsize,
    list: Mutex<List>,
}

impl Signal {
    /// Adds a waiter for one wake. Look at what you wait for *after* this.
    pub(crate) fn register(&self, waiter: Waiter) -> Ticket {
        let mut list = self.list();
        let ticket = Ticket(list.next);
        list.next += 1;
        list.waiters.push((ticket, waiter));
        self.waiting.store(list.waiters.len(), Ordering::SeqCst);
        ticket
    }

    /// Takes a waiter back. `true`: it had been woken already, so a wake that is not used must be passed on.
    pub(crate) fn cancel(&self, ticket: Ticket) -> bool {
        let mut list = self.list();
        let at = list.waiters.iter().position(|(t, _)| *t == ticket);
        let waiter = at.map(|at| list.waiters.remove(at));
        self.waiting.store(list.waiters.len(), Ordering::SeqCst);
        drop(list);
        waiter.is_none()
    }

    /// How many wait.
    #[inline]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Wakes the one that has waited longest; `false` when nobody waits.
    #[inline]
    pub(crate) fn notify_one(&self) -> bool {
        self.waiting() > 0 && self.wake_first()
    }

    #[cold]
    fn wake_first(&self) -> bool {
        let mut list = self.list();
        let first = (!list.waiters.is_empty()).then(|| list.waiters.remove(0));
        self.waiting.store(list.waiters.len(), Ordering::SeqCst);
        drop(list);
        first.map(|(_, waiter)| waiter.wake()).is_some()
    }

    /// Wakes everybody.
    pub(crate) fn notify_all(&self) {
        if self.waiting() == 0 {
            return;
        }
        let mut list = self.list();
        let waiters = std::mem::take(&mut list.waiters);
        self.waiting.store(0, Ordering::SeqCst);
        drop(list);
        waiters.into_iter().for_each(|(_, waiter)| waiter.wake());
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that happens once and that threads and tasks wait for.
#[derive(Default)]
pub(crate) struct Latch {
    done: AtomicBool,
    signal: Signal,
}

impl Latch {
    /// It has happened: wakes everybody.
    pub(crate) fn open(&self) {
        self.done.store(true, Ordering::SeqCst);
        self.signal.notify_all();
    }

    /// Whether it has happened.
    pub(crate) fn is_open(&self) -> bool {
        self.done.load(Ordering::SeqCst)
    }

    /// Waits for it until the deadline; answers whether it has happened.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> bool {
        wait_until(&[&self.signal], deadline, || self.is_open().then_some(())).is_some()
    }

    /// For a future: registers the task and answers whether it has happened.
    pub(crate) fn poll(&self, waker: &Waker) -> bool {
        if !self.is_open() {
            self.signal.register(Waiter::Task(waker.clone()));
        }
        self.is_open()
    }
}

/// Sleeps until `look` gives something or the deadline passes. `look` is tried first, after every wake of one of the
/// signals, and once more at the end. This is the loop that all blocking calls share.
pub(crate) fn wait_until<T>(
    signals: &[&Signal],
    deadline: Option<Instant>,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    if let Some(found) = look() {
        return Some(found);
    }
    let parker = Parker::new();
    loop {
        let tickets: Vec<Ticket> =
            signals.iter().map(|signal| signal.register(Waiter::Thread(Arc::clone(&parker)))).collect();
        let found = look();
        let woken = found.is_none() && parker.park(deadline);
        for (signal, ticket) in signals.iter().zip(tickets) {
            // A wake that came although this call found what it wanted, or gave up, belongs to the next in line.
            if signal.cancel(ticket) && (found.is_some() || !woken) {
                signal.notify_one();
            }
        }
        match found {
            Some(found) => return Some(found),
            None if woken => {}
            None => return look(),
        }
    }
}
