//! What decides about a peer: the trait, what it sees, and what it may say.

use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use zeroxide_zmtp::mechanism::Proof;

/// Decides about peers, for the domain it is given to [`Context::authenticator`](crate::Context::authenticator) for.
///
/// It is asked once for each connection, before the peer is told that it may come in, one after the other on a thread
/// of its own: never on an I/O thread, so it may look into a file or a database, and the authenticators of other
/// domains do not wait for it. Connections whose turn has not come when their HANDSHAKE_IVL is over are closed. It must
/// not keep a handle of its own context, which would then never end.
///
/// What a panicking one was asked about is refused with status 500, and it is asked again about the next. (A program
/// built with `panic = "abort"` ends instead.)
///
/// ```
/// use zeroxide::{Authenticate, Credentials, Verdict};
///
/// /// Lets in those who connect from this machine.
/// struct Local;
///
/// impl Authenticate for Local {
///     fn check(&self, who: &Credentials) -> Verdict {
///         if who.address == "127.0.0.1" { Verdict::allow("local") } else { Verdict::Deny }
///     }
/// }
/// ```
pub trait Authenticate: Send + Sync {
    /// Returns the verdict about one peer.
    fn check(&self, who: &Credentials) -> Verdict;
}

impl<T: Authenticate + ?Sized> Authenticate for Arc<T> {
    fn check(&self, who: &Credentials) -> Verdict {
        (**self).check(who)
    }
}

/// One that changes while it is in use: keep an `Arc` of it.
impl<T: Authenticate> Authenticate for RwLock<T> {
    fn check(&self, who: &Credentials) -> Verdict {
        self.read().unwrap_or_else(PoisonError::into_inner).check(who)
    }
}

/// What is known of a peer that wants to come in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Credentials {
    /// The domain of the socket that it connects to (ZAP_DOMAIN).
    pub domain: String,
    /// Its address: IP without port for tcp, `localhost:uid:gid:pid` for ipc on Linux.
    pub address: String,
    /// The routing id of the socket that it connects to; empty for none.
    pub routing_id: Bytes,
    /// The mechanism's name: `NULL`, `PLAIN`, `CURVE`.
    pub mechanism: &'static str,
    /// What the mechanism proves of it.
    pub proof: Proof,
}

impl Credentials {
    /// The credentials of a peer that proves so much and of which nothing else is known: to try an authenticator out.
    ///
    /// ```
    /// use zeroxide::{AccessList, Authenticate, Credentials, Proof, Verdict};
    ///
    /// let mut who = Credentials::new(Proof::None);
    /// who.address = "192.168.1.7".to_owned();
    /// let list = AccessList::new().deny_net("192.168.1.0/24")?;
    /// assert_eq!(list.check(&who), Verdict::Deny);
    /// # Ok::<(), zeroxide::NetError>(())
    /// ```
    #[must_use]
    pub fn new(proof: Proof) -> Credentials {
        let mechanism = match &proof {
            #[cfg(feature = "plain")]
            Proof::Plain { .. } => "PLAIN",
            #[cfg(feature = "curve")]
            Proof::Curve(_) => "CURVE",
            _ => "NULL",
        };
        let (domain, address) = (String::new(), String::new());
        Credentials { domain, address, routing_id: Bytes::new(), mechanism, proof }
    }
}

/// What becomes of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// It may come in (status 200).
    Allow {
        /// Who it is, for [`Peer::user_id`](crate::Peer::user_id); empty for nobody in particular.
        user_id: String,
        /// Properties for [`Peer::properties`](crate::Peer::properties).
        metadata: Vec<(String, Bytes)>,
    },
    /// It may not (status 400).
    Deny,
    /// It may try again later (status 300): it is told nothing.
    TryLater,
}

impl Verdict {
    /// Lets the peer in as `user_id`, without further properties.
    #[must_use]
    pub fn allow(user_id: impl Into<String>) -> Verdict {
        Verdict::Allow { user_id: user_id.into(), metadata: Vec::new() }
    }
}
