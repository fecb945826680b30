//! Waiting, in one place: application threads sleep here and nowhere else.
//!
//! A [`Signal`] is a list of waiters for one kind of change. A waiter registers first, then looks once more for the change, and
//! then sleeps. The thread that makes the change makes it first, and then notifies. The change and the look are made under the
//! same lock, mostly the socket's (a [`Latch`] needs none). So no wake is lost: the look finds the change, or the notification
//! finds the waiter. [`Signal::notify_one`] wakes one waiter. If that waiter does not use its wake, it passes it on;
//! [`Signal::cancel`] returns whether it was woken.
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
    /// A signal of the system has ended a sleep since the last [`FdParker::take_interrupted`].
    interrupted: bool,
}

/// The token of a [`FdParker`]'s own waker; descriptors are registered with smaller ones.
const WAKER: Token = Token(usize::MAX);

impl FdParker {
    /// Creates a place in which one thread at a time can sleep.
    ///
    /// # Errors
    /// Returns an error if there is no descriptor for it.
    pub(crate) fn new() -> io::Result<FdParker> {
        let poll = Poll::new()?;
        let waker = Waker::from(Arc::new(PollWaker(mio::Waker::new(poll.registry(), WAKER)?)));
        Ok(FdParker { poll, events: Events::with_capacity(1), waker, interrupted: false })
    }

    /// Returns whether a signal of the system has ended a sleep since the last call.
    pub(crate) fn take_interrupted(&mut self) -> bool {
        std::mem::take(&mut self.interrupted)
    }

    /// Returns where descriptors are registered.
    #[cfg(unix)]
    pub(crate) fn registry(&self) -> &mio::Registry {
        self.poll.registry()
    }

    /// Returns the events that the registered descriptors have now. `count` is the number of these descriptors. Does not wait.
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
        // If this fails, the poll is broken, and its next use returns the error to its own thread.
        let _ = self.0.wake();
    }
}

/// Where a thread sleeps and how it is woken there.
pub(crate) trait Sleeper {
    /// Returns a waiter that wakes this sleeper.
    fn waiter(&self) -> Waiter;

    /// Sleeps until woken (`true`) or until the deadline (`false`). It may return `true` without a wake.
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
        // A failure counts as a wake. A caller that ends at a signal calls `take_interrupted`; if the poll is broken, its next
        // look returns the error.
        if let Err(error) = self.poll.poll(&mut self.events, left) {
            self.interrupted |= error.kind() == io::ErrorKind::Interrupted;
        }
        deadline.is_none_or(|deadline| clock::now() < deadline)
    }
}

/// Returns the moment `limit` from now. Returns `None`, which means never, if the clock cannot represent it.
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

    /// Returns whether a task is registered already. A [`Latch`] needs this: it registers tasks without a [`Place`], and a task
    /// may poll many futures of one latch.
    fn knows(&self, waker: &Waker) -> bool {
        let same = |waiter: &Waiter| matches!(waiter, Waiter::Task(task) if task.will_wake(waker));
        self.list().waiters.iter().any(|(_, waiter)| same(waiter))
    }

    /// Replaces a waiter by one with another waker of the same task, in the same place of the list. Returns `false` if the waiter
    /// has been woken already.
    fn renew(&self, ticket: Ticket, mut waiter: Waiter) -> bool {
        let mut list = self.list();
        let place = list.waiters.iter_mut().find(|(other, _)| *other == ticket);
        let waits = place.map(|(_, kept)| std::mem::swap(kept, &mut waiter)).is_some();
        drop(list);
        // Without the lock, because the drop of a waker is code of the application.
        drop(waiter);
        waits
    }

    /// Removes a waiter. Returns `true` if it had been woken already; if the caller does not use that wake, it must pass it on.
    pub(crate) fn cancel(&self, ticket: Ticket) -> bool {
        let mut list = self.list();
        let at = list.waiters.iter().position(|(t, _)| *t == ticket);
        let waiter = at.map(|at| list.waiters.remove(at));
        self.waiting.store(list.waiters.len(), Ordering::SeqCst);
        drop(list);
        waiter.is_none()
    }

    /// Returns the number of waiters.
    #[inline]
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    /// Wakes the waiter that has waited longest. Returns `false` if there is none.
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

    /// Wakes all waiters. Returns how many there were.
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

