//! `ci`: what a change must pass to land. Every step runs, whatever became of those before it.

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::elf::Elf;
use crate::report::{Outcome, Report};
use crate::targets::{self, MUSL, has_std};
use crate::{floor, panics, run, sanitize, simulate, suite};

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
/// The crates that people build with compilers of their own choice.
const PUBLISHED: &[&str] =
    &["zeroxide", "zeroxide-zmtp", "zeroxide-patterns", "zeroxide-transports", "zeroxide-capi"];

/// What cargo-fuzz passes to the compiler, for machines with a nightly compiler but without cargo-fuzz.
const FUZZ_FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
     -Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address -Cdebug-assertions \
     -Ccodegen-units=1";

pub(crate) fn run(root: &Path) -> ExitCode {
    let mut report = Report::default();
    report.step("format", |_| run::pass(&mut run::cargo(root, &["fmt", "--all", "--check"])));
    report.step("floor", |_| floor::step(root));
    report.step("clippy", |_| {
        let lints = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        run::pass(&mut run::cargo(root, &lints))
    });
    report.step("clippy, simulations", |_| simulate::clippy(root));
    report.step("clippy, all features", |_| {
        let features = format!("{},interop/peers", suite::FEATURES);
        let lints =
            ["clippy", "--workspace", "--all-targets", "--features", &features, "--", "-D", "warnings"];
        run::pass(&mut run::cargo(root, &lints))
    });
    report.step("docs", |_| {
        let mut docs = run::cargo(root, &["doc", "--no-deps", "--workspace", "--features", suite::FEATURES]);
        run::pass(docs.env("RUSTDOCFLAGS", "-D warnings"))
    });
    suite::steps(root, &mut report, true);
    for target in TARGETS {
        report.step(&format!("check {target}"), |_| check_target(root, target));
    }
    report.step("static quickstart, musl", |_| static_quickstart(root));
    report.step(&format!("check with Rust {OLDEST}"), |_| check_oldest(root));
    report.step("no panic in what reads a peer", |_| panics::step(root));
    report.step("fuzz targets", |_| fuzz(root));
    sanitize::steps(root, &mut report, None);
    report.step("dependencies", |_| dependencies(root));
    report.close()
}

fn check_target(root: &Path, target: &str) -> Outcome {
    if !has_std(root, target) {
        return Outcome::NotRun(format!("the standard library for {target} cannot be added here"));
    }
    // clippy, so that what clippy.toml bans is looked for in the code of that platform, too.
    let mut check = run::cargo(root, &["clippy", "-p", "zeroxide", "--all-features", "--target", target]);
    if !target.contains("windows") {
        check.args(["-p", "zeroxide-capi"]);
    }
    run::pass(check.args(["--", "-D", "warnings"]))
}

/// Links the quickstart without any shared library, proves it, and runs it.
fn static_quickstart(root: &Path) -> Outcome {
    if !has_std(root, MUSL) {
        return Outcome::NotRun(format!("the standard library for {MUSL} cannot be added here"));
    }
    let built = run::pass(&mut run::cargo(
        root,
        &["build", "--release", "--target", MUSL, "--example", "quickstart"],
    ));
    if built != Outcome::Passed {
        return built;
    }
    let folder = run::target(root).join(MUSL).join("release/examples");
    match Elf::read(&folder.join("quickstart")) {
        Ok(elf) if !elf.wants_loader => println!("static: no PT_INTERP"),
        Ok(_) => return Outcome::Failed("the executable asks for a dynamic loader (PT_INTERP)".to_owned()),
        Err(why) => return Outcome::Failed(why),
    }
    suite::run_quickstart(root, &folder)
}

fn check_oldest(root: &Path) -> Outcome {
    if !has_toolchain(root, OLDEST) {
        let install = ["toolchain", "install", OLDEST, "--profile", "minimal", "--no-self-update"];
        if run::pass(&mut run::command("rustup", root, &install)) != Outcome::Passed {
            return Outcome::NotRun(format!("rustup cannot install Rust {OLDEST} here"));
        }
    }
    // Without curve-simd, which needs a newer compiler.
    let mut check = run::cargo_of(OLDEST, root, &["check", "--features", "zeroxide/plain,zeroxide/curve"]);
    for name in PUBLISHED {
        check.args(["-p", name]);
    }
    run::pass(&mut check)
}

fn has_toolchain(root: &Path, name: &str) -> bool {
    run::output(&mut run::command("rustup", root, &["toolchain", "list"]))
        .is_some_and(|list| list.lines().any(|line| line.starts_with(name)))
}

/// Builds the fuzz targets and runs each a little, from a fixed seed.
fn fuzz(root: &Path) -> Outcome {
    let folder = root.join("fuzz");
    if !folder.join("Cargo.toml").exists() {
        return Outcome::Failed("no fuzz/Cargo.toml".to_owned());
    }
    if !has_toolchain(root, "nightly") {
        return Outcome::NotRun("no nightly tool chain".to_owned());
    }
    let Some(host) = targets::host(root) else {
        return Outcome::NotRun("rustc does not tell its host".to_owned());
    };
    let target = run::target(root).join("fuzz");
    // With the sanitizer's flags and `--target`, this is what `cargo fuzz build` does, and needs no cargo-fuzz.
    let mut build = run::cargo_of("nightly", &folder, &["build", "--release", "--bins", "--target", &host]);
    let built = run::pass(build.env("CARGO_TARGET_DIR", &target).env("RUSTFLAGS", FUZZ_FLAGS));
    if built != Outcome::Passed {
        return built;
    }
    for name in fuzz_names(&folder) {
        let ran = fuzz_one(root, &target, &target.join(&host).join("release").join(&name));
        if ran != Outcome::Passed {
            return ran;
        }
    }
    Outcome::Passed
}

fn fuzz_one(root: &Path, target: &Path, program: &Path) -> Outcome {
    let mut command =
        run::command(program, root, &["-seed=1", "-runs=100000", "-max_total_time=20", "-verbosity=0"]);
    command.arg(format!("-artifact_prefix={}/", target.display()));
    run::within(&mut command, Duration::from_secs(120))
}

/// The names of the fuzz crate's binaries.
fn fuzz_names(folder: &Path) -> Vec<String> {
    let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
    let manifest = manifest.parse::<toml::Table>().unwrap_or_default();
    let bins = manifest.get("bin").and_then(toml::Value::as_array);
    let names = bins.into_iter().flatten().filter_map(|bin| bin.get("name")?.as_str());
    names.map(str::to_owned).collect()
}

/// Licences, sources and advisories of everything that is linked in.
fn dependencies(root: &Path) -> Outcome {
    if run::output(&mut run::cargo(root, &["deny", "--version"])).is_none() {
        return Outcome::NotRun("cargo-deny is not installed (`cargo install cargo-deny`)".to_owned());
    }
    let policy = run::pass(&mut run::cargo(root, &["deny", "check", "bans", "licenses", "sources"]));
    if policy != Outcome::Passed {
        return policy;
    }
    advisories(&mut run::cargo(root, &["deny", "check", "advisories"]))
}

/// The list of advisories is fetched; a machine that cannot reach it has not run the check.
fn advisories(command: &mut Command) -> Outcome {
    let output = match command.output() {
        Ok(output) => output,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let text = String::from_utf8_lossy(&output.stderr);
    print!("{text}");
    match (output.status.success(), text.contains("failed to fetch advisory database")) {
        (true, _) => Outcome::Passed,
        (false, true) => Outcome::NotRun("the list of advisories cannot be reached".to_owned()),
        (false, false) => Outcome::Failed("an advisory concerns a dependency".to_owned()),
    }
}
