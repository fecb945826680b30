//! The floors inside each crate: what a file may import of its own crate, and which files may know each other.
//!
//! A crate's floors stand in one table, from the top. A file imports what is on its own floor or below, never above. Files
//! that import each other in a circle cannot be understood apart, so a circle is a fault, too, unless it lies within one
//! folder and is named with its reason.
//!
//! An import is any path that begins with `crate`, `self` or `super` in production code, or a `use` of a child. It counts as
//! an import of the file that it leads to in the end: through what a file imports, and so exports again, to where the name
//! is defined. A parent's `mod child;` is no import.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use serde::Deserialize;

use super::Fault;
use super::tree::{Source, Token, Tree};

/// The floors of one crate: a table of xtask/floors.toml, which says how it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct House {
    /// Where its source is.
    src: String,
    /// From the top.
    floors: Vec<String>,
    /// Circles that are allowed.
    #[serde(default)]
    circles: Vec<Circle>,
}

/// Files of one folder that import each other, sorted, with a space between them, and why they may.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Circle {
    files: String,
    reason: String,
}

/// The tables of all crates.
pub(crate) fn read(text: &str) -> Result<Vec<House>, toml::de::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        crates: Vec<House>,
    }
    toml::from_str(text).map(|File { crates }| crates)
}

/// The production files of a crate by their modules' paths below `src` (`lib` is the root).
type Sources<'a> = BTreeMap<String, &'a Source>;

/// What each file imports of its crate, file by file, with the first line that does.
type Imports = BTreeMap<String, BTreeMap<String, usize>>;

pub(crate) fn check(tree: &Tree, houses: &[House]) -> Vec<Fault> {
    houses.iter().flat_map(|house| check_house(tree, house)).collect()
}

fn check_house(tree: &Tree, house: &House) -> Vec<Fault> {
    let sources = sources(tree, &house.src);
    let imports = imports(&sources);
    let fault = |file: &str, line, text| {
        let path = sources.get(file).map_or(file, |source| &source.path).to_owned();
        Fault { path, line, rule: "storeys", text }
    };
    let mut faults = Vec::new();
    for (file, targets) in &imports {
        let Some(floor) = floor_of(house, file) else {
            let text =
                format!("stands on no floor of {}: add it to its table in xtask/floors.toml", house.src);
            faults.push(fault(file, 0, text));
            continue;
        };
        for (target, line) in targets {
            if floor_of(house, target).is_some_and(|other| other < floor) {
                faults.push(fault(file, *line, format!("imports {target}, which is on a floor above")));
            }
        }
    }
    let circles = circles(&imports);
    for circle in &circles {
        let excuse = house.circles.iter().find(|allowed| allowed.files == circle.join(" "));
        let folder = |file: &String| file.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
        let one_folder = circle.iter().map(folder).collect::<BTreeSet<_>>().len() == 1;
        if excuse.is_none() || !one_folder {
            faults.push(fault(&circle[0], 0, ties(circle, &imports)));
        }
    }
    for allowed in &house.circles {
        if !circles.iter().any(|circle| circle.join(" ") == allowed.files) {
            let text =
                format!("the circle that is allowed for it ({}) is not there: remove it", allowed.reason);
            faults.push(fault(allowed.files.split(' ').next().unwrap_or_default(), 0, text));
        }
    }
    faults
}

/// What ties the files of a circle.
fn ties(circle: &[String], imports: &Imports) -> String {
    let mut text = format!("{} files import each other:", circle.len());
    for file in circle {
        let targets: Vec<&str> =
            imports[file].keys().filter(|target| circle.contains(target)).map(String::as_str).collect();
        text += &format!("\n    {file} -> {}", targets.join(", "));
    }
    text
}

/// How many files the largest circle of each crate has; one for none.
pub(crate) fn largest(tree: &Tree, houses: &[House]) -> Vec<(String, usize)> {
    let largest =
        |house: &House| circles(&imports(&sources(tree, &house.src))).iter().map(Vec::len).max().unwrap_or(1);
    houses.iter().map(|house| (house.src.clone(), largest(house))).collect()
}

/// The floor that a file stands on, counted from the top; the longest name in the table that fits.
fn floor_of(house: &House, file: &str) -> Option<usize> {
    let fits = |name: &str| file == name || file.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
    let rows =
        house.floors.iter().enumerate().flat_map(|(n, names)| names.split(' ').map(move |name| (n, name)));
    rows.filter(|(_, name)| fits(name)).max_by_key(|(_, name)| name.len()).map(|(n, _)| n)
}

fn sources<'a>(tree: &'a Tree, src: &str) -> Sources<'a> {
    let production = tree.sources.iter().filter(|source| !source.is_test);
    production.filter_map(|source| Some((module(source.path.strip_prefix(src)?)?, source))).collect()
}

