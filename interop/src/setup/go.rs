//! go-zeromq/zmq4, which is written in Go throughout, from the module proxy; `go.sum` names what it must be.

use super::Recipe;
use super::bench::Bench;

pub(super) const GO_ZEROMQ: Recipe = Recipe {
    name: "go-zeromq",
    adapter: "go",
    versions: "zmq4 0.17.0",
    make,
    command: |bench| (bench.program("peer"), Vec::new()),
};

fn make(bench: &Bench<'_>) -> Result<(), String> {
    if !bench.has("go", &["version"]) {
        return Err("no go on the path".to_owned());
    }
    bench.run(bench.tool("go").args(["build", "-trimpath", "-mod=readonly", "-o"]).arg(bench.program("peer")))
}
