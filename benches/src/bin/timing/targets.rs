//! What is measured.

use std::hint::black_box;
use std::time::Instant;

use zeroxide::{AccessList, Authenticate, Credentials, Proof, PublicKey, SecretKey};
use zeroxide_zmtp::encoder::Outbox;
use zeroxide_zmtp::mechanism::{Settings, z85};
use zeroxide_zmtp::{Config, Connection};
use zeroxide_zmtp::{Entropy, SocketType};

use crate::measure::Random;

/// One operation on two classes of input.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    /// It must show a difference: a control.
    pub(crate) leaks: bool,
    /// How much rarer than others it is measured, for what takes long.
    pub(crate) cost: u32,
    /// Answers the nanoseconds that one operation took on an input of this class.
    pub(crate) sample: Box<dyn FnMut(bool) -> u64>,
}

const PASSWORD: &[u8] = b"correct horse battery staple correct horse battery staple 123456";

/// Everything that is measured.
pub(crate) fn targets(seed: u64) -> Vec<Target> {
    let target = |name, cost, sample| Target { name, leaks: false, cost, sample };
    let control = |name, sample| Target { name, leaks: true, cost: 1, sample };
    vec![
        target(
            "PLAIN: a password wrong at its beginning or its end",
            1,
            password(|class| wrong_at(class, 64)),
        ),
        target("PLAIN: a user whose password has 1 byte, or 255", 1, length()),
        target("PLAIN: a known name or an unknown one", 1, name()),
        target("AccessList: a key like a known one but for its end, or random", 1, key_lookup(seed)),
        target("CURVE server: a cookie wrong at its beginning or its end", 20, initiate(9 + 16, 9 + 95)),
        target("CURVE server: the box of the vouch wrong at either end", 20, initiate(113, 113 + 143)),
        target("Z85: decoding one secret key or random ones", 1, z85_decode(seed)),
        target("Z85: encoding one secret key or random ones", 1, z85_encode(seed)),
        control("control: == on a password wrong at its beginning or its end", naive()),
    ]
}

