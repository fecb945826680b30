//! `--check`: a package below the target folder, and programs in C that find and use it as a stranger's would.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fs_err as fs;
use xshell::{Cmd, Shell, cmd};

use super::{Options, install};
use crate::elf::Elf;
use crate::report::not_run;
use crate::run;
use crate::targets::{MUSL, has_std};

const SONAME: &str = "libzmq.so.5";
/// More than the program needs.
const LIMIT: Duration = Duration::from_secs(60);

/// Installs and tries every way in turn; the first that fails ends it. What is lacking for one way does not hold up the
/// others.
pub(crate) fn step(sh: &Shell) -> Result<()> {
    ensure!(cfg!(target_os = "linux"), not_run("the check knows Linux's tools only"));
    for tool in ["cc", "pkg-config"] {
        ensure!(run::has(sh, tool), not_run(format!("there is no {tool}")));
    }
    verdict(&Check { sh, folder: run::target(sh).join("installed") }.all()?)
}

/// A way that could not be tried has not passed.
fn verdict(lacking: &[String]) -> Result<()> {
    ensure!(lacking.is_empty(), not_run(format!("all but {}", lacking.join("; "))));
    Ok(())
}

struct Check<'a> {
    sh: &'a Shell,
    folder: PathBuf,
}

impl Check<'_> {
    /// Returns what could not be tried.
    fn all(&self) -> Result<Vec<String>> {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)?;
        }
        let prefix = self.package("native", None, false)?;
        self.names(&prefix)?;
        self.by_pkg_config(&prefix)?;
        let cmake = self.by_cmake(&prefix)?;
        self.by_pkg_config_static(&prefix)?;
        Ok([cmake, self.musl()?].into_iter().flatten().collect())
    }

    fn package(&self, name: &str, target: Option<&str>, static_only: bool) -> Result<PathBuf> {
        let prefix = self.folder.join(name);
        install(self.sh, &Options::below(prefix.clone(), target, static_only))?;
        Ok(prefix)
    }

    /// The library is found by its soname, and exports what the header declares and nothing else.
    fn names(&self, prefix: &Path) -> Result<()> {
        let library = prefix.join("lib/libzmq.so.5.2.5");
        let elf = Elf::read(&library)?;
        ensure!(elf.soname.as_deref() == Some(SONAME), "the soname is not {SONAME}");
        stays_loaded(&elf, &library)?;
        println!("needs {}", elf.needed.join(", "));
        let header = fs::read_to_string(prefix.join("include/zmq.h"))?;
        let (mut declared, exported) = (declared(&header), elf.exported);
        declared.sort();
        // One that is declared for each platform.
        declared.dedup();
        let only = |these: &[String], those: &[String]| -> Vec<String> {
            these.iter().filter(|name| !those.contains(name)).cloned().collect()
        };
        ensure!(
            declared == exported,
            "declared only: {:?}; exported only: {:?}",
            only(&declared, &exported),
            only(&exported, &declared)
        );
        println!("soname {SONAME}; {} functions, those of zmq.h", exported.len());
        Ok(())
    }

    fn by_pkg_config(&self, prefix: &Path) -> Result<()> {
        let program = prefix.join("check-pkg-config");
        let flags = self.flags(prefix, &["--cflags", "--libs"])?;
        run::pass(self.compiler("cc", &program).args(flags))?;
        let needs = Elf::read(&program)?.needed;
        ensure!(needs.iter().any(|name| name == SONAME), "the program does not ask for {SONAME}");
        self.ran(&program, Some(&prefix.join("lib")))
    }

    /// Takes the shared library away first, as linkers prefer it. A plugin with the archive in it must stay loaded, too.
    fn by_pkg_config_static(&self, prefix: &Path) -> Result<()> {
        fs::remove_file(prefix.join("lib/libzmq.so"))?;
        let program = prefix.join("check-pkg-config-static");
        let flags = self.flags(prefix, &["--static", "--cflags", "--libs"])?;
        run::pass(self.compiler("cc", &program).args(&flags))?;
        self.ran(&program, None)?;
        let plugin = prefix.join("check-plugin.so");
        run::pass(self.compiler("cc", &plugin).args(["-shared", "-fPIC"]).args(&flags))?;
        stays_loaded(&Elf::read(&plugin)?, &plugin)
    }

    fn by_cmake(&self, prefix: &Path) -> Result<Option<String>> {
        let sh = self.sh;
        if !run::has(sh, "cmake") {
            return Ok(Some("find_package(ZeroMQ): there is no cmake".to_owned()));
        }
        let build = prefix.join("check-cmake");
        let place = format!("-DCMAKE_PREFIX_PATH={}", prefix.display());
        run::pass(cmd!(sh, "cmake -S capi/package -B {build} {place}"))?;
        run::pass(cmd!(sh, "cmake --build {build}"))?;
        self.ran(&build.join("check-shared"), Some(&prefix.join("lib")))?;
        self.ran(&build.join("check-static"), None)?;
        Ok(None)
    }

    /// A program without any shared library: by musl's own compiler, or else by what Rust brings along of musl.
    fn musl(&self) -> Result<Option<String>> {
        let sh = self.sh;
        if !has_std(sh, MUSL) {
            return Ok(Some(format!("the static program: Rust's {MUSL} cannot be added here")));
        }
        let rust = run::ask(cmd!(sh, "rustc --print target-libdir --target {MUSL}"));
        let parts = PathBuf::from(rust.context("rustc does not tell its folder")?).join("self-contained");
        let prefix = self.package("musl", Some(MUSL), true)?;
        ensure!(!prefix.join("lib/libzmq.so").exists(), "--static-only made a shared library");
        let program = prefix.join("check-musl");
        let flags = self.flags(&prefix, &["--static", "--cflags", "--libs"])?;
        if run::has(sh, "musl-gcc") {
            run::pass(self.compiler("musl-gcc", &program).arg("-static").args(flags))?;
        } else {
            // The program uses nothing that differs between the headers of the two C libraries.
            let compiler = cmd!(sh, "cc -static -no-pie -nostdlib -U_FORTIFY_SOURCE -o {program}");
            let compiler = compiler.args(["crt1.o", "crti.o", "crtbegin.o"].map(|name| parts.join(name)));
            let compiler = compiler.arg("capi/package/check.c").args(flags).arg(parts.join("libunwind.a"));
            let compiler = compiler.arg(parts.join("libc.a")).arg("-lgcc").arg(parts.join("libc.a"));
            run::pass(compiler.args(["crtend.o", "crtn.o"].map(|name| parts.join(name))))?;
        }
        let elf = Elf::read(&program)?;
        ensure!(!elf.wants_loader, "the program of musl asks for a dynamic loader (PT_INTERP)");
        self.ran(&program, None)?;
        Ok(None)
    }

    fn compiler(&self, name: &str, program: &Path) -> Cmd<'_> {
        let sh = self.sh;
        cmd!(sh, "{name} -std=c11 -Wall -Wextra -Werror capi/package/check.c -o {program}")
    }

    fn flags(&self, prefix: &Path, ask: &[&str]) -> Result<Vec<String>> {
        let sh = self.sh;
        let ask = cmd!(sh, "pkg-config {ask...} libzmq");
        let flags = run::ask(ask.env("PKG_CONFIG_LIBDIR", prefix.join("lib/pkgconfig")));
        let flags = flags.context("pkg-config does not find libzmq")?;
        Ok(flags.split_whitespace().map(str::to_owned).collect())
    }

    fn ran(&self, program: &Path, libraries: Option<&Path>) -> Result<()> {
        let sh = self.sh;
        let command = cmd!(sh, "{program}").env_remove("LD_LIBRARY_PATH");
        let command = match libraries {
            Some(folder) => command.env("LD_LIBRARY_PATH", folder),
            None => command,
        };
        run::within(command, LIMIT).with_context(|| program.display().to_string())
    }
}

/// dlclose does not unload it (capi/build.rs).
fn stays_loaded(elf: &Elf, library: &Path) -> Result<()> {
    ensure!(elf.stays_loaded, "{}: dlclose would unload it", library.display());
    Ok(())
}

/// The functions that a header declares: the word before ` (` of each `ZMQ_EXPORT`.
fn declared(header: &str) -> Vec<String> {
    let lines = header.lines().filter_map(|line| line.strip_prefix("ZMQ_EXPORT "));
    let names = lines.filter_map(|line| line.split(" (").next()?.rsplit([' ', '*']).next());
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::NotRun;

    #[test]
    fn functions_are_read_from_a_header() {
        let header =
            "ZMQ_EXPORT int zmq_errno (void);\nZMQ_EXPORT void *zmq_ctx_new (void);\nint other (void);\n";
        assert_eq!(declared(header), ["zmq_errno", "zmq_ctx_new"]);
    }

    #[test]
    fn a_way_that_was_not_tried_has_not_passed() {
        verdict(&[]).unwrap();
        let lacking = verdict(&["cmake".to_owned(), "musl".to_owned()]).unwrap_err();
        assert!(lacking.is::<NotRun>() && lacking.to_string() == "all but cmake; musl");
    }
}
