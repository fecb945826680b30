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
    let program = folder.join("program");
    let compiled = Command::new(&compiler)
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-pthread"])
        .args(flags)
        .arg("-I")
        .arg(here.join("include"))
        .arg(here.join("tests/programs").join(format!("{name}.c")))
        .arg("-o")
        .arg(&program)
        .arg(&library)
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    Some(Command::new(&program).env("LD_LIBRARY_PATH", &folder).current_dir(&folder).output().unwrap())
}

/// A copy of the shared library that cargo has built beside this test, under the name that programs look for.
fn library(folder: &Path) -> PathBuf {
    let built = std::env::current_exe().unwrap().with_file_name("libzmq.so");
    let named = folder.join("libzmq.so.5");
    std::fs::copy(&built, &named).unwrap_or_else(|error| panic!("{}: {error}", built.display()));
    named
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn first() {
    run("first");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn signals() {
    run("signals");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn event_fd() {
    run("event_fd");
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
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn credit() {
    run("credit");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn accepted() {
    run("accepted");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn incomplete() {
    run("incomplete");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn refusals() {
    run("refusals");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn budget() {
    run("budget");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn places() {
    run("places");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn zap_metadata() {
    run("zap_metadata");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn bytes() {
    run("bytes");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn memory() {
    run("memory");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn free_sends() {
    run("free_sends");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn free_waits() {
    run("free_waits");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn fork_child() {
    run("fork_child");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn stale() {
    run("stale");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn capture() {
    run("capture");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn peers() {
    run("peers");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn groups() {
    run("groups");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn refill() {
    run("refill");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn edges() {
    run("edges");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn ended() {
    run("ended");
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn events() {
    run("events");
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
