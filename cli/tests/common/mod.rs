//! Running the command: to its end, or beside the test.
#![allow(clippy::unwrap_used, dead_code)] // each test program uses a part

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};
use tempfile::TempDir;
use wait_timeout::ChildExt;

/// More than any command needs.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// The command, to be run to its end.
pub(crate) fn zx(arguments: &[&str]) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(assert_cmd::cargo::cargo_bin!("zx"));
    command.args(arguments).timeout(LIMIT);
    command
}

/// A folder, and the ipc endpoint in it.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) endpoint: String,
}

impl Place {
    pub(crate) fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let endpoint = format!("ipc://{}", folder.path().join("s").display());
        Place { folder, endpoint }
    }

    /// Writes a file, and returns its path.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// A command that runs beside the test. It is killed with it.
pub(crate) struct Running {
    child: Child,
    out: Receiver<String>,
    err: Receiver<String>,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Running {
        Running::of(Command::new(assert_cmd::cargo::cargo_bin!("zx")).args(arguments))
    }

    pub(crate) fn of(command: &mut Command) -> Running {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let out = lines(child.stdout.take().unwrap());
        let err = lines(child.stderr.take().unwrap());
        Running { child, out, err }
    }

    /// Types a line.
    pub(crate) fn line_in(&mut self, line: &str) {
        writeln!(self.child.stdin.as_ref().unwrap(), "{line}").unwrap();
    }

    /// Returns the next line of standard output.
    pub(crate) fn line_out(&mut self) -> String {
        self.out.recv_timeout(LIMIT).expect("a line of standard output")
    }

    /// Returns the next line of standard error that has `part`.
    pub(crate) fn line_err(&mut self, part: &str) -> String {
        let mut before = Vec::new();
        while let Ok(line) = self.err.recv_timeout(LIMIT) {
            if line.contains(part) {
                return line;
            }
            before.push(line);
        }
        panic!("no {part:?} on standard error, only {before:?}");
    }

    /// Ends it at once.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Returns the other lines of standard error.
    pub(crate) fn rest_err(&mut self) -> Vec<String> {
        self.err.iter().collect()
    }

    /// Returns the endpoint that the command says it is bound to.
    pub(crate) fn bound(&mut self) -> String {
        self.line_err("bound to").rsplit(' ').next().unwrap().to_owned()
    }

    /// Closes its standard input.
    pub(crate) fn close_input(&mut self) {
        self.child.stdin = None;
    }

    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for its end, and returns its exit code.
    pub(crate) fn end(&mut self) -> Option<i32> {
        self.close_input();
        self.child.wait_timeout(LIMIT).unwrap().expect("it ends").code()
    }
}

/// The lines of a stream, read on a thread of their own so that the test can have a limit.
fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = bounded(1000);
    std::thread::spawn(move || {
        BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    receiver
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
