//! The rules of the house, checked on the source itself.
//!
//! | module | holds |
//! |---|---|
//! | `tree` | the files, their tokens, and which lines are tests |
//! | `arrows` | which crate may know which |
//! | `storeys` | which file of a crate may know which |
//! | `sizes` | lines of files and functions |
//! | `scan` | the tables of [`crate::bans`] applied |

mod arrows;
mod scan;
mod sizes;
pub(crate) mod storeys;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::Shell;

use crate::bans::{BANS, Ban, WORDS};
use storeys::House;
use tree::Tree;

/// The floors inside each crate.
const FLOORS: &str = "xtask/floors.toml";

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Fault {
    /// The file, from the root of the tree.
    path: String,
    /// The line, or 0 when the whole file is meant.
    line: usize,
    /// The rule's name.
    rule: &'static str,
    text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": [{}] {}", self.rule, self.text)
    }
}

/// What a clean tree measures.
pub(crate) struct Summary {
    files: usize,
    lines: usize,
    median: usize,
    longest: (usize, String),
    per_crate: Vec<(String, usize)>,
    /// Files of the largest circle of each crate that has floors.
    circles: Vec<(String, usize)>,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, lines) in &self.per_crate {
            writeln!(f, "{lines:7} lines  {name}")?;
        }
        for (src, files) in self.circles.iter().filter(|(_, files)| *files > 1) {
            writeln!(f, "{files:7} files of {src} import each other")?;
        }
        let (most, path) = &self.longest;
        write!(
            f,
            "floor: clean; {} files, {} production lines, median {}, longest {most} ({path})",
            self.files, self.lines, self.median
        )
    }
}

/// Checks the tree against every rule, and prints what it finds.
pub(crate) fn step(sh: &Shell) -> Result<()> {
    let houses = storeys::read(&sh.read_file(FLOORS)?).context(FLOORS)?;
    match check_against(&sh.current_dir(), BANS, &houses) {
        Ok(summary) => println!("{summary}"),
        Err(faults) => {
            faults.iter().for_each(|fault| println!("{fault}"));
            bail!("{} faults, see the list above", faults.len());
        }
    }
    Ok(())
}

/// What a clean tree measures, or every broken rule; never none.
fn check_against(root: &Path, bans: &[Ban], houses: &[House]) -> Result<Summary, Vec<Fault>> {
    let (tree, mut faults) = Tree::read(root);
    faults.extend(arrows::check(&tree));
    faults.extend(storeys::check(&tree, houses));
    faults.extend(sizes::check(&tree));
    faults.extend(scan::bans(&tree, bans));
    faults.extend(scan::openings(&tree));
    faults.extend(scan::words(&tree, WORDS));
    faults.sort();
    faults.dedup();
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Summary { circles: storeys::largest(&tree, houses), ..sizes::summary(&tree) })
}
