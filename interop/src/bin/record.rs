//! Makes the golden corpus: `cargo run -p interop --bin record` rewrites `interop/corpus`. Needs pyzmq and both JeroMQ,
//! which it sets up.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use interop::recording::takes::REFUSAL;
use interop::recording::{Actor, Scene, TAKES, Take, text};
use interop::{Failure, Program, setup};

/// JeroMQ at times loses a connection that it has just made; then the take is made again.
const ATTEMPTS: usize = 5;

fn main() -> ExitCode {
    match record() {
        Ok(files) => {
            println!("{files} files");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("record: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Records everything anew; how many files that makes.
fn record() -> Result<usize, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = root.join("corpus");
    let actors = actors(root)?;
    let find = |name: &str| actors.iter().find(|actor| actor.folder == name).ok_or(format!("no {name}"));
    let libzmq = find("libzmq")?;
    let refuser = find("refuser")?;
    let mut files = 0;
    for left in &actors {
        for right in actors.iter().filter(|right| left.folder == "libzmq" || right.folder == "libzmq") {
            if [left.folder, right.folder].contains(&"refuser") {
                continue;
            }
            let folder = corpus.join(format!("{}_{}", left.folder, right.folder));
            for take in TAKES {
                files += usize::from(write(take, [left, right], &folder)?);
            }
        }
    }
    files += usize::from(write(&REFUSAL, [libzmq, refuser], &corpus.join("libzmq_libzmq"))?);
    Ok(files)
}

/// Makes one take; whether the two can make it.
fn write(take: &Take, actors: [&Actor; 2], folder: &Path) -> Result<bool, String> {
    let name = format!("{} of {} and {}", take.name, actors[0].folder, actors[1].folder);
    if !take.legacy && actors.iter().any(|actor| actor.zmtp != "3.1" && actor.folder.starts_with("raw")) {
        return Ok(false);
    }
    let mut why = String::new();
    for _ in 0..ATTEMPTS {
        match make(take, actors) {
            Ok(text) => {
                let path = folder.join(take.name).with_extension("txt");
                let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, text));
                written.map_err(|error| format!("{}: {error}", path.display()))?;
                println!("{name}");
                return Ok(true);
            }
            Err(failure) if failure.code() == "usage" => return Ok(false),
            Err(failure) => why = format!("{name}: {failure}"),
        }
        println!("again: {why}");
    }
    Err(why)
}

fn make(take: &Take, actors: [&Actor; 2]) -> Result<String, Failure> {
    let mut scene = Scene::open(take, actors)?;
    (take.play)(&mut scene).inspect_err(|_| eprint!("{}", scene.log()))?;
    let [left, right] = scene.close()?;
    Ok(text(&left, &right))
}

/// The programs that are recorded.
fn actors(root: &Path) -> Result<Vec<Actor>, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let folder = own.parent().map(PathBuf::from).unwrap_or_default();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo).args(["build", "-p", "interop", "--bins"]).current_dir(root).status();
    if !built.is_ok_and(|status| status.success()) {
        return Err("cargo build -p interop --bins failed".to_owned());
    }
    let wanted = |name: &str| name == "pyzmq" || name.starts_with("jeromq");
    let target = folder.parent().unwrap_or(&folder);
    let repository = root.parent().unwrap_or(root);
    let prepared = setup::prepare_some(repository, target, &wanted, &|line| println!("{line}"));
    let mut actors = Vec::new();
    for peer in prepared {
        let program = peer.program.map_err(|why| format!("{}: {why}", peer.name))?;
        if peer.name == "pyzmq" {
            // A peer that refuses whoever asks for admission.
            let mut refuser = program.clone();
            refuser.arguments = vec!["-u".into(), root.join("corpus/refuse.py").into()];
            actors.push(Actor { program: refuser, folder: "refuser", zmtp: "3.1" });
            actors.push(Actor { program, folder: "libzmq", zmtp: "3.1" });
        } else {
            actors.push(Actor { program, folder: peer.name, zmtp: "3.0" });
        }
    }
    for (folder_name, zmtp) in [("raw-1.0", "1.0"), ("raw-2.0", "2.0"), ("raw-3.0", "3.0")] {
        let command = folder.join(format!("raw-peer{}", std::env::consts::EXE_SUFFIX));
        let arguments = vec!["--zmtp".into(), zmtp.into()];
        let program = Program { name: folder_name, command, arguments };
        actors.push(Actor { program, folder: folder_name, zmtp });
    }
    Ok(actors)
}
