//! Lines of files; clippy holds those of functions (`too_many_lines`). A file that outgrows its budget has lost its one concept.

use std::collections::BTreeMap;

use super::tree::{Source, Tree};
use super::{Fault, Summary};

/// Lines of a file, tests not counted.
const FILE: usize = 800;

pub(crate) fn check(tree: &Tree) -> Vec<Fault> {
    let long = tree.sources.iter().filter(|source| !source.is_test && length(source) > FILE);
    long.map(|source| Fault {
        path: source.path.clone(),
        line: 0,
        rule: "sizes",
        text: format!("{} production lines, {FILE} allowed: split it by concept", length(source)),
    })
    .collect()
}

/// What the production code of a tree measures.
pub(crate) fn summary(tree: &Tree) -> Summary {
    let production = tree.sources.iter().filter(|source| !source.is_test);
    let mut sizes: Vec<(usize, String)> =
        production.map(|source| (length(source), source.path.clone())).collect();
    sizes.sort();
    let mut per_crate = BTreeMap::new();
    for (lines, path) in &sizes {
        let folder = path.split('/').next().unwrap_or_default();
        *per_crate.entry(folder.to_owned()).or_insert(0) += lines;
    }
    Summary {
        files: sizes.len(),
        lines: sizes.iter().map(|(lines, _)| lines).sum(),
        median: sizes.get(sizes.len() / 2).map_or(0, |(lines, _)| *lines),
        longest: sizes.last().cloned().unwrap_or_default(),
        per_crate: per_crate.into_iter().collect(),
        circles: Vec::new(),
    }
}

fn length(source: &Source) -> usize {
    (1..=source.lines.len()).filter(|&line| !source.in_test(line)).count()
}
