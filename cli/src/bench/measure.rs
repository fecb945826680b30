//! The loops of `bench`, and what they measure.

use std::time::{Duration, Instant};

use clap::ValueEnum;
use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};
use zeroxide::{ErrorKind, Frame, Message, Socket};

use crate::exit::{End, Outcome};

/// How long a peer may take to be there, or a message to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// Round trips before the clock starts.
const WARM_UP: u32 = 100;
/// The time between two rates.
const SAMPLE: Duration = Duration::from_millis(100);
/// Messages between two looks at the clock.
const BATCH: u64 = 64;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Round trips of REQ and REP, one at a time
    Latency,
    /// Messages from PUSH to PULL
    Throughput,
}

/// What is to be measured.
pub(super) struct Plan {
    pub(super) socket: Socket,
    pub(super) size: usize,
    pub(super) duration: Duration,
    /// Without a progress bar.
    pub(super) quiet: bool,
}

/// What was measured.
pub(super) struct Measured {
    pub(super) messages: u64,
    /// The bytes of their bodies.
    pub(super) bytes: u64,
    pub(super) time: Duration,
    /// Round trips in nanoseconds (latency), or rates in messages a second (throughput).
    pub(super) values: Histogram<u64>,
    /// Received and not what was expected: replies that are not the request.
    pub(super) wrong: u64,
}

/// Measures round trips of a REQ, one at a time.
pub(super) fn latency(plan: &Plan) -> Outcome<Measured> {
    let body = Frame::from(vec![b'x'; plan.size]);
    let exchange = || {
        let reply = plan.socket.request(body.clone(), PATIENCE).map_err(|refused| no_peer(refused.error))?;
        Ok::<bool, End>(reply.first().is_some_and(|frame| **frame == *body))
    };
    for _ in 0..WARM_UP {
        exchange()?;
    }
    let mut measured = Measured::new()?;
    let progress = Progress::new(plan);
    let start = Instant::now();
    let mut last = start;
    while last - start < plan.duration {
        let right = match exchange() {
            Err(End::Stopped) if measured.messages > 0 => break,
            result => result?,
        };
        let now = Instant::now();
        measured.values.saturating_record(nanos(now - last));
        measured.messages += 1;
        measured.bytes += plan.size as u64;
        measured.wrong += u64::from(!right);
        last = now;
        if measured.messages % BATCH == 0 {
            progress.show(now - start, measured.messages);
        }
    }
    measured.time = last - start;
    progress.end();
    Ok(measured)
}

/// Measures what a PULL receives.
pub(super) fn throughput(plan: &Plan) -> Outcome<Measured> {
    let receive = || plan.socket.recv_timeout(PATIENCE).map_err(no_peer);
    receive()?;
    let mut measured = Measured::new()?;
    let progress = Progress::new(plan);
    let start = Instant::now();
    let (mut last, mut at_last, mut stopped) = (start, 0, false);
    while measured.time < plan.duration && !stopped {
        for _ in 0..BATCH {
            match receive() {
                Ok(message) => measured.add(&message),
                Err(End::Stopped) if measured.messages > 0 => stopped = true,
                Err(end) => return Err(end),
            }
        }
        let now = Instant::now();
        measured.time = now - start;
        if now - last >= SAMPLE {
            measured.values.saturating_record(rate(measured.messages - at_last, now - last));
            progress.show(measured.time, measured.messages);
            (last, at_last) = (now, measured.messages);
        }
    }
    progress.end();
    Ok(measured)
}

/// Returns whole messages a second.
fn rate(messages: u64, time: Duration) -> u64 {
    let rate = u128::from(messages) * 1_000_000_000 / time.as_nanos().max(1);
    u64::try_from(rate).unwrap_or(u64::MAX)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Says what a peer that was waited for in vain should do.
fn no_peer(error: zeroxide::Error) -> End {
    match error.kind() {
        ErrorKind::TimedOut => {
            End::TimedOut(format!("{error} (latency needs a peer that replies, throughput one that pushes)"))
        }
        _ => error.into(),
    }
}

impl Measured {
    fn new() -> Outcome<Measured> {
        // Three digits, up to a minute in nanoseconds.
        let values = Histogram::new_with_bounds(1, 60_000_000_000, 3).map_err(End::failed)?;
        Ok(Measured { messages: 0, bytes: 0, time: Duration::ZERO, values, wrong: 0 })
    }

    fn add(&mut self, message: &Message) {
        self.messages += 1;
        self.bytes += message.size() as u64;
    }
}

/// A bar on standard error, which is there on a terminal alone.
struct Progress(ProgressBar);

impl Progress {
    fn new(plan: &Plan) -> Progress {
        let bar = if plan.quiet {
            ProgressBar::hidden()
        } else {
            ProgressBar::new(plan.duration.as_millis() as u64)
        };
        let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}");
        Progress(style.map_or(bar.clone(), |style| bar.with_style(style)))
    }

    fn show(&self, time: Duration, messages: u64) {
        self.0.set_position(time.as_millis() as u64);
        self.0.set_message(format!("{}/s", rate(messages, time)));
    }

    fn end(&self) {
        self.0.finish_and_clear();
    }
}
