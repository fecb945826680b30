//! Programs in C, compiled with the system's compiler against `zmq.h` and linked to the shared library.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles and runs one program of `tests/programs`.
fn run(name: &str) {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    if Command::new(&compiler).arg("--version").output().is_err() {
        println!("NOT RUN: there is no C compiler ({compiler}) on this machine");
        return;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let library = library(&folder);
    let program = folder.join("program");
    let compiled = Command::new(&compiler)
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-pthread", "-I"])
        .arg(here.join("include"))
        .arg(here.join("tests/programs").join(format!("{name}.c")))
        .arg("-o")
        .arg(&program)
        .arg(&library)
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    let ran = Command::new(&program).env("LD_LIBRARY_PATH", &folder).current_dir(&folder).output().unwrap();
    assert!(ran.status.success(), "{}{}", ran.status, String::from_utf8_lossy(&ran.stderr));
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "well\n");
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
fn free_sends() {
    run("free_sends");
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
