//! Programs of the guide as processes, for the tests of its chapters.
//!
//! ```no_run
//! use guide_running::{ANY, Program};
//!
//! // A test passes `env!("CARGO_BIN_EXE_hello_server")`.
//! let mut server = Program::start("target/debug/hello_server", &[ANY]);
//! let endpoint = server.line("bound ");
//! let client = Program::start("target/debug/hello_client", &[&endpoint]);
//! let ended = client.end();
//! assert!(ended.success && ended.has("world"));
//! server.kill();
//! ```
//!
//! Everything that a program prints, on its standard output and on its standard error, is read line by line as it comes, so
//! no program blocks on a full pipe. Each wait has a deadline of [`LONG`] and then panics with what was printed so far.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How long a wait lasts at most.
pub const LONG: Duration = Duration::from_secs(60);

/// An endpoint to bind, with a port of the system's choice.
pub const ANY: &str = "tcp://127.0.0.1:*";

/// A program that runs. It is killed when this is dropped.
#[derive(Debug)]
pub struct Program {
    name: String,
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    /// What was read so far.
    printed: Vec<String>,
}

/// Returns the Python that has pyzmq, which `cargo run -p interop` has set up in the folder that cargo builds into.
///
/// # Panics
///
/// When it is not there.
#[track_caller]
#[must_use]
pub fn pyzmq() -> PathBuf {
    let bin = if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" };
    let python = Path::new("peers/pyzmq/venv").join(bin);
    let own = std::env::current_exe().unwrap_or_default();
    let found = own.ancestors().map(|folder| folder.join(&python)).find(|file| file.exists());
    found.unwrap_or_else(|| {
        panic!("no {} above {}; `cargo run -p interop` makes it", python.display(), own.display())
    })
}

/// How a program ended, and everything that it printed.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Whether its exit code is 0.
    pub success: bool,
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Its lines. Those of standard output are in order, and so are those of standard error.
    pub lines: Vec<String>,
}

impl Program {
    /// Starts the program in the file `path`, as `env!("CARGO_BIN_EXE_NAME")` names it, with these arguments and nothing on
    /// its standard input.
    ///
    /// # Panics
    ///
    /// When it cannot start.
    #[track_caller]
    pub fn start(path: impl AsRef<Path>, arguments: &[&str]) -> Program {
        Program::spawn(path.as_ref(), arguments, Stdio::null())
    }

    /// Starts the program as [`Program::start`] does. Its standard input is what [`Program::write`] writes, until
    /// [`Program::end_input`].
    ///
    /// # Panics
    ///
    /// When it cannot start.
    #[track_caller]
    pub fn start_with_input(path: impl AsRef<Path>, arguments: &[&str]) -> Program {
        Program::spawn(path.as_ref(), arguments, Stdio::piped())
    }

    #[track_caller]
    fn spawn(path: &Path, arguments: &[&str], input: Stdio) -> Program {
        let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let mut process = Command::new(path)
            .args(arguments)
            .stdin(input)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot start: {error}", path.display()));
        let (sender, lines) = mpsc::channel();
        read_lines(process.stdout.take(), sender.clone());
        read_lines(process.stderr.take(), sender);
        let input = process.stdin.take();
        Program { name, process, input, lines, printed: Vec::new() }
    }

    /// Writes a line to its standard input.
    ///
    /// # Panics
    ///
    /// When it has no input, or does not read it any more.
    #[track_caller]
    pub fn write(&mut self, line: &str) {
        let written = self.input.as_mut().map(|input| writeln!(input, "{line}"));
        if !matches!(written, Some(Ok(()))) {
            self.fail(&format!("{line:?} cannot be written: {written:?}"));
        }
    }

    /// Ends its standard input, as Ctrl-D does.
    pub fn end_input(&mut self) {
        self.input = None;
    }

    /// Reads until a line that contains `text`, and returns what follows `text` in it. Lines before it are skipped: the next
    /// call looks at what comes after.
    ///
    /// # Panics
    ///
    /// When there is no such line within [`LONG`], or the program ends before.
    #[track_caller]
    pub fn line(&mut self, text: &str) -> String {
        let end = Instant::now() + LONG;
        loop {
            match self.next(end) {
                Ok(line) => {
                    if let Some((_, rest)) = line.split_once(text) {
                        return rest.to_owned();
                    }
                }
                Err(why) => self.fail(&format!("no line with {text:?}: {why}")),
            }
        }
    }

