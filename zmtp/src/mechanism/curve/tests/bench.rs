//! A client and a server that stop after each command, so that a test may do harm in between.

use std::time::Instant;

use crate::connection::Config;
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

    /// What one end has to say, said to the other.
    pub(super) fn exchange(&mut self) {
        let (from_client, from_server) = (self.client.output(), self.server.output());
        self.server.input(&from_client, self.now).unwrap();
        self.client.input(&from_server, self.now).unwrap();
    }
}
