//! One test program: run, and read.

use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::Result;
use fs_err as fs;

use crate::run::{gathered, still_running};

/// More than any program of libzmq's takes on libzmq.
const LIMIT: Duration = Duration::from_secs(60);

/// The name of the case that stands for a program as a whole: it is compiled, and ends by itself without a crash.
pub(super) const WHOLE: &str = "(whole)";

/// One case of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) verdict: Verdict,
}

/// How a case came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Passed,
    /// A check of its own failed.
    Failed(String),
    /// It did not end in time.
    Hung(String),
    /// It ended by a signal, and not by a check of its own.
    Crashed(String),
    /// It says itself that it cannot run here.
    Ignored,
}

impl Verdict {
    /// Why it is bad, if it is.
    pub(super) fn fault(&self) -> Option<&str> {
        match self {
            Verdict::Failed(why) | Verdict::Hung(why) | Verdict::Crashed(why) => Some(why),
            Verdict::Passed | Verdict::Ignored => None,
        }
    }
}

/// Runs a program and answers its cases, the end of the program among them if it is a bad one. `folder` has the library;
/// the program's own files (sockets of `ipc://*`) live below it and go with the program.
pub(super) fn run(executable: &Path, folder: &Path) -> Vec<Case> {
    let own = folder.join("run").join(executable.file_name().unwrap_or_default());
    let complaints = own.with_extension("err");
    let ran = run_in(&own, &complaints, executable, folder);
    let said = fs::read(&complaints).unwrap_or_default();
    let _ = fs::remove_dir_all(&own);
    let _ = fs::remove_file(&complaints);
    match ran {
        Ok((text, end)) => judged(&text, String::from_utf8_lossy(&said).trim_end(), end),
        Err(error) => vec![whole(Verdict::Failed(format!("{error:#}")))],
    }
}

fn run_in(
    own: &Path,
    complaints: &Path,
    executable: &Path,
    library: &Path,
) -> Result<(String, Option<ExitStatus>)> {
    fs::create_dir_all(own)?;
    let mut command = Command::new(executable);
    command
        .env("LD_LIBRARY_PATH", library)
        .current_dir(own)
        .stderr(fs::File::create(complaints)?.into_file());
    for name in ["TMPDIR", "TEMPDIR", "TMP"] {
        command.env_remove(name);
    }
    gathered(command, LIMIT)
}

/// The cases that `text` tells of, and the program as a whole. `complaints` is what it wrote to its standard error.
fn judged(text: &str, complaints: &str, end: Option<ExitStatus>) -> Vec<Case> {
    let mut cases = read(text);
    let last = complaints.lines().last().unwrap_or_default();
    let bad = match end {
        None => Some(Verdict::Hung(format!("{}: {last}", still_running(LIMIT)))),
        Some(status) => bad_end(status, &cases, sum(text), last),
    };
    match bad {
        Some(verdict) => cases.push(whole(verdict)),
        // One that reports nothing says it all by its end.
        None if cases.is_empty() && end.and_then(|status| status.code()) != Some(SKIPPED) => {
            cases.push(whole(Verdict::Passed));
        }
        None => {}
    }
    cases
}

/// The case that stands for the program.
pub(crate) fn whole(verdict: Verdict) -> Case {
    Case { name: WHOLE.to_owned(), verdict }
}

/// What the build systems take for a skipped program.
const SKIPPED: i32 = 77;

/// Unity's exit status is the number of failed cases; `assert` says so before it aborts.
fn bad_end(status: ExitStatus, cases: &[Case], sum: Option<usize>, last: &str) -> Option<Verdict> {
    // One that calls `exit(0)` in the middle has no sum. One without cases has none either.
    let accounted = sum.unwrap_or(0) == cases.len();
    let failed = cases.iter().filter(|case| case.verdict.fault().is_some()).count();
    match status.code() {
        Some(0) if failed > 0 => Some(Verdict::Failed("it reports failed cases and ends well".to_owned())),
        Some(0 | SKIPPED) if !accounted => {
            Some(Verdict::Failed("its cases are not those of its sum".to_owned()))
        }
        Some(0 | SKIPPED) => None,
        Some(code) if code == failed as i32 => None,
        Some(code) => Some(Verdict::Failed(format!("exit status {code}: {last}"))),
        None if last.contains(": Assertion `") => Some(Verdict::Failed(last.to_owned())),
        None => Some(Verdict::Crashed(format!("{status}: {last}"))),
    }
}

/// The number in Unity's last line, `3 Tests 1 Failures 0 Ignored`.
fn sum(output: &str) -> Option<usize> {
    let mut sums = output.lines().filter_map(|line| line.split_once(" Tests ")?.0.parse().ok());
    sums.next_back()
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

    /// The end of the program as a whole, if it is told of.
    #[cfg(unix)]
    fn end(script: &str, said: &str) -> Option<Verdict> {
        let status = Command::new("sh").args(["-c", script]).status().unwrap();
        judged("a.cpp:12:one:PASS\n1 Tests 0 Failures\n", said, Some(status))
            .into_iter()
            .find(|case| case.name == WHOLE)
            .map(|c| c.verdict)
    }

    #[test]
    #[cfg(unix)]
    fn a_check_that_fails_is_told_from_a_crash() {
        assert_eq!(end("exit 0", ""), None);
        assert!(matches!(end("exit 3", ""), Some(Verdict::Failed(_))));
        let said = "noise\na.cpp:106: int main(): Assertion `4 * HWM >= count' failed.";
        assert!(matches!(end("kill -ABRT $$", said), Some(Verdict::Failed(why)) if why.contains("4 * HWM")));
        assert!(matches!(end("kill -ABRT $$", "thread panicked"), Some(Verdict::Crashed(_))));
        assert!(matches!(end("kill -SEGV $$", ""), Some(Verdict::Crashed(_))));
    }

    #[test]
    #[cfg(unix)]
    fn cases_must_be_those_of_the_sum() {
        let well = Command::new("true").status().unwrap();
        for text in ["a.cpp:12:one:PASS\n", "a.cpp:12:one:PASS\n2 Tests 0 Failures\n", "2 Tests 0 Failures\n"]
        {
            let cases = judged(text, "", Some(well));
            assert!(cases.iter().any(|case| matches!(case.verdict, Verdict::Failed(_))), "{text}");
        }
        assert_eq!(judged("", "", Some(well)), [whole(Verdict::Passed)]);
    }

    #[test]
    fn a_program_that_does_not_end_hangs() {
        let cases = judged("", "Still waiting", None);
        assert!(
            matches!(&cases[..], [Case { verdict: Verdict::Hung(why), .. }] if why.contains("Still waiting"))
        );
    }
}
