//! `--check`: a package below the target folder, and programs in C that find and use it as a stranger's would.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Options, install};
use crate::elf::Elf;
use crate::report::Outcome;
use crate::run;
use crate::targets::{MUSL, has_std};

const SONAME: &str = "libzmq.so.5";
/// More than the program needs.
const LIMIT: Duration = Duration::from_secs(60);

/// Installs and tries every way in turn; the first that fails ends it. What is lacking for one way does not hold up the
/// others.
pub(crate) fn step(root: &Path) -> Outcome {
    if !cfg!(target_os = "linux") {
        return Outcome::NotRun("the check knows Linux's tools only".to_owned());
    }
    for tool in ["cc", "pkg-config"] {
        if run::output(&mut run::command(tool, root, &["--version"])).is_none() {
            return Outcome::NotRun(format!("there is no {tool}"));
        }
    }
    let check = Check { root, folder: run::target(root).join("installed") };
    verdict(check.all())
}

/// A way that could not be tried has not passed.
fn verdict(tried: Result<Vec<String>, String>) -> Outcome {
    match tried {
        Ok(lacking) if lacking.is_empty() => Outcome::Passed,
        Ok(lacking) => Outcome::NotRun(format!("all but {}", lacking.join("; "))),
        Err(why) => Outcome::Failed(why),
    }
}

struct Check<'a> {
    root: &'a Path,
    folder: PathBuf,
}

