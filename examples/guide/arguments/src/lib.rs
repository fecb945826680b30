//! Arguments of the command line, counted from 1. Each has a default. A wrong one ends the program.

use std::process::exit;
use std::str::FromStr;
use std::time::Duration;

/// Returns argument `n`, a text such as an endpoint.
#[must_use]
pub fn text(n: usize, default: &str) -> String {
    parsed(n).unwrap_or_else(|| default.to_owned())
}

/// Returns argument `n` and all that follow it.
#[must_use]
pub fn texts(n: usize, defaults: &[&str]) -> Vec<String> {
    let given: Vec<String> = std::env::args().skip(n).collect();
    if given.is_empty() { defaults.iter().map(|text| (*text).to_owned()).collect() } else { given }
}

/// Returns argument `n`, whatever can be read from a text.
#[must_use]
pub fn value<T: FromStr>(n: usize, default: T) -> T {
    parsed(n).unwrap_or(default)
}

/// Returns argument `n`, a number.
#[must_use]
pub fn number(n: usize, default: u32) -> u32 {
    value(n, default)
}

/// Returns argument `n`, a time in milliseconds.
#[must_use]
pub fn milliseconds(n: usize, default: u64) -> Duration {
    Duration::from_millis(value(n, default))
}

/// Ends the program if the argument is there and wrong.
fn parsed<T: FromStr>(n: usize) -> Option<T> {
    let text = std::env::args().nth(n)?;
    let value = text.parse().ok();
    if value.is_none() {
        eprintln!("argument {n} is wrong: {text}");
        exit(2);
    }
    value
}
