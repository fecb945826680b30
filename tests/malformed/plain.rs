//! What a PLAIN server gets from its clients, and a PLAIN client from its servers (RFC 24).

use zeroxide::Version;
use zeroxide_zmtp::error::CommandKind;
use zeroxide_zmtp::mechanism::Status;
use zeroxide_zmtp::{ProtocolError, SocketType};

use super::case::{After, BOMBS, Case, End, Target, USER, command, long, property};
use super::common;

const INVALID: End = End::Fault(ProtocolError::InvalidMetadata);

pub fn cases() -> Vec<Case> {
    let mut cases = greetings();
    cases.extend(hellos());
    cases.extend(before_initiate());
    cases.extend(after_ready());
    cases.extend(cut());
    cases.extend(welcomes());
    cases.extend(readies());
    cases
}

/// What a good peer sends first, in pieces.
pub fn opening(target: Target, after: After) -> Vec<Vec<u8>> {
    let greeting = greeting(b"PLAIN");
    let socket_type = property(b"Socket-Type", target.peer().name().as_bytes());
    match (target, after) {
        (_, After::Connecting) => vec![Vec::new()],
        (_, After::Greeting) => vec![greeting],
        (Target::PlainServer, After::Command) => vec![[greeting, hello(USER)].concat(), Vec::new()],
        (Target::PlainServer, After::Handshake) => {
            vec![[greeting, hello(USER)].concat(), named("INITIATE", &socket_type)]
        }
        (_, After::Command) => vec![[greeting, named("WELCOME", b"")].concat()],
        (_, After::Handshake) => {
            vec![[greeting, named("WELCOME", b""), named("READY", &socket_type)].concat()]
        }
    }
}

fn greeting(mechanism: &[u8]) -> Vec<u8> {
    let mut greeting = common::greeting();
    greeting[12..32].fill(0);
    greeting[12..12 + mechanism.len()].copy_from_slice(mechanism);
    greeting
}

fn named(name: &str, data: &[u8]) -> Vec<u8> {
    command(&[&[name.len() as u8][..], name.as_bytes(), data].concat())
}

fn hello((user, password): (&str, &str)) -> Vec<u8> {
    named("HELLO", &credentials(user, password))
}

fn credentials(user: &str, password: &str) -> Vec<u8> {
    let strings = [user, password].map(|text| [&[text.len() as u8], text.as_bytes()].concat());
    strings.concat()
}

fn server(name: impl Into<String>, after: After, bytes: impl Into<Vec<u8>>, end: End) -> Case {
    Case::new(format!("to a PLAIN server: {}", name.into()), after, bytes, end).at(Target::PlainServer)
}

fn client(name: impl Into<String>, after: After, bytes: impl Into<Vec<u8>>, end: End) -> Case {
    Case::new(format!("to a PLAIN client: {}", name.into()), after, bytes, end).at(Target::PlainClient)
}

/// Other mechanisms, and versions that have none, which MIN_VERSION cannot let in here.
fn greetings() -> Vec<Case> {
    let mismatch = |name: &[u8]| {
        let mut peer = [0; 20];
        peer[..name.len()].copy_from_slice(name);
        End::Fault(ProtocolError::MechanismMismatch { peer })
    };
    let mut cases = Vec::new();
    for name in ["NULL", "CURVE", "plain", "PLAIN ", "PLAINX", ""] {
        let (bytes, end) = (greeting(name.as_bytes()), mismatch(name.as_bytes()));
        cases.push(server(format!("mechanism {name:?}"), After::Connecting, bytes.clone(), end.clone()));
        cases.push(client(format!("mechanism {name:?}"), After::Connecting, bytes, end));
    }
    let old: [(&str, &[u8], Version); 3] = [
        ("a message of zmtp 1.0 (CVE-2014-9721)", b"\x01\x00\x05\x00EVIL", Version::V1_0),
        ("a greeting of zmtp 1.0", b"\xff\0\0\0\0\0\0\0\x01\x7f\x00\x08\x01\x00\x05\x00EVIL", Version::V1_0),
        (
            "a message of zmtp 2.0 (CVE-2014-9721)",
            b"\xff\0\0\0\0\0\0\0\x01\x7f\x01\x08\0\0\0\x04EVIL",
            Version::V2_0,
        ),
    ];
    for (name, bytes, version) in old {
        cases.push(server(name, After::Connecting, bytes, End::too_old(version)));
        cases.push(client(name, After::Connecting, bytes, End::too_old(version)));
    }
    cases
}

