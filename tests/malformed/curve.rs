//! What a CURVE server gets from its clients, and a CURVE client from its servers (RFC 25, 26): proper commands bent at
//! every part of them, and improper ones.

use zeroxide::Version;
use zeroxide_zmtp::ProtocolError;
use zeroxide_zmtp::error::CommandKind;
use zeroxide_zmtp::mechanism::Status;

use super::case::{After, BOMBS, Case, End, Target, command, long};
use super::common;
use super::honest::Bend;

pub fn cases() -> Vec<Case> {
    let mut cases = greetings();
    cases.extend(hellos());
    cases.extend(weak_keys());
    cases.extend(initiates());
    cases.extend(welcomes());
    cases.extend(readies());
    cases.extend(messages());
    cases.extend(to_servers());
    cases.extend(to_clients());
    cases.extend(bombs());
    cases
}

fn greeting(mechanism: &[u8]) -> Vec<u8> {
    let mut greeting = common::greeting();
    greeting[12..32].fill(0);
    greeting[12..12 + mechanism.len()].copy_from_slice(mechanism);
    greeting
}

fn case(target: Target, name: impl Into<String>, after: After, bytes: impl Into<Vec<u8>>, end: End) -> Case {
    Case::new(format!("to a {target:?}: {}", name.into()), after, bytes, end).at(target)
}

fn bent(target: Target, after: After, name: impl Into<String>, bend: Bend, end: End) -> Case {
    Case { bend, ..case(target, name, after, Vec::new(), end) }
}

fn forged(kind: CommandKind) -> End {
    End::Fault(ProtocolError::Forged(kind))
}

/// Other mechanisms, versions that have none, and silence.
fn greetings() -> Vec<Case> {
    let mut cases = Vec::new();
    for target in [Target::CurveServer, Target::CurveClient] {
        for name in ["NULL", "PLAIN", "curve", "CURVEX", ""] {
            let mut peer = [0; 20];
            peer[..name.len()].copy_from_slice(name.as_bytes());
            let end = End::Fault(ProtocolError::MechanismMismatch { peer });
            cases.push(case(
                target,
                format!("mechanism {name:?}"),
                After::Connecting,
                greeting(name.as_bytes()),
                end,
            ));
        }
        let old: [(&str, &[u8], Version); 2] = [
            ("a message of zmtp 1.0 (CVE-2014-9721)", b"\x01\x00\x05\x00EVIL", Version::V1_0),
            (
                "a message of zmtp 2.0 (CVE-2014-9721)",
                b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08\0\0\0\x04EVIL",
                Version::V2_0,
            ),
        ];
        for (name, bytes, version) in old {
            cases.push(case(target, name, After::Connecting, bytes, End::too_old(version)));
        }
        for after in [After::Connecting, After::Greeting, After::Command, After::Handshake] {
            cases.push(
                case(target, format!("closed {after:?}"), after, Vec::new(), End::PeerClosed).closing(),
            );
        }
    }
    cases
}

/// A HELLO of 200 bytes: version at 6, zeros at 8, C' at 80, nonce at 112, box at 120.
fn hellos() -> Vec<Case> {
    let case = |name: String, bend, end| bent(Target::CurveServer, After::Greeting, name, bend, end);
    let malformed = || End::malformed(CommandKind::Hello);
    let mut cases = vec![
        case("a HELLO for another server".into(), Bend::Misled, forged(CommandKind::Hello)),
        case("HELLO twice".into(), Bend::Twice, End::unexpected("HELLO")),
        case(
            "HELLO with a byte too many".into(),
            Bend::Grown(1),
            End::Fault(ProtocolError::CommandTooLong { length: 201, limit: 200 }),
        ),
    ];
    for at in [6, 7, 8, 40, 79] {
        cases.push(case(format!("HELLO with byte {at} changed"), Bend::Flipped(at * 8), malformed()));
    }
    for at in [80, 96, 111, 112, 119, 120, 135, 136, 160, 199] {
        cases.push(case(
            format!("HELLO with byte {at} changed"),
            Bend::Flipped(at * 8),
            forged(CommandKind::Hello),
        ));
    }
    for length in [6, 7, 8, 79, 80, 112, 120, 136, 199] {
        cases.push(case(format!("HELLO of {length} bytes"), Bend::Cut(length), malformed()));
    }
    cases
}

/// Keys of low order, with which anybody could know the secret (RFC 7748 §6.1).
fn weak_keys() -> Vec<Case> {
    let mut keys = vec![[0; 32]; 2];
    keys[1][0] = 1;
    for first in [0xEC, 0xED, 0xEE] {
        let mut key = [0xFF; 32];
        (key[0], key[31]) = (first, 0x7F);
        keys.push(key);
    }
    let weak = |(n, key): (usize, &[u8; 32])| {
        let body = [&b"\x05HELLO\x01\x00"[..], &[0; 72], key, &1_u64.to_be_bytes(), &[0xA5; 80]].concat();
        let name = format!("HELLO with a key of low order, {n}");
        case(Target::CurveServer, name, After::Greeting, command(&body), End::Fault(ProtocolError::WeakKey))
    };
    keys.iter().enumerate().map(weak).collect()
}

