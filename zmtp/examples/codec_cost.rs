//! Measures the cost of decoding and encoding per message, in nanoseconds: `cargo run --release --example codec_cost`.

use std::hint::black_box;
use std::io::IoSlice;
use std::time::Instant;

use zeroxide_zmtp::{Config, Connection, Frame, Message, Outbox, SocketType, Traffic};

const ROUNDS: usize = 400;

/// The number of messages that the receiving side keeps at once.
const KEPT: usize = 16;

fn main() {
    let now = Instant::now();
    let mut push = Connection::new(Config::new(SocketType::Push), now);
    let mut pull = Connection::new(Config::new(SocketType::Pull), now);
    let mut outbox = Outbox::new();
    for _ in 0..4 {
        for (from, to) in [(0, 1), (1, 0)] {
            let ends = [&mut push, &mut pull];
            ends[from].poll_transmit(&mut outbox);
            let bytes = take(&mut outbox);
            let mut input = &bytes[..];
            while !input.is_empty() {
                ends[to].decode(&mut input, now).expect("a legal handshake");
                ends[to].poll_ready();
            }
        }
    }
    assert!(push.is_ready() && pull.is_ready());
    println!("{:>8} {:>12} {:>12} {:>18}", "bytes", "encode ns", "decode ns", "decode 2 frames ns");
    let mut messages = Vec::new();
    let mut received = [const { Traffic::Subscribe(Frame::new()) }; KEPT];
    for size in [0, 8, 16, 64, 65, 255, 256, 1024, 2048, 16384] {
        let count = (61_440 / (size + 9)).max(1);
        let (mut encoding, mut decoding, mut multi) = (f64::MAX, f64::MAX, f64::MAX);
        for _ in 0..ROUNDS {
            messages.extend((0..count).map(|n| Traffic::Message(vec![n as u8; size].into())));
            let started = Instant::now();
            for message in messages.drain(..) {
                push.encode(black_box(message), &mut outbox);
            }
            encoding = encoding.min(started.elapsed().as_nanos() as f64 / count as f64);
            drop(outbox.take_garbage());
            decoding = decoding.min(decode(&mut pull, &take(&mut outbox), &mut received, count));
            for n in 0..count {
                let message = Message::from((vec![], vec![n as u8; size]));
                push.encode(Traffic::Message(message), &mut outbox);
            }
            multi = multi.min(decode(&mut pull, &take(&mut outbox), &mut received, count));
        }
        println!("{size:>8} {encoding:>12.1} {decoding:>12.1} {multi:>18.1}");
    }
}

fn decode(pull: &mut Connection, bytes: &[u8], received: &mut [Traffic; KEPT], count: usize) -> f64 {
    let now = Instant::now();
    let mut input = black_box(bytes);
    let mut kept = 0;
    while let Ok(Some(traffic)) = pull.decode(&mut input, now) {
        received[kept % KEPT] = traffic;
        kept += 1;
    }
    let took = now.elapsed().as_nanos() as f64 / count as f64;
    assert_eq!(kept, count);
    took
}

fn take(outbox: &mut Outbox) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !outbox.is_empty() {
        let mut slices = [IoSlice::new(&[]); 64];
        let filled = outbox.io_slices(&mut slices, usize::MAX);
        let before = bytes.len();
        slices[..filled].iter().for_each(|slice| bytes.extend_from_slice(slice));
        outbox.advance(bytes.len() - before);
    }
    bytes
}
