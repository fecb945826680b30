//! What comes between greeting and traffic: commands of every broken kind, properties, refusals.

use zeroxide_zmtp::error::CommandKind;
use zeroxide_zmtp::{ProtocolError, SocketType};

use super::case::{After, BOMBS, Case, End, Target, command, long, property, ready};

/// The longest READY that a socket takes: its name, and 8 KiB of properties.
const MAX_READY: u64 = 6 + 8192;

pub fn cases() -> Vec<Case> {
    let mut cases = frames();
    cases.extend(commands());
    cases.extend(lists());
    cases.extend(cut_lists());
    cases.extend(types());
    cases.extend(errors());
    cases.extend(odd());
    cases
}

fn case(name: impl Into<String>, bytes: impl Into<Vec<u8>>, end: End) -> Case {
    Case::new(name, After::Greeting, bytes, end)
}

/// Frames that are no command, and headers of commands that nobody would send.
fn frames() -> Vec<Case> {
    let mut cases = Vec::new();
    for flags in [0, 1, 8, 0x40, 0xF1] {
        let end = End::Fault(ProtocolError::TrafficBeforeReady);
        cases.push(case(
            format!("message with flags {flags:02x} before READY"),
            [flags, 4, b'E', b'V', b'I', b'L'],
            end,
        ));
    }
    for flags in [0, 1] {
        let end = End::Fault(ProtocolError::TrafficBeforeReady);
        cases.push(case(
            format!("long message with flags {flags} before READY"),
            long(flags, 4, b"EVIL"),
            end,
        ));
    }
    for flags in [5, 0xF5] {
        let bytes = [&[flags, 6][..], b"\x05READY"].concat();
        cases.push(case(
            format!("READY with MORE and flags {flags:02x}"),
            bytes,
            End::malformed(CommandKind::Unnamed),
        ));
    }
    let long_more =
        case("long READY with MORE", long(5, 6, b"\x05READY"), End::malformed(CommandKind::Unnamed));
    cases.push(long_more);
    for length in BOMBS.into_iter().chain([MAX_READY + 1, 1 << 16, 1 << 20]) {
        let end = End::Fault(ProtocolError::CommandTooLong { length, limit: MAX_READY });
        cases.push(case(format!("READY of {length:#x} bytes"), long(4, length, b"\x05READY"), end));
        let end = End::Fault(ProtocolError::TrafficBeforeReady);
        cases.push(case(format!("message of {length:#x} bytes before READY"), long(0, length, b"EVIL"), end));
    }
    cases
}

/// Commands that have no place in a NULL handshake, well-formed and not.
fn commands() -> Vec<Case> {
    let mut cases = Vec::new();
    let unnamed: [(&str, &[u8]); 6] = [
        ("command without a body", b""),
        ("command without a name", b"\0"),
        ("command without a name but with data", b"\0READY"),
        ("command whose name is longer than it by one", b"\x06READY"),
        ("command whose name is said to have 255 bytes", b"\xffREADY"),
        ("command of a length byte alone", b"\x05"),
    ];
    cases.extend(unnamed.map(|(name, body)| case(name, command(body), End::malformed(CommandKind::Unnamed))));
    for name in ["ready", "Ready", "READYX", "READ", "\u{1}\u{2}", "A name of more than sixteen bytes"] {
        let body = [&[name.len() as u8][..], name.as_bytes()].concat();
        cases.push(case(format!("command {}", name.escape_default()), command(&body), End::unexpected(name)));
    }
    let longest = "N".repeat(255);
    let body = [&[255][..], longest.as_bytes()].concat();
    cases.push(case("command with the longest name", command(&body), End::unexpected(&longest)));
    let data: [(&str, &[u8]); 13] = [
        ("SUBSCRIBE", b""),
        ("SUBSCRIBE", b"EVIL"),
        ("CANCEL", b"EVIL"),
        ("PING", b"\0\0"),
        ("PING", b"\0\x01context"),
        ("PONG", b""),
        ("JOIN", b"group"),
        ("LEAVE", b"group"),
        ("HELLO", b"\x05admin\x06secret"),
        ("HELLO", b"\x01\x00"),
        ("WELCOME", b""),
        ("INITIATE", b"\x0bSocket-Type\0\0\0\x04PUSH"),
        ("MESSAGE", b"\0\0\0\0\0\0\0\x01EVIL"),
    ];
    for (n, (name, data)) in data.into_iter().enumerate() {
        let body = [&[name.len() as u8][..], name.as_bytes(), data].concat();
        cases.push(case(format!("{name} before READY, {n}"), command(&body), End::unexpected(name)));
    }
    // What a CURVE client and its server would send, by size.
    for (name, size) in [("HELLO", 200), ("WELCOME", 168), ("INITIATE", 257), ("MESSAGE", 33)] {
        let mut body = [&[name.len() as u8][..], name.as_bytes()].concat();
        body.resize(size, 0xA5);
        cases.push(case(format!("{name} of CURVE"), command(&body), End::unexpected(name)));
    }
    for (n, body) in [&b"\x04PING"[..], b"\x04PING\0"].into_iter().enumerate() {
        let name = format!("PING of {} bytes before READY", 5 + n);
        cases.push(case(name, command(body), End::malformed(CommandKind::Ping)));
    }
    cases
}

