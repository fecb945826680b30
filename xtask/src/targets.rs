//! Targets that are built for beside this machine's own.

use std::path::Path;

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::report::not_run;
use crate::run;

/// The platform whose programs need no shared library at all.
pub(crate) const MUSL: &str = "x86_64-unknown-linux-musl";

/// Whether the standard library of `target` is here, after asking rustup for it if it is not.
pub(crate) fn has_std(sh: &Shell, target: &str) -> bool {
    let folder = || run::ask(cmd!(sh, "rustc --print target-libdir --target {target}"));
    let is_there = || folder().is_some_and(|folder| Path::new(&folder).is_dir());
    is_there() || (run::pass(cmd!(sh, "rustup target add {target}")).is_ok() && is_there())
}

/// A step that needs the standard library of `target` does not run without it.
pub(crate) fn need_std(sh: &Shell, target: &str) -> Result<()> {
    if has_std(sh, target) {
        return Ok(());
    }
    Err(not_run(format!("the standard library for {target} cannot be added here")))
}

/// What the nightly compiler prints of itself; without one, a step that needs it does not run.
pub(crate) fn ask_nightly(sh: &Shell, what: &str) -> Result<String> {
    run::ask(cmd!(sh, "rustup run nightly rustc --print {what}"))
        .ok_or_else(|| not_run("no nightly tool chain"))
}
