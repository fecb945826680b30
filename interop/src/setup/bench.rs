//! Where one peer is made: its folders, its mark, the tools that are run.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Log, Recipe, Tool};

/// Lines of a tool's output that a reason cites.
const CITED: usize = 12;

/// Where one peer is made.
pub(super) struct Bench<'a> {
    name: &'static str,
    /// Those of its recipe.
    pub(super) versions: &'static str,
    /// The folder of its adapter.
    pub(super) adapter: PathBuf,
    /// The folder that it is made in.
    pub(super) folder: PathBuf,
    /// What the mark says when it stands.
    sum: String,
    /// The first tool that is not there.
    lacking: Option<&'static str>,
    log: Log<'a>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(root: &Path, target: &Path, recipe: &Recipe, log: Log<'a>) -> Bench<'a> {
        let adapter = absolute(&root.join("interop/peers").join(recipe.adapter));
        let folder = absolute(&target.join("peers").join(recipe.name));
        // Tools write paths into what they make, so that a folder that was moved must be made anew.
        let tools = recipe.tools.iter().map(|tool| version(tool).ok_or(tool.program));
        let (tools, lacking) = match tools.collect::<Result<String, _>>() {
            Ok(tools) => (tools, None),
            Err(program) => (String::new(), Some(program)),
        };
        let made_of = format!("{}\n{}\n{:016x}\n{tools}", recipe.versions, folder.display(), sum(&adapter));
        Bench { name: recipe.name, versions: recipe.versions, adapter, folder, sum: made_of, lacking, log }
    }

    /// A tool that is not on the path.
    pub(super) fn lacking(&self) -> Option<&'static str> {
        self.lacking
    }

    /// Tells a line of progress.
    pub(super) fn say(&self, line: &str) {
        (self.log)(&format!("{}: {line}", self.name));
    }

    /// Whether the peer stands, of what it is to be made of now.
    pub(super) fn is_marked(&self) -> bool {
        self.lacking.is_none() && fs::read_to_string(self.mark_file()).is_ok_and(|mark| mark == self.sum)
    }

    /// Notes that the peer stands.
    pub(super) fn mark(&self) -> Result<(), String> {
        fs::write(self.mark_file(), &self.sum).map_err(|error| self.no_folder(&error))
    }

    /// Takes the mark away and leaves the rest, which tools may build upon.
    pub(super) fn clear(&self) -> Result<(), String> {
        fs::create_dir_all(&self.folder).map_err(|error| self.no_folder(&error))?;
        match fs::remove_file(self.mark_file()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.no_folder(&error)),
            _ => Ok(()),
        }
    }

    /// What a program prints, if it ends well.
    pub(super) fn output(&self, program: &OsStr, words: &[&str]) -> Option<String> {
        let output = self.tool(program).args(words).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// A tool, not run yet, in the folder of the adapter.
    pub(super) fn tool(&self, program: impl AsRef<OsStr>) -> Command {
        let mut tool = Command::new(program);
        tool.current_dir(&self.adapter).stdin(Stdio::null());
        tool
    }

    /// A program of this name in the folder that the peer is made in.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }

    /// Runs a tool to its end; the error cites the end of what it printed.
    pub(super) fn run(&self, tool: &mut Command) -> Result<(), String> {
        let words: Vec<_> = tool.get_args().map(OsStr::to_string_lossy).collect();
        let line = format!("{} {}", tool.get_program().to_string_lossy(), words.join(" "));
        self.say(&format!("$ {line}"));
        let output = tool.output().map_err(|error| format!("{line}: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let printed = [output.stdout, output.stderr].concat();
        let printed = String::from_utf8_lossy(&printed);
        let lines: Vec<&str> = printed.lines().collect();
        let cited = lines[lines.len().saturating_sub(CITED)..].join("\n");
        Err(format!("{line}: {}\n{cited}", output.status))
    }

    fn mark_file(&self) -> PathBuf {
        self.folder.join("made-of")
    }

    fn no_folder(&self, error: &io::Error) -> String {
        format!("{}: {error}", self.folder.display())
    }
}

/// What a tool says its version is; some say it where others complain.
fn version(tool: &Tool) -> Option<String> {
    let output = Command::new(tool.path()).arg(tool.question).stdin(Stdio::null()).output().ok()?;
    let said = [output.stdout, output.stderr].concat();
    output.status.success().then(|| String::from_utf8_lossy(&said).into_owned())
}

/// The same path from every folder; tools run in others.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// FNV-1a of the names and contents of the files in a folder, except what its tools build there.
fn sum(folder: &Path) -> u64 {
    let mut files = Vec::new();
    list(folder, &mut files);
    files.sort();
    let mut sum = 0xcbf2_9ce4_8422_2325;
    for file in files {
        let name = file.strip_prefix(folder).unwrap_or(&file).to_string_lossy().into_owned();
        for byte in name.bytes().chain(fs::read(&file).unwrap_or_default()) {
            sum = (sum ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
    sum
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let built = ["target", "node_modules", "__pycache__"].iter().any(|name| entry.file_name() == *name);
        if !path.is_dir() {
            files.push(path);
        } else if !built {
            list(&path, files);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: Recipe = Recipe {
        name: "example",
        adapter: "example",
        versions: "example 1",
        tools: &[],
        make: |_| Ok(()),
        command: |bench| (bench.folder.join("run"), Vec::new()),
    };

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let folder = std::env::temp_dir().join(format!("zx-setup-{name}-{}", std::process::id()));
            fs::create_dir_all(folder.join("interop/peers/example")).unwrap();
            Folder(folder)
        }

        fn bench(&self, recipe: &Recipe) -> Bench<'static> {
            Bench::new(&self.0, &self.0.join("target"), recipe, &|_| {})
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_peer_is_made_again_when_its_versions_or_its_adapter_change() {
        let folder = Folder::new("mark");
        let source = folder.0.join("interop/peers/example/peer.c");
        fs::write(&source, "one").unwrap();
        let bench = folder.bench(&RECIPE);
        assert!(!bench.is_marked());
        bench.clear().and_then(|()| bench.mark()).unwrap();
        assert!(folder.bench(&RECIPE).is_marked());

        assert!(!folder.bench(&Recipe { versions: "example 2", ..RECIPE }).is_marked());
        fs::write(&source, "two").unwrap();
        assert!(!folder.bench(&RECIPE).is_marked());
        fs::write(&source, "one").unwrap();
        assert!(folder.bench(&RECIPE).is_marked());
        fs::rename(&source, source.with_extension("h")).unwrap();
        assert!(!folder.bench(&RECIPE).is_marked());
    }

    #[test]
    fn a_peer_is_made_again_when_a_tool_changes_and_missing_when_it_is_gone() {
        let folder = Folder::new("tools");
        let bench = folder.bench(&RECIPE);
        bench.clear().and_then(|()| bench.mark()).unwrap();
        const CARGO: &[Tool] = &[Tool { program: "cargo", question: "--version" }];
        let bench = folder.bench(&Recipe { tools: CARGO, ..RECIPE });
        assert!(!bench.is_marked() && bench.lacking().is_none());
        bench.mark().unwrap();
        assert!(folder.bench(&Recipe { tools: CARGO, ..RECIPE }).is_marked());
        const NONE: &[Tool] = &[Tool { program: "zx-no-such-tool", question: "--version" }];
        let bench = folder.bench(&Recipe { tools: NONE, ..RECIPE });
        assert!(!bench.is_marked());
        assert_eq!(bench.lacking(), Some("zx-no-such-tool"));
    }

    #[test]
    fn what_tools_build_beside_the_adapter_does_not_count() {
        let folder = Folder::new("built");
        let bench = folder.bench(&RECIPE);
        bench.clear().and_then(|()| bench.mark()).unwrap();
        let built = folder.0.join("interop/peers/example/node_modules");
        fs::create_dir_all(&built).unwrap();
        fs::write(built.join("index.js"), "").unwrap();
        assert!(folder.bench(&RECIPE).is_marked());
    }

    #[test]
    fn a_tool_that_fails_or_is_not_there_gives_a_reason_and_no_mark() {
        let folder = Folder::new("fails");
        let bench = folder.bench(&RECIPE);
        let reason = bench.run(&mut bench.tool("zx-no-such-tool")).unwrap_err();
        assert!(reason.starts_with("zx-no-such-tool"), "{reason}");
        let cargo = std::env::var_os("CARGO").unwrap();
        let reason = bench.run(bench.tool(cargo).arg("zx-no-such-command")).unwrap_err();
        assert!(reason.contains("no such command"), "{reason}");
        assert!(!bench.is_marked());
    }
}
