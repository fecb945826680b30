//! From the package with libzmq's sources to executables on our library.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use fs_err as fs;
use xshell::{Shell, cmd};

use crate::report::not_run;
use crate::{registry, run};

/// How the programs are copied and compiled.
const RULES: &str = "xtask/conformance/Makefile";

/// The program that makes a handshake's commands by itself, with headers of libzmq and the system's libsodium.
const HANDMADE: &str = "test_security_curve";

/// The programs' sources beside our header, as they expect to find it, and what is made of them.
pub(super) struct Tree {
    folder: PathBuf,
    root: PathBuf,
    /// libzmq's.
    sources: PathBuf,
    /// Ours.
    library: PathBuf,
    /// Whether the system has libsodium with its headers, for [`HANDMADE`].
    has_sodium: bool,
}

impl Tree {
    /// Builds our library, copies the sources, and compiles what all programs share.
    pub(super) fn make(sh: &Shell) -> Result<Tree> {
        for tool in ["c++", "make"] {
            ensure!(run::has(sh, tool), not_run(format!("there is no {tool}")));
        }
        let tree = Tree {
            folder: run::target(sh).join("conformance"),
            root: sh.current_dir(),
            sources: registry::libzmq(sh)?,
            library: library(sh)?,
            has_sodium: has_sodium(sh),
        };
        fs::create_dir_all(&tree.folder)?;
        tree.make_goal("copied")?;
        tree.make_goal("common")?;
        Ok(tree)
    }

    /// The names of all programs.
    pub(super) fn programs(&self) -> Result<Vec<String>> {
        let mut programs = Vec::new();
        for entry in fs::read_dir(self.folder.join("tests"))? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            programs.extend(
                name.strip_suffix(".cpp").filter(|name| name.starts_with("test_")).map(str::to_owned),
            );
        }
        programs.sort();
        Ok(programs)
    }

    /// Where everything is: the library here, and room for the programs' own files.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What this machine lacks to compile a program.
    pub(super) fn lacks(&self, name: &str) -> Option<String> {
        (name == HANDMADE && !self.has_sodium)
            .then(|| "the headers of libsodium are not here (Debian: libsodium-dev)".to_owned())
    }

    /// Compiles one program, unless that was done since its sources and our header changed.
    pub(super) fn compile(&self, name: &str) -> Result<PathBuf> {
        self.make_goal(&format!("bin/{name}"))?;
        Ok(self.folder.join("bin").join(name))
    }

    fn make_goal(&self, goal: &str) -> Result<()> {
        let sh = Shell::new()?;
        sh.change_dir(&self.folder);
        let (rules, capi) = (self.root.join(RULES), self.root.join("capi"));
        let make = cmd!(sh, "make -f {rules} {goal}").env("SOURCES", &self.sources);
        let output = make.env("CAPI", capi).env("LIBRARY", &self.library).quiet().ignore_status().output()?;
        if output.status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("{}", text.lines().find(|line| line.contains("error")).unwrap_or("it does not compile"))
    }
}

fn has_sodium(sh: &Shell) -> bool {
    run::ask(cmd!(sh, "c++ -E -include sodium.h -x c++ /dev/null")).is_some()
}

/// Builds our library, optimised and with the checks of a debug build, and returns where it is.
pub(super) fn library(sh: &Shell) -> Result<PathBuf> {
    run::pass(cmd!(sh, "cargo build -p zeroxide-capi --profile checked"))?;
    Ok(run::target(sh).join("checked/libzmq.so"))
}
