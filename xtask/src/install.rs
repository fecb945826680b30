//! `install`: libzmq.so, libzmq.a, the headers, and what pkg-config and CMake look for, below a prefix.
//!
//! | module | holds |
//! |---|---|
//! | `library` | building the library, and what it asks of a program that links it |
//! | `check` | `--check`: programs in C, built on what was installed |
//!
//! Names and versions are those of libzmq 4.3.5, so that what looks for it finds this. docs/PACKAGING.md is the guide.

mod check;
mod library;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use fs_err as fs;
use xshell::Shell;

use library::Library;

pub(crate) use check::step;

/// What the headers, `zmq_version` and the packages' files say.
const VERSION: &str = "4.3.5";

/// Options of `install`.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Where the files will be used: libraries in PREFIX/lib, headers in PREFIX/include.
    #[arg(long, required_unless_present = "check")]
    prefix: Option<PathBuf>,
    /// Where the files are put meanwhile: DESTDIR/PREFIX/lib. No file names it.
    #[arg(long)]
    destdir: Option<PathBuf>,
    /// The libraries' folder, within the prefix.
    #[arg(long, default_value = "lib")]
    libdir: PathBuf,
    /// The platform to build for, as rustc names it; a linker for it must be set up.
    #[arg(long)]
    target: Option<String>,
    /// Only libzmq.a. So it is where the platform has no shared libraries (Rust's own musl targets).
    #[arg(long)]
    static_only: bool,
    /// Features of zeroxide-capi, separated by commas: `curve-simd` (needs Rust 1.89). PLAIN and CURVE are always in.
    #[arg(long)]
    features: Option<String>,
    /// Instead: installs below the target folder, and builds and runs C programs on that in each way there is.
    #[arg(long, conflicts_with_all = ["prefix", "destdir", "target", "static_only"])]
    pub(crate) check: bool,
}

impl Options {
    /// The library below `prefix`, for the platform `target`.
    fn below(prefix: PathBuf, target: Option<&str>, static_only: bool) -> Options {
        Options {
            prefix: Some(prefix),
            destdir: None,
            libdir: "lib".into(),
            target: target.map(str::to_owned),
            static_only,
            features: None,
            check: false,
        }
    }
}

/// Installs, and prints the names of the files.
pub(crate) fn run(sh: &Shell, options: &Options) -> Result<()> {
    install(sh, options)?.iter().for_each(|file| println!("{}", file.display()));
    Ok(())
}

/// The library of this machine's platform below `prefix`, for those who measure or test it.
pub(crate) fn into(sh: &Shell, prefix: &Path) -> Result<()> {
    install(sh, &Options::below(prefix.to_owned(), None, false)).map(drop)
}

/// Builds and puts everything in place; returns what was made.
fn install(sh: &Shell, options: &Options) -> Result<Vec<PathBuf>> {
    let prefix = options.prefix.as_deref().context("there is no --prefix")?;
    let libdir = &options.libdir;
    ensure!(prefix.is_absolute(), "--prefix {}: libzmq.pc needs an absolute path", prefix.display());
    ensure!(libdir.is_relative(), "--libdir {}: it is relative to the prefix", libdir.display());
    let library =
        Library::build(sh, options.target.as_deref(), options.static_only, options.features.as_deref())?;
    let root = &sh.current_dir();
    let staged = match &options.destdir {
        // `join` would start anew at an absolute path.
        Some(folder) => root.join(folder).join(prefix.strip_prefix("/").unwrap_or(prefix)),
        None => prefix.to_owned(),
    };
    Package { root, prefix, libdir, library, staged, made: Vec::new() }.put()
}

/// One installation.
struct Package<'a> {
    root: &'a Path,
    prefix: &'a Path,
    libdir: &'a Path,
    library: Library,
    staged: PathBuf,
    made: Vec<PathBuf>,
}

impl Package<'_> {
    fn put(mut self) -> Result<Vec<PathBuf>> {
        let libdir = self.staged.join(self.libdir);
        let archive = fs::read(&self.library.archive)?;
        self.file(libdir.join("libzmq.a"), &archive, 0o644)?;
        if let Some(shared) = self.library.shared.clone() {
            let names = self.library.system.shared_names;
            self.file(libdir.join(names[0]), &fs::read(shared)?, 0o755)?;
            for name in &names[1..] {
                self.link(libdir.join(name), names[0])?;
            }
        }
        for header in ["zmq.h", "zmq_utils.h"] {
            let text = fs::read(self.root.join("capi/include").join(header))?;
            self.file(self.staged.join("include").join(header), &text, 0o644)?;
        }
        let texts = [
            ("pkgconfig/libzmq.pc", "libzmq.pc.in"),
            ("cmake/ZeroMQ/ZeroMQConfig.cmake", "ZeroMQConfig.cmake.in"),
            ("cmake/ZeroMQ/ZeroMQConfigVersion.cmake", "ZeroMQConfigVersion.cmake.in"),
        ];
        for (place, template) in texts {
            let template = fs::read_to_string(self.root.join("capi/package").join(template))?;
            self.file(libdir.join(place), self.filled(&template).as_bytes(), 0o644)?;
        }
        Ok(self.made)
    }

    /// A template with its names between `@` replaced.
    fn filled(&self, template: &str) -> String {
        // From <libdir>/cmake/ZeroMQ to the prefix.
        let up = vec![".."; self.libdir.components().count() + 2].join("/");
        let shared = self.library.system.shared_names;
        let names: Vec<&str> =
            self.library.private.iter().map(|flag| flag.trim_start_matches("-l")).collect();
        template
            .replace("@PREFIX@", &self.prefix.display().to_string())
            .replace("@LIBDIR@", &self.libdir.display().to_string())
            .replace("@VERSION@", VERSION)
            .replace("@UP@", &up)
            .replace("@SHARED@", shared[0])
            .replace("@SONAME@", self.library.system.soname)
            .replace("@POINTER@", &self.library.pointer_bytes.to_string())
            .replace("@PRIVATE_FLAGS@", &self.library.private.join(" "))
            .replace("@PRIVATE_NAMES@", &names.join(";"))
    }

    fn file(&mut self, path: PathBuf, content: &[u8], mode: u32) -> Result<()> {
        cleared(&path)?;
        fs::write(&path, content)?;
        permit(&path, mode)?;
        self.made.push(path);
        Ok(())
    }

    fn link(&mut self, path: PathBuf, to: &str) -> Result<()> {
        cleared(&path)?;
        symlink(to, &path)?;
        self.made.push(path);
        Ok(())
    }
}

/// Makes the folder and removes an older file: a program that runs on it keeps it.
fn cleared(path: &Path) -> Result<()> {
    fs::create_dir_all(path.parent().context("a file has a folder")?)?;
    if path.symlink_metadata().is_ok() {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(unix)]
fn permit(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn permit(_: &Path, _: u32) -> std::io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn symlink(to: &str, path: &Path) -> std::io::Result<()> {
    fs::os::unix::fs::symlink(to, path)
}

/// Only where a package for another system is made on one without such links.
#[cfg(not(unix))]
fn symlink(to: &str, path: &Path) -> std::io::Result<()> {
    fs::copy(path.with_file_name(to), path).map(drop)
}
