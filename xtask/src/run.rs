//! Child processes: started, streamed line by line, ended at their time limit.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::report::{Counts, Outcome};

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

/// Runs a command, copies its output through and counts the tests it reports.
pub(crate) fn count(command: &mut Command, counts: &mut Counts) -> Outcome {
    println!("$ {}", shown(command));
    let mut child = match command.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return Outcome::Failed(format!("cannot start: {error}")),
    };
    let failed_before = counts.failed;
    if let Some(output) = child.stdout.take() {
        // Bytes, not `lines()`: a test may print what is not UTF-8.
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            println!("{line}");
            counts.add_line(&line);
        }
    }
    match child.wait() {
        Ok(status) if !status.success() && counts.failed > failed_before => {
            Outcome::Failed(format!("{} tests failed", counts.failed - failed_before))
        }
        Ok(status) => verdict(status),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

/// Runs a command that must end by itself within `limit`.
pub(crate) fn within(command: &mut Command, limit: Duration) -> Outcome {
    println!("$ {}", shown(command));
    let mut child = match command.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return Outcome::Failed(format!("cannot start: {error}")),
    };
    let Some(lines) = child.stdout.take().map(lines_of) else {
        return Outcome::Failed("no output".to_owned());
    };
    let end = Instant::now() + limit;
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => println!("{line}"),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => return stop(&mut child, limit),
        }
    }
    // Its output is closed, so it ends at once or never.
    match child.wait() {
        Ok(status) => verdict(status),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

/// What a started program prints until it ends by itself, which it must within `limit`.
pub(crate) fn finished(mut child: Child, limit: Duration) -> Result<String, String> {
    let lines = child.stdout.take().map(lines_of).ok_or("no output")?;
    let (mut text, end) = (String::new(), Instant::now() + limit);
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => text.extend([line.as_str(), "\n"]),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                let _ = stop(&mut child, limit);
                return Err(format!("still running after {} s", limit.as_secs()));
            }
        }
    }
    match child.wait() {
        Ok(status) if status.success() => Ok(text),
        Ok(status) => Err(format!("{status}: {text}")),
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

fn stop(child: &mut Child, limit: Duration) -> Outcome {
    let _ = child.kill();
    let _ = child.wait();
    Outcome::Failed(format!("still running after {} s", limit.as_secs()))
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
    fn a_missing_program_is_a_failure_not_a_panic() {
        let mut counts = Counts::default();
        let mut absent = command("no-such-program-anywhere", Path::new("."), &[]);
        assert!(matches!(count(&mut absent, &mut counts), Outcome::Failed(_)));
        assert_eq!(output(&mut absent), None);
    }
}
