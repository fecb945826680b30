//! Peers below ZMTP 3.0, where they are admitted: v1 and v2 framing, identities, no mechanism.

use zeroxide::Version;
use zeroxide_zmtp::ProtocolError;

use super::case::{After, BOMBS, Case, End, Target, long};

const MAX_FRAME: u64 = 64 << 20;

pub fn cases() -> Vec<Case> {
    let mut cases = identities();
    cases.extend(frames_v1());
    cases.extend(frames_v2());
    cases.extend(subscribers());
    cases.extend(refused());
    cases
}

fn case(name: impl Into<String>, bytes: impl Into<Vec<u8>>, end: End) -> Case {
    Case::new(name, After::Connecting, bytes, end).at(Target::OldPull)
}

/// A v1 frame with an 8-byte length, which counts the flags, and need not be its body's.
fn long_v1(length: u64, flags: u8, body: &[u8]) -> Vec<u8> {
    [&[0xFF][..], &length.to_be_bytes(), &[flags], body].concat()
}

/// The anonymous identity of ZMTP 1.0, and what follows it.
fn v1(rest: &[u8]) -> Vec<u8> {
    [&[1, 0][..], rest].concat()
}

/// The greeting of ZMTP 2.0 of a PUSH and its anonymous identity, and what follows them.
fn v2(rest: &[u8]) -> Vec<u8> {
    [&b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08"[..], &[0, 0], rest].concat()
}

fn identities() -> Vec<Case> {
    let malformed = |length| End::Fault(ProtocolError::MalformedIdentity { length });
    let greeting = b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08";
    let greeted = |rest: &[u8]| [&greeting[..], rest].concat();
    let mut cases = vec![
        case("http to a socket that admits zmtp 1.0", *b"GET / HTTP/1.1\r\n\r\n", malformed(0x46)),
        case(
            "tls to a socket that admits zmtp 1.0",
            *b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            malformed(0x15),
        ),
        case("identity of zmtp 1.0 with MORE", *b"\x05\x01name", malformed(4)),
        case("identity of zmtp 1.0 of 256 bytes", long_v1(257, 0, b"EVIL"), malformed(256)),
        case("identity of zmtp 1.0 with no length", *b"\x00EVIL", End::Fault(ProtocolError::EmptyFrameV1)),
        case(
            "identity of zmtp 1.0 with no long length",
            long_v1(0, 0, b"EVIL"),
            End::Fault(ProtocolError::EmptyFrameV1),
        ),
        case("identity of zmtp 2.0 with MORE", greeted(b"\x01\x04name"), malformed(4)),
        case("identity of zmtp 2.0 that is a command", greeted(b"\x04\x04name"), malformed(4)),
        case("identity of zmtp 2.0 of 256 bytes", greeted(&long(0, 256, b"EVIL")), malformed(256)),
    ];
    for length in BOMBS {
        let end = malformed(length - 1);
        cases.push(case(
            format!("identity of zmtp 1.0 of {length:#x} bytes"),
            long_v1(length, 0, b"EVIL"),
            end,
        ));
        let bytes = greeted(&long(0, length, b"EVIL"));
        cases.push(case(format!("identity of zmtp 2.0 of {length:#x} bytes"), bytes, malformed(length)));
    }
    cases
}

fn frames_v1() -> Vec<Case> {
    let too_long = |length| End::Fault(ProtocolError::FrameTooLong { length, limit: MAX_FRAME });
    let empty = || End::Fault(ProtocolError::EmptyFrameV1);
    let mut cases = vec![
        case("v1 frame of no length", v1(b"\x00EVIL"), empty()),
        case("v1 frame of no long length", v1(&long_v1(0, 0, b"EVIL")), empty()),
        case("v1 frame of no length within a message", v1(b"\x05\x01EVIL\x00"), empty()),
        // Each was one half of CVE-2021-20235.
        case(
            "two v1 messages of more than 8192 bytes",
            v1(&long_v1(9001, 0, &[b'.'; 9000]).repeat(2)),
            End::Served,
        ),
        case("v1 message with flags that mean nothing", v1(b"\x06\xfelegal"), End::Served),
        case("v1 message in the long form though it is short", v1(&long_v1(6, 0, b"legal")), End::Served),
    ];
    for length in BOMBS {
        for flags in [0, 1] {
            let bytes = v1(&long_v1(length, flags, &b"EVIL".repeat(20)));
            cases.push(case(
                format!("v1 frame of {length:#x} bytes, flags {flags}"),
                bytes,
                too_long(length - 1),
            ));
        }
    }
    cases
}

fn frames_v2() -> Vec<Case> {
    let too_long = |length| End::Fault(ProtocolError::FrameTooLong { length, limit: MAX_FRAME });
    let mut cases = vec![
        case("command to zmtp 2.0, which has none", v2(b"\x04\x07\x04PING\0\0"), End::Served),
        case("command without a body to zmtp 2.0", v2(b"\x04\x00"), End::Served),
        case("zmtp 1.0 with a greeting", *b"\xff\0\0\0\0\0\0\0\x01\x7f\x00\x08\x01\x00", End::Served),
    ];
    for length in BOMBS {
        let bytes = v2(&long(0, length, b"EVIL"));
        cases.push(case(format!("frame of {length:#x} bytes of zmtp 2.0"), bytes, too_long(length)));
    }
    for socket_type in [0, 2, 9, 0xFF] {
        let bytes = [&b"\xff\0\0\0\0\0\0\0\x01\x7f\x01"[..], &[socket_type], &[0, 0]].concat();
        cases.push(case(
            format!("zmtp 2.0 with socket type {socket_type}, which nobody looks at"),
            bytes,
            End::Served,
        ));
    }
    cases
}

/// Old subscribers, whose subscriptions are messages.
fn subscribers() -> Vec<Case> {
    let too_long = || End::Fault(ProtocolError::TopicTooLong { limit: 65_536 });
    let topic = [&[1][..], &[b't'; 65_537]].concat();
    let v2 = [&b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x0a"[..], &[0, 0]].concat();
    let case = |name: &str, bytes: Vec<u8>, end| case(name, bytes, end).at(Target::OldXPub);
    vec![
        case(
            "v1 subscription one byte too long",
            v1(&long_v1(topic.len() as u64 + 1, 0, &topic)),
            too_long(),
        ),
        case(
            "v2 subscription one byte too long",
            [v2, long(0, topic.len() as u64, &topic)].concat(),
            too_long(),
        ),
        case("v1 cancellation of nothing", v1(b"\x03\x00\x00t"), End::Served),
    ]
}

/// The same where they are not admitted.
fn refused() -> Vec<Case> {
    let case = |name, bytes, version| Case::new(name, After::Connecting, bytes, End::too_old(version));
    vec![
        case("v1 message to a socket that wants 3.0", v1(b"\x05\x00EVIL"), Version::V1_0),
        case("v2 message to a socket that wants 3.0", v2(b"\x00\x04EVIL"), Version::V2_0),
    ]
}
