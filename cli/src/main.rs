//! The command `zeroxide`.

use std::process::ExitCode;

fn main() -> ExitCode {
    zeroxide_cli::main().into()
}
