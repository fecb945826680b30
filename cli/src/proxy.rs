//! `zx proxy`: a broker between two sockets, with statistics while it runs, and a capture file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use zeroxide::{Context, ErrorKind, Options, Proxy, ProxyStats, Socket, SocketType, opt};

use crate::attach::{attach_failed, context, set};
use crate::exit::{End, Outcome};
use crate::files::{create, not_written};
use crate::notices::{Notices, Say};
use crate::recording::{Recorder, since_1970};
use crate::status::{self, Side, Status};
use crate::stop::Stop;
use crate::time::duration;
use crate::totals::counted;

/// Messages that may wait to be written to the capture file.
const CAPTURE_AHEAD: u32 = 100_000;
const CAPTURE: &str = "inproc://zx/capture";

/// What `proxy` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct ProxyArgs {
    /// Which sockets it has
    #[arg(value_enum)]
    kind: Kind,
    /// Where publishers, clients or pushers connect to; repeatable
    #[arg(short, long, value_name = "ENDPOINT", required_unless_present = "front_connect")]
    front: Vec<String>,
    /// Connect the front to this endpoint; repeatable
    #[arg(long, value_name = "ENDPOINT")]
    front_connect: Vec<String>,
    /// Where subscribers, workers or pullers connect to; repeatable
    #[arg(short, long, value_name = "ENDPOINT", required_unless_present = "back_connect")]
    back: Vec<String>,
    /// Connect the back to this endpoint; repeatable
    #[arg(long, value_name = "ENDPOINT")]
    back_connect: Vec<String>,
    /// Record every message, from either side, into this file (see `zx replay`)
    #[arg(long, value_name = "FILE")]
    capture: Option<PathBuf>,
    /// Print the rates so often
    #[arg(long, value_name = "TIME", value_parser = duration)]
    stats: Option<Duration>,
    /// Reply with the state of the proxy at this endpoint, as `zx top` asks for it
    #[arg(long, value_name = "ENDPOINT")]
    status: Option<String>,
    /// Set an option of both sockets; repeatable
    #[arg(long = "opt", value_name = "NAME=VALUE")]
    options: Vec<String>,
    /// Print every event of both sockets
    #[arg(short, long)]
    verbose: bool,
}

/// The pairs of sockets.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// XSUB in front, XPUB at the back: many publishers, many subscribers
    Pubsub,
    /// ROUTER in front, DEALER at the back: clients and workers
    Reqrep,
    /// PULL in front, PUSH at the back: tasks and workers
    Pipeline,
}

impl Kind {
    fn sockets(self) -> [SocketType; 2] {
        match self {
            Kind::Pubsub => [SocketType::XSub, SocketType::XPub],
            Kind::Reqrep => [SocketType::Router, SocketType::Dealer],
            Kind::Pipeline => [SocketType::Pull, SocketType::Push],
        }
    }
}

pub(crate) fn run(arguments: &ProxyArgs) -> Outcome {
    let context = context()?;
    let stop = Stop::at_signals(&context)?;
    let [front, back] = arguments.kind.sockets();
    let file = arguments.capture.as_deref().map(|path| create(path, false)).transpose()?;
    let (front, front_notices) =
        arguments.open(&context, front, &arguments.front, &arguments.front_connect)?;
    let (back, back_notices) = arguments.open(&context, back, &arguments.back, &arguments.back_connect)?;
    let mut proxy = Proxy::new(&front, &back);
    let mut writing = None;
    if let (Some(file), Some(path)) = (file, &arguments.capture) {
        let (socket, thread) = capture(&context, file, path.clone(), stop.clone())?;
        proxy = proxy.capture(&socket);
        writing = Some(thread);
    }
    let proxy = Arc::new(proxy.spawn()?);
    if let Some(endpoint) = &arguments.status {
        let (front, back, proxy) = (front.clone(), back.clone(), Arc::clone(&proxy));
        status::serve(&context, endpoint, move || {
            let counts = proxy.stats();
            Status { front: Side::of(&front, &counts.front), back: Side::of(&back, &counts.back) }
        })?;
    }
    let mut last = ProxyStats::default();
    loop {
        let wait =
            arguments.stats.map_or(Duration::from_secs(3600), |every| every.max(Duration::from_millis(1)));
        if stop.wait_until(Instant::now() + wait).is_err() {
            break;
        }
        if arguments.stats.is_some() {
            let now = proxy.stats();
            eprintln!("zx: {}", rates(&last, &now, wait));
            last = now;
        }
    }
    context.term().wait();
    let totals = proxy.stats();
    front_notices.end();
    back_notices.end();
    let written = writing.map_or(Ok(()), |thread| thread.join().unwrap_or(Ok(())));
    eprintln!("zx: {}", summary(&totals));
    written
}

