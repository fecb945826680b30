//! A set-up that ZeroMQ's users know from articles: two publishers in Python, a proxy in the middle with its XSUB and
//! its XPUB bound, and subscribers in Java (topics C and D), in Python (topics A and B) and in Rust (everything).
//!
//! Each message is accounted for: every subscriber receives all that was published on its topics, each message once, in
//! the order of its publisher, and nothing else; and the proxy's counters agree. High-water marks are as they come, so
//! what is on its way at a time is kept below them: nothing may be dropped.

mod account;

use std::time::{Duration, Instant};

use crate::known::{self, KNOWN};
use crate::peer::{Failure, Peer};
use crate::program::Program;
use crate::report::{CellResult, Outcome, Verdict};
use account::{Account, PUBLISHERS, TOPICS, message, probe, read};

/// Messages that each publisher sends before the counters are first read: one on each topic.
const FIRST: u32 = TOPICS.len() as u32;
/// Messages of each publisher in a round; the next begins when all of them have been received. So few that they stay
/// below every high-water mark, and the commands for them in the pipes of the peers' standard streams.
const ROUND: u32 = 250;
const ROUNDS: u32 = 8;
/// How long the peers have to find each other, and how long a message may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The ports of the proxy; 0 is any that is free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    /// Where its XSUB waits for publishers.
    pub publishers: u16,
    /// Where its XPUB waits for subscribers.
    pub subscribers: u16,
}

impl Ports {
    /// Any two.
    pub const EPHEMERAL: Ports = Ports { publishers: 0, subscribers: 0 };
    /// Those of the articles.
    pub const USUAL: Ports = Ports { publishers: 6001, subscribers: 6000 };
}

/// The names of its cells in the report: whose peer, which pair, and the side that Zeroxide plays, which is bound.
const CELLS: [(Part, &str, &str, &str); 3] = [
    (Part::Everything, "pyzmq", "PUB-XSUB", "right"),
    (Part::Python, "pyzmq", "XPUB-SUB", "left"),
    (Part::Java, "jeromq-0.5.2", "XPUB-SUB", "left"),
];

/// The ids of its cells, in the order of what [`play`] answers.
#[must_use]
pub fn ids() -> Vec<String> {
    play_nothing().iter().map(CellResult::id).collect()
}

/// Plays it, with JeroMQ 0.5.2 and not another. Without Python all of it is missing, without JeroMQ its cell.
///
/// The first cell stands for the way from the publishers to the proxy, which Zeroxide's own subscriber to everything
/// and the counters show; the others for the way from the proxy to each foreign subscriber.
#[must_use]
pub fn play(
    zeroxide: &Program,
    python: Option<&Program>,
    jeromq: Option<&Program>,
    ports: Ports,
) -> Vec<CellResult> {
    let start = Instant::now();
    let mut cells = play_nothing();
    let Some(python) = python else { return cells };
    let cast = Cast { zeroxide, python, jeromq };
    let ended = perform(&cast, ports);
    let fails = ended.iter().any(|(_, end)| end.is_err());
    let controls = fails.then(|| Controls::run(&cast, ports));
    let took = start.elapsed();
    for (cell, (part, ..)) in cells.iter_mut().zip(CELLS) {
        let Some((_, end)) = ended.iter().find(|(played, _)| *played == part) else { continue };
        cell.took = took;
        cell.outcome = match end {
            Ok(taken) => {
                cell.note = format!("{taken} messages received");
                Outcome::Passed
            }
            Err(Fault { why, log }) => {
                let (verdict, account) = match &controls {
                    Some(controls) => controls.judge(part, &cell.id()),
                    None => (Verdict::Undecided, String::new()),
                };
                Outcome::Failed { verdict, why: why.clone(), transcript: format!("{log}{account}") }
            }
        };
    }
    cells
}

/// Its cells, none of them played.
fn play_nothing() -> Vec<CellResult> {
    let cell = |(_, peer, pair, side): (Part, &str, &str, &str)| CellResult {
        peer: peer.to_owned(),
        pair: pair.to_owned(),
        transport: "tcp".to_owned(),
        mechanism: "NULL".to_owned(),
        ours: side.to_owned(),
        binder: side.to_owned(),
        scenario: "article".to_owned(),
        outcome: Outcome::Missing { why: "pyzmq or JeroMQ 0.5.2 is not there".to_owned() },
        note: String::new(),
        took: Duration::ZERO,
    };
    CELLS.into_iter().map(cell).collect()
}

