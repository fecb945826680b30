//! The cable is pulled and plugged in again: heartbeats notice in time, and messages flow again.
//!
//! The two ends are in network namespaces of their own, joined by a veth pair whose far end goes down and up. It says so where
//! that cannot be made.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use zeroxide::{Context, EventKind, Options as SocketOptions, Socket, SocketType, opt};

use crate::namespace;
use crate::process::pass;
use crate::report::{Report, Rule};
use crate::victim::{Settings, Victim};
use crate::wire::LONG;

/// HEARTBEAT_IVL in milliseconds; HEARTBEAT_TIMEOUT is three of them.
const HEARTBEAT: u64 = 500;

const NOTICED: Rule =
    Rule::at_most(HEARTBEAT as f64 * 4.0 * 1.1, "heartbeats notice within IVL + TIMEOUT and a tenth of it");
const AGAIN: Rule = Rule::at_most(
    5000.0,
    "messages flow again seconds after the cable is back: RECONNECT_IVL, and the kernel's next SYN or ARP a second later",
);

/// Options of `cable`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// The namespaces are made.
    #[arg(long, hide = true)]
    inside: bool,
    /// How often it is pulled.
    #[arg(long, default_value_t = 2)]
    cuts: u32,
}

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    if options.inside {
        return inside(options, report);
    }
    if let Err(error) = namespace::possible() {
        report.skip("cable", format!("{error:#}"));
        return Ok(());
    }
    let status = namespace::enter("ip link set lo up", &format!("cable --cuts {}", options.cuts))?;
    if status == 1 {
        report.fail("cable", "a rule is broken inside the namespace");
    }
    ensure!(status < 2, "the program inside the namespace ended with {status}");
    Ok(())
}

/// The far end of the cable.
struct Far(String);

impl Far {
    fn ip(&self, arguments: &[&str]) -> Result<()> {
        let enter = ["--target", &self.0, "--net", "ip"];
        namespace::run("nsenter", &[&enter[..], arguments].concat())
    }
}

fn inside(options: &Options, report: &mut Report) -> Result<()> {
    let mut command = Command::new("unshare");
    command.arg("--net").arg(std::env::current_exe()?);
    let settings = Settings {
        endpoint: "tcp://0.0.0.0:5555".to_owned(),
        heartbeat: Some(HEARTBEAT),
        ..Settings::new(SocketType::Rep)
    };
    let victim = Victim::start_with(&settings, command)?;
    let far = Far(victim.pid().as_raw_nonzero().to_string());
    let pair = ["link", "add", "cable0", "type", "veth", "peer", "name", "cable1", "netns", &far.0];
    namespace::run("ip", &pair)?;
    namespace::run("ip", &["addr", "add", "10.77.0.1/24", "dev", "cable0"])?;
    namespace::run("ip", &["link", "set", "cable0", "up"])?;
    far.ip(&["addr", "add", "10.77.0.2/24", "dev", "cable1"])?;
    far.ip(&["link", "set", "cable1", "up"])?;
    let context = Context::new();
    let interval = Duration::from_millis(HEARTBEAT);
    let ours = SocketOptions::new()
        .set(opt::HEARTBEAT_IVL, Some(interval))
        .set(opt::HEARTBEAT_TIMEOUT, Some(3 * interval))
        .set(opt::RECONNECT_IVL, Some(Duration::from_millis(50)))
        .set(opt::CONNECT_TIMEOUT, Some(Duration::from_millis(500)))
        .set(opt::LINGER, Some(Duration::ZERO));
    let socket = context.socket_with(SocketType::Req, &ours)?;
    let events = socket.monitor();
    socket.connect("tcp://10.77.0.2:5555")?;
    until_served(&socket)?;
    for cut in 1..=options.cuts {
        while events.try_recv().is_ok() {}
        far.ip(&["link", "set", "cable1", "down"])?;
        let start = Instant::now();
        loop {
            let event = events.recv_timeout(LONG).context("nobody notices that the cable is pulled")?;
            if matches!(event.kind, EventKind::Disconnected { .. }) {
                break;
            }
        }
        report.judge(format!("cable.{cut}.noticed"), millis(start), "ms", &NOTICED);
        pass(Duration::from_secs(1));
        far.ip(&["link", "set", "cable1", "up"])?;
        let start = Instant::now();
        until_served(&socket)?;
        report.judge(format!("cable.{cut}.again"), millis(start), "ms", &AGAIN);
    }
    Ok(())
}

/// Asks until there is the right reply.
fn until_served(socket: &Socket) -> Result<()> {
    let (start, mut number) = (Instant::now(), 0_u64);
    loop {
        number += 1;
        match socket.request(&number.to_be_bytes(), Duration::from_millis(100)) {
            Ok(reply) => {
                ensure!(reply[0] == number.to_be_bytes()[..], "the reply to another request");
                return Ok(());
            }
            Err(error) if start.elapsed() > LONG => return Err(error.into()),
            Err(_) => {}
        }
    }
}

fn millis(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}
