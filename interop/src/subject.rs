//! An implementation that takes part, and what is known of it.

use crate::program::Program;

/// An implementation that may take part.
#[derive(Clone, Debug)]
pub struct Subject {
    /// How it is started.
    pub program: Program,
    /// What it said to `hello`.
    pub version: String,
    /// The transports that it speaks with others.
    pub transports: Vec<String>,
}

impl Subject {
    /// Zeroxide itself takes part, too: what fails there is nobody else's fault.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.program.name == "zeroxide"
    }

    /// Whether it is one of the peers of ZMTP 1.0 to 3.0 that were written from the RFCs. They know no PING, which came
    /// with 3.1 (RFC 37), and no mechanism but NULL.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.version.starts_with("raw-zmtp-")
    }
}
