//! One end of a run: a process that the parent started, or two threads of one.
//!
//! It says `bound ENDPOINT` when others may connect, `done` when the judging end has all it waited for, and, once the
//! parent has written a line to it, `report …` with what it measured. It then leaves without tidying up.

use std::io::{BufRead, Write};
use std::marker::PhantomData;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::case::{End, Implementation, Kind, Order, Pattern};
use crate::library::{Counters, Library};
use crate::ours::Zeroxide;
use crate::usage::Usage;

/// Does what `order` says.
pub(crate) fn run(order: &str) -> ExitCode {
    let Some(order) = Order::parse(order) else {
        eprintln!("not an order: {order:?}");
        return ExitCode::FAILURE;
    };
    match order.implementation {
        Implementation::Zeroxide | Implementation::Other => serve::<Zeroxide>(&order),
        #[cfg(feature = "libzmq")]
        Implementation::Libzmq => serve::<crate::theirs::Libzmq>(&order),
        #[cfg(not(feature = "libzmq"))]
        Implementation::Libzmq => return ExitCode::FAILURE,
    }
    ExitCode::SUCCESS
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush()).expect("a parent that listens");
}

/// What one end measured.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Report {
    /// From the end of the warm-up to the last message; zero at an end that does not judge.
    pub(crate) elapsed: Duration,
    pub(crate) usage: Usage,
    pub(crate) counters: Counters,
    /// Round trips, for latency.
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// Of a message's processor time, what cryptography alone takes at this end.
    pub(crate) boxes: Duration,
}

impl Report {
    fn numbers(&self) -> [u64; 12] {
        let Counters { writes, reads, wakes, deferrals, busy } = self.counters;
        let ns = |time: Duration| time.as_nanos() as u64;
        let (user, system) = (ns(self.usage.user), ns(self.usage.system));
        let (p50, p99) = (ns(self.p50), ns(self.p99));
        let (elapsed, sleeps, boxes) = (ns(self.elapsed), self.usage.sleeps, ns(self.boxes));
        [elapsed, user, system, sleeps, writes, reads, wakes, deferrals, busy, p50, p99, boxes]
    }

    fn text(&self) -> String {
        self.numbers().map(|n| n.to_string()).join(" ")
    }

    /// Reads what a child said.
    pub(crate) fn parse(text: &str) -> Option<Report> {
        let numbers: Vec<u64> = text.split(' ').map_while(|word| word.parse().ok()).collect();
        let [elapsed, user, system, sleeps, writes, reads, wakes, deferrals, busy, p50, p99, boxes] =
            <[u64; 12]>::try_from(numbers).ok()?;
        let time = Duration::from_nanos;
        Some(Report {
            elapsed: time(elapsed),
            usage: Usage { user: time(user), system: time(system), sleeps },
            counters: Counters { writes, reads, wakes, deferrals, busy },
            p50: time(p50),
            p99: time(p99),
            boxes: time(boxes),
        })
    }
}

fn serve<L: Library>(order: &Order) {
    let context = L::context();
    let reports = if order.end == End::Both {
        let endpoint = order.case.transport.endpoint().to_owned();
        let [first, second] =
            [End::First, End::Second].map(|end| Order { end, endpoint: endpoint.clone(), ..order.clone() });
        let (binder, other) = if first.binds() { (first, second) } else { (second, first) };
        let bound = sockets::<L>(&context, &binder);
        let connected = sockets::<L>(&context, &other);
        let both = thread::scope(|scope| {
            let there = scope.spawn(|| act::<L>(&binder, bound));
            let here = act::<L>(&other, connected);
            let there = there.join().expect("an end that ends");
            if binder.end == End::First { [there, here] } else { [here, there] }
        });
        both.to_vec()
    } else {
        vec![act::<L>(order, sockets::<L>(&context, order))]
    };
    for report in reports {
        say(&format!("report {}", report.text()));
    }
    // The process is its own measure: nothing lingers, and tearing down is not what is compared.
    std::process::exit(0);
}

