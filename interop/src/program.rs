//! The implementations that there are, and how each is started.

use std::env;
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

    /// pyzmq, from `ZEROXIDE_PYTHON`: a Python that has it.
    #[must_use]
    pub fn pyzmq() -> Option<Program> {
        let command = variable("ZEROXIDE_PYTHON")?.into();
        let script = folder("python").join("peer.py");
        Some(Program { name: "pyzmq", command, arguments: vec!["-u".into(), script.into()] })
    }

    /// JeroMQ, from `ZEROXIDE_JAVA` and `ZEROXIDE_JAVA_CLASSPATH`.
    #[must_use]
    pub fn jeromq() -> Option<Program> {
        let command = variable("ZEROXIDE_JAVA")?.into();
        let class_path = variable("ZEROXIDE_JAVA_CLASSPATH")?;
        // Short-lived programs: the cheap compiler and collector start faster and leave the processors to others.
        let tuning = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto", "-cp"];
        let mut arguments: Vec<OsString> = tuning.map(OsString::from).into();
        arguments.extend([class_path, "Peer".into()]);
        Some(Program { name: "jeromq", command, arguments })
    }

    /// Any other, from `ZEROXIDE_PEER`: its command line, words separated by spaces.
    #[must_use]
    pub fn other() -> Option<Program> {
        let line = variable("ZEROXIDE_PEER")?.into_string().ok()?;
        let mut words = line.split_whitespace();
        let command = words.next()?.into();
        Some(Program { name: "other", command, arguments: words.map(OsString::from).collect() })
    }
}

/// An environment variable, unless it is empty.
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// The folder of the peers in one language.
fn folder(language: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(language)
}
