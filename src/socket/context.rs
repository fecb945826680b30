//! The part of a context that its sockets and I/O threads know (libzmq ctx.cpp).

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zeroxide_patterns::AnyPattern;
use zeroxide_transports::inproc::Names;
use zeroxide_zmtp::SocketType;

use super::authorities::Authorities;
use super::base::SocketBase;
use super::inproc::{Binder, Waiting};
use super::orders::{IoThread, Order};
use crate::error::{Error, Op, Result};
use crate::options::{ContextOptions, Values};
use crate::random::{ByNumber, Random};
use crate::signal::{Parkers, Signal, after};
use crate::threads::Threads;
use crate::user_code;

/// The inproc name of the ZAP handler (RFC 27).
pub(crate) const ZAP_HANDLER: &str = "zeromq.zap.01";

/// If ContextOptions::linger is `None`, the drop of the last handle of a context waits at most so long for the threads. They
/// wait one second for peers to read (`io/half_closed`), but code of the application that they run may take longer.
const LONGEST_END: Duration = Duration::from_secs(2);

/// Starts an I/O thread with this name.
pub(crate) type Start = fn(&str, &Arc<ContextBase>, Random) -> io::Result<IoThread>;

/// What all handles of a context share. Its drop ends the context.
pub(crate) struct ContextHandle {
    pub(crate) base: Arc<ContextBase>,
}

/// The part of a context that its sockets and I/O threads know.
pub(crate) struct ContextBase {
    pub(crate) options: ContextOptions,
    /// The longest lead of a waiting thread (`socket/lead`, [`ContextOptions::spin`]).
    pub(super) spin: Duration,
    start: Start,
    /// The names bound over inproc, and the connects that wait for one.
    pub(crate) names: Names<Binder, Waiting>,
    /// Whether a ZAP handler was ever bound.
    had_zap_handler: AtomicBool,
    /// The authenticators.
    pub(crate) authorities: Authorities,
    ids: AtomicU64,
    ended: AtomicBool,
    /// The process that made it: a fork child must not touch its threads.
    process: u32,
    /// The I/O threads, and the other ones that end with the context.
    pub(crate) threads: Threads,
    /// The polls in which application threads sleep so that a signal of the system wakes them (C library).
    pub(crate) parkers: Parkers,
    tables: Mutex<Tables>,
    /// Notified when the last socket is forgotten.
    pub(crate) emptied: Signal,
}

/// Smaller numbers are tokens of the reactor itself.
const FIRST_ID: u64 = 2;

struct Tables {
    /// Every socket that is open or lingers.
    sockets: ByNumber<Arc<SocketBase>>,
    reactors: Vec<(IoThread, usize)>,
    random: Random,
}

impl Drop for ContextHandle {
    fn drop(&mut self) {
        let base = &self.base;
        if base.is_forked() {
            return;
        }
        let sockets = base.shut_down();
        sockets.iter().for_each(SocketBase::close);
        let (waits, deadline) = (!base.is_own_thread(), base.options.linger.and_then(after));
        for socket in sockets.iter().filter(|socket| waits && socket.closure.has_unsent()) {
            socket.closure.wait(deadline);
        }
        base.reactors().iter().for_each(|reactor| reactor.send(Order::Exit));
        base.authorities.end();
        if waits {
            // The last messages may not have arrived. They are lost if the process ends now (`io/half_closed`).
            base.threads.wait(deadline.or_else(|| after(LONGEST_END)));
        }
        // The table of names holds sockets, which hold the table: this breaks the cycle.
        let (bound, waiting) = base.names.clear();
        user_code::free(bound);
        user_code::free_each(waiting.into_iter());
    }
}

impl ContextBase {
    /// Creates a context; `start` starts an I/O thread.
    pub(crate) fn new(options: ContextOptions, start: Start) -> Arc<ContextBase> {
        Arc::new(ContextBase {
            spin: options.spin_or_default(),
            options,
            start,
            names: Names::default(),
            had_zap_handler: AtomicBool::new(false),
            authorities: Authorities::default(),
            ids: AtomicU64::new(FIRST_ID),
            ended: AtomicBool::new(false),
            process: std::process::id(),
            threads: Threads::default(),
            parkers: Parkers::default(),
            tables: Mutex::new(Tables {
                sockets: ByNumber::default(),
                reactors: Vec::new(),
                random: Random::unpredictable(),
            }),
            emptied: Signal::default(),
        })
    }

