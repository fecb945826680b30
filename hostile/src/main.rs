//! The programs of the library, one subcommand each.
#![forbid(unsafe_code)]

#[cfg(target_os = "linux")]
mod arguments;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    arguments::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("SKIPPED all: these programs measure processes as Linux shows them");
}
