//! The batch queue between a socket and an engine.
#![allow(missing_docs)] // criterion's macros make public functions

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use zeroxide_transports::pipe::{Flow, pipe};
use zeroxide_zmtp::{Message, Traffic};

const FLOW: Flow = Flow { hwm: 1000, conflate: false, count_control: false, lots: false, packs: false };

fn one_thread(c: &mut Criterion) {
    for batch in [1u64, 64, 960] {
        let (mut near, mut far) = pipe(FLOW, FLOW);
        let mut group = c.benchmark_group("pipe");
        group.throughput(Throughput::Elements(batch));
        group.bench_function(format!("write, flush, read/{batch}"), |b| {
            b.iter(|| {
                for _ in 0..batch {
                    assert!(near.writer.reserve());
                    near.writer.write(Traffic::Message(Message::from(black_box(&[0; 64]))));
                }
                near.writer.flush();
                while let Some(traffic) = far.reader.read() {
                    drop(black_box(traffic));
                }
            });
        });
        group.finish();
    }
}

/// Both ends poll, so that no wake is in the numbers.
fn two_threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("pipe");
    group.throughput(Throughput::Elements(1));
    group.bench_function("across threads, batches of 64", |b| {
        b.iter_custom(|messages| {
            let (mut near, mut far) = pipe(FLOW, FLOW);
            thread::scope(|scope| {
                let started = Instant::now();
                scope.spawn(move || {
                    for sent in 1..=messages {
                        while !near.writer.reserve() {
                            near.writer.flush();
                            thread::yield_now();
                        }
                        near.writer.write(Traffic::Message(Message::from(black_box(&[0; 64]))));
                        if sent % 64 == 0 || sent == messages {
                            near.writer.flush();
                        }
                    }
                });
                let mut received = 0;
                while received < messages {
                    match far.reader.read() {
                        Some(traffic) => {
                            drop(black_box(traffic));
                            received += 1;
                        }
                        None => thread::yield_now(),
                    }
                }
                started.elapsed()
            })
        });
    });
    group.finish();
}

criterion_group!(benches, one_thread, two_threads);
criterion_main!(benches);
