//! `miri`: what is `unsafe`, and what the transports and the codec keep messages in, in an interpreter that knows what is
//! undefined.
//!
//! Aliasing is judged by tree borrows, provenance strictly: no pointer is made of an integer. The codec also runs on a
//! system of 32 bits and on one with the most significant byte first, neither of which this machine has to be.

use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

use crate::report::{Counts, Report, not_run};
use crate::run;

/// `-Zmiri-strict-provenance` makes every cast of an integer to a pointer an error.
const FLAGS: &str = "-Zmiri-tree-borrows -Zmiri-strict-provenance -Zmiri-env-set=PROPTEST_CASES=2";

const BITS_32: &str = "i686-unknown-linux-gnu";
const BIG_ENDIAN: &str = "s390x-unknown-linux-gnu";

const CODEC: &str = "-p zeroxide-zmtp --lib";
/// Without connections and mechanisms, whose tests take long: they cut handshakes at every byte and flip every bit.
const CODEC_TESTS: &str =
    "encoder_tests golden_tests groups_tests memory:: peer:: queue:: round_trip_tests short:: socket_type::";

/// What runs: a name, arguments of `cargo test`, and those of the test programs.
struct Part {
    name: &'static str,
    target: Option<&'static str>,
    chosen: &'static str,
    tests: &'static str,
}

const PARTS: &[Part] = &[
    // Without the tests of sockets, which want poll and signals of the system.
    Part {
        name: "C library: handles, options",
        target: None,
        chosen: "-p zeroxide-capi --lib",
        tests: "boundary:: handles:: kept:: options::",
    },
    Part {
        name: "C library: messages, counters",
        target: None,
        chosen: "-p zeroxide-capi --test messages",
        tests: "",
    },
    Part {
        name: "pipe, budget, inproc",
        target: None,
        chosen: "-p zeroxide-transports --lib",
        tests: "pipe:: budget inproc::",
    },
    Part { name: "codec", target: None, chosen: CODEC, tests: CODEC_TESTS },
    Part { name: "codec, 32 bits", target: Some(BITS_32), chosen: CODEC, tests: CODEC_TESTS },
    Part { name: "codec, big-endian", target: Some(BIG_ENDIAN), chosen: CODEC, tests: CODEC_TESTS },
];

/// Options of `miri`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Runs only the parts whose names contain this.
    part: Option<String>,
}

pub(crate) fn steps(sh: &Shell, report: &mut Report, options: &Options) {
    let wanted = |part: &&Part| options.part.as_ref().is_none_or(|name| part.name.contains(name.as_str()));
    for part in PARTS.iter().filter(wanted) {
        report.step(&format!("Miri, {}", part.name), |counts| interpret(sh, part, counts));
    }
}

fn interpret(sh: &Shell, part: &Part, counts: &mut Counts) -> Result<()> {
    ensure!(has_miri(sh), not_run("no Miri (rustup component add --toolchain nightly miri rust-src)"));
    let target = part.target.map(|target| ["--target", target]);
    let command = run::cargo_of(sh, "nightly")
        .args(["miri", "test", "--no-fail-fast"])
        .args(part.chosen.split_whitespace())
        .args(target.into_iter().flatten())
        .arg("--")
        .args(part.tests.split_whitespace())
        .env("MIRIFLAGS", FLAGS)
        .env("CARGO_TARGET_DIR", run::target(sh).join("miri"));
    run::count(command, counts)
}

/// Whether the nightly tool chain has Miri, after asking rustup for it if it has not.
fn has_miri(sh: &Shell) -> bool {
    let is_there = || run::ask(cmd!(sh, "rustup run nightly cargo miri --version")).is_some();
    let add = || run::pass(cmd!(sh, "rustup component add --toolchain nightly miri rust-src"));
    is_there() || (add().is_ok() && is_there())
}