/// An INITIATE: cookie at 9, nonce at 105, box at 113.
fn initiates() -> Vec<Case> {
    let case = |name: String, bend, end| bent(Target::CurveServer, After::Command, name, bend, end);
    let kind = CommandKind::Initiate;
    let mut cases = vec![
        case(
            "a client whose key is not known".into(),
            Bend::ByStranger,
            End::Denied(Status::AuthenticationFailure),
        ),
        case(
            "INITIATE with HELLO's nonce or less".into(),
            Bend::Flipped(112 * 8 + 1),
            End::Fault(ProtocolError::Replayed(kind)),
        ),
        case("INITIATE with a byte too many".into(), Bend::Grown(1), forged(kind)),
    ];
    for at in [9, 24, 25, 40, 104, 105, 111, 113, 128, 129, 160, 161, 256, 257] {
        cases.push(case(format!("INITIATE with byte {at} changed"), Bend::Flipped(at * 8), forged(kind)));
    }
    for length in [9, 10, 25, 104, 105, 113, 129, 160, 256] {
        cases.push(case(format!("INITIATE of {length} bytes"), Bend::Cut(length), End::malformed(kind)));
    }
    for length in [257, 260, 270] {
        cases.push(case(format!("INITIATE of {length} bytes"), Bend::Cut(length), forged(kind)));
    }
    cases
}

/// A WELCOME of 168 bytes: nonce at 8, box at 24.
fn welcomes() -> Vec<Case> {
    let case = |name: String, bend, end| bent(Target::CurveClient, After::Greeting, name, bend, end);
    let kind = CommandKind::Welcome;
    let mut cases = vec![
        case("WELCOME twice".into(), Bend::Twice, End::unexpected("WELCOME")),
        case("WELCOME with a byte too many".into(), Bend::Grown(1), End::malformed(kind)),
    ];
    for at in [8, 23, 24, 39, 40, 71, 72, 100, 167] {
        cases.push(case(format!("WELCOME with byte {at} changed"), Bend::Flipped(at * 8), forged(kind)));
    }
    for length in [8, 9, 24, 40, 167] {
        cases.push(case(format!("WELCOME of {length} bytes"), Bend::Cut(length), End::malformed(kind)));
    }
    cases
}

/// A READY: nonce at 6, box at 14.
fn readies() -> Vec<Case> {
    let case = |name: String, bend, end| bent(Target::CurveClient, After::Command, name, bend, end);
    let kind = CommandKind::Ready;
    let mut cases = vec![
        case("READY twice".into(), Bend::Twice, End::malformed(CommandKind::Message)),
        case("READY with a byte too many".into(), Bend::Grown(1), forged(kind)),
    ];
    for at in [6, 13, 14, 29, 30, 40] {
        cases.push(case(format!("READY with byte {at} changed"), Bend::Flipped(at * 8), forged(kind)));
    }
    for length in [6, 7, 14, 29] {
        cases.push(case(format!("READY of {length} bytes"), Bend::Cut(length), End::malformed(kind)));
    }
    for length in [30, 40] {
        cases.push(case(format!("READY of {length} bytes"), Bend::Cut(length), forged(kind)));
    }
    cases
}

/// A MESSAGE: nonce at 8, tag at 16, flags at 32, payload at 33. And traffic that is not sealed at all.
fn messages() -> Vec<Case> {
    let kind = CommandKind::Message;
    let mut cases = Vec::new();
    for target in [Target::CurveServer, Target::CurveClient] {
        let clear = |name: &str, bytes: Vec<u8>, end| case(target, name, After::Handshake, bytes, end);
        let bent = |name: String, bend, end| bent(target, After::Handshake, name, bend, end);
        cases.push(bent(
            "MESSAGE twice (CVE-2014-7203)".into(),
            Bend::Twice,
            End::Fault(ProtocolError::Replayed(kind)),
        ));
        cases.push(bent(
            "MESSAGE with an old nonce".into(),
            Bend::Flipped(15 * 8 + 1),
            End::Fault(ProtocolError::Replayed(kind)),
        ));
        cases.push(bent("MESSAGE with a byte too many".into(), Bend::Grown(1), forged(kind)));
        cases.push(bent(
            "MESSAGE with the highest nonce that is not its own".into(),
            Bend::Flipped(8 * 8 + 7),
            forged(kind),
        ));
        for at in [0, 1, 7] {
            cases.push(bent(
                format!("MESSAGE with byte {at} changed"),
                Bend::Flipped(at * 8),
                End::malformed(kind),
            ));
        }
        for at in [8, 14, 16, 31, 32, 33, 36] {
            cases.push(bent(format!("MESSAGE with byte {at} changed"), Bend::Flipped(at * 8), forged(kind)));
        }
        for length in [0, 1, 8, 16, 32] {
            cases.push(bent(format!("MESSAGE of {length} bytes"), Bend::Cut(length), End::malformed(kind)));
        }
        for length in [33, 36] {
            cases.push(bent(format!("MESSAGE of {length} bytes"), Bend::Cut(length), forged(kind)));
        }
        cases.push(clear("a message in the clear", common::message(&[b"EVIL"]), End::malformed(kind)));
        cases.push(clear("a long message in the clear", long(0, 50, &[b'E'; 50]), End::malformed(kind)));
        cases.push(clear("PING in the clear", command(b"\x04PING\0\0"), End::malformed(kind)));
        cases.push(clear("ERROR in the clear", command(b"\x05ERROR\x03400"), End::malformed(kind)));
        cases.push(clear("SUBSCRIBE in the clear", command(b"\x09SUBSCRIBEtopic"), End::malformed(kind)));
        cases.push(clear("MORE outside the box", long(1, 33, &[0; 33]), End::malformed(kind)));
        cases.push(clear("nothing but a proper handshake", Vec::new(), End::Served));
        for length in BOMBS {
            let end = End::Fault(ProtocolError::FrameTooLong { length, limit: (64 << 20) + 33 });
            cases.push(clear(&format!("MESSAGE of {length:#x} bytes"), long(0, length, b"\x07MESSAGE"), end));
        }
    }
    cases
}

