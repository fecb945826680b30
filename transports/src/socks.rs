//! SOCKS5 as its client, without I/O: bytes in, bytes out (RFC 1928, RFC 1929).
//!
//! The dialogue: the method that is offered, and the proxy's choice; with it, perhaps, a name and a password, and the
//! answer; the request to connect, and the reply. Behind the reply stand the peer's own bytes, so never more is read
//! than the dialogue still needs: [`Socks::missing`].
//!
//! Invariant: at most one message of the proxy is kept, of 262 bytes at most, and none is taken before the message that
//! it answers has been sent.

use std::{error, fmt, io};

use bytes::Bytes;
use zeroxide_zmtp::mechanism::Secret;

use crate::endpoint::{Host, Port};

/// The version in every message of RFC 1928.
const VERSION: u8 = 5;
/// The version in the messages of RFC 1929.
const LOGIN_VERSION: u8 = 1;
/// "No authentication required" (RFC 1928 §3).
const OPEN: u8 = 0;
/// "Username/password".
const LOGIN: u8 = 2;
/// "No acceptable methods".
const NO_METHOD: u8 = 0xff;
/// The command CONNECT (RFC 1928 §4).
const CONNECT: u8 = 1;
/// Kinds of addresses (RFC 1928 §5).
const V4: u8 = 1;
const NAME: u8 = 3;
const V6: u8 = 4;

/// The longest message of a proxy: a reply with a name of 255 bytes.
pub const LONGEST: usize = 7 + 255;

/// One dialogue with a proxy, of one connection.
///
/// Send [`Socks::output`] and say so with [`Socks::sent`]; when nothing is left of it, read up to [`Socks::missing`]
/// bytes and give them to [`Socks::receive`]; until [`Socks::is_done`].
///
/// ```
/// use zeroxide_transports::endpoint::{Host, Port};
/// use zeroxide_transports::socks::Socks;
///
/// let mut socks = Socks::new(&Host::Name("example.org".into()), Port::new(5555), None).unwrap();
/// assert_eq!(socks.output(), [5, 1, 0]);
/// socks.sent(3);
/// assert_eq!(socks.receive(&[5, 0]), Ok(2));
/// assert!(socks.output().ends_with(b"example.org\x15\xb3"));
/// ```
#[derive(Debug)]
pub struct Socks {
    step: Step,
    /// What has come of the message that is awaited.
    received: Vec<u8>,
    /// May hold the password.
    output: Secret,
    sent: usize,
    /// The request, until it is its turn.
    request: Vec<u8>,
    login: Option<Login>,
}

/// Who connects, for a proxy that asks. The name and the password have up to 255 bytes each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub username: Bytes,
    /// The password; may be empty.
    pub password: Secret,
}

/// The message of the proxy that is awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Method,
    Login,
    Reply,
    /// None: the peer's own bytes follow.
    Done,
}

impl Socks {
    /// Begins a dialogue about a connection to `host`, whose name the proxy looks up. With `login` that method alone is
    /// offered: a proxy that does not ask is not used.
    ///
    /// # Errors
    /// [`SocksError::NameTooLong`], [`SocksError::LoginTooLong`]: beyond the 255 bytes that the protocol has room for.
    pub fn new(host: &Host, port: Port, login: Option<Login>) -> Result<Socks, SocksError> {
        let fits = |bytes: &[u8]| u8::try_from(bytes.len()).is_ok();
        if login.as_ref().is_some_and(|login| {
            login.username.is_empty() || !fits(&login.username) || !fits(login.password.expose())
        }) {
            return Err(SocksError::LoginTooLong);
        }
        let method = if login.is_some() { LOGIN } else { OPEN };
        let request = request(host, port)?;
        let output = Secret::new(vec![VERSION, 1, method]);
        Ok(Socks { step: Step::Method, received: Vec::new(), output, sent: 0, request, login })
    }

