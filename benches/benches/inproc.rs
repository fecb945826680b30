//! The whole socket without a kernel: one thread sends over inproc and receives, so what is measured is the API, the
//! pattern, the pipe and the socket's lock.
#![allow(missing_docs)] // criterion's macros make public functions

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use zeroxide::{Context, Message, Socket, SocketType};

fn pair(from: SocketType, to: SocketType) -> (Socket, Socket) {
    let context = Context::new();
    let (a, b) = (context.socket(from).expect("a socket"), context.socket(to).expect("a socket"));
    a.bind("inproc://bench").expect("a name");
    b.connect("inproc://bench").expect("the name");
    (a, b)
}

fn push_pull(c: &mut Criterion) {
    let (push, pull) = pair(SocketType::Push, SocketType::Pull);
    for size in [64, 1024] {
        let body = vec![0; size];
        for batch in [1u64, 100] {
            let mut group = c.benchmark_group("inproc");
            group.throughput(Throughput::Elements(batch));
            group.bench_function(format!("push, pull/{size}/batches of {batch}"), |b| {
                b.iter(|| {
                    for _ in 0..batch {
                        push.send(Message::from(black_box(&body[..]))).expect("room");
                    }
                    for _ in 0..batch {
                        drop(black_box(pull.recv().expect("a message")));
                    }
                });
            });
            group.finish();
        }
    }
    c.bench_function("inproc/nothing to receive", |b| b.iter(|| pull.try_recv().is_err()));
}

fn req_rep(c: &mut Criterion) {
    let (rep, req) = pair(SocketType::Rep, SocketType::Req);
    c.bench_function("inproc/req, rep/64", |b| {
        b.iter(|| {
            req.send(black_box(&[0; 64])).expect("room");
            rep.send(rep.recv().expect("a request")).expect("room");
            drop(black_box(req.recv().expect("a reply")));
        });
    });
}

criterion_group!(benches, push_pull, req_rep);
criterion_main!(benches);
