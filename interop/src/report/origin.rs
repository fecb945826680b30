//! When, of what and where a run was made.

use std::process::Command;
use std::time::SystemTime;
use std::{env, fs, thread};

use serde::Serialize;

/// What tells one run from another. Whatever cannot be found out is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// When the run began, such as `2026-11-30T23:50:00Z`.
    pub date: String,
    /// The commit of the source, with ` and changes` if files differ from it.
    pub commit: String,
    /// The processor, how many of it, and the system.
    pub machine: String,
}

impl Origin {
    /// Finds it out, now and here.
    #[must_use]
    pub fn here() -> Origin {
        Origin {
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string(),
            commit: commit(),
            machine: machine(),
        }
    }

    /// What is known, the date first.
    #[must_use]
    pub fn known(&self) -> Vec<String> {
        let commit = if self.commit.is_empty() { String::new() } else { format!("commit {}", self.commit) };
        let all = [self.date.clone(), commit, self.machine.clone()];
        all.into_iter().filter(|part| !part.is_empty()).collect()
    }
}

fn commit() -> String {
    let Some(commit) = git(&["rev-parse", "--short=10", "HEAD"]) else { return String::new() };
    let changed =
        git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|files| !files.is_empty());
    if changed { commit + " and changes" } else { commit }
}

/// What git says in the folder of this source, or `None` outside a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    output.status.success().then_some(text)
}

/// `4 × AMD EPYC, linux 6.8.0 x86_64`; the model and the release are known on Linux alone.
fn machine() -> String {
    let count = thread::available_parallelism().map_or(1, usize::from);
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let model = model(&read("/proc/cpuinfo")).unwrap_or_else(|| "processors".to_owned());
    let release = read("/proc/sys/kernel/osrelease");
    [
        format!("{count} × {model},"),
        env::consts::OS.to_owned(),
        release.trim().to_owned(),
        env::consts::ARCH.to_owned(),
    ]
    .into_iter()
    .filter(|part| !part.is_empty())
    .collect::<Vec<_>>()
    .join(" ")
}

/// The name of the first processor in the text of /proc/cpuinfo.
fn model(cpuinfo: &str) -> Option<String> {
    let mut lines = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    lines.find(|(name, _)| name.trim() == "model name").map(|(_, model)| model.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_its_date_and_machine() {
        let origin = Origin::here();
        assert!(origin.date.starts_with("20") && origin.date.ends_with('Z'), "{origin:?}");
        assert!(
            origin.machine.contains(env::consts::OS) && origin.machine.contains(env::consts::ARCH),
            "{origin:?}"
        );
        assert_eq!(model("processor\t: 0\nmodel name\t: Fast 3000\n").as_deref(), Some("Fast 3000"));
        assert_eq!(model("processor\t: 0\n"), None);
    }

    #[test]
    fn only_what_is_known_is_shown() {
        let origin = Origin { date: "2026-11-30".to_owned(), commit: String::new(), machine: "m".to_owned() };
        assert_eq!(origin.known(), ["2026-11-30", "m"]);
        let origin = Origin { commit: "abc".to_owned(), ..Origin::default() };
        assert_eq!(origin.known(), ["commit abc"]);
    }
}
