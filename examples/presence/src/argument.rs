//! Arguments of the command line, counted from 1. Each has a default.

use std::process::exit;
use std::str::FromStr;

/// Returns argument `n`, or ends the program if it is wrong.
#[must_use]
pub fn argument<T: FromStr>(n: usize, default: T) -> T {
    let Some(text) = std::env::args().nth(n) else { return default };
    text.parse().unwrap_or_else(|_| {
        eprintln!("argument {n} is wrong: {text}");
        exit(2)
    })
}
