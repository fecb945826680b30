//! Plays sessions of whole contexts on one thread and on virtual time, each from a seed, until one breaks a rule.
//!
//! It is built with `--cfg simulate`; `cargo xtask simulate` does that.
#![forbid(unsafe_code)]

#[cfg(simulate)]
mod actor;
#[cfg(simulate)]
mod bytes;
#[cfg(simulate)]
mod choices;
#[cfg(simulate)]
mod fault;
#[cfg(simulate)]
mod handler;
#[cfg(simulate)]
mod hostile;
#[cfg(simulate)]
mod keys;
#[cfg(simulate)]
mod ledger;
#[cfg(simulate)]
mod memory;
#[cfg(simulate)]
mod motion;
#[cfg(simulate)]
mod panics;
#[cfg(simulate)]
mod run;
#[cfg(simulate)]
mod session;
#[cfg(simulate)]
mod shrink;
#[cfg(simulate)]
mod task;

#[cfg(simulate)]
fn main() -> std::process::ExitCode {
    run::main()
}

#[cfg(not(simulate))]
fn main() -> std::process::ExitCode {
    eprintln!("built without --cfg simulate; `cargo xtask simulate` builds and runs it");
    std::process::ExitCode::FAILURE
}
