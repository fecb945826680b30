//! The client side of SOCKS5, without I/O (RFC 1928, RFC 1929).
//!
//! The dialogue has three steps: the offered method and the proxy's choice; optionally a name and a password, and the
//! proxy's status; the request to connect, and the reply. The peer's own bytes follow the reply. So the caller must not
//! read more than [`Socks::missing`] bytes.
//!
//! Invariant: at most one message of the proxy is kept, of at most 262 bytes. None is accepted before the message that
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

/// The longest message of a proxy, in bytes: a reply with a name of 255 bytes.
pub const LONGEST: usize = 7 + 255;

/// The dialogue with a proxy for one connection.
///
/// Send [`Socks::output`] and pass the number of sent bytes to [`Socks::sent`]. When no output is left, read up to
/// [`Socks::missing`] bytes and pass them to [`Socks::receive`]. Repeat this until [`Socks::is_done`].
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
    /// The received part of the awaited message.
    received: Vec<u8>,
    /// It may contain the password.
    output: Secret,
    sent: usize,
    /// The request, until it is sent.
    request: Vec<u8>,
    login: Option<Login>,
}

/// The name and the password for a proxy that requires them, of up to 255 bytes each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub username: Bytes,
    /// The password; may be empty.
    pub password: Secret,
}

/// The awaited message of the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Method,
    Login,
    Reply,
    /// No message: the peer's own bytes follow.
    Done,
}

impl Socks {
    /// Begins a dialogue for a connection to `host`. The proxy looks up a host name. With `login` only that method is
    /// offered, so a proxy that requires no login is not used.
    ///
    /// # Errors
    /// Returns [`SocksError::NameTooLong`] if the host's name is longer than 255 bytes, the limit of the protocol.
    /// Returns [`SocksError::LoginTooLong`] if the user name or the password is longer, or the user name is empty.
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

    /// Returns what is to be sent now.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        self.output.expose().get(self.sent..).unwrap_or_default()
    }

    /// Takes note that `n` bytes of the output are sent.
    pub fn sent(&mut self, n: usize) {
        self.sent = self.sent.saturating_add(n);
    }

    /// Returns how many bytes may be read now: no more than the dialogue needs, and none while there is output.
    #[must_use]
    pub fn missing(&self) -> usize {
        if self.output().is_empty() { self.length().saturating_sub(self.received.len()) } else { 0 }
    }

    /// Returns whether the connection to the peer is made. All further bytes are the peer's.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.step == Step::Done
    }

    /// Handles input from the proxy. Returns how many of the bytes it used.
    ///
    /// # Errors
    /// Returns the fault of the proxy. The connection cannot be used then.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<usize, SocksError> {
        let mut rest = bytes;
        loop {
            let (needed, after) = rest.split_at_checked(self.missing()).unwrap_or((rest, &[]));
            if needed.is_empty() {
                return Ok(bytes.len().saturating_sub(rest.len()));
            }
            self.received.extend_from_slice(needed);
            rest = after;
            self.check()?;
            if self.missing() == 0 {
                self.go_on();
            }
        }
    }

    /// Returns the length of the awaited message, as far as it is known.
    fn length(&self) -> usize {
        match self.step {
            Step::Method | Step::Login => 2,
            Step::Reply => match self.received[..] {
                [_, _, _, V4, ..] => 4 + 4 + 2,
                [_, _, _, V6, ..] => 4 + 16 + 2,
                [_, _, _, NAME, length, ..] => usize::from(length).saturating_add(5 + 2),
                _ => 5,
            },
            Step::Done => 0,
        }
    }

    /// Checks what has arrived, byte by byte, so that the fault does not depend on how the input was cut.
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
            // The third byte is reserved and ignored.
            (Step::Reply, [_, _, _, kind, ..]) if ![V4, V6, NAME].contains(kind) => {
                Err(SocksError::AddressKind(*kind))
            }
            _ => Ok(()),
        }
    }

    /// Goes on to the next step after a complete message.
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
    /// Returns the message with name and password (RFC 1929 §2). It is allocated once, so that no copy of the password
    /// is left in memory.
    fn message(&self) -> Secret {
        let (name, password) = (&self.username[..], self.password.expose());
        let mut message = Vec::with_capacity(name.len().saturating_add(password.len()).saturating_add(3));
        message.push(LOGIN_VERSION);
        for text in [name, password] {
            message.push(u8::try_from(text.len()).unwrap_or(u8::MAX));
            message.extend_from_slice(text);
        }
        Secret::new(message)
    }
}

/// Returns the request to connect (RFC 1928 §4).
fn request(host: &Host, port: Port) -> Result<Vec<u8>, SocksError> {
    let mut request = vec![VERSION, CONNECT, 0];
    match host {
        Host::Any => request.extend([V4, 0, 0, 0, 0]),
        Host::V4(address) => {
            request.push(V4);
            request.extend(address.octets());
        }
        // A zone has a meaning on this machine only.
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
    /// The server is not a SOCKS5 proxy.
    NotSocks5 {
        /// The version in its message.
        version: u8,
    },
    /// The proxy accepts no offered method: it requires a name and a password, or does not support them (RFC 1928 §3).
    NoMethod,
    /// The proxy chose a method that was not offered.
    UnofferedMethod(u8),
    /// The proxy's status message for the name and password has another version than 1 (RFC 1929 §2).
    LoginVersion(u8),
    /// The proxy does not accept the name and password. This is its status.
    LoginRefused(u8),
    /// The proxy did not connect.
    Refused(Refusal),
    /// The reply has an address of a kind that is not in RFC 1928 §5.
    AddressKind(u8),
    /// The proxy closed the connection before its reply was complete.
    Closed,
}

/// Why a proxy did not connect (RFC 1928 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// 1: the proxy failed.
    Failure,
    /// 2: the proxy's rules do not allow the connection.
    NotAllowed,
    /// 3: the network cannot be reached.
    NetworkUnreachable,
    /// 4: the host cannot be reached, or its name is unknown.
    HostUnreachable,
    /// 5: there is no listener.
    ConnectionRefused,
    /// 6: the time to live has expired.
    TtlExpired,
    /// 7: the proxy does not support CONNECT.
    CommandNotSupported,
    /// 8: the proxy does not support this kind of address.
    AddressNotSupported,
    /// A code without a meaning.
    Other(u8),
}

impl SocksError {
    /// Returns whether the fault is the proxy's, or lies in how it is used, and is not that of the peer behind it.
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

/// Converts into an [`io::Error`] of the most specific kind, with the error as its source.
impl From<SocksError> for io::Error {
    fn from(error: SocksError) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}

#[cfg(test)]
#[path = "socks_tests.rs"]
mod tests;
