//! From the package with libzmq's sources to executables on our library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::report::Outcome;
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

/// Sources that every program is linked with.
const COMMON: &[&str] = &["testutil", "testutil_monitoring", "testutil_security", "testutil_unity"];

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
    pub(super) fn make(root: &Path) -> Result<Tree, Outcome> {
        if run::output(&mut run::command("c++", root, &["--version"])).is_none() {
            return Err(Outcome::NotRun("there is no C++ compiler (c++)".to_owned()));
        }
        let sources = registry::libzmq(root).map_err(Outcome::NotRun)?;
        let library = library(root)?;
        let tree = Tree { folder: run::target(root).join("conformance"), has_sodium: has_sodium(root) };
        tree.fill(root, &sources, &library)
            .map_err(|error| Outcome::Failed(format!("{}: {error}", tree.folder.display())))?;
        tree.compile_common().map_err(Outcome::Failed)?;
        Ok(tree)
    }

    /// The names of all programs.
    pub(super) fn programs(&self) -> Result<Vec<String>, String> {
        let entries = fs::read_dir(self.folder.join("tests")).map_err(|error| error.to_string())?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let programs = names.filter(|name| name.starts_with("test_"));
        let mut programs: Vec<String> =
            programs.filter_map(|name| name.strip_suffix(".cpp").map(str::to_owned)).collect();
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
    pub(super) fn compile(&self, name: &str) -> Result<PathBuf, String> {
        let executable = self.folder.join("bin").join(name);
        let source = self.folder.join("tests").join(format!("{name}.cpp"));
        let newest = [source.clone(), self.folder.join("include/zmq.h"), self.object("testutil")];
        if newest.iter().all(|input| is_older(input, &executable)) {
            return Ok(executable);
        }
        let mut compiler = self.compiler();
        compiler.arg(source);
        compiler.args(COMMON.iter().chain(&["unity"]).map(|name| self.object(name)));
        if name == HANDMADE {
            compiler.arg("-DZMQ_USE_LIBSODIUM");
            compiler.args(INTERNAL.iter().map(|name| self.folder.join("src").join(format!("{name}.cpp"))));
        }
        compiler.arg("-L").arg(&self.folder).args(["-lzmq", "-pthread", "-o"]).arg(&executable);
        if name == HANDMADE {
            compiler.arg("-lsodium");
        }
        checked(&mut compiler)?;
        Ok(executable)
    }

    fn fill(&self, root: &Path, sources: &Path, library: &Path) -> std::io::Result<()> {
        for folder in ["tests", OURS, THEIRS, "src", "unity", "bin"] {
            fs::create_dir_all(self.folder.join(folder))?;
        }
        copy_all(&sources.join("tests"), &self.folder.join("tests"))?;
        copy_all(&sources.join("external/unity"), &self.folder.join("unity"))?;
        copy_all(&root.join("capi/include"), &self.our_headers())?;
        copy_all(&sources.join("include"), &self.their_headers())?;
        copy_internal(&sources.join("src"), &self.folder.join("src"))?;
        write(&self.folder.join("src/platform.hpp"), PLATFORM.as_bytes())?;
        write(&self.folder.join("src/zmq_draft.h"), b"")?;
        write(&self.folder.join("src/stdint.hpp"), b"#include <stdint.h>\n")?;
        let library = fs::read(library)?;
        write(&self.folder.join("libzmq.so"), &library)?;
        write(&self.folder.join("libzmq.so.5"), &library)
    }

    fn compile_common(&self) -> Result<(), String> {
        let unity = self.folder.join("unity/unity.c");
        for name in COMMON {
            let source = self.folder.join("tests").join(format!("{name}.cpp"));
            self.compile_object(&source, name)?;
        }
        self.compile_object(&unity, "unity")
    }

    fn compile_object(&self, source: &Path, name: &str) -> Result<(), String> {
        let object = self.object(name);
        if is_older(source, &object) && is_older(&self.folder.join("include/zmq.h"), &object) {
            return Ok(());
        }
        checked(
            self.compiler()
                .args(["-x", if name == "unity" { "c" } else { "c++" }, "-c"])
                .arg(source)
                .arg("-o")
                .arg(&object),
        )
    }

    fn object(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(format!("{name}.o"))
    }

    fn compiler(&self) -> Command {
        let mut command = run::command("c++", &self.folder, &["-O0", "-w", "-D_GNU_SOURCE"]);
        command.args(["-DZMQ_BUILD_DRAFT_API", "-DUNITY_USE_COMMAND_LINE_ARGS", "-DUNITY_EXCLUDE_FLOAT"]);
        command.args(["-Isrc", "-Iinclude", "-Iunity"]);
        command
    }
}

fn has_sodium(root: &Path) -> bool {
    let mut ask = run::command("c++", root, &["-E", "-include", "sodium.h", "-x", "c++", "/dev/null"]);
    run::output(&mut ask).is_some()
}

/// Builds our library, optimised and with the checks of a debug build, and returns where it is.
pub(super) fn library(root: &Path) -> Result<PathBuf, Outcome> {
    match run::pass(&mut run::cargo(root, &["build", "-p", "zeroxide-capi", "--profile", "checked"])) {
        Outcome::Passed => Ok(run::target(root).join("checked/libzmq.so")),
        _ => Err(Outcome::Failed("the library does not build".to_owned())),
    }
}

/// Copies the files of a folder that differ, so that what was compiled from the others stays good.
fn copy_all(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            write(&to.join(entry.file_name()), &fs::read(entry.path())?)?;
        }
    }
    Ok(())
}

/// Copies libzmq's headers, but for those that we write, and the sources that they need.
fn copy_internal(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let (name, kind) = (path.file_stem().and_then(|name| name.to_str()), path.extension());
        let wanted = match (name, kind.and_then(|kind| kind.to_str())) {
            (Some("platform" | "stdint"), _) => false,
            (Some(_), Some("hpp")) => true,
            (Some(name), Some("cpp")) => INTERNAL.contains(&name),
            _ => false,
        };
        if let (true, Some(file)) = (wanted, path.file_name()) {
            write(&to.join(file), &fs::read(&path)?)?;
        }
    }
    Ok(())
}

/// Writes a file, unless it has this content already.
pub(super) fn write(path: &Path, content: &[u8]) -> std::io::Result<()> {
    if fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    // A program that still runs keeps the old file.
    let _ = fs::remove_file(path);
    fs::write(path, content)
}

fn is_older(input: &Path, output: &Path) -> bool {
    let time = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    matches!((time(input), time(output)), (Some(input), Some(output)) if input <= output)
}

fn checked(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("cannot start the compiler: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let first = text.lines().find(|line| line.contains("error")).unwrap_or("it does not compile");
    Err(first.to_owned())
}
