//! The command `zx`, the short name of `zeroxide`.

use std::process::ExitCode;

fn main() -> ExitCode {
    zeroxide_cli::main().into()
}
