//! Child processes: started, streamed line by line, ended at their time limit.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::descendants;
use crate::harness::Harness;
use crate::report::{Counts, Outcome};

/// More than any step of counted tests takes, what it builds included. A test that hangs must not hang the whole run.
const COUNTED_LIMIT: Duration = Duration::from_secs(60 * 60);

/// The folder that cargo builds into.
pub(crate) fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |folder| root.join(folder))
}

/// `cargo` itself, the one that runs this task.
pub(crate) fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    command(program, root, arguments)
}

/// `cargo` of another tool chain.
pub(crate) fn cargo_of(toolchain: &str, root: &Path, arguments: &[&str]) -> Command {
    let mut command = command("rustup", root, &["run", toolchain, "cargo"]);
    // The variables of the tool chain that runs this task would win over the one asked for.
    command.args(arguments).env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTDOC");
    command
}

/// Any program, run in the folder `root`.
pub(crate) fn command(program: impl AsRef<OsStr>, root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(root).stdin(Stdio::null());
    command
}

/// Runs a command to its end, its output going straight through.
pub(crate) fn pass(command: &mut Command) -> Outcome {
    println!("$ {}", shown(command));
    match command.status() {
        Ok(status) => verdict(status),
        Err(error) => Outcome::Failed(format!("cannot start: {error}")),
    }
}

/// The same, for those who go on only when it ends well.
pub(crate) fn done(command: &mut Command) -> Result<(), String> {
    match pass(command) {
        Outcome::Passed => Ok(()),
        outcome => Err(format!("{}: {outcome:?}", command.get_program().to_string_lossy())),
    }
}

/// Runs a command, copies its output through and counts the tests it reports.
pub(crate) fn count(command: &mut Command, counts: &mut Counts) -> Outcome {
    count_within(command, COUNTED_LIMIT, counts)
}

fn count_within(command: &mut Command, limit: Duration, counts: &mut Counts) -> Outcome {
    println!("$ {}", shown(command));
    let mut harness = Harness::default();
    let ran = watched(command, limit, |line| {
        println!("{line}");
        harness.add_line(line);
    });
    counts.passed += harness.passed;
    counts.failed += harness.failed;
    match ran {
        Ok(None) => Outcome::Failed(format!("{}{}", still_running(limit), harness.slow())),
        Ok(Some(status)) if !status.success() && harness.failed > 0 => {
            Outcome::Failed(format!("{} tests failed", harness.failed))
        }
        // Tests that failed and a command that ends well do not go together either.
        Ok(Some(status)) if status.success() && harness.failed > 0 => {
            Outcome::Failed(format!("{} tests failed, and the command ended well", harness.failed))
        }
        Ok(Some(status)) => match harness.close() {
            Some(why) if status.success() => Outcome::Failed(why),
            _ => verdict(status),
        },
        Err(error) => Outcome::Failed(format!("cannot start: {error}")),
    }
}

/// Runs a command that must end by itself within `limit`.
pub(crate) fn within(command: &mut Command, limit: Duration) -> Outcome {
    println!("$ {}", shown(command));
    match watched(command, limit, |line| println!("{line}")) {
        Ok(Some(status)) => verdict(status),
        Ok(None) => Outcome::Failed(still_running(limit)),
        Err(error) => Outcome::Failed(format!("cannot start: {error}")),
    }
}

/// What a command prints, and how it ended; `None` when it had to be ended at the limit.
pub(crate) fn gathered(
    command: &mut Command,
    limit: Duration,
) -> std::io::Result<(String, Option<ExitStatus>)> {
    let mut text = String::new();
    let status = watched(command, limit, |line| text.extend([line, "\n"]))?;
    Ok((text, status))
}

/// Runs a command and hands on each line that it prints; `None` when it had to be ended at the limit.
pub(crate) fn watched(
    command: &mut Command,
    limit: Duration,
    line: impl FnMut(&str),
) -> std::io::Result<Option<ExitStatus>> {
    attend(&mut command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?, limit, line)
}

