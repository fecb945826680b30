//! Frames that announce more than anybody has, in the framing of each ZMTP version: no memory is taken ahead of the bytes.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use zeroxide::SocketType;

use crate::neighbour::{Pinger, Times};
use crate::process::{pass, raise_descriptors};
use crate::report::{Report, Rule};
use crate::target::{Given, Target};
use crate::victim::Settings;
use crate::wire::{RawPeer, address, connect_from, greeting, host, ready};

const LENGTHS: [(&str, u64); 4] =
    [("2^31+1", (1 << 31) + 1), ("2^40", 1 << 40), ("2^63-1", i64::MAX as u64), ("2^64-1", u64::MAX)];
/// Bytes of the body that arrive.
const ARRIVES: usize = 1000;
/// What PULL has in place of a name in ZMTP 2.0, and its peer PUSH.
const PUSH: u8 = 8;

const SERVED: Rule = Rule::at_most(1e6, "a neighbour is served within a second");
const GROWTH: Rule =
    Rule::at_most(1.0, "memory runs ahead of the bytes by 64 KiB for each connection, and 1 MiB in all");

/// Options of `sizes`.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Connections that announce the same length.
    #[arg(long, default_value_t = 100)]
    connections: usize,
    /// Versions of ZMTP to speak.
    #[arg(long, value_delimiter = ',', default_value = "1,2,3")]
    versions: Vec<u8>,
    /// A target must be a PULL. Without a limit of its own (ZMQ_MAXMSGSIZE) it shows more.
    #[command(flatten)]
    given: Given,
}

/// Runs it.
///
/// # Errors
/// Something else than a figure is wrong.
pub fn run(options: &Options, report: &mut Report) -> Result<()> {
    raise_descriptors()?;
    for version in &options.versions {
        for (length, value) in LENGTHS {
            let name = format!("sizes.v{version}.{length}");
            let settings = Settings { libzmq_defaults: true, ..Settings::new(SocketType::Pull) };
            let mut target = Target::new(&options.given, &settings)?;
            one(&name, *version, value, &mut target, options.connections, report).context(name)?;
        }
    }
    Ok(())
}

/// What a PUSH of this version sends first, and a frame of this length without its body.
fn opening(version: u8, length: u64) -> Result<Vec<u8>> {
    let signature = [0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0x7F];
    let long = length.to_be_bytes();
    Ok(match version {
        // An identity of no bytes; the length counts the flags (RFC 13).
        1 => [&[1, 0, 0xFF][..], &long, &[0]].concat(),
        // Revision, socket type and identity (RFC 15).
        2 => [&signature[..], &[1, PUSH, 0, 0, 2], &long].concat(),
        3 => [&greeting("NULL")[..], &ready("PUSH"), &[2], &long].concat(),
        _ => anyhow::bail!("there is no ZMTP {version}"),
    })
}

fn one(
    name: &str,
    version: u8,
    length: u64,
    target: &mut Target,
    count: usize,
    report: &mut Report,
) -> Result<()> {
    ensure!(count > 0, "no connections");
    let to = address(&target.endpoint)?;
    let mut neighbour = Pinger::connect(&target.endpoint, "PUSH", false)?;
    let (mut times, before) = (Times::new()?, target.resident()?);
    let bytes = [opening(version, length)?, vec![7; ARRIVES]].concat();
    let mut peers = Vec::new();
    for n in 0..count {
        let mut peer = RawPeer::over(connect_from(host(n), to)?)?;
        // Who is closed before the end is well.
        let _ = peer.stream.write_all(&bytes);
        peers.push(peer);
        if n % 10 == 0 {
            times.add(neighbour.serve()?);
        }
    }
    let mut most = 0.0_f64;
    for _ in 0..10 {
        pass(Duration::from_millis(20));
        times.add(neighbour.serve()?);
        most = most.max(target.resident()? - before);
    }
    let closed = peers
        .iter_mut()
        .filter_map(|peer| peer.closes_within(Duration::from_millis(1)).then_some(()))
        .count();
    report.figure(format!("{name}.closed_by_target"), closed as f64, "connections");
    report.figure(format!("{name}.memory"), most, "MiB");
    let beyond = most - count as f64 * 64.0 / 1024.0;
    report.judge(format!("{name}.memory_beyond_64_KiB_each"), beyond.max(0.0), "MiB", &GROWTH);
    report.judge(format!("{name}.slowest"), times.at(1.0), "µs", &SERVED);
    target.expect_alive()
}
