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
    /// Whether it is used by tasks on tokio.
    pub(crate) is_on_tokio: bool,
}

/// Where its program comes from.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// A binary of the package `benches`.
    Here(&'static str),
    /// The package in this folder of `benches/peers`, with these features.
    Peer(&'static str, &'static str),
}

const fn library(name: &'static str, what: &'static str, source: Source, mode: &'static str) -> Library {
    Library { name, what, source, mode, is_on_tokio: false }
}

const fn on_tokio(library: Library) -> Library {
    Library { is_on_tokio: true, ..library }
}

/// In the order of the tables. The first is ours.
pub(crate) const ALL: &[Library] = &[
    library("zeroxide", "Zeroxide, calls that block", Source::Here("cell-zeroxide"), "blocking"),
    on_tokio(library(
        "zeroxide-tokio",
        "Zeroxide, tasks on tokio's runtime of one thread",
        Source::Here("cell-zeroxide"),
        "tokio",
    )),
    library("libzmq", "libzmq 4.3.5, C++", Source::Here("cell-libzmq"), ""),
    library("omq-blocking", "omq-tokio 0.33.0, calls that block", Source::Peer("omq-tokio", ""), "blocking"),
    on_tokio(library(
        "omq-tokio",
        "omq-tokio 0.33.0, tasks on tokio's runtime of one thread",
        Source::Peer("omq-tokio", ""),
        "tokio",
    )),
    library(
        "monocoque",
        "monocoque-rs 0.4.2 on io_uring, one thread",
        Source::Peer("monocoque", "compio"),
        "",
    ),
    on_tokio(library(
        "monocoque-tokio",
        "monocoque-rs 0.4.2 on tokio, one thread",
        Source::Peer("monocoque", "tokio"),
        "",
    )),
    on_tokio(library(
        "rzmq",
        "rzmq 0.5.28 on tokio's runtime with threads",
        Source::Peer("rzmq", ""),
        "epoll",
    )),
    on_tokio(library(
        "rzmq-uring",
        "rzmq 0.5.28 with its io_uring sessions",
        Source::Peer("rzmq", ""),
        "io_uring",
    )),
    on_tokio(library(
        "zeromq",
        "zeromq 0.7.0 on tokio's runtime with threads",
        Source::Peer("zeromq", ""),
        "",
    )),
];

impl Library {
    /// The one with this name.
    pub(crate) fn named(name: &str) -> Option<&'static Library> {
        ALL.iter().find(|library| library.name == name)
    }

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
            Source::Peer(package, features) => {
                // A folder for each choice of features.
                let folder =
                    if features.is_empty() { package.to_owned() } else { format!("{package}-{features}") };
                let target = target().join("peers").join(folder);
                let manifest = format!("{}/peers/{package}/Cargo.toml", env!("CARGO_MANIFEST_DIR"));
                let mut arguments = vec!["--manifest-path", &manifest];
                if !features.is_empty() {
                    arguments.extend(["--no-default-features", "--features", features]);
                }
                build(arguments, &target)?;
                Ok(target.join("release").join(format!("peer-{package}")))
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
