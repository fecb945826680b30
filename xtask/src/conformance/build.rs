//! From the package with libzmq's sources to executables on our library.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use fs_err as fs;
use xshell::{Shell, cmd};

use crate::report::not_run;
use crate::{registry, run};

/// What `zmq.h`'s tests ask of the platform, in place of what libzmq's configuration finds out (Linux).
const PLATFORM: &str = "\
#define ZMQ_HAVE_LINUX
#define ZMQ_HAVE_IPC
#define ZMQ_HAVE_CURVE
#define ZMQ_HAVE_SO_PEERCRED
#define ZMQ_HAVE_UIO
#define ZMQ_HAVE_EVENTFD
#define ZMQ_HAVE_PPOLL
#define HAVE_FORK
#define HAVE_MKDTEMP
";

/// How the programs are compiled.
const RULES: &str = "xtask/conformance/Makefile";

/// The program that makes a handshake's commands by itself, with headers of libzmq and the system's libsodium.
const HANDMADE: &str = "test_security_curve";

/// What those headers need to be linked with, out of libzmq's sources.
const INTERNAL: &[&str] = &["random", "err", "clock"];

/// The folders of the two headers.
const OURS: &str = "include";
const THEIRS: &str = "libzmq-include";

/// The programs' sources beside our header, as they expect to find it, and what is made of them.
pub(super) struct Tree {
    folder: PathBuf,
    /// Whether the system has libsodium with its headers, for [`HANDMADE`].
    has_sodium: bool,
}

impl Tree {
    /// Builds our library, copies the sources, and compiles what all programs share.
    pub(super) fn make(sh: &Shell) -> Result<Tree> {
        for tool in ["c++", "make"] {
            ensure!(run::has(sh, tool), not_run(format!("there is no {tool}")));
        }
        let sources = registry::libzmq(sh)?;
        let library = library(sh)?;
        let tree = Tree { folder: run::target(sh).join("conformance"), has_sodium: has_sodium(sh) };
        tree.fill(&sh.current_dir(), &sources, &library)?;
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

    /// Our `zmq.h`, which the programs are compiled with.
    pub(super) fn our_headers(&self) -> PathBuf {
        self.folder.join(OURS)
    }

    /// libzmq's `zmq.h`, to compare with.
    pub(super) fn their_headers(&self) -> PathBuf {
        self.folder.join(THEIRS)
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
        let output = cmd!(sh, "make {goal}").quiet().ignore_status().output()?;
        if output.status.success() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&output.stderr);
        bail!("{}", text.lines().find(|line| line.contains("error")).unwrap_or("it does not compile"))
    }

    fn fill(&self, root: &Path, sources: &Path, library: &Path) -> Result<()> {
        let all = |_: &Path| true;
        copy(&sources.join("tests"), &self.folder.join("tests"), all)?;
        copy(&sources.join("external/unity"), &self.folder.join("unity"), all)?;
        copy(&root.join("capi/include"), &self.our_headers(), all)?;
        copy(&sources.join("include"), &self.their_headers(), all)?;
        copy(&sources.join("src"), &self.folder.join("src"), is_internal)?;
        write(&self.folder.join("src/platform.hpp"), PLATFORM)?;
        write(&self.folder.join("src/zmq_draft.h"), "")?;
        write(&self.folder.join("src/stdint.hpp"), "#include <stdint.h>\n")?;
        write(&self.folder.join("Makefile"), fs::read(root.join(RULES))?)?;
        fs::create_dir_all(self.folder.join("bin"))?;
        put_library(library, &self.folder)
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

/// Puts the library where programs are linked with it, and where they find it.
pub(super) fn put_library(library: &Path, folder: &Path) -> Result<()> {
    let library = fs::read(library)?;
    write(&folder.join("libzmq.so"), &library)?;
    write(&folder.join("libzmq.so.5"), &library)
}

/// Copies the files of a folder that are wanted and differ, so that what was compiled from the others stays good.
fn copy(from: &Path, to: &Path, wanted: impl Fn(&Path) -> bool) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() && wanted(&entry.path()) {
            write(&to.join(entry.file_name()), fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// libzmq's headers, but for those that we write, and the sources that they need.
fn is_internal(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match name.rsplit_once('.') {
        Some((name, "hpp")) => !["platform", "stdint"].contains(&name),
        Some((name, "cpp")) => INTERNAL.contains(&name),
        _ => false,
    }
}

/// Writes a file and its folder, unless it has this content already.
pub(super) fn write(path: &Path, content: impl AsRef<[u8]>) -> Result<()> {
    if fs::read(path).is_ok_and(|old| old == content.as_ref()) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().context("a file has a folder")?)?;
    // A program that still runs keeps the old file.
    let _ = fs::remove_file(path);
    Ok(fs::write(path, content)?)
}