const INVALID: End = End::Fault(ProtocolError::InvalidMetadata);

/// Property lists that do not parse, or are too long.
fn lists() -> Vec<Case> {
    let socket_type = property(b"Socket-Type", b"PUSH");
    let with = |bytes: &[u8]| ready(&[&socket_type[..], bytes].concat());
    let mut cases = vec![
        case("property without a name", with(b"\0\0\0\0\x01x"), INVALID),
        case("property whose name is no text", with(&property(b"X-\xff\xfe", b"v")), INVALID),
        case("properties and a byte too many", with(b"\x01"), INVALID),
        case("properties and rubbish", with(&[0xFF; 100]), INVALID),
        case("identity of 256 bytes", with(&property(b"Identity", &[b'i'; 256])), INVALID),
        case("identity of 8000 bytes", with(&property(b"Identity", &[b'i'; 8000])), INVALID),
    ];
    for length in [2, 0xFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, u32::MAX - 4, u32::MAX] {
        let bytes = [&b"\x03X-k"[..], &length.to_be_bytes(), b"v"].concat();
        cases.push(case(
            format!("property of {length:#x} bytes of which one is there"),
            with(&bytes),
            INVALID,
        ));
    }
    let many =
        |n: usize| (0..n).flat_map(|n| property(format!("X-{n}").as_bytes(), b"v")).collect::<Vec<u8>>();
    cases.push(case("257 properties", with(&many(256)), INVALID));
    cases.push(case("256 properties", with(&many(255)), End::Served));
    let (most, more) = (property(b"X-k", &vec![0; 8192 - 20 - 8]), property(b"X-k", &vec![0; 8192 - 20 - 7]));
    cases.push(case("properties of 8192 bytes", with(&most), End::Served));
    let end = End::Fault(ProtocolError::CommandTooLong { length: MAX_READY + 1, limit: MAX_READY });
    cases.push(case("properties of 8193 bytes", with(&more), end));
    cases
}

/// A READY that ends within its properties, at each of their bytes; its frame says so.
fn cut_lists() -> Vec<Case> {
    let whole = [property(b"Socket-Type", b"PUSH"), property(b"Identity", b"id")].concat();
    let boundary = property(b"Socket-Type", b"PUSH").len();
    let cut = |length: &usize| *length != 0 && *length != boundary;
    (0..whole.len())
        .filter(cut)
        .map(|length| {
            case(format!("READY cut after {length} bytes of properties"), ready(&whole[..length]), INVALID)
        })
        .collect()
}

