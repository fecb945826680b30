//! Whether an I/O thread must be woken for an order, and whether it still takes any.
//!
//! Who sends an order puts it in the queue, then rings. The thread announces its sleep, then looks at the queue once
//! more; it leaves, then looks at the queue once more. So an order is seen by one of the two.

use crate::sync::{AtomicBool, Ordering, fence};

/// The state of one I/O thread, as those who send it orders see it.
#[derive(Default)]
pub(super) struct Doorbell {
    /// It takes no more orders.
    left: AtomicBool,
    /// It is in its poll, or about to be, and must be woken to see an order.
    asleep: AtomicBool,
}

/// Where the thread is for one that has put an order in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// Nothing: the thread is awake and looks at the queue before it sleeps.
    Awake,
    /// The thread is to be woken. This is returned once for each sleep.
    Asleep,
    /// The thread has left: whoever rings carries out what is in the queue.
    Left,
}

impl Doorbell {
    /// To be called when the order is in the queue.
    pub(super) fn ring(&self) -> Presence {
        fence(Ordering::SeqCst);
        if self.left.load(Ordering::SeqCst) {
            Presence::Left
        } else if self.asleep.swap(false, Ordering::SeqCst) {
            Presence::Asleep
        } else {
            Presence::Awake
        }
    }

    /// Announces that the thread sleeps, or that it is awake. Before it sleeps it must look at the queue after this.
    pub(super) fn set_asleep(&self, asleep: bool) {
        self.asleep.store(asleep, Ordering::SeqCst);
    }

    /// Returns whether the next order wakes the thread.
    #[cfg(simulate)]
    pub(super) fn is_asleep(&self) -> bool {
        self.asleep.load(Ordering::SeqCst)
    }

    /// Announces that the thread takes no more orders. It must look at the queue after this.
    pub(super) fn leave(&self) {
        self.left.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
    }
}

#[cfg(all(test, loom))]
mod models {
    use loom::sync::Arc;
    use loom::thread;

    use super::*;
    use crate::sync::Mutex;

    /// An I/O thread: its queue, as the number of orders, and how many were carried out.
    #[derive(Default)]
    struct Link {
        queue: Mutex<u32>,
        done: Mutex<u32>,
        bell: Doorbell,
    }

    impl Link {
        fn send(&self) -> Presence {
            *self.queue.lock().unwrap() += 1;
            let presence = self.bell.ring();
            if presence == Presence::Left {
                self.carry_out();
            }
            presence
        }

        fn carry_out(&self) {
            let orders = std::mem::take(&mut *self.queue.lock().unwrap());
            *self.done.lock().unwrap() += orders;
        }

        /// As `Reactor::timeout`: announces the sleep, then looks at the queue once more. Returns whether it sleeps.
        fn sleeps(&self) -> bool {
            self.bell.set_asleep(true);
            *self.queue.lock().unwrap() == 0
        }
    }

    #[test]
    fn a_thread_that_sleeps_is_woken_by_exactly_one_of_two_that_ring() {
        loom::model(|| {
            let link = Arc::new(Link::default());
            let other = Arc::clone(&link);
            let sender = thread::spawn(move || [other.send(), other.send()]);
            let sleeps = link.sleeps();
            let rung = sender.join().unwrap();
            let wakes = rung.iter().filter(|presence| **presence == Presence::Asleep).count();
            assert!(wakes <= 1 && (wakes == 1 || !sleeps), "sleeps: {sleeps}, woken {wakes} times");
        });
    }

    #[test]
    fn an_order_to_a_thread_that_leaves_is_carried_out_by_one_of_the_two() {
        loom::model(|| {
            let link = Arc::new(Link::default());
            let other = Arc::clone(&link);
            let sender = thread::spawn(move || other.send());
            link.bell.leave();
            link.carry_out();
            sender.join().unwrap();
            assert_eq!(*link.done.lock().unwrap(), 1);
        });
    }
}
