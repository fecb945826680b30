//! Waiting under the model checker: a wake that is lost is a deadlock there.

use loom::thread;

use super::*;

/// Things that can be taken, and the signals of those who wait for one.
#[derive(Default)]
struct Store {
    things: Mutex<u32>,
    signal: Signal,
    /// The signal of another kind of change, which never comes.
    other: Signal,
    opened: Latch,
}

impl Store {
    fn take(&self) -> Option<()> {
        let mut things = self.things.lock().unwrap();
        let found = *things > 0;
        *things -= u32::from(found);
        found.then_some(())
    }

    /// Adds a thing. Every change is made so: under the lock, and then one waiter is woken.
    fn put(&self) {
        *self.things.lock().unwrap() += 1;
        self.signal.notify_one();
    }

    fn wait(&self) {
        wait_until(&[&self.signal], None, || self.take()).unwrap();
    }

    /// Waits, and registers before it looks for the first time.
    fn wait_in_line(&self) {
        wait_with(&mut Parker::new(), &[&self.signal], None, |_| self.take()).unwrap();
    }

    /// Waits until a moment that has passed, and puts back what it finds.
    fn try_for_a_while(&self) {
        if wait_until(&[&self.signal], Some(clock::now()), || self.take()).is_some() {
            self.put();
        }
    }
}

/// A task's executor is the thread that polls it.
struct Polling(Arc<Parker>);

impl Wake for Polling {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn waker(parker: &Arc<Parker>) -> Waker {
    Waker::from(Arc::new(Polling(Arc::clone(parker))))
}

/// Polls until it is ready.
fn drive(parker: &Parker, mut poll: impl FnMut() -> bool) {
    while !poll() {
        parker.park(None);
    }
}

impl Store {
    fn poll(&self, place: &mut Place, waker: &Waker) -> bool {
        place.poll(&self.signal, waker, || self.take()).is_ready()
    }

    fn wait_as_task(&self) {
        let (mut place, parker) = (Place::default(), Parker::new());
        drive(&parker, || self.poll(&mut place, &waker(&parker)));
    }

    /// Waits as a task that is polled once more although nobody has woken it.
    fn wait_as_restless_task(&self) {
        let (mut place, parker) = (Place::default(), Parker::new());
        if !self.poll(&mut place, &waker(&parker)) {
            drive(&parker, || self.poll(&mut place, &waker(&parker)));
        }
    }

    /// Waits as a task that moves to another executor; the first is gone.
    fn wait_as_task_that_moves(&self) {
        let (mut place, parker) = (Place::default(), Parker::new());
        if !self.poll(&mut place, Waker::noop()) {
            drive(&parker, || self.poll(&mut place, &waker(&parker)));
        }
    }

    fn wait_as_task_for_two_kinds(&self) {
        let (mut places, parker) = (Places::default(), Parker::new());
        let signals = [&self.other, &self.signal];
        drive(&parker, || places.poll(signals.into_iter(), &waker(&parker), || self.take()).is_ready());
    }

    /// Drops a future that was polled, and puts back what it found.
    fn poll_and_drop(&self) {
        let mut place = Place::default();
        if self.poll(&mut place, Waker::noop()) {
            self.put();
        }
        place.leave(&self.signal);
    }
}

/// Runs these at once, the last one on the model's own thread, until each has ended.
fn together<const N: usize>(preemptions: usize, things: u32, threads: [fn(&Store); N], own: fn(&Store)) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(preemptions);
    model.check(move || {
        let store = Arc::new(Store { things: Mutex::new(things), ..Store::default() });
        let others = threads.map(|run| {
            let store = Arc::clone(&store);
            thread::spawn(move || run(&store))
        });
        own(&store);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!((store.signal.waiting(), store.other.waiting()), (0, 0), "everybody has left");
    });
}

#[test]
fn a_waiter_is_woken() {
    together(4, 0, [Store::wait], Store::put);
}

#[test]
fn each_of_two_waiters_is_woken_by_one_of_two() {
    together(2, 0, [Store::wait, Store::wait], |store| {
        store.put();
        store.put();
    });
}

#[test]
fn a_waiter_that_finds_something_by_itself_passes_its_wake_on() {
    together(3, 1, [Store::wait_in_line, Store::wait_in_line], Store::put);
}

#[test]
fn a_waiter_that_gives_up_takes_nobodys_wake_along() {
    together(3, 0, [Store::wait, Store::try_for_a_while], Store::put);
}

#[test]
fn a_task_is_woken() {
    together(4, 0, [Store::wait_as_task], Store::put);
    together(4, 0, [Store::wait_as_task_for_two_kinds], Store::put);
}

#[test]
fn a_task_that_moves_is_woken_where_it_is() {
    together(4, 0, [Store::wait_as_task_that_moves], Store::put);
}

#[test]
fn a_task_and_a_thread_are_each_woken_by_one_of_two() {
    together(2, 0, [Store::wait_as_task, Store::wait], |store| {
        store.put();
        store.put();
    });
}

#[test]
fn a_task_that_is_polled_without_a_wake_misses_none() {
    together(3, 0, [Store::wait_as_restless_task, Store::wait_in_line], |store| {
        store.put();
        store.put();
    });
}

#[test]
fn a_future_that_is_dropped_passes_its_wake_on() {
    together(3, 0, [Store::poll_and_drop, Store::wait], Store::put);
    together(3, 0, [Store::poll_and_drop, Store::wait_as_task], Store::put);
}

#[test]
fn a_latch_releases_those_who_wait_and_those_who_come_late() {
    let wait = |store: &Store| assert!(store.opened.wait(None));
    together(4, 0, [wait, wait], |store| store.opened.open());
}

#[test]
fn a_latch_releases_a_task() {
    let wait = |store: &Store| {
        let parker = Parker::new();
        drive(&parker, || store.opened.poll(&waker(&parker)));
    };
    together(4, 0, [wait], |store| store.opened.open());
}
