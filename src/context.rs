//! The context: the sockets and I/O threads of one application, and the names of inproc (libzmq ctx.cpp).
//!
//! Making one costs nothing and cannot fail: threads and descriptors come with the first socket that needs them.

use std::sync::Arc;

use zeroxide_zmtp::SocketType;

use crate::error::{Error, Result, SecurityError};
use crate::io::reactor;
use crate::options::{ContextOptions, Options, opt};
use crate::security::Authenticate;
#[cfg(feature = "curve")]
use crate::security::{SecretKey, Security};
use crate::socket::Socket;
use crate::socket::base::SocketBase;
use crate::socket::closing::Closing;
use crate::socket::context::{ContextBase, ContextHandle};
use crate::stats::Status;

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

impl Context {
    /// Creates a context with default options.
    #[must_use]
    pub fn new() -> Context {
        Context {
            handle: Arc::new(ContextHandle { base: ContextBase::new(ContextOptions::new(), reactor::start) }),
        }
    }

    /// Returns another handle of the context that `handle` belongs to.
    pub(crate) fn of(handle: Arc<ContextHandle>) -> Context {
        Context { handle }
    }

    /// Creates a context with these options.
    ///
    /// # Errors
    /// Returns [`Error::Option`] when a value is out of range.
    pub fn with(options: ContextOptions) -> Result<Context> {
        options.check()?;
        Ok(Context { handle: Arc::new(ContextHandle { base: ContextBase::new(options, reactor::start) }) })
    }

    /// Returns a new socket with default options.
    ///
    /// # Errors
    /// Returns [`Error::Limit`] beyond the context's number of sockets, [`Error::Terminated`], [`Error::Forked`],
    /// [`Error::NotSupported`] for a type that does not exist yet.
    pub fn socket(&self, socket_type: SocketType) -> Result<Socket> {
        self.socket_with(socket_type, &Options::new())
    }

    /// Returns a new socket with these options.
    ///
    /// # Errors
    /// Returns the errors of [`Context::socket`], and [`Error::Option`] for a value that is out of range or not for this type.
    pub fn socket_with(&self, socket_type: SocketType, options: &Options) -> Result<Socket> {
        let mut values = options.values(socket_type)?;
        if options.get(opt::IPV6).is_none() {
            values.ipv6 = self.base().options.ipv6;
        }
        let base = self.base().open_socket(socket_type, values)?;
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
    /// Returns [`SecurityError::DomainInUse`] when the domain has one, [`Error::Limit`] when the system gives no thread,
    /// [`Error::Terminated`], [`Error::Forked`].
    pub fn authenticator(&self, domain: &str, authenticator: impl Authenticate + 'static) -> Result<()> {
        let base = self.base();
        base.check_process()?;
        if base.has_ended() {
            return Err(Error::Terminated);
        }
        let thread_name = format!("{}/AUTH", base.options.thread_name);
        match base.authorities.add(domain, Box::new(authenticator), &base.threads, &thread_name) {
            // The context ended in the meantime, perhaps before there was a thread to end.
            Ok(true) if base.has_ended() => {
                base.authorities.remove(domain);
                Err(Error::Terminated)
            }
            Ok(true) => Ok(()),
            Ok(false) => Err(SecurityError::DomainInUse { domain: domain.into() }.into()),
            Err(error) => Err(Error::Limit(error)),
        }
    }

    /// Prepares CURVE servers in one call: adds an authenticator for a domain, and returns options with the secret key and that domain
    /// (`ZAP_DOMAIN`), for any number of sockets. Set further options on the result.
    ///
    /// ```
    /// use std::time::Duration;
    /// use zeroxide::{AccessList, Context, Options, Security, SocketType, generate_secret_key};
    ///
    /// let (server, client) = (generate_secret_key()?, generate_secret_key()?);
    /// let context = Context::new();
    /// let clients = AccessList::new().curve_key(client.public());
    /// let options = context.curve_server("orders", server.clone(), clients)?;
    /// let rep = context.socket_with(SocketType::Rep, &options)?;
    /// let endpoint = rep.bind("tcp://127.0.0.1:*")?;
    ///
    /// let me = Security::CurveClient { server: server.public(), me: client };
    /// let req = context.socket_with(SocketType::Req, &Options::new().security(me))?;
    /// req.connect_ready(endpoint, Duration::from_secs(5))?;
    /// # Ok::<(), zeroxide::Error>(())
    /// ```
    ///
    /// # Errors
    /// Returns the errors of [`Context::authenticator`].
    #[cfg(feature = "curve")]
    pub fn curve_server(
        &self,
        domain: &str,
        secret: SecretKey,
        clients: impl Authenticate + 'static,
    ) -> Result<Options> {
        self.authenticator(domain, clients)?;
        let options = Options::new().security(Security::CurveServer(secret));
        // Without the option the domain is empty.
        Ok(if domain.is_empty() { options } else { options.set(opt::ZAP_DOMAIN, domain.to_owned()) })
    }

    /// Takes the authenticator of a domain away; `false` if it has none. Questions that it was asked before are
    /// answered still; then its thread drops it and ends.
    pub fn remove_authenticator(&self, domain: &str) -> bool {
        self.base().authorities.remove(domain)
    }

    /// Ends all use of the context at once: blocked and later calls on its sockets give [`Error::Terminated`].
    /// (libzmq `zmq_ctx_shutdown`.) In a fork child nothing happens: a thread of the parent may hold a lock for ever there.
    pub fn shutdown(&self) {
        if self.base().is_forked() {
            return;
        }
        for base in self.base().shut_down() {
            base.terminate();
        }
    }

    pub(crate) fn base(&self) -> &Arc<ContextBase> {
        &self.handle.base
    }

    /// Returns a handle of each socket that the application has and has not closed, in the order in which they were made.
    #[must_use]
    pub fn sockets(&self) -> Vec<Socket> {
        self.base().sockets_in_order().iter().filter_map(Socket::of).collect()
    }

    /// Returns a report for people: the status of each socket that is open or lingers, one a line.
    #[must_use]
    pub fn status(&self) -> ContextStatus {
        ContextStatus { sockets: self.base().sockets_in_order().iter().map(SocketBase::status).collect() }
    }

    /// Shuts down, closes every socket and lets them linger (libzmq `zmq_ctx_term`). Wait for the result, or await it,
    /// to learn what was lost. When it is done, the threads of the context have ended and its descriptors are closed,
    /// although handles of the context and its sockets are still there.
    pub fn term(&self) -> Closing {
        let base = self.base();
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

/// How the sockets of a context fare, from [`Context::status`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ContextStatus {
    /// Each socket that is open or lingers, in the order in which they were made.
    pub sockets: Vec<Status>,
}

/// One line for each socket.
impl std::fmt::Display for ContextStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.sockets.iter().try_for_each(|status| writeln!(f, "{status}"))
    }
}

impl Socket {
    /// Returns the context that made it.
    #[must_use]
    pub fn context(&self) -> Context {
        Context::of(Arc::clone(&self.handle.context))
    }
}

impl Default for Context {
    fn default() -> Context {
        Context::new()
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("sockets", &self.base().sockets().len()).finish()
    }
}
