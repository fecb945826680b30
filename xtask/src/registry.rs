//! Sources of packages that nothing here links: where cargo keeps them.

use std::path::PathBuf;

use anyhow::{Context, Result};
use cargo_metadata::MetadataCommand;
use xshell::Shell;

use crate::report::not_run;

/// The folder of `package`, which the lock file beside `manifest` names.
pub(crate) fn source(sh: &Shell, manifest: &str, package: &str) -> Result<PathBuf> {
    let mut ask = MetadataCommand::new();
    ask.manifest_path(sh.current_dir().join(manifest)).other_options(["--locked".to_owned()]);
    let metadata =
        ask.exec().map_err(|error| not_run(format!("the packages of {manifest} cannot be had: {error}")))?;
    let found = metadata.packages.iter().find(|found| found.name == package);
    let found = found.with_context(|| format!("{manifest} does not lead to {package}"))?;
    Ok(found.manifest_path.with_file_name("").into())
}

/// The folder with libzmq's own sources.
pub(crate) fn libzmq(sh: &Shell) -> Result<PathBuf> {
    Ok(source(sh, "xtask/conformance/Cargo.toml", "zeromq-src")?.join("vendor"))
}
