//! A client and a server that stop after each command, so that a test can change what is sent; and peers that have the
//! keys and send anything.

use std::time::Instant;

use crate::frame::{Framing, Header};
#[cfg(test)]
use crate::mechanism::Decision;
use crate::mechanism::Settings;
use crate::mechanism::curve::boxes::{BoxKey, counted, random};
use crate::mechanism::curve::channel::{Channel, Role};
use crate::mechanism::curve::{PublicKey, SecretKey};
use crate::pair::{End, dice, hex};
use crate::{Config, SocketType, Version};

/// The keys of libzmq's manual (zmq_curve).
#[cfg(test)]
pub(crate) const CLIENT_PUBLIC: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
pub(crate) const CLIENT_SECRET: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";
pub(crate) const SERVER_PUBLIC: &str = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
pub(crate) const SERVER_SECRET: &str = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";

/// Returns the result of a step that cannot fail, because this side follows the rules.
const HONEST: &str = "an honest step";

pub(crate) fn client_key() -> SecretKey {
    CLIENT_SECRET.parse().expect(HONEST)
}

pub(crate) fn server_key() -> SecretKey {
    SERVER_SECRET.parse().expect(HONEST)
}

pub(crate) fn server_public() -> PublicKey {
    SERVER_PUBLIC.parse().expect(HONEST)
}

pub(crate) fn client_config(socket_type: SocketType) -> Config {
    let mechanism = Settings::CurveClient { server: server_public(), secret: client_key() };
    Config { mechanism, entropy: dice(1), ..Config::new(socket_type) }
}

pub(crate) fn server_config(socket_type: SocketType) -> Config {
    let mechanism = Settings::CurveServer(server_key());
    Config { mechanism, entropy: dice(2), authorise: true, ..Config::new(socket_type) }
}

#[cfg(test)]
pub(crate) fn accept() -> Decision {
    Decision::Accept { user_id: "anna".into(), metadata: Vec::new() }
}

/// Returns a greeting with CURVE.
pub(crate) fn greeting(version: Version) -> Vec<u8> {
    hex(&format!("FF 00*8 7F 03 0{} 4355525645 00*15 00*32", u8::from(version == Version::V3_1)))
}

/// Returns an end that has the peer's greeting, and what it sends after its own.
pub(crate) fn greeted(config: Config, version: Version, now: Instant) -> (End, Vec<u8>) {
    let mut end = End::new(config, now);
    end.input(&greeting(version), now).expect(HONEST);
    let output = end.output();
    (end, output[64..].to_vec())
}

#[cfg(test)]
/// Two ends, and every command of their handshake, as it was sent.
pub(crate) struct Handshake {
    pub(crate) client: End,
    pub(crate) server: End,
    pub(crate) hello: Vec<u8>,
    pub(crate) welcome: Vec<u8>,
    pub(crate) initiate: Vec<u8>,
    pub(crate) ready: Vec<u8>,
    pub(crate) now: Instant,
}

#[cfg(test)]
impl Handshake {
    /// Returns a DEALER and a ROUTER after their handshake.
    pub(crate) fn done() -> Handshake {
        let version = Version::V3_1;
        Handshake::of(client_config(SocketType::Dealer), server_config(SocketType::Router), version)
    }

    /// Returns `client` and `server` after their handshake. Each takes the other for a peer of `version`.
    pub(crate) fn of(client: Config, server: Config, version: Version) -> Handshake {
        let now = Instant::now();
        let (mut client, hello) = greeted(client, version, now);
        let (mut server, nothing) = greeted(server, version, now);
        assert!(nothing.is_empty());
        server.input(&hello, now).expect(HONEST);
        let welcome = server.output();
        client.input(&welcome, now).expect(HONEST);
        let initiate = client.output();
        server.input(&initiate, now).expect(HONEST);
        server.decide(accept(), now);
        let ready = server.output();
        client.input(&ready, now).expect(HONEST);
        assert!(client.connection.is_ready() && server.connection.is_ready());
        Handshake { client, server, hello, welcome, initiate, ready, now }
    }
}

/// Returns a command in its frame.
pub(crate) fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    Framing::V2.write(Header::command(body.len()), &mut frame);
    [frame, body.to_vec()].concat()
}

/// Returns the body of a frame that was sent.
pub(crate) fn unframed(frame: &[u8]) -> &[u8] {
    let (header, body) = Framing::V2.parse(frame).expect(HONEST).expect(HONEST);
    assert_eq!(header.length, body.len() as u64);
    body
}

/// An attacker's end of an open connection.
#[derive(Debug)]
pub(crate) struct Line(Channel);

impl Line {
    /// Returns a MESSAGE with these flags and this payload, in its frame.
    pub(crate) fn message(&mut self, flags: u8, payload: &[u8]) -> Vec<u8> {
        self.0.seal_for_test(flags, payload)
    }
}

/// A client that has the keys and sends anything.
pub(crate) struct Stranger {
    pub(crate) transient: SecretKey,
    /// C' of the HELLO, if it is not that of the transient key.
    pub(crate) claimed: Option<PublicKey>,
    pub(crate) version: [u8; 2],
    pub(crate) padding: [u8; 72],
    pub(crate) hello_nonce: u64,
}

