//! The greeting of ZMTP 3 (RFC 37 §3.2): 64 bytes each way.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use crate::exit::{End, Outcome};

/// The length of a greeting.
const LENGTH: usize = 64;
/// The length of the signature and the version: what every version since 3.0 has in common.
const HEAD: usize = 11;

/// What is sent before the peer's greeting is known.
const UNTIL_VERSION: usize = 12;

/// What a peer has said of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Greeting {
    /// Major and minor version of ZMTP.
    pub(super) version: (u8, u8),
    /// The name of the mechanism.
    pub(super) mechanism: String,
}

/// Sends a greeting up to its version, and returns the peer's. The mechanism stays unsaid: libzmq closes without a greeting of its
/// own if it does not like ours.
pub(super) fn exchange(stream: &mut (impl Read + Write), limit: Duration) -> Outcome<Greeting> {
    let sent = stream.write_all(&ours()[..UNTIL_VERSION]);
    let received = read(stream);
    // A peer that has closed has often said why before.
    let received = match (sent, received) {
        (Err(error), Ok(bytes)) if bytes.is_empty() => Err(error),
        (_, received) => received,
    };
    let received = received.map_err(|error| match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => End::TimedOut(format!(
            "peer sent no greeting in {limit:?}; does it speak ZMTP, and is it not stopped?"
        )),
        _ => End::failed(format!("connection lost before the greeting: {error}")),
    })?;
    parse(&received).map_err(End::Failed)
}

/// Sends the rest of the greeting, which offers NULL.
pub(super) fn finish(stream: &mut impl Write) -> std::io::Result<()> {
    stream.write_all(&ours()[UNTIL_VERSION..])
}

/// Reads up to a whole greeting. What is no ZMTP may be shorter and wait for more.
fn read(stream: &mut impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = [0; LENGTH];
    let mut length = 0;
    while length < LENGTH {
        match stream.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(n) => length += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if length == 0 => return Err(error),
            Err(_) => break,
        }
        if !is_signature(&bytes[..length]) {
            break;
        }
    }
    Ok(bytes[..length].to_vec())
}

fn ours() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    (bytes[0], bytes[8], bytes[9]) = (0xFF, 1, 0x7F);
    (bytes[10], bytes[11]) = (3, 1);
    bytes[12..16].copy_from_slice(b"NULL");
    bytes
}

/// Returns whether these bytes may be the beginning of a signature.
fn is_signature(bytes: &[u8]) -> bool {
    bytes.first().is_none_or(|byte| *byte == 0xFF) && bytes.get(9).is_none_or(|byte| byte & 1 == 1)
}

/// Returns what a greeting says.
///
/// # Errors
/// Returns what these bytes are, if they are no greeting of ZMTP 3.
fn parse(bytes: &[u8]) -> Result<Greeting, String> {
    if bytes.is_empty() {
        return Err("peer closed before its greeting; is it full, or filtering addresses?".to_owned());
    }
    if !is_signature(bytes) || bytes.len() < HEAD {
        return Err(not_zmtp(bytes));
    }
    if bytes[10] < 3 {
        let version = if bytes[10] == 0 { "1.0" } else { "2.0" };
        return Err(format!(
            "peer speaks ZMTP {version} (libzmq before 4.0); allow it with --opt MIN_VERSION={version}"
        ));
    }
    let Some(mechanism) = bytes.get(12..32) else {
        return Err("peer closed inside its greeting".to_owned());
    };
    let name = mechanism.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(Greeting { version: (bytes[10], bytes[11]), mechanism: name.escape_ascii().to_string() })
}

fn not_zmtp(bytes: &[u8]) -> String {
    let first = bytes[..bytes.len().min(16)].escape_ascii();
    let guess = if bytes.starts_with(b"HTTP/") {
        "a web server"
    } else if bytes.starts_with(b"SSH-") {
        "an SSH server"
    } else if bytes.starts_with(&[0x15, 3]) {
        "a TLS server"
    } else {
        "another protocol, or a STREAM socket"
    };
    format!("peer does not speak ZMTP (first bytes \"{first}\"): {guess}; is the port right?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_says_version_and_mechanism() {
        let expected = Greeting { version: (3, 1), mechanism: "NULL".to_owned() };
        assert_eq!(parse(&ours()), Ok(expected));
        let mut curve = ours();
        curve[12..17].copy_from_slice(b"CURVE");
        assert_eq!(parse(&curve).unwrap().mechanism, "CURVE");
    }

    #[test]
    fn what_is_no_greeting_is_named() {
        assert!(parse(b"").unwrap_err().contains("closed before"));
        assert!(parse(b"HTTP/1.1 400").unwrap_err().contains("a web server"));
        assert!(parse(b"SSH-2.0").unwrap_err().contains("an SSH server"));
        assert!(parse(&[0x15, 3, 1]).unwrap_err().contains("a TLS server"));
        assert!(parse(&ours()[..20]).unwrap_err().contains("inside"));
        let mut old = ours();
        old[10] = 1;
        assert!(parse(&old).unwrap_err().contains("MIN_VERSION=2.0"));
    }

    #[test]
    fn every_beginning_of_a_greeting_is_read_on() {
        (0..LENGTH).for_each(|end| assert!(is_signature(&ours()[..end]), "{end}"));
        assert!(
            !is_signature(b"H") && !is_signature(&[0xFF; 9].iter().chain(&[0]).copied().collect::<Vec<_>>())
        );
    }
}
