//! pyzmq in a virtual environment; its wheel carries its own libzmq.

use std::path::PathBuf;

use super::Recipe;
use super::bench::Bench;

pub(super) const PYZMQ: Recipe =
    Recipe { name: "pyzmq", adapter: "python", versions: "pyzmq==27.1.0", tools: &[], make, command };

/// The oldest Python for which that pyzmq has wheels.
const OLDEST: (u32, u32) = (3, 9);

fn make(bench: &Bench<'_>) -> Result<(), String> {
    let system =
        system(bench).ok_or_else(|| format!("no Python {}.{} or later on the path", OLDEST.0, OLDEST.1))?;
    bench.run(bench.tool(system).args(["-m", "venv", "--clear"]).arg(bench.folder.join("venv")))?;
    let install = ["-m", "pip", "install", "--quiet", "--only-binary", ":all:", PYZMQ.versions];
    bench.run(bench.tool(python(bench)).args(install))
}

fn command(bench: &Bench<'_>) -> (PathBuf, Vec<std::ffi::OsString>) {
    (python(bench), vec!["-u".into(), bench.adapter.join("peer.py").into()])
}

/// The Python of the virtual environment.
fn python(bench: &Bench<'_>) -> PathBuf {
    bench.folder.join(if cfg!(windows) { "venv/Scripts/python.exe" } else { "venv/bin/python" })
}

/// The first Python on the path that is new enough.
fn system(bench: &Bench<'_>) -> Option<&'static str> {
    const NAMES: &[&str] =
        &["python3", "python", "python3.13", "python3.12", "python3.11", "python3.10", "python3.9"];
    let script = "import sys, venv, ensurepip; print(sys.version_info[0], sys.version_info[1])";
    let new = |name: &str| {
        bench.output(name.as_ref(), &["-c", script]).is_some_and(|version| is_new_enough(&version))
    };
    NAMES.iter().copied().find(|name| new(name))
}

/// Whether `version` ("3 11") is at least the oldest supported.
fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split_whitespace().map(|n| n.parse::<u32>().ok());
    matches!((numbers.next(), numbers.next()), (Some(Some(major)), Some(Some(minor))) if (major, minor) >= OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_python_is_not_taken() {
        assert!(is_new_enough("3 9"));
        assert!(is_new_enough("3 14"));
        assert!(is_new_enough("4 0"));
        assert!(!is_new_enough("3 8"));
        assert!(!is_new_enough("2 7"));
        assert!(!is_new_enough("three"));
        assert!(!is_new_enough(""));
    }
}
