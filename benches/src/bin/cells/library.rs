//! Who is measured, and how each program is built.

use std::path::{Path, PathBuf};
use std::process::Command;

/// One library in one of its modes.
#[derive(Debug)]
pub(crate) struct Library {
    /// In tables.
    pub(crate) name: &'static str,
    /// In one sentence.
    pub(crate) what: &'static str,
    source: Source,
    /// Handed to the program.
    pub(crate) mode: &'static str,
}

/// Where its program comes from.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// A binary of the package `benches`.
    Here(&'static str),
}

/// In the order of the tables. The first is ours.
pub(crate) const ALL: &[Library] = &[
    Library {
        name: "zeroxide",
        what: "Zeroxide, calls that block",
        source: Source::Here("cell-zeroxide"),
        mode: "blocking",
    },
    Library {
        name: "zeroxide-tokio",
        what: "Zeroxide, tasks on tokio's runtime of one thread",
        source: Source::Here("cell-zeroxide"),
        mode: "tokio",
    },
    Library { name: "libzmq", what: "libzmq 4.3.5, C", source: Source::Here("cell-libzmq"), mode: "" },
];

impl Library {
    /// Those with these names; all if there are none.
    ///
    /// # Errors
    /// The name that no library has.
    pub(crate) fn chosen(names: &[String]) -> Result<Vec<&'static Library>, String> {
        if let Some(name) = names.iter().find(|name| ALL.iter().all(|library| library.name != name.as_str()))
        {
            return Err(format!("no library is called {name:?}: `--list` shows them"));
        }
        let is_chosen =
            |library: &&Library| names.is_empty() || names.iter().any(|name| name == library.name);
        Ok(ALL.iter().filter(is_chosen).collect())
    }

    /// Its program: the one that is `given` as `LIBRARY=PATH`, or one that is built now.
    ///
    /// # Errors
    /// Why there is none.
    pub(crate) fn program(&self, given: &[String]) -> Result<PathBuf, String> {
        let given = given.iter().filter_map(|given| given.split_once('='));
        if let Some((_, path)) = given.into_iter().find(|(name, _)| *name == self.name) {
            return Ok(path.into());
        }
        eprintln!("building {}", self.name);
        match self.source {
            Source::Here(binary) => {
                let target = target();
                build(["--package", "benches", "--features", "libzmq,curve", "--bin", binary], &target)?;
                Ok(target.join("release").join(binary))
            }
        }
    }
}

/// The folder that cargo builds in.
fn target() -> PathBuf {
    let this = std::env::current_exe().unwrap_or_default();
    this.parent().and_then(Path::parent).map_or_else(|| "target".into(), Path::to_path_buf)
}

fn build<'a>(arguments: impl IntoIterator<Item = &'a str>, target: &Path) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--release", "--quiet", "--locked"])
        .args(arguments)
        .arg("--target-dir")
        .arg(target);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("cargo ended with {status}")),
        Err(error) => Err(format!("cargo: {error}")),
    }
}
