//! The command `zeroxide`, also called `zx`: ZeroMQ on the command line.
//!
//! # How it is built
//!
//! A command is one file, or one for a family of commands that differ by the socket type alone: arguments as a `clap` struct, and
//! `run`, which returns an `Outcome`. What several commands share is a file of its own and knows no command:
//!
//! | file | holds |
//! |---|---|
//! | `arguments` | the command line: every command with its examples |
//! | [`exit`](Exit) | the exit codes, and why a command ends |
//! | `sockets` | `pub sub push pull req rep router dealer pair …` |
//! | `bench` | round trips and throughput, with charts |
//! | `doctor` | why an endpoint does not work |
//! | `proxy`, `status`, `top` | a broker between two sockets, what it says of itself, and its live screen |
//! | `recording` | the file of `record`, `replay` and `proxy --capture`, with its format |
//! | `monitor`, `keygen`, `generate` | events; keys; completions and the man page |
//! | `attach`, `security`, `keys` | a socket with its endpoints, options and keys; how it closes |
//! | `format` | messages as lines, JSON, hex, or with lengths; without a socket |
//! | `source` | the messages to send, and their rate |
//! | `stop`, `stdout` | signals, and an output that nobody reads |
//! | `notices`, `words`, `totals` | what is printed on standard error |
//!
//! # Rules
//!
//! - Standard output has messages and results only; everything else is on standard error and begins with `zx:`.
//! - Only the public interface of `zeroxide` is used.
//! - Nothing waits where a signal cannot end it: waits are those of sockets, which end with their context, and those of `stop`.
//! - What was given is sent before the command ends, however long that takes, unless `--timeout`, an option or a signal says
//!   otherwise; what was not sent is an error.

#![forbid(unsafe_code)]

mod arguments;
mod attach;
mod bench;
mod doctor;
mod exit;
mod files;
mod format;
mod generate;
mod keygen;
mod keys;
mod monitor;
mod notices;
mod proxy;
mod recording;
mod security;
mod sockets;
mod source;
mod status;
#[cfg(unix)]
mod stdout;
mod stop;
mod time;
mod top;
mod totals;
mod words;

use clap::Parser;

use arguments::Cli;
pub use exit::Exit;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are on standard output and end well.
            let exit = if error.use_stderr() { Exit::Failed } else { Exit::Well };
            let _ = error.print(); // nobody reads it
            return exit;
        }
    };
    match cli.run() {
        Ok(()) => Exit::Well,
        Err(end) => {
            if let Some(text) = end.text() {
                eprintln!("zx: {text}");
            }
            end.exit()
        }
    }
}
