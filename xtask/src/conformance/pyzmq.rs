//! pyzmq's own tests, on a pyzmq that is compiled against our library from its source package.
//!
//! Everything is below target/conformance/pyzmq: a prefix with our header and library, a virtual environment, the
//! unpacked tests. It is made once and made again when the list of packages or our header changes.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use fs_err as fs;
use xshell::{Cmd, Shell, cmd};

use super::build::library;
use super::expected::Expected;
use super::program::{Case, Verdict, WHOLE, whole};
use super::{Options, PYZMQ, Row, by_file};
use crate::report::not_run;
use crate::run;

/// The packages beside pyzmq that it is built and tested with, one a line.
const PACKAGES: &str = "xtask/conformance/pyzmq.txt";
/// A test of ours that needs a Python binding.
const OURS: &str = "capi/tests/test_interrupt.py";
const VERSION: &str = "27.1.0";
/// One test's time, in seconds; some send 2 GiB.
const TEST_LIMIT: &str = "120";
/// More than all tests take together.
const LIMIT: Duration = Duration::from_secs(900);

/// Runs the tests and returns a row for each of their files.
pub(super) fn rows(sh: &Shell, options: &Options) -> Result<Vec<Row>> {
    let expected = Expected::read(&sh.current_dir().join(PYZMQ))?;
    if let Some(what) = lacks(|program, arguments| run::ask(cmd!(sh, "{program} {arguments...}"))) {
        return Err(not_run(what));
    }
    let library = library(sh)?;
    let bench = Bench { root: sh.current_dir(), sh: sh.clone() };
    bench.sh.change_dir(run::target(sh).join("conformance/pyzmq"));
    bench.set_up(&library)?;
    let start = Instant::now();
    let chosen = options.filter.iter().flat_map(|part| ["-k", part]);
    let tests = bench.python("-m pytest tests -q --tb=no -p no:cacheprovider -rpfEs");
    let tests = tests.arg(format!("--timeout={TEST_LIMIT}")).args(chosen);
    // Wide, so that no name is cut; the header where a test that compiles finds it, as an installed one is found.
    let tests = tests.env("COLUMNS", "1000").env("C_INCLUDE_PATH", bench.folder().join("prefix/include"));
    println!("$ {tests}");
    let (text, status) = run::gathered(tests, LIMIT)?;
    let mut cases = read(&text);
    match status.map(|status| status.code()) {
        // 0: all passed; 1: some failed; 5: none was chosen.
        Some(Some(0 | 1 | 5)) => {}
        Some(_) => {
            let why = "it did not end by itself".to_owned();
            cases.push(("pytest".to_owned(), whole(Verdict::Crashed(why))));
        }
        None => cases.push(("pytest".to_owned(), whole(Verdict::Hung(run::still_running(LIMIT))))),
    }
    if cases.is_empty() {
        let tail: Vec<&str> = text.lines().rev().take(5).collect();
        bail!("pytest reports nothing: {}", tail.join(" / "));
    }
    Ok(by_file(cases, &expected, start.elapsed(), options.filter.is_none()))
}

/// What this machine lacks to make a virtual environment and to compile pyzmq. `ask` answers what a program prints, if
/// it ends well.
fn lacks(ask: impl Fn(&str, &[&str]) -> Option<String>) -> Option<String> {
    // Debian's `-m venv --help` works without ensurepip, and `-m venv` then does not.
    const HEADER: &str =
        "import os, sysconfig; os.stat(os.path.join(sysconfig.get_paths()['include'], 'Python.h'))";
    let needs: [(&str, &[&str], &str); 4] = [
        ("python3", &["--version"], "there is no Python (python3)"),
        (
            "python3",
            &["-c", "import venv, ensurepip"],
            "Python cannot make environments (Debian: python3-venv)",
        ),
        ("python3", &["-c", HEADER], "Python's headers are not here (Debian: python3-dev)"),
        ("cc", &["--version"], "there is no C compiler (cc)"),
    ];
    needs
        .iter()
        .find(|(program, ask_it, _)| ask(program, ask_it).is_none())
        .map(|(_, _, what)| (*what).to_owned())
}

/// Where pyzmq is built and tested.
struct Bench {
    root: PathBuf,
    /// In the folder for that.
    sh: Shell,
}

impl Bench {
    fn folder(&self) -> PathBuf {
        self.sh.current_dir()
    }

    fn set_up(&self, library: &Path) -> Result<()> {
        let packages = fs::read_to_string(self.root.join(PACKAGES))?;
        let header = fs::read_to_string(self.root.join("capi/include/zmq.h"))?;
        let made_of = format!("{VERSION}\n{packages}\n{header}");
        let stamp = self.folder().join("made-of");
        let is_made = fs::read_to_string(&stamp).is_ok_and(|old| old == made_of);
        if !is_made {
            let _ = fs::remove_dir_all(self.folder());
        }
        self.put_prefix(library)?;
        if !is_made {
            self.make_environment()?;
            self.unpack_tests()?;
            self.build()?;
            fs::write(stamp, made_of)?;
        }
        // What its tests do not look at, in a file beside them.
        let name = Path::new(OURS).file_name().unwrap_or_default();
        fs::copy(self.root.join(OURS), self.folder().join("tests").join(name))?;
        Ok(())
    }

