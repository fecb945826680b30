//! The server, the peers that it has, and what they measure.

use std::error::Error;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

#[cfg(any(feature = "plain", feature = "curve"))]
use zeroxide::{AccessList, Security};
use zeroxide::{Context, EventKind, Message, Monitor, Options, Socket, SocketType};
#[cfg(feature = "curve")]
use zeroxide::{PublicKey, generate_secret_key};
use zeroxide_zmtp::{Config, Connection, Outbox};

use crate::Mechanism;
use crate::strangers::Opening;

const LONG: Duration = Duration::from_secs(10);

/// A server with two peers: one that sends as much as it can, and one that asks, at the socket where strangers knock.
pub(crate) struct Established {
    mechanism: Mechanism,
    size: usize,
    pull: Socket,
    push: Socket,
    router: Socket,
    dealer: Socket,
    address: SocketAddr,
    key: ServerKey,
    events: Monitor,
    /// Server and peers have an I/O thread each.
    _contexts: [Context; 2],
}

/// What strangers must know of a CURVE server.
#[cfg(feature = "curve")]
type ServerKey = Option<PublicKey>;
#[cfg(not(feature = "curve"))]
type ServerKey = ();

/// What a measurement found.
pub(crate) struct Measured {
    pub(crate) throughput: f64,
    pub(crate) median: Duration,
    pub(crate) tail: Duration,
}

impl Established {
    pub(crate) fn new(mechanism: Mechanism, size: usize) -> Result<Established, Box<dyn Error>> {
        let [ours, theirs] = [Context::new(), Context::new()];
        let (server, client, key) = options(mechanism, &ours)?;
        let pull = ours.socket_with(SocketType::Pull, &server)?;
        let router = ours.socket_with(SocketType::Router, &server)?;
        let push = theirs.socket_with(SocketType::Push, &client)?;
        let dealer = theirs.socket_with(SocketType::Dealer, &client)?;
        let events = router.monitor();
        push.connect_ready(pull.bind("tcp://127.0.0.1:*")?.to_string(), LONG)?;
        let endpoint = router.bind("tcp://127.0.0.1:*")?.to_string();
        dealer.connect_ready(&endpoint, LONG)?;
        let address = endpoint.trim_start_matches("tcp://").parse()?;
        let _contexts = [ours, theirs];
        Ok(Established { mechanism, size, pull, push, router, dealer, address, key, events, _contexts })
    }

    /// Where strangers knock.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Measures the one peer, then the other, for `time` each.
    pub(crate) fn measure(&self, time: Duration) -> Result<Measured, Box<dyn Error>> {
        let throughput = self.throughput(time)?;
        let mut times = self.round_trips(time)?;
        times.sort_unstable();
        let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
        Ok(Measured { throughput, median: at(0.5), tail: at(0.99) })
    }

    /// Messages in a second.
    fn throughput(&self, time: Duration) -> Result<f64, Box<dyn Error>> {
        let (start, mut count) = (Instant::now(), 0_u64);
        thread::scope(|scope| {
            let sender = scope.spawn(|| -> zeroxide::Result<()> {
                let body = vec![b'm'; self.size];
                while start.elapsed() < time {
                    for _ in 0..100 {
                        self.push.send(Message::from(&body[..]))?;
                    }
                }
                self.push.send("end")?;
                Ok(())
            });
            while self.pull.recv()?[0] != "end" {
                count += 1;
            }
            sender.join().map_err(|_| "the sender panicked")??;
            Ok(count as f64 / start.elapsed().as_secs_f64())
        })
    }

    /// The times of requests and their replies, one after the other.
    fn round_trips(&self, time: Duration) -> Result<Vec<Duration>, Box<dyn Error>> {
        let (start, body) = (Instant::now(), vec![b'm'; self.size]);
        let mut times = Vec::new();
        thread::scope(|scope| {
            let server = scope.spawn(|| -> zeroxide::Result<()> {
                loop {
                    let message = self.router.recv()?;
                    let last = message[1] == "end";
                    self.router.send(message)?;
                    if last {
                        return Ok(());
                    }
                }
            });
            while start.elapsed() < time {
                let sent = Instant::now();
                self.dealer.send(Message::from(&body[..]))?;
                self.dealer.recv()?;
                times.push(sent.elapsed());
            }
            self.dealer.send("end")?;
            self.dealer.recv()?;
            server.join().map_err(|_| "the server panicked")??;
            Ok(times)
        })
    }

