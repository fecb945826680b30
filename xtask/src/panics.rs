//! `panics`: the ways to panic that are left in the machine code of what reads a peer's bytes.
//!
//! The program `decode` of `benches` is built as it would be shipped (release, one unit, link-time optimisation, panics
//! abort), and disassembled. Whatever can be reached by direct calls from its function [`ROOT`] must not refer to a
//! function that panics, but for the places of [`KNOWN`], which stand there with their reason. Calls through pointers are
//! not followed: in this code they lead to payloads' own functions (`bytes`) and to the source of randomness.
//!
//! Memory that is not there is counted apart: a large piece is asked for with `try_reserve` (zmtp/memory) and its lack
//! ends the connection, while a small one that the allocator refuses ends the process, as anywhere in Rust.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context, Result, ensure};
use xshell::{Shell, cmd};

use crate::report::{Report, not_run};
use crate::run;

/// The function that reads, in benches/src/bin/decode.
const ROOT: &str = "read_what_a_peer_sends";

/// Who panics: parts of the names of functions that do nothing else.
const PANICS: &[&str] =
    &["core::panicking", "slice_index_fail", "unwrap_failed", "expect_failed", "slice_error_fail"];
/// The ends for want of memory.
const MEMORY: &[&str] = &["handle_alloc_error", "raw_vec::handle_error", "capacity_overflow"];

/// What may hold a way to panic, by the beginning of a function's name, and why it is never taken.
const KNOWN: &[(&str, &str)] = &[
    ("bytes::", "the crate's own checks of lengths and layouts that its callers here cannot get wrong"),
    (
        "zeroxide_zmtp::connection::Connection::identified",
        "BytesMut::freeze, inlined: bytes asserts that its offset is within the buffer",
    ),
];
/// The same with PLAIN and CURVE.
const KNOWN_SECURE: &[(&str, &str)] = &[
    ("poly1305::", "tables and blocks of fixed size"),
    ("cipher::", "a key stream of 2^38 bytes is longer than any frame"),
    ("<core::iter::adapters::rev::Rev", "curve25519-dalek's steps through a table of fixed size"),
    (
        "zeroxide_zmtp::mechanism::curve::boxes::BoxKey",
        "tables of fixed size; what was appended is sealed or nothing is",
    ),
    (
        "zeroxide_zmtp::connection::Connection::step",
        "BytesMut::advance, inlined, behind a check of the length",
    ),
];

/// One way of building the program.
struct Build {
    name: &'static str,
    features: &'static str,
    known: &'static [&'static [(&'static str, &'static str)]],
}

static PLAINLY: Build = Build { name: "NULL", features: "", known: &[KNOWN] };
static SECURELY: Build =
    Build { name: "all mechanisms", features: "plain,curve", known: &[KNOWN, KNOWN_SECURE] };

pub(crate) fn steps(sh: &Shell, report: &mut Report) {
    for build in [&PLAINLY, &SECURELY] {
        report.step(&format!("no panic in what reads a peer, {}", build.name), |_| look(sh, build));
    }
}

/// The step of `ci`: with all mechanisms.
pub(crate) fn step(sh: &Shell) -> Result<()> {
    look(sh, &SECURELY)
}

fn look(sh: &Shell, build: &Build) -> Result<()> {
    ensure!(run::has(sh, "objdump"), not_run("there is no objdump (binutils)"));
    ensure!(
        cfg!(all(target_arch = "x86_64", target_os = "linux")),
        not_run("reads the machine code of x86_64 Linux only")
    );
    let folder = run::target(sh).join("panics");
    let features = build.features;
    let cargo = cmd!(sh, "cargo build --release -p benches --bin decode --features {features}");
    let cargo = cargo.env("CARGO_TARGET_DIR", &folder).env("CARGO_PROFILE_RELEASE_LTO", "fat");
    let cargo = cargo.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    run::pass(cargo.env("CARGO_PROFILE_RELEASE_PANIC", "abort"))?;
    let program = folder.join("release/decode");
    let text = run::ask(cmd!(sh, "objdump -d --no-show-raw-insn {program}"));
    let code = Code::parse(&text.context("objdump cannot read the program")?);
    let found = code.ends_below(ROOT).with_context(|| format!("the program has no function {ROOT}"))?;
    judge(&found, build)
}

