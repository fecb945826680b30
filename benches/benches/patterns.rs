//! The rules of the socket types without I/O: choosing a pipe, matching a topic.
#![allow(missing_docs)] // criterion's macros make public functions

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use zeroxide_patterns::subscriptions::Subscriptions;
use zeroxide_patterns::{AnyPattern, Cause, Credit, Origin, Pattern, PipeId, Pipes};
use zeroxide_zmtp::{Frame, Message, Next, ProtocolError, SocketType, Traffic};

/// Pipes that always have room and keep nothing.
#[derive(Default)]
struct Sink(u64);

impl Pipes for Sink {
    fn reserve(&mut self, _: PipeId) -> Credit {
        Credit::Granted
    }

    fn release(&mut self, _: PipeId) {}

    fn write(&mut self, _: PipeId, message: &mut Message) {
        self.0 += message.len() as u64;
        black_box(message);
    }

    fn write_copy(&mut self, _: PipeId, message: &Message) {
        self.0 += message.len() as u64;
        black_box(message);
    }

    fn signal(&mut self, _: PipeId, _: Traffic) {}

    fn read_into(&mut self, _: PipeId, _: &mut Message) -> Next {
        Next::Nothing
    }

    fn recall(&mut self, _: PipeId, _: impl Fn(&Message) -> bool) -> Option<Message> {
        None
    }

    fn dropped(&mut self, _: Option<PipeId>, _: Cause) {}

    fn reject(&mut self, _: PipeId, _: Message) {}

    fn unmatched(&mut self) {}

    fn unreported(&mut self, _: u64) {}

    fn changed(&mut self) {}

    fn discard(&mut self, _: Message) {}

    fn expel(&mut self, _: PipeId, _: ProtocolError) -> bool {
        false
    }

    fn has_closed(&self, _: PipeId) -> bool {
        false
    }

    fn end_when_read(&mut self, _: PipeId) -> bool {
        false
    }

    fn close(&mut self, _: PipeId) {}
}

fn with_pipes(socket_type: SocketType, n: u32) -> (AnyPattern, Sink) {
    let (mut pattern, mut pipes) = (AnyPattern::new(socket_type, 7).expect("a type"), Sink::default());
    for pipe in 0..n {
        pattern.attached(PipeId(pipe), &Origin::default(), &mut pipes).expect("a pipe joins");
    }
    (pattern, pipes)
}

fn push(c: &mut Criterion) {
    for n in [1, 4, 100] {
        let (mut pattern, mut pipes) = with_pipes(SocketType::Push, n);
        let body = [0; 64];
        c.bench_function(&format!("push/route+commit/{n} pipes"), |b| {
            b.iter(|| {
                let mut message = Message::from(black_box(&body));
                let first = message.first().expect("a frame");
                pattern.route(first, &mut pipes).expect("room");
                pattern.commit(&mut message, &mut pipes);
            });
        });
    }
}

fn subscriptions(c: &mut Criterion) {
    for n in [1u32, 1000, 100_000] {
        let mut subscriptions = Subscriptions::new();
        let topic = |n: u32| format!("market.{:03}.symbol.{n:08}", n % 1000);
        for i in 0..n {
            subscriptions.add(topic(i).as_bytes(), PipeId(i % 32));
        }
        let (hit, miss) = (Frame::from(&topic(n / 2)), Frame::from("market.999.nobody"));
        let count = |topic: &Frame| {
            let mut found = 0;
            subscriptions.for_each_match(black_box(topic), |_| found += 1);
            found
        };
        assert_eq!((count(&hit), count(&miss)), (1, 0));
        c.bench_function(&format!("subscriptions/match/{n}"), |b| b.iter(|| count(&hit)));
        c.bench_function(&format!("subscriptions/no match/{n}"), |b| b.iter(|| count(&miss)));
    }
}

criterion_group!(benches, push, subscriptions);
criterion_main!(benches);
