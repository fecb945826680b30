//! Targets that are built for beside this machine's own.

use std::path::Path;

use crate::report::Outcome;
use crate::run;

/// The platform whose programs need no shared library at all.
pub(crate) const MUSL: &str = "x86_64-unknown-linux-musl";

/// Whether the standard library of `target` is here, after asking rustup for it if it is not.
pub(crate) fn has_std(root: &Path, target: &str) -> bool {
    let folder =
        || run::output(&mut run::command("rustc", root, &["--print", "target-libdir", "--target", target]));
    let is_there = || folder().is_some_and(|folder| Path::new(&folder).is_dir());
    is_there()
        || (run::pass(&mut run::command("rustup", root, &["target", "add", target])) == Outcome::Passed
            && is_there())
}

/// The platform that the nightly compiler builds for by itself.
pub(crate) fn host(root: &Path) -> Option<String> {
    run::output(&mut run::command("rustup", root, &["run", "nightly", "rustc", "--print", "host-tuple"]))
}