fn imports(sources: &Sources<'_>) -> Imports {
    let files = Files { names: sources.keys().map(String::as_str).collect(), sources };
    let targets = |(file, source): (&String, &&Source)| {
        let mut targets = BTreeMap::new();
        for (path, line) in paths(source) {
            let target = files.resolve(file, &path, 0);
            if let Some(target) = target.filter(|target| target != file) {
                targets.entry(target).or_insert(line);
            }
        }
        (file.clone(), targets)
    };
    sources.iter().map(targets).collect()
}

/// `socket/base` for `/socket/base.rs`, `socket` for `/socket/mod.rs`; none for what is no module of the library.
fn module(path: &str) -> Option<String> {
    let path = path.strip_prefix('/')?.strip_suffix(".rs")?;
    let path = path.strip_suffix("/mod").unwrap_or(path);
    (!path.starts_with("bin/") && path != "main").then(|| path.to_owned())
}

/// The paths of production code that may begin in the crate itself.
fn paths(source: &Source) -> Vec<(Vec<&str>, usize)> {
    let imports = source.imports.iter().map(|run| (path_at(run), run[0].line));
    let mut in_use = false;
    let inline = (0..source.tokens.len()).filter_map(|at| {
        let token = &source.tokens[at];
        in_use = if in_use { token.text != ";" } else { token.text == "use" };
        let begins = at == 0 || source.tokens[at - 1].text != "::";
        let own = ["crate", "self", "super"].contains(&token.text.as_str());
        (begins && own && !in_use).then(|| (path_at(&source.tokens[at..]), token.line))
    });
    imports.chain(inline).filter(|(_, line)| !source.in_test(*line)).collect()
}

/// The names of the path at the head of `run`.
fn path_at(run: &[Token]) -> Vec<&str> {
    let mut names = vec![run[0].text.as_str()];
    let mut rest = &run[1..];
    while let [colons, name, after @ ..] = rest {
        if colons.text != "::" || !name.text.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            break;
        }
        names.push(&name.text);
        rest = after;
    }
    if matches!(rest, [colons, star, ..] if colons.text == "::" && star.text == "*") {
        names.push("*");
    }
    names
}

/// How many exports of exports are followed.
const LONGEST_CHAIN: usize = 4;

/// The production files of one crate.
struct Files<'a> {
    names: BTreeSet<&'a str>,
    sources: &'a Sources<'a>,
}

impl Files<'_> {
    /// The file that a path of `file` leads to, if it begins in the crate.
    fn resolve(&self, file: &str, path: &[&str], depth: usize) -> Option<String> {
        let mut at: Vec<&str> = if file == "lib" { Vec::new() } else { file.split('/').collect() };
        let mut rest = path;
        match *path.first()? {
            "crate" => {
                at.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {
                while rest.first() == Some(&"super") {
                    at.pop();
                    rest = &rest[1..];
                }
            }
            child => {
                at.push(child);
                let known = self.knows(&at);
                at.pop();
                if !known {
                    return None;
                }
            }
        }
        // `self` alone is a receiver, and a path without a name leads to nothing.
        rest.first()?;
        while let Some((name, after)) = rest.split_first() {
            at.push(name);
            if !self.knows(&at) {
                at.pop();
                break;
            }
            rest = after;
        }
        let target = if at.is_empty() { "lib".to_owned() } else { at.join("/") };
        if !self.names.contains(target.as_str()) {
            return None;
        }
        let exported = rest.first().filter(|_| depth < LONGEST_CHAIN && target != file);
        let origin = exported.and_then(|name| self.origin(&target, name, depth + 1));
        Some(origin.unwrap_or(target))
    }

    /// Where a name that `file` imports, and so may export again, comes from.
    fn origin(&self, file: &str, name: &str, depth: usize) -> Option<String> {
        let runs = self.sources.get(file)?.imports.iter();
        let mut named = runs.filter(|run| run.len() > 1 && run.last().is_some_and(|last| last.text == name));
        named.find_map(|run| self.resolve(file, &path_at(run), depth))
    }

    /// Whether a module is a file, or a folder of files.
    fn knows(&self, module: &[&str]) -> bool {
        let module = module.join("/");
        let below = format!("{module}/");
        self.names.contains(module.as_str()) || self.names.iter().any(|file| file.starts_with(&below))
    }
}

/// The groups of files that import each other, each sorted.
fn circles(imports: &Imports) -> Vec<Vec<String>> {
    let edges =
        imports.iter().flat_map(|(file, targets)| targets.keys().map(move |target| (&file[..], &target[..])));
    let mut circles = tarjan_scc(&DiGraphMap::<&str, ()>::from_edges(edges));
    circles.retain(|files| files.len() > 1);
    circles.iter_mut().for_each(|files| files.sort_unstable());
    circles.sort_unstable();
    circles.iter().map(|files| files.iter().map(|&file| file.to_owned()).collect()).collect()
}

#[cfg(test)]
#[path = "storeys_tests.rs"]
mod tests;
