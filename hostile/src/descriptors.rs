//! A socket whose process has no descriptor left: those it has go on, it costs no processor time, and it accepts again as soon
//! as there are descriptors.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use zeroxide::SocketType;

use crate::neighbour::{Client, newcomer};
use crate::process::{pass, raise_descriptors};
use crate::report::{Report, Rule};
use crate::target::{Given, Target};
use crate::victim::Settings;
use crate::wire::{address, connect_from, greeting, host, ready};

/// Descriptors of a victim.
const DESCRIPTORS: u64 = 64;
/// More than those, and fewer than with the backlog.
const CONNECTIONS: usize = 120;

const PROCESSOR: Rule =
    Rule::at_most(5.0, "a listener that is full waits for ACCEPT_BACKOFF and does not spin");
const AGAIN: Rule = Rule::at_most(1e6, "it accepts again within a second of the release");
const P99: Rule = Rule::at_most(100_000.0, "established peers do not notice that there are no descriptors");

/// Options of `descriptors`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Seconds for which there are no descriptors.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// A target must be a REP that echoes, with 64 descriptors.
    #[command(flatten)]
    given: Given,
}

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    raise_descriptors()?;
    let settings = Settings { descriptors: Some(DESCRIPTORS), ..Settings::new(SocketType::Rep) };
    let mut target = Target::new(&options.given, &settings)?;
    let client = Client::start(&target.endpoint, None)?;
    let to = address(&target.endpoint)?;
    let mut held = Vec::new();
    for n in 0..CONNECTIONS {
        let mut stream = connect_from(host(n), to)?;
        stream.write_all(&[greeting("NULL"), ready("REQ")].concat())?;
        held.push(stream);
    }
    // Until all that it can accept are accepted.
    pass(Duration::from_millis(500));
    let before = target.processor_time()?;
    pass(Duration::from_secs_f64(options.seconds));
    // The neighbour's exchanges cost some of it.
    let used = (target.processor_time()? - before) / options.seconds * 100.0;
    client.stop()?.report("descriptors.full", report, &P99);
    let before = target.processor_time()?;
    pass(Duration::from_secs_f64(options.seconds));
    let idle = (target.processor_time()? - before) / options.seconds * 100.0;
    report.figure("descriptors.full.processor", used, "%");
    report.judge("descriptors.full.processor_without_peers", idle, "%", &PROCESSOR);
    drop(held);
    let again = newcomer(&target.endpoint, None)?;
    report.judge("descriptors.again", again.as_micros() as f64, "µs", &AGAIN);
    target.expect_alive()
}