/// What comes first to a server: a HELLO of every kind, and what is none.
fn hellos() -> Vec<Case> {
    let case = |name: &str, bytes: Vec<u8>, end| server(name, After::Greeting, bytes, end);
    let malformed = || End::malformed(CommandKind::Hello);
    let denied = || End::Denied(Status::AuthenticationFailure);
    let most = "p".repeat(255);
    let good = credentials(USER.0, USER.1);
    let mut cases = vec![
        case("a wrong password", hello((USER.0, "Secret")), denied()),
        case("a password that begins right", hello((USER.0, "secre")), denied()),
        case("a password that goes on", hello((USER.0, "secret\0")), denied()),
        case("no password", hello((USER.0, "")), denied()),
        case("an unknown user", hello(("bob", USER.1)), denied()),
        case("no user", hello(("", USER.1)), denied()),
        case("neither user nor password", hello(("", "")), denied()),
        case("user and password exchanged", hello((USER.1, USER.0)), denied()),
        case("the longest user and password", hello((&most, &most)), denied()),
        case("a user that is no text", named("HELLO", b"\x02\xff\xfe\x06secret"), denied()),
        case("a user with format letters", hello(("%n%s' OR 1=1 --", "x")), denied()),
        case("HELLO with a byte too many", named("HELLO", &[&good[..], b"\0"].concat()), malformed()),
        case("HELLO with a third string", named("HELLO", &[&good[..], b"\x04EVIL"].concat()), malformed()),
        case("HELLO whose user is said to have 255 bytes", named("HELLO", b"\xffann\x06secret"), malformed()),
        case(
            "HELLO whose password is said to have 255 bytes",
            named("HELLO", b"\x03ann\xffsecret"),
            malformed(),
        ),
        case("HELLO twice", hello(USER).repeat(2), End::unexpected("HELLO")),
        case("a message first", common::message(&[b"EVIL"]), End::Fault(ProtocolError::TrafficBeforeReady)),
        case("ERROR first", named("ERROR", b"\x03400"), End::unexpected("ERROR")),
        case("ERROR that is cut", named("ERROR", b"\x04400"), End::malformed(CommandKind::Error)),
        case("PING of 5 bytes first", named("PING", b""), End::malformed(CommandKind::Ping)),
        case(
            "HELLO with MORE",
            [&[5, 17][..], b"\x05HELLO", &good].concat(),
            End::malformed(CommandKind::Unnamed),
        ),
    ];
    for name in
        ["READY", "WELCOME", "INITIATE", "SUBSCRIBE", "CANCEL", "PONG", "MESSAGE", "hello", "HELL", "HELLOS"]
    {
        cases.push(case(&format!("{name} first"), named(name, &good), End::unexpected(name)));
    }
    for length in 0..good.len() {
        let bytes = named("HELLO", &good[..length]);
        cases.push(case(&format!("HELLO cut after {length} bytes of its strings"), bytes, malformed()));
    }
    for length in BOMBS.into_iter().chain([519, 8192]) {
        let end = End::Fault(ProtocolError::CommandTooLong { length, limit: 518 });
        cases.push(case(&format!("HELLO of {length:#x} bytes"), long(4, length, b"\x05HELLO"), end));
    }
    cases
}

/// What comes after WELCOME, where an INITIATE is due.
fn before_initiate() -> Vec<Case> {
    let case = |name: &str, bytes: Vec<u8>, end| server(name, After::Command, bytes, end);
    let socket_type = property(b"Socket-Type", b"PUSH");
    let own = SocketType::Pull;
    let mismatch = |peer| End::Fault(ProtocolError::SocketTypeMismatch { own, peer });
    let mut cases = vec![
        case("HELLO after WELCOME", hello(USER), End::unexpected("HELLO")),
        case("another user after WELCOME", hello(("root", "")), End::unexpected("HELLO")),
        case(
            "a message after WELCOME",
            common::message(&[b"EVIL"]),
            End::Fault(ProtocolError::TrafficBeforeReady),
        ),
        case("INITIATE with rubbish", named("INITIATE", &[0xFF; 50]), INVALID),
        case("INITIATE with a property without a name", named("INITIATE", b"\0\0\0\0\x01x"), INVALID),
        case(
            "INITIATE of a SUB",
            named("INITIATE", &property(b"Socket-Type", b"SUB")),
            mismatch(Some(SocketType::Sub)),
        ),
        case(
            "INITIATE of no known type",
            named("INITIATE", &property(b"Socket-Type", b"EVIL")),
            mismatch(None),
        ),
        case("INITIATE without properties", named("INITIATE", b""), End::Served),
        case(
            "INITIATE that says who it is",
            named("INITIATE", &[socket_type.clone(), property(b"User-Id", b"root")].concat()),
            End::Served,
        ),
        case("closing after WELCOME", Vec::new(), End::PeerClosed).closing(),
    ];
    for name in ["READY", "WELCOME", "SUBSCRIBE", "MESSAGE", "ERRORS"] {
        cases.push(case(&format!("{name} after WELCOME"), named(name, &socket_type), End::unexpected(name)));
    }
    for length in (1..socket_type.len()).step_by(3) {
        let bytes = named("INITIATE", &socket_type[..length]);
        cases.push(case(&format!("INITIATE cut after {length} bytes of properties"), bytes, INVALID));
    }
    for length in BOMBS.into_iter().chain([9 + 8192 + 1]) {
        let end = End::Fault(ProtocolError::CommandTooLong { length, limit: 9 + 8192 });
        cases.push(case(&format!("INITIATE of {length:#x} bytes"), long(4, length, b"\x08INITIATE"), end));
    }
    cases
}

