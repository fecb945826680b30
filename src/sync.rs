//! The synchronisation types of the code that the model checker runs. Under `--cfg loom`, the checker's types replace those
//! of std.

#[cfg(not(loom))]
pub(crate) use std::{
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering, fence},
    },
    thread_local,
};

#[cfg(loom)]
pub(crate) use checked::{Mutex, MutexGuard};
#[cfg(loom)]
pub(crate) use local::of_each_thread as thread_local;
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

/// Loom's thread-local values. All threads of a model are one thread of the system, and would share std's.
#[cfg(loom)]
mod local {
    macro_rules! of_each_thread {
        ($(#[$attribute:meta])* static $name:ident: $type:ty = const $value:block;) => {
            loom::thread_local! { $(#[$attribute])* static $name: $type = $value; }
        };
    }

    pub(crate) use of_each_thread;
}

/// A mutex that other threads of a model can find locked. Loom runs no other thread between the lock and the release of its
/// own mutex, so its `try_lock` would never fail. This one has a flag, as std's has: the flag says whether the mutex is
/// locked, and orders what the threads read and write.
#[cfg(loom)]
mod checked {
    use std::ops::{Deref, DerefMut};
    use std::sync::{LockResult, PoisonError, TryLockError, TryLockResult};

    use loom::sync::atomic::{AtomicBool, Ordering};

    #[derive(Default)]
    pub(crate) struct Mutex<T> {
        held: AtomicBool,
        inner: loom::sync::Mutex<T>,
    }

    pub(crate) struct MutexGuard<'a, T> {
        held: &'a AtomicBool,
        /// `None` once it is dropped.
        inner: Option<loom::sync::MutexGuard<'a, T>>,
    }

    impl<T> Mutex<T> {
        pub(crate) fn new(state: T) -> Mutex<T> {
            Mutex { held: AtomicBool::new(false), inner: loom::sync::Mutex::new(state) }
        }

        pub(crate) fn try_lock(&self) -> TryLockResult<MutexGuard<'_, T>> {
            if self.held.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
                return Err(TryLockError::WouldBlock);
            }
            let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(MutexGuard { held: &self.held, inner: Some(inner) })
        }

        pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            loop {
                if let Ok(guard) = self.try_lock() {
                    return Ok(guard);
                }
                loom::thread::yield_now();
            }
        }
    }

    impl<T> Drop for MutexGuard<'_, T> {
        fn drop(&mut self) {
            self.inner = None;
            self.held.store(false, Ordering::Release);
        }
    }

    impl<T> Deref for MutexGuard<'_, T> {
        type Target = T;

        fn deref(&self) -> &T {
            self.inner.as_ref().unwrap()
        }
    }

    impl<T> DerefMut for MutexGuard<'_, T> {
        fn deref_mut(&mut self) -> &mut T {
            self.inner.as_mut().unwrap()
        }
    }
}

/// What `signal` waits with. Two of loom's types allow what std's do not, so others stand for them in a model:
///
/// - loom's `swap` may return an older value that the same thread wrote, although another thread has stored a newer one and
///   the two have synchronised since (tokio-rs/loom#254). The flag here is a mutex.
/// - loom's `park` loses a wake that comes while the thread waits for a lock (tokio-rs/loom#249). Here, a thread waits on a
///   condition variable.
///
/// The mutex is loom's own, because `signal` never calls `try_lock`.
pub(crate) mod waiting {
    #[cfg(not(loom))]
    pub(crate) use std::{
        sync::{Mutex, MutexGuard, atomic::AtomicBool},
        thread,
    };

    #[cfg(loom)]
    pub(crate) use loom::sync::{Mutex, MutexGuard};

    #[cfg(loom)]
    pub(crate) struct AtomicBool(Mutex<bool>);

    #[cfg(loom)]
    impl AtomicBool {
        pub(crate) fn new(value: bool) -> AtomicBool {
            AtomicBool(Mutex::new(value))
        }

        pub(crate) fn store(&self, value: bool, _: super::Ordering) {
            *self.0.lock().unwrap() = value;
        }

        pub(crate) fn swap(&self, value: bool, _: super::Ordering) -> bool {
            std::mem::replace(&mut *self.0.lock().unwrap(), value)
        }
    }

    #[cfg(loom)]
    pub(crate) mod thread {
        use std::sync::Arc;
        use std::time::Duration;

        use loom::sync::{Condvar, Mutex};

        /// Whether the thread was woken since it last slept.
        #[derive(Default)]
        struct Token {
            woken: Mutex<bool>,
            changed: Condvar,
        }

        loom::thread_local! {
            static TOKEN: Arc<Token> = Arc::default();
        }

        pub(crate) struct Thread(Arc<Token>);

        impl Thread {
            pub(crate) fn unpark(&self) {
                *self.0.woken.lock().unwrap() = true;
                self.0.changed.notify_one();
            }
        }

        pub(crate) fn current() -> Thread {
            TOKEN.with(|token| Thread(Arc::clone(token)))
        }

        pub(crate) fn park() {
            let Thread(token) = current();
            let mut woken = token.woken.lock().unwrap();
            while !std::mem::take(&mut *woken) {
                woken = token.changed.wait(woken).unwrap();
            }
        }

        /// A model has no time: a sleep with an end is over at once.
        pub(crate) fn park_timeout(_: Duration) {}
    }
}
