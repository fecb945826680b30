//! The threads of a context, and the wait for their end.
//!
//! A thread has ended when it has released all that it held, its descriptors included, and the system counts it no
//! longer: what may only be done in a process of one thread, such as `unshare(CLONE_NEWUSER)`, can be done then.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use crate::clock;
use crate::signal::{Latch, Parker, after};

/// The threads of one context.
#[derive(Default)]
pub(crate) struct Threads(Mutex<Vec<Arc<Running>>>);

/// What a thread of a context is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An I/O thread. A call on it never waits.
    Io,
    /// A thread that runs other code, which may wait.
    Other,
}

/// Set while a thread asks code of the application. Such code may take as long as it likes: the end of a context does not
/// wait for it, only for its drop.
pub(crate) type InUserCode = Arc<AtomicBool>;

/// One thread.
pub(crate) struct Running {
    id: ThreadId,
    kind: Kind,
    in_user_code: InUserCode,
    /// Opens when the thread has released everything.
    pub(crate) done: Arc<Latch>,
    handle: Mutex<Option<JoinHandle<()>>>,
    /// Where the system lists the thread while it counts it.
    listed: Arc<Mutex<Option<std::path::PathBuf>>>,
    /// The process that has the thread; a child of fork does not.
    process: u32,
}

/// Opens its latch when it is dropped, also by a panic.
struct OpenAtEnd(Arc<Latch>);

impl Drop for OpenAtEnd {
    fn drop(&mut self) {
        self.0.open();
    }
}

impl Threads {
    /// Starts a thread.
    ///
    /// # Errors
    /// Returns an error if the system gives no thread.
    pub(crate) fn spawn(
        &self,
        name: &str,
        kind: Kind,
        code: impl FnOnce(&InUserCode) + Send + 'static,
    ) -> io::Result<Arc<Running>> {
        let (done, listed) = <(Arc<Latch>, Arc<Mutex<_>>)>::default();
        let in_user_code = InUserCode::default();
        let shared = Arc::clone(&in_user_code);
        let end = OpenAtEnd(Arc::clone(&done));
        let place = Arc::clone(&listed);
        // Locked until the thread is in the list: it may ask at once whether it is.
        let mut list = self.list();
        let handle = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _end = end;
            *place.lock().unwrap_or_else(PoisonError::into_inner) = place_of_this_thread();
            code(&shared);
        })?;
        // Those that are over are few and have nothing left to do.
        list.retain(|running| {
            let over = running.done.is_open();
            if over {
                running.join();
            }
            !over
        });
        let (id, handle) = (handle.thread().id(), Mutex::new(Some(handle)));
        let running =
            Arc::new(Running { id, kind, in_user_code, done, handle, listed, process: std::process::id() });
        list.push(Arc::clone(&running));
        Ok(running)
    }

    /// Returns whether the calling thread is an I/O thread of the context.
    pub(crate) fn is_io_thread(&self) -> bool {
        let this = thread::current().id();
        self.list().iter().any(|running| running.id == this && running.kind == Kind::Io)
    }

    /// Waits until all of them have ended but those that run code of the application. They must have been told to end.
    /// Returns whether they have. One of them does not wait for the others.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> bool {
        self.all_ended(|running| running.done.wait(deadline))
    }

    /// For a future: registers the task, and returns whether all of them have ended.
    pub(crate) fn poll(&self, waker: &Waker) -> bool {
        self.all_ended(|running| running.done.poll(waker))
    }

    fn all_ended(&self, has_ended: impl Fn(&Running) -> bool) -> bool {
        let all = self.others();
        // I/O threads first: without them there is no connection, so no authenticator is asked any more.
        let (io, other): (Vec<_>, Vec<_>) = all.iter().partition(|running| running.kind == Kind::Io);
        let ended = io.iter().all(|running| has_ended(running))
            && other.iter().all(|running| running.in_user_code.load(Ordering::SeqCst) || has_ended(running));
        if ended {
            all.iter().filter(|running| running.done.is_open()).for_each(|running| running.join());
        }
        ended
    }

    /// Returns all of them; none where the calling thread is one of them.
    fn others(&self) -> Vec<Arc<Running>> {
        let (list, this) = (self.list(), thread::current().id());
        if list.iter().any(|running| running.id == this) { Vec::new() } else { list.clone() }
    }

    fn list(&self) -> MutexGuard<'_, Vec<Arc<Running>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The system goes on counting a joined thread for a moment; longer than this only where that moment never comes.
const LONGEST_MOMENT: Duration = Duration::from_secs(1);
const LOOK_AGAIN: Duration = Duration::from_micros(20);

impl Running {
    /// Joins a thread that is `done`, and waits until the system no longer counts it.
    pub(crate) fn join(&self) {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A panic was printed by its hook.
        handle.into_iter().for_each(|handle| drop(handle.join()));
        let listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((listed, deadline)) = listed.zip(after(LONGEST_MOMENT)) else { return };
        while listed.exists() && clock::now() < deadline {
            Parker::new().park(after(LOOK_AGAIN));
        }
    }
}

impl Drop for Running {
    /// In a child of fork there is no such thread that could be detached.
    fn drop(&mut self) {
        if self.process != std::process::id() {
            let handle = self.handle.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(handle.take());
        }
    }
}

/// `/proc/PID/task/TID` of the calling thread. pthread_join returns before the kernel has taken the thread out of there.
#[cfg(target_os = "linux")]
fn place_of_this_thread() -> Option<std::path::PathBuf> {
    let path = std::fs::read_link("/proc/thread-self").ok()?;
    Some(std::path::Path::new("/proc").join(path))
}

#[cfg(not(target_os = "linux"))]
fn place_of_this_thread() -> Option<std::path::PathBuf> {
    None
}
