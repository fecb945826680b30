//! The foreign peers, made ready: installed or built once, in a folder each under `peers` of cargo's target folder.
//!
//! Whatever a peer is made of (the versions of its recipe and of the tools, the files of its adapter) is summed up in a
//! mark that is written when it stands; a peer whose mark is as it should be is not made again. A tool chain that is missing, or a
//! registry that does not answer, makes one peer missing, with the reason, and touches no other.
//!
//! | module | makes |
//! |---|---|
//! | `bench` | where one peer is made: its folders, its mark, the tools that are run |
//! | `python` | pyzmq, by venv and pip |
//! | `java` | each JeroMQ, by Maven |
//! | `go` | go-zeromq, by go |
//! | `js` | zeromq.js, by npm |
//! | `rust` | what cargo builds: libzmq, zmq.rs |

mod bench;
mod go;
mod java;
mod js;
mod python;
mod rust;

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::program::Program;
use bench::Bench;

/// A foreign peer, or why there is none.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// Its name in reports and filters, such as `jeromq-0.5.2`.
    pub name: &'static str,
    /// How it is started; or the reason why it is missing, for people.
    pub program: Result<Program, String>,
}

/// Where progress is told, a line at a time, from several threads.
pub type Log<'a> = &'a (dyn Fn(&str) + Sync);

/// A program that a peer is made with or run by.
struct Tool {
    /// Its name on the path.
    program: &'static str,
    /// What makes it tell its version.
    question: &'static str,
}

impl Tool {
    /// What is started: of cargo, the one that runs this.
    fn path(&self) -> std::ffi::OsString {
        let cargo = (self.program == "cargo").then(|| std::env::var_os("CARGO")).flatten();
        cargo.unwrap_or_else(|| self.program.into())
    }
}

/// How one peer is made.
struct Recipe {
    name: &'static str,
    /// The folder of its adapter in `interop/peers`.
    adapter: &'static str,
    /// What must be on the path. A peer is made anew when the version of one of them changes.
    tools: &'static [Tool],
    /// Everything it is made of that is not in that folder.
    versions: &'static str,
    /// Makes it; the error is a reason for people.
    make: fn(&Bench<'_>) -> Result<(), String>,
    /// How what was made is started.
    command: fn(&Bench<'_>) -> (PathBuf, Vec<std::ffi::OsString>),
}

/// Every peer there is, in the order of reports. Those of one row share a tool whose caches bear one user at a time;
/// rows are made side by side.
const RECIPES: &[&[Recipe]] = &[
    &[python::PYZMQ],
    &[java::JEROMQ_0_5_2, java::JEROMQ_0_6_0],
    &[rust::LIBZMQ, rust::ZMQ_RS],
    &[go::GO_ZEROMQ],
    &[js::ZEROMQ_JS],
];

/// The names of all foreign peers, in the order of reports.
pub fn names() -> impl Iterator<Item = &'static str> {
    RECIPES.iter().copied().flatten().map(|recipe| recipe.name)
}

/// Makes every foreign peer ready that is not, and tells of each in the order of [`names`]. `root` is the
/// repository's folder and `target` the one that cargo builds into.
pub fn prepare(root: &Path, target: &Path, log: Log<'_>) -> Vec<Prepared> {
    prepare_some(root, target, &|_| true, log)
}

/// Makes those ready whose names are wanted, and leaves the others out.
pub fn prepare_some(
    root: &Path,
    target: &Path,
    wanted: &(dyn Fn(&str) -> bool + Sync),
    log: Log<'_>,
) -> Vec<Prepared> {
    let make_row = |row: &'static [Recipe]| -> Vec<Prepared> {
        let row = row.iter().filter(|recipe| wanted(recipe.name));
        row.map(|recipe| ready(recipe, &Bench::new(root, target, recipe, log))).collect()
    };
    std::thread::scope(|scope| {
        let rows: Vec<_> = RECIPES.iter().map(|row| scope.spawn(|| make_row(row))).collect();
        rows.into_iter()
            .flat_map(|row| row.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// A foreign peer that stands in the folder that cargo builds into, without making it. Tests in the folders of that one
/// find it: those of a package, and those of its binaries.
#[must_use]
pub fn standing(name: &str) -> Option<Program> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let own = std::env::current_exe().ok()?;
    let target = own.ancestors().find(|folder| folder.join("peers").is_dir())?;
    let prepared = find_some(root, target, &|found| found == name);
    prepared.into_iter().find_map(|peer| peer.program.ok())
}

/// The foreign peers as they stand, without making any.
#[must_use]
pub fn find(root: &Path, target: &Path) -> Vec<Prepared> {
    find_some(root, target, &|_| true)
}

fn find_some(root: &Path, target: &Path, wanted: &dyn Fn(&str) -> bool) -> Vec<Prepared> {
    let found = |recipe: &Recipe| {
        let bench = Bench::new(root, target, recipe, &|_| {});
        let program =
            if bench.is_marked() { Ok(program(recipe, &bench)) } else { Err("not set up".to_owned()) };
        Prepared { name: recipe.name, program }
    };
    RECIPES.iter().copied().flatten().filter(|recipe| wanted(recipe.name)).map(found).collect()
}

fn ready(recipe: &Recipe, bench: &Bench<'_>) -> Prepared {
    let begun = Instant::now();
    let made = if bench.is_marked() {
        Ok(())
    } else {
        bench.say(&format!("setting up ({})", recipe.versions));
        let made = bench.lacking().map_or(Ok(()), |program| Err(format!("no {program} on the path")));
        let made = made.and_then(|()| bench.clear()).and_then(|()| (recipe.make)(bench));
        let made = made.and_then(|()| bench.mark());
        bench.say(&match &made {
            Ok(()) => format!("ready after {:.0} s", begun.elapsed().as_secs_f64()),
            Err(why) => format!("MISSING: {why}"),
        });
        made
    };
    Prepared { name: recipe.name, program: made.map(|()| program(recipe, bench)) }
}

fn program(recipe: &Recipe, bench: &Bench<'_>) -> Program {
    let (command, arguments) = (recipe.command)(bench);
    Program { name: recipe.name, command, arguments }
}