impl Check<'_> {
    /// Answers what could not be tried.
    fn all(&self) -> Result<Vec<String>, String> {
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.to_string()),
            _ => {}
        }
        let prefix = self.package("native", None, false)?;
        self.names(&prefix)?;
        self.by_pkg_config(&prefix)?;
        let cmake = self.by_cmake(&prefix)?;
        self.by_pkg_config_static(&prefix)?;
        Ok([cmake, self.musl()?].into_iter().flatten().collect())
    }

    fn package(&self, name: &str, target: Option<&str>, static_only: bool) -> Result<PathBuf, String> {
        let prefix = self.folder.join(name);
        install(self.root, &Options::below(prefix.clone(), target, static_only))?;
        Ok(prefix)
    }

    /// The library is found by its soname, and exports what the header declares and nothing else.
    fn names(&self, prefix: &Path) -> Result<(), String> {
        let library = prefix.join("lib/libzmq.so.5.2.5");
        let elf = Elf::read(&library)?;
        if elf.soname.as_deref() != Some(SONAME) {
            return Err(format!("the soname is not {SONAME}"));
        }
        stays_loaded(&elf, &library)?;
        println!("needs {}", elf.needed.join(", "));
        let header = fs::read_to_string(prefix.join("include/zmq.h")).map_err(|error| error.to_string())?;
        let (mut declared, exported) = (declared(&header), elf.exported);
        declared.sort();
        // One that is declared for each platform.
        declared.dedup();
        if declared != exported {
            let only = |these: &[String], those: &[String]| -> Vec<String> {
                these.iter().filter(|name| !those.contains(name)).cloned().collect()
            };
            return Err(format!(
                "declared only: {:?}; exported only: {:?}",
                only(&declared, &exported),
                only(&exported, &declared)
            ));
        }
        println!("soname {SONAME}; {} functions, those of zmq.h", exported.len());
        Ok(())
    }

    fn by_pkg_config(&self, prefix: &Path) -> Result<(), String> {
        let program = prefix.join("check-pkg-config");
        let mut compiler = self.compiler("cc", &program);
        compiler.args(self.flags(prefix, &["--cflags", "--libs"])?);
        run::done(&mut compiler)?;
        if !Elf::read(&program)?.needed.iter().any(|name| name == SONAME) {
            return Err(format!("the program does not ask for {SONAME}"));
        }
        self.ran(&program, Some(&prefix.join("lib")))
    }

    /// Takes the shared library away first, as linkers prefer it. A plugin with the archive in it must stay loaded, too.
    fn by_pkg_config_static(&self, prefix: &Path) -> Result<(), String> {
        fs::remove_file(prefix.join("lib/libzmq.so")).map_err(|error| error.to_string())?;
        let program = prefix.join("check-pkg-config-static");
        let mut compiler = self.compiler("cc", &program);
        let flags = self.flags(prefix, &["--static", "--cflags", "--libs"])?;
        run::done(compiler.args(&flags))?;
        self.ran(&program, None)?;
        let plugin = prefix.join("check-plugin.so");
        run::done(self.compiler("cc", &plugin).args(["-shared", "-fPIC"]).args(&flags))?;
        stays_loaded(&Elf::read(&plugin)?, &plugin)
    }

    fn by_cmake(&self, prefix: &Path) -> Result<Option<String>, String> {
        if run::output(&mut run::command("cmake", self.root, &["--version"])).is_none() {
            return Ok(Some("find_package(ZeroMQ): there is no cmake".to_owned()));
        }
        let build = prefix.join("check-cmake");
        let mut configure = run::command("cmake", self.root, &["-S", "capi/package", "-B"]);
        configure.arg(&build).arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()));
        run::done(&mut configure)?;
        run::done(run::command("cmake", self.root, &["--build"]).arg(&build))?;
        self.ran(&build.join("check-shared"), Some(&prefix.join("lib")))?;
        self.ran(&build.join("check-static"), None)?;
        Ok(None)
    }

    /// A program without any shared library: by musl's own compiler, or else by what Rust brings along of musl.
    fn musl(&self) -> Result<Option<String>, String> {
        if !has_std(self.root, MUSL) {
            return Ok(Some(format!("the static program: Rust's {MUSL} cannot be added here")));
        }
        let ask = ["--print", "target-libdir", "--target", MUSL];
        let rust = run::output(&mut run::command("rustc", self.root, &ask))
            .ok_or("rustc does not tell its folder")?;
        let rust = PathBuf::from(rust);
        let prefix = self.package("musl", Some(MUSL), true)?;
        if prefix.join("lib/libzmq.so").exists() {
            return Err("--static-only made a shared library".to_owned());
        }
        let program = prefix.join("check-musl");
        let own = run::output(&mut run::command("musl-gcc", self.root, &["--version"])).is_some();
        let flags = self.flags(&prefix, &["--static", "--cflags", "--libs"])?;
        if own {
            run::done(self.compiler("musl-gcc", &program).arg("-static").args(flags))?;
        } else {
            // The program uses nothing that differs between the headers of the two C libraries.
            let (start, end) = (["crt1.o", "crti.o", "crtbegin.o"], ["crtend.o", "crtn.o"]);
            let part = |name: &&str| rust.join("self-contained").join(name);
            let mut compiler =
                run::command("cc", self.root, &["-static", "-no-pie", "-nostdlib", "-U_FORTIFY_SOURCE"]);
            compiler.args(start.iter().map(part)).arg("capi/package/check.c").args(flags);
            compiler.arg(part(&"libunwind.a")).arg(part(&"libc.a")).arg("-lgcc").arg(part(&"libc.a"));
            run::done(compiler.args(end.iter().map(part)).arg("-o").arg(&program))?;
        }
        if Elf::read(&program)?.wants_loader {
            return Err("the program of musl asks for a dynamic loader (PT_INTERP)".to_owned());
        }
        self.ran(&program, None)?;
        Ok(None)
    }

    fn compiler(&self, name: &str, program: &Path) -> Command {
        let mut compiler = run::command(name, self.root, &["-std=c11", "-Wall", "-Wextra", "-Werror"]);
        compiler.arg("capi/package/check.c").arg("-o").arg(program);
        compiler
    }

    fn flags(&self, prefix: &Path, ask: &[&str]) -> Result<Vec<String>, String> {
        let mut command = run::command("pkg-config", self.root, ask);
        command.arg("libzmq").env("PKG_CONFIG_LIBDIR", prefix.join("lib/pkgconfig"));
        let flags = run::output(&mut command).ok_or("pkg-config does not find libzmq")?;
        Ok(flags.split_whitespace().map(str::to_owned).collect())
    }

    fn ran(&self, program: &Path, libraries: Option<&Path>) -> Result<(), String> {
        let mut command = run::command(program, self.root, &[]);
        command.env_remove("LD_LIBRARY_PATH");
        if let Some(folder) = libraries {
            command.env("LD_LIBRARY_PATH", folder);
        }
        match run::within(&mut command, LIMIT) {
            Outcome::Passed => Ok(()),
            outcome => Err(format!("{}: {outcome:?}", program.display())),
        }
    }
}

/// dlclose does not unload it (capi/build.rs).
fn stays_loaded(elf: &Elf, library: &Path) -> Result<(), String> {
    if elf.stays_loaded { Ok(()) } else { Err(format!("{}: dlclose would unload it", library.display())) }
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

    #[test]
    fn functions_are_read_from_a_header() {
        let header =
            "ZMQ_EXPORT int zmq_errno (void);\nZMQ_EXPORT void *zmq_ctx_new (void);\nint other (void);\n";
        assert_eq!(declared(header), ["zmq_errno", "zmq_ctx_new"]);
    }

    #[test]
    fn a_way_that_was_not_tried_has_not_passed() {
        assert_eq!(verdict(Ok(Vec::new())), Outcome::Passed);
        let lacking = verdict(Ok(vec!["cmake".to_owned(), "musl".to_owned()]));
        assert_eq!(lacking, Outcome::NotRun("all but cmake; musl".to_owned()));
        assert!(matches!(verdict(Err("why".to_owned())), Outcome::Failed(_)));
    }
}
