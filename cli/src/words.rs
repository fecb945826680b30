//! Errors of the library in the words of the command line: they name the flag to give instead of the function to call.

use zeroxide::{HandshakeCause, HandshakeError, Mechanism, ProtocolError};

/// Returns the text of a failed handshake.
pub(crate) fn handshake(error: &HandshakeError) -> String {
    match missing(error) {
        Some(text) => format!("{}: {text}", error.endpoint),
        None => error.to_string(),
    }
}

/// Returns the advice for two sides that want different mechanisms; `None` for another error.
fn missing(error: &HandshakeError) -> Option<String> {
    let HandshakeCause::Protocol(ProtocolError::MechanismMismatch { peer }) = &error.cause else {
        return None;
    };
    let ours = error.security.mechanism;
    mismatch(peer.split(|byte| *byte == 0).next()?, ours, error.connecting)
}

/// Returns which flags to give if the peer wants the mechanism `theirs` and this side offers `ours`.
pub(crate) fn mismatch(theirs: &[u8], ours: Mechanism, connecting: bool) -> Option<String> {
    let advice = match (theirs, connecting) {
        (b"CURVE", true) => "give --server-key with the server's public key",
        (b"CURVE", false) => "give --curve-server and --key",
        (b"PLAIN", true) => "give --user and --password-file",
        (b"PLAIN", false) => "give --users",
        (b"NULL", _) => "leave the flags of PLAIN and CURVE out, or set the peer up for them",
        _ => return None,
    };
    let theirs = theirs.escape_ascii();
    Some(format!("peer wants {theirs}, we offered {ours}: {advice}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mechanism_that_is_missing_has_its_flag() {
        let text = |theirs: &[u8], connecting| mismatch(theirs, Mechanism::Null, connecting).unwrap();
        assert!(text(b"CURVE", true).starts_with("peer wants CURVE, we offered NULL: give --server-key"));
        assert!(text(b"PLAIN", true).contains("--user"));
        assert!(text(b"CURVE", false).contains("--curve-server"));
        assert_eq!(mismatch(b"GSSAPI", Mechanism::Null, true), None);
    }
}