    /// Returns what was read so far: by [`Program::line`], and by nothing else.
    pub fn printed(&self) -> &[String] {
        &self.printed
    }

    /// Waits until the program ends by itself.
    ///
    /// # Panics
    ///
    /// When it still runs after [`LONG`].
    #[track_caller]
    pub fn end(mut self) -> Ended {
        let end = Instant::now() + LONG;
        loop {
            match self.next(end) {
                Ok(_) => {}
                // Its output is closed, so the process is at its end.
                Err(RecvTimeoutError::Disconnected) => break,
                Err(why) => self.fail(&format!("it did not end: {why}")),
            }
        }
        let status = self.wait();
        Ended { success: status.success(), code: status.code(), lines: std::mem::take(&mut self.printed) }
    }

    /// Kills the program as `kill -9` does, and waits until it is gone. Then everything that it has printed is in the result.
    #[track_caller]
    pub fn kill(mut self) -> Ended {
        let _ = self.process.kill();
        self.end()
    }

    /// Ends the program as Ctrl-C does (SIGINT), and waits for its end.
    ///
    /// # Panics
    ///
    /// When it still runs after [`LONG`].
    #[cfg(unix)]
    #[track_caller]
    pub fn interrupt(self) -> Ended {
        self.signal(rustix::process::Signal::INT);
        self.end()
    }

    /// Stops the program as SIGSTOP does: its connections stay open, and when this returns it does nothing until
    /// [`Program::resume`].
    ///
    /// # Panics
    ///
    /// When it has ended.
    #[cfg(unix)]
    #[track_caller]
    pub fn stop(&self) {
        use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
        self.signal(Signal::STOP);
        // NOWAIT leaves an exit code for whoever waits for the end.
        let changes = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(Pid::from_child(&self.process)), changes) {
            Ok(Some(status)) if status.stopped() => {}
            other => self.fail(&format!("it has not stopped: {other:?}")),
        }
    }

    /// Lets a stopped program go on (SIGCONT).
    #[cfg(unix)]
    #[track_caller]
    pub fn resume(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    #[cfg(unix)]
    #[track_caller]
    fn signal(&self, signal: rustix::process::Signal) {
        use rustix::process::{Pid, kill_process};
        if let Err(error) = kill_process(Pid::from_child(&self.process), signal) {
            self.fail(&format!("it receives no signal: {error}"));
        }
    }

    fn next(&mut self, end: Instant) -> Result<String, RecvTimeoutError> {
        let line = self.lines.recv_timeout(end.saturating_duration_since(Instant::now()))?;
        self.printed.push(line.clone());
        Ok(line)
    }

    #[track_caller]
    fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap_or_else(|error| panic!("{} cannot be waited for: {error}", self.name))
    }

    #[track_caller]
    fn fail(&self, what: &str) -> ! {
        panic!("{}: {what}; it printed:\n{}", self.name, self.printed.join("\n"))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Ended {
    /// Whether a line contains `text`.
    pub fn has(&self, text: &str) -> bool {
        self.count(text) > 0
    }

    /// How many lines contain `text`.
    pub fn count(&self, text: &str) -> usize {
        self.lines.iter().filter(|line| line.contains(text)).count()
    }

    /// What follows `text` in the last line that contains it.
    ///
    /// # Panics
    ///
    /// When no line contains it.
    #[track_caller]
    pub fn after(&self, text: &str) -> &str {
        let found = self.lines.iter().rev().find_map(|line| line.split_once(text));
        found.map(|(_, rest)| rest).unwrap_or_else(|| panic!("no line with {text:?} in {:#?}", self.lines))
    }
}

/// Sends the lines of a stream, on a thread of its own, until the stream ends.
fn read_lines(stream: Option<impl Read + Send + 'static>, lines: Sender<String>) {
    let Some(stream) = stream else { return };
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
            if lines.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
        }
    });
}
