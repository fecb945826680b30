//! Child processes: started, streamed line by line, ended at their time limit.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use wait_timeout::ChildExt;
use xshell::{Cmd, Shell, cmd};

use crate::descendants;
use crate::harness::{Harness, NAMED};
use crate::report::{Counts, not_run};

/// More than any step of counted tests takes, what it builds included. A test that hangs must not hang the whole run.
const COUNTED_LIMIT: Duration = Duration::from_secs(60 * 60);

/// The folder that cargo builds into.
pub(crate) fn target(sh: &Shell) -> PathBuf {
    let root = sh.current_dir();
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// `cargo test`, whose programs say which they are ([`Harness`]). Arguments choose the targets, such as `--tests`: behind
/// the line that names it, rustdoc would run all documentation tests in one process.
pub(crate) fn cargo_test(sh: &Shell) -> Cmd<'_> {
    let test = cmd!(sh, "cargo test");
    if cfg!(unix) { test.args(["--config", NAMED]) } else { test }
}

/// `cargo` of another tool chain.
pub(crate) fn cargo_of<'a>(sh: &'a Shell, toolchain: &str) -> Cmd<'a> {
    // The variables of the tool chain that runs this task would win over the one asked for.
    let cargo = cmd!(sh, "rustup run {toolchain} cargo");
    cargo.env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTDOC")
}

/// Runs a command to its end, its output going straight through.
pub(crate) fn pass(command: Cmd<'_>) -> Result<()> {
    println!("$ {command}");
    Ok(command.quiet().run()?)
}

/// What a command prints on its standard output, or `None` when it cannot start or fails.
pub(crate) fn ask(command: Cmd<'_>) -> Option<String> {
    command.quiet().ignore_stderr().read().ok().map(|text| text.trim().to_owned())
}

/// Whether a tool is here.
pub(crate) fn has(sh: &Shell, tool: &str) -> bool {
    ask(cmd!(sh, "{tool} --version")).is_some()
}

/// A program of another project, installed below the target folder unless it is there. Its own optimisation would take
/// longer than what it saves.
pub(crate) fn tool(sh: &Shell, name: &str, version: &str, arguments: &[&str]) -> Result<PathBuf> {
    let tools = target(sh).join("tools");
    let install =
        cmd!(sh, "cargo install --debug --locked --root {tools} {name} --version {version} {arguments...}");
    pass(install.env("CARGO_PROFILE_DEV_DEBUG", "0"))
        .map_err(|_| not_run(format!("{name} {version} cannot be installed here")))?;
    Ok(tools.join("bin").join(name))
}

/// Runs a command, copies its output through and counts the tests it reports.
pub(crate) fn count(command: Cmd<'_>, counts: &mut Counts) -> Result<()> {
    count_within(command, COUNTED_LIMIT, counts)
}

/// Like [`count`], for what takes longer.
pub(crate) fn count_within(command: Cmd<'_>, limit: Duration, counts: &mut Counts) -> Result<()> {
    let mut harness = Harness::default();
    let status = streamed(command, limit, |line| harness.add_line(line))?;
    counts.passed += harness.passed;
    counts.failed += harness.failed;
    let mut faults = harness.gaps(status, limit);
    if harness.failed > 0 {
        faults.insert(0, format!("{} tests failed: {}", harness.failed, harness.failures()));
    }
    ensure!(faults.is_empty(), faults.join("; "));
    Ok(())
}

/// Runs a command that must end by itself within `limit`.
pub(crate) fn within(command: Cmd<'_>, limit: Duration) -> Result<()> {
    let status = streamed(command, limit, |_| {})?.with_context(|| still_running(limit))?;
    ensure!(status.success(), "{status}");
    Ok(())
}

/// Copies the output of a command through, and shows it to `each` line by line. `None` when it had to be ended at the
/// limit.
pub(crate) fn streamed(
    command: Cmd<'_>,
    limit: Duration,
    mut each: impl FnMut(&str),
) -> Result<Option<ExitStatus>> {
    println!("$ {command}");
    watched(command, limit, |line| {
        println!("{line}");
        each(line);
    })
}