/// Socket types that a PULL does not talk to, or that nobody knows.
fn types() -> Vec<Case> {
    let own = SocketType::Pull;
    let mismatch = |peer| End::Fault(ProtocolError::SocketTypeMismatch { own, peer });
    let mut cases = Vec::new();
    for peer in (0..=20).filter_map(SocketType::from_number).filter(|peer| !own.talks_to(*peer)) {
        let bytes = ready(&property(b"Socket-Type", peer.name().as_bytes()));
        cases.push(case(format!("a {peer} to a PULL"), bytes, mismatch(Some(peer))));
    }
    let unknown: [&[u8]; 8] = [b"", b"push", b"PUSH ", b"PUSH\0", b"PUS", b"EVIL", b"\xff", &[b'P'; 300]];
    for name in unknown {
        let text = name[..name.len().min(8)].escape_ascii();
        let bytes = ready(&property(b"Socket-Type", name));
        cases.push(case(format!("socket type \"{text}\" of {} bytes", name.len()), bytes, mismatch(None)));
    }
    let twice = [property(b"Socket-Type", b"PUSH"), property(b"Socket-Type", b"SUB")].concat();
    cases.push(case("two socket types, one of them wrong", ready(&twice), mismatch(Some(SocketType::Sub))));
    cases
}

/// ERROR commands of all shapes. A server that is refused forgets the client; a client dials again.
fn errors() -> Vec<Case> {
    let malformed = || End::malformed(CommandKind::Error);
    static LONGEST: [u8; 255] = [b'r'; 255];
    vec![
        case("ERROR without a reason", command(b"\x05ERROR\x00"), End::refused(b"")),
        case("ERROR 300", command(b"\x05ERROR\x03300"), End::refused(b"300")),
        case("ERROR 400", command(b"\x05ERROR\x03400"), End::refused(b"400")),
        case("ERROR 500", command(b"\x05ERROR\x03500"), End::refused(b"500")),
        case("ERROR with a status that does not exist", command(b"\x05ERROR\x03999"), End::refused(b"999")),
        case("ERROR with terminal codes", command(b"\x05ERROR\x06\x1b[2J\r\n"), End::refused(b"\x1b[2J\r\n")),
        case("ERROR with format letters", command(b"\x05ERROR\x04%n%s"), End::refused(b"%n%s")),
        case("ERROR with a zero byte", command(b"\x05ERROR\x03a\0b"), End::refused(b"a\0b")),
        case("ERROR with bytes behind its reason", command(b"\x05ERROR\x03400more"), End::refused(b"400")),
        case(
            "ERROR with the longest reason",
            command(&[&b"\x05ERROR\xff"[..], &LONGEST].concat()),
            End::refused(&LONGEST),
        ),
        case("ERROR of its name alone", command(b"\x05ERROR"), malformed()),
        case("ERROR whose reason is cut", command(b"\x05ERROR\x0440"), malformed()),
        case("ERROR whose reason is said to have 255 bytes", command(b"\x05ERROR\xff400"), malformed()),
    ]
}

/// What looks wrong and is right.
fn odd() -> Vec<Case> {
    let socket_type = property(b"Socket-Type", b"PUSH");
    let list = |parts: &[Vec<u8>]| ready(&parts.concat());
    let whole = |flags: u8| [&[flags, 26][..], b"\x05READY", &socket_type].concat();
    let mut long_form = [b"\x05READY", &socket_type[..]].concat();
    long_form = long(4, long_form.len() as u64, &long_form);
    vec![
        case("READY without properties", command(b"\x05READY"), End::Served),
        case("READY in the long form though it is short", long_form, End::Served),
        case("READY with flag bits that mean nothing", whole(0xFC & !2), End::Served),
        case("property names in other cases", list(&[property(b"sOCKET-tYPE", b"PUSH")]), End::Served),
        case("the same property twice", list(&[socket_type.clone(), socket_type.clone()]), End::Served),
        case(
            "identity twice",
            list(&[property(b"Identity", b"a"), property(b"Identity", b"b")]),
            End::Served,
        )
        .at(Target::Router),
        case("identity of 255 bytes", list(&[property(b"Identity", &[b'i'; 255])]), End::Served)
            .at(Target::Router),
        case(
            "identity that begins with a zero byte",
            list(&[property(b"Identity", b"\0\0\0\0\x01")]),
            End::Served,
        )
        .at(Target::Router),
        case(
            "a property of the authenticator's",
            list(&[socket_type.clone(), property(b"User-Id", b"root")]),
            End::Served,
        ),
        case(
            "a property with an empty value",
            list(&[socket_type.clone(), property(b"X-k", b"")]),
            End::Served,
        ),
    ]
}
