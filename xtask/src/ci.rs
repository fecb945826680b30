//! `ci`: what a change must pass to land. Every step runs, whatever became of those before it.

use anyhow::{Result, ensure};
use xshell::{Shell, cmd};

use crate::elf::Elf;
use crate::report::{Report, not_run};
use crate::targets::{self, MUSL};
use crate::{docs, floor, fuzz, mutants, packages, panics, run, sanitize, simulate, suite};

/// The platforms that `zeroxide`, and on all but Windows the C library, must compile for, beside the one this runs on.
const TARGETS: &[&str] = &[
    MUSL,
    "aarch64-unknown-linux-gnu",
    "i686-unknown-linux-gnu",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-gnu",
];
/// `rust-version` of the workspace, as rustup names it.
const OLDEST: &str = "1.85.0";
/// The crates that people build with compilers of their own choice. The command-line tool is a program; its screen needs Rust 1.88.
const PUBLISHED: &[&str] =
    &["zeroxide", "zeroxide-zmtp", "zeroxide-patterns", "zeroxide-transports", "zeroxide-capi"];

/// The version of cargo-deny: a later one may find more, or ask for another deny.toml.
const DENY: &str = "0.18.6";

pub(crate) fn steps(sh: &Shell, report: &mut Report) {
    report.step("format", |_| run::pass(cmd!(sh, "cargo fmt --all --check")));
    report.step("floor", |_| floor::step(sh));
    report.step("clippy", |_| run::pass(cmd!(sh, "cargo clippy --workspace --all-targets -- -D warnings")));
    report.step("clippy, simulations", |_| simulate::clippy(sh));
    report.step("mutants fit the source", |_| mutants::check(sh, &[]));
    report.step("clippy, all features", |_| {
        let features = format!(
            "{},interop/peers,zeroxide-cli/peers,task-farm/peers,video-example/peers,jupyter-kernel/jupyter",
            suite::FEATURES
        );
        run::pass(cmd!(sh, "cargo clippy --workspace --all-targets --features {features} -- -D warnings"))
    });
    report.step("docs", |_| docs::step(sh));
    suite::steps(sh, report, &suite::Options { require_peers: true });
    for target in TARGETS {
        report.step(&format!("check {target}"), |_| check_target(sh, target));
    }
    report.step("static quickstart, musl", |_| static_quickstart(sh));
    report.step(&format!("check with Rust {OLDEST}"), |_| check_oldest(sh));
    report.step("packages", |_| packages::step(sh));
    report.step("no panic in what reads a peer", |_| panics::step(sh));
    fuzz::steps(sh, report, &fuzz::SHORT);
    sanitize::steps(sh, report, &sanitize::ALL);
    report.step("dependencies", |_| dependencies(sh));
    report.step("advisories", |_| advisories(sh));
}

fn check_target(sh: &Shell, target: &str) -> Result<()> {
    targets::need_std(sh, target)?;
    let c_library: &[&str] = if target.contains("windows") { &[] } else { &["-p", "zeroxide-capi"] };
    // clippy, so that what clippy.toml bans is looked for in the code of that platform, too.
    let check =
        cmd!(sh, "cargo clippy -p zeroxide {c_library...} --all-features --target {target} -- -D warnings");
    run::pass(check)
}

/// Links the quickstart without any shared library, proves it, and runs it.
fn static_quickstart(sh: &Shell) -> Result<()> {
    targets::need_std(sh, MUSL)?;
    run::pass(cmd!(sh, "cargo build --release --target {MUSL} --example quickstart"))?;
    let folder = run::target(sh).join(MUSL).join("release/examples");
    let elf = Elf::read(&folder.join("quickstart"))?;
    ensure!(!elf.wants_loader, "the executable asks for a dynamic loader (PT_INTERP)");
    println!("static: no PT_INTERP");
    suite::run_quickstart(sh, &folder)
}

fn check_oldest(sh: &Shell) -> Result<()> {
    if !has_toolchain(sh, OLDEST) {
        run::pass(cmd!(sh, "rustup toolchain install {OLDEST} --profile minimal --no-self-update"))
            .map_err(|_| not_run(format!("rustup cannot install Rust {OLDEST} here")))?;
    }
    // Without curve-simd, which needs a newer compiler.
    let check = run::cargo_of(sh, OLDEST).args(["check", "--features", "zeroxide/plain,zeroxide/curve"]);
    run::pass(check.args(PUBLISHED.iter().flat_map(|name| ["-p", name])))
}

fn has_toolchain(sh: &Shell, name: &str) -> bool {
    run::ask(cmd!(sh, "rustup toolchain list"))
        .is_some_and(|list| list.lines().any(|line| line.starts_with(name)))
}

/// What is linked in, by the rules of deny.toml.
fn dependencies(sh: &Shell) -> Result<()> {
    let deny = run::tool(sh, "cargo-deny", DENY, &[])?;
    run::pass(cmd!(sh, "{deny} --workspace check bans licenses sources"))
}

/// What is known to be wrong with what is linked in. The list is fetched; a machine that cannot reach it has not run the
/// check.
fn advisories(sh: &Shell) -> Result<()> {
    let deny = run::tool(sh, "cargo-deny", DENY, &[])?;
    let output = cmd!(sh, "{deny} --workspace check advisories").ignore_status().output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    print!("{text}");
    if text.contains("failed to fetch advisory database") {
        return Err(not_run("the list of advisories cannot be reached"));
    }
    ensure!(output.status.success(), "an advisory concerns a dependency");
    Ok(())
}
