//! `cargo xtask bench capi`: libzmq's own perf programs, compiled once, on our libzmq.so and on libzmq's in turn.
//!
//! Both libraries are release builds on this machine: ours as `cargo xtask install` makes it, libzmq 4.3.5 as its CMake file
//! does. The runs are interleaved, so that what else the machine does meets both; medians are compared.

use std::error::Error;
use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use clap::Parser;
use wait_timeout::ChildExt;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What `bench capi` does.
#[derive(Parser)]
#[command(name = "cargo xtask bench capi --")]
struct Options {
    /// Runs of each program on each library.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Message sizes in bytes, separated by commas.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 64, 1024, 65536])]
    sizes: Vec<usize>,
    /// Only measurements whose names contain this, as `tcp thr` or `inproc`.
    #[arg(long, default_value = "")]
    only: String,
    /// Messages and round trips, as a part of the usual number in percent.
    #[arg(long, default_value_t = 100)]
    percent: usize,
    /// Where our library is installed. `cargo xtask` gives this and what follows.
    #[arg(long)]
    ours: PathBuf,
    /// Where the sources of libzmq are.
    #[arg(long)]
    libzmq: PathBuf,
    /// Where libzmq and the programs are built.
    #[arg(long)]
    folder: PathBuf,
}

/// What a program measures.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Measure {
    /// Messages in a second: more is better.
    Throughput,
    /// Microseconds one way: less is better.
    Latency,
}

/// The programs, by the names that the table shows. Not over ipc: libzmq's own pair waits for ever now and then, the one
/// for messages that the other has sent.
const KINDS: &[(&str, Measure)] = &[
    ("tcp thr", Measure::Throughput),
    ("inproc thr", Measure::Throughput),
    ("tcp lat", Measure::Latency),
    ("inproc lat", Measure::Latency),
];
const PROGRAMS: &[&str] = &["local_thr", "remote_thr", "local_lat", "remote_lat", "inproc_thr", "inproc_lat"];
/// More than any run needs.
const LIMIT: Duration = Duration::from_secs(120);

fn main() -> Result<()> {
    let options = Options::parse();
    Rig::make(&options)?.table(&options)
}

/// The programs and the two libraries.
struct Rig {
    /// The folders of libzmq's library and of ours.
    libraries: [PathBuf; 2],
    programs: PathBuf,
}

impl Rig {
    fn make(options: &Options) -> Result<Rig> {
        let (sources, libzmq) = (&options.libzmq, options.folder.join("libzmq"));
        let rig = Rig {
            libraries: [libzmq.join("lib"), options.ours.join("lib")],
            programs: options.folder.join("bin"),
        };
        fs::create_dir_all(&rig.programs)?;
        let kind = ["-DCMAKE_BUILD_TYPE=Release", "-DENABLE_DRAFTS=OFF", "-DBUILD_STATIC=OFF"];
        let without = ["-DBUILD_TESTS=OFF", "-DWITH_PERF_TOOL=OFF", "-DWITH_DOCS=OFF"];
        passed(Command::new("cmake").args(kind).args(without).arg("-S").arg(sources).arg("-B").arg(&libzmq))?;
        passed(Command::new("cmake").arg("--build").arg(&libzmq))?;
        rig.compile(options)?;
        Ok(rig)
    }

    /// With our header and our library; both have the same soname, and LD_LIBRARY_PATH decides.
    fn compile(&self, options: &Options) -> Result<()> {
        // They include "../include/zmq.h".
        let perf = options.folder.join("perf");
        fs::create_dir_all(&perf)?;
        fs::write(perf.join("platform.hpp"), "")?;
        for name in PROGRAMS {
            let source = perf.join(name).with_extension("cpp");
            fs::write(&source, fs::read(options.libzmq.join("perf").join(name).with_extension("cpp"))?)?;
            let mut compile = Command::new("c++");
            compile
                .args(["-O2", "-w", "-pthread", "-I"])
                .arg(&perf)
                .arg("-I")
                .arg(options.ours.join("include"));
            compile
                .arg(&source)
                .arg("-L")
                .arg(&self.libraries[1])
                .args(["-lzmq", "-o"])
                .arg(self.programs.join(name));
            passed(&mut compile)?;
        }
        Ok(())
    }

    fn table(&self, options: &Options) -> Result<()> {
        println!(
            "\n{:12}{:>8}{:>26}{:>26}{:>8}",
            "program", "bytes", "libzmq (least to most)", "ours (least to most)", "ratio"
        );
        for (kind, measure) in KINDS.iter().filter(|(kind, _)| kind.contains(options.only.as_str())) {
            for &size in &options.sizes {
                let number = (number(*measure, size) * options.percent / 100).max(10);
                let mut results = [Vec::new(), Vec::new()];
                for round in 0..options.rounds.max(1) {
                    // Who goes first takes turns, too.
                    for which in [round % 2, 1 - round % 2] {
                        results[which].push(self.once(
                            kind,
                            *measure,
                            size,
                            number,
                            &self.libraries[which],
                        )?);
                    }
                }
                let [libzmq, ours] = results.map(Spread::of);
                let ratio = match measure {
                    Measure::Throughput => ours.median / libzmq.median,
                    Measure::Latency => libzmq.median / ours.median,
                };
                println!("{kind:12}{size:>8}{:>26}{:>26}{ratio:>8.2}", libzmq.text(), ours.text());
            }
        }
        println!("thr: messages in a second; lat: microseconds one way; a ratio above 1 is in our favour");
        Ok(())
    }

