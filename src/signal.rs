//! Waiting, in one place: application threads sleep here and nowhere else.
//!
//! A [`Signal`] is a list of waiters for one kind of change. Whoever waits registers first, then looks once more at
//! what it waits for, then sleeps; whoever changes something does so under the socket's lock, then notifies. As both
//! take that lock in between, no wake is lost. One change wakes one waiter; a woken waiter that does not use its
//! wake passes it on ([`Signal::cancel`] tells it).
#![expect(clippy::disallowed_methods, reason = "the one place where application threads wait")]

use std::io;
use std::sync::{Arc, PoisonError};
use std::task::{Poll as TaskPoll, Wake, Waker};
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use crate::clock;
use crate::error::Error;
use crate::sync::waiting::{AtomicBool as Flag, Mutex, MutexGuard, thread};
use crate::sync::{AtomicBool, AtomicUsize, Ordering};
use crate::user_code;

#[cfg(all(test, loom))]
mod models;

/// Who is to be woken.
#[derive(Clone)]
pub(crate) enum Waiter {
    /// A thread that sleeps in [`Parker::park`].
    Thread(Arc<Parker>),
    /// A waker of this library: of a poll, of a descriptor, of an I/O thread. It runs no code of the application, calls
    /// no socket, and takes no lock that a thread holds while it wakes.
    Ours(Waker),
    /// A task of the application's executor.
    Task(Waker),
}

impl Waiter {
    fn wake(self) {
        match self {
            Waiter::Thread(parker) => parker.unpark(),
            Waiter::Ours(waker) => waker.wake(),
            Waiter::Task(waker) => user_code::wake(waker),
        }
    }
}

/// One thread's place to sleep.
pub(crate) struct Parker {
    thread: thread::Thread,
    woken: Flag,
}

impl Parker {
    /// Creates a place for the calling thread.
    pub(crate) fn new() -> Arc<Parker> {
        Arc::new(Parker { thread: thread::current(), woken: Flag::new(false) })
    }

