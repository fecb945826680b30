//! What an idle connection, a pipe and a queued message cost in memory, each side for itself.
//!
//! Heap is counted exactly in this process: once with both sides in it, once with the other one in a victim; the difference is the
//! other side's. Resident memory is the victim's, as the system sees it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use zeroxide::{
    AccessList, Context, Options as SocketOptions, Security, Socket, SocketType, generate_secret_key, opt,
};

use crate::heap::Live;
use crate::process::{self, MIB, pass};
use crate::report::{Report, Rule};
use crate::victim::{Settings, Victim};
use crate::wire::LONG;

/// Bytes of a queued message.
const SIZE: usize = 64;

const NULL: Rule = Rule::at_most(8192.0, "an idle connection without a mechanism costs a side at most 8 KiB");
const CURVE: Rule = Rule::at_most(12_288.0, "an idle connection under CURVE costs a side at most 12 KiB");
const PIPE: Rule = Rule::at_most(
    3072.0,
    "a connection over inproc costs both sides 2 KiB, and half as much where their tables have just doubled",
);
const MESSAGE: Rule = Rule::at_most(96.0, "a queued message of 64 bytes costs at most 32 bytes more");

/// Options of `ceiling`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Idle connections of each kind.
    #[arg(long, default_value_t = 1000)]
    connections: usize,
    /// Queued messages of 64 bytes.
    #[arg(long, default_value_t = 1_000_000)]
    messages: u64,
}

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    process::raise_descriptors()?;
    // First, while no memory that was given back is there to be used again.
    messages(options.messages, report)?;
    let count = options.connections;
    for (curve, name, rule) in [(false, "null", &NULL), (true, "curve", &CURVE)] {
        let (client, resident) = with_victim(curve, count)?;
        let both = together(curve, count)?;
        report.judge(format!("ceiling.{name}.client"), client, "bytes of heap each", rule);
        report.judge(format!("ceiling.{name}.server"), both - client, "bytes of heap each", rule);
        report.judge(format!("ceiling.{name}.server.resident"), resident, "bytes each", rule);
    }
    report.judge("ceiling.inproc.both", inproc(count)?, "bytes of heap each", &PIPE);
    Ok(())
}

/// One PUSH here that has so many connections to a socket in another process: heap of this side, resident memory of the other.
fn with_victim(curve: bool, count: usize) -> Result<(f64, f64)> {
    let settings = Settings { curve, libzmq_defaults: true, ..Settings::new(SocketType::Pull) };
    let victim = Victim::start(&settings)?;
    let context = Context::new();
    let mut options = SocketOptions::new();
    if let Some(server) = &victim.key {
        options =
            options.security(Security::CurveClient { server: server.parse()?, me: generate_secret_key()? });
    }
    let client = context.socket_with(SocketType::Push, &options)?;
    client.connect(&victim.endpoint)?;
    client.wait_for_peers(1, LONG)?;
    let before = process::resident(victim.pid())?;
    let heap = connections(&client, &victim.endpoint, count)?;
    let resident = process::resident(victim.pid())? - before;
    end(&context)?;
    Ok((heap, resident * MIB / count as f64))
}

/// The same with both sides here.
fn together(curve: bool, count: usize) -> Result<f64> {
    let context = Context::new();
    let (mut ours, mut theirs) = (SocketOptions::new(), SocketOptions::with_libzmq_defaults());
    if curve {
        context.authenticator("", AccessList::new().allow_any_curve_key())?;
        let secret = generate_secret_key()?;
        let client = Security::CurveClient { server: secret.public(), me: generate_secret_key()? };
        (ours, theirs) = (ours.security(client), theirs.security(Security::CurveServer(secret)));
    }
    let server = context.socket_with(SocketType::Pull, &theirs)?;
    let endpoint = server.bind("tcp://127.0.0.1:*")?.to_string();
    let client = context.socket_with(SocketType::Push, &ours)?;
    client.connect(&endpoint)?;
    client.wait_for_peers(1, LONG)?;
    let each = connections(&client, &endpoint, count)?;
    server.wait_for_peers(count + 1, LONG)?;
    end(&context)?;
    Ok(each)
}

/// Connects so many times more; bytes of heap for each. The first connection made what there is once.
fn connections(client: &Socket, endpoint: &str, count: usize) -> Result<f64> {
    let before = Live::now();
    for n in 1..=count {
        client.connect(endpoint)?;
        if n % 50 == 0 {
            client.wait_for_peers(n + 1, LONG)?;
        }
    }
    client.wait_for_peers(count + 1, LONG)?;
    Ok(each(before, count))
}

/// Ends a context whole, so that nothing of it is freed while something else is measured.
fn end(context: &Context) -> Result<()> {
    ensure!(context.term().wait_timeout(LONG).is_ok(), "the context does not end");
    Ok(())
}

fn each(before: Live, count: usize) -> f64 {
    Live::since(before).bytes as f64 / count as f64
}

fn inproc(count: usize) -> Result<f64> {
    let context = Context::new();
    let (server, client) = (context.socket(SocketType::Pull)?, context.socket(SocketType::Push)?);
    server.bind("inproc://ceiling")?;
    client.connect("inproc://ceiling")?;
    connections(&client, "inproc://ceiling", count)
}

/// Queues messages for nobody, and then moves them to the receiver's queue.
fn messages(count: u64, report: &mut Report) -> Result<()> {
    let context = Context::new();
    let unbounded = SocketOptions::new()
        .set(opt::SNDHWM, 0)
        .set(opt::RCVHWM, 0)
        .set(opt::LINGER, Some(Duration::ZERO))
        .set(opt::RECONNECT_IVL, Some(Duration::from_millis(10)));
    let pull = context.socket_with(SocketType::Pull, &unbounded)?;
    let endpoint = pull.bind("tcp://127.0.0.1:*")?.to_string();
    pull.unbind(&endpoint)?;
    let push = context.socket_with(SocketType::Push, &unbounded)?;
    push.connect(&endpoint)?;
    let ours = || process::resident(rustix::process::getpid());
    let (before, resident) = (Live::now(), ours()?);
    for _ in 0..count {
        push.try_send(&[7_u8; SIZE])?;
    }
    let resident = (ours()? - resident) * MIB / count as f64;
    report.judge("ceiling.queued.sender", each(before, count as usize), "bytes of heap each", &MESSAGE);
    report.judge("ceiling.queued.sender.resident", resident, "bytes each", &MESSAGE);
    pull.bind(&endpoint)?;
    let deadline = Instant::now() + LONG;
    while push.stats().queued > 0 || pull.stats().io.bytes_read < push.stats().io.bytes_written {
        ensure!(Instant::now() < deadline, "{} messages are not written", push.stats().queued);
        pass(Duration::from_millis(5));
    }
    report.judge("ceiling.queued.receiver", each(before, count as usize), "bytes of heap each", &MESSAGE);
    let mut received = 0;
    while received < count {
        ensure!(pull.recv_timeout(LONG)?[0].len() == SIZE, "another message");
        received += 1;
    }
    end(&context)
}
