//! Peers that cargo builds, outside the workspace: libzmq, from source, and other implementations in Rust.

use super::bench::Bench;
use super::{Recipe, Tool};

/// libzmq with an adapter in C, which takes a C++ compiler and make; cargo's lock file names the versions.
pub(super) const LIBZMQ: Recipe = Recipe {
    name: "libzmq-c",
    adapter: "c",
    versions: "libzmq 4.3.5, libsodium",
    tools: &[
        CARGO,
        Tool { program: "cc", question: "--version" },
        Tool { program: "c++", question: "--version" },
        Tool { program: "make", question: "--version" },
    ],
    make: build,
    command: |bench| (bench.program("release/libzmq-peer"), Vec::new()),
};

const CARGO: Tool = Tool { program: "cargo", question: "--version" };

/// The oldest Rust that compiles zmq.rs: newer than Zeroxide's own.
const OLDEST: (u32, u32) = (1, 89);

/// zmq.rs, with tokio.
pub(super) const ZMQ_RS: Recipe = Recipe {
    name: "zmq.rs",
    adapter: "zmqrs",
    versions: "zeromq 0.7.0",
    tools: &[CARGO],
    make: |bench| {
        let said = bench.output(&CARGO.path(), &[CARGO.question]).unwrap_or_default();
        if !is_new_enough(&said) {
            let (major, minor) = OLDEST;
            return Err(format!("zmq.rs takes Rust {major}.{minor} or later, and here is {}", said.trim()));
        }
        build(bench)
    },
    command: |bench| (bench.program("release/zmqrs-peer"), Vec::new()),
};

/// Whether cargo's version ("cargo 1.91.0 (...)") is at least the oldest.
fn is_new_enough(said: &str) -> bool {
    let mut numbers = said.split([' ', '.']).skip(1).map(|number| number.parse::<u32>().ok());
    matches!((numbers.next(), numbers.next()), (Some(Some(major)), Some(Some(minor))) if (major, minor) >= OLDEST)
}

fn build(bench: &Bench<'_>) -> Result<(), String> {
    let mut cargo = bench.tool(CARGO.path());
    cargo.args(["build", "--release", "--locked", "--quiet", "--target-dir"]).arg(&bench.folder);
    bench.run(&mut cargo)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_rust_is_not_taken() {
        assert!(is_new_enough("cargo 1.89.0 (c24e10642 2025-06-23)"));
        assert!(is_new_enough("cargo 2.0.0-nightly"));
        assert!(!is_new_enough("cargo 1.88.0"));
        assert!(!is_new_enough(""));
    }
}