    /// Sleeps until unparked (`true`) or until the deadline (`false`).
    pub(crate) fn park(&self, deadline: Option<Instant>) -> bool {
        loop {
            if self.woken.swap(false, Ordering::SeqCst) {
                return true;
            }
            match deadline {
                #[cfg(simulate)]
                _ if simulated::goes_on(deadline) => {}
                #[cfg(simulate)]
                _ => return false,
                #[cfg(not(simulate))]
                None => thread::park(),
                #[cfg(not(simulate))]
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(clock::now());
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

/// A place to sleep in which file descriptors wake the thread, too.
pub(crate) struct FdParker {
    poll: Poll,
    events: Events,
    waker: Waker,
    /// A signal of the system ended a sleep, and nobody has asked yet.
    interrupted: bool,
}

/// The token of a [`FdParker`]'s own waker; descriptors are registered with smaller ones.
const WAKER: Token = Token(usize::MAX);

impl FdParker {
    /// Creates a place for one thread at a time.
    ///
    /// # Errors
    /// Returns an error if the system gives no descriptor.
    pub(crate) fn new() -> io::Result<FdParker> {
        let poll = Poll::new()?;
        let waker = Waker::from(Arc::new(PollWaker(mio::Waker::new(poll.registry(), WAKER)?)));
        Ok(FdParker { poll, events: Events::with_capacity(1), waker, interrupted: false })
    }

    /// Returns whether a signal of the system ended a sleep since this was last asked.
    pub(crate) fn take_interrupted(&mut self) -> bool {
        std::mem::take(&mut self.interrupted)
    }

    /// Returns where descriptors are registered.
    #[cfg(unix)]
    pub(crate) fn registry(&self) -> &mio::Registry {
        self.poll.registry()
    }

    /// Returns what there is to tell now of at most `count` descriptors. Does not wait.
    ///
    /// # Errors
    /// Returns an error if the poll itself is broken.
    pub(crate) fn look(&mut self, count: usize) -> io::Result<impl Iterator<Item = &mio::event::Event>> {
        if self.events.capacity() <= count {
            self.events = Events::with_capacity((count + 1).next_power_of_two());
        }
        loop {
            match self.poll.poll(&mut self.events, Some(Duration::ZERO)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        }
        Ok(self.events.iter().filter(|event| event.token() != WAKER))
    }
}

/// A poll's waker in the form that a [`Signal`] keeps.
struct PollWaker(mio::Waker);

impl Wake for PollWaker {
    fn wake(self: Arc<Self>) {
        // A poll that cannot be woken is broken, and tells its own thread.
        let _ = self.0.wake();
    }
}

/// Where a thread sleeps and how it is woken there.
pub(crate) trait Sleeper {
    /// Wakes this sleeper.
    fn waiter(&self) -> Waiter;

    /// Sleeps until woken (`true`, perhaps for nothing) or until the deadline (`false`).
    fn sleep(&mut self, deadline: Option<Instant>) -> bool;
}

impl Sleeper for Arc<Parker> {
    fn waiter(&self) -> Waiter {
        Waiter::Thread(Arc::clone(self))
    }

    fn sleep(&mut self, deadline: Option<Instant>) -> bool {
        self.park(deadline)
    }
}

impl Sleeper for FdParker {
    fn waiter(&self) -> Waiter {
        Waiter::Ours(self.waker.clone())
    }

    fn sleep(&mut self, deadline: Option<Instant>) -> bool {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(clock::now()));
        // A failure counts as a wake: whom a signal matters to asks for it, and a broken poll shows at the next look.
        if let Err(error) = self.poll.poll(&mut self.events, left) {
            self.interrupted |= error.kind() == io::ErrorKind::Interrupted;
        }
        deadline.is_none_or(|deadline| clock::now() < deadline)
    }
}

/// Returns the moment `limit` from now; `None`, which is never, beyond the clock's range.
pub(crate) fn after(limit: Duration) -> Option<Instant> {
    clock::now().checked_add(limit)
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

    /// Returns whether a task is registered already. (Latches register without a [`Place`], and a task may poll many futures of one.)
    fn knows(&self, waker: &Waker) -> bool {
        let same = |waiter: &Waiter| matches!(waiter, Waiter::Task(task) if task.will_wake(waker));
        self.list().waiters.iter().any(|(_, waiter)| same(waiter))
    }

    /// Keeps a waiter in its place, with another waker of its task. Returns `false` if it has been woken already.
    fn renew(&self, ticket: Ticket, mut waiter: Waiter) -> bool {
        let mut list = self.list();
        let place = list.waiters.iter_mut().find(|(other, _)| *other == ticket);
        let waits = place.map(|(_, kept)| std::mem::swap(kept, &mut waiter)).is_some();
        drop(list);
        // Not under the lock: the waker that is not kept is the application's.
        drop(waiter);
        waits
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

    /// Returns how many wait.
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

    /// Wakes everybody; returns how many that were.
    pub(crate) fn notify_all(&self) -> usize {
        if self.waiting() == 0 { 0 } else { self.wake_all() }
    }

    fn wake_all(&self) -> usize {
        let mut list = self.list();
        let waiters = std::mem::take(&mut list.waiters);
        self.waiting.store(0, Ordering::SeqCst);
        drop(list);
        let count = waiters.len();
        waiters.into_iter().for_each(|(_, waiter)| waiter.wake());
        count
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task's place at a [`Signal`], kept by a future from one poll to the next. Who has it calls [`Place::leave`] when it is
/// dropped.
#[derive(Debug, Default)]
pub(crate) struct Place(Option<Ticket>);

impl Place {
    /// Looks for what a task waits for, and registers the task if it is not there. By the rules of [`wait_with`]: the task is
    /// registered before the last look, and a wake that it does not use goes to the next waiter.
    pub(crate) fn poll<T>(
        &mut self,
        signal: &Signal,
        waker: &Waker,
        mut look: impl FnMut() -> Option<T>,
    ) -> TaskPoll<T> {
        // A task that has been woken uses its wake now.
        self.renew(signal, waker);
        let mut found = look();
        if found.is_none() && self.0.is_none() {
            self.register(signal, waker);
            found = look();
        }
        match found {
            Some(found) => {
                self.leave(signal);
                TaskPoll::Ready(found)
            }
            None => TaskPoll::Pending,
        }
    }

    /// Keeps the place, if the task has not been woken, with the present waker of the task.
    fn renew(&mut self, signal: &Signal, waker: &Waker) {
        self.0 = self.0.filter(|ticket| signal.renew(*ticket, Waiter::Task(waker.clone())));
    }

    /// Registers the task, unless it is there.
    fn register(&mut self, signal: &Signal, waker: &Waker) {
        self.0.get_or_insert_with(|| signal.register(Waiter::Task(waker.clone())));
    }

    /// Waits no longer: a wake that has come meanwhile goes to the next waiter.
    pub(crate) fn leave(&mut self, signal: &Signal) {
        if self.0.take().is_some_and(|ticket| signal.cancel(ticket)) {
            signal.notify_one();
        }
    }
}

/// A task's places at several signals. Who has them calls [`Places::leave`] when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Places(Vec<Place>);

impl Places {
    /// Registers the task at all signals, then looks. The signals are the same at each call.
    pub(crate) fn poll<'a, T>(
        &mut self,
        signals: impl Iterator<Item = &'a Signal> + Clone,
        waker: &Waker,
        look: impl FnOnce() -> Option<T>,
    ) -> TaskPoll<T> {
        self.0.resize_with(signals.clone().count(), Place::default);
        for (place, signal) in self.0.iter_mut().zip(signals.clone()) {
            place.renew(signal, waker);
            place.register(signal, waker);
        }
        match look() {
            Some(found) => {
                self.leave(signals);
                TaskPoll::Ready(found)
            }
            None => TaskPoll::Pending,
        }
    }

    /// Waits no longer at any of them.
    pub(crate) fn leave<'a>(&mut self, signals: impl Iterator<Item = &'a Signal>) {
        self.0.iter_mut().zip(signals).for_each(|(place, signal)| place.leave(signal));
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
        // This change is made under no lock. That of the list orders it with the looks of those who have registered.
        self.signal.wake_all();
    }

    /// Returns whether it has happened.
    pub(crate) fn is_open(&self) -> bool {
        self.done.load(Ordering::SeqCst)
    }

    /// Waits for it until the deadline; returns whether it has happened.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> bool {
        wait_until(&[&self.signal], deadline, || self.is_open().then_some(())).is_some()
    }

    /// For a future: registers the task, and returns whether it has happened.
    pub(crate) fn poll(&self, waker: &Waker) -> bool {
        if !self.is_open() && !self.signal.knows(waker) {
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
    wait_with(&mut Parker::new(), signals, deadline, |_| look())
}

/// Like [`wait_until`], asleep in `sleeper`, and without the first look: `look` is tried for the first time when the
/// signals are registered. Descriptors of an [`FdParker`] must be armed by `look`, as their events end a sleep.
pub(crate) fn wait_with<S: Sleeper, T>(
    sleeper: &mut S,
    signals: &[&Signal],
    deadline: Option<Instant>,
    mut look: impl FnMut(&mut S) -> Option<T>,
) -> Option<T> {
    loop {
        let tickets: Vec<Ticket> = signals.iter().map(|signal| signal.register(sleeper.waiter())).collect();
        let found = look(sleeper);
        let woken = found.is_none() && sleeper.sleep(deadline);
        for (signal, ticket) in signals.iter().zip(tickets) {
            // A wake that came although this call found what it wanted, or gave up, belongs to the next in line.
            if signal.cancel(ticket) && (found.is_some() || !woken) {
                signal.notify_one();
            }
        }
        match found {
            Some(found) => return Some(found),
            None if woken => {}
            None => {
                let found = look(sleeper);
                #[cfg(simulate)]
                simulated::note_late(found.is_some());
                return found;
            }
        }
    }
}

/// How the one thread of a simulation waits: everybody else goes on meanwhile.
#[cfg(simulate)]
pub(crate) mod simulated {
    use std::cell::{Cell, RefCell};
    use std::time::Instant;

    /// Lets somebody else take a step, at most up to a moment. Returns `false` if nobody has anything to do before it.
    pub(crate) type Step = Box<dyn FnMut(Option<Instant>) -> bool>;

    thread_local! {
        static STEP: RefCell<Option<Step>> = const { RefCell::new(None) };
        static LATE: Cell<u64> = const { Cell::new(0) };
    }

    /// Sets what others do while this thread waits.
    pub(crate) fn set_step(step: Option<Step>) {
        STEP.replace(step);
    }

    /// Others take a step. Returns `false` when the wait is over: at its deadline, or because nobody will ever end it.
    pub(super) fn goes_on(deadline: Option<Instant>) -> bool {
        if deadline.is_some_and(|deadline| crate::clock::now() >= deadline) {
            return false;
        }
        let Some(mut step) = STEP.take() else { return false };
        let went_on = step(deadline);
        STEP.replace(Some(step));
        went_on
    }

    /// A wait ended at its deadline. If what it waited for was there, its wake was lost.
    pub(super) fn note_late(found: bool) {
        LATE.set(LATE.get() + u64::from(found));
    }

    /// Returns how many wakes were lost since the last call.
    pub(crate) fn take_late() -> u64 {
        LATE.take()
    }
}

/// Like [`wait_until`]; where the caller has `parkers`, a signal of the system that arrives while the thread sleeps ends
/// the wait with [`Error::Interrupted`]. A parked thread does not hear of signals, one that sleeps in a poll does.
pub(crate) fn wait_interruptible<T>(
    parkers: Option<&Parkers>,
    signals: &[&Signal],
    deadline: Option<Instant>,
    mut look: impl FnMut() -> Option<T>,
) -> Option<Result<T, Error>> {
    if let Some(found) = look() {
        return Some(Ok(found));
    }
    // Without a descriptor to be had it is better to be deaf than not to wait.
    let Some((parkers, mut parker)) = parkers.and_then(|parkers| Some((parkers, parkers.take()?))) else {
        return wait_with(&mut Parker::new(), signals, deadline, |_| look()).map(Ok);
    };
    parker.take_interrupted();
    let found = wait_with(&mut parker, signals, deadline, |parker| match look() {
        Some(found) => Some(Ok(found)),
        None => parker.take_interrupted().then_some(Err(Error::Interrupted)),
    });
    parkers.give(parker);
    found
}

/// Places to sleep in a poll, kept from wait to wait: as many as threads have slept at one time.
#[derive(Default)]
pub(crate) struct Parkers(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    spare: Vec<FdParker>,
    closed: bool,
}

impl Parkers {
    /// Returns a place for the calling thread; `None` when the system gives none.
    fn take(&self) -> Option<FdParker> {
        let spare = self.kept().spare.pop();
        spare.or_else(|| FdParker::new().ok())
    }

    fn give(&self, parker: FdParker) {
        let mut kept = self.kept();
        if !kept.closed {
            kept.spare.push(parker);
        }
    }

    /// Keeps none any longer.
    #[cfg(feature = "face")]
    pub(crate) fn close(&self) {
        let mut kept = self.kept();
        kept.closed = true;
        kept.spare.clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A payload whose drop wakes the one that waits at a signal, and waits until it is awake.
    struct Payload(Arc<Signal>, FdParker, Arc<AtomicBool>);

    impl Drop for Payload {
        fn drop(&mut self) {
            self.0.notify_one();
            let woken = self.1.sleep(after(Duration::from_secs(60)));
            self.2.store(woken, Ordering::SeqCst);
        }
    }

    #[test]
    fn user_code_does_not_put_off_the_wake_of_a_poll() {
        let (signal, parker) = (Arc::new(Signal::default()), FdParker::new().unwrap());
        let woken = Arc::new(AtomicBool::new(false));
        signal.register(parker.waiter());
        user_code::free(Payload(signal, parker, Arc::clone(&woken)));
        assert!(woken.load(Ordering::SeqCst));
    }
}
