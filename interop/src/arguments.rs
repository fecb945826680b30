//! The command line.

use std::path::{Path, PathBuf};

use clap::Parser;
use interop::Choice;

/// Zeroxide against other implementations of ZeroMQ, and any of them against the rules.
///
/// Without arguments: sets up every peer, runs the selection of cells that CI runs, prints a table, and writes
/// report.html and report.json to target/interop; a run of some peers or cells, to target/interop/partial. Ends with 0 only if no failure is Zeroxide's, undecided, or missing
/// from the list of known faults.
///
/// A cell is named by its id, such as jeromq-0.5.2/PUSH-PULL/tcp/NULL/left/binds-right/order: the peer, the pair of
/// types, the transport, the mechanism, the side that Zeroxide plays, the side that binds, the scenario.
///
/// Examples (after `cargo run --release -p interop --`):
///
///   --peer pyzmq                        only pyzmq; nothing else is set up, but for a libzmq where cells must tell whose fault it is
///   --cell /PUSH-PULL/tcp/              every cell whose id contains this
///   --cell '*/ipc/*/restart'            every cell whose id is this, * standing for anything
///   --list --all                        what a whole run would run
///   --cell /restart --repeat 50         again and again
///   --repeat 50 --scenario 'restart,kill-*,slow,heartbeat-*' --without go-zeromq,zmq.rs
///                                       what restarts, kills or stalls a side, but for peers with many known faults
///   --cell /restart --until-failure     until one fails
///   --foreign 'node peer.js'            an implementation under construction, by its adapter: see PROTOCOL.md
#[derive(Parser, Debug)]
#[command(name = "interop", verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// Only this peer, by its name or the beginning of it; may be several, with commas or given several times.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) peer: Vec<String>,
    /// Only cells whose id contains this, or fits it if it has a *; chosen from all cells. May be given several times.
    #[arg(long, value_name = "PATTERN")]
    pub(crate) cell: Vec<String>,
    /// Of the cells that would run, only those of scenarios that are called so or fit it, * standing for anything; may be
    /// several, with commas or given several times.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    pub(crate) scenario: Vec<String>,
    /// Not this peer, by its name or the beginning of it; may be several, with commas or given several times.
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub(crate) without: Vec<String>,
    /// Every cell that there is. It takes long.
    #[arg(long, conflicts_with = "ci")]
    pub(crate) all: bool,
    /// The cells that CI runs; the default.
    #[arg(long)]
    pub(crate) ci: bool,
    /// Lists the ids of the cells that would run, and runs none.
    #[arg(long)]
    pub(crate) list: bool,
    /// Runs the cells so many times; a cell that fails once has failed.
    #[arg(long, value_name = "N")]
    pub(crate) repeat: Option<u32>,
    /// Runs the cells until one fails, at most as often as --repeat says.
    #[arg(long)]
    pub(crate) until_failure: bool,
    /// Only this implementation, started by this command line (words separated by spaces).
    #[arg(long, value_name = "COMMAND LINE", conflicts_with = "peer")]
    pub(crate) foreign: Option<String>,
    /// Plays the scenario `article` on the ports of the articles, 6001 and 6000, instead of free ones.
    #[arg(long)]
    pub(crate) article_ports: bool,
    /// Fails if a peer cannot be set up here.
    #[arg(long)]
    pub(crate) require_peers: bool,
    /// Peers and builds are taken as they are.
    #[arg(long)]
    pub(crate) no_setup: bool,
    /// Cells that run at a time; four for each processor if not told, as most of them wait most of the time.
    #[arg(long, value_name = "N", default_value_t = workers(), hide_default_value = true)]
    pub(crate) workers: usize,
}

/// How many cells run at a time if nobody says; not more than memory has room for the peers, some of which are Java's.
fn workers() -> usize {
    (4 * std::thread::available_parallelism().map_or(2, usize::from)).min(24)
}

impl Arguments {
    /// Whether a peer is to take part.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let is_in = |names: &[String]| names.iter().any(|wanted| name.starts_with(wanted.as_str()));
        (self.peer.is_empty() || is_in(&self.peer)) && !is_in(&self.without)
    }

    /// Whether a peer plays: it was asked for, and no other program is tried in place of all.
    pub(crate) fn plays(&self, name: &str) -> bool {
        self.foreign.is_none() && self.wants(name)
    }

    /// Whether every peer plays, a whole selection.
    pub(crate) fn is_whole(&self) -> bool {
        let chosen = [&self.peer, &self.without, &self.cell, &self.scenario];
        chosen.iter().all(|names| names.is_empty()) && self.foreign.is_none()
    }

    /// Where the report is written: that of a part does not replace that of a whole.
    pub(crate) fn folder(&self, target: &Path) -> PathBuf {
        target.join(if self.is_whole() { "interop" } else { "interop/partial" })
    }

    /// How often the cells are run, at most.
    pub(crate) fn rounds(&self) -> u32 {
        self.repeat.unwrap_or(if self.until_failure { u32::MAX } else { 1 })
    }

    /// The cells that were asked for.
    pub(crate) fn choice(&self) -> Choice {
        Choice { all: self.all, cells: self.cell.clone(), scenarios: self.scenario.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_a_part_does_not_replace_that_of_a_whole() {
        let folder = |words: &[&str]| {
            Arguments::parse_from([&["interop"], words].concat()).folder(Path::new("target"))
        };
        let whole = folder(&[]);
        assert_eq!(folder(&["--all"]), whole);
        let parts =
            [["--peer", "pyzmq"], ["--without", "pyzmq"], ["--cell", "/single"], ["--scenario", "slow"]];
        for part in parts.into_iter().chain([["--foreign", "node peer.js"]]) {
            assert_ne!(folder(&part), whole);
        }
    }

    #[test]
    fn a_peer_takes_part_that_is_asked_for_and_not_left_out() {
        let arguments = |words: &[&str]| Arguments::parse_from([&["interop"], words].concat());
        let takes_part = |words: &[&str], name: &str| arguments(words).wants(name);
        assert!(takes_part(&[], "pyzmq"));
        assert!(
            takes_part(&["--peer", "jeromq"], "jeromq-0.6.0") && !takes_part(&["--peer", "jeromq"], "pyzmq")
        );
        let rest = ["--peer", "jeromq", "--without", "zmq.rs,jeromq-0.5.2"];
        assert!(takes_part(&rest, "jeromq-0.6.0") && !takes_part(&rest, "jeromq-0.5.2"));
        assert!(!takes_part(&["--without", "go-zeromq,zmq.rs"], "zmq.rs"));
    }
}
