//! No order of events on a connection admits a peer without a decision to accept it.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use crate::Config;
use crate::connection::Established;
use crate::mechanism::curve::SecretKey;
use crate::mechanism::{Decision, Secret, Settings, Status};
use crate::pair::{End, Pair, dice, opening};
use crate::{SocketType, Version};

/// An event at the first end, or at the second.
#[derive(Clone, Debug)]
enum Event {
    /// This many of the sent bytes arrive.
    Arrive(usize),
    /// They arrive with a bit changed.
    ArriveChanged(usize),
    /// Everything that arrived so far, after the greeting, arrives once more.
    Replay,
    /// What a valid peer without any mechanism would send arrives.
    Foreign,
    /// The owner polls for credentials.
    Look,
    /// The owner decides, whether or not there are credentials.
    Decide(Option<Status>),
    /// The owner polls for the end of the handshake.
    TakeReady,
    Pass(Duration),
}

fn event() -> impl Strategy<Value = (bool, Event)> {
    let count = prop_oneof![3 => Just(usize::MAX), 1 => 1..300_usize];
    let statuses = [Status::TemporaryError, Status::AuthenticationFailure, Status::InternalError];
    let status = prop_oneof![4 => Just(None), 1 => prop::sample::select(statuses.to_vec()).prop_map(Some)];
    let event = prop_oneof![
        12 => count.prop_map(Event::Arrive),
        1 => (0..3000_usize).prop_map(Event::ArriveChanged),
        1 => Just(Event::Replay),
        1 => Just(Event::Foreign),
        4 => Just(Event::Look),
        3 => status.prop_map(Event::Decide),
        4 => Just(Event::TakeReady),
        1 => (0..20_000_u64).prop_map(|millis| Event::Pass(Duration::from_millis(millis))),
    ];
    (any::<bool>(), event)
}

/// What the test knows of one end.
struct Watched {
    end: End,
    /// It requires a decision.
    asks: bool,
    looked: bool,
    accepted: bool,
    refused: bool,
    established: Option<Established>,
    /// What it sent that did not arrive yet, and everything that it ever sent.
    under_way: Vec<u8>,
    said: Vec<u8>,
}

impl Watched {
    fn new(end: End, asks: bool) -> Watched {
        let (under_way, said, established) = (Vec::new(), Vec::new(), None);
        Watched { end, asks, looked: false, accepted: false, refused: false, established, under_way, said }
    }

    fn hear(&mut self, bytes: &[u8], now: std::time::Instant) {
        let mut input = bytes;
        // Not `End::input`, which takes what is ready at once.
        let _ = self.end.connection.decode(&mut input, now);
    }

    fn look(&mut self) {
        if self.end.connection.poll_credentials().is_some() {
            assert!(self.asks && !self.looked, "a question that nobody is to be asked, or a second one");
            self.looked = true;
        }
    }

    fn decide(&mut self, status: Option<Status>, now: std::time::Instant) {
        let counts = self.looked && !self.accepted && !self.refused;
        let accept = Decision::Accept { user_id: "anna".into(), metadata: Vec::new() };
        let outcome = self.end.connection.decide(status.map_or(accept, Decision::Refuse), now);
        match status {
            None => self.accepted |= counts && outcome.is_ok(),
            Some(_) => self.refused |= counts,
        }
    }

    fn speak(&mut self) {
        let bytes = self.end.output();
        self.under_way.extend_from_slice(&bytes);
        self.said.extend_from_slice(&bytes);
    }

    fn check(&mut self) {
        let inside = self.end.connection.is_ready() || self.established.is_some();
        if self.asks && inside {
            assert!(self.accepted && !self.refused, "in, and nobody said yes");
        }
        if let (true, Some(established)) = (self.asks, &self.established) {
            assert_eq!(established.user_id, "anna");
        }
    }
}

fn plain_client() -> Settings {
    Settings::PlainClient { username: Bytes::from("u"), password: Secret::from("p") }
}

