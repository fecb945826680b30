//! Zeroxide's own peer with a fault: it proves that the harness catches it. Nothing is broken inside: the lines that
//! the peer is told are changed on their way, so that it sends what a faulty implementation would.
//!
//! `faulty-peer FAULT`, with `zeroxide-peer` in the same folder.

use std::io::{self, BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};

use interop::words::{hex, numbered};

/// The number of the message that something happens to.
const VICTIM: u32 = 700;

fn main() -> ExitCode {
    let Some(fault) = std::env::args().nth(1) else { return ExitCode::from(2) };
    match obey_all(&fault) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn obey_all(fault: &str) -> io::Result<()> {
    let mut sound = Sound::start()?;
    for line in io::stdin().lock().lines() {
        let answer = obey(&mut sound, fault, &line?)?;
        println!("{answer}");
    }
    Ok(())
}

/// Does what a line says, or what an implementation with the fault would do.
fn obey(sound: &mut Sound, fault: &str, line: &str) -> io::Result<String> {
    let words: Vec<&str> = line.split(' ').collect();
    match (fault, &words[..]) {
        ("reorders" | "repeats" | "drops" | "tears", ["burst" | "fill", socket, limit, count, head @ ..]) => {
            let count: u32 = count.parse().map_err(io::Error::other)?;
            for n in numbers(fault, count) {
                let mut body = numbered(n);
                if fault == "tears" && n == VICTIM {
                    body.truncate(body.len() / 2);
                }
                let head: String = head.iter().flat_map(|word| [word, " "]).collect();
                let answer = sound.ask(&format!("send {socket} {limit} {head}h:{}", hex(&body)))?;
                if !answer.starts_with("ok") {
                    return Ok(answer);
                }
            }
            Ok(if words[0] == "fill" { format!("ok {count}") } else { "ok".to_owned() })
        }
        // It says that it has sent everything, and lets go of what there is no room for.
        ("overflows", ["fill", _, _, count, ..]) => {
            let answer = sound.ask(line)?;
            Ok(if answer.starts_with("ok") { format!("ok {count}") } else { answer })
        }
        ("loses-frames", ["send", socket, limit, first, _, ..]) => {
            sound.ask(&format!("send {socket} {limit} {first}"))
        }
        ("never-unsubscribes", ["unsubscribe", ..]) => Ok("ok".to_owned()),
        ("never-gives-up", ["set", socket, "HEARTBEAT_TIMEOUT", _]) => {
            sound.ask(&format!("set {socket} HEARTBEAT_TIMEOUT 3600000"))
        }
        ("answers-with-noise", ["burst", ..]) => Ok("once upon a time".to_owned()),
        ("dies", ["burst", ..]) => Err(io::ErrorKind::Interrupted.into()),
        _ => sound.ask(line),
    }
}

/// The numbers of the messages that are sent in place of 0 to `count` - 1.
fn numbers(fault: &str, count: u32) -> Vec<u32> {
    let mut numbers: Vec<u32> = (0..count).collect();
    let at = VICTIM as usize;
    match fault {
        "reorders" => numbers.swap(at, at + 1),
        "repeats" => numbers.insert(at, VICTIM),
        "drops" => drop(numbers.remove(at)),
        _ => {}
    }
    numbers
}

/// The peer without a fault.
struct Sound {
    child: Child,
    commands: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Sound {
    fn start() -> io::Result<Sound> {
        let program = format!("zeroxide-peer{}", std::env::consts::EXE_SUFFIX);
        let program = std::env::current_exe()?.with_file_name(program);
        let mut child = Command::new(program).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(commands), Some(output)) => {
                Ok(Sound { child, commands, answers: BufReader::new(output).lines() })
            }
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn ask(&mut self, line: &str) -> io::Result<String> {
        writeln!(self.commands, "{line}")?;
        let answer = self.answers.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()))?;
        Ok(answer.replacen("zeroxide-", "faulty-", 1))
    }
}

impl Drop for Sound {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
