//! The library itself: built, and what a program must link beside it.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use fs_err as fs;
use xshell::{Shell, cmd};

use crate::run;

/// The profile in Cargo.toml that the C library is built with.
const PROFILE: &str = "c-library";

/// What a C compiler links without being asked.
const ADDED: &[&str] = &["-lgcc_s", "-lgcc_eh", "-lgcc", "-lunwind", "-lc"];

/// A built library.
pub(super) struct Library {
    pub(super) archive: PathBuf,
    /// `None` where it was not wanted, or the platform links everything statically.
    pub(super) shared: Option<PathBuf>,
    /// What a program that links `archive` needs, as flags (`-lpthread`).
    pub(super) private: Vec<String>,
    pub(super) system: &'static System,
    pub(super) pointer_bytes: u32,
}

/// How shared libraries are named and linked.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct System {
    /// What cargo calls it.
    built: &'static str,
    /// The file's name, then those that are links to it: the one that programs are loaded with, the one they are linked
    /// with.
    pub(super) shared_names: &'static [&'static str],
    pub(super) soname: &'static str,
    /// How a library that links the archive is kept loaded, as `libzmq.so` is by capi/build.rs; for a program it changes
    /// nothing.
    resident: &'static [&'static str],
}

static ELF: System = System {
    built: "libzmq.so",
    // libtool's 7:5:2: interface 7, revision 5, two interfaces back (libzmq 4.3.5).
    shared_names: &["libzmq.so.5.2.5", "libzmq.so.5", "libzmq.so"],
    soname: "libzmq.so.5",
    resident: &["-Wl,-z,nodelete"],
};
static APPLE: System = System {
    built: "libzmq.dylib",
    shared_names: &["libzmq.5.dylib", "libzmq.dylib"],
    soname: "@rpath/libzmq.5.dylib",
    resident: &[],
};

impl System {
    /// From what `rustc --print cfg` says.
    fn read(cfg: &str) -> Result<&'static System> {
        let is = |line: &str| cfg.lines().any(|each| each == line);
        if is("windows") {
            bail!("Windows names and places libraries in ways of its own");
        }
        Ok(if is("target_vendor=\"apple\"") { &APPLE } else { &ELF })
    }
}

impl Library {
    pub(super) fn build(
        sh: &Shell,
        target: Option<&str>,
        static_only: bool,
        features: Option<&str>,
    ) -> Result<Library> {
        let asked = std::env::var("CARGO_BUILD_TARGET").ok();
        let target = target.or(asked.as_deref());
        let for_target = target.into_iter().flat_map(|target| ["--target", target]);
        let cfg = run::ask(cmd!(sh, "rustc --print cfg").args(for_target.clone()));
        let cfg = cfg.context("rustc does not know the target")?;
        let system = System::read(&cfg)?;

        let folder = run::target(sh).join(target.unwrap_or_default()).join(PROFILE);
        let libraries = folder.join("libzmq.needs");
        let shared = folder.join(system.built);
        // Left from a build of another kind, it would be taken for this one's.
        let _ = fs::remove_file(&shared);
        let kinds = if static_only { "staticlib" } else { "staticlib,cdylib" };
        let build = cmd!(sh, "cargo rustc -p zeroxide-capi --lib --profile {PROFILE} --crate-type {kinds}");
        let build = build.args(for_target).args(features.into_iter().flat_map(|names| ["--features", names]));
        let needs = format!("native-static-libs={}", libraries.display());
        run::pass(build.args(["--", "--print", &needs]))?;
        let needs = private(&fs::read_to_string(&libraries)?);
        Ok(Library {
            archive: folder.join("libzmq.a"),
            shared: (!static_only && shared.exists()).then_some(shared),
            private: needs.into_iter().chain(system.resident.iter().map(|&flag| flag.to_owned())).collect(),
            system,
            pointer_bytes: if cfg.contains("target_pointer_width=\"32\"") { 4 } else { 8 },
        })
    }
}

/// What is left of rustc's list without what every compiler adds by itself, and without doubles.
///
/// `-lgcc_s` is wrong with `-static`, where the compiler takes gcc_eh for it; `-lunwind` is Rust's own on musl, where
/// compilers have gcc_eh, too.
fn private(needs: &str) -> Vec<String> {
    let mut flags: Vec<String> = Vec::new();
    for flag in needs.split_whitespace().filter(|flag| !ADDED.contains(flag)) {
        // `-framework` is followed by a name, each time.
        if !flag.starts_with("-l") || !flags.iter().any(|known| known == flag) {
            flags.push(flag.to_owned());
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_compiler_adds_is_left_to_it() {
        let needs = "-lunwind -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc\n-lpthread\n";
        assert_eq!(private(needs), ["-lutil", "-lrt", "-lpthread", "-lm", "-ldl"]);
    }

    #[test]
    fn names_follow_the_platform() {
        assert_eq!(System::read("unix\ntarget_os=\"linux\"\n").unwrap(), &ELF);
        assert_eq!(System::read("unix\ntarget_vendor=\"apple\"\n").unwrap(), &APPLE);
        assert!(System::read("windows\n").is_err());
    }
}
