//! Lines of files and functions. A file that outgrows its budget has lost its one concept.

use std::collections::BTreeMap;

use super::tree::{Source, Tree};
use super::{Fault, Summary};

/// Lines of a file, tests not counted.
const FILE: usize = 800;
/// Lines of a function, from its `fn` to its closing brace.
const FUNCTION: usize = 80;

pub(crate) fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for source in tree.sources.iter().filter(|source| !source.is_test) {
        let lines = length(source);
        if lines > FILE {
            faults.push(fault(
                source,
                0,
                format!("{lines} production lines, {FILE} allowed: split it by concept"),
            ));
        }
        for function in &source.functions {
            let lines = source.production_lines(function.first, function.last);
            if lines > FUNCTION {
                let text = format!("fn {} has {lines} lines, {FUNCTION} allowed", function.name);
                faults.push(fault(source, function.first, text));
            }
        }
    }
    faults
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
    source.production_lines(1, source.lines.len())
}

fn fault(source: &Source, line: usize, text: String) -> Fault {
    Fault { path: source.path.clone(), line, rule: "sizes", text }
}