/// What a command prints, and how it ended; `None` when it had to be ended at the limit.
pub(crate) fn gathered(command: impl Into<Command>, limit: Duration) -> Result<(String, Option<ExitStatus>)> {
    let mut text = String::new();
    let status = watched(command, limit, |line| text.extend([line, "\n"]))?;
    Ok((text, status))
}

/// Shows the output of a command to `each` line by line. `None` when it had to be ended at the limit, with all that it has
/// started.
fn watched(
    command: impl Into<Command>,
    limit: Duration,
    mut each: impl FnMut(&str),
) -> Result<Option<ExitStatus>> {
    let mut command = command.into();
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = command.spawn().with_context(|| format!("{name} cannot start"))?;
    let lines = lines_of(child.stdout.take().context("its output is in no pipe")?);
    let end = Instant::now() + limit;
    let left = || end.saturating_duration_since(Instant::now());
    let status = loop {
        match lines.recv_timeout(left()) {
            Ok(line) => each(&line),
            // Its output is closed, so it ends at once, as a rule.
            Err(RecvTimeoutError::Disconnected) => break child.wait_timeout(left())?,
            Err(RecvTimeoutError::Timeout) => break None,
        }
    };
    if status.is_none() {
        descendants::end(&mut child);
    }
    Ok(status)
}

/// The lines of a stream, read on a thread of their own so that the reader can look at the clock.
fn lines_of(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(64);
    std::thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
    receiver
}

pub(crate) fn still_running(limit: Duration) -> String {
    format!("still running after {} s", limit.as_secs())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// What `run` makes of a script of the shell.
    fn of<T>(script: &str, run: impl FnOnce(Cmd<'_>) -> T) -> T {
        let sh = Shell::new().unwrap();
        run(cmd!(sh, "sh -c {script}"))
    }

    fn fault(result: Result<()>) -> String {
        format!("{:#}", result.unwrap_err())
    }

    #[test]
    fn a_failing_command_fails_its_step() {
        of("exit 0", |command| within(command, MINUTE)).unwrap();
        of("exit 3", |command| within(command, MINUTE)).unwrap_err();
        of("exit 3", pass).unwrap_err();
    }

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        let ended = of("exec tail -f /dev/null", |command| within(command, Duration::from_millis(50)));
        assert!(fault(ended).contains("still running"));
    }

    #[test]
    fn tests_are_counted_while_output_streams() {
        let mut counts = Counts::default();
        let line = "test result: FAILED. 2 passed; 1 failed; 0 ignored";
        let counted = of(&format!("echo 'test one ... FAILED'; echo '{line}'; exit 101"), |command| {
            count(command, &mut counts)
        });
        assert_eq!(counts, Counts { passed: 2, failed: 1 });
        assert_eq!(fault(counted), "1 tests failed: one");
    }

    #[test]
    fn tests_that_end_without_a_result_fail_their_step() {
        let counted = |script: &str| of(script, |command| count(command, &mut Counts::default()));
        assert!(fault(counted("echo 'running 3 tests'; exit 0")).contains("without a result"));
        let failed = "test result: FAILED. 2 passed; 1 failed;";
        assert!(fault(counted(&format!("echo '{failed}'; exit 0"))).contains("ended well"));
    }

    #[test]
    fn a_test_that_hangs_is_ended_and_named() {
        let script = "echo 'test slow has been running for over 60 seconds'; exec tail -f /dev/null";
        let limit = Duration::from_secs(2);
        let counted = of(script, |command| count_within(command, limit, &mut Counts::default()));
        assert_eq!(fault(counted), "still running after 2 s: slow");
    }

    #[test]
    fn a_missing_program_is_a_failure_not_a_panic() {
        let sh = Shell::new().unwrap();
        let absent = cmd!(sh, "no-such-program-anywhere");
        assert!(fault(count(absent, &mut Counts::default())).contains("cannot start"));
        assert!(!has(&sh, "no-such-program-anywhere"));
    }
}