fn time(operation: impl FnOnce()) -> u64 {
    let start = Instant::now();
    operation();
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// The right password but for one byte.
fn wrong_at(end: bool, length: usize) -> Vec<u8> {
    let mut wrong = PASSWORD[..length].to_vec();
    wrong[if end { length - 1 } else { 0 }] ^= 1;
    wrong
}

fn user(name: &str, password: &[u8]) -> Credentials {
    let (username, password) = (bytes(name.as_bytes()), password.into());
    Credentials::new(Proof::Plain { username, password })
}

fn bytes(slice: &[u8]) -> zeroxide::Bytes {
    zeroxide::Bytes::copy_from_slice(slice)
}

fn list() -> AccessList {
    AccessList::new().plain_user("ann", PASSWORD)
}

fn password(shown: impl Fn(bool) -> Vec<u8> + 'static) -> Box<dyn FnMut(bool) -> u64> {
    let list = list();
    let classes = [false, true].map(|class| user("ann", &shown(class)));
    Box::new(move |class| {
        // Both classes are copied to the same place, so that no address tells them apart.
        let who = classes[usize::from(class)].clone();
        time(|| drop(black_box(list.check(black_box(&who)))))
    })
}

/// The password that is shown is the same; that which is right is short or long.
fn length() -> Box<dyn FnMut(bool) -> u64> {
    let lists = [&b"x"[..], &[b'x'; 255]].map(|right| AccessList::new().plain_user("ann", right));
    let who = user("ann", PASSWORD);
    Box::new(move |class| {
        let list = lists[usize::from(class)].clone();
        time(|| drop(black_box(list.check(black_box(&who)))))
    })
}

fn name() -> Box<dyn FnMut(bool) -> u64> {
    let list = list();
    let classes = [user("ann", b"wrong"), user("eve", b"wrong")];
    Box::new(move |class| {
        let who = classes[usize::from(class)].clone();
        time(|| drop(black_box(list.check(black_box(&who)))))
    })
}

/// Public keys are no secrets; which of them are known may be one.
fn key_lookup(seed: u64) -> Box<dyn FnMut(bool) -> u64> {
    let mut random = Random(seed);
    let first: [u8; 32] = random.bytes();
    let mut known = [0; 24];
    known.copy_from_slice(&first[..24]);
    let mut list = AccessList::new().curve_key(PublicKey::from_bytes(first));
    for _ in 0..1000 {
        list = list.curve_key(PublicKey::from_bytes(random.bytes()));
    }
    Box::new(move |class| {
        let other: [u8; 32] = random.bytes();
        // Both classes have keys enough to miss the caches alike, and are made by the same instructions.
        let begins = [random.bytes::<24>(), known];
        let mut key = other;
        key[..24].copy_from_slice(&begins[usize::from(class)]);
        let who = Credentials::new(Proof::Curve(PublicKey::from_bytes(key)));
        time(|| drop(black_box(list.check(black_box(&who)))))
    })
}

/// A server reads an INITIATE with one byte changed: at one of two places in its body.
fn initiate(one: usize, other: usize) -> Box<dyn FnMut(bool) -> u64> {
    let entropy = || {
        Entropy::new(|bytes| {
            let random = std::collections::hash_map::RandomState::new();
            let seed = std::hash::BuildHasher::hash_one(&random, 0);
            let mut random = Random(seed);
            bytes.iter_mut().for_each(|byte| *byte = random.next() as u8);
            Ok(())
        })
    };
    let (house, mine) = (SecretKey::from_bytes([3; 32]), SecretKey::from_bytes([5; 32]));
    let config = |settings| {
        let mut config = Config::new(SocketType::Pair);
        config.mechanism = settings;
        config.entropy = entropy();
        std::sync::Arc::new(config)
    };
    let client = config(Settings::CurveClient { server: house.public(), secret: mine });
    let server = config(Settings::CurveServer(house));
    Box::new(move |class| {
        let now = Instant::now();
        let mut client = Connection::new(std::sync::Arc::clone(&client), now);
        let mut server = Connection::new(std::sync::Arc::clone(&server), now);
        let (mut to_server, mut to_client) = (said(&mut client), said(&mut server));
        // Greetings, HELLO, WELCOME; what comes then is the INITIATE.
        for _ in 0..8 {
            hear(&mut client, &to_client, now);
            hear(&mut server, &to_server, now);
            (to_server, to_client) = (said(&mut client), said(&mut server));
            if to_server.len() > 256 {
                break;
            }
        }
        assert!(to_server.len() > 256, "no INITIATE came");
        // Its header is long: flags and eight bytes.
        to_server[9 + if class { one } else { other }] ^= 1;
        time(|| {
            let mut input = &to_server[..];
            let _ = black_box(server.decode(&mut input, now));
        })
    })
}

fn said(connection: &mut Connection) -> Vec<u8> {
    let mut out = Outbox::new();
    connection.poll_transmit(&mut out);
    let mut slices = [std::io::IoSlice::new(&[]); 8];
    let filled = out.io_slices(&mut slices, usize::MAX);
    slices[..filled].iter().flat_map(|slice| slice.iter().copied()).collect()
}

fn hear(connection: &mut Connection, mut bytes: &[u8], now: Instant) {
    let _ = connection.decode(&mut bytes, now);
}

fn z85_decode(seed: u64) -> Box<dyn FnMut(bool) -> u64> {
    let mut random = Random(seed);
    let fixed: [u8; 32] = random.bytes();
    Box::new(move |class| {
        let other: [u8; 32] = random.bytes();
        let text = z85::encode(if class { &fixed } else { &other }).unwrap_or_default();
        time(|| drop(black_box(z85::decode(black_box(&text)))))
    })
}

fn z85_encode(seed: u64) -> Box<dyn FnMut(bool) -> u64> {
    let mut random = Random(seed);
    let fixed: [u8; 32] = random.bytes();
    Box::new(move |class| {
        let other: [u8; 32] = random.bytes();
        let key = if class { fixed } else { other };
        time(|| drop(black_box(z85::encode(black_box(&key)))))
    })
}

/// The comparison that nobody should write: byte for byte, to the first that differs.
fn naive() -> Box<dyn FnMut(bool) -> u64> {
    Box::new(|class| {
        let shown = wrong_at(class, 64);
        time(|| {
            let same = black_box(&shown[..]).iter().zip(black_box(PASSWORD)).all(|(a, b)| black_box(a) == b);
            black_box(same);
        })
    })
}