/// Who plays.
struct Cast<'a> {
    zeroxide: &'a Program,
    /// Both publishers, and a subscriber.
    python: &'a Program,
    jeromq: Option<&'a Program>,
}

/// A subscriber's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Everything,
    Python,
    Java,
}

impl Part {
    fn topics(self) -> &'static [&'static str] {
        match self {
            Part::Everything => &TOPICS,
            Part::Python => &["A", "B"],
            Part::Java => &["C", "D"],
        }
    }

    /// What it subscribes to, as words.
    fn subscriptions(self) -> &'static [&'static str] {
        match self {
            Part::Everything => &["-"],
            Part::Python => &["t:A", "t:B"],
            Part::Java => &["t:C", "t:D"],
        }
    }
}

/// What went wrong for one part, and the last lines of those concerned.
#[derive(Clone)]
struct Fault {
    why: String,
    log: String,
}

/// How it ended for one part: well, with so many messages received.
type Ending = Result<u32, Fault>;

/// The set-up with Zeroxide in every part, and with Zeroxide in none: Python has a proxy, too.
struct Controls {
    ours: Vec<(Part, Ending)>,
    theirs: Vec<(Part, Ending)>,
}

impl Controls {
    fn run(cast: &Cast<'_>, ports: Ports) -> Controls {
        let (ours, theirs) = (cast.zeroxide, cast.python);
        let ours = Cast { zeroxide: ours, python: ours, jeromq: cast.jeromq.map(|_| ours) };
        let theirs = Cast { zeroxide: theirs, python: theirs, jeromq: cast.jeromq };
        Controls { ours: perform(&ours, ports), theirs: perform(&theirs, ports) }
    }

    /// Whose fault it is that a part fails: of those who fail in it without the other; with an account.
    fn judge(&self, part: Part, id: &str) -> (Verdict, String) {
        let fault = |endings: &[(Part, Ending)]| {
            let ended = endings.iter().find(|(played, _)| *played == part);
            ended.and_then(|(_, end)| end.as_ref().err().cloned())
        };
        // That others in all parts fail in one of them says nothing about a part in which they do not.
        let (ours, theirs) =
            (self.ours.iter().find_map(|(_, end)| end.as_ref().err().cloned()), fault(&self.theirs));
        let verdict = match (&ours, &theirs) {
            (Some(_), None) => Verdict::Ours,
            (None, Some(_)) => {
                Verdict::Theirs { reason: known::find(KNOWN, id).map(|row| row.reason.to_owned()) }
            }
            _ => Verdict::Undecided,
        };
        let line = |whose: &str, fault: Option<Fault>| match fault {
            Some(fault) => format!("with {whose}: {}\n{}", fault.why, fault.log),
            None => format!("with {whose}: passed\n"),
        };
        (verdict, line("Zeroxide in every part", ours) + &line("Zeroxide in no part", theirs))
    }
}

/// How it ends for each part that is played.
fn perform(cast: &Cast<'_>, ports: Ports) -> Vec<(Part, Ending)> {
    let parts = [
        (Part::Everything, Some(cast.zeroxide)),
        (Part::Python, Some(cast.python)),
        (Part::Java, cast.jeromq),
    ];
    let parts: Vec<_> = parts.into_iter().filter_map(|(part, program)| Some((part, program?))).collect();
    let mut scene = match Scene::open(cast, ports) {
        Ok(scene) => scene,
        Err(failure) => {
            let fault = Fault { why: failure.to_string(), log: String::new() };
            return parts.into_iter().map(|(part, _)| (part, Err(fault.clone()))).collect();
        }
    };
    let endpoint = scene.endpoint.clone();
    scene.seats.extend(parts.into_iter().map(|(part, program)| Seat::open(part, program, &endpoint)));
    let failure = scene.run().err();
    scene.end(failure)
}

/// The proxy, the publishers and the subscribers, all running.
struct Scene {
    proxy: Peer,
    /// Whether the proxy is Zeroxide's, which counts.
    must_count: bool,
    publishers: Vec<Peer>,
    /// Where subscribers connect.
    endpoint: String,
    seats: Vec<Seat>,
}

