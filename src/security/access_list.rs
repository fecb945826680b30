//! The ready-made [`Authenticate`]: addresses, users and keys.

#[cfg(feature = "curve")]
use std::collections::HashSet;
use std::net::IpAddr;

use zeroxide_zmtp::mechanism::Proof;
#[cfg(feature = "plain")]
use zeroxide_zmtp::mechanism::Secret;

#[cfg(feature = "curve")]
use super::PublicKey;
use super::net::{Net, NetError};
#[cfg(feature = "plain")]
use super::users::Users;
use super::{Authenticate, Credentials, Verdict};

/// Who may come in, by address and by what the mechanism proves.
///
/// First the address: one that is denied is out, and if any is allowed, all others are out. Then the proof: NULL has
/// none, so the address decides alone; PLAIN needs a user of the list with his password; CURVE needs a key of the
/// list.
///
/// ```
/// use zeroxide::{AccessList, Context};
///
/// let context = Context::new();
/// let office = AccessList::new().allow_net("192.168.1.0/24")?.deny_net("192.168.1.66")?;
/// context.authenticator("office", office)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct AccessList {
    allowed: Vec<Net>,
    denied: Vec<Net>,
    #[cfg(feature = "plain")]
    users: Users,
    #[cfg(feature = "curve")]
    keys: Keys,
}

/// The clients of CURVE that may come in.
#[cfg(feature = "curve")]
#[derive(Clone, Debug, Default)]
struct Keys {
    known: HashSet<PublicKey>,
    any: bool,
}

impl AccessList {
    /// Creates a list without restriction of addresses, without users and without keys.
    #[must_use]
    pub fn new() -> AccessList {
        AccessList::default()
    }

    /// Allows an address such as `192.168.1.7` or a network such as `10.0.0.0/8`, and with the first of them shuts all
    /// others out, those without an IP address (ipc) included.
    ///
    /// # Errors
    /// Returns an error if the text names no network.
    pub fn allow_net(mut self, net: &str) -> Result<AccessList, NetError> {
        self.allowed.push(net.parse()?);
        Ok(self)
    }

    /// Denies an address or a network, whatever is allowed.
    ///
    /// # Errors
    /// Returns an error if the text names no network.
    pub fn deny_net(mut self, net: &str) -> Result<AccessList, NetError> {
        self.denied.push(net.parse()?);
        Ok(self)
    }

    /// Lets a user of PLAIN in, by name and password; of the same name the last counts. What is longer than the 255
    /// bytes that PLAIN can carry never matches.
    ///
    /// Each check compares with every user, so that its time tells nobody which names there are: about half a microsecond
    /// for each. For more than some ten thousand users write an [`Authenticate`] of your own.
    #[cfg(feature = "plain")]
    #[must_use]
    pub fn plain_user(mut self, name: &str, password: impl Into<Secret>) -> AccessList {
        self.users.add(name, &password.into());
        self
    }

    /// Lets the client of CURVE in that has this key; its user id is the key in Z85.
    #[cfg(feature = "curve")]
    #[must_use]
    pub fn curve_key(mut self, key: PublicKey) -> AccessList {
        self.keys.known.insert(key);
        self
    }

    /// Lets every client of CURVE in, whatever its key: what travels is secret and comes from the server that the client
    /// meant, but who the client is nobody has checked.
    #[cfg(feature = "curve")]
    #[must_use]
    pub fn allow_any_curve_key(mut self) -> AccessList {
        self.keys.any = true;
        self
    }

    fn admits_address(&self, address: &str) -> bool {
        let address: Option<IpAddr> = address.parse().ok();
        let among = |nets: &[Net]| address.is_some_and(|ip| nets.iter().any(|net| net.contains(ip)));
        !among(&self.denied) && (self.allowed.is_empty() || among(&self.allowed))
    }
}

impl Authenticate for AccessList {
    fn check(&self, who: &Credentials) -> Verdict {
        if !self.admits_address(&who.address) {
            return Verdict::Deny;
        }
        match &who.proof {
            Proof::None => Verdict::allow(""),
            #[cfg(feature = "plain")]
            Proof::Plain { username, password } => self.users.check(username, password),
            #[cfg(feature = "curve")]
            Proof::Curve(key) if self.keys.any || self.keys.known.contains(key) => {
                Verdict::allow(key.to_string())
            }
            // An unknown key, or a mechanism that this list knows nothing of.
            _ => Verdict::Deny,
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn null(address: &str) -> Credentials {
        Credentials {
            domain: String::new(),
            address: address.to_owned(),
            routing_id: Bytes::new(),
            mechanism: "NULL",
            proof: Proof::None,
        }
    }

    fn admits(list: &AccessList, address: &str) -> bool {
        list.check(&null(address)) == Verdict::allow("")
    }

    #[test]
    fn an_empty_list_restricts_no_address() {
        let list = AccessList::new();
        assert!(admits(&list, "203.0.113.9") && admits(&list, "localhost:1000:1000:7") && admits(&list, ""));
    }

    #[test]
    fn what_is_not_allowed_is_out_once_something_is_allowed() {
        let list = AccessList::new().allow_net("10.0.0.0/8").unwrap().allow_net("::1").unwrap();
        assert!(admits(&list, "10.1.2.3") && admits(&list, "::1") && admits(&list, "::ffff:10.1.2.3"));
        assert!(!admits(&list, "11.1.2.3") && !admits(&list, "localhost:1000:1000:7") && !admits(&list, ""));
    }

    #[test]
    fn what_is_denied_is_out_whatever_is_allowed() {
        let list = AccessList::new().deny_net("10.0.0.66").unwrap();
        assert!(admits(&list, "10.0.0.65") && !admits(&list, "10.0.0.66"));
        let list = list.allow_net("10.0.0.0/8").unwrap();
        assert!(admits(&list, "10.0.0.65") && !admits(&list, "10.0.0.66"));
    }
}
