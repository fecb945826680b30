//! What a message may cost, in allocations and system calls: counters that no machine's noise touches. The times are
//! in `compare`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use zeroxide::{Context, IoStats, Options, Socket, SocketType, opt};

/// Long enough for anything that happens at all.
const LONG: Duration = Duration::from_secs(30);

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator unchanged; counting allocates nothing, its thread-local being
// constant-initialized and without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations that this thread makes in `work`.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    work();
    ALLOCATIONS.with(Cell::get) - before
}

/// Two sockets over tcp, each in a context of its own, as two processes would be, and connected.
fn pair(from: SocketType, to: SocketType, options: &Options) -> (Socket, Socket) {
    let a = Context::new().socket_with(from, options).expect("a socket");
    let b = Context::new().socket_with(to, options).expect("a socket");
    let endpoint = b.bind("tcp://127.0.0.1:*").expect("a port");
    a.connect_ready(endpoint.to_string(), LONG).expect("a peer");
    b.wait_for_peers(1, LONG).expect("a peer");
    (a, b)
}

fn unlimited() -> Options {
    Options::new().set(opt::SNDHWM, 0).set(opt::RCVHWM, 0)
}

/// What `after` counted beyond `before`: writes, reads, deferrals.
fn since(after: IoStats, before: IoStats) -> (u64, u64, u64) {
    (after.writes - before.writes, after.reads - before.reads, after.deferrals - before.deferrals)
}

/// Waits until `n` messages have reached `pull`, and takes them.
fn take(pull: &Socket, n: usize) {
    (0..n).for_each(|at| drop(pull.recv_timeout(LONG).unwrap_or_else(|e| panic!("message {at}: {e}"))));
}

#[test]
fn sending_64_bytes_allocates_nothing() {
    let (push, pull) = pair(SocketType::Push, SocketType::Pull, &unlimited());
    let send = |n| (0..n).for_each(|_| push.send(&[7; 64]).unwrap());
    const N: usize = 20_000;
    send(N);
    take(&pull, N);
    // Queues grow, and a queue may be at its largest only now; after that they are used again and again.
    let made = allocations(|| send(N));
    take(&pull, N);
    assert!(made <= N as u64 / 100, "{made} allocations for {N} messages");
}

#[test]
fn receiving_64_bytes_allocates_nothing() {
    let (push, pull) = pair(SocketType::Push, SocketType::Pull, &unlimited());
    const N: usize = 20_000;
    (0..N).for_each(|_| push.send(&[7; 64]).unwrap());
    // The last message is there, so all are, and nobody has to wait for any.
    let deadline = Instant::now() + LONG;
    while push.stats().written < N as u64 {
        assert!(Instant::now() < deadline, "{}", push.status());
        std::thread::yield_now();
    }
    let mut waits = 0;
    let made = allocations(|| {
        for _ in 0..N {
            while pull.try_recv().is_err() {
                waits += 1;
                std::thread::yield_now();
            }
        }
    });
    // A refusal names its reason, and a receiver that finds its pipe empty may read the stream itself.
    assert!(made <= N as u64 / 100 + 4 * waits, "{made} allocations for {N} messages and {waits} waits");
}

#[test]
fn a_lone_message_is_one_write_and_wakes_no_io_thread() {
    let (push, pull) = pair(SocketType::Push, SocketType::Pull, &Options::new());
    let before = push.stats().io;
    const N: u64 = 500;
    for n in 0..N {
        push.send(&n.to_be_bytes()).unwrap();
        assert_eq!(pull.recv_timeout(LONG).unwrap()[0], &n.to_be_bytes()[..]);
        // Sparse means: no more often than tokens come back, which is one in 20 µs.
        let sent = Instant::now();
        while sent.elapsed() < Duration::from_micros(25) {
            std::thread::yield_now();
        }
    }
    let (writes, reads, deferrals) = since(push.stats().io, before);
    assert_eq!((writes, reads, deferrals), (N, 0, 0));
}

#[test]
fn seventeen_messages_in_a_row_are_at_most_one_deferral() {
    let (push, pull) = pair(SocketType::Push, SocketType::Pull, &Options::new());
    let before = push.stats().io;
    (0..17).for_each(|_| push.send(&[7; 64]).unwrap());
    take(&pull, 17);
    let (writes, _, deferrals) = since(push.stats().io, before);
    assert!((16..=17).contains(&writes), "{writes} writes");
    assert!(deferrals <= 1, "{deferrals} deferrals");
}

#[test]
fn a_flood_of_64_bytes_goes_in_full_quanta() {
    let (push, pull) = pair(SocketType::Push, SocketType::Pull, &Options::new());
    const N: usize = 100_000;
    let (sent, received) = (push.stats().io, pull.stats().io);
    std::thread::scope(|scope| {
        scope.spawn(|| (0..N).for_each(|_| push.send(&[7; 64]).unwrap()));
        take(&pull, N);
    });
    let (writes, _, deferrals) = since(push.stats().io, sent);
    let (_, reads, _) = since(pull.stats().io, received);
    println!(
        "per 1000 messages: {} writes, {} reads, {} deferrals",
        writes / 100,
        reads / 100,
        deferrals / 100
    );
    // The budget is 4 per 1000. How a loaded machine cuts a flood up is its own affair, but a system call per message,
    // or per few, is not a flood.
    assert!(writes <= N as u64 / 10, "{writes} writes");
    assert!(reads <= N as u64 / 10, "{reads} reads");
}

#[test]
fn a_round_trip_is_one_write_and_at_most_two_reads_a_side() {
    let (req, rep) = pair(SocketType::Req, SocketType::Rep, &Options::new());
    const N: u64 = 300;
    let (asking, answering) = (req.stats().io, rep.stats().io);
    std::thread::scope(|scope| {
        scope.spawn(|| (0..N).for_each(|_| rep.send(rep.recv_timeout(LONG).unwrap()).unwrap()));
        for _ in 0..N {
            req.send(&[7; 64]).unwrap();
            req.recv_timeout(LONG).unwrap();
        }
    });
    for (who, io, before) in [("REQ", req.stats().io, asking), ("REP", rep.stats().io, answering)] {
        let (writes, reads, _) = since(io, before);
        assert_eq!(writes, N, "{who}");
        assert!(reads <= 2 * N, "{who}: {reads} reads");
    }
}
