//! A program that plays a part, and how it is started; `setup` knows the foreign ones.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A program that speaks the line protocol.
#[derive(Clone, Debug)]
pub struct Program {
    /// What reports call it.
    pub name: &'static str,
    /// What is started.
    pub command: PathBuf,
    /// With which arguments.
    pub arguments: Vec<OsString>,
}

impl Program {
    /// What reports call Zeroxide itself.
    pub const OURS: &'static str = "zeroxide";

    /// Zeroxide's own peer; tests know where it is from `CARGO_BIN_EXE_zeroxide-peer`.
    #[must_use]
    pub fn zeroxide(executable: impl AsRef<Path>) -> Program {
        Program { name: Program::OURS, command: executable.as_ref().to_owned(), arguments: Vec::new() }
    }
}