/// The sockets of one end, bound or connected.
fn sockets<L: Library>(context: &L::Context, order: &Order) -> Vec<L::Socket> {
    let pattern = order.case.pattern;
    let (count, kind) = if order.end == End::First { pattern.first() } else { pattern.second() };
    let sockets: Vec<L::Socket> = (0..count).map(|_| L::socket(context, kind, order.seal())).collect();
    for socket in &sockets {
        if order.binds() {
            say(&format!("bound {}", L::bind(socket, order.case.transport.endpoint())));
        } else {
            L::connect(socket, &order.endpoint);
        }
    }
    sockets
}

fn act<L: Library>(order: &Order, mut sockets: Vec<L::Socket>) -> Report {
    let pattern = order.case.pattern;
    if order.end == End::First && pattern.first().1 == Kind::Pub {
        L::wait_for_subscribers(&mut sockets[0], pattern.second().0);
    }
    let clock = Clock::<L>::new();
    let mut report = match (pattern, order.end) {
        (Pattern::Latency, End::First) => ask::<L>(order, &mut sockets[0], &clock),
        (Pattern::Latency, _) => answer::<L>(order, &mut sockets[0], &clock),
        (_, End::First) => send::<L>(order, &mut sockets, &clock),
        (Pattern::Spread, _) => share::<L>(order, &mut sockets, &clock),
        _ => receive::<L>(order, &mut sockets, &clock),
    };
    if order.end == pattern.judge() {
        clock.fill(&mut report, &sockets);
        say("done");
        wait_for_the_parent();
    } else {
        wait_for_the_parent();
        clock.fill(&mut report, &sockets);
    }
    report.boxes = boxes::<L>(order);
    report
}

#[cfg(not(feature = "curve"))]
fn boxes<L: Library>(_: &Order) -> Duration {
    Duration::ZERO
}

/// Who sends seals, who receives opens, who asks or answers does both.
#[cfg(feature = "curve")]
fn boxes<L: Library>(order: &Order) -> Duration {
    if order.seal() == crate::case::Seal::None {
        return Duration::ZERO;
    }
    let [seal, open] = L::boxes(order.case.size);
    match (order.case.pattern, order.end) {
        (Pattern::Latency, _) => seal + open,
        (_, End::First) => seal,
        _ => open,
    }
}

/// The first line from the parent; the end of its pipe will do.
fn wait_for_the_parent() {
    static TOLD: OnceLock<()> = OnceLock::new();
    TOLD.get_or_init(|| drop(std::io::stdin().lock().read_line(&mut String::new())));
}

/// The state of things when the warm-up was over.
struct Clock<L: Library> {
    started: OnceLock<(Instant, Usage)>,
    /// Summed over the sockets, each at its own start.
    before: Mutex<Counters>,
    library: PhantomData<fn() -> L>,
}

impl<L: Library> Clock<L> {
    fn new() -> Clock<L> {
        Clock { started: OnceLock::new(), before: Mutex::default(), library: PhantomData }
    }

    /// The warm-up of one socket is over; the clock runs from the first.
    fn start(&self, socket: &L::Socket) -> Instant {
        let mut before = self.before.lock().expect("no panic in three lines");
        *before = before.plus(L::counters(socket));
        self.started.get_or_init(|| (Instant::now(), Usage::now())).0
    }

    fn fill(&self, report: &mut Report, sockets: &[L::Socket]) {
        let (_, usage) = self.started.get().expect("a run that began");
        report.usage = Usage::now().since(*usage);
        let now = sockets.iter().fold(Counters::default(), |sum, socket| sum.plus(L::counters(socket)));
        report.counters = now.since(*self.before.lock().expect("no panic in three lines"));
    }
}

/// The part of `total` that falls to socket `at` of `of`.
fn part(total: u64, at: usize, of: usize) -> u64 {
    total / of as u64 + u64::from((at as u64) < total % of as u64)
}