    fn once(&self, kind: &str, measure: Measure, size: usize, number: usize, library: &Path) -> Result<f64> {
        let (transport, _) = kind.split_once(' ').unwrap_or((kind, ""));
        let (local, remote) = match measure {
            Measure::Throughput => ("local_thr", "remote_thr"),
            Measure::Latency => ("local_lat", "remote_lat"),
        };
        let (size, number) = (size.to_string(), number.to_string());
        if transport == "inproc" {
            let name = local.replace("local", "inproc");
            return figure(&mut self.started(&name, library, &[&size, &number])?);
        }
        let endpoint = endpoint()?;
        let both = |name| self.started(name, library, &[&endpoint, &size, &number]);
        let mut local = both(local)?;
        let remote = both(remote);
        let mut remote = remote.inspect_err(|_| end(&mut local))?;
        // The one that measures tells; the other ends with it or is ended.
        let (teller, other) = match measure {
            Measure::Throughput => (&mut local, &mut remote),
            Measure::Latency => (&mut remote, &mut local),
        };
        let figure = figure(teller);
        if figure.is_err() || other.wait_timeout(LIMIT)?.is_none() {
            end(other);
        }
        figure
    }

    fn started(&self, name: &str, library: &Path, arguments: &[&str]) -> Result<Child> {
        let mut program = Command::new(self.programs.join(name));
        program.args(arguments).env("LD_LIBRARY_PATH", library).stdin(Stdio::null()).stdout(Stdio::piped());
        Ok(program.spawn()?)
    }
}

/// Runs a command to its good end.
fn passed(command: &mut Command) -> Result<()> {
    println!("$ {command:?}");
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

/// Ends a program that may still run.
fn end(child: &mut Child) {
    _ = child.kill();
    _ = child.wait();
}

/// The number that a program ends with. What it prints fits into a pipe.
fn figure(child: &mut Child) -> Result<f64> {
    let Some(status) = child.wait_timeout(LIMIT)? else {
        end(child);
        return Err(format!("still running after {} s", LIMIT.as_secs()).into());
    };
    let mut text = String::new();
    child.stdout.as_mut().map_or(Ok(0), |output| output.read_to_string(&mut text))?;
    let figure = read(&text).filter(|_| status.success());
    Ok(figure.ok_or_else(|| format!("{status}; a program said: {text}"))?)
}

/// Free at this moment, and most likely so in the next.
fn endpoint() -> Result<String> {
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    Ok(format!("tcp://{address}"))
}

/// How many messages or round trips make a run of about a second.
fn number(measure: Measure, size: usize) -> usize {
    match (measure, size) {
        (Measure::Throughput, 0..=256) => 2_000_000,
        (Measure::Throughput, 257..=4096) => 500_000,
        (Measure::Throughput, _) => 30_000,
        (Measure::Latency, 0..=4096) => 15_000,
        (Measure::Latency, _) => 5_000,
    }
}

/// `mean throughput: N [msg/s]` or `average latency: X [us]`.
fn read(text: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.ends_with("[msg/s]") || line.ends_with("[us]"))?;
    line.split_once(": ")?.1.split(' ').next()?.parse().ok()
}

struct Spread {
    least: f64,
    median: f64,
    most: f64,
}

impl Spread {
    /// Of at least one value.
    fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        let at = |n: usize| values.get(n).copied().unwrap_or(f64::NAN);
        Spread { least: at(0), median: at(values.len() / 2), most: at(values.len().saturating_sub(1)) }
    }

    fn text(&self) -> String {
        let digits = if self.median < 1000.0 { 1 } else { 0 };
        format!("{:.digits$} ({:.digits$} {:.digits$})", self.median, self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_programs_say_is_read() {
        assert_eq!(
            read("message size: 64 [B]\nmean throughput: 1234 [msg/s]\nmean throughput: 1.2 [Mb/s]\n"),
            Some(1234.0)
        );
        assert_eq!(read("roundtrip count: 10\naverage latency: 31.250 [us]\n"), Some(31.25));
        assert_eq!(read("error in zmq_bind: Address already in use\n"), None);
    }

    #[test]
    fn a_median_has_its_bounds() {
        let spread = Spread::of(vec![3.0, 1.0, 2.0]);
        assert_eq!((spread.least, spread.median, spread.most), (1.0, 2.0, 3.0));
    }
}