/// Until `child` has ended, or `limit` has; then it is ended with all that it has started.
fn attend(
    child: &mut Child,
    limit: Duration,
    mut each: impl FnMut(&str),
) -> std::io::Result<Option<ExitStatus>> {
    let Some(lines) = child.stdout.take().map(lines_of) else {
        return Err(std::io::ErrorKind::BrokenPipe.into());
    };
    let end = Instant::now() + limit;
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => each(&line),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                descendants::end(child);
                return Ok(None);
            }
        }
    }
    // Its output is closed, so it ends at once, as a rule.
    while Instant::now() < end {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        #[expect(clippy::disallowed_methods, reason = "the system has no wait with a limit")]
        std::thread::sleep(Duration::from_millis(5));
    }
    descendants::end(child);
    Ok(None)
}

/// What a started program prints until it ends by itself, which it must within `limit`.
pub(crate) fn finished(mut child: Child, limit: Duration) -> Result<String, String> {
    let mut text = String::new();
    match attend(&mut child, limit, |line| text.extend([line, "\n"])) {
        Ok(Some(status)) if status.success() => Ok(text),
        Ok(Some(status)) => Err(format!("{status}: {text}")),
        Ok(None) => Err(still_running(limit)),
        Err(error) => Err(error.to_string()),
    }
}

/// What a command prints on its standard output, or `None` when it cannot start or fails.
pub(crate) fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
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

fn verdict(status: ExitStatus) -> Outcome {
    if status.success() { Outcome::Passed } else { Outcome::Failed(status.to_string()) }
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default().to_string_lossy();
    let arguments = command.get_args().map(OsStr::to_string_lossy);
    std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        command("sh", Path::new("."), &["-c", script])
    }

    #[test]
    fn a_failing_command_fails_its_step() {
        assert_eq!(within(&mut shell("exit 0"), Duration::from_secs(60)), Outcome::Passed);
        assert!(matches!(within(&mut shell("exit 3"), Duration::from_secs(60)), Outcome::Failed(_)));
        assert!(matches!(pass(&mut shell("exit 3")), Outcome::Failed(_)));
    }

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        let outcome = within(&mut shell("exec tail -f /dev/null"), Duration::from_millis(50));
        assert!(matches!(outcome, Outcome::Failed(why) if why.contains("still running")));
    }

    #[test]
    fn tests_are_counted_while_output_streams() {
        let mut counts = Counts::default();
        let line = "test result: FAILED. 2 passed; 1 failed; 0 ignored";
        let outcome = count(&mut shell(&format!("echo '{line}'; exit 101")), &mut counts);
        assert_eq!(counts, Counts { passed: 2, failed: 1 });
        assert_eq!(outcome, Outcome::Failed("1 tests failed".to_owned()));
    }

    #[test]
    fn tests_that_end_without_a_result_fail_their_step() {
        let mut counts = Counts::default();
        let outcome = count(&mut shell("echo 'running 3 tests'; exit 0"), &mut counts);
        assert!(matches!(outcome, Outcome::Failed(why) if why.contains("without a result")));
        let failed = "test result: FAILED. 2 passed; 1 failed;";
        let outcome = count(&mut shell(&format!("echo '{failed}'; exit 0")), &mut counts);
        assert!(matches!(outcome, Outcome::Failed(why) if why.contains("ended well")));
    }

    #[test]
    fn a_test_that_hangs_is_ended_and_named() {
        let mut counts = Counts::default();
        let script = "echo 'test slow has been running for over 60 seconds'; exec tail -f /dev/null";
        let outcome = count_within(&mut shell(script), Duration::from_secs(2), &mut counts);
        assert_eq!(outcome, Outcome::Failed("still running after 2 s: slow".to_owned()));
    }

    #[test]
    fn a_missing_program_is_a_failure_not_a_panic() {
        let mut counts = Counts::default();
        let mut absent = command("no-such-program-anywhere", Path::new("."), &[]);
        assert!(matches!(count(&mut absent, &mut counts), Outcome::Failed(_)));
        assert_eq!(output(&mut absent), None);
    }
}
