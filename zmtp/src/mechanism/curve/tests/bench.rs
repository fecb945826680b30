//! A client and a server that stop after each command, so that a test may do harm in between.

use std::time::Instant;

use crate::connection::Config;
use crate::frame::{Framing, Header};
use crate::mechanism::curve::boxes::{BoxKey, counted, random};
use crate::mechanism::curve::{PublicKey, SecretKey};
use crate::mechanism::{Decision, Settings};
use crate::pair::{End, dice, hex};
use crate::{SocketType, Version};

/// The keys of libzmq's manual (zmq_curve).
pub(super) const CLIENT_PUBLIC: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
pub(super) const CLIENT_SECRET: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
pub(super) const SERVER_PUBLIC: &str = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
pub(super) const SERVER_SECRET: &str = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";

pub(super) fn client_key() -> SecretKey {
    CLIENT_SECRET.parse().unwrap()
}

pub(super) fn server_key() -> SecretKey {
    SERVER_SECRET.parse().unwrap()
}

pub(super) fn server_public() -> PublicKey {
    SERVER_PUBLIC.parse().unwrap()
}

pub(super) fn client_config(socket_type: SocketType) -> Config {
    let mechanism = Settings::CurveClient { server: server_public(), secret: client_key() };
    Config { mechanism, entropy: dice(1), ..Config::new(socket_type) }
}

pub(super) fn server_config(socket_type: SocketType) -> Config {
    let mechanism = Settings::CurveServer(server_key());
    Config { mechanism, entropy: dice(2), authorise: true, ..Config::new(socket_type) }
}

pub(super) fn accept() -> Decision {
    Decision::Accept { user_id: "anna".into(), metadata: Vec::new() }
}

/// A greeting with CURVE.
pub(super) fn greeting(version: Version) -> Vec<u8> {
    hex(&format!("FF 00*8 7F 03 0{} 4355525645 00*15 00*32", u8::from(version == Version::V3_1)))
}

/// One end that has the peer's greeting, and what it says after its own.
pub(super) fn greeted(config: Config, version: Version, now: Instant) -> (End, Vec<u8>) {
    let mut end = End::new(config, now);
    end.input(&greeting(version), now).unwrap();
    let output = end.output();
    (end, output[64..].to_vec())
}

/// Two ends, and every command of their handshake, as it went over the wire.
pub(super) struct Handshake {
    pub(super) client: End,
    pub(super) server: End,
    pub(super) hello: Vec<u8>,
    pub(super) welcome: Vec<u8>,
    pub(super) initiate: Vec<u8>,
    pub(super) ready: Vec<u8>,
    pub(super) now: Instant,
}

impl Handshake {
    /// A DEALER and a ROUTER that have met.
    pub(super) fn done() -> Handshake {
        let version = Version::V3_1;
        Handshake::of(client_config(SocketType::Dealer), server_config(SocketType::Router), version)
    }

    /// `client` and `server` that have met, each taking the other for a peer of `version`.
    pub(super) fn of(client: Config, server: Config, version: Version) -> Handshake {
        let now = Instant::now();
        let (mut client, hello) = greeted(client, version, now);
        let (mut server, nothing) = greeted(server, version, now);
        assert!(nothing.is_empty());
        server.input(&hello, now).unwrap();
        let welcome = server.output();
        client.input(&welcome, now).unwrap();
        let initiate = client.output();
        server.input(&initiate, now).unwrap();
        server.decide(accept(), now);
        let ready = server.output();
        client.input(&ready, now).unwrap();
        assert!(client.connection.is_ready() && server.connection.is_ready());
        Handshake { client, server, hello, welcome, initiate, ready, now }
    }
}

/// A command in its frame.
pub(super) fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    Framing::V2.write(Header::command(body.len()), &mut frame);
    [frame, body.to_vec()].concat()
}

/// The body of a frame that was sent.
pub(super) fn unframed(frame: &[u8]) -> &[u8] {
    let (header, size) = Framing::V2.parse(frame).unwrap().unwrap();
    assert_eq!(header.length as usize, frame.len() - size);
    &frame[size..]
}

/// A client of flesh and blood, who knows the keys and says what it likes.
pub(super) struct Stranger {
    pub(super) transient: SecretKey,
    /// C' of the HELLO, where it is not the transient key's.
    pub(super) claimed: Option<PublicKey>,
    pub(super) version: [u8; 2],
    pub(super) padding: [u8; 72],
    pub(super) hello_nonce: u64,
}

/// What it says in an INITIATE.
pub(super) struct Claims {
    pub(super) nonce: u64,
    pub(super) secret: SecretKey,
    /// C, where it is not the secret key's.
    pub(super) public: Option<PublicKey>,
    pub(super) vouched_transient: PublicKey,
    pub(super) vouched_server: PublicKey,
    pub(super) metadata: Vec<u8>,
}

impl Stranger {
    pub(super) fn new() -> Stranger {
        let transient = SecretKey::generate(&dice(3)).unwrap();
        Stranger { transient, claimed: None, version: [1, 0], padding: [0; 72], hello_nonce: 1 }
    }

    pub(super) fn hello(&self) -> Vec<u8> {
        let mut hello = [&b"\x05HELLO"[..], &self.version, &self.padding].concat();
        hello.extend_from_slice(self.claimed.unwrap_or(self.transient.public()).as_bytes());
        hello.extend_from_slice(&self.hello_nonce.to_be_bytes());
        let key = BoxKey::agree(&self.transient, &server_public()).unwrap();
        key.seal_onto(&counted(b"CurveZMQHELLO---", self.hello_nonce), &[0; 64], &mut hello);
        framed(&hello)
    }

    /// What it says when it is honest.
    pub(super) fn claims(&self) -> Claims {
        Claims {
            nonce: self.hello_nonce + 1,
            secret: client_key(),
            public: None,
            vouched_transient: self.transient.public(),
            vouched_server: server_public(),
            metadata: b"\x0BSocket-Type\0\0\0\x06DEALER".to_vec(),
        }
    }

    /// The answer to a WELCOME.
    pub(super) fn initiate(&self, welcome: &[u8], claims: &Claims) -> Vec<u8> {
        let body = unframed(welcome);
        let nonce = random(b"WELCOME-", body[8..24].try_into().unwrap());
        let key = BoxKey::agree(&self.transient, &server_public()).unwrap();
        let inside = key.open_box(&nonce, &body[24..]).unwrap();
        let server = PublicKey::from_bytes(inside[..32].try_into().unwrap());
        let mut plain = claims.public.unwrap_or(claims.secret.public()).as_bytes().to_vec();
        plain.extend_from_slice(&[9; 16]);
        let vouch = [*claims.vouched_transient.as_bytes(), *claims.vouched_server.as_bytes()].concat();
        let key = BoxKey::agree(&claims.secret, &server).unwrap();
        key.seal_onto(&random(b"VOUCH---", &[9; 16]), &vouch, &mut plain);
        plain.extend_from_slice(&claims.metadata);
        let mut initiate = [b"\x08INITIATE", &inside[32..], &claims.nonce.to_be_bytes()].concat();
        let key = BoxKey::agree(&self.transient, &server).unwrap();
        key.seal_onto(&counted(b"CurveZMQINITIATE", claims.nonce), &plain, &mut initiate);
        framed(&initiate)
    }
}
