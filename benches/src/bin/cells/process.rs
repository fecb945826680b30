//! The processes of one run.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use cell::Spec;

use crate::run::Failure;

/// Longest wait for a line.
const PATIENCE: Duration = Duration::from_secs(20);

/// A line of standard output, or, at its end, what came on standard error.
enum Said {
    Line(String),
    End(String),
}

/// Processes and what they say. They are killed when this is dropped.
pub(crate) struct Processes {
    children: Vec<Child>,
    lines: Receiver<(usize, Said)>,
    to_lines: Sender<(usize, Said)>,
    /// A socket in the file system, which a process that is killed leaves behind.
    socket: Option<PathBuf>,
}

impl Processes {
    pub(crate) fn new() -> Processes {
        let (to_lines, lines) = mpsc::channel();
        Processes { children: Vec::new(), lines, to_lines, socket: None }
    }

    /// Starts a process that does what `specs` say.
    pub(crate) fn start(&mut self, program: &Path, specs: &[Spec]) -> Result<(), Failure> {
        let argument = serde_json::to_string(specs).map_err(|error| Failure::Broken(error.to_string()))?;
        let mut child = Command::new(program)
            .arg(argument)
            // A panic is one line.
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Failure::Broken(format!("{}: {error}", program.display())))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (at, to) = (self.children.len(), self.to_lines.clone());
        self.children.push(child);
        thread::spawn(move || {
            let lines = stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).lines());
            for line in lines.map_while(Result::ok) {
                _ = to.send((at, Said::Line(line)));
            }
            let mut errors = String::new();
            if let Some(mut stderr) = stderr {
                _ = stderr.read_to_string(&mut errors);
            }
            let errors = errors.lines().filter(|line| !line.starts_with("note: "));
            _ = to.send((at, Said::End(errors.collect::<Vec<_>>().join(" "))));
        });
        Ok(())
    }

    /// One of them is bound here.
    pub(crate) fn bound(&mut self, endpoint: &str) {
        self.socket = endpoint.strip_prefix("ipc://").map(PathBuf::from);
    }

    /// Tells processes something.
    pub(crate) fn tell(&mut self, which: impl IntoIterator<Item = usize>, line: &str) -> Result<(), Failure> {
        for at in which {
            let stdin = self.children[at].stdin.as_mut();
            let told = stdin.is_some_and(|stdin| writeln!(stdin, "{line}").is_ok());
            if !told {
                return Err(Failure::Broken("a process ended early".into()));
            }
        }
        Ok(())
    }

    /// The next line of any of them, and whose it is. A process that has said all ends without an error.
    pub(crate) fn line(&mut self) -> Result<(usize, String), Failure> {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok((at, Said::Line(line))) => match line.strip_prefix("refused ") {
                    Some(reason) => return Err(Failure::Refused(reason.to_owned())),
                    None => return Ok((at, line)),
                },
                Ok((at, Said::End(errors))) => match self.children[at].wait() {
                    Ok(status) if status.success() => {}
                    Ok(status) => return Err(Failure::Broken(format!("{status}: {}", errors.trim()))),
                    Err(error) => return Err(Failure::Broken(error.to_string())),
                },
                Err(_) => return Err(Failure::Broken(format!("no process says anything for {PATIENCE:?}"))),
            }
        }
    }

    /// Lets the processes work for so long. None of them has anything to say meanwhile.
    pub(crate) fn let_work(&self, time: Duration) -> Result<(), Failure> {
        match self.lines.recv_timeout(time) {
            Err(RecvTimeoutError::Timeout) => Ok(()),
            Ok((_, Said::Line(line))) => Err(Failure::Broken(format!("a process says {line:?}"))),
            Ok((_, Said::End(errors))) => {
                Err(Failure::Broken(format!("a process ended early: {}", errors.trim())))
            }
            Err(RecvTimeoutError::Disconnected) => Err(Failure::Broken("nobody is left".into())),
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for child in &mut self.children {
            _ = child.kill();
        }
        for child in &mut self.children {
            _ = child.wait();
        }
        if let Some(socket) = &self.socket {
            _ = std::fs::remove_file(socket);
        }
    }
}