/// The content of its INITIATE.
pub(crate) struct Claims {
    pub(crate) nonce: u64,
    pub(crate) secret: SecretKey,
    /// C, if it is not that of the secret key.
    pub(crate) public: Option<PublicKey>,
    pub(crate) vouched_transient: PublicKey,
    pub(crate) vouched_server: PublicKey,
    pub(crate) metadata: Vec<u8>,
}

impl Stranger {
    pub(crate) fn new() -> Stranger {
        let transient = SecretKey::generate(&dice(3)).expect(HONEST);
        Stranger { transient, claimed: None, version: [1, 0], padding: [0; 72], hello_nonce: 1 }
    }

    pub(crate) fn hello(&self) -> Vec<u8> {
        let mut hello = [&b"\x05HELLO"[..], &self.version, &self.padding].concat();
        hello.extend_from_slice(self.claimed.unwrap_or(self.transient.public()).as_bytes());
        hello.extend_from_slice(&self.hello_nonce.to_be_bytes());
        let key = BoxKey::agree(&self.transient, &server_public()).expect(HONEST);
        key.seal_onto(&counted(b"CurveZMQHELLO---", self.hello_nonce), &[0; 64], &mut hello);
        framed(&hello)
    }

    /// Returns the content of a valid INITIATE.
    pub(crate) fn claims(&self) -> Claims {
        Claims {
            nonce: self.hello_nonce + 1,
            secret: client_key(),
            public: None,
            vouched_transient: self.transient.public(),
            vouched_server: server_public(),
            metadata: b"\x0BSocket-Type\0\0\0\x06DEALER".to_vec(),
        }
    }

    /// Returns the open connection after an INITIATE with the nonce `sent`.
    pub(crate) fn line(&self, welcome: &[u8], sent: u64) -> Line {
        let body = unframed(welcome);
        let nonce = random(b"WELCOME-", body[8..24].try_into().expect(HONEST));
        let key = BoxKey::agree(&self.transient, &server_public()).expect(HONEST);
        let inside = key.open_box(&nonce, &body[24..]).expect(HONEST);
        let server = PublicKey::from_bytes(inside[..32].try_into().expect(HONEST));
        let key = BoxKey::agree(&self.transient, &server).expect(HONEST);
        Line(Channel::new(key, Role::Client, sent, 1))
    }

    /// Returns the INITIATE for a WELCOME.
    pub(crate) fn initiate(&self, welcome: &[u8], claims: &Claims) -> Vec<u8> {
        let body = unframed(welcome);
        let nonce = random(b"WELCOME-", body[8..24].try_into().expect(HONEST));
        let key = BoxKey::agree(&self.transient, &server_public()).expect(HONEST);
        let inside = key.open_box(&nonce, &body[24..]).expect(HONEST);
        let server = PublicKey::from_bytes(inside[..32].try_into().expect(HONEST));
        let mut plain = claims.public.unwrap_or(claims.secret.public()).as_bytes().to_vec();
        plain.extend_from_slice(&[9; 16]);
        let vouch = [*claims.vouched_transient.as_bytes(), *claims.vouched_server.as_bytes()].concat();
        let key = BoxKey::agree(&claims.secret, &server).expect(HONEST);
        key.seal_onto(&random(b"VOUCH---", &[9; 16]), &vouch, &mut plain);
        plain.extend_from_slice(&claims.metadata);
        let mut initiate = [b"\x08INITIATE", &inside[32..], &claims.nonce.to_be_bytes()].concat();
        let key = BoxKey::agree(&self.transient, &server).expect(HONEST);
        key.seal_onto(&counted(b"CurveZMQINITIATE", claims.nonce), &plain, &mut initiate);
        framed(&initiate)
    }
}

/// A malicious server that has the right key.
pub(crate) struct Impostor {
    /// C', from the HELLO.
    client: PublicKey,
    pub(crate) transient: SecretKey,
}

impl Impostor {
    pub(crate) fn new(hello: &[u8]) -> Impostor {
        let client = PublicKey::from_bytes(hello[82..114].try_into().expect(HONEST));
        Impostor { client, transient: SecretKey::generate(&dice(4)).expect(HONEST) }
    }

    /// Returns a WELCOME with this content.
    pub(crate) fn welcome(&self, inside: &[u8]) -> Vec<u8> {
        let key = BoxKey::agree(&server_key(), &self.client).expect(HONEST);
        let mut welcome = [&b"\x07WELCOME"[..], &[5; 16]].concat();
        key.seal_onto(&random(b"WELCOME-", &[5; 16]), inside, &mut welcome);
        framed(&welcome)
    }

    /// Returns a READY with these properties.
    pub(crate) fn ready(&self, nonce: u64, properties: &[u8]) -> Vec<u8> {
        let key = BoxKey::agree(&self.transient, &self.client).expect(HONEST);
        let mut ready = [&b"\x05READY"[..], &nonce.to_be_bytes()].concat();
        key.seal_onto(&counted(b"CurveZMQREADY---", nonce), properties, &mut ready);
        framed(&ready)
    }

    /// Returns the open connection after a READY with this nonce.
    pub(crate) fn line(&self, nonce: u64) -> Line {
        let key = BoxKey::agree(&self.transient, &self.client).expect(HONEST);
        Line(Channel::new(key, Role::Server, nonce, 2))
    }
}
