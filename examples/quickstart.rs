//! A tour of Zeroxide in three stations that checks its own counts:
//!
//! 1. **publish and subscribe** over tcp: four publishers, a proxy, four subscribers, in two processes;
//! 2. **request and reply** over ipc: how long a round trip takes;
//! 3. **a pipeline** over inproc: one source, four workers, one sink.
//!
//! Run it with `cargo run --release --example quickstart`. It needs nothing but Rust, takes whichever ports are free,
//! and ends with exit code 1 and the count that is wrong, if one is. There is no sleep in it: whoever must know that
//! a subscription has arrived asks for just that, with `wait_for_subscribers`.

use std::error::Error;
use std::process::{Command, ExitCode};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};
use std::{array, env, thread};

use zeroxide::{Cause, Context, Message, Options, Proxy, ProxyStats, Socket, SocketType, opt};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match &arguments[..] {
        // The second process of the first station is this program again, told where to find the first.
        [word, desk, inlet, outlet] if word == SECOND => second_process(desk, inlet, outlet),
        _ => tour(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nquickstart failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tour() -> Result<()> {
    publish_and_subscribe()?;
    request_and_reply()?;
    pipeline()?;
    println!("\nEvery count is right.");
    Ok(())
}

// ---- 1. publish and subscribe ------------------------------------------------------------------------------------

/// The argument that makes this program the second process.
const SECOND: &str = "second-process";

/// Each topic has a publisher of its own. Those of A, B and C wait for slow subscribers. That of D lives in the second
/// process and never waits: what finds its queue full is dropped, and counted.
const TOPICS: [&str; 4] = ["A", "B", "C", "D"];
const MESSAGES: u64 = 10_000;

/// A publisher's last word, to which everybody subscribes.
const END: &str = "end";

/// The last thing that the capture socket says.
const THAT_WAS_ALL: &str = "that was all";

/// Who subscribes to what; the empty prefix is everything. The last one lives in the second process.
const SUBSCRIBERS: [(&str, &[&str]); 4] =
    [("alice", &["A"]), ("bob", &["B", "C"]), ("carol", &[""]), ("dave", &["C", "D"])];

/// The last publisher and the last subscriber: those of the second process.
const LAST: usize = 3;

/// Messages by topic.
type Tally = [u64; TOPICS.len()];

/// What one publisher did.
#[derive(Clone, Copy)]
struct Published {
    sent: u64,
    dropped: u64,
}

/// What everybody counted.
struct Counts {
    published: Vec<Published>,
    received: Vec<Tally>,
    proxy: ProxyStats,
    tapped: u64,
}

fn publish_and_subscribe() -> Result<()> {
    let start = Instant::now();
    let context = Context::new();

    // The proxy: publishers connect to its XSUB, subscribers to its XPUB, which waits for those that are slow. Of
    // everything that passes, the capture socket gets a copy.
    let front = context.socket(SocketType::XSub)?;
    let back = context.socket_with(SocketType::XPub, &Options::new().set(opt::XPUB_NODROP, true))?;
    let capture = context.socket(SocketType::Push)?;
    let inlet = front.bind("tcp://127.0.0.1:*")?.to_string();
    let outlet = back.bind("tcp://127.0.0.1:*")?.to_string();
    capture.bind("inproc://capture")?;
    let tap = context.socket(SocketType::Pull)?;
    tap.connect("inproc://capture")?;
    let proxy = Proxy::new(&front, &back).capture(&capture).spawn()?;
    println!("1. publish and subscribe: tcp, two processes, a proxy from {inlet} to {outlet}");

    // The second process reports at the desk.
    let desk = context.socket(SocketType::Rep)?;
    let desk_at = desk.bind("tcp://127.0.0.1:*")?.to_string();
    let mut second = Command::new(env::current_exe()?).args([SECOND, &desk_at, &inlet, &outlet]).spawn()?;

    let counts = thread::scope(|scope| -> Result<Counts> {
        let tap = scope.spawn(|| listen_in(&tap));
        let mut subscribers = Vec::new();
        for (_, prefixes) in &SUBSCRIBERS[..LAST] {
            let socket = subscribe(&context, &outlet, prefixes)?;
            subscribers.push(scope.spawn(move || tally(&socket)));
        }
        desk.recv_timeout(LONG)?;
        // Everybody is there. What is published before a subscription arrives would be gone: so wait for them all.
        for topic in TOPICS.into_iter().chain([END]) {
            let wanted = SUBSCRIBERS.iter().filter(|(_, prefixes)| topic == END || wants(prefixes, topic));
            back.wait_for_subscribers(topic, wanted.count(), LONG)?;
        }
        desk.send("go")?;
        let publishers = TOPICS[..LAST].iter().map(|topic| {
            let (context, inlet) = (&context, &inlet);
            scope.spawn(move || publish(context, inlet, topic, true))
        });
        let publishers: Vec<_> = publishers.collect();

        let mut published = publishers.into_iter().map(join).collect::<Result<Vec<_>>>()?;
        let mut received = Vec::new();
        for subscriber in subscribers {
            received.push(join(subscriber)?);
        }
        let report = desk.recv_timeout(LONG)?;
        desk.send("thank you")?;
        let [sent, dropped, tally @ ..] = numbers::<{ 2 + TOPICS.len() }>(&report)?;
        published.push(Published { sent, dropped });
        received.push(tally);

        let proxy = proxy.stop()?;
        capture.send(THAT_WAS_ALL)?;
        let tapped = join(tap)?;
        Ok(Counts { published, received, proxy, tapped })
    })?;
    if !second.wait()?.success() {
        return Err("the second process failed".into());
    }
    counts.print(start.elapsed());
    counts.check()
}

/// A publisher and a subscriber in another process.
fn second_process(desk: &str, inlet: &str, outlet: &str) -> Result<()> {
    let context = Context::new();
    let socket = subscribe(&context, outlet, SUBSCRIBERS[LAST].1)?;
    let parent = context.socket(SocketType::Req)?;
    parent.connect(desk)?;
    parent.send("subscribed")?;
    parent.recv_timeout(LONG)?;
    let (published, tally) = thread::scope(|scope| -> Result<_> {
        let publisher = scope.spawn(|| publish(&context, inlet, TOPICS[LAST], false));
        let tally = tally(&socket)?;
        Ok((join(publisher)?, tally))
    })?;
    let report = [published.sent, published.dropped].into_iter().chain(tally);
    parent.send(report.map(|number| number.to_be_bytes().to_vec()).collect::<Vec<_>>())?;
    parent.recv_timeout(LONG)?;
    Ok(())
}

fn subscribe(context: &Context, outlet: &str, prefixes: &[&str]) -> Result<Socket> {
    let socket = context.socket(SocketType::Sub)?;
    socket.subscribe(END)?;
    for prefix in prefixes {
        socket.subscribe(prefix)?;
    }
    socket.connect(outlet)?;
    Ok(socket)
}

/// Receives until every publisher has said its last word; answers how many messages of each topic came.
fn tally(socket: &Socket) -> Result<Tally> {
    let (mut tally, mut publishers) = (Tally::default(), TOPICS.len());
    while publishers > 0 {
        let message = socket.recv_timeout(LONG)?;
        match TOPICS.iter().position(|topic| message[0] == *topic) {
            Some(topic) => tally[topic] += 1,
            None => publishers -= 1,
        }
    }
    Ok(tally)
}

/// Counts what the proxy's capture socket lets out.
fn listen_in(tap: &Socket) -> Result<u64> {
    let mut messages = 0;
    while tap.recv_timeout(LONG)? != Message::from(THAT_WAS_ALL) {
        messages += 1;
    }
    Ok(messages)
}

fn publish(context: &Context, inlet: &str, topic: &str, patient: bool) -> Result<Published> {
    let options = Options::new().set(opt::XPUB_NODROP, patient).set(opt::LINGER, Some(LONG));
    let socket = context.socket_with(SocketType::Pub, &options)?;
    socket.connect(inlet)?;
    // Until the proxy's subscriptions have arrived here, nobody would get anything.
    socket.wait_for_subscribers(topic, 1, LONG)?;
    socket.wait_for_subscribers(END, 1, LONG)?;
    for number in 0..MESSAGES {
        socket.send([topic.as_bytes(), &number.to_be_bytes()])?;
    }
    // The last word must not be dropped: from here on, this publisher waits, too.
    socket.set(opt::XPUB_NODROP, true)?;
    socket.send([END, topic])?;
    let stats = socket.stats();
    agree("messages sent and the last word = accepted", MESSAGES + 1, stats.accepted)?;
    agree("messages that nobody had asked for", stats.unmatched, 0)?;
    let lost = socket.close().wait().dropped;
    Ok(Published { sent: MESSAGES, dropped: stats.dropped.by(Cause::Hwm) + lost })
}

fn wants(prefixes: &[&str], topic: &str) -> bool {
    prefixes.iter().any(|prefix| topic.starts_with(prefix))
}

impl Counts {
    fn print(&self, elapsed: Duration) {
        let names = SUBSCRIBERS.iter().map(|(name, _)| format!("{name:>9}")).collect::<String>();
        println!("\n   topic  published  dropped{names}");
        for (at, topic) in TOPICS.iter().enumerate() {
            let Published { sent, dropped } = self.published[at];
            print!("   {topic:<5}{sent:>11}{dropped:>9}");
            for ((_, prefixes), received) in SUBSCRIBERS.iter().zip(&self.received) {
                let cell = if wants(prefixes, topic) { received[at].to_string() } else { "-".into() };
                print!("{cell:>9}");
            }
            println!();
        }
        let ProxyStats { front, back, captured, .. } = self.proxy;
        println!("\n   D and dave are in the second process; D never waits for anybody.");
        println!(
            "   The proxy passed on {} messages and {} subscriptions; {} were captured. {:.0?} in all.",
            back.sent.messages, front.sent.messages, captured.messages, elapsed
        );
    }

    fn check(&self) -> Result<()> {
        for (at, topic) in TOPICS.iter().enumerate() {
            let Published { sent, dropped } = self.published[at];
            for ((name, prefixes), received) in SUBSCRIBERS.iter().zip(&self.received) {
                let what = format!("topic {topic}, {name}: published = received + dropped");
                let asked = wants(prefixes, topic);
                agree(&what, if asked { sent } else { 0 }, received[at] + if asked { dropped } else { 0 })?;
            }
        }
        let left: u64 = self.published.iter().map(|publisher| publisher.sent - publisher.dropped + 1).sum();
        let ProxyStats { front, back, captured, capture_dropped, .. } = self.proxy;
        let (forth, back_again) = (front.received.messages, back.received.messages);
        agree("what left the publishers = what reached the proxy", left, forth)?;
        agree("messages: received = sent + dropped", forth, back.sent.messages + back.dropped())?;
        agree("subscriptions: received = sent + dropped", back_again, front.sent.messages + front.dropped())?;
        agree(
            "all that passed = captured + dropped",
            forth + back_again,
            captured.messages + capture_dropped,
        )?;
        agree("captured = received from the capture", captured.messages, self.tapped)
    }
}

// ---- 2. request and reply ----------------------------------------------------------------------------------------

fn request_and_reply() -> Result<()> {
    const ROUNDS: usize = 5_000;
    let context = Context::new();
    let server = context.socket(SocketType::Rep)?;
    let endpoint = match server.bind("ipc://*") {
        Ok(endpoint) => endpoint.to_string(),
        Err(zeroxide::Error::Endpoint(error)) => {
            println!("\n2. request and reply: left out: {error}");
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let mut times = thread::scope(|scope| -> Result<Vec<Duration>> {
        let echo = scope.spawn(|| {
            while let Ok(request) = server.recv() {
                server.send(request)?;
            }
            Ok(())
        });
        let times = round_trips(&context, &endpoint, ROUNDS);
        // This ends the server's recv().
        context.shutdown();
        join(echo)?;
        times
    })?;
    times.sort_unstable();
    agree("round trips", times.len() as u64, ROUNDS as u64)?;
    println!("\n2. request and reply: ipc, {ROUNDS} round trips, median {:.1?}", times[ROUNDS / 2]);
    Ok(())
}

fn round_trips(context: &Context, endpoint: &str, rounds: usize) -> Result<Vec<Duration>> {
    let client = context.socket(SocketType::Req)?;
    client.connect_ready(endpoint, LONG)?;
    let mut times = Vec::with_capacity(rounds);
    for round in 0..rounds as u64 {
        let start = Instant::now();
        client.send(&round.to_be_bytes())?;
        let reply = client.recv_timeout(LONG)?;
        times.push(start.elapsed());
        agree("reply = request", numbers::<1>(&reply)?[0], round)?;
    }
    Ok(times)
}

// ---- 3. a pipeline -----------------------------------------------------------------------------------------------

fn pipeline() -> Result<()> {
    const TASKS: u64 = 10_000;
    const WORKERS: usize = 4;
    let context = Context::new();
    let (source, sink) = (context.socket(SocketType::Push)?, context.socket(SocketType::Pull)?);
    source.bind("inproc://tasks")?;
    sink.bind("inproc://results")?;
    let (sum, shares) = thread::scope(|scope| -> Result<_> {
        let workers: [_; WORKERS] = array::from_fn(|_| scope.spawn(|| work(&context)));
        let feeder = scope.spawn(|| -> Result<()> {
            source.wait_for_peers(WORKERS, LONG)?;
            (1..=TASKS).try_for_each(|task| Ok(source.send(&task.to_be_bytes())?))
        });
        let sum = (0..TASKS).try_fold(0, |sum, _| Ok(sum + numbers::<1>(&sink.recv_timeout(LONG)?)?[0]));
        // All results are in: this ends what the workers wait in.
        context.shutdown();
        join(feeder)?;
        Ok((sum, workers.into_iter().map(join).collect::<Result<Vec<u64>>>()?))
    })?;
    let sum: u64 = sum.map_err(|error: Box<dyn Error + Send + Sync>| error)?;
    println!("\n3. a pipeline: inproc, {TASKS} squares by {WORKERS} workers, who did {shares:?}; sum {sum}");
    agree("tasks = what the workers did", TASKS, shares.iter().sum())?;
    agree("the sum of the squares", sum, TASKS * (TASKS + 1) * (2 * TASKS + 1) / 6)
}

/// Squares numbers until the context ends; answers how many.
fn work(context: &Context) -> Result<u64> {
    let (tasks, results) = (context.socket(SocketType::Pull)?, context.socket(SocketType::Push)?);
    results.connect("inproc://results")?;
    tasks.connect("inproc://tasks")?;
    let mut done = 0;
    while let Ok(task) = tasks.recv() {
        let [number] = numbers(&task)?;
        results.send(&(number * number).to_be_bytes())?;
        done += 1;
    }
    Ok(done)
}

// ---- tools -------------------------------------------------------------------------------------------------------

/// Fails with the line it stands in, unless two counts are equal.
#[track_caller]
fn agree(what: &str, left: u64, right: u64) -> Result<()> {
    let at = std::panic::Location::caller();
    if left == right { Ok(()) } else { Err(format!("{at}: {what}: {left} is not {right}").into()) }
}

/// A message of `N` numbers, a frame each.
fn numbers<const N: usize>(message: &Message) -> Result<[u64; N]> {
    let numbers = message.iter().map(|frame| Ok(u64::from_be_bytes(frame[..].try_into()?)));
    let numbers = numbers.collect::<Result<Vec<u64>>>()?;
    numbers.try_into().map_err(|other: Vec<u64>| format!("{} numbers instead of {N}", other.len()).into())
}

/// What a thread gives.
fn join<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|_| Err("a thread panicked".into()))
}
