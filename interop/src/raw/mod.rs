//! A ZeroMQ made of blocking sockets and threads, written from the RFCs of the oldest versions: ZMTP 1.0 (RFC 13),
//! 2.0 (RFC 15) and 3.0 (RFC 23), with socket types as RFC 28 to 31 have them.
//!
//! It shares no line with the library under test, so that it shares none of its mistakes, and it speaks one version
//! only: it neither detects others nor downgrades. Where an RFC says MUST it is strict, so that a peer's breach
//! shows. It is slow, keeps a thread for each direction of each connection, and knows tcp alone.
//!
//! | module | holds |
//! |---|---|
//! | [`frames`] | both framings |
//! | [`greeting`] | what each version says before the first message |
//! | [`rules`] | the socket types: whom a message goes to, and what is put before it |
//! | [`socket`] | endpoints, connections and their threads |

pub mod frames;
pub mod greeting;
pub mod rules;
pub mod socket;

use std::fmt;
use std::io;

pub use socket::Socket;

/// A message: one frame or more.
pub type Message = Vec<Vec<u8>>;

/// The version that a peer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// RFC 13: an identity, then messages.
    One,
    /// RFC 15: a greeting of twelve bytes, an identity, then messages.
    Two,
    /// RFC 23: a greeting of 64 bytes, a mechanism, then messages and commands.
    Three,
}

impl Version {
    /// The version with this name, such as `2.0`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Version> {
        match name {
            "1.0" => Some(Version::One),
            "2.0" => Some(Version::Two),
            "3.0" => Some(Version::Three),
            _ => None,
        }
    }
}

/// A socket type, with its number in RFC 15.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// PAIR
    Pair = 0,
    /// PUB
    Pub = 1,
    /// SUB
    Sub = 2,
    /// REQ
    Req = 3,
    /// REP
    Rep = 4,
    /// DEALER
    Dealer = 5,
    /// ROUTER
    Router = 6,
    /// PULL
    Pull = 7,
    /// PUSH
    Push = 8,
}

impl Kind {
    /// Every one, by its number.
    pub const ALL: [Kind; 9] = [
        Kind::Pair,
        Kind::Pub,
        Kind::Sub,
        Kind::Req,
        Kind::Rep,
        Kind::Dealer,
        Kind::Router,
        Kind::Pull,
        Kind::Push,
    ];
    const NAMES: [&str; 9] = ["PAIR", "PUB", "SUB", "REQ", "REP", "DEALER", "ROUTER", "PULL", "PUSH"];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Kind::NAMES[self as usize]
    }

    /// The type with this name.
    #[must_use]
    pub fn from_name(name: &[u8]) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name().as_bytes() == name)
    }

    /// The type that a peer means by this name: XPUB and XSUB are PUB and SUB to the protocol (RFC 15).
    #[must_use]
    pub fn from_peer(name: &[u8]) -> Option<Kind> {
        Kind::from_name(name.strip_prefix(b"X").filter(|rest| rest.ends_with(b"UB")).unwrap_or(name))
    }

    /// The type that a peer means by this number. libzmq sends its own numbers of XPUB and XSUB, too.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Kind> {
        match number {
            9 => Some(Kind::Pub),
            10 => Some(Kind::Sub),
            number => Kind::ALL.get(usize::from(number)).copied(),
        }
    }

    /// Whether RFC 15 and 23 let the two talk.
    #[must_use]
    pub fn talks_to(self, other: Kind) -> bool {
        use Kind::{Dealer, Pair, Pub, Pull, Push, Rep, Req, Router, Sub};
        let legal: &[Kind] = match self {
            Pair => &[Pair],
            Pub => &[Sub],
            Sub => &[Pub],
            Req => &[Rep, Router],
            Rep => &[Req, Dealer],
            Dealer => &[Rep, Dealer, Router],
            Router => &[Req, Dealer, Router],
            Pull => &[Push],
            Push => &[Pull],
        };
        legal.contains(&other)
    }
}

/// Why a connection ended.
#[derive(Debug)]
pub enum Fault {
    /// The stream ended or broke.
    Io(io::Error),
    /// The peer broke this rule.
    Breach(&'static str),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Io(error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Io(error) => write!(f, "{error}"),
            Fault::Breach(rule) => write!(f, "the peer broke a rule: {rule}"),
        }
    }
}
