//! Waiting under the model checker: a wake that is lost is a deadlock there.

use loom::sync::Arc;
use loom::thread;

use super::*;

/// Things to take, and those who wait for one.
#[derive(Default)]
struct Store {
    things: Mutex<u32>,
    signal: Signal,
    opened: Latch,
}

impl Store {
    fn take(&self) -> Option<()> {
        let mut things = self.things.lock().unwrap();
        let found = *things > 0;
        *things -= u32::from(found);
        found.then_some(())
    }

    /// As every change: under the lock, then one wake.
    fn put(&self) {
        *self.things.lock().unwrap() += 1;
        self.signal.notify_one();
    }

    fn wait(&self) {
        wait_until(&[&self.signal], None, || self.take()).unwrap();
    }

    /// Waits, and registers before the first look.
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
        assert_eq!(store.signal.waiting(), 0, "everybody has left");
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
fn a_latch_lets_go_who_waits_and_who_comes_late() {
    let wait = |store: &Store| assert!(store.opened.wait(None));
    together(4, 0, [wait, wait], |store| store.opened.open());
}
