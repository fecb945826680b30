//! What comes after the handshake: lengths, limits, commands, subscriptions, envelopes.

use zeroxide_zmtp::ProtocolError;
use zeroxide_zmtp::error::CommandKind;

use super::case::{After, BOMBS, Case, End, Target, command, long, ready};
use super::common::message;

/// MAXMSGSIZE as it comes.
const MAX_FRAME: u64 = 64 << 20;
/// MAX_TOPIC as it comes.
const MAX_TOPIC: usize = 65_536;
/// The longest command of an open connection: a SUBSCRIBE with the longest topic.
const MAX_COMMAND: u64 = MAX_TOPIC as u64 + 10;

pub fn cases() -> Vec<Case> {
    let mut cases = lengths();
    cases.extend(small_limits());
    cases.extend(commands());
    cases.extend(pings());
    cases.extend(subscriptions());
    cases.extend(envelopes());
    cases.extend(odd());
    cases
}

fn case(name: impl Into<String>, bytes: impl Into<Vec<u8>>, end: End) -> Case {
    Case::new(name, After::Handshake, bytes, end)
}

fn frame_too_long(length: u64, limit: u64) -> End {
    End::Fault(ProtocolError::FrameTooLong { length, limit })
}

/// Lengths beyond every limit. What follows them must not be taken for anything.
fn lengths() -> Vec<Case> {
    let mut cases = Vec::new();
    for length in BOMBS.into_iter().chain([MAX_FRAME + 1]) {
        for flags in [0, 1] {
            let bytes = long(flags, length, &b"EVIL".repeat(20));
            cases.push(case(
                format!("frame of {length:#x} bytes, flags {flags}"),
                bytes,
                frame_too_long(length, MAX_FRAME),
            ));
        }
        let end = End::Fault(ProtocolError::CommandTooLong { length, limit: MAX_COMMAND });
        cases.push(case(format!("command of {length:#x} bytes"), long(4, length, b"\x04PING"), end));
        let behind = [message(&[b"legal"]), long(0, length, b"EVIL")].concat();
        let end = frame_too_long(length, MAX_FRAME);
        cases.push(case(format!("frame of {length:#x} bytes behind a message"), behind, end));
        let within = [&[1, 4][..], b"EVIL", &long(0, length, b"EVIL")].concat();
        let end = frame_too_long(length, MAX_FRAME);
        cases.push(case(format!("second frame of {length:#x} bytes"), within, end));
        if length > i64::MAX as u64 {
            let end = frame_too_long(length, i64::MAX as u64);
            cases.push(
                case(format!("frame of {length:#x} bytes, without a limit"), long(0, length, b"EVIL"), end)
                    .at(Target::Unlimited),
            );
        } else {
            let bomb = long(0, length, &b"EVIL".repeat(1000));
            cases.push(
                case(
                    format!("frame of {length:#x} bytes of which 4000 come, without a limit"),
                    bomb,
                    End::PeerClosed,
                )
                .at(Target::Unlimited)
                .closing(),
            );
        }
    }
    let end = End::Fault(ProtocolError::CommandTooLong { length: MAX_COMMAND + 1, limit: MAX_COMMAND });
    cases.push(case("command one byte too long", long(4, MAX_COMMAND + 1, b"\x04PING"), end));
    // What a scanner sends for CVE-2019-6250: the length wraps, and what follows would be run.
    let proof = [&[2][..], &u64::MAX.to_be_bytes(), &[b'A'; 0x100], &[0xCC; 64]].concat();
    cases.push(case("the proof of CVE-2019-6250", proof, frame_too_long(u64::MAX, MAX_FRAME)));
    cases
}