    /// What is to be sent now, and is not sent yet.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        self.output.expose().get(self.sent..).unwrap_or_default()
    }

    /// So many bytes of the output are sent.
    pub fn sent(&mut self, n: usize) {
        self.sent = self.sent.saturating_add(n);
    }

    /// How many bytes may be read now: no more than the dialogue needs, and none while there is output.
    #[must_use]
    pub fn missing(&self) -> usize {
        if self.output().is_empty() { self.length().saturating_sub(self.received.len()) } else { 0 }
    }

    /// Whether the connection stands: what follows is the peer's.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.step == Step::Done
    }

    /// Takes what has come, and tells how much of it was needed.
    ///
    /// # Errors
    /// What is wrong with it. The connection is of no use then.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<usize, SocksError> {
        let mut taken = 0;
        loop {
            let rest = bytes.get(taken..).unwrap_or_default();
            let needed = self.missing().min(rest.len());
            if needed == 0 {
                return Ok(taken);
            }
            self.received.extend_from_slice(&rest[..needed]);
            taken += needed;
            self.check()?;
            if self.missing() == 0 {
                self.go_on();
            }
        }
    }

    /// How long the awaited message is, as far as it can be told.
    fn length(&self) -> usize {
        match self.step {
            Step::Method | Step::Login => 2,
            Step::Reply => match self.received[..] {
                [_, _, _, V4, ..] => 4 + 4 + 2,
                [_, _, _, V6, ..] => 4 + 16 + 2,
                [_, _, _, NAME, length, ..] => 5 + usize::from(length) + 2,
                _ => 5,
            },
            Step::Done => 0,
        }
    }

    /// Looks at what has come in order, so that a fault is the same however the bytes were cut.
    fn check(&self) -> Result<(), SocksError> {
        let offered = if self.login.is_some() { LOGIN } else { OPEN };
        match (self.step, &self.received[..]) {
            (Step::Method | Step::Reply, [version, ..]) if *version != VERSION => {
                Err(SocksError::NotSocks5 { version: *version })
            }
            (Step::Method, [_, NO_METHOD]) => Err(SocksError::NoMethod),
            (Step::Method, [_, method]) if *method != offered => Err(SocksError::UnofferedMethod(*method)),
            (Step::Login, [version, ..]) if *version != LOGIN_VERSION => {
                Err(SocksError::LoginVersion(*version))
            }
            (Step::Login, [_, status]) if *status != 0 => Err(SocksError::LoginRefused(*status)),
            (Step::Reply, [_, code, ..]) if *code != 0 => Err(SocksError::Refused(Refusal::of(*code))),
            // The third byte is reserved; what it says changes nothing.
            (Step::Reply, [_, _, _, kind, ..]) if ![V4, V6, NAME].contains(kind) => {
                Err(SocksError::AddressKind(*kind))
            }
            _ => Ok(()),
        }
    }

    /// The awaited message is whole.
    fn go_on(&mut self) {
        self.received.clear();
        let login = if self.step == Step::Method { self.login.take() } else { None };
        let (step, output) = match (self.step, login) {
            (Step::Method, Some(login)) => (Step::Login, login.message()),
            (Step::Method | Step::Login, _) => (Step::Reply, Secret::new(std::mem::take(&mut self.request))),
            (Step::Reply | Step::Done, _) => (Step::Done, Secret::default()),
        };
        (self.step, self.output, self.sent) = (step, output, 0);
    }
}

impl Login {
    /// RFC 1929 §2. Allocated once, so that no copy of the password stays behind.
    fn message(&self) -> Secret {
        let (name, password) = (&self.username[..], self.password.expose());
        let mut message = Vec::with_capacity(3 + name.len() + password.len());
        message.push(LOGIN_VERSION);
        for text in [name, password] {
            message.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
            message.extend_from_slice(text);
        }
        Secret::new(message)
    }
}

/// RFC 1928 §4.
fn request(host: &Host, port: Port) -> Result<Vec<u8>, SocksError> {
    let mut request = vec![VERSION, CONNECT, 0];
    match host {
        Host::Any => request.extend([V4, 0, 0, 0, 0]),
        Host::V4(address) => {
            request.push(V4);
            request.extend(address.octets());
        }
        // A zone means something on this machine only.
        Host::V6 { address, .. } => {
            request.push(V6);
            request.extend(address.octets());
        }
        Host::Name(name) => {
            request.extend([NAME, u8::try_from(name.len()).map_err(|_| SocksError::NameTooLong)?]);
            request.extend(name.bytes());
        }
    }
    request.extend(port.number().to_be_bytes());
    Ok(request)
}

/// Why a proxy made no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SocksError {
    /// The host's name has more than 255 bytes.
    NameTooLong,
    /// SOCKS_USERNAME is empty, or it or SOCKS_PASSWORD has more than 255 bytes.
    LoginTooLong,
    /// What answers is not a SOCKS5 proxy.
    NotSocks5 {
        /// The version that it gave.
        version: u8,
    },
    /// The proxy accepts no method that was offered: it wants a name and a password, or it knows none (RFC 1928 §3).
    NoMethod,
    /// The proxy chose a method that was not offered.
    UnofferedMethod(u8),
    /// The proxy answered the name and password in another version than 1 (RFC 1929 §2).
    LoginVersion(u8),
    /// The proxy does not accept the name and password; the status that it gave.
    LoginRefused(u8),
    /// The proxy did not connect.
    Refused(Refusal),
    /// The reply has an address of a kind that RFC 1928 §5 does not have.
    AddressKind(u8),
    /// The proxy closed the connection before its reply was whole.
    Closed,
}

