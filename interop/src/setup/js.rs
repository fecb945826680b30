//! zeromq.js, from npm, with the libzmq that its package carries, already built.

use std::fs;

use super::bench::Bench;
use super::{Recipe, Tool};

pub(super) const ZEROMQ_JS: Recipe = Recipe {
    name: "zeromq.js",
    adapter: "js",
    versions: "zeromq 6.8.0",
    tools: &[Tool { program: "node", question: "--version" }, Tool { program: "npm", question: "--version" }],
    make,
    command: |bench| ("node".into(), vec![bench.folder.join("peer.js").into()]),
};

fn make(bench: &Bench<'_>) -> Result<(), String> {
    // A module looks for others beside itself, and they are not to be in the repository.
    for file in ["package.json", "package-lock.json", "peer.js", "options.js", "words.js"] {
        let (from, to) = (bench.adapter.join(file), bench.folder.join(file));
        fs::copy(&from, to).map_err(|error| format!("{}: {error}", from.display()))?;
    }
    // What the package runs when it is installed builds libzmq where none is there for the system.
    let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
    bench.run(bench.tool("npm").args(npm).current_dir(&bench.folder))
}
