//! This program again, in namespaces of its own (unshare(1), ip(8), mount(8) and nsenter(1) of the system).

use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Whether namespaces can be made here; the error says why not.
///
/// # Errors
/// They cannot.
pub fn possible() -> Result<()> {
    run("unshare", &["--map-root-user", "--mount", "--net", "ip", "link", "set", "lo", "up"])
}

/// Runs a command that must succeed.
///
/// # Errors
/// It does not.
pub fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(program).args(arguments).output().context(program.to_owned())?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} {}: {}", arguments.join(" "), said.trim());
    Ok(())
}

/// Runs a subcommand of this program with `--inside`, after a script, in new namespaces; returns what it ends with.
///
/// # Errors
/// It cannot be started.
pub fn enter(script: &str, subcommand: &str) -> Result<i32> {
    let program = std::env::current_exe()?;
    let script = format!("{script} && exec \"$0\" {subcommand} --inside");
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "--net", "sh", "-c", &script]).arg(program);
    Ok(command.status()?.code().unwrap_or(2))
}
