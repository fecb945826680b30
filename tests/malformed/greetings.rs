//! What comes where a greeting is due: other protocols, and greetings that are broken or odd.

use zeroxide::Version;
use zeroxide_zmtp::ProtocolError;

use super::case::{After, Case, End};
use super::common;

pub fn cases() -> Vec<Case> {
    let mut cases = foreign();
    cases.extend(look_like_zmtp_1());
    cases.extend(signatures());
    cases.extend(revisions());
    cases.extend(mechanisms());
    cases.extend(odd());
    cases
}

/// What clients of other protocols, proxies and scanners begin with.
const FOREIGN: &[(&str, &[u8])] = &[
    ("sql server", b"\x12\x01\x00\x2f\x00\x00\x01\x00\x00\x00\x1a"),
    ("http get", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    ("http get 0.9", b"GET /\r\n"),
    ("http head", b"HEAD / HTTP/1.0\r\n\r\n"),
    ("http post", b"POST /login HTTP/1.1\r\nContent-Length: 4\r\n\r\nEVIL"),
    ("http options", b"OPTIONS / HTTP/1.0\r\n\r\n"),
    ("http connect", b"CONNECT example.org:443 HTTP/1.1\r\n\r\n"),
    ("http trace", b"TRACE / HTTP/1.1\r\nMax-Forwards: 0\r\n\r\n"),
    ("http get, nmap's nice port", b"GET /nice%20ports%2C/Tri%6Eity.txt%2ebak HTTP/1.0\r\n\r\n"),
    (
        "http upgrade to websocket",
        b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: ZWS2.0\r\n\r\n",
    ),
    ("http 2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"),
    ("tls 1.0 client hello", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x01EVIL"),
    ("tls 1.2 client hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03EVIL"),
    ("tls 1.3 record", b"\x16\x03\x03\x02\x00\x01\x00\x01\xfc\x03\x03EVIL"),
    ("tls alert", b"\x15\x03\x01\x00\x02\x02\x28"),
    ("ssl 2 client hello", b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x01\x00\x80"),
    ("ssh banner", b"SSH-2.0-OpenSSH_9.6\r\n"),
    ("ssh scanner", b"SSH-2.0-libssh_0.10\r\n"),
    ("smtp", b"EHLO example.org\r\n"),
    ("ftp", b"USER anonymous\r\n"),
    ("pop3", b"CAPA\r\n"),
    ("imap", b"a001 CAPABILITY\r\n"),
    ("irc", b"NICK evil\r\nUSER evil 0 * :evil\r\n"),
    ("sip", b"OPTIONS sip:nm SIP/2.0\r\nVia: SIP/2.0/TCP nm\r\n\r\n"),
    ("rtsp", b"OPTIONS / RTSP/1.0\r\n\r\n"),
    ("redis", b"*1\r\n$4\r\nPING\r\n"),
    ("redis inline", b"INFO\r\n"),
    ("memcached", b"stats\r\n"),
    ("nats", b"CONNECT {\"verbose\":false}\r\n"),
    ("stomp", b"CONNECT\naccept-version:1.2\n\n\0"),
    ("amqp 0.9.1", b"AMQP\x00\x00\x09\x01"),
    ("amqp 1.0", b"AMQP\x03\x01\x00\x00"),
    ("mqtt connect", b"\x10\x0e\x00\x04MQTT\x04\x02\x00<\x00\x02ev"),
    ("kafka api versions", b"\x00\x00\x00\x14\x00\x12\x00\x00\x00\x00\x00\x01\x00\x04evil"),
    ("postgres ssl request", b"\x00\x00\x00\x08\x04\xd2\x16\x2f"),
    ("postgres startup", b"\x00\x00\x00\x20\x00\x03\x00\x00user\0evil\0"),
    ("oracle tns", b"\x00Z\x00\x00\x01\x00\x00\x00\x016\x01,\x00\x00"),
    ("smb", b"\x00\x00\x00\xa4\xffSMBr\x00\x00\x00\x00\x08\x01@"),
    ("ldap bind", b"0\x0c\x02\x01\x01`\x07\x02\x01\x02\x04\x00\x80\x00"),
    ("kerberos", b"\x00\x00\x00qj\x81n0\x81k\xa1\x03\x02\x01\x05"),
    ("dns over tcp", b"\x00\x0c\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
    ("dns version bind", b"\x00\x1e\x00\x06\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07version\x04bind"),
    ("java rmi", b"JRMI\x00\x02K"),
    ("java object", b"\xac\xed\x00\x05sr\x00\x11java.util.HashMap"),
    ("giop", b"GIOP\x01\x00\x01\x00\x00\x00\x00\x24"),
    ("git", b"0032git-upload-pack /evil\0host=x\0"),
    ("rsync", b"@RSYNCD: 31.0\n"),
    ("vnc", b"RFB 003.008\n"),
    ("bittorrent", b"\x13BitTorrent protocol\x00\x00\x00\x00\x00\x10\x00\x05"),
    ("bitcoin", b"\xf9\xbe\xb4\xd9version\x00\x00\x00\x00\x00"),
    ("nanomsg", b"\x00SP\x00\x00\x50\x00\x00"),
    ("thrift", b"\x80\x01\x00\x01\x00\x00\x00\x04ping\x00\x00\x00\x00"),
    ("proxy protocol 1", b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"),
    ("proxy protocol 2", b"\r\n\r\n\x00\r\nQUIT\n!\x11\x00\x0c"),
    ("socks 5", b"\x05\x01\x00"),
    ("nmap generic lines", b"\r\n\r\n"),
    ("nmap help", b"HELP\r\n"),
    ("nmap line printer", b"\x01default\n"),
    ("nmap notes", b"\x3a\x01\x00\x00\x2f\x00\x00\x00\x02\x00\x00\x40"),
    ("nmap netware", b"DmdT\x00\x00\x00\x17\x00\x00\x00\x01\x00\x00\x00\x00\x11\x11\x00\xff\x01\xff\x13"),
    ("nmap adb", b"CNXN\x00\x00\x00\x01\x00\x10\x00\x00\x07\x00\x00\x00"),
    ("nessus find service", b"\x00\x00\x00\x00\x44\x42\x32\x44\x41\x53\x20\x20"),
    ("zabbix", b"ZBXD\x01\x0c\x00\x00\x00\x00\x00\x00\x00agent.ping"),
    ("zeros", &[0; 100]),
    ("spaces", &[b' '; 100]),
    ("ascii bell", b"\x07\x07\x07\x07"),
    ("utf-8 mark", b"\xef\xbb\xbfhello"),
    ("one zero byte", b"\0"),
    ("json", b"{\"jsonrpc\":\"2.0\",\"method\":\"eth_blockNumber\",\"id\":1}\n"),
    ("stratum", b"{\"id\":1,\"method\":\"mining.subscribe\",\"params\":[]}\n"),
    ("xml", b"<?xml version=\"1.0\"?><stream:stream>"),
];

fn foreign() -> Vec<Case> {
    let case = |(name, bytes): &(&str, &[u8])| Case::new(*name, After::Connecting, *bytes, End::not_zmtp());
    FOREIGN.iter().map(case).collect()
}

/// Bytes that an identity frame of ZMTP 1.0 may begin with: a length and flags of 0.
fn look_like_zmtp_1() -> Vec<Case> {
    let case =
        |(name, bytes): (&str, &[u8])| Case::new(name, After::Connecting, bytes, End::too_old(Version::V1_0));
    [
        ("anonymous of zmtp 1.0", &b"\x01\x00"[..]),
        ("named of zmtp 1.0", b"\x05\x00name"),
        ("remote desktop", b"\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00"),
        ("portmap", b"\x80\x00\x00(r\xfe\x1d\x13\x00\x00\x00\x00\x00\x00\x00\x02"),
        ("mongodb", b"\x3a\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xd4\x07\x00\x00"),
        ("x11", b"\x6c\x00\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
        ("cassandra", b"\x04\x00\x00\x00\x05\x00\x00\x00\x00"),
        ("quic initial", b"\xc0\x00\x00\x00\x01\x08EVILEVIL\x00\x00\x44\x9e"),
        ("long anonymous of zmtp 1.0", b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x00"),
        ("long identity of zmtp 1.0", b"\xff\x00\x00\x00\x00\x00\x00\x01\x00\x00"),
    ]
    .map(case)
    .into()
}

/// A greeting with one byte changed.
fn with(at: usize, byte: u8) -> Vec<u8> {
    let mut greeting = common::greeting();
    greeting[at] = byte;
    greeting
}

fn signatures() -> Vec<Case> {
    let mut cases: Vec<Case> = [0xFE, 0x7F, 0x80, 0x02]
        .map(|byte| {
            let mut bytes = with(0, byte);
            bytes[1] = 0xFF; // else it looks like an identity of ZMTP 1.0
            Case::new(format!("signature begins with {byte:02x}"), After::Connecting, bytes, End::not_zmtp())
        })
        .into();
    cases.extend([0x02, 0x7E, 0x80, 0xFE].map(|byte| {
        let name = format!("tenth byte of the signature {byte:02x}");
        Case::new(name, After::Connecting, with(9, byte), End::not_zmtp())
    }));
    let mut huge = with(9, 0);
    huge[1..9].copy_from_slice(&[0xFF; 8]);
    cases.push(Case::new(
        "signature of an identity with a huge length",
        After::Connecting,
        huge,
        End::not_zmtp(),
    ));
    let mut none = with(9, 0);
    none[8] = 0;
    cases.push(Case::new(
        "signature of an identity with no length",
        After::Connecting,
        none,
        End::not_zmtp(),
    ));
    // Telnet's options begin as a signature does, and then name no mechanism.
    let telnet = b"\xff\xfd\x18\xff\xfd\x20\xff\xfd\x23\xff\xfd\x27".repeat(6);
    let peer = telnet[12..32].try_into().unwrap();
    let end = End::Fault(ProtocolError::MechanismMismatch { peer });
    cases.push(Case::new("telnet options", After::Connecting, telnet, end));
    let ff = End::Fault(ProtocolError::MechanismMismatch { peer: [0xFF; 20] });
    cases.push(Case::new("all ones", After::Connecting, vec![0xFF; 200], ff));
    cases
}

fn revisions() -> Vec<Case> {
    [(0, Version::V1_0), (1, Version::V2_0)]
        .map(|(revision, spoken)| {
            let name = format!("revision {revision} of a downgrade");
            Case::new(name, After::Connecting, with(10, revision), End::too_old(spoken))
        })
        .into()
}

/// The mechanism's field, whole; and with each of its bytes changed, for all twenty count.
fn mechanisms() -> Vec<Case> {
    let case = |name: String, field: [u8; 20]| {
        let mut greeting = common::greeting();
        greeting[12..32].copy_from_slice(&field);
        let end = End::Fault(ProtocolError::MechanismMismatch { peer: field });
        Case::new(name, After::Connecting, greeting, end)
    };
    let named = |text: &[u8]| {
        let mut field = [0; 20];
        field[..text.len()].copy_from_slice(text);
        (format!("mechanism {}", text.escape_ascii()), field)
    };
    let names: [&[u8]; 13] = [
        b"",
        b"NUL",
        b"NULLL",
        b"null",
        b"Null",
        b" NULL",
        b"NULL ",
        b"PLAIN",
        b"CURVE",
        b"GSSAPI",
        b"TLS",
        b"AAAAAAAAAAAAAAAAAAAA",
        b"\xff\xfe\xfd%n%s%x",
    ];
    let mut cases: Vec<Case> = names.map(named).map(|(name, field)| case(name, field)).into();
    cases.extend((0..20).map(|at| {
        let mut field = named(b"NULL").1;
        field[at] ^= 1;
        case(format!("mechanism NULL with bit 0 of byte {at} flipped"), field)
    }));
    cases
}

/// What looks wrong and is right: libzmq's padding, versions to come, the byte that nobody reads.
fn odd() -> Vec<Case> {
    let served = |name: String, greeting: Vec<u8>| {
        let bytes = [greeting, common::ready("PUSH", "")].concat();
        Case::new(name, After::Connecting, bytes, End::Served)
    };
    let mut cases = Vec::new();
    for byte in [0x01, 0x03, 0xFD, 0xFF] {
        cases.push(served(format!("tenth byte of the signature {byte:02x}, which is odd"), with(9, byte)));
    }
    for at in [1, 4, 8] {
        cases.push(served(format!("byte {at} of the signature's padding is not zero"), with(at, 0xAA)));
    }
    for revision in [2, 4, 0x7F, 0xFF] {
        cases.push(served(format!("revision {revision}, of a version to come"), with(10, revision)));
    }
    for minor in [0, 2, 0xFF] {
        cases.push(served(format!("minor version {minor}"), with(11, minor)));
    }
    for at in [32, 33, 48, 63] {
        cases
            .push(served(format!("byte {at} of the greeting, which nobody reads, is not zero"), with(at, 1)));
    }
    cases
}