/// A task's place at a [`Signal`]. A future keeps it from one poll to the next, and calls [`Place::leave`] when the future is
/// dropped.
#[derive(Debug, Default)]
pub(crate) struct Place(Option<Ticket>);

impl Place {
    /// Calls `look`. If it returns `None`, registers the task and calls `look` once more. As in [`wait_with`], the task is
    /// registered before the last look, and passes on a wake that it does not use.
    pub(crate) fn poll<T>(
        &mut self,
        signal: &Signal,
        waker: &Waker,
        mut look: impl FnMut() -> Option<T>,
    ) -> TaskPoll<T> {
        // If the task has been woken, this removes its ticket: this poll uses the wake.
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

    /// Stores the present waker of the task in its place. If the task has been woken, it has no place any more.
    fn renew(&mut self, signal: &Signal, waker: &Waker) {
        self.0 = self.0.filter(|ticket| signal.renew(*ticket, Waiter::Task(waker.clone())));
    }

    /// Registers the task, unless it is registered already. Check the condition after this call: a change before it
    /// wakes nobody.
    pub(crate) fn register(&mut self, signal: &Signal, waker: &Waker) {
        self.0.get_or_insert_with(|| signal.register(Waiter::Task(waker.clone())));
    }

    /// Gives up the place. If the task has been woken meanwhile, wakes the next waiter.
    pub(crate) fn leave(&mut self, signal: &Signal) {
        if self.0.take().is_some_and(|ticket| signal.cancel(ticket)) {
            signal.notify_one();
        }
    }
}

/// A task's places at several signals. A future keeps them, and calls [`Places::leave`] when the future is dropped.
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

    /// Gives up all places.
    pub(crate) fn leave<'a>(&mut self, signals: impl Iterator<Item = &'a Signal>) {
        self.0.iter_mut().zip(signals).for_each(|(place, signal)| place.leave(signal));
    }
}

/// Yields to other threads during a wait that ends at `end` at the latest. Returns `false` if the wait is over: in a
/// simulation, when `end` has come or no step is left that could end it. Otherwise returns `true`.
pub(crate) fn give_way(end: Instant) -> bool {
    #[cfg(simulate)]
    return simulated::goes_on(Some(end));
    #[cfg(not(simulate))]
    {
        let _ = end;
        std::thread::yield_now();
        true
    }
}

/// Something that happens once and that threads and tasks wait for.
#[derive(Default)]
pub(crate) struct Latch {
    done: AtomicBool,
    signal: Signal,
}

impl Latch {
    /// Notes that it has happened, and wakes all waiters.
    pub(crate) fn open(&self) {
        self.done.store(true, Ordering::SeqCst);
        // No lock guards `done`, so this takes the lock of the list even if nobody seems to wait. A waiter that has registered
        // before is woken; one that registers later finds `done`.
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

    /// Returns whether it has happened. If it has not, registers the task, which is woken then.
    pub(crate) fn poll(&self, waker: &Waker) -> bool {
        if !self.is_open() && !self.signal.knows(waker) {
            self.signal.register(Waiter::Task(waker.clone()));
        }
        self.is_open()
    }
}

/// Sleeps until `look` returns something or the deadline passes. Calls `look` at the beginning, after every wake by one of the
/// signals, and once more at the end. All blocking calls share this loop.
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

/// Like [`wait_until`], but sleeps in `sleeper`, and calls `look` for the first time after it has registered at the signals. If
/// the sleeper is an [`FdParker`], each `look` must register its descriptors again, so that their next events end the sleep.
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
            // If this call has found something, or gives up, it does not use its wake, and passes it on.
            if signal.cancel(ticket) && (found.is_some() || !woken) {
                signal.notify_one();
            }
        }
        if found.is_some() {
            return found;
        }
        // It looks before it registers anew, so that its own call does not wake it: a turn that is taken wakes everybody.
        let found = look(sleeper);
        #[cfg(simulate)]
        simulated::note_late(found.is_some() && !woken);
        if found.is_some() || !woken {
            return found;
        }
    }
}