    pub(crate) fn open_socket(
        self: &Arc<Self>,
        socket_type: SocketType,
        values: Values,
    ) -> Result<Arc<SocketBase>> {
        self.check_process()?;
        let seed = self.tables().random.next();
        let pattern = AnyPattern::new(socket_type, seed)
            .ok_or(Error::NotSupported { socket: socket_type, op: Op::Open })?;
        let mut tables = self.tables();
        if self.ended.load(Ordering::SeqCst) {
            return Err(Error::Terminated);
        }
        if tables.sockets.len() >= self.options.max_sockets as usize {
            let text = format!(
                "the context has {} sockets, its limit (ContextOptions::max_sockets); a closed socket counts until what \
                 it had to send is sent or has lingered",
                tables.sockets.len()
            );
            return Err(Error::Limit(std::io::Error::other(text)));
        }
        let id = self.next_id();
        let base = SocketBase::new(id, socket_type, Arc::clone(self), pattern, values);
        tables.sockets.insert(id, Arc::clone(&base));
        Ok(base)
    }

    /// Returns the I/O thread for a socket that needs one: the one with the fewest sockets among those that `affinity`
    /// permits (0: all; bit n: thread n).
    pub(crate) fn reactor(self: &Arc<Self>, affinity: u64) -> Result<IoThread> {
        let mut tables = self.tables();
        if self.ended.load(Ordering::SeqCst) {
            return Err(Error::Terminated);
        }
        while tables.reactors.len() < self.options.io_threads as usize {
            let name = format!("{}/IO/{}", self.options.thread_name, tables.reactors.len());
            let random = Random::new(tables.random.next());
            let link = (self.start)(&name, self, random).map_err(Error::Limit)?;
            tables.reactors.push((link, 0));
        }
        let permitted = |n: usize| affinity == 0 || (n < 64 && affinity & (1 << n) != 0);
        let fewest =
            tables.reactors.iter_mut().enumerate().filter(|(n, _)| permitted(*n)).min_by_key(|(_, r)| r.1);
        match fewest {
            Some((_, (link, sockets))) => {
                *sockets += 1;
                Ok(link.clone())
            }
            None => Err(Error::NoIoThread),
        }
    }

    /// Returns whether the context was shut down.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Returns a number for a socket, endpoint or connection, unique in this context.
    pub(crate) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Returns whether the calling thread is an I/O thread of this context, which must not wait.
    pub(crate) fn is_own_thread(&self) -> bool {
        self.threads.is_io_thread()
    }

    /// Returns whether this is a child of the process that made the context.
    pub(crate) fn is_forked(&self) -> bool {
        std::process::id() != self.process
    }

    /// Returns whether a socket that can reply to ZAP requests is bound to [`ZAP_HANDLER`].
    pub(crate) fn has_zap_handler(&self) -> bool {
        self.names.get(ZAP_HANDLER).is_some_and(|binder| binder.socket_type().handles_zap())
    }

    /// Notes that a ZAP handler was bound.
    pub(crate) fn got_zap_handler(&self) {
        self.had_zap_handler.store(true, Ordering::SeqCst);
    }

    /// Returns whether there ever was a ZAP handler.
    pub(crate) fn had_zap_handler(&self) -> bool {
        self.had_zap_handler.load(Ordering::SeqCst)
    }

    /// Returns an error in a fork child.
    pub(crate) fn check_process(&self) -> Result<()> {
        if self.is_forked() { Err(Error::Forked) } else { Ok(()) }
    }

    /// Removes a closed socket from the table.
    pub(crate) fn forget(&self, id: u64) {
        let mut tables = self.tables();
        let forgotten = tables.sockets.remove(&id);
        let empty = tables.sockets.is_empty();
        drop(tables);
        // Not under the lock: this may be the last reference to the socket.
        drop(forgotten);
        if empty {
            self.leave_if_done();
            self.emptied.notify_all();
        }
    }

    /// Ends the threads if the context has ended and its last socket is forgotten.
    pub(crate) fn leave_if_done(&self) {
        if self.ended.load(Ordering::SeqCst) && !self.has_sockets() {
            self.reactors().iter().for_each(|reactor| reactor.send(Order::Exit));
            self.authorities.end();
        }
    }

    /// Returns whether a socket is open or lingers.
    pub(crate) fn has_sockets(&self) -> bool {
        !self.tables().sockets.is_empty()
    }

    pub(crate) fn reactors(&self) -> Vec<IoThread> {
        self.tables().reactors.iter().map(|(link, _)| link.clone()).collect()
    }

    pub(crate) fn shut_down(&self) -> Vec<Arc<SocketBase>> {
        self.ended.store(true, Ordering::SeqCst);
        self.sockets()
    }

    pub(crate) fn sockets(&self) -> Vec<Arc<SocketBase>> {
        self.tables().sockets.values().cloned().collect()
    }

    /// Returns the sockets in the order in which they were made.
    pub(crate) fn sockets_in_order(&self) -> Vec<Arc<SocketBase>> {
        let mut sockets = self.sockets();
        sockets.sort_by_key(|base| base.id);
        sockets
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