/// A PULL of 3 frames, 1000 bytes each, 1500 together.
fn small_limits() -> Vec<Case> {
    let more = |n: usize| [1, 0].repeat(n);
    let too_many = || End::Fault(ProtocolError::TooManyFrames { limit: 3 });
    let too_long = || End::Fault(ProtocolError::MessageTooLong { limit: 1500 });
    let body = |n: usize| b"EVIL".repeat(n.div_ceil(4))[..n].to_vec();
    let frame = |flags: u8, n: usize| long(flags, n as u64, &body(n));
    let mut cases: Vec<Case> = vec![
        case("frame one byte too long", frame(0, 1001), frame_too_long(1001, 1000)),
        case("frame one byte too long, announced only", long(0, 1001, b""), frame_too_long(1001, 1000)),
        case(
            "second frame one byte too long",
            [frame(1, 1), frame(0, 1001)].concat(),
            frame_too_long(1001, 1000),
        ),
        case("fourth frame", [more(3), vec![0, 0]].concat(), too_many()),
        case("fourth frame with MORE", more(4), too_many()),
        case("endless MORE", more(5000), too_many()),
        case("endless MORE in the long form", long(1, 0, b"").repeat(500), too_many()),
        case("message one byte too long", [frame(1, 1000), frame(0, 501)].concat(), too_long()),
        case(
            "message too long in its third frame",
            [frame(1, 700), frame(1, 700), frame(0, 101)].concat(),
            too_long(),
        ),
        case("message too long with MORE", [frame(1, 1000), frame(1, 1000)].concat(), too_long()),
        case("longest frame", long(0, 1000, &[b'.'; 1000]), End::Served),
        case("most frames", [more(2), vec![0, 0]].concat(), End::Served),
        case(
            "longest message",
            [long(1, 1000, &[b'.'; 1000]), long(0, 500, &[b'.'; 500])].concat(),
            End::Served,
        ),
    ]
    .into_iter()
    .map(|case| case.at(Target::SmallPull))
    .collect();
    let end = End::Fault(ProtocolError::TooManyFrames { limit: 65_536 });
    cases.push(case("65537 empty frames", more(65_537), end));
    cases
}

/// Commands of the handshake once more, and commands that are none.
fn commands() -> Vec<Case> {
    let unnamed = || End::malformed(CommandKind::Unnamed);
    let type_of = b"\x0bSocket-Type\0\0\0\x04PUSH";
    vec![
        case("a second READY", ready(type_of), End::unexpected("READY")),
        case("a second READY without properties", ready(b""), End::unexpected("READY")),
        case("a second READY that does not parse", ready(b"\x05EVIL"), End::unexpected("READY")),
        case("ERROR after READY", command(b"\x05ERROR\x03400"), End::unexpected("ERROR")),
        case(
            "ERROR after READY that is cut",
            command(b"\x05ERROR\x0440"),
            End::malformed(CommandKind::Error),
        ),
        case("command without a body after READY", command(b""), unnamed()),
        case("command without a name after READY", command(b"\0"), unnamed()),
        case("command whose name is cut after READY", command(b"\x0aSUBSCRIBE"), unnamed()),
        case("command whose name is said to have 255 bytes after READY", command(b"\xffPING"), unnamed()),
        case("command with MORE", [&[5, 7][..], b"\x04PING\0\0"].concat(), unnamed()),
        case("long command with MORE", long(5, 7, b"\x04PING\0\0"), unnamed()),
        case("command with MORE within a message", [&[1, 4][..], b"EVIL", &[5, 1, 0]].concat(), unnamed()),
        case("command without a body within a message", [&[1, 4][..], b"EVIL", &[4, 0]].concat(), unnamed()),
    ]
}

/// PING is `04 PING ttl(2) context`: with less than 7 bytes libzmq reads what is not there.
fn pings() -> Vec<Case> {
    let ping = |context: usize| command(&[b"\x04PING\0\0", &vec![b'c'; context][..]].concat());
    let mut cases = vec![
        case("PING of 5 bytes", command(b"\x04PING"), End::malformed(CommandKind::Ping)),
        case("PING of 6 bytes", command(b"\x04PING\0"), End::malformed(CommandKind::Ping)),
        case(
            "PING of 6 bytes in the long form",
            long(4, 6, b"\x04PING\0"),
            End::malformed(CommandKind::Ping),
        ),
        case(
            "PING of 5 bytes behind a good one",
            [ping(0), command(b"\x04PING")].concat(),
            End::malformed(CommandKind::Ping),
        ),
        case("PING with the longest time to live", command(b"\x04PING\xff\xff"), End::Served),
        case("a thousand PINGs in one piece", ping(16).repeat(1000), End::Served),
        case("PONG that nobody asked for", command(b"\x04PONG"), End::Served),
        case("PONG with 300 bytes", command(&[&b"\x04PONG"[..], &[0; 300]].concat()), End::Served),
    ];
    for context in [0, 1, 16, 17, 255, 60_000] {
        cases.push(case(format!("PING with a context of {context} bytes"), ping(context), End::Served));
    }
    cases
}

