//! The context: the sockets and I/O threads of one application, and the names of inproc (libzmq ctx.cpp).
//!
//! Making one costs nothing and cannot fail: threads and descriptors come with the first socket that needs them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroxide_patterns::AnyPattern;
use zeroxide_transports::inproc::Names;
use zeroxide_zmtp::SocketType;

use crate::error::{Error, Op, Result, SecurityError};
use crate::io::command::Command;
use crate::io::reactor::{self, ReactorLink};
use crate::io::reaper::Closing;
use crate::io::zap;
use crate::options::{ContextOptions, Options, Values, opt};
use crate::random::Random;
use crate::security::Authenticate;
use crate::security::authorities::Authorities;
#[cfg(feature = "face")]
use crate::signal::wait_hearing;
use crate::signal::{Parkers, Signal, after};
use crate::socket::Socket;
use crate::socket::base::SocketBase;
use crate::socket::endpoints::{Binder, Waiting};
use crate::threads::Threads;

/// A context: makes sockets, and owns the threads that serve them.
///
/// It is a handle: clones share one context, and every socket holds one. When the last handle is dropped, it waits
/// while something is unsent, for each socket at most the smaller of its LINGER and the context's own linger
/// (1 s unless set). It never waits on a context's own threads or in a fork child.
///
/// ```
/// use zeroxide::{Context, SocketType};
/// let context = Context::new();
/// let pair = context.socket(SocketType::Pair)?;
/// # Ok::<(), zeroxide::Error>(())
/// ```
#[derive(Clone)]
pub struct Context {
    handle: Arc<ContextHandle>,
}

/// What all handles of a context share; its drop is the end of the context.
pub(crate) struct ContextHandle {
    pub(crate) base: Arc<ContextBase>,
}

/// What sockets and I/O threads know of their context.
pub(crate) struct ContextBase {
    pub(crate) options: ContextOptions,
    /// The names bound over inproc, and the connects that wait for one.
    pub(crate) names: Names<Binder, Waiting>,
    /// A ZAP handler was bound once.
    had_zap_handler: AtomicBool,
    /// Who decides about peers.
    pub(crate) authorities: Authorities,
    ids: AtomicU64,
    ended: AtomicBool,
    /// The process that made it: a fork child must not touch its threads.
    process: u32,
    /// The I/O threads, and the other ones that end with the context.
    pub(crate) threads: Threads,
    /// Where threads sleep in its calls and hear of signals.
    pub(crate) parkers: Parkers,
    tables: Mutex<Tables>,
    /// The last socket was forgotten.
    emptied: Signal,
}

/// Smaller numbers are tokens of the reactor's own.
const FIRST_ID: u64 = 2;

struct Tables {
    /// Every socket that is open or lingers.
    sockets: HashMap<u64, Arc<SocketBase>>,
    reactors: Vec<(ReactorLink, usize)>,
    random: Random,
}

impl Context {
    /// A context with default options.
    #[must_use]
    pub fn new() -> Context {
        Context { handle: Arc::new(ContextHandle { base: ContextBase::new(ContextOptions::new()) }) }
    }

    /// Another handle of the context that `handle` belongs to.
    pub(crate) fn of(handle: Arc<ContextHandle>) -> Context {
        Context { handle }
    }

    /// A context with these options.
    ///
    /// # Errors
    /// [`Error::Option`] when a value is out of range.
    pub fn with(options: ContextOptions) -> Result<Context> {
        options.check()?;
        Ok(Context { handle: Arc::new(ContextHandle { base: ContextBase::new(options) }) })
    }

    /// A new socket with default options.
    ///
    /// # Errors
    /// [`Error::Limit`] beyond the context's number of sockets, [`Error::Terminated`], [`Error::Forked`],
    /// [`Error::NotSupported`] for a type that does not exist yet.
    pub fn socket(&self, socket_type: SocketType) -> Result<Socket> {
        self.socket_with(socket_type, &Options::new())
    }

    /// A new socket with these options.
    ///
    /// # Errors
    /// As [`Context::socket`], and [`Error::Option`] for a value that is out of range or not for this type.
    pub fn socket_with(&self, socket_type: SocketType, options: &Options) -> Result<Socket> {
        let mut values = options.values(socket_type)?;
        if options.get(opt::IPV6).is_none() {
            values.ipv6 = self.handle.base.options.ipv6;
        }
        let base = self.handle.base.open_socket(socket_type, values)?;
        Ok(Socket::new(base, Arc::clone(&self.handle)))
    }

