//! What the sockets do. None of it ends: the process does, when the parent has its results.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};

use crate::meter::Meter;
use crate::peer::Peer;
use crate::spec::{Spec, Task};

/// Messages of a burst.
const BURST: usize = 20;
/// Time between two bursts.
const PAUSE: Duration = Duration::from_millis(2);
/// A library that keeps messages back until it is told to send them is told after so many, as its own benchmarks do.
const FLUSH: usize = 64;
/// The clock is read once for so many messages.
const STRIDE: u64 = 16;

/// Does `spec`'s task with `peer`.
pub(crate) async fn run<P: Peer>(spec: &Spec, peer: P, meter: &Meter) {
    match spec.task {
        Task::Flood => flood(spec, peer).await,
        Task::Drain => drain(spec, peer, meter).await,
        Task::Begin => begin(peer, meter).await,
        Task::Ask => ask(spec, peer, meter).await,
        Task::Echo => echo(peer).await,
        Task::Burst => burst(spec, peer).await,
        Task::Tail => tail(peer, meter).await,
    }
}

/// The first message carries the time at which it was sent.
async fn flood<P: Peer>(spec: &Spec, mut peer: P) {
    let body = P::body(&stamped(0, spec.size));
    let first = P::body(&stamped(now(), spec.size));
    peer.send(&first).await;
    loop {
        for _ in 0..FLUSH {
            peer.send(&body).await;
        }
        peer.flush().await;
    }
}

async fn drain<P: Peer>(spec: &Spec, mut peer: P, meter: &Meter) {
    loop {
        let size = peer.recv(|body| body.len()).await;
        assert_eq!(size, spec.size, "a body of the right size");
        meter.count();
    }
}

async fn begin<P: Peer>(mut peer: P, meter: &Meter) {
    let sent = peer.recv(stamp).await;
    let mut count = 1;
    loop {
        let waited = Duration::from_nanos(now().saturating_sub(sent));
        meter.begun(waited, count);
        for _ in 0..STRIDE {
            peer.recv(|_| ()).await;
            meter.count();
        }
        count += STRIDE;
    }
}

async fn ask<P: Peer>(spec: &Spec, mut peer: P, meter: &Meter) {
    let body = P::body(&stamped(0, spec.size));
    let mut before = Instant::now();
    loop {
        peer.send(&body).await;
        peer.flush().await;
        let size = peer.recv(|body| body.len()).await;
        assert_eq!(size, spec.size, "a body of the right size");
        let now = Instant::now();
        meter.latency(now - before);
        before = now;
    }
}

async fn echo<P: Peer>(mut peer: P) {
    loop {
        peer.echo().await;
    }
}

/// The last message of a burst carries the time at which it was sent.
async fn burst<P: Peer>(spec: &Spec, mut peer: P) {
    let body = P::body(&stamped(0, spec.size));
    loop {
        for _ in 1..BURST {
            peer.send(&body).await;
        }
        peer.send(&P::body(&stamped(now(), spec.size))).await;
        peer.flush().await;
        peer.pause(PAUSE).await;
    }
}

async fn tail<P: Peer>(mut peer: P, meter: &Meter) {
    loop {
        let sent = peer.recv(stamp).await;
        if sent != 0 {
            meter.latency(Duration::from_nanos(now().saturating_sub(sent)));
        }
    }
}

/// Nanoseconds of a clock that all processes share.
fn now() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a clock");
    Duration::from(time).as_nanos() as u64
}

/// A body that begins with `time`.
fn stamped(time: u64, size: usize) -> Vec<u8> {
    let mut body = vec![b'x'; size];
    body[..8].copy_from_slice(&time.to_le_bytes());
    body
}

/// What [`stamped`] put there.
fn stamp(body: &[u8]) -> u64 {
    u64::from_le_bytes(body[..8].try_into().expect("eight bytes"))
}
