//! One test program: run, and read.

use std::io::Read;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

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

/// Runs a program and answers its cases, the end of the program among them if it is a bad one.
pub(super) fn run(executable: &Path, library: &Path) -> Vec<Case> {
    let mut command = Command::new(executable);
    command.env("LD_LIBRARY_PATH", library).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    if let Some(folder) = executable.parent() {
        command.current_dir(folder);
    }
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return vec![whole(format!("cannot start: {error}"))],
    };
    let Some(mut output) = child.stdout.take() else { return vec![whole("no output".to_owned())] };
    let (sender, receiver) = sync_channel(16);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = output.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    let (mut text, end) = (Vec::new(), std::time::Instant::now() + LIMIT);
    let timely = loop {
        match receiver.recv_timeout(end.saturating_duration_since(std::time::Instant::now())) {
            Ok(bytes) => text.extend(bytes),
            Err(RecvTimeoutError::Disconnected) => break true,
            Err(RecvTimeoutError::Timeout) => break false,
        }
    };
    if !timely {
        let _ = child.kill();
    }
    let status = child.wait();
    let mut cases = read(&String::from_utf8_lossy(&text));
    let bad = match &status {
        _ if !timely => Some(format!("still running after {} s", LIMIT.as_secs())),
        Ok(status) => bad_end(*status, &cases),
        Err(error) => Some(error.to_string()),
    };
    match bad {
        Some(why) => cases.push(whole(why)),
        // One that reports nothing says it all by its end.
        None if cases.is_empty() && !matches!(status_code(&status), Some(77)) => {
            cases.push(Case { name: WHOLE.to_owned(), verdict: Verdict::Passed });
        }
        None => {}
    }
    cases
}

fn status_code(status: &std::io::Result<ExitStatus>) -> Option<i32> {
    status.as_ref().ok().and_then(ExitStatus::code)
}

fn whole(why: String) -> Case {
    Case { name: WHOLE.to_owned(), verdict: Verdict::Failed(why) }
}

/// Unity's exit status is the number of failed cases; 77 is what the build systems take for a skipped program.
fn bad_end(status: ExitStatus, cases: &[Case]) -> Option<String> {
    let failed = cases.iter().filter(|case| matches!(case.verdict, Verdict::Failed(_))).count();
    match status.code() {
        Some(0 | 77) => None,
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
