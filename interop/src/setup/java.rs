//! JeroMQ, from Maven Central: one adapter, compiled with and run on each version.

use std::ffi::OsString;
use std::path::PathBuf;

use super::bench::Bench;
use super::{Recipe, Tool};

pub(super) const JEROMQ_0_5_2: Recipe =
    Recipe { name: "jeromq-0.5.2", adapter: "java", versions: "0.5.2", tools: TOOLS, make, command };
pub(super) const JEROMQ_0_6_0: Recipe =
    Recipe { name: "jeromq-0.6.0", adapter: "java", versions: "0.6.0", tools: TOOLS, make, command };

const TOOLS: &[Tool] = &[
    Tool { program: "javac", question: "-version" },
    Tool { program: "java", question: "-version" },
    Tool { program: "mvn", question: "--version" },
];

fn make(bench: &Bench<'_>) -> Result<(), String> {
    let mut maven = bench.tool("mvn");
    maven.args(["-B", "-q", "compile", "dependency:copy-dependencies", "-DincludeScope=runtime"]);
    maven.arg(format!("-Djeromq.version={}", bench.versions));
    maven.arg(format!("-Dout={}", bench.folder.display()));
    maven.arg(format!("-DoutputDirectory={}", libraries(bench).display()));
    bench.run(&mut maven)
}

fn command(bench: &Bench<'_>) -> (PathBuf, Vec<OsString>) {
    let separator = if cfg!(windows) { ';' } else { ':' };
    let classes = bench.folder.join("classes");
    let class_path = format!("{}{separator}{}/*", classes.display(), libraries(bench).display());
    // Short-lived programs: the cheap compiler and collector start faster and leave the processors to others.
    // Without counters in shared memory: where it cannot have them, Java says so on standard output, among the answers.
    let tuning = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-XX:-UsePerfData", "-cp"];
    let mut arguments: Vec<OsString> = tuning.map(OsString::from).into();
    arguments.extend([class_path.into(), "Peer".into()]);
    ("java".into(), arguments)
}

fn libraries(bench: &Bench<'_>) -> PathBuf {
    bench.folder.join("libraries")
}
