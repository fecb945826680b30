//! Messages to bytes and back, without I/O: what `zeroxide-zmtp` alone costs.
#![allow(missing_docs)] // criterion's macros make public functions

use std::hint::black_box;
use std::io::IoSlice;
use std::time::Instant;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use zeroxide_zmtp::{Config, Connection, Message, Outbox, SocketType, Traffic};

/// What one `sendmsg` takes over tcp.
const QUANTUM: usize = 61_440;

/// A PUSH and a PULL that have shaken hands.
fn pair() -> (Connection, Connection) {
    let now = Instant::now();
    let mut push = Connection::new(Config::new(SocketType::Push), now);
    let mut pull = Connection::new(Config::new(SocketType::Pull), now);
    while !(push.is_ready() && pull.is_ready()) {
        for turn in 0..2 {
            let (from, to) = if turn == 0 { (&mut push, &mut pull) } else { (&mut pull, &mut push) };
            let mut outbox = Outbox::new();
            from.poll_transmit(&mut outbox);
            let bytes = bytes(&outbox);
            let mut input = &bytes[..];
            while !input.is_empty() {
                to.decode(&mut input, now).expect("a legal handshake");
                to.poll_ready();
            }
        }
    }
    push.poll_ready();
    pull.poll_ready();
    (push, pull)
}

fn bytes(outbox: &Outbox) -> Vec<u8> {
    let mut slices = [IoSlice::new(&[]); 1024];
    let filled = outbox.io_slices(&mut slices, usize::MAX);
    slices[..filled].iter().flat_map(|slice| slice.iter().copied()).collect()
}

fn codec(c: &mut Criterion) {
    let (mut push, mut pull) = pair();
    for size in [64, 1024, 16_384] {
        let count = (QUANTUM / size).max(1);
        let messages: Vec<Traffic> =
            (0..count).map(|n| Traffic::Message(Message::from(&vec![n as u8; size][..]))).collect();
        let mut group = c.benchmark_group(format!("codec/{size}"));
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function("encode", |b| {
            let mut outbox = Outbox::new();
            b.iter_batched(
                || messages.clone(),
                |messages| {
                    messages.into_iter().for_each(|message| push.encode(message, &mut outbox));
                    let length = outbox.len();
                    outbox.advance(black_box(length))
                },
                BatchSize::SmallInput,
            );
        });
        let mut outbox = Outbox::new();
        messages.iter().for_each(|message| push.encode(message.clone(), &mut outbox));
        let wire = bytes(&outbox);
        let now = Instant::now();
        group.bench_function("decode", |b| {
            b.iter(|| {
                let mut input = black_box(&wire[..]);
                let mut decoded = 0;
                while let Ok(Some(traffic)) = pull.decode(&mut input, now) {
                    drop(black_box(traffic));
                    decoded += 1;
                }
                assert_eq!(decoded, count);
            });
        });
        group.finish();
    }
}

criterion_group!(benches, codec);
criterion_main!(benches);