/// The handshake once more after its end.
fn after_ready() -> Vec<Case> {
    let case = |name: &str, bytes: Vec<u8>, end| server(name, After::Handshake, bytes, end);
    vec![
        case("READY after READY", named("READY", b""), End::unexpected("READY")),
        case("ERROR after READY", named("ERROR", b"\x03400"), End::unexpected("ERROR")),
        case("HELLO after READY, which changes nothing", hello(("root", "")), End::Served),
        case(
            "INITIATE after READY, which changes nothing",
            named("INITIATE", &property(b"User-Id", b"root")),
            End::Served,
        ),
    ]
}

/// Closed at each byte of greeting and HELLO.
fn cut() -> Vec<Case> {
    let whole = [greeting(b"PLAIN"), hello(USER)].concat();
    let case = |length: usize| {
        let name = format!("closed after {length} bytes");
        server(name, After::Connecting, &whole[..length], End::PeerClosed).closing()
    };
    (0..=whole.len()).map(case).collect()
}

/// What comes first to a client, where a WELCOME is due.
fn welcomes() -> Vec<Case> {
    let case = |name: &str, bytes: Vec<u8>, end| client(name, After::Greeting, bytes, end);
    let mut cases = vec![
        case("WELCOME with a byte too many", named("WELCOME", b"\0"), End::malformed(CommandKind::Welcome)),
        case("WELCOME of CURVE's size", named("WELCOME", &[0xA5; 160]), End::malformed(CommandKind::Welcome)),
        case("a client's HELLO, of two clients", hello(USER), End::unexpected("HELLO")),
        case("a message first", common::message(&[b"EVIL"]), End::Fault(ProtocolError::TrafficBeforeReady)),
        case("ERROR 400", named("ERROR", b"\x03400"), End::refused(b"400")),
        case("ERROR without a reason", named("ERROR", b"\0"), End::refused(b"")),
        case("ERROR that is cut", named("ERROR", b"\x0440"), End::malformed(CommandKind::Error)),
        case("ERROR of its name alone", named("ERROR", b""), End::malformed(CommandKind::Error)),
    ];
    for name in ["READY", "INITIATE", "SUBSCRIBE", "welcome", "WELCOMES"] {
        cases.push(case(&format!("{name} first"), named(name, b""), End::unexpected(name)));
    }
    for length in BOMBS.into_iter().chain([263]) {
        let end = End::Fault(ProtocolError::CommandTooLong { length, limit: 262 });
        cases.push(case(&format!("WELCOME of {length:#x} bytes"), long(4, length, b"\x07WELCOME"), end));
    }
    cases
}

/// What comes to a client after WELCOME, where a READY is due.
fn readies() -> Vec<Case> {
    let case = |name: &str, bytes: Vec<u8>, end| client(name, After::Command, bytes, end);
    let mismatch =
        End::Fault(ProtocolError::SocketTypeMismatch { own: SocketType::Pull, peer: Some(SocketType::Sub) });
    vec![
        case("WELCOME twice", named("WELCOME", b""), End::unexpected("WELCOME")),
        case("ERROR after WELCOME", named("ERROR", b"\x03500"), End::refused(b"500")),
        case("READY with rubbish", named("READY", &[0xFF; 50]), INVALID),
        case("READY of a SUB", named("READY", &property(b"Socket-Type", b"SUB")), mismatch),
        case("HELLO after WELCOME", hello(USER), End::unexpected("HELLO")),
        case(
            "a message after WELCOME",
            common::message(&[b"EVIL"]),
            End::Fault(ProtocolError::TrafficBeforeReady),
        ),
        case("READY without properties", named("READY", b""), End::Served),
        case("closing after WELCOME", Vec::new(), End::PeerClosed).closing(),
    ]
}
