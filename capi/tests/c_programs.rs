//! Programs in C, compiled with the system's compiler against `zmq.h` and linked to the shared library.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

mod common;

/// Compiles and runs one program of `tests/programs`.
fn run(name: &str) {
    run_with(name, &[]);
}

fn run_with(name: &str, flags: &[&str]) {
    let Some(ran) = compile_and_run(name, flags) else { return };
    assert!(ran.status.success(), "{}{}", ran.status, String::from_utf8_lossy(&ran.stderr));
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "well\n");
}

/// What became of a program; `None` where it cannot be compiled here.
fn compile_and_run(name: &str, flags: &[&str]) -> Option<Output> {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    if Command::new(&compiler).arg("--version").output().is_err() {
        common::not_run(&format!("{name}.c; there is no C compiler ({compiler}) on this machine"));
        return None;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let library = library(&folder);
    let (object, program) = (folder.join("program.o"), folder.join("program"));
    let (of_linker, of_compiler): (Vec<&str>, Vec<&str>) =
        flags.iter().partition(|flag| flag.starts_with("-Wl"));
    let sanitizer = Sanitizer::asked_for();
    let mut compile = Command::new(&compiler);
    compile
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-pthread", "-c"])
        .args(of_compiler)
        .args(sanitizer.iter().map(|sanitizer| format!("-fsanitize={}", sanitizer.name)))
        .arg("-I")
        .arg(here.join("include"))
        .arg(here.join("tests/programs").join(format!("{name}.c")))
        .arg("-o")
        .arg(&object);
    let mut link = Command::new(&compiler);
    link.arg("-pthread").arg(&object).arg("-o").arg(&program).args(of_linker);
    if let Some(Sanitizer { runtime, .. }) = sanitizer {
        link.args(["-rdynamic", "-Wl,--whole-archive", &runtime, "-Wl,--no-whole-archive"]);
        link.args(["-ldl", "-lm", "-lrt", "-lresolv"]);
    }
    link.arg(&library);
    for mut step in [compile, link] {
        let made = step.output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    Some(Command::new(&program).env("LD_LIBRARY_PATH", &folder).current_dir(&folder).output().unwrap())
}

/// What the library and the programs are instrumented for, as `cargo xtask sanitize` says it.
struct Sanitizer {
    name: String,
    /// The archive of the runtime that belongs to the library: that of the C compiler may be another version.
    runtime: String,
}

impl Sanitizer {
    fn asked_for() -> Option<Sanitizer> {
        let asked = |name| std::env::var(name).ok();
        Some(Sanitizer { name: asked("ZEROXIDE_SANITIZER")?, runtime: asked("ZEROXIDE_SANITIZER_RUNTIME")? })
    }
}

/// A copy of the shared library that cargo has built beside this test, under the name that programs look for.
fn library(folder: &Path) -> PathBuf {
    let built = std::env::current_exe().unwrap().with_file_name("libzmq.so");
    let named = folder.join("libzmq.so.5");
    std::fs::copy(&built, &named).unwrap_or_else(|error| panic!("{}: {error}", built.display()));
    named
}

/// A test for each program that is compiled without flags.
macro_rules! programs {
    ($($name:ident)+) => {
        $(#[test]
        #[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
        fn $name() {
            run(stringify!($name));
        })+

        const PLAIN: &[&str] = &[$(stringify!($name)),+];
    };
}

programs! {
    first signals event_fd credit accepted incomplete refusals budget places zap_metadata bytes memory free_sends free_waits fork_child stale capture peers groups refill edges ended events
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn unload() {
    run_with("unload", &["-Wl,--as-needed"]);
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn header() {
    run_with("header", &["-DZMQ_BUILD_DRAFT_API", "-D_GNU_SOURCE"]);
    run_with("header", &["-D_GNU_SOURCE"]);
}

#[test]
#[ignore = "wrong on purpose: `cargo xtask sanitize` runs it, and the sanitizer must report it"]
fn faulty() {
    run("faulty");
}

#[test]
#[ignore = "wrong on purpose: `cargo xtask sanitize` runs it, and the address sanitizer must report it"]
fn leaky() {
    run("leaky");
}

#[test]
fn every_program_has_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs");
    let files =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut there: Vec<String> =
        files.filter_map(|file| file.strip_suffix(".c").map(str::to_owned)).collect();
    let mut tested = [PLAIN, &["unload", "header", "faulty", "leaky"]].concat();
    there.sort_unstable();
    tested.sort_unstable();
    assert_eq!(there, tested);
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn a_program_that_hangs_fails_and_says_so() {
    let Some(ran) = compile_and_run("faulty", &["-DHANGS", "-DLIMIT=1"]) else { return };
    let said = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(1), "{said}");
    assert!(said.contains("still running") && said.contains("faulty.c"), "{said}");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn a_test_that_is_not_run_says_so_although_it_passes() {
    let itself = std::env::current_exe().unwrap();
    let ran = Command::new(itself).args(["--exact", "first"]).env("CC", "no-such-compiler").output().unwrap();
    assert!(ran.status.success());
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(said.contains("NOT RUN: first.c"), "{said}");
}