/// Why a proxy did not connect (RFC 1928 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// 1: a failure of the proxy.
    Failure,
    /// 2: its rules do not allow it.
    NotAllowed,
    /// 3: the network cannot be reached.
    NetworkUnreachable,
    /// 4: the host cannot be reached, or its name is not known.
    HostUnreachable,
    /// 5: nobody listens there.
    ConnectionRefused,
    /// 6: the time to live has expired.
    TtlExpired,
    /// 7: the proxy does not connect at all.
    CommandNotSupported,
    /// 8: the proxy does not know this kind of address.
    AddressNotSupported,
    /// A code without a meaning.
    Other(u8),
}

impl SocksError {
    /// Whether the fault is the proxy's, or in how it is used, and not of the peer behind it.
    #[must_use]
    pub fn is_of_proxy(self) -> bool {
        !matches!(self, SocksError::Refused(_) | SocksError::Closed)
    }

    fn kind(self) -> io::ErrorKind {
        match self {
            SocksError::NameTooLong | SocksError::LoginTooLong => io::ErrorKind::InvalidInput,
            SocksError::NoMethod | SocksError::LoginRefused(_) => io::ErrorKind::PermissionDenied,
            SocksError::Closed => io::ErrorKind::UnexpectedEof,
            SocksError::Refused(refusal) => match refusal {
                Refusal::NotAllowed => io::ErrorKind::PermissionDenied,
                Refusal::NetworkUnreachable => io::ErrorKind::NetworkUnreachable,
                Refusal::HostUnreachable => io::ErrorKind::HostUnreachable,
                Refusal::ConnectionRefused => io::ErrorKind::ConnectionRefused,
                Refusal::TtlExpired => io::ErrorKind::TimedOut,
                Refusal::CommandNotSupported | Refusal::AddressNotSupported => io::ErrorKind::Unsupported,
                Refusal::Failure | Refusal::Other(_) => io::ErrorKind::Other,
            },
            SocksError::NotSocks5 { .. }
            | SocksError::UnofferedMethod(_)
            | SocksError::LoginVersion(_)
            | SocksError::AddressKind(_) => io::ErrorKind::InvalidData,
        }
    }
}

impl Refusal {
    fn of(code: u8) -> Refusal {
        match code {
            1 => Refusal::Failure,
            2 => Refusal::NotAllowed,
            3 => Refusal::NetworkUnreachable,
            4 => Refusal::HostUnreachable,
            5 => Refusal::ConnectionRefused,
            6 => Refusal::TtlExpired,
            7 => Refusal::CommandNotSupported,
            8 => Refusal::AddressNotSupported,
            other => Refusal::Other(other),
        }
    }
}

impl fmt::Display for SocksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SocksError::NameTooLong => {
                f.write_str("the host's name has more than the 255 bytes that SOCKS5 can carry")
            }
            SocksError::LoginTooLong => {
                f.write_str("the name or password for the SOCKS5 proxy is not of 1 to 255 bytes")
            }
            SocksError::NotSocks5 { version } => {
                write!(f, "not a SOCKS5 proxy: it answered with version {version}; is SOCKS_PROXY right?")
            }
            SocksError::NoMethod => f.write_str(
                "the SOCKS5 proxy accepts no method that was offered; does it want SOCKS_USERNAME, or none?",
            ),
            SocksError::UnofferedMethod(method) => {
                write!(f, "the SOCKS5 proxy chose method {method}, which was not offered")
            }
            SocksError::LoginVersion(version) => {
                write!(f, "the SOCKS5 proxy answered the password with version {version}, not 1")
            }
            SocksError::LoginRefused(status) => write!(
                f,
                "the SOCKS5 proxy refused the name and password (status {status}); see SOCKS_USERNAME and SOCKS_PASSWORD"
            ),
            SocksError::Refused(refusal) => write!(f, "the SOCKS5 proxy did not connect: {refusal}"),
            SocksError::AddressKind(kind) => {
                write!(f, "the SOCKS5 proxy replied with an address of the unknown kind {kind}")
            }
            SocksError::Closed => f.write_str("the SOCKS5 proxy closed the connection before its reply"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::Failure => "it failed",
            Refusal::NotAllowed => "its rules do not allow it",
            Refusal::NetworkUnreachable => "network unreachable",
            Refusal::HostUnreachable => "host unreachable or unknown",
            Refusal::ConnectionRefused => "connection refused",
            Refusal::TtlExpired => "time to live expired",
            Refusal::CommandNotSupported => "it makes no connections",
            Refusal::AddressNotSupported => "it does not know this kind of address",
            Refusal::Other(code) => return write!(f, "code {code}"),
        })
    }
}

impl error::Error for SocksError {}

/// With the kind that says most; the error itself is its source.
impl From<SocksError> for io::Error {
    fn from(error: SocksError) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}

#[cfg(test)]
#[path = "socks_tests.rs"]
mod tests;
