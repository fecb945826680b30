//! The example `jupyter-kernel`, driven by the real jupyter_client from PyPI.
//!
//! Its Python is a virtual environment below target/jupyter, made once and made again when the list of packages changes.

use std::path::{Path, PathBuf};

use anyhow::Result;
use fs_err as fs;
use xshell::{Shell, cmd};

use crate::report::{Counts, not_run};
use crate::run;

/// The packages, one a line.
const PACKAGES: &str = "examples/jupyter-kernel/tests/requirements.txt";

/// What jupyter_client needs.
const NEEDED: &str = "import sys, venv, ensurepip; assert sys.version_info >= (3, 10)";

/// Runs the tests of the kernel.
pub(crate) fn step(sh: &Shell, counts: &mut Counts) -> Result<()> {
    let python = python(sh)?;
    let tests = ["-p", "jupyter-kernel", "--features", "jupyter-kernel/jupyter", "--test", "front_end"];
    run::count(run::cargo_test(sh).args(tests).env("ZEROXIDE_JUPYTER_PYTHON", python), counts)
}

/// Returns the environment's Python, which has the packages.
fn python(sh: &Shell) -> Result<PathBuf> {
    if run::ask(cmd!(sh, "python3 -c {NEEDED}")).is_none() {
        return Err(not_run("there is no Python 3.10 or later (python3) that can make environments"));
    }
    let folder = run::target(sh).join("jupyter");
    let python = folder.join(if cfg!(windows) { "venv/Scripts/python.exe" } else { "venv/bin/python" });
    // A folder that was moved has paths of the old place in it.
    let made_of = format!("{}\n{}", folder.display(), sh.read_file(PACKAGES)?);
    let stamp = folder.join("made-of");
    if !is_made(&stamp, &made_of) {
        let venv = folder.join("venv");
        run::pass(cmd!(sh, "python3 -m venv --clear {venv}"))?;
        let install =
            cmd!(sh, "{python} -m pip install --quiet --only-binary :all: --requirement {PACKAGES}");
        run::pass(install).map_err(|_| not_run("the packages of jupyter_client cannot be installed"))?;
        fs::write(stamp, made_of)?;
    }
    Ok(python)
}

fn is_made(stamp: &Path, made_of: &str) -> bool {
    fs::read_to_string(stamp).is_ok_and(|old| old == made_of)
}
