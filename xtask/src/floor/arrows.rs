//! Which crate may know which. Every arrow of the house is a row here, and there are no others.

use super::Fault;
use super::tree::{Source, Tree};

/// One crate of the house.
struct Room {
    /// Its folder; empty for the root.
    folder: &'static str,
    package: &'static str,
    /// The packages it may depend on; `None` for rooms that may import anything.
    arrows: Option<&'static [&'static str]>,
}

const HOUSE: &[Room] = &[
    Room { folder: "zmtp", package: "zeroxide-zmtp", arrows: Some(&[]) },
    Room { folder: "patterns", package: "zeroxide-patterns", arrows: Some(&["zeroxide-zmtp"]) },
    Room { folder: "transports", package: "zeroxide-transports", arrows: Some(&["zeroxide-zmtp"]) },
    Room {
        folder: "",
        package: "zeroxide",
        arrows: Some(&["zeroxide-patterns", "zeroxide-transports", "zeroxide-zmtp"]),
    },
    Room { folder: "capi", package: "zeroxide-capi", arrows: Some(&["zeroxide"]) },
    Room { folder: "capi/zmq-sys", package: "zmq-sys", arrows: Some(&["zeroxide-capi"]) },
    Room { folder: "cli", package: "zeroxide-cli", arrows: Some(&["zeroxide"]) },
    Room { folder: "interop", package: "interop", arrows: None },
    Room { folder: "benches", package: "benches", arrows: None },
    Room { folder: "hostile", package: "zeroxide-hostile", arrows: None },
    Room { folder: "simulator", package: "zeroxide-simulator", arrows: None },
    Room { folder: "fuzz", package: "fuzz", arrows: None },
    Room { folder: "fuzz/calls", package: "fuzz-calls", arrows: Some(&[]) },
    Room { folder: "xtask", package: "xtask", arrows: None },
];

/// Folders of the root package whose code may import anything, as its dev-dependencies may.
const FREE: &[&str] = &["examples/", "tests/"];

pub(crate) fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (path, manifest) in &tree.manifests {
        let folder = path.trim_end_matches("Cargo.toml").trim_end_matches('/');
        // A workspace of its own below a room (an example project, say) belongs to that room.
        match HOUSE.iter().find(|room| room.folder == folder) {
            Some(room) => check_manifest(room, path, manifest, &mut faults),
            None if FREE.iter().any(|free| path.starts_with(free)) => {}
            None if imports_anything(folder) => {}
            None => faults.push(fault(
                path,
                0,
                format!("no room for the crate in {folder}/: add it to {}", file!()),
            )),
        }
    }
    for source in &tree.sources {
        check_source(source, &mut faults);
    }
    faults
}

fn check_manifest(room: &Room, path: &str, manifest: &toml::Table, faults: &mut Vec<Fault>) {
    if manifest.get("package").and_then(|package| package.get("name")).is_none() {
        return;
    }
    for (section, package) in dependencies(manifest) {
        let free = room.folder.is_empty() && section == "dev-dependencies";
        if !free && HOUSE.iter().any(|other| other.package == package) && !allowed(room, &package) {
            let text = format!("{} must not depend on {package} ([{section}])", room.package);
            faults.push(fault(path, 0, text));
        }
    }
}

/// The packages of every section that adds dependencies, renamed ones by their real names.
fn dependencies(manifest: &toml::Table) -> Vec<(&'static str, String)> {
    const SECTIONS: &[&str] = &["dependencies", "dev-dependencies", "build-dependencies"];
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let targets = targets.into_iter().flat_map(|table| table.values()).filter_map(toml::Value::as_table);
    let mut found = Vec::new();
    for table in std::iter::once(manifest).chain(targets) {
        for section in SECTIONS {
            let entries = table.get(*section).and_then(toml::Value::as_table);
            for (key, value) in entries.into_iter().flatten() {
                let package = value.get("package").and_then(toml::Value::as_str).unwrap_or(key);
                found.push((*section, package.to_owned()));
            }
        }
    }
    found
}

/// The compiler knows no crate that a Cargo.toml does not name; a path that leaves the crate is all that is left.
fn check_source(source: &Source, faults: &mut Vec<Fault>) {
    if FREE.iter().any(|folder| source.path.starts_with(folder)) || imports_anything(&source.path) {
        return;
    }
    for window in source.tokens.windows(4) {
        let words: Vec<&str> = window.iter().map(|token| token.text.as_str()).collect();
        if words[..3] == ["[", "path", "="] && words[3].contains("..") {
            let text = "a #[path] that climbs out of its folder hides an arrow".to_owned();
            faults.push(fault(&source.path, window[0].line, text));
        }
    }
}

fn allowed(room: &Room, package: &str) -> bool {
    room.package == package || room.arrows.is_none_or(|arrows| arrows.contains(&package))
}

/// Whether the room that a path is in may import anything.
fn imports_anything(path: &str) -> bool {
    let is_inside = |room: &&Room| {
        path.strip_prefix(room.folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    HOUSE
        .iter()
        .filter(is_inside)
        .max_by_key(|room| room.folder.len())
        .is_some_and(|room| room.arrows.is_none())
}

fn fault(path: &str, line: usize, text: String) -> Fault {
    Fault { path: path.to_owned(), line, rule: "arrows", text }
}