    /// Lets `authenticator` decide about the peers of the sockets whose ZAP_DOMAIN is `domain`; empty for those without
    /// one. All other domains are decided by the ZAP handler: a REP or ROUTER that the application has bound to
    /// `inproc://zeromq.zap.01` in this context.
    ///
    /// ```
    /// use zeroxide::{AccessList, Context, Options, SocketType, opt};
    ///
    /// let context = Context::new();
    /// context.authenticator("lab", AccessList::new().allow_net("127.0.0.1")?)?;
    /// let server = context.socket_with(SocketType::Rep, &Options::new().set(opt::ZAP_DOMAIN, "lab"))?;
    /// server.bind("tcp://127.0.0.1:*")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Each authenticator has a thread of its own, on which it is asked and, when the domain is released or the context
    /// ends, dropped.
    ///
    /// # Errors
    /// [`SecurityError::DomainInUse`] when the domain has one, [`Error::Limit`] when the system gives no thread,
    /// [`Error::Terminated`], [`Error::Forked`].
    pub fn authenticator(&self, domain: &str, authenticator: impl Authenticate + 'static) -> Result<()> {
        let base = &self.handle.base;
        base.check_process()?;
        if base.ended.load(Ordering::SeqCst) {
            return Err(Error::Terminated);
        }
        let thread_name = format!("{}/AUTH", base.options.thread_name);
        match base.authorities.add(domain, Box::new(authenticator), &base.threads, &thread_name) {
            // The context ended in the meantime, perhaps before there was a thread to end.
            Ok(true) if base.ended.load(Ordering::SeqCst) => {
                base.authorities.remove(domain);
                Err(Error::Terminated)
            }
            Ok(true) => Ok(()),
            Ok(false) => Err(SecurityError::DomainInUse { domain: domain.into() }.into()),
            Err(error) => Err(Error::Limit(error)),
        }
    }

    /// Takes the authenticator of a domain away; `false` if it has none. Questions that it was asked before are
    /// answered still; then its thread drops it and ends.
    pub fn remove_authenticator(&self, domain: &str) -> bool {
        self.handle.base.authorities.remove(domain)
    }

    /// Ends all use of the context at once: blocked and later calls on its sockets give [`Error::Terminated`].
    /// (libzmq `zmq_ctx_shutdown`.) In a fork child nothing happens: a thread of the parent may hold a lock for ever there.
    pub fn shutdown(&self) {
        if self.handle.base.is_forked() {
            return;
        }
        for base in self.handle.base.shut_down() {
            base.terminate();
        }
    }

    #[cfg(feature = "face")]
    pub(crate) fn base(&self) -> &Arc<ContextBase> {
        &self.handle.base
    }

    /// Shuts down, closes every socket and lets them linger (libzmq `zmq_ctx_term`). Wait for the result, or await it,
    /// to learn what was lost. When it is done, the threads of the context have ended and its descriptors are closed,
    /// although handles of the context and its sockets are still there.
    pub fn term(&self) -> Closing {
        let base = &self.handle.base;
        if base.is_forked() {
            return Closing::new(Vec::new(), None);
        }
        self.shutdown();
        let sockets = base.sockets();
        sockets.iter().for_each(SocketBase::close);
        base.leave_if_done();
        Closing::new(sockets, Some(Arc::clone(base)))
    }
}

impl Default for Context {
    fn default() -> Context {
        Context::new()
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("sockets", &self.handle.base.tables().sockets.len()).finish()
    }
}

impl Drop for ContextHandle {
    fn drop(&mut self) {
        let base = &self.base;
        if base.is_forked() {
            return;
        }
        let sockets = base.shut_down();
        sockets.iter().for_each(SocketBase::close);
        if !base.is_own_thread() {
            let limit = base.options.linger;
            let deadline = limit.and_then(after);
            for socket in sockets.iter().filter(|socket| socket.closure.has_unsent()) {
                socket.closure.wait(deadline);
            }
        }
        base.reactors().iter().for_each(|reactor| reactor.send(Command::Exit));
        base.authorities.end();
        // The table keeps sockets, which keep it: what was never met ends here.
        drop(base.names.clear());
    }
}

