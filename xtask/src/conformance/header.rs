//! Our `zmq.h` beside libzmq's: the preprocessor is asked for every macro that each defines, with and without drafts.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use super::program::{Verdict, whole};
use super::{Row, build::Tree};
use crate::run;

/// What the row is called.
pub(super) const NAME: &str = "zmq.h";

/// No macro of theirs may be missing or have another value, and none may be ours alone.
pub(super) fn row(sh: &Shell, tree: &Tree) -> Row {
    let verdict = match both_ways(sh, tree) {
        Err(why) => Verdict::Failed(why.to_string()),
        Ok(found) if found.is_empty() => Verdict::Passed,
        Ok(found) => Verdict::Failed(found.join("; ")),
    };
    let faults = verdict.fault().map(str::to_owned).into_iter().collect();
    Row { cases: vec![whole(verdict)], faults, ..Row::idle(NAME) }
}

/// Without drafts and with them.
fn both_ways(sh: &Shell, tree: &Tree) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for drafts in [None, Some("-DZMQ_BUILD_DRAFT_API")] {
        let theirs = macros(sh, &tree.folder().join("libzmq-include"), drafts)?;
        found.extend(differences(&theirs, &macros(sh, &tree.folder().join("include"), drafts)?));
    }
    Ok(found)
}

/// Every macro that is defined behind `#include <zmq.h>`, those of the system's headers, too: applications use what
/// libzmq's header brings along.
fn macros(sh: &Shell, folder: &Path, drafts: Option<&str>) -> Result<BTreeMap<String, String>> {
    let output = run::ask(cmd!(sh, "cc -E -dM -include zmq.h -x c /dev/null -I {folder} {drafts...}"));
    Ok(read(&output.with_context(|| format!("cc cannot read {}/zmq.h", folder.display()))?))
}

/// From `#define NAME value` and `#define NAME(arguments) value`: a name, and what else differs but by white space or by
/// parentheses around the whole.
fn read(output: &str) -> BTreeMap<String, String> {
    let defined = output.lines().filter_map(|line| line.strip_prefix("#define "));
    let pairs = defined.map(|text| {
        let end = text.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let value: String = rest.split_whitespace().collect();
        let bare = value.strip_prefix('(').and_then(|inner| inner.strip_suffix(')'));
        let bare = bare.filter(|inner| !inner.contains(['(', ')'])).map(str::to_owned);
        (name.to_owned(), bare.unwrap_or(value))
    });
    pairs.collect()
}

fn differences(theirs: &BTreeMap<String, String>, ours: &BTreeMap<String, String>) -> Vec<String> {
    let missing = theirs.iter().filter(|(name, value)| ours.get(*name) != Some(value));
    let missing = missing.map(|(name, value)| match ours.get(name) {
        None => format!("{name} is missing"),
        Some(ours) => format!("{name} is {ours:?} and not {value:?}"),
    });
    let added = ours.keys().filter(|name| !theirs.contains_key(*name));
    missing.chain(added.map(|name| format!("{name} is ours alone"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_macro_that_is_missing_different_or_ours_alone_is_told() {
        let theirs = "#define A 1\n#define B(x,y) ((x) *10 + (y))\n#define C\n#define D E | F\n#define G 2\n";
        let ours =
            "#define A 1\n#define B(x,y) ((x) * 10 + (y))\n#define C 1\n#define D (E | F)\n#define H 3\n";
        assert_eq!(
            differences(&read(theirs), &read(ours)),
            ["C is \"1\" and not \"\"", "G is missing", "H is ours alone"]
        );
    }
}