    /// Our library and header, as pyzmq looks for them below ZMQ_PREFIX.
    fn put_prefix(&self, library: &Path) -> Result<()> {
        let prefix = self.folder().join("prefix");
        for folder in ["include", "lib"] {
            fs::create_dir_all(prefix.join(folder))?;
        }
        for header in ["include/zmq.h", "include/zmq_utils.h"] {
            fs::copy(self.root.join("capi").join(header), prefix.join(header))?;
        }
        for name in ["libzmq.so", "libzmq.so.5"] {
            fs::copy(library, prefix.join("lib").join(name))?;
        }
        Ok(())
    }

    fn make_environment(&self) -> Result<()> {
        let sh = &self.sh;
        run::pass(cmd!(sh, "python3 -m venv venv"))?;
        let install = self.python("-m pip install -q -r").arg(self.root.join(PACKAGES));
        run::pass(install).map_err(|_| not_run("the packages cannot be installed"))
    }

    /// The tests are in the source package alone. They run outside it, so that they import what was built.
    fn unpack_tests(&self) -> Result<()> {
        let name = format!("pyzmq-{VERSION}");
        let download =
            self.python("-m pip download -q --no-deps --no-build-isolation --no-binary pyzmq -d .");
        run::pass(download.arg(format!("pyzmq=={VERSION}")))
            .map_err(|_| not_run("pyzmq's source package cannot be fetched"))?;
        run::pass(self.python(&format!("-m tarfile -e {name}.tar.gz source")))?;
        for part in ["tests", "pytest.ini"] {
            fs::rename(self.folder().join("source").join(&name).join(part), self.folder().join(part))?;
        }
        Ok(())
    }

    fn build(&self) -> Result<()> {
        // Not from pip's cache: a wheel there may be one that was built on another libzmq.
        let install = "-m pip install -q --no-deps --no-build-isolation --no-cache-dir";
        let install = self.python(install).arg(format!("pyzmq-{VERSION}.tar.gz"));
        run::pass(install.env("ZMQ_PREFIX", self.folder().join("prefix")))
    }

    /// The environment's Python, with arguments that hold no spaces, run in the folder.
    fn python(&self, arguments: &str) -> Cmd<'_> {
        let python = self.sh.cmd(self.folder().join("venv/bin/python")).args(arguments.split(' '));
        python.env_remove("PYTHONPATH").env_remove("ZMQ_PREFIX")
    }
}

/// The lines of pytest's summary: `PASSED file::case`, `FAILED file::case - why`, `ERROR …`, and
/// `SKIPPED [3] file:line: why` without names. Each with the name of its file.
fn read(output: &str) -> Vec<(String, Case)> {
    let mut cases = Vec::new();
    for line in output.lines() {
        let Some((word, rest)) = line.split_once(' ') else { continue };
        if word == "SKIPPED" {
            let Some((number, place)) = rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")) else {
                continue;
            };
            let (place, _) = place.split_once(": ").unwrap_or((place, ""));
            let (file, line) = place.split_once(':').unwrap_or((place, ""));
            for _ in 0..number.parse().unwrap_or(1) {
                let case = Case { name: format!("line {line}"), verdict: Verdict::Ignored };
                cases.push((stem(file), case));
            }
            continue;
        }
        let (id, why) = rest.split_once(" - ").unwrap_or((rest, ""));
        let verdict = match word {
            "PASSED" => Verdict::Passed,
            // pytest-timeout's word, on the line of a test that it has ended.
            "FAILED" | "ERROR" if why.contains("Timeout (>") => Verdict::Hung(why.to_owned()),
            "FAILED" | "ERROR" => Verdict::Failed(why.to_owned()),
            _ => continue,
        };
        let (file, name) = id.split_once("::").unwrap_or((id, WHOLE));
        cases.push((stem(file), Case { name: name.to_owned(), verdict }));
    }
    cases
}

fn stem(file: &str) -> String {
    Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_pytest_is_read() {
        let text = "....s\nPASSED tests/test_a.py::TestA::test_x[1-tcp]\nFAILED tests/test_b.py::test_y - assert not True\n\
                    SKIPPED [2] tests/test_a.py:94: could not import 'x': No module\nERROR tests/test_c.py - ImportError\n\
                    1 failed, 1 passed in 3 s\n";
        let cases = read(text);
        let told: Vec<(&str, &str, &Verdict)> =
            cases.iter().map(|(file, case)| (&file[..], &case.name[..], &case.verdict)).collect();
        assert_eq!(
            told,
            [
                ("test_a", "TestA::test_x[1-tcp]", &Verdict::Passed),
                ("test_b", "test_y", &Verdict::Failed("assert not True".to_owned())),
                ("test_a", "line 94", &Verdict::Ignored),
                ("test_a", "line 94", &Verdict::Ignored),
                ("test_c", WHOLE, &Verdict::Failed("ImportError".to_owned())),
            ]
        );
    }

    #[test]
    fn a_test_that_pytest_has_ended_hangs() {
        let cases = read("FAILED tests/test_a.py::test_x - Failed: Timeout (>120.0s) from pytest-timeout.\n");
        assert!(matches!(cases[0].1.verdict, Verdict::Hung(_)));
    }

    #[test]
    fn what_python_lacks_is_named() {
        let machine = |without: &'static str| {
            move |program: &str, asked: &[&str]| {
                let lacks = program == without || asked.iter().any(|part| part.contains(without));
                (!lacks).then(String::new)
            }
        };
        assert_eq!(lacks(machine("nothing")), None);
        for (without, said) in [
            ("python3", "no Python"),
            ("ensurepip", "python3-venv"),
            ("Python.h", "python3-dev"),
            ("cc", "compiler"),
        ] {
            assert!(lacks(machine(without)).unwrap().contains(said), "{without}");
        }
    }
}