/// The mechanisms of a listener and a dialler, and whether each requires a decision.
fn settings() -> impl Strategy<Value = (Settings, bool, Settings, bool)> {
    let key = || SecretKey::from_bytes([7; 32]);
    let client =
        move || Settings::CurveClient { server: key().public(), secret: SecretKey::from_bytes([8; 32]) };
    prop_oneof![
        Just((Settings::Null, true, Settings::Null, false)),
        Just((Settings::Null, true, Settings::Null, true)),
        Just((Settings::Null, false, Settings::Null, false)),
        Just((Settings::PlainServer, true, plain_client(), false)),
        // A client admits no peers, so `authorise` has no effect on it.
        Just((Settings::PlainServer, true, plain_client(), true)),
        Just((Settings::CurveServer(key()), true, client(), false)),
        Just((Settings::CurveServer(key()), true, client(), true)),
        Just((Settings::CurveServer(key()), false, client(), false)),
    ]
}

fn run(settings: (Settings, bool, Settings, bool), events: Vec<(bool, Event)>) -> bool {
    let (first, first_asks, second, second_asks) = settings;
    let (first_admits, second_admits) = (first.admits(), second.admits());
    let sealed = first.name() == "CURVE";
    let make = |mechanism, authorise, socket_type, seed| Config {
        mechanism,
        authorise,
        entropy: dice(seed),
        min_version: Version::V1_0,
        ..Config::new(socket_type)
    };
    let pair = Pair::new(
        make(first, first_asks, SocketType::Router, 1),
        make(second, second_asks, SocketType::Dealer, 2),
    );
    let mut now = pair.now;
    let mut one = Watched::new(pair.a, first_asks && first_admits);
    let mut two = Watched::new(pair.b, second_asks && second_admits);
    for (at_second, event) in events {
        one.speak();
        two.speak();
        let (to, from) = if at_second { (&mut two, &mut one) } else { (&mut one, &mut two) };
        match event {
            Event::Arrive(count) => {
                let bytes: Vec<u8> = from.under_way.drain(..count.min(from.under_way.len())).collect();
                to.hear(&bytes, now);
            }
            Event::ArriveChanged(bit) => {
                let mut bytes = std::mem::take(&mut from.under_way);
                if let Some(byte) = bytes.get_mut(bit / 8) {
                    *byte ^= 1 << (bit % 8);
                }
                to.hear(&bytes, now);
            }
            Event::Replay => to.hear(from.said.get(64..).unwrap_or_default(), now),
            Event::Foreign => to.hear(&opening(Version::V3_1, SocketType::Dealer, b"x")[64..], now),
            Event::Look => to.look(),
            Event::Decide(status) => to.decide(status, now),
            Event::TakeReady => {
                let established = to.end.connection.poll_ready();
                to.established = established.or(to.established.take());
            }
            Event::Pass(time) => now += time,
        }
        one.check();
        two.check();
        // Under CURVE only the server can complete its client's handshake.
        let client_is_in = two.end.connection.is_ready() || two.established.is_some();
        assert!(!sealed || !one.asks || !client_is_in || one.accepted, "a client in that was not let in");
    }
    one.established.is_some() && two.established.is_some()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_comes_in_who_was_not_let_in(
        settings in settings(),
        events in prop::collection::vec(event(), 0..80),
    ) {
        run(settings, events);
    }
}

/// With events in their proper order, both ends complete their handshake under every mechanism.
#[test]
fn the_walk_gets_through() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..40 {
        let settings = settings().new_tree(&mut runner).expect("a value").current();
        let events = (0..16).flat_map(|_| {
            [true, false].into_iter().flat_map(|at_second| {
                [Event::Arrive(usize::MAX), Event::Look, Event::Decide(None), Event::TakeReady]
                    .map(|event| (at_second, event))
            })
        });
        assert!(run(settings.clone(), events.collect()), "{settings:?}");
    }
}
