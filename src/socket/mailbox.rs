//! Mailboxes: what was put in is taken up by whoever holds the lock beside it, and nobody waits for that lock.
//!
//! Who puts something in then tries the lock ([`Mailbox::settle`]). Who holds it looks at the mailbox once more when it
//! has released it. So what came while the lock was held is seen by its holder, and what came after the holder's last
//! look finds the lock free.

use std::collections::VecDeque;
use std::sync::PoisonError;

use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering, fence};

/// What was put in and not taken up yet, oldest first.
pub(crate) struct Mailbox<N> {
    news: Mutex<VecDeque<N>>,
    full: AtomicBool,
}

impl<N> Default for Mailbox<N> {
    fn default() -> Mailbox<N> {
        Mailbox { news: Mutex::new(VecDeque::new()), full: AtomicBool::new(false) }
    }
}

impl<N> Mailbox<N> {
    pub(crate) fn put(&self, news: N) {
        let mut all = self.news();
        all.push_back(news);
        self.full.store(true, Ordering::SeqCst);
    }

    /// Returns whether something is in it.
    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.full.load(Ordering::SeqCst)
    }

    /// Takes the oldest piece.
    pub(crate) fn take(&self) -> Option<N> {
        let mut all = self.news();
        let oldest = all.pop_front();
        self.full.store(!all.is_empty(), Ordering::SeqCst);
        oldest
    }

    /// Enters with the lock that `try_lock` gets until the mailbox is empty, or somebody else holds the lock and looks
    /// here after releasing it. `enter` takes up what is in the mailbox and releases the lock. To be called after every
    /// [`Mailbox::put`], and after every release of the lock.
    #[inline]
    pub(crate) fn settle<G>(&self, mut try_lock: impl FnMut() -> Option<G>, mut enter: impl FnMut(G)) {
        // Between the lock and the look on both sides: of two that miss each other, one sees the other's news.
        fence(Ordering::SeqCst);
        while self.is_full() {
            let Some(state) = try_lock() else { return };
            enter(state);
            fence(Ordering::SeqCst);
        }
    }

    fn news(&self) -> MutexGuard<'_, VecDeque<N>> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, loom))]
mod models {
    use loom::sync::Arc;
    use loom::thread;

    use super::*;

    /// A socket as far as its lock and its mailbox go: the state is the sum of what was taken up.
    #[derive(Default)]
    struct Socket {
        state: Mutex<u32>,
        mailbox: Mailbox<u32>,
    }

    impl Socket {
        fn take_up(&self, mut state: MutexGuard<'_, u32>) {
            while let Some(news) = self.mailbox.take() {
                *state += news;
            }
        }

        fn settle(&self) {
            self.mailbox.settle(|| self.state.try_lock().ok(), |state| self.take_up(state));
        }

        /// As a thread of the application: it waits for the lock.
        fn enter(&self) {
            self.take_up(self.state.lock().unwrap());
            self.settle();
        }

        fn post(&self, news: u32) {
            self.mailbox.put(news);
            self.settle();
        }
    }

    fn after_all(threads: [fn(&Socket); 2]) -> u32 {
        let socket = Arc::new(Socket::default());
        let shared = Arc::clone(&socket);
        let other = thread::spawn(move || threads[0](&shared));
        threads[1](&socket);
        other.join().unwrap();
        let state = *socket.state.lock().unwrap();
        assert!(!socket.mailbox.is_full(), "news is left in the mailbox");
        state
    }

    #[test]
    fn news_that_comes_while_the_lock_is_held_is_taken_up() {
        loom::model(|| assert_eq!(after_all([|socket| socket.post(1), Socket::enter]), 1));
    }

    #[test]
    fn of_two_that_post_nobodys_news_is_lost() {
        loom::model(|| assert_eq!(after_all([|socket| socket.post(1), |socket| socket.post(2)]), 3));
    }

    #[test]
    fn one_posts_twice_beside_one_that_enters_twice() {
        let enters = |socket: &Socket| {
            socket.enter();
            socket.enter();
        };
        let posts = |socket: &Socket| {
            socket.post(1);
            socket.post(2);
        };
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(move || assert_eq!(after_all([posts, enters]), 3));
    }
}