impl Scene {
    /// Everything but the subscribers.
    fn open(cast: &Cast<'_>, ports: Ports) -> Result<Scene, Failure> {
        let mut proxy = Peer::start(cast.zeroxide)?;
        proxy.ask("socket front XSUB")?;
        proxy.ask("socket back XPUB")?;
        let front = bind(&mut proxy, "front", ports.publishers)?;
        let endpoint = bind(&mut proxy, "back", ports.subscribers)?;
        proxy.ask("proxy front back")?;
        let mut publishers = Vec::new();
        for _ in PUBLISHERS {
            let mut publisher = Peer::start(cast.python)?;
            publisher.ask("socket s PUB")?;
            publisher.ask(format!("connect s {front}"))?;
            publishers.push(publisher);
        }
        let must_count = cast.zeroxide.name == Program::OURS;
        Ok(Scene { proxy, must_count, publishers, endpoint, seats: Vec::new() })
    }

    /// Makes contact and publishes. What fails for one subscriber alone is noted at its seat.
    fn run(&mut self) -> Result<(), Failure> {
        self.make_contact()?;
        self.publish(0, FIRST)?;
        for seat in &mut self.seats {
            // Probes may still be before the first messages.
            seat.attempt(|peer, account| {
                while account.due_before(FIRST) > 0 {
                    peer.tell(recv(PATIENCE))?;
                    account_for(peer, account)?;
                }
                Ok(())
            });
        }
        // Now no probe is on its way any more: from here on, what was published is what was forwarded.
        // Not every proxy counts.
        let before = match self.counts() {
            Err(Failure::Lacks { .. }) if !self.must_count => None,
            counted => Some(counted?),
        };
        for round in 0..ROUNDS {
            let start = FIRST + round * ROUND;
            self.round(start, start + ROUND)?;
        }
        for seat in &mut self.seats {
            seat.attempt(expect_nothing);
        }
        before.map_or(Ok(()), |before| self.compare(before))
    }

    /// Publishes probes until each subscriber has heard each publisher on each of its topics.
    fn make_contact(&mut self) -> Result<(), Failure> {
        let end = Instant::now() + PATIENCE;
        loop {
            for (n, publisher) in self.publishers.iter_mut().enumerate() {
                for topic in TOPICS {
                    publisher.ask(send(&probe(n, topic)))?;
                }
            }
            let late = Instant::now() > end;
            let mut ready = true;
            for seat in &mut self.seats {
                seat.attempt(|peer, account| {
                    listen(peer, account)?;
                    match account.unheard() {
                        Some(what) if late => {
                            Err(Failure::NoContact { what: format!("{} has not heard {what}", peer.name) })
                        }
                        _ => Ok(()),
                    }
                });
                ready &= seat.fault.is_some() || seat.account.is_in_contact();
            }
            if ready {
                return Ok(());
            }
        }
    }

    /// Each publisher sends its messages from `start` to before `end`.
    fn publish(&mut self, start: u32, end: u32) -> Result<(), Failure> {
        for (publisher, peer) in self.publishers.iter_mut().enumerate() {
            (start..end).try_for_each(|n| peer.tell(send(&message(publisher, n))))?;
        }
        for peer in &mut self.publishers {
            (start..end).try_for_each(|_| peer.answer(PATIENCE).map(drop))?;
        }
        Ok(())
    }

    /// Publishes, while the subscribers receive.
    fn round(&mut self, start: u32, end: u32) -> Result<(), Failure> {
        for seat in &mut self.seats {
            seat.attempt(|peer, account| {
                (0..account.due_before(end)).try_for_each(|_| peer.tell(recv(PATIENCE)))
            });
        }
        self.publish(start, end)?;
        for seat in &mut self.seats {
            seat.attempt(|peer, account| {
                while account.due_before(end) > 0 {
                    account_for(peer, account)?;
                }
                Ok(())
            });
        }
        Ok(())
    }

    /// What the proxy has received in front, sent at the back, and dropped anywhere.
    fn counts(&mut self) -> Result<[u64; 3], Failure> {
        let [received, _, dropped_front] = counts(&mut self.proxy, "front")?;
        let [_, sent, dropped_back] = counts(&mut self.proxy, "back")?;
        Ok([received, sent, dropped_front + dropped_back])
    }

    fn compare(&mut self, before: [u64; 3]) -> Result<(), Failure> {
        let after = self.counts()?;
        let published = u64::from(ROUNDS * ROUND) * PUBLISHERS.len() as u64;
        let expected = [before[0] + published, before[1] + published, 0];
        if after == expected {
            return Ok(());
        }
        let [received, sent, dropped] = expected;
        let expected = format!("{received} received, {sent} sent, {dropped} dropped");
        Err(self.proxy.unlike("counts", &expected, format!("{after:?}")))
    }

