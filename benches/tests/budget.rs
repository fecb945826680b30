//! What a message may cost, in allocations and system calls: counters that no machine's noise touches. The times are
//! in `cells` and `pair`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::time::{Duration, Instant};

use zeroxide::{Context, IoStats, Options, Socket, SocketType, opt};

/// Long enough for anything that happens at all.
const LONG: Duration = Duration::from_secs(30);

/// Counts the allocations of each thread, and the bytes that it has taken and not given back.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
    static BYTES: Cell<i64> = const { Cell::new(0) };
}

fn count(more: usize, less: usize) {
    BYTES.with(|n| n.set(n.get() + more as i64 - less as i64));
}

// SAFETY: every call goes to the system's allocator unchanged; counting allocates nothing, its thread-locals being
// constant-initialized and without a destructor.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        count(layout.size(), 0);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        count(size, layout.size());
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
fn a_queued_message_takes_little_more_memory_than_its_bytes() {
    const N: i64 = 300_000;
    // Up to 33 bytes libzmq takes 64 for each message, beyond that 128 and the body.
    for size in [0, 1, 20, 33, 64] {
        let context = Context::new();
        let pull = context.socket_with(SocketType::Pull, &unlimited()).expect("a socket");
        let push = context.socket_with(SocketType::Push, &unlimited()).expect("a socket");
        pull.bind("inproc://queue").expect("a name");
        push.connect("inproc://queue").expect("the name");
        let body = vec![7; size];
        let before = BYTES.with(Cell::get);
        (0..N).for_each(|_| push.send(&body[..]).unwrap());
        let each = (BYTES.with(Cell::get) - before) / N;
        assert!(each <= size as i64 + 2, "{each} bytes for each of {size}");
        take(&pull, N as usize);
        let kept = BYTES.with(Cell::get) - before;
        assert!(kept <= 128 * 1024, "{kept} bytes are kept when the queue is empty");
    }
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

/// Of a large body, only what comes in one read with its header, or with the message before, is copied.
#[test]
fn a_large_body_is_read_into_its_message_and_becomes_bytes_without_a_copy() {
    for (size, copied) in [(64 * 1024, 4096), (256 * 1024, 4096), (1 << 20, 4096)] {
        let (push, pull) = pair(SocketType::Push, SocketType::Pull, &Options::new());
        // After the first one the receiver expects large bodies.
        push.send(vec![7; size]).unwrap();
        take(&pull, 1);
        const N: usize = 10;
        let before = pull.stats().io;
        std::thread::scope(|scope| {
            scope.spawn(|| (0..N).for_each(|_| push.send(vec![7; size]).unwrap()));
            for _ in 0..N {
                let frame = pull.recv_timeout(LONG).unwrap().pop_front().unwrap();
                let at = frame.as_ptr();
                let mut bytes = bytes::Bytes::new();
                let made = allocations(|| bytes = frame.into_bytes());
                assert_eq!((bytes.as_ptr(), bytes.len(), made), (at, size, 0));
            }
        });
        let after = pull.stats().io;
        let direct = after.bytes_direct - before.bytes_direct;
        assert!(direct >= (N * (size - copied)) as u64, "{direct} of {N} times {size}");
        assert_eq!(after.growths - before.growths, N as u64, "one allocation each of {size}");
    }
}
