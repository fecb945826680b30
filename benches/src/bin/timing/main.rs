//! Whether what touches secrets takes a time that depends on them: a measurement after dudect (Reparaz, Balasch and
//! Verbauwhede, "Dude, is my code constant time?", 2017).
//!
//! Two classes of input are measured in random turns, and Welch's t-test says whether their times differ, over all
//! measurements and over those below several percentiles (slow ones are mostly the system's). It is no test for CI:
//! |t| above 4.5 says that there is a difference, and on a busy machine there may be one that is not ours. The last rows
//! measure comparisons that leak, to show that the instrument sees a leak.

mod measure;
mod targets;

use clap::Parser;

use measure::measure;
use targets::targets;

/// Measures whether passwords, cookies, vouches, keys and Z85 are handled in a time that does not depend on their
/// value. Run it on an idle machine, in a release build:
/// `cargo run --release -p benches --features plain,curve --bin timing`
#[derive(Parser)]
struct Options {
    /// Measurements of each target; the handshakes of CURVE get a twentieth; a million says much.
    #[arg(long, default_value_t = 100_000)]
    samples: u32,
    /// Measure the targets whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// The seed of the classes' order and of the inputs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() {
    let options = Options::parse();
    println!("{:<58} {:>9} {:>10} {:>8}  verdict", "target", "samples", "median ns", "max |t|");
    for mut target in targets(options.seed) {
        if !target.name.contains(&options.only) {
            continue;
        }
        let samples = (options.samples / target.cost).max(1000);
        let found = measure(samples, options.seed, &mut target.sample);
        let verdict = match (found.t < measure::THRESHOLD, target.leaks) {
            (true, false) => "no difference found",
            (false, false) => "DIFFERS",
            (false, true) => "differs, as it should",
            (true, true) => "NOT SEEN: too few samples, or too busy a machine",
        };
        println!("{:<58} {samples:>9} {:>10} {:>8.2}  {verdict}", target.name, found.median, found.t);
    }
}