    /// How it ended for each part. A failure that is no subscriber's own is everybody's.
    fn end(self, failure: Option<Failure>) -> Vec<(Part, Ending)> {
        let Scene { proxy, publishers, seats, .. } = self;
        let common = failure.map(|failure| {
            let logs = publishers.iter().chain([&proxy]).map(Peer::log);
            Fault { why: failure.to_string(), log: logs.collect() }
        });
        let end = |seat: Seat| match seat.fault.or_else(|| common.clone()) {
            Some(fault) => (seat.part, Err(fault)),
            None => (seat.part, Ok(seat.account.taken())),
        };
        seats.into_iter().map(end).collect()
    }
}

/// A subscriber.
struct Seat {
    part: Part,
    /// Until it fails.
    peer: Option<Peer>,
    account: Account,
    fault: Option<Fault>,
}

impl Seat {
    fn open(part: Part, program: &Program, endpoint: &str) -> Seat {
        let account = Account::new(part.topics());
        match Peer::start(program) {
            Ok(peer) => {
                let mut seat = Seat { part, peer: Some(peer), account, fault: None };
                seat.attempt(|peer, _| {
                    peer.ask("socket s SUB")?;
                    peer.ask(format!("connect s {endpoint}"))?;
                    part.subscriptions()
                        .iter()
                        .try_for_each(|topic| peer.ask(format!("subscribe s {topic}")).map(drop))
                });
                seat
            }
            Err(failure) => {
                let fault = Fault { why: failure.to_string(), log: String::new() };
                Seat { part, peer: None, account, fault: Some(fault) }
            }
        }
    }

    /// Does something with it, unless it has failed before. What fails is noted, and ends it.
    fn attempt(&mut self, act: impl FnOnce(&mut Peer, &mut Account) -> Result<(), Failure>) {
        let Some(peer) = &mut self.peer else { return };
        if let Err(failure) = act(peer, &mut self.account) {
            self.fault = Some(Fault { why: failure.to_string(), log: peer.log() });
            self.peer = None;
        }
    }
}

/// Takes the next answer to `recv` into account.
fn account_for(peer: &mut Peer, account: &mut Account) -> Result<(), Failure> {
    let told = peer.answer(PATIENCE)?;
    account.take(&told).map_err(|due| peer.unlike("recv", &due, read(&told)))
}

/// Receives what there is.
fn listen(peer: &mut Peer, account: &mut Account) -> Result<(), Failure> {
    const BRIEFLY: Duration = Duration::from_millis(20);
    loop {
        peer.tell(recv(BRIEFLY))?;
        match account_for(peer, account) {
            Err(failure) if failure.code() == "again" => return Ok(()),
            other => other?,
        }
    }
}

fn expect_nothing(peer: &mut Peer, _: &mut Account) -> Result<(), Failure> {
    match peer.ask(recv(Duration::ZERO)) {
        Ok(told) => Err(peer.unlike("recv", "nothing more", told.join(" "))),
        Err(failure) if failure.code() == "again" => Ok(()),
        Err(failure) => Err(failure),
    }
}

fn recv(limit: Duration) -> String {
    format!("recv s {}", limit.as_millis())
}

fn send(words: &[String]) -> String {
    format!("send s {} {}", PATIENCE.as_millis(), words.join(" "))
}

fn bind(proxy: &mut Peer, socket: &str, port: u16) -> Result<String, Failure> {
    let port = if port == 0 { "*".to_owned() } else { port.to_string() };
    let command = format!("bind {socket} tcp://127.0.0.1:{port}");
    let resolved = proxy.ask(command.as_str())?.into_iter().next();
    resolved.ok_or_else(|| proxy.unlike(&command, "an endpoint", String::new()))
}

fn counts(proxy: &mut Peer, socket: &str) -> Result<[u64; 3], Failure> {
    let command = format!("counts {socket}");
    let told = proxy.ask(command.as_str())?;
    let numbers: Vec<u64> = told.iter().filter_map(|word| word.parse().ok()).collect();
    <[u64; 3]>::try_from(numbers).map_err(|_| proxy.unlike(&command, "three numbers", told.join(" ")))
}
