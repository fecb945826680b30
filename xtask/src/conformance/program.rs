//! One test program: run, and read.

use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// More than any program of libzmq's takes on libzmq.
const LIMIT: Duration = Duration::from_secs(60);

/// The name of the case that stands for a program as a whole: it is compiled, and ends by itself without a crash.
pub(super) const WHOLE: &str = "(whole)";

/// One case of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) verdict: Verdict,
}

/// How a case came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    Failed(String),
    /// It says itself that it cannot run here.
    Ignored,
}

/// Runs a program and answers its cases, the end of the program among them if it is a bad one. `folder` has the library;
/// the program's own files (sockets of `ipc://*`) live below it and go with the program.
pub(super) fn run(executable: &Path, folder: &Path) -> Vec<Case> {
    let own = folder.join("run").join(executable.file_name().unwrap_or_default());
    if let Err(error) = std::fs::create_dir_all(&own) {
        return vec![whole(format!("{}: {error}", own.display()))];
    }
    let mut command = Command::new(executable);
    command.env("LD_LIBRARY_PATH", folder).current_dir(&own).stderr(Stdio::null());
    for name in ["TMPDIR", "TEMPDIR", "TMP"] {
        command.env_remove(name);
    }
    let ran = output_within(&mut command, LIMIT);
    let _ = std::fs::remove_dir_all(&own);
    let (text, end) = match ran {
        Ok(ran) => ran,
        Err(error) => return vec![whole(format!("cannot start: {error}"))],
    };
    let mut cases = read(&text);
    let bad = match end {
        None => Some(format!("still running after {} s", LIMIT.as_secs())),
        Some(status) => bad_end(status, &cases),
    };
    match bad {
        Some(why) => cases.push(whole(why)),
        // One that reports nothing says it all by its end.
        None if cases.is_empty() && end.and_then(|status| status.code()) != Some(SKIPPED) => {
            cases.push(Case { name: WHOLE.to_owned(), verdict: Verdict::Passed });
        }
        None => {}
    }
    cases
}

/// What a command prints, and how it ended; `None` when it had to be ended at the limit.
pub(crate) fn output_within(
    command: &mut Command,
    limit: Duration,
) -> std::io::Result<(String, Option<ExitStatus>)> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let Some(mut output) = child.stdout.take() else { return Err(std::io::ErrorKind::BrokenPipe.into()) };
    let (sender, receiver) = sync_channel(16);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = output.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    let (mut text, end) = (Vec::new(), Instant::now() + limit);
    let timely = loop {
        match receiver.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(bytes) => text.extend(bytes),
            Err(RecvTimeoutError::Disconnected) => break true,
            Err(RecvTimeoutError::Timeout) => break false,
        }
    };
    if !timely {
        let _ = child.kill();
    }
    let status = child.wait()?;
    Ok((String::from_utf8_lossy(&text).into_owned(), timely.then_some(status)))
}

/// The case that stands for a bad end.
pub(super) fn whole(why: String) -> Case {
    Case { name: WHOLE.to_owned(), verdict: Verdict::Failed(why) }
}

/// What the build systems take for a skipped program.
const SKIPPED: i32 = 77;

/// Unity's exit status is the number of failed cases.
fn bad_end(status: ExitStatus, cases: &[Case]) -> Option<String> {
    let failed = cases.iter().filter(|case| matches!(case.verdict, Verdict::Failed(_))).count();
    match status.code() {
        Some(0 | SKIPPED) => None,
        Some(code) if code == failed as i32 => None,
        Some(code) => Some(format!("exit status {code}")),
        None => Some(status.to_string()),
    }
}

/// Unity's lines: `file:line:case:PASS`, `…:FAIL: why`, `…:IGNORE: why`.
fn read(output: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for line in output.lines() {
        let mut parts = line.splitn(4, ':');
        let (Some(_), Some(number), Some(name), Some(rest)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            continue;
        };
        if number.parse::<u32>().is_err() {
            continue;
        }
        let verdict = match rest.split_once(':').map_or((rest, ""), |(word, why)| (word, why.trim())) {
            ("PASS", _) => Verdict::Passed,
            ("IGNORE", _) => Verdict::Ignored,
            ("FAIL", why) => Verdict::Failed(format!("line {number}: {why}")),
            _ => continue,
        };
        cases.push(Case { name: name.to_owned(), verdict });
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_unity_are_read() {
        let text = "noise\ntests/a.cpp:12:one:PASS\na.cpp:20:two:FAIL: Expected 1 Was 2\na.cpp:3:three:IGNORE: no\n\n3 Tests 1 Failures\n";
        let cases = read(text);
        let verdicts: Vec<(&str, &Verdict)> =
            cases.iter().map(|case| (case.name.as_str(), &case.verdict)).collect();
        let failed = Verdict::Failed("line 20: Expected 1 Was 2".to_owned());
        assert_eq!(verdicts, [("one", &Verdict::Passed), ("two", &failed), ("three", &Verdict::Ignored)]);
    }
}