impl ProxyArgs {
    fn open(
        &self,
        context: &Context,
        t: SocketType,
        bind: &[String],
        connect: &[String],
    ) -> Outcome<(Socket, Notices)> {
        let mut options = Options::new();
        for text in &self.options {
            options = set(options, text)?;
        }
        options.check().map_err(End::failed)?;
        let socket = context.socket_with(t, &options)?;
        let notices = Notices::of(&socket, if self.verbose { Say::All } else { Say::Problems });
        for text in bind {
            let bound = socket.bind(text).map_err(|error| attach_failed(error, text))?;
            eprintln!("zx: {t} bound to {bound}");
        }
        for text in connect {
            socket.connect(text).map_err(|error| attach_failed(error, text))?;
        }
        Ok((socket, notices))
    }
}

/// Starts the thread that writes what the returned socket is sent.
fn capture(
    context: &Context,
    file: File,
    path: PathBuf,
    stop: Stop,
) -> Outcome<(Socket, JoinHandle<Outcome>)> {
    let mut recorder = Recorder::new(file).map_err(|error| not_written(&path, &error))?;
    let options = Options::new().set(opt::SNDHWM, CAPTURE_AHEAD).set(opt::RCVHWM, CAPTURE_AHEAD);
    let (from, to) =
        (context.socket_with(SocketType::Pull, &options)?, context.socket_with(SocketType::Push, &options)?);
    from.bind(CAPTURE)?;
    to.connect(CAPTURE)?;
    let thread = thread::spawn(move || {
        let written = write_all(&from, &mut recorder, &path);
        // A proxy that was to record everything does not go on without its file.
        if written.is_err() {
            stop.now();
        }
        written
    });
    Ok((to, thread))
}

fn write_all(from: &Socket, recorder: &mut Recorder<File>, path: &Path) -> Outcome {
    let failed = |error| not_written(path, &error);
    loop {
        let message = match from.try_recv() {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                recorder.flush().map_err(failed)?;
                from.recv()
            }
            received => received,
        };
        match message {
            Ok(message) => recorder.write(&message, since_1970()).map_err(failed)?,
            Err(_) => return recorder.flush().map_err(failed),
        }
    }
}

/// Returns the rates between two counts.
fn rates(before: &ProxyStats, now: &ProxyStats, time: Duration) -> String {
    let rate = |before: u64, now: u64| now.saturating_sub(before) as f64 / time.as_secs_f64();
    let forward = rate(before.back.sent.messages, now.back.sent.messages);
    let backward = rate(before.front.sent.messages, now.front.sent.messages);
    let bytes =
        rate(before.back.sent.bytes + before.front.sent.bytes, now.back.sent.bytes + now.front.sent.bytes);
    let dropped = now.front.dropped() + now.back.dropped();
    format!(
        "to the back {forward:.0}/s, to the front {backward:.0}/s, {:.2} MB/s, dropped {dropped}",
        bytes / 1e6
    )
}

fn summary(totals: &ProxyStats) -> String {
    let forward = counted(totals.back.sent.messages, "message");
    let backward = counted(totals.front.sent.messages, "message");
    let mut text = format!("{forward} to the back, {backward} to the front");
    let dropped = totals.front.dropped() + totals.back.dropped();
    if dropped > 0 {
        text += &format!(", {dropped} dropped (a peer was gone or full)");
    }
    if totals.capture_dropped > 0 {
        text += &format!(", {} not captured (the disk was too slow)", totals.capture_dropped);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_per_second() {
        let (before, mut now) = (ProxyStats::default(), ProxyStats::default());
        now.back.sent.messages = 100;
        now.back.sent.bytes = 1_000_000;
        let text = rates(&before, &now, Duration::from_millis(500));
        assert_eq!(text, "to the back 200/s, to the front 0/s, 2.00 MB/s, dropped 0");
        assert_eq!(summary(&now), "100 messages to the back, 0 messages to the front");
    }
}
