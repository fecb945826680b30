//! Security mechanisms as an axis of the matrix: which side is the server, and what each side is told.
//!
//! The keys and the password are known to anybody: they protect nothing.

use std::fmt;

use zeroxide::SecretKey;

use crate::pair::Side;
use crate::words::hex;

/// A mechanism, and who its server is.
#[derive(Clone, Copy, Debug)]
pub struct Mechanism {
    /// Its name in ids, without spaces and slashes.
    pub name: &'static str,
    kind: Kind,
    /// Whether the side that connects is the server; else the side that binds.
    turned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Null,
    Plain,
    Curve,
}

/// What a client shows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// What the server demands.
    Right,
    /// A password, or a key of its own, that the server does not let in.
    Wrong,
    /// The key of another server (CURVE).
    OtherServer,
    /// Nothing: it comes with NULL.
    Nothing,
}

/// All of them; NULL first.
pub static MECHANISMS: &[Mechanism] = &[
    Mechanism { name: "NULL", kind: Kind::Null, turned: false },
    Mechanism { name: "PLAIN", kind: Kind::Plain, turned: false },
    Mechanism { name: "CURVE", kind: Kind::Curve, turned: false },
    Mechanism { name: "PLAIN-server-connects", kind: Kind::Plain, turned: true },
    Mechanism { name: "CURVE-server-connects", kind: Kind::Curve, turned: true },
];

const USER: &str = "t:ann";
const PASSWORD: &str = "t:secret";
const WRONG_PASSWORD: &str = "t:guess";
const SERVER: [u8; 32] = *b"The server's key; anybody has it";
const CLIENT: [u8; 32] = *b"The client's key; anybody has it";
const STRANGER: [u8; 32] = *b"A stranger's key; nobody has it.";

impl Mechanism {
    /// Whether nobody has to show anything.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.kind == Kind::Null
    }

    /// Whether nobody in between can read.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Curve
    }

    /// Whether the side that connects is the server.
    #[must_use]
    pub fn is_turned(&self) -> bool {
        self.turned
    }

    /// The side that is the server, if there is one.
    #[must_use]
    pub fn server(&self, binder: Side) -> Option<Side> {
        match (self.kind, self.turned) {
            (Kind::Null, _) => None,
            (_, false) => Some(binder),
            (_, true) => Some(binder.other()),
        }
    }

    /// The proofs that a server must not take.
    #[must_use]
    pub fn bad_proofs(&self) -> &'static [Proof] {
        match self.kind {
            Kind::Null => &[],
            Kind::Plain => &[Proof::Wrong, Proof::Nothing],
            Kind::Curve => &[Proof::Wrong, Proof::OtherServer, Proof::Nothing],
        }
    }

    /// What a server's ZAP handler is told, after `zap`.
    #[must_use]
    pub fn rule(&self) -> String {
        match self.kind {
            Kind::Null => String::new(),
            Kind::Plain => format!("PLAIN {USER} {PASSWORD}"),
            Kind::Curve => format!("CURVE {}", public(CLIENT)),
        }
    }

    /// The options of a server.
    #[must_use]
    pub fn demands(&self) -> Vec<(&'static str, String)> {
        match self.kind {
            Kind::Null => Vec::new(),
            Kind::Plain => vec![("PLAIN_SERVER", "1".to_owned())],
            Kind::Curve => [vec![("CURVE_SERVER", "1".to_owned())], own(SERVER)].concat(),
        }
    }

    /// The options of a client.
    #[must_use]
    pub fn shows(&self, proof: Proof) -> Vec<(&'static str, String)> {
        match (self.kind, proof) {
            (Kind::Null, _) | (_, Proof::Nothing) => Vec::new(),
            (Kind::Plain, _) => {
                let password = if proof == Proof::Right { PASSWORD } else { WRONG_PASSWORD };
                vec![("PLAIN_USERNAME", USER.to_owned()), ("PLAIN_PASSWORD", password.to_owned())]
            }
            (Kind::Curve, _) => {
                let server = if proof == Proof::OtherServer { STRANGER } else { SERVER };
                let me = if proof == Proof::Wrong { STRANGER } else { CLIENT };
                [own(me), vec![("CURVE_SERVERKEY", public(server))]].concat()
            }
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A key pair, as options.
fn own(secret: [u8; 32]) -> Vec<(&'static str, String)> {
    vec![("CURVE_PUBLICKEY", public(secret)), ("CURVE_SECRETKEY", word(&secret))]
}

fn public(secret: [u8; 32]) -> String {
    word(SecretKey::from_bytes(secret).public().as_bytes())
}

fn word(bytes: &[u8]) -> String {
    format!("h:{}", hex(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn of(name: &str) -> &'static Mechanism {
        MECHANISMS.iter().find(|mechanism| mechanism.name == name).unwrap()
    }

    #[test]
    fn names_fit_into_ids_and_are_distinct() {
        let names: HashSet<&str> = MECHANISMS.iter().map(|mechanism| mechanism.name).collect();
        assert_eq!(names.len(), MECHANISMS.len());
        assert!(names.iter().all(|name| !name.contains(['/', ' ', '*'])));
    }

    #[test]
    fn the_server_is_whoever_binds_unless_turned_and_with_null_nobody() {
        assert_eq!(of("NULL").server(Side::Left), None);
        assert_eq!(of("CURVE").server(Side::Left), Some(Side::Left));
        assert_eq!(of("PLAIN-server-connects").server(Side::Left), Some(Side::Right));
    }

    #[test]
    fn every_bad_proof_differs_from_the_right_one() {
        for mechanism in MECHANISMS {
            assert_eq!(mechanism.bad_proofs().is_empty(), mechanism.is_null());
            for proof in mechanism.bad_proofs() {
                assert_ne!(mechanism.shows(*proof), mechanism.shows(Proof::Right), "{mechanism} {proof:?}");
            }
        }
    }

    #[test]
    fn the_rule_is_about_what_the_client_shows() {
        let value = |options: &[(&str, String)], name: &str| {
            options.iter().find(|(option, _)| *option == name).map(|(_, value)| value.clone()).unwrap()
        };
        let plain = of("PLAIN").shows(Proof::Right);
        let expected =
            format!("PLAIN {} {}", value(&plain, "PLAIN_USERNAME"), value(&plain, "PLAIN_PASSWORD"));
        assert_eq!(of("PLAIN").rule(), expected);
        let curve = of("CURVE").shows(Proof::Right);
        assert_eq!(of("CURVE").rule(), format!("CURVE {}", value(&curve, "CURVE_PUBLICKEY")));
        let demands = of("CURVE").demands();
        assert_eq!(value(&curve, "CURVE_SERVERKEY"), value(&demands, "CURVE_PUBLICKEY"));
    }
}