/// Subscriptions beyond the limit, and those that mean nothing.
fn subscriptions() -> Vec<Case> {
    let named = |name: &[u8], topic: usize| command(&[name, &vec![b't'; topic][..]].concat());
    let as_message = |kind: u8, topic: usize| {
        let body = [&[kind][..], &vec![b't'; topic]].concat();
        long(0, body.len() as u64, &body)
    };
    let too_long = || End::Fault(ProtocolError::TopicTooLong { limit: MAX_TOPIC });
    let length = MAX_COMMAND + 1;
    let cut = End::Fault(ProtocolError::CommandTooLong { length, limit: MAX_COMMAND });
    vec![
        case("SUBSCRIBE with a topic one byte too long", named(b"\x09SUBSCRIBE", MAX_TOPIC + 1), cut),
        case("CANCEL with a topic one byte too long", named(b"\x06CANCEL", MAX_TOPIC + 1), too_long()),
        case("subscription as a message, one byte too long", as_message(1, MAX_TOPIC + 1), too_long()),
        case("cancellation as a message, one byte too long", as_message(0, MAX_TOPIC + 1), too_long()),
        case("subscription as a message of a megabyte", as_message(1, 1 << 20), too_long()),
        case("SUBSCRIBE with the longest topic", named(b"\x09SUBSCRIBE", MAX_TOPIC), End::Served),
        case(
            "the longest topic, subscribed and cancelled at once (CVE-2021-20236)",
            [named(b"\x09SUBSCRIBE", MAX_TOPIC), named(b"\x06CANCEL", MAX_TOPIC)].concat(),
            End::Served,
        ),
        case("CANCEL of what was not subscribed (libzmq#2942)", named(b"\x06CANCEL", 5), End::Served),
        case("CANCEL of everything", named(b"\x06CANCEL", 0), End::Served),
        case("the same SUBSCRIBE a hundred times", named(b"\x09SUBSCRIBE", 5).repeat(100), End::Served),
        case(
            "SUBSCRIBE and CANCEL by turns",
            [named(b"\x09SUBSCRIBE", 5), named(b"\x06CANCEL", 5)].concat().repeat(100),
            End::Served,
        ),
        case("JOIN to a publisher", named(b"\x04JOIN", 5), End::Served),
        case("LEAVE to a publisher", named(b"\x05LEAVE", 300), End::Served),
        case("message of an empty frame to a publisher", vec![0, 0], End::Served),
        case("message that begins with 02", message(&[b"\x02topic"]), End::Served),
    ]
    .into_iter()
    .map(|case| case.at(Target::XPub))
    .collect()
}

/// Replies without the envelope that a REQ demands.
fn envelopes() -> Vec<Case> {
    let replies: [(&str, &[&[u8]]); 7] = [
        ("reply of one frame", &[b"EVIL"]),
        ("reply of one empty frame", &[b""]),
        ("reply of a request id alone", &[b"\0\0\0\x01"]),
        ("reply of a request id and a delimiter", &[b"\0\0\0\x01", b""]),
        ("reply whose request id has 3 bytes", &[b"\0\0\x01", b"", b"EVIL"]),
        ("reply whose request id has 5 bytes", &[b"\0\0\0\0\x01", b"", b"EVIL"]),
        ("reply whose delimiter is not empty", &[b"\0\0\0\x01", b"x", b"EVIL"]),
    ];
    replies
        .map(|(name, frames)| {
            case(name, message(frames), End::Fault(ProtocolError::BadReplyEnvelope)).at(Target::Req)
        })
        .into()
}

/// What looks wrong and is right.
fn odd() -> Vec<Case> {
    let mut cases: Vec<Case> = [0x08, 0x10, 0x20, 0x40, 0x80, 0xF8]
        .map(|flags| {
            let name = format!("message with flag bits {flags:02x}, which mean nothing");
            case(name, [&[flags, 5][..], b"legal"].concat(), End::Served)
        })
        .into();
    cases.extend([
        case("message in the long form though it is short", long(0, 5, b"legal"), End::Served),
        case("empty message in the long form", long(0, 0, b""), End::Served),
        case("command that nobody knows", command(b"\x07UNKNOWNdata"), End::Served),
        case(
            "command that nobody knows of 300 bytes",
            command(&[&b"\x07UNKNOWN"[..], &[0; 292]].concat()),
            End::Served,
        ),
        case("SUBSCRIBE to a PULL", command(b"\x09SUBSCRIBEtopic"), End::Served),
        case("CANCEL to a PULL", command(b"\x06CANCELtopic"), End::Served),
        case("HELLO after READY", command(b"\x05HELLO"), End::Served),
        case(
            "MESSAGE of CURVE after a NULL handshake",
            command(&[&b"\x07MESSAGE"[..], &[0; 33]].concat()),
            End::Served,
        ),
        case(
            "PING between the frames of a message",
            [&[1, 1][..], b".", &command(b"\x04PING\0\0"), &[0, 1], b"."].concat(),
            End::Served,
        ),
        case("a thousand empty messages", [0, 0].repeat(900), End::Served),
    ]);
    cases
}