/// Commands that no honest client would have.
fn to_servers() -> Vec<Case> {
    let first =
        |name: &str, bytes: Vec<u8>, end| case(Target::CurveServer, name, After::Greeting, bytes, end);
    let before_ready = || End::Fault(ProtocolError::TrafficBeforeReady);
    let malformed = || End::malformed(CommandKind::Hello);
    let rubbish = [&b"\x05HELLO"[..], &[0xA5; 194]].concat();
    let after_welcome = common::message(&[b"EVIL"]);
    let mut cases = vec![
        first("HELLO of PLAIN", command(b"\x05HELLO\x03ann\x06secret"), malformed()),
        first("HELLO of rubbish", command(&rubbish), malformed()),
        first("a message first", common::message(&[b"EVIL"]), before_ready()),
        first("ERROR", command(b"\x05ERROR\x03400"), End::unexpected("ERROR")),
        case(Target::CurveServer, "a message after WELCOME", After::Command, after_welcome, before_ready()),
    ];
    cases.extend(["READY", "WELCOME", "INITIATE", "MESSAGE", "SUBSCRIBE"].map(|name| {
        let body = [&[name.len() as u8][..], name.as_bytes(), &[0; 40]].concat();
        first(&format!("{name} first"), command(&body), End::unexpected(name))
    }));
    cases
}

/// Commands that no honest server would have.
fn to_clients() -> Vec<Case> {
    let first =
        |name: &str, bytes: Vec<u8>, end| case(Target::CurveClient, name, After::Greeting, bytes, end);
    let error = |status: &[u8]| command(&[b"\x05ERROR\x03", status].concat());
    let before_ready = End::Fault(ProtocolError::TrafficBeforeReady);
    let hello = [&b"\x05HELLO"[..], &[0; 194]].concat();
    let mut cases = vec![
        first("a message first", common::message(&[b"EVIL"]), before_ready),
        first("ERROR 400 instead of WELCOME", error(b"400"), End::refused(b"400")),
        first("ERROR that is cut", command(b"\x05ERROR\x0440"), End::malformed(CommandKind::Error)),
        first("WELCOME of PLAIN", command(b"\x07WELCOME"), End::malformed(CommandKind::Welcome)),
        first("HELLO, of two clients", command(&hello), End::unexpected("HELLO")),
        case(
            Target::CurveClient,
            "ERROR 500 instead of READY",
            After::Command,
            error(b"500"),
            End::refused(b"500"),
        ),
    ];
    cases.extend(["READY", "INITIATE", "MESSAGE", "SUBSCRIBE"].map(|name| {
        let body = [&[name.len() as u8][..], name.as_bytes(), &[0; 40]].concat();
        first(&format!("{name} first"), command(&body), End::unexpected(name))
    }));
    cases
}

/// Handshake commands with lengths beyond every limit.
fn bombs() -> Vec<Case> {
    const MAX_INITIATE: u64 = 9 + 96 + 8 + 16 + 32 + 96 + 8192;
    let commands: [(Target, After, &[u8], u64); 3] = [
        (Target::CurveServer, After::Greeting, b"\x05HELLO", 200),
        (Target::CurveServer, After::Command, b"\x08INITIATE", MAX_INITIATE),
        (Target::CurveClient, After::Greeting, b"\x07WELCOME", 262),
    ];
    let mut cases = Vec::new();
    for (target, after, name, limit) in commands {
        for length in BOMBS.into_iter().chain([limit + 1]) {
            let text = format!("{} of {length:#x} bytes", name[1..].escape_ascii());
            let end = End::Fault(ProtocolError::CommandTooLong { length, limit });
            cases.push(case(target, text, after, long(4, length, name), end));
        }
    }
    cases
}