fn judge(found: &Found, build: &Build) -> Result<()> {
    let mut unknown = Vec::new();
    for (function, panics) in &found.panics {
        let mut known = build.known.iter().copied().flatten();
        match known.find(|(name, _)| function.starts_with(name)) {
            Some((_, why)) => println!("{function}: {panics}: {why}"),
            None => {
                println!("{function}: {panics}: NOT KNOWN");
                unknown.push(function.as_str());
            }
        }
    }
    println!("{} functions read a peer's bytes; in {} of them", found.functions, found.panics.len());
    println!("panics are left, and {} end for want of a small piece of memory", found.memory);
    ensure!(unknown.is_empty(), unknown.join(", "));
    Ok(())
}

/// The functions of a program, by symbol, and the symbols that each refers to.
#[derive(Debug, Default)]
struct Code(BTreeMap<String, BTreeSet<String>>);

/// What was found below a function.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    functions: usize,
    /// Who refers to something that panics, and to what.
    panics: BTreeMap<String, String>,
    /// How many refer to an end for want of memory.
    memory: usize,
}

impl Code {
    /// Reads what `objdump -d` prints: `address <symbol>:` begins a function, `<symbol+offset>` refers to one.
    fn parse(text: &str) -> Code {
        let mut code = Code::default();
        let mut within = None;
        for line in text.lines() {
            if let Some(symbol) = line.strip_suffix(">:").and_then(|line| line.split_once(" <")) {
                within = Some(code.0.entry(symbol.1.to_owned()).or_default());
            } else if let Some(targets) = &mut within {
                let named = line.split('<').skip(1).filter_map(|rest| rest.split(['>', '+']).next());
                targets.extend(named.map(str::to_owned));
            }
        }
        code
    }

    /// Looks at everything that the function whose name contains `root` can call.
    fn ends_below(&self, root: &str) -> Option<Found> {
        let first = self.0.keys().find(|symbol| symbol.contains(root))?;
        let mut seen = BTreeSet::from([first]);
        let mut next = VecDeque::from([first]);
        let mut found = Found::default();
        while let Some(symbol) = next.pop_front() {
            let mut ends_for_memory = false;
            for target in &self.0[symbol] {
                let name = readable(target);
                if MEMORY.iter().any(|end| name.contains(end)) {
                    ends_for_memory = true;
                } else if PANICS.iter().any(|end| name.contains(end)) {
                    found.panics.insert(readable(symbol), name);
                } else if let Some((target, _)) = self.0.get_key_value(target) {
                    if seen.insert(target) {
                        next.push_back(target);
                    }
                }
            }
            found.memory += usize::from(ends_for_memory);
        }
        found.functions = seen.len();
        Some(found)
    }
}

/// A symbol as a person would write it, without the compiler's hash.
fn readable(symbol: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(symbol))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
0000000000001000 <root>:
    1000:\tcall   2000 <calm>
    1005:\tjmp    3000 <_ZN5bytes3cut17h0123456789abcdefE>
0000000000002000 <calm>:
    2000:\tje     2010 <calm+0x10>
    2010:\tcall   4000 <_ZN5alloc5alloc18handle_alloc_error17h0123456789abcdefE>
0000000000003000 <_ZN5bytes3cut17h0123456789abcdefE>:
    3000:\tcall   5000 <_ZN4core9panicking9panic_fmt17h0123456789abcdefE>
0000000000006000 <beside>:
    6000:\tcall   5000 <_ZN4core9panicking9panic_fmt17h0123456789abcdefE>
";

    fn build(known: &'static [&'static [(&'static str, &'static str)]]) -> Build {
        Build { name: "", features: "", known }
    }

    #[test]
    fn a_panic_is_found_below_the_root_and_nowhere_else() {
        let found = Code::parse(TEXT).ends_below("root").unwrap();
        let panics = BTreeMap::from([("bytes::cut".to_owned(), "core::panicking::panic_fmt".to_owned())]);
        assert_eq!(found, Found { functions: 3, panics, memory: 1 });
        judge(&found, &build(&[KNOWN])).unwrap();
        assert_eq!(judge(&found, &build(&[])).unwrap_err().to_string(), "bytes::cut");
    }

    #[test]
    fn a_program_without_the_root_is_not_passed() {
        assert_eq!(Code::parse(TEXT).ends_below("stem"), None);
    }
}
