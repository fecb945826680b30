//! Peers that connect, send and close, for ever: afterwards every descriptor, every thread and every allocation is gone.
//!
//! A round makes a DEALER, connects it to one ROUTER, sends a message that is received, and closes it; every second one comes
//! under a routing id that stays the same, the others without. A first, shorter run of the same kind makes what a process makes
//! once.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use zeroxide::{
    AccessList, Context, Options as SocketOptions, RoutingId, Security, Socket, SocketType,
    generate_secret_key, opt,
};

use crate::heap::Live;
use crate::process::{self, MIB, pass};
use crate::report::{Report, Rule};
use crate::wire::LONG;

const WARM_UP: u64 = 100;
/// Rounds from one address of this host: each leaves a port behind for a minute (TIME_WAIT).
const PORTS: u64 = 5000;

const NONE: Rule = Rule::at_most(0.0, "what a peer needed ends with it");
/// HANDSHAKE_IVL: a timer of a handshake outlives a connection that is gone before.
const HANDSHAKE: Duration = Duration::from_secs(1);

const GROWN: Rule = Rule::at_most(
    4.0 * MIB,
    "spare read buffers (1 MiB an I/O thread) and timers that are not due: it does not add up with the rounds",
);
const FLAT: Rule =
    Rule::at_most(8.0, "memory is flat, however many rounds there are: twice the heap's bound");

/// Options of `churn`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Rounds for each transport.
    #[arg(long, default_value_t = 2000)]
    rounds: u64,
}

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    for kind in ["tcp", "ipc", "inproc", "curve"] {
        transport(kind, options.rounds, report).context(kind)?;
    }
    Ok(())
}

fn transport(kind: &str, rounds: u64, report: &mut Report) -> Result<()> {
    churn(kind, WARM_UP)?;
    let (heap, descriptors, threads) = (Live::now(), process::descriptors()?, process::threads()?);
    let start = Instant::now();
    let grown = churn(kind, rounds)?;
    let took = start.elapsed().as_secs_f64();
    let left = Live::since(heap);
    report.figure(format!("churn.{kind}.rounds"), rounds as f64, "connections");
    report.figure(format!("churn.{kind}.rate"), rounds as f64 / took, "connections/s");
    let open = process::descriptors()?.abs_diff(descriptors);
    report.judge(format!("churn.{kind}.descriptors"), open as f64, "left", &NONE);
    let running = process::threads()?.abs_diff(threads);
    report.judge(format!("churn.{kind}.threads"), running as f64, "left", &NONE);
    report.judge(format!("churn.{kind}.blocks"), left.blocks as f64, "left", &NONE);
    report.judge(format!("churn.{kind}.heap"), left.bytes as f64, "bytes left", &NONE);
    // While the ROUTER lived.
    report.judge(format!("churn.{kind}.grown"), grown.bytes as f64, "bytes of heap", &GROWN);
    report.judge(format!("churn.{kind}.resident"), grown.resident, "MiB more", &FLAT);
    Ok(())
}

/// What came between a tenth of the rounds and the last one.
struct Grown {
    resident: f64,
    bytes: i64,
}

/// Makes a context and all its rounds, and ends it. Returns what came between a tenth of them and the last.
fn churn(kind: &str, rounds: u64) -> Result<Grown> {
    let context = Context::new();
    let (ours, theirs) = sides(kind, &context)?;
    let router = context.socket_with(SocketType::Router, &ours.set(opt::ROUTER_HANDOVER, true))?;
    let endpoint =
        router.bind(if kind == "curve" { "tcp://127.0.0.1:*".to_owned() } else { address(kind) })?;
    let endpoint = endpoint.to_string();
    let tenth = (rounds / 10).max(1);
    (0..tenth).try_for_each(|n| round(n, &context, &router, &theirs, &endpoint))?;
    let early = settled(&router)?;
    (tenth..rounds).try_for_each(|n| round(n, &context, &router, &theirs, &endpoint))?;
    let late = settled(&router)?;
    drop((router, theirs));
    ensure!(context.term().wait_timeout(LONG).is_ok(), "the context does not end");
    Ok(Grown { resident: late.resident - early.resident, bytes: late.heap.bytes - early.heap.bytes })
}

/// What there is while no peer is connected.
struct Settled {
    resident: f64,
    heap: Live,
}

fn settled(router: &Socket) -> Result<Settled> {
    let deadline = Instant::now() + LONG;
    while !router.peers().is_empty() {
        ensure!(Instant::now() < deadline, "{} peers stay", router.peers().len());
        pass(Duration::from_millis(1));
    }
    Ok(Settled { resident: process::resident(rustix::process::getpid())?, heap: Live::now() })
}

fn address(kind: &str) -> String {
    match kind {
        "tcp" => "tcp://127.0.0.1:*".to_owned(),
        "ipc" => "ipc://*".to_owned(),
        _ => "inproc://churn".to_owned(),
    }
}

/// The options of the one that stays and of those that come and go.
fn sides(kind: &str, context: &Context) -> Result<(SocketOptions, SocketOptions)> {
    let ours = SocketOptions::new().set(opt::HANDSHAKE_IVL, Some(HANDSHAKE));
    let theirs = ours.clone().set(opt::RECONNECT_IVL, Some(Duration::from_millis(10)));
    if kind != "curve" {
        return Ok((ours, theirs));
    }
    context.authenticator("", AccessList::new().allow_any_curve_key())?;
    let secret = generate_secret_key()?;
    let client = Security::CurveClient { server: secret.public(), me: generate_secret_key()? };
    Ok((ours.security(Security::CurveServer(secret)), theirs.security(client)))
}

fn round(n: u64, context: &Context, router: &Socket, theirs: &SocketOptions, endpoint: &str) -> Result<()> {
    let same = n % 2 == 0;
    let options =
        if same { theirs.clone().set(opt::ROUTING_ID, RoutingId::new("same")?) } else { theirs.clone() };
    let dealer = context.socket_with(SocketType::Dealer, &options)?;
    let from = n / PORTS;
    match endpoint.strip_prefix("tcp://") {
        Some(to) => dealer.connect(format!("tcp://127.1.{}.{}:0;{to}", from / 200 % 200, 1 + from % 200))?,
        None => dealer.connect(endpoint)?,
    };
    dealer.send(&n.to_be_bytes())?;
    let (id, message) = router.recv_from_timeout(LONG).with_context(|| format!("round {n}"))?;
    ensure!(message[0] == n.to_be_bytes()[..], "another message in round {n}");
    ensure!((id.as_bytes() == b"same") == same, "another routing id in round {n}");
    ensure!(dealer.close().wait_timeout(LONG).is_ok(), "round {n} does not close");
    Ok(())
}
