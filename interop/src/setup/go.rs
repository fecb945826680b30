//! go-zeromq/zmq4, which is written in Go throughout, from the module proxy; `go.sum` names what it must be.

use super::bench::Bench;
use super::{Recipe, Tool};

pub(super) const GO_ZEROMQ: Recipe = Recipe {
    name: "go-zeromq",
    adapter: "go",
    versions: "zmq4 0.17.0",
    tools: &[Tool { program: "go", question: "version" }],
    make,
    command: |bench| (bench.program("peer"), Vec::new()),
};

fn make(bench: &Bench<'_>) -> Result<(), String> {
    bench.run(bench.tool("go").args(["build", "-trimpath", "-mod=readonly", "-o"]).arg(bench.program("peer")))
}
