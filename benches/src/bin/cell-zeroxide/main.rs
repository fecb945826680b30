//! Zeroxide in `cargo xtask bench compare`: one socket of one context with default options, by the calls that block (mode
//! `blocking`) or as a task of tokio (mode `tokio`).

mod blocking;
mod socket;
mod tasks;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cell::specs() {
        Ok(specs) if specs[0].mode == "tokio" => cell::program::<tasks::Tasks>(&specs),
        Ok(specs) => cell::program::<blocking::Blocking>(&specs),
        Err(code) => code,
    }
}