impl ContextBase {
    fn new(options: ContextOptions) -> Arc<ContextBase> {
        Arc::new(ContextBase {
            options,
            names: Names::default(),
            had_zap_handler: AtomicBool::new(false),
            authorities: Authorities::default(),
            ids: AtomicU64::new(FIRST_ID),
            ended: AtomicBool::new(false),
            process: std::process::id(),
            threads: Threads::default(),
            parkers: Parkers::default(),
            tables: Mutex::new(Tables {
                sockets: HashMap::new(),
                reactors: Vec::new(),
                random: Random::unpredictable(),
            }),
            emptied: Signal::default(),
        })
    }

    fn open_socket(self: &Arc<Self>, socket_type: SocketType, values: Values) -> Result<Arc<SocketBase>> {
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

    /// The I/O thread for a socket that needs one: the one with the fewest sockets among those that `affinity`
    /// permits (0: all; bit n: thread n).
    pub(crate) fn reactor(self: &Arc<Self>, affinity: u64) -> Result<ReactorLink> {
        let mut tables = self.tables();
        if self.ended.load(Ordering::SeqCst) {
            return Err(Error::Terminated);
        }
        while tables.reactors.len() < self.options.io_threads as usize {
            let name = format!("{}/IO/{}", self.options.thread_name, tables.reactors.len());
            let random = Random::new(tables.random.next());
            let link = reactor::start(&name, self, random).map_err(Error::Limit)?;
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

    /// A number for a socket, endpoint or connection, unique in this context.
    pub(crate) fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Whether the calling thread is one of the context's own, which never wait.
    pub(crate) fn is_own_thread(&self) -> bool {
        self.threads.is_io_thread()
    }

    /// Whether this is a child of the process that made the context.
    pub(crate) fn is_forked(&self) -> bool {
        std::process::id() != self.process
    }

    /// Whether a socket that can answer ZAP requests is bound where they go.
    pub(crate) fn has_zap_handler(&self) -> bool {
        self.names.get(zap::NAME).is_some_and(|binder| binder.socket_type().handles_zap())
    }

    /// A socket that can answer ZAP requests was bound where they go.
    pub(crate) fn got_zap_handler(&self) {
        self.had_zap_handler.store(true, Ordering::SeqCst);
    }

    /// Whether there ever was a ZAP handler.
    pub(crate) fn had_zap_handler(&self) -> bool {
        self.had_zap_handler.load(Ordering::SeqCst)
    }

    /// Refuses what a fork child must not do.
    pub(crate) fn check_process(&self) -> Result<()> {
        if self.is_forked() { Err(Error::Forked) } else { Ok(()) }
    }

    /// A closed socket has let everything go.
    pub(crate) fn forget(&self, id: u64) {
        let mut tables = self.tables();
        let forgotten = tables.sockets.remove(&id);
        let empty = tables.sockets.is_empty();
        drop(tables);
        // Not under the lock: it may be the last of the socket.
        drop(forgotten);
        if empty {
            self.leave_if_done();
            self.emptied.notify_all();
        }
    }

    /// Ends the threads of a context that has ended once the last of its sockets is forgotten.
    fn leave_if_done(&self) {
        if self.ended.load(Ordering::SeqCst) && self.tables().sockets.is_empty() {
            self.reactors().iter().for_each(|reactor| reactor.send(Command::Exit));
            self.authorities.end();
        }
    }

    fn reactors(&self) -> Vec<ReactorLink> {
        self.tables().reactors.iter().map(|(link, _)| link.clone()).collect()
    }

    /// Ends the context and waits until its last socket was closed and has let everything go, or a signal of the
    /// system arrives; then until its threads have ended (libzmq `zmq_ctx_term`). In a fork child it waits for nothing.
    #[cfg(feature = "face")]
    pub(crate) fn wait_for_the_last(&self) -> Result<()> {
        if self.is_forked() || self.is_own_thread() {
            return Ok(());
        }
        let empty = || self.tables().sockets.is_empty().then_some(());
        wait_hearing(Some(&self.parkers), &[&self.emptied], None, empty).unwrap_or(Ok(()))?;
        self.leave_if_done();
        self.threads.wait(None);
        self.parkers.close();
        Ok(())
    }

    fn shut_down(&self) -> Vec<Arc<SocketBase>> {
        self.ended.store(true, Ordering::SeqCst);
        self.sockets()
    }

    fn sockets(&self) -> Vec<Arc<SocketBase>> {
        self.tables().sockets.values().cloned().collect()
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
