//! `simulate --mutants`: each patch of `simulator/mutants` takes the mend of a known fault out of a copy of the source, and
//! the simulator must find the fault.
//!
//! A patch begins with a line that says what goes wrong. One that no longer applies or compiles fails, in `ci` already.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fs_err as fs;
use xshell::{Shell, cmd};

use crate::report::Report;
use crate::run;
use crate::simulate;

/// How long the simulator looks for one fault.
const SECONDS: u64 = 300;
/// More than that, for a program that hangs.
const LIMIT: Duration = Duration::from_secs(2 * SECONDS);

/// Runs the mutants of these names, or all of them.
pub(crate) fn steps(sh: &Shell, report: &mut Report, names: &[String]) {
    let patches = match patches(sh, names) {
        Ok(patches) => patches,
        Err(error) => return report.step("mutants", |_| Err(error)),
    };
    let mut rows = Vec::new();
    for patch in &patches {
        let name = name(patch);
        report.step(&name, |_| {
            let found = find(sh, patch)?;
            rows.push(format!("{name:22} {found}"));
            Ok(())
        });
    }
    println!("\n{:22} {:>11}  rule", "mutant", "connections");
    rows.iter().for_each(|row| println!("{row}"));
}

/// Applies each mutant of these names, or all of them, and compiles it. It runs none.
pub(crate) fn check(sh: &Shell, names: &[String]) -> Result<()> {
    let mut broken = Vec::new();
    for patch in &patches(sh, names)? {
        if let Err(error) = compile(sh, patch) {
            broken.push(format!("{}: {error:#}", name(patch)));
        }
    }
    ensure!(broken.is_empty(), "mutants that no longer fit the source:\n{}", broken.join("\n"));
    Ok(())
}

fn compile(sh: &Shell, patch: &Path) -> Result<()> {
    let target = simulate::folder(sh);
    let tree = mutated(sh, patch)?;
    let _in_tree = sh.push_dir(&tree);
    run::pass(simulate::simulating(cmd!(sh, "cargo check --quiet -p zeroxide-simulator"), &target))
}

fn name(patch: &Path) -> String {
    patch.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn patches(sh: &Shell, names: &[String]) -> Result<Vec<PathBuf>> {
    let folder = sh.current_dir().join("simulator/mutants");
    let all = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let is_named = |path: &PathBuf| {
        names.is_empty() || names.iter().any(|name| path.file_stem().is_some_and(|stem| stem == &**name))
    };
    let mut patches: Vec<PathBuf> = all.into_iter().filter(is_named).collect();
    patches.sort();
    ensure!(!patches.is_empty() && (names.is_empty() || patches.len() == names.len()), "no such mutant");
    Ok(patches)
}

/// Builds the source with a patch, and runs the simulator until it finds the fault. Returns after how many connections it
/// did, and by which rule.
fn find(sh: &Shell, patch: &Path) -> Result<String> {
    let (target, failed) = (simulate::folder(sh), run::target(sh).join("mutants/failed.txt"));
    println!("{}", fs::read_to_string(patch)?.lines().next().unwrap_or_default());
    let tree = mutated(sh, patch)?;
    let _in_tree = sh.push_dir(&tree);
    let build = cmd!(sh, "cargo build --quiet --profile mutants -p zeroxide-simulator");
    run::pass(simulate::simulating(build, &target))?;
    let program = target.join("mutants").join(simulate::PROGRAM);
    let seconds = SECONDS.to_string();
    let play = cmd!(sh, "{program} --sessions 1000000000 --seconds {seconds} --shrink 0 --failed {failed}");
    let (text, status) = run::gathered(play, LIMIT)?;
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or("?").trim().to_owned()
    };
    let connections = value("connections");
    ensure!(status.is_none_or(|status| !status.success()), "missed in {connections} connections");
    ensure!(text.lines().any(|line| line.starts_with("rule ")), "it ended without a rule: {text}");
    Ok(format!("{connections:>11}  {}", value("rule")))
}

/// A copy of the source as it is now, with one patch.
fn mutated(sh: &Shell, patch: &Path) -> Result<PathBuf> {
    let folder = run::target(sh).join("mutants");
    let tree = folder.join("tree");
    copy_source(sh, &tree)?;
    let _in_tree = sh.push_dir(&tree);
    // Not as a part of the repository that the copy lies in.
    let apply = cmd!(sh, "git apply {patch}").env("GIT_CEILING_DIRECTORIES", &folder);
    run::pass(apply).context("the patch no longer applies")?;
    Ok(tree)
}

/// Copies the source as it is now. A file that is the same stays as it is, so that cargo builds little anew.
fn copy_source(sh: &Shell, tree: &Path) -> Result<()> {
    let listed = cmd!(sh, "git ls-files --cached --others --exclude-standard").quiet().read()?;
    for file in listed.lines() {
        let (from, to) = (sh.current_dir().join(file), tree.join(file));
        let Ok(bytes) = fs::read(&from) else { continue };
        if fs::read(&to).is_ok_and(|old| old == bytes) {
            continue;
        }
        fs::create_dir_all(to.parent().unwrap_or(tree))?;
        fs::write(&to, bytes)?;
    }
    Ok(())
}
