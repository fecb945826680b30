//! Who takes part: every implementation is set up, and started once to learn who it is.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use interop::report::PeerStatus;
use interop::setup::{self, Prepared};
use interop::{Peer, Program, Subject};

use crate::arguments::Arguments;

/// The implementations whose libzmq control cells use, best first.
const LIBZMQ: [&str; 2] = ["libzmq-c", "pyzmq"];

/// Who takes part.
pub(crate) struct Subjects {
    /// Zeroxide.
    pub(crate) ours: Subject,
    /// The libzmq of control cells, whether it takes part or not.
    pub(crate) libzmq: Option<Program>,
    /// The foreign ones that are set up.
    prepared: Vec<Prepared>,
    /// All that were asked for.
    pub(crate) peers: Vec<PeerStatus>,
    /// Those of them that are set up and do not start: they have failed, whatever is required.
    pub(crate) broken: Vec<String>,
    /// Those of them that are there.
    pub(crate) playing: Vec<Subject>,
    /// The folder that cargo builds into.
    pub(crate) target: PathBuf,
}

impl Subjects {
    /// Sets up and starts whoever was asked for.
    pub(crate) fn gather(arguments: &Arguments) -> Result<Subjects, String> {
        let own_folder = own_folder()?;
        let target = own_folder.parent().unwrap_or(&own_folder).to_owned();
        if !arguments.no_setup {
            build_own_peers(&own_folder)?;
        }
        let ours =
            Program::zeroxide(own_folder.join(format!("zeroxide-peer{}", std::env::consts::EXE_SUFFIX)));
        let ours = meet(ours)?;
        let mut subjects = Subjects {
            ours: ours.clone(),
            libzmq: None,
            prepared: prepare(arguments, &target),
            peers: Vec::new(),
            broken: Vec::new(),
            playing: Vec::new(),
            target,
        };
        subjects.libzmq = LIBZMQ.iter().find_map(|name| subjects.program(name)).cloned();
        match &arguments.foreign {
            Some(line) => subjects.add("foreign", foreign(line)),
            None => {
                for Prepared { name, program } in
                    subjects.prepared.clone().into_iter().chain(raw(&own_folder))
                {
                    if arguments.wants(name) {
                        subjects.add(name, program);
                    }
                }
                if arguments.wants("zeroxide") {
                    subjects.add("zeroxide", Ok(ours.program));
                }
            }
        }
        if subjects.peers.is_empty() {
            return Err(format!("no such peer; there are: {}", names().collect::<Vec<_>>().join(", ")));
        }
        Ok(subjects)
    }

    /// The program of a foreign peer, whether it takes part or not.
    pub(crate) fn program(&self, name: &str) -> Option<&Program> {
        self.prepared.iter().find(|peer| peer.name == name)?.program.as_ref().ok()
    }

    /// Notes how a peer does whose set-up ended so.
    fn add(&mut self, name: &str, made: Result<Program, String>) {
        let mut peer = PeerStatus { name: name.to_owned(), ..PeerStatus::default() };
        match made.map(meet) {
            Ok(Ok(subject)) => {
                peer.version.clone_from(&subject.version);
                self.playing.push(subject);
            }
            Ok(Err(why)) => {
                peer.missing = Some(format!("it is set up and does not start: {why}"));
                self.broken.push(name.to_owned());
            }
            Err(why) => peer.missing = Some(why),
        }
        self.peers.push(peer);
    }
}

/// The names of all peers, in the order of the report.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    setup::names().chain(RAW.map(|(name, _)| name)).chain(["zeroxide"])
}

/// The peers of this package that speak old versions of ZMTP, and those versions.
const RAW: [(&str, &str); 3] = [("raw-1.0", "1.0"), ("raw-2.0", "2.0"), ("raw-3.0", "3.0")];

fn raw(own_folder: &Path) -> [Prepared; 3] {
    let command = own_folder.join(format!("raw-peer{}", std::env::consts::EXE_SUFFIX));
    RAW.map(|(name, version)| {
        let arguments = vec!["--zmtp".into(), version.into()];
        Prepared { name, program: Ok(Program { name, command: command.clone(), arguments }) }
    })
}