    /// What a stranger sends, recorded once from a client's protocol machine, and the size of the server's answer.
    pub(crate) fn opening(&self) -> Result<Opening, Box<dyn Error>> {
        let (config, answer) = stranger(self.mechanism, &self.key)?;
        let mut client = Connection::new(config, Instant::now());
        let mut theirs = vec![0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F, 3, 1];
        theirs.extend(format!("{:?}", self.mechanism).to_uppercase().as_bytes());
        theirs.resize(64, 0);
        client.decode(&mut &theirs[..], Instant::now())?;
        let mut out = Outbox::new();
        client.poll_transmit(&mut out);
        let mut slices = [std::io::IoSlice::new(&[]); 8];
        let filled = out.io_slices(&mut slices, usize::MAX);
        let mut bytes: Vec<u8> = slices[..filled].iter().flat_map(|slice| slice.to_vec()).collect();
        if self.mechanism == Mechanism::Null {
            // Its READY would make it a peer.
            bytes.truncate(64);
        }
        Ok(Opening { bytes, answer: 64 + answer })
    }

    /// What became of the strangers, as the server tells.
    pub(crate) fn turned_away(&self) -> String {
        let (mut failed, mut away) = (0_u64, 0_u64);
        while let Ok(event) = self.events.try_recv() {
            match event.kind {
                EventKind::HandshakeFailed(_) => failed += 1,
                EventKind::TurnedAway(_) => away += 1,
                _ => {}
            }
        }
        let missed = self.events.missed();
        format!(
            "of the last events: {failed} handshakes failed, {away} strangers turned away; {missed} events were overwritten"
        )
    }
}

/// Options of the server and of its peers.
fn options(mechanism: Mechanism, server: &Context) -> Result<(Options, Options, ServerKey), Box<dyn Error>> {
    let _ = server; // NULL asks nobody
    Ok(match mechanism {
        Mechanism::Null => (Options::new(), Options::new(), ServerKey::default()),
        #[cfg(feature = "plain")]
        Mechanism::Plain => {
            server.authenticator("", AccessList::new().plain_user("ann", "secret"))?;
            let client = Security::PlainClient { user: "ann".to_owned(), password: "secret".into() };
            let server = Options::new().security(Security::PlainServer);
            (server, Options::new().security(client), ServerKey::default())
        }
        #[cfg(feature = "curve")]
        Mechanism::Curve => {
            server.authenticator("", AccessList::new().allow_any_curve_key())?;
            let (ours, me) = (generate_secret_key()?, generate_secret_key()?);
            let key = ours.public();
            let client = Security::CurveClient { server: key, me };
            (Options::new().security(Security::CurveServer(ours)), Options::new().security(client), Some(key))
        }
    })
}

/// The protocol of a stranger, and how many bytes the server answers to its first command, after its own greeting.
fn stranger(mechanism: Mechanism, key: &ServerKey) -> Result<(Config, usize), Box<dyn Error>> {
    let _ = key; // CURVE's alone
    let config = Config::new(SocketType::Dealer);
    Ok(match mechanism {
        // The server's READY: a socket type and an empty identity.
        Mechanism::Null => (config, 2 + 6 + 1 + 11 + 4 + 6 + 1 + 8 + 4),
        #[cfg(feature = "plain")]
        Mechanism::Plain => {
            let (username, password) = ("bob".into(), b"secret"[..].into());
            let mechanism = zeroxide_zmtp::mechanism::Settings::PlainClient { username, password };
            (Config { mechanism, ..config }, 2 + 6 + 1 + 3)
        }
        #[cfg(feature = "curve")]
        Mechanism::Curve => {
            let (server, secret) = (key.ok_or("no key")?, generate_secret_key()?);
            let mechanism = zeroxide_zmtp::mechanism::Settings::CurveClient { server, secret };
            let entropy = zeroxide_zmtp::Entropy::new(|bytes| {
                for chunk in bytes.chunks_mut(32) {
                    let random = generate_secret_key().map_err(|_| zeroxide_zmtp::entropy::NoEntropy)?;
                    chunk.copy_from_slice(&random.expose()[..chunk.len()]);
                }
                Ok(())
            });
            (Config { mechanism, entropy, ..config }, 2 + 168)
        }
    })
}