fn send<L: Library>(order: &Order, sockets: &mut [L::Socket], clock: &Clock<L>) -> Report {
    let body = vec![b'x'; order.case.size];
    let of = sockets.len();
    thread::scope(|scope| {
        for (at, socket) in sockets.iter_mut().enumerate() {
            let body = &body;
            scope.spawn(move || {
                (0..part(order.warm_up(), at, of)).for_each(|_| L::send(socket, body));
                clock.start(socket);
                (0..part(order.count, at, of)).for_each(|_| L::send(socket, body));
            });
        }
    });
    Report::default()
}

/// Every socket gets every message that one socket sends; or the one socket all of several.
fn receive<L: Library>(order: &Order, sockets: &mut [L::Socket], clock: &Clock<L>) -> Report {
    let ends: Vec<Instant> = thread::scope(|scope| {
        let threads: Vec<_> = sockets
            .iter_mut()
            .map(|socket| {
                scope.spawn(move || {
                    (0..order.warm_up()).for_each(|_| _ = L::recv(socket));
                    clock.start(socket);
                    for _ in 0..order.count {
                        assert_eq!(L::recv(socket), order.case.size, "a body cut short");
                    }
                    Instant::now()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a receiver that ends")).collect()
    });
    elapsed(ends.into_iter().max(), clock)
}

/// The sockets share the messages, nobody knows how.
fn share<L: Library>(order: &Order, sockets: &mut [L::Socket], clock: &Clock<L>) -> Report {
    let (of, received) = (sockets.len() as u64, &AtomicU64::new(0));
    let ends: Vec<Instant> = thread::scope(|scope| {
        let threads: Vec<_> = sockets
            .iter_mut()
            .map(|socket| {
                scope.spawn(move || {
                    (0..order.warm_up() / of / 2).for_each(|_| _ = L::recv(socket));
                    clock.start(socket);
                    let mut mine = order.warm_up() / of / 2;
                    loop {
                        while L::try_recv(socket) {
                            mine += 1;
                        }
                        received.fetch_add(std::mem::take(&mut mine), Ordering::SeqCst);
                        if received.load(Ordering::SeqCst) >= order.warm_up() + order.count {
                            return Instant::now();
                        }
                        mine += u64::from(L::recv_briefly(socket));
                    }
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a receiver that ends")).collect()
    });
    elapsed(ends.into_iter().min(), clock)
}

fn elapsed<L: Library>(end: Option<Instant>, clock: &Clock<L>) -> Report {
    let start = clock.started.get().map(|(start, _)| *start);
    let elapsed = end.zip(start).map(|(end, start)| end.saturating_duration_since(start));
    Report { elapsed: elapsed.unwrap_or_default(), ..Report::default() }
}

fn ask<L: Library>(order: &Order, socket: &mut L::Socket, clock: &Clock<L>) -> Report {
    let body = vec![b'x'; order.case.size];
    let round_trip = |socket: &mut L::Socket| {
        L::send(socket, &body);
        assert_eq!(L::recv(socket), order.case.size, "a body cut short");
    };
    (0..order.warm_up()).for_each(|_| round_trip(socket));
    let mut trips = Vec::with_capacity(order.count as usize);
    let start = clock.start(socket);
    let mut before = start;
    for _ in 0..order.count {
        round_trip(socket);
        let now = Instant::now();
        trips.push(now - before);
        before = now;
    }
    trips.sort_unstable();
    let at = |percent: usize| trips.get(trips.len() * percent / 100).copied().unwrap_or_default();
    Report { elapsed: before - start, p50: at(50), p99: at(99), ..Report::default() }
}

fn answer<L: Library>(order: &Order, socket: &mut L::Socket, clock: &Clock<L>) -> Report {
    let body = vec![b'x'; order.case.size];
    for served in 0..order.warm_up() + order.count {
        if served == order.warm_up() {
            clock.start(socket);
        }
        L::recv(socket);
        L::send(socket, &body);
    }
    Report::default()
}