/// The foreign peers that were asked for, and one whose libzmq control cells use: the first that is asked for or stands, else the
/// first that can be made.
fn prepare(arguments: &Arguments, target: &Path) -> Vec<Prepared> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    if arguments.no_setup || arguments.list {
        return setup::find(root, target);
    }
    let make = |wanted: &(dyn Fn(&str) -> bool + Sync)| {
        setup::prepare_some(root, target, wanted, &|line| eprintln!("{line}"))
    };
    let standing: Vec<Prepared> =
        setup::find(root, target).into_iter().filter(|peer| peer.program.is_ok()).collect();
    let stands = |name: &str| standing.iter().any(|peer| peer.name == name);
    let wanted = to_make(arguments, &stands);
    let mut prepared = make(&|name| wanted.contains(&name));
    let has_libzmq =
        |peers: &[Prepared]| peers.iter().any(|peer| LIBZMQ.contains(&peer.name) && peer.program.is_ok());
    if needs_libzmq(arguments) && !has_libzmq(&prepared) {
        prepared.extend(standing.into_iter().find(|peer| LIBZMQ.contains(&peer.name)));
    }
    // The first could not be made.
    for name in LIBZMQ.into_iter().filter(|name| !wanted.contains(name)) {
        if needs_libzmq(arguments) && !has_libzmq(&prepared) {
            prepared.extend(make(&|made| made == name));
        }
    }
    prepared
}

/// Whether control cells may need a libzmq: where Zeroxide plays alone, each fault is its own.
fn needs_libzmq(arguments: &Arguments) -> bool {
    arguments.foreign.is_some() || names().any(|name| name != "zeroxide" && arguments.plays(name))
}

/// The peers to be made: those that were asked for, and a libzmq for control cells if none of them is one and none stands.
fn to_make(arguments: &Arguments, stands: &dyn Fn(&str) -> bool) -> Vec<&'static str> {
    let mut names: Vec<&str> = setup::names().filter(|name| arguments.plays(name)).collect();
    let is_there = LIBZMQ.iter().any(|name| names.contains(name) || stands(name));
    if needs_libzmq(arguments) && !is_there {
        names.push(LIBZMQ[0]);
    }
    names
}

/// A program by its command line, words separated by spaces.
fn foreign(line: &str) -> Result<Program, String> {
    let mut words = line.split_whitespace();
    let command = words.next().ok_or("--foreign needs a command line")?.into();
    Ok(Program { name: "foreign", command, arguments: words.map(OsString::from).collect() })
}

/// Starts a program once, to learn who it is.
fn meet(program: Program) -> Result<Subject, String> {
    let peer = Peer::start(&program).map_err(|failure| failure.to_string())?;
    Ok(Subject { program, version: peer.name.clone(), transports: peer.transports.clone() })
}

/// The folder of this program, where its peers in Rust are, too.
fn own_folder() -> Result<PathBuf, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    own.parent().map(PathBuf::from).ok_or_else(|| "this program is in no folder".to_owned())
}

/// Builds the peers of this package as this program was built: cargo does not build them when it runs it.
fn build_own_peers(folder: &Path) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "-p", "interop", "--bins"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if folder.ends_with("release") {
        build.arg("--release");
    }
    match build.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("cargo build -p interop --bins: {status}")),
        Err(error) => Err(format!("cargo cannot be started: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn only_what_was_asked_for_is_made_and_one_libzmq_where_none_is_there() {
        let made = |words: &[&str], standing: &str| {
            let arguments = Arguments::parse_from([&["interop"], words].concat());
            to_make(&arguments, &|name| name == standing)
        };
        assert_eq!(made(&["--peer", "jeromq-0.6"], ""), ["jeromq-0.6.0", "libzmq-c"]);
        assert_eq!(made(&["--peer", "jeromq-0.6"], "pyzmq"), ["jeromq-0.6.0"]);
        assert_eq!(made(&["--peer", "pyzmq"], ""), ["pyzmq"]);
        assert_eq!(made(&["--peer", "zeroxide"], ""), [""; 0]);
        assert_eq!(made(&["--peer", "raw-1.0"], ""), ["libzmq-c"]);
        assert_eq!(made(&["--foreign", "node peer.js"], ""), ["libzmq-c"]);
        assert_eq!(made(&[], "").len(), setup::names().count());
    }

    #[test]
    fn a_peer_that_is_set_up_and_does_not_start_has_failed_and_one_that_is_not_is_missing() {
        let program = foreign("zx-no-such-program").unwrap();
        let ours = Subject { program: program.clone(), version: String::new(), transports: Vec::new() };
        let mut subjects = Subjects {
            ours,
            libzmq: None,
            prepared: Vec::new(),
            peers: Vec::new(),
            broken: Vec::new(),
            playing: Vec::new(),
            target: PathBuf::new(),
        };
        subjects.add("missing", Err("no mvn on the path".to_owned()));
        subjects.add("broken", Ok(program));
        assert_eq!(subjects.broken, ["broken"]);
        assert!(subjects.peers.iter().all(|peer| peer.missing.is_some()));
    }
}