/// Waiting in a simulation, which has one thread: a wait runs the other parts of the simulation.
#[cfg(simulate)]
pub(crate) mod simulated {
    use std::cell::{Cell, RefCell};
    use std::time::Instant;

    /// Runs one step of the other parts of the simulation. Returns `false` if there is none up to this moment.
    pub(crate) type Step = Box<dyn FnMut(Option<Instant>) -> bool>;

    /// How others go on while a call has its socket's lock.
    #[derive(Clone, Copy)]
    pub(crate) struct Hold {
        /// How many steps they take, until this moment at the latest.
        pub(crate) steps: u32,
        pub(crate) until: Instant,
        /// Whether the call has acted already.
        pub(crate) acted: bool,
    }

    thread_local! {
        static STEP: RefCell<Option<Step>> = const { RefCell::new(None) };
        static LATE: Cell<u64> = const { Cell::new(0) };
        static HOLD: Cell<Option<Hold>> = const { Cell::new(None) };
        static HELD: Cell<Option<u64>> = const { Cell::new(None) };
    }

    /// Sets what the next call does that takes the lock of a socket.
    pub(crate) fn set_hold(hold: Option<Hold>) {
        HOLD.set(hold);
    }

    /// Returns what others do now, if the call that has `acted` or not is the one that was meant.
    pub(crate) fn take_hold(acted: bool) -> Option<Hold> {
        let hold = HOLD.get().filter(|hold| hold.acted == acted);
        hold.inspect(|_| HOLD.set(None))
    }

    /// Lets others go on while a call has the lock of this socket.
    pub(crate) fn hold(socket: u64, hold: Hold) {
        HELD.set(Some(socket));
        let mut steps = 0..hold.steps;
        while steps.next().is_some() && goes_on(Some(hold.until)) {}
        HELD.set(None);
    }

    /// Returns whether a call has the lock of this socket meanwhile.
    pub(crate) fn is_held(socket: u64) -> bool {
        HELD.get() == Some(socket)
    }

    /// Sets the step that runs while this thread waits.
    pub(crate) fn set_step(step: Option<Step>) {
        STEP.replace(step);
    }

    /// Runs one step. Returns `false` if the wait is over: at its deadline, or if no step is left that could end it.
    pub(super) fn goes_on(deadline: Option<Instant>) -> bool {
        if deadline.is_some_and(|deadline| crate::clock::now() >= deadline) {
            return false;
        }
        let Some(mut step) = STEP.take() else { return false };
        let went_on = step(deadline);
        STEP.replace(Some(step));
        went_on
    }

    /// Notes the end of a wait at its deadline. If the last look `found` what it waited for, its wake was lost.
    pub(super) fn note_late(found: bool) {
        LATE.set(LATE.get() + u64::from(found));
    }

    /// Returns how many wakes were lost since the last call.
    pub(crate) fn take_late() -> u64 {
        LATE.take()
    }
}

/// Like [`wait_until`]. If there are `parkers`, the thread sleeps in a poll, and a signal of the system that arrives then ends the
/// wait with [`Error::Interrupted`]. Signals end the sleep in a poll, and not that of a parked thread.
pub(crate) fn wait_interruptible<T>(
    parkers: Option<&Parkers>,
    signals: &[&Signal],
    deadline: Option<Instant>,
    mut look: impl FnMut() -> Option<T>,
) -> Option<Result<T, Error>> {
    if let Some(found) = look() {
        return Some(Ok(found));
    }
    // If there is no descriptor for a poll, the thread parks instead. A signal does not end that wait.
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

/// The places to sleep in a poll, which are kept for later waits. There are as many as threads have slept in them at one time.
#[derive(Default)]
pub(crate) struct Parkers(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    spare: Vec<FdParker>,
    closed: bool,
}

impl Parkers {
    /// Returns a place for the calling thread, or `None` if there is no descriptor for it.
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

    /// Closes the kept places, and keeps none from now on.
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
