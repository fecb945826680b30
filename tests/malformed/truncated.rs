//! Peers that stop in the middle, everywhere: some close, some only stop.

use super::case::{After, Case, End, Target, command, long};
use super::common::message;

pub fn cases() -> Vec<Case> {
    let mut cases = closed();
    cases.extend(silent());
    cases
}

/// Closed after each byte of a handshake, and within messages.
fn closed() -> Vec<Case> {
    let whole = Target::Pull.opening(After::Handshake).concat();
    let mut cases: Vec<Case> = (0..whole.len())
        .map(|length| {
            let name = format!("closed after {length} bytes of the handshake");
            Case::new(name, After::Connecting, &whole[..length], End::PeerClosed).closing()
        })
        .collect();
    let message = [message(&[b"EVIL", b"EVIL"]), long(0, 4, b"EVIL")].concat();
    let first = [&[1, 4][..], b"EVIL"].concat();
    let parts: [(&str, Vec<u8>); 6] = [
        ("closed behind the handshake", Vec::new()),
        ("closed within a header", vec![2, 0, 0]),
        ("closed within a frame", message[..4].to_vec()),
        ("closed between two frames (CVE-2021-20234)", first.clone()),
        ("closed within a long frame", long(0, 1 << 20, &[b'E'; 5000])),
        ("closed within a command", command(b"\x04PING\0\0")[..5].to_vec()),
    ];
    cases.extend(
        parts.map(|(name, bytes)| Case::new(name, After::Handshake, bytes, End::PeerClosed).closing()),
    );
    cases
}

/// Silent after some byte of a handshake, until the deadline.
fn silent() -> Vec<Case> {
    let whole = Target::Pull.opening(After::Handshake).concat();
    let case = |length: usize| {
        let end = if length < 10 { End::NoSignature } else { End::TimedOut };
        let name = format!("silent after {length} bytes of the handshake");
        Case::new(name, After::Connecting, &whole[..length], end).at(Target::Hasty)
    };
    let lengths = [0, 1, 2, 9, 10, 11, 12, 31, 32, 63, 64, 65, 66, 67, 72, whole.len() - 1];
    lengths.map(case).into()
}
