//! The command line.

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use hostile::report::Report;
use hostile::{
    all, cable, ceiling, churn, descriptors, handshakes, kill, memory, more, names, races, signals, sizes,
    slow, soak, stopped, storms, victim,
};

/// What a hostile or unlucky world does to an implementation of ZMTP.
///
/// Prints figures as `name value unit`. Ends with 0 if all rules are kept, 1 if one is broken, 2 if something else is wrong.
/// Without --target the program starts a Zeroxide socket in a process of its own and attacks that.
#[derive(Parser)]
#[command(name = "hostile")]
struct Arguments {
    #[command(subcommand)]
    program: Program,
}

#[derive(Subcommand)]
enum Program {
    /// All programs except `soak`, one after the other, against Zeroxide.
    All(all::Options),
    /// Kills a socket's process at random moments: no message is torn, doubled or reordered. Has no --target: both sides are
    /// followed from the inside.
    Kill(kill::Options),
    /// Connections that never become peers: slow greetings, silence, a flood that comes and goes, CURVE HELLOs.
    Handshakes(handshakes::Options),
    /// A process without a descriptor left.
    Descriptors(descriptors::Options),
    /// Frames that announce more than anybody has: 2^31+1, 2^40, 2^63-1, 2^64-1 bytes, in ZMTP 1, 2 and 3.
    Sizes(sizes::Options),
    /// Messages that do not end.
    More(more::Options),
    /// One command without pause: PING, SUBSCRIBE, CANCEL, JOIN, LEAVE.
    Storms(storms::Options),
    /// One peer of twenty is stopped and does not read. Has no --target: the sender's counters are read.
    Stopped(stopped::Options),
    /// One subscriber of a hundred is slow. Has no --target: the publisher's counters are read.
    Slow(slow::Options),
    /// More arrives than there is memory for. Has no --target: the victim's memory is limited.
    Memory(memory::Options),
    /// Signals without pause.
    Signals(signals::Options),
    /// A name server that does not answer. Has no --target: the context that asks is watched.
    Names(names::Options),
    /// The cable is pulled, and plugged in again. Has no --target: both ends have a network of their own.
    Cable(cable::Options),
    /// Peers that come and go: nothing is left of them. Has no --target: its own heap is counted.
    Churn(churn::Options),
    /// What an idle connection and a queued message cost in memory. Has no --target: its own heap is counted.
    Ceiling(ceiling::Options),
    /// Eight threads use a socket that is closed, or whose context ends. Has no --target: its calls are watched.
    Races(races::Options),
    /// All socket types over all transports and mechanisms in one process, with losses: memory does not grow, no message is torn,
    /// doubled or out of order. Not a part of `all`. Has no --target: allocations are counted from the inside.
    Soak(soak::Options),
    /// A socket that is attacked.
    #[command(hide = true)]
    Victim(victim::Settings),
    /// One side of `kill`.
    #[command(hide = true)]
    Player(kill::player::Settings),
}

pub(crate) fn main() -> ExitCode {
    let mut report = Report::default();
    if let Err(error) = run(&Arguments::parse().program, &mut report) {
        eprintln!("hostile: {error:#}");
        return ExitCode::from(2);
    }
    ExitCode::from(u8::from(report.broken() > 0))
}

fn run(program: &Program, report: &mut Report) -> Result<()> {
    match program {
        Program::All(options) => all::run(options, report),
        Program::Kill(options) => kill::run(options, report),
        Program::Handshakes(options) => handshakes::run(options, report),
        Program::Descriptors(options) => descriptors::run(options, report),
        Program::Sizes(options) => sizes::run(options, report),
        Program::More(options) => more::run(options, report),
        Program::Stopped(options) => stopped::run(options, report),
        Program::Slow(options) => slow::run(options, report),
        Program::Memory(options) => memory::run(options, report),
        Program::Signals(options) => signals::run(options, report),
        Program::Names(options) => names::run(options, report),
        Program::Cable(options) => cable::run(options, report),
        Program::Churn(options) => churn::run(options, report),
        Program::Ceiling(options) => ceiling::run(options, report),
        Program::Races(options) => races::run(options, report),
        Program::Storms(options) => storms::run(options, report),
        Program::Soak(options) => soak::run(options, report),
        Program::Victim(settings) => victim::serve(settings),
        Program::Player(settings) => kill::player::run(settings),
    }
}
