//! Peers that cargo builds, outside the workspace: libzmq, from source, and other implementations in Rust.

use super::Recipe;
use super::bench::Bench;

/// libzmq with an adapter in C, which takes a C++ compiler and make; cargo's lock file names the versions.
pub(super) const LIBZMQ: Recipe = Recipe {
    name: "libzmq-c",
    adapter: "c",
    versions: "libzmq 4.3.5, libsodium",
    make: |bench| {
        for (program, what) in [("cc", "C compiler (cc)"), ("c++", "C++ compiler (c++)"), ("make", "make")] {
            if !bench.has(program, &["--version"]) {
                return Err(format!("no {what} on the path"));
            }
        }
        build(bench)
    },
    command: |bench| (bench.program("release/libzmq-peer"), Vec::new()),
};

/// zmq.rs, with tokio.
pub(super) const ZMQ_RS: Recipe = Recipe {
    name: "zmq.rs",
    adapter: "zmqrs",
    versions: "zeromq 0.7.0",
    make: build,
    command: |bench| (bench.program("release/zmqrs-peer"), Vec::new()),
};

fn build(bench: &Bench<'_>) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut cargo = bench.tool(cargo);
    cargo.args(["build", "--release", "--locked", "--quiet", "--target-dir"]).arg(&bench.folder);
    bench.run(&mut cargo)
}
