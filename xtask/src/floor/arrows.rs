//! Which crate may know which. Every arrow of the house is a row here, and there are no others.

use super::Fault;
use super::tree::{Source, Tree};

/// One crate of the house.
struct Room {
    /// Its folder; empty for the root.
    folder: &'static str,
    package: &'static str,
    /// The name that source uses.
    import: &'static str,
    /// The packages it may depend on; `None` for rooms that may import anything.
    arrows: Option<&'static [&'static str]>,
}

const HOUSE: &[Room] = &[
    Room { folder: "zmtp", package: "zeroxide-zmtp", import: "zeroxide_zmtp", arrows: Some(&[]) },
    Room {
        folder: "patterns",
        package: "zeroxide-patterns",
        import: "zeroxide_patterns",
        arrows: Some(&["zeroxide-zmtp"]),
    },
    Room {
        folder: "transports",
        package: "zeroxide-transports",
        import: "zeroxide_transports",
        arrows: Some(&["zeroxide-zmtp"]),
    },
    Room {
        folder: "",
        package: "zeroxide",
        import: "zeroxide",
        arrows: Some(&["zeroxide-patterns", "zeroxide-transports", "zeroxide-zmtp"]),
    },
    Room { folder: "capi", package: "zeroxide-capi", import: "zmq", arrows: Some(&["zeroxide"]) },
    Room { folder: "capi/zmq-sys", package: "zmq-sys", import: "zmq_sys", arrows: Some(&["zeroxide-capi"]) },
    Room { folder: "cli", package: "zeroxide-cli", import: "zeroxide_cli", arrows: Some(&["zeroxide"]) },
    Room { folder: "interop", package: "interop", import: "interop", arrows: None },
    Room { folder: "benches", package: "benches", import: "benches", arrows: None },
    Room { folder: "fuzz", package: "fuzz", import: "fuzz", arrows: None },
    Room { folder: "xtask", package: "xtask", import: "xtask", arrows: None },
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
            None if HOUSE.iter().any(|room| room.arrows.is_none() && inside(room.folder, folder)) => {}
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

fn check_source(source: &Source, faults: &mut Vec<Fault>) {
    let path = source.path.as_str();
    if FREE.iter().any(|folder| path.starts_with(folder)) {
        return;
    }
    // The root's folder is empty, so the longest match is the room.
    let rooms = HOUSE.iter().filter(|room| room.folder.is_empty() || inside(room.folder, path));
    let Some(room) = rooms.max_by_key(|room| room.folder.len()) else { return };
    for token in &source.tokens {
        let other = HOUSE.iter().find(|other| other.import == token.text && other.folder != room.folder);
        if let Some(other) = other.filter(|other| !allowed(room, other.package) && !other.folder_word()) {
            faults.push(fault(
                path,
                token.line,
                format!("{} must not mention {}", room.package, other.import),
            ));
        }
    }
    for window in source.tokens.windows(4) {
        let words: Vec<&str> = window.iter().map(|token| token.text.as_str()).collect();
        if words[..3] == ["[", "path", "="] && words[3].contains("..") {
            let text = "a #[path] that climbs out of its folder hides an arrow".to_owned();
            faults.push(fault(path, window[0].line, text));
        }
    }
}

impl Room {
    /// Whether its name is a common word that source may use for other things; Cargo.toml alone is asked then.
    fn folder_word(&self) -> bool {
        self.import == self.folder || self.import == "zmq"
    }
}

fn allowed(room: &Room, package: &str) -> bool {
    room.package == package || room.arrows.is_none_or(|arrows| arrows.contains(&package))
}

fn inside(folder: &str, path: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn fault(path: &str, line: usize, text: String) -> Fault {
    Fault { path: path.to_owned(), line, rule: "arrows", text }
}
