//! A flood of strangers at a listener, and what its established peers notice of it.
//!
//! Each stranger connects, sends a greeting and the first command of its mechanism, waits for what the server answers to
//! that and is gone; with CURVE the server has opened and sealed a box for it then. Three rows are measured one after the
//! other: nobody knocks; the same strangers knock at the door of a plain listener of the system, which shows what they
//! cost the machine; they knock at the server's own door. Peers, strangers and server share the processors, so only the
//! difference between the last two rows is the server's, and that only on a machine that does nothing else.
//!
//! `cargo run --release -p benches --features plain,curve --bin flood -- --mechanism curve`
//!
//! | module | holds |
//! |---|---|
//! | `strangers` | those who knock, and the listener that stands in for the server |
//! | `established` | the server, its peers, and what they measure |

mod established;
mod strangers;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use established::{Established, Measured};
use strangers::{Elsewhere, Habits, Strangers};

/// Measures established peers while strangers knock.
#[derive(Parser)]
struct Options {
    /// What the server demands.
    #[arg(long, value_enum, default_value = "null")]
    mechanism: Mechanism,
    /// Strangers in a second, at most.
    #[arg(long, default_value_t = 5000)]
    rate: u32,
    /// Strangers at once.
    #[arg(long, default_value_t = 8)]
    at_once: u32,
    /// Addresses that they come from: 127.0.0.2 and those after it (Linux).
    #[arg(long, default_value_t = 8)]
    hosts: u8,
    /// Bytes of a message.
    #[arg(long, default_value_t = 64)]
    size: usize,
    /// How long each measurement lasts; there are two in a row.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
}

/// The mechanisms that this program was built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Mechanism {
    Null,
    #[cfg(feature = "plain")]
    Plain,
    #[cfg(feature = "curve")]
    Curve,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Box<dyn std::error::Error>> {
    let time = Duration::from_secs_f64(options.seconds);
    let server = Established::new(options.mechanism, options.size)?;
    let elsewhere = Elsewhere::new()?;
    println!(
        "{:?}, messages of {} bytes, strangers from {} hosts",
        options.mechanism, options.size, options.hosts
    );
    println!(
        "{:<22}{:>12}{:>14}{:>14}{:>13}",
        "strangers", "messages/s", "round trip 50%", "99%", "strangers/s"
    );
    let quiet = server.measure(time)?;
    row("none", &quiet, 0.0, None);
    let habits = Habits { rate: options.rate, at_once: options.at_once.max(1), hosts: options.hosts };
    let opening = server.opening()?;
    let strangers = Strangers::start(elsewhere.address(), habits, &opening);
    let contended = server.measure(time)?;
    row("at another listener", &contended, strangers.stop()?, None);
    let strangers = Strangers::start(server.address(), habits, &opening);
    let flooded = server.measure(time)?;
    row("at the server", &flooded, strangers.stop()?, Some(&contended));
    println!("{}", server.turned_away());
    Ok(())
}

/// One row, and its ratio to another.
fn row(name: &str, measured: &Measured, rate: f64, beside: Option<&Measured>) {
    let Measured { throughput, median, tail } = measured;
    let micros = |time: &Duration| format!("{:.1} µs", time.as_secs_f64() * 1e6);
    print!("{name:<22}{throughput:>12.0}{:>14}{:>14}{rate:>13.0}", micros(median), micros(tail));
    if let Some(other) = beside {
        let ratio = |a: &Duration, b: &Duration| a.as_secs_f64() / b.as_secs_f64();
        print!(
            "   throughput {:.2}, 99% {:.2} of the row above",
            throughput / other.throughput,
            ratio(tail, &other.tail)
        );
    }
    println!();
}
