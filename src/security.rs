//! Who may come in, and how peers prove who they are.
//!
//! | file | holds |
//! |---|---|
//! | `authenticate` | [`Authenticate`], what decides about a peer; [`Credentials`], [`Verdict`] |
//! | `access_list` | [`AccessList`], the ready-made one |
//! | `keys` | keys, and where random bytes come from |
//! | `role` | the mechanisms, and a side's part in one |
//! | `net`, `users` | [`Net`], networks of addresses; names and passwords |
//! | `error` | what is wrong with how a socket is secured |
//!
//! Everything here is pure. Who decides for which domain, and on which threads, is in `socket/authorities`; the question
//! travels through `io/authorise` and, to a handler socket, `io/zap`. Accept filters are in `io/filters`; to whom a routing id and
//! the pipe of a session belong, in `options/names`.

mod access_list;
mod authenticate;
mod error;
mod keys;
mod net;
mod role;
#[cfg(feature = "plain")]
mod users;

pub use authenticate::{Authenticate, Credentials, Verdict};
pub use error::SecurityError;
pub use net::{Net, NetError};
pub use role::{Mechanism, Role};

pub(crate) use keys::entropy;
pub use keys::{PublicKey, SecretKey};
use zeroxide_zmtp::mechanism::Secret;

pub use access_list::AccessList;

/// What a socket demands and shows: the mechanism, this side's part in it, and the credentials.
///
/// It has nothing to do with who binds and who connects. Give it to [`Options::security`](crate::Options::security).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Security {
    /// NULL: no proof, no secrecy. With a ZAP_DOMAIN, peers are still judged by their address.
    Null,
    /// PLAIN, the side that demands a name and a password; an authenticator or a ZAP handler judges them. They travel
    /// in clear text, and so does everything after. Needs the feature `plain`.
    PlainServer,
    /// PLAIN, the side that shows a name and a password, of 1 to 255 bytes each. Needs the feature `plain`.
    PlainClient {
        /// The name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// CURVE, the side whose public key the others know; an authenticator or a ZAP handler judges theirs.
    #[cfg(feature = "curve")]
    CurveServer(SecretKey),
    /// CURVE, the side that knows the key of the server: no other server can take its place. A fresh key of one's own
    /// will do where the server admits any.
    #[cfg(feature = "curve")]
    CurveClient {
        /// The server's public key.
        server: PublicKey,
        /// This side's own key.
        me: SecretKey,
    },
}
