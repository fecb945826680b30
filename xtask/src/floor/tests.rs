//! Each rule fails on a small tree that breaks it, and passes on one that does not.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Fault, check_against};
use crate::bans::{BANS, Ban, OPENING, STRICT, WORDS};

/// A tree in a folder of its own, removed when dropped.
pub(super) struct Fixture(PathBuf);

impl Fixture {
    pub(super) fn new(files: &[(&str, &str)]) -> Fixture {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let root = std::env::temp_dir().join(format!("zeroxide-floor-{}-{number}", std::process::id()));
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Fixture(root)
    }

    pub(super) fn root(&self) -> &Path {
        &self.0
    }

    fn faults(&self, bans: &[Ban]) -> Vec<Fault> {
        check_against(&self.0, bans, &[]).err().unwrap_or_default()
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const ZMTP: &str = "[package]\nname = \"zeroxide-zmtp\"\n";
const PATTERNS: &str =
    "[package]\nname = \"zeroxide-patterns\"\n[dependencies]\nzeroxide-zmtp.workspace = true\n";
const TRANSPORTS: &str =
    "[package]\nname = \"zeroxide-transports\"\n[dependencies]\nzeroxide-zmtp.workspace = true\n";
const ROOT: &str = "[workspace.dependencies]\nzeroxide-zmtp = { path = \"zmtp\" }\n[package]\nname = \"zeroxide\"\n\
     [dependencies]\nzeroxide-zmtp.workspace = true\nzeroxide-patterns.workspace = true\n\
     zeroxide-transports.workspace = true\n[dev-dependencies]\ninterop = { path = \"interop\" }\n";
const XTASK: &str = "[package]\nname = \"xtask\"\n[dependencies]\nzeroxide.workspace = true\n";

/// A tree that keeps every rule.
const CLEAN: &[(&str, &str)] = &[
    ("Cargo.toml", ROOT),
    ("zmtp/Cargo.toml", ZMTP),
    ("patterns/Cargo.toml", PATTERNS),
    ("transports/Cargo.toml", TRANSPORTS),
    ("xtask/Cargo.toml", XTASK),
    ("xtask/src/main.rs", "fn main() { let _ = zeroxide::VERSION; }\n"),
    ("examples/quickstart.rs", "use zeroxide_zmtp::Message;\nfn main() {}\n"),
];

/// The faults of the clean tree after `files` were added to it or put in the place of its own.
fn with(files: &[(&str, &str)]) -> Vec<Fault> {
    with_bans(files, BANS)
}

fn with_bans(files: &[(&str, &str)], bans: &[Ban]) -> Vec<Fault> {
    let lib = lib();
    let libs = ["src/lib.rs", "zmtp/src/lib.rs", "patterns/src/lib.rs", "transports/src/lib.rs"];
    let mut all = CLEAN.to_vec();
    all.extend(libs.map(|path| (path, lib.as_str())));
    all.retain(|(path, _)| !files.iter().any(|(other, _)| other == path));
    all.extend_from_slice(files);
    Fixture::new(&all).faults(bans)
}

/// The lib.rs of a crate of the core.
fn lib() -> String {
    format!("//! A crate.\n{}\n{}\n", OPENING.join("\n"), STRICT.join("\n"))
}

/// Asserts that there is one fault, of `rule` in `path`, and returns it.
#[track_caller]
fn the_fault(faults: &[Fault], rule: &str, path: &str) -> Fault {
    let [fault] = faults else { panic!("one fault of {rule} in {path} expected: {faults:#?}") };
    assert_eq!((fault.rule, fault.path.as_str()), (rule, path), "{fault}");
    fault.clone()
}

#[test]
fn a_clean_tree_passes() {
    assert_eq!(with(&[]), []);
}

#[test]
fn an_arrow_up_or_sideways_in_a_manifest_fails() {
    let cases = [
        ("zmtp/Cargo.toml", format!("{ZMTP}[dependencies]\nzeroxide-patterns.workspace = true\n")),
        ("zmtp/Cargo.toml", format!("{ZMTP}[dev-dependencies]\nzeroxide = {{ path = \"..\" }}\n")),
        ("patterns/Cargo.toml", format!("{PATTERNS}zeroxide-transports = {{ path = \"../transports\" }}\n")),
        (
            "patterns/Cargo.toml",
            format!("{PATTERNS}bytes2 = {{ package = \"zeroxide-transports\", version = \"1\" }}\n"),
        ),
        (
            "transports/Cargo.toml",
            format!("{TRANSPORTS}[build-dependencies]\nzeroxide-patterns.workspace = true\n"),
        ),
        (
            "transports/Cargo.toml",
            format!("{TRANSPORTS}[target.'cfg(unix)'.dependencies]\nzeroxide = \"1\"\n"),
        ),
        (
            "Cargo.toml",
            ROOT.replace("[dev-dependencies]", "interop = \"1\"\n[dev-dependencies]\nbenches = \"1\"\n[x]"),
        ),
        (
            "capi/Cargo.toml",
            "[package]\nname = \"zeroxide-capi\"\n[dependencies]\nzeroxide-zmtp = \"1\"\n".to_owned(),
        ),
    ];
    for (path, manifest) in cases {
        the_fault(&with(&[(path, &manifest)]), "arrows", path);
    }
}

#[test]
fn a_downward_arrow_passes() {
    let capi = "[package]\nname = \"zeroxide-capi\"\n[dependencies]\nzeroxide = { path = \"..\" }\n";
    assert_eq!(with(&[("capi/Cargo.toml", capi), ("capi/src/lib.rs", "use zeroxide::face;\n")]), []);
    assert_eq!(with(&[("patterns/src/pair.rs", "use zeroxide_zmtp::Message;\n")]), []);
}

#[test]
fn a_crate_without_a_room_fails() {
    let manifest = "[package]\nname = \"zeroxide-extra\"\n";
    the_fault(&with(&[("extra/Cargo.toml", manifest)]), "arrows", "extra/Cargo.toml");
}

#[test]
fn a_module_of_another_crate_fails() {
    let text = "#[path = \"../../patterns/src/pair.rs\"]\nmod pair;\n";
    the_fault(&with(&[("transports/src/tcp.rs", text)]), "arrows", "transports/src/tcp.rs");
    the_fault(&with(&[("fuzz/calls/src/lib.rs", text)]), "arrows", "fuzz/calls/src/lib.rs");
    assert_eq!(with(&[("xtask/src/pair.rs", text)]), [], "xtask may import anything");
}

#[test]
fn a_file_over_its_budget_fails() {
    let lines = |number: usize| "const A: u8 = 1;\n".repeat(number);
    the_fault(&with(&[("src/long.rs", &lines(801))]), "sizes", "src/long.rs");
    assert_eq!(with(&[("src/long.rs", &lines(800))]), []);
}

#[test]
fn tests_count_against_no_budget() {
    let filler = "    const A: u8 = 1;\n".repeat(900);
    let cases = [
        vec![("src/a.rs", format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{filler}}}\n"))],
        vec![("src/a.rs", "#[cfg(test)]\nmod tests;\n".to_owned()), ("src/a/tests.rs", filler.clone())],
        vec![
            ("src/a.rs", "#[cfg(test)]\n#[path = \"b_tests.rs\"]\nmod tests;\n".to_owned()),
            ("src/b_tests.rs", filler.clone()),
        ],
        vec![
            ("src/lib.rs", format!("{}#[cfg(all(test, unix))]\nmod t;\n", lib())),
            ("src/t/mod.rs", filler.clone()),
        ],
        vec![("src/a.rs", format!("#[cfg(any(test, feature = \"fake\"))]\npub mod fake {{\n{filler}}}\n"))],
        vec![("src/a.rs", format!("#![cfg(test)]\n{filler}"))],
        vec![("tests/all.rs", filler.clone())],
        vec![("zmtp/tests/all.rs", filler.clone())],
    ];
    for files in cases {
        let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
        assert_eq!(with(&files), []);
    }
}

#[test]
fn what_only_looks_like_a_test_counts() {
    let filler = "    const A: u8 = 1;\n".repeat(900);
    for head in
        ["#[cfg(not(test))]", "#[cfg(any(test, unix))]", "#[cfg(feature = \"test\")]", "#[doc = \"test\"]"]
    {
        let text = format!("{head}\nmod a {{\n{filler}}}\n");
        the_fault(&with(&[("src/a.rs", &text)]), "sizes", "src/a.rs");
    }
    the_fault(&with(&[("src/tests.rs", &filler)]), "sizes", "src/tests.rs");
}

#[test]
fn what_follows_a_test_item_is_production_again() {
    for item in [
        "mod tests {}",
        "mod tests;",
        "use a::{b, c};",
        "const A: [u8; 2] = [1, 2];",
        "fn f<A, B>(a: A, b: B) {}",
        "struct A { b: u8 }",
        "impl A { fn f() {} }",
    ] {
        let text = format!("#[cfg(test)]\n{item}\nstatic mut B: u8 = 0;\n");
        assert_eq!(the_fault(&with(&[("src/a.rs", &text)]), "global state", "src/a.rs").line, 3);
    }
    let text = "struct A {\n    #[cfg(test)]\n    b: HashMap<u8, u8>,\n}\nstatic mut A: u8 = 0;\n";
    assert_eq!(the_fault(&with(&[("src/a.rs", text)]), "global state", "src/a.rs").line, 5);
}

/// A line for each pattern of each ban, in a file where the ban holds.
const BROKEN: &[(&str, &str, &str)] = &[
    ("socket type", "src/socket.rs", "fn f() { if t == SocketType::XPub {} }"),
    ("socket type", "patterns/src/pair.rs", "use zeroxide_zmtp::SocketType::{Pair, Req};"),
    ("socket type", "zmtp/src/connection.rs", "use crate::SocketType::*;"),
    ("global state", "src/context.rs", "static mut A: u8 = 0;"),
    ("global state", "src/context.rs", "lazy_static::lazy_static! {}"),
    ("global state", "src/context.rs", "static A: std::sync::OnceLock<u8> = std::sync::OnceLock::new();"),
    ("global state", "src/context.rs", "static A: OnceCell<u8> = new();"),
    ("global state", "src/context.rs", "pub static A: LazyLock<u8> = new();"),
    ("global state", "src/context.rs", "fn f() { static A: Option<Mutex<u8>> = None; }"),
    ("global state", "src/context.rs", "static A: RwLock<u8> = new();"),
    ("unbounded queue", "transports/src/inproc.rs", "fn f() { std::sync::mpsc::channel(); }"),
    ("clock", "patterns/src/pair.rs", "fn f() { std::time::Instant::now(); }"),
    ("clock", "src/socket.rs", "fn f() { Instant::now(); }"),
    ("clock", "src/socket.rs", "fn f() { SystemTime::now(); }"),
    ("clock", "zmtp/src/heartbeat.rs", "fn f() { SystemTime::now(); }"),
    ("threads and sockets", "zmtp/src/connection.rs", "fn f() { std::thread::spawn(g); }"),
    ("threads and sockets", "zmtp/src/connection.rs", "use std::net::TcpStream;"),
    ("threads and sockets", "zmtp/src/connection.rs", "use std::net::TcpListener;"),
    ("threads and sockets", "zmtp/src/connection.rs", "use std::net::UdpSocket;"),
    ("threads and sockets", "zmtp/src/connection.rs", "use std::os::unix::net::UnixStream;"),
    ("threads and sockets", "zmtp/src/connection.rs", "use std::os::unix::net::UnixListener;"),
    ("threads and sockets", "patterns/src/pair.rs", "use mio::Token;"),
    ("randomness", "patterns/src/pair.rs", "use std::hash::RandomState;"),
    ("randomness", "patterns/src/pair.rs", "fn f() { HashMap::new(); }"),
    ("randomness", "patterns/src/pair.rs", "fn f() { HashSet::new(); }"),
    ("randomness", "patterns/src/pair.rs", "fn f() { HashMap::with_capacity(8); }"),
    ("face", "tests/parts.rs", "use zeroxide::{Context, face::Part};"),
];

#[test]
fn each_ban_fails_on_what_it_bans() {
    for (name, path, text) in BROKEN {
        let faults = with(&[(path, text)]);
        assert!(
            !faults.is_empty() && faults.iter().all(|f| f.rule == *name && f.path == *path),
            "{text}: {faults:?}"
        );
    }
}

#[test]
fn each_pattern_of_each_ban_is_proven() {
    for ban in BANS {
        for pattern in ban.patterns.chunks(1) {
            let alone = Ban { patterns: pattern, ..*ban };
            let mut snippets = BROKEN.iter().filter(|(name, _, _)| *name == ban.name);
            let proven = snippets.any(|(_, path, text)| !with_bans(&[(path, text)], &[alone]).is_empty());
            assert!(proven, "nothing in BROKEN proves `{pattern:?}` of {}", ban.name);
        }
    }
}

#[test]
fn what_a_ban_does_not_mean_passes() {
    for (path, text) in [
        ("src/a.rs", "/// Never `static mut`.\nconst A: &str = \"static mut\"; // static mut\n"),
        ("patterns/src/a.rs", "#[cfg(test)]\nmod tests {\n    fn f() { Instant::now(); }\n}\n"),
        ("patterns/src/a.rs", "#[test]\nfn f() { Instant::now(); }\n"),
        ("src/a.rs", "fn f() { SocketType::from_number(1); SocketType::ALL; }\n"),
        ("src/a.rs", "struct A { b: OnceLock<u8>, c: &'static Mutex<u8> }\n"),
        ("src/a.rs", "static A: &str = \"\"; fn f(b: Mutex<u8>) {}\n"),
        ("src/a.rs", "fn f() { HashMap::new(); }\n"),
        ("src/clock.rs", "fn f() { Instant::now(); }\n"),
        ("patterns/src/any.rs", "fn f() { SocketType::Pair; }\n"),
    ] {
        assert_eq!(with(&[(path, text)]), [], "{path}: {text}");
    }
}

#[test]
fn a_core_crate_without_its_lints_fails() {
    for path in ["zmtp/src/lib.rs", "patterns/src/lib.rs", "transports/src/lib.rs", "src/lib.rs"] {
        let strict = if path == "src/lib.rs" { &[] } else { STRICT };
        for line in OPENING.iter().chain(strict) {
            let text = lib().replace(line, &format!("// {line}"));
            assert!(the_fault(&with(&[(path, &text)]), "opening", path).text.contains(line));
        }
    }
}

#[test]
fn a_word_of_one_workplace_fails_in_any_file() {
    for (word, _) in WORDS {
        let text = format!("# Notes\n\nsee {word}x\n");
        for path in ["docs/NOTES.md", "interop/peers/run.py", "src/notes.txt", ".github/workflows/ci.yml"] {
            assert_eq!(the_fault(&with(&[(path, &text)]), "words", path).line, 3);
        }
        assert_eq!(with(&[("target/debug/notes.txt", &text)]), [], "what is built is not the project");
        assert_eq!(with(&[(".git", &text)]), [], "nor is what git keeps in a work tree");
    }
}

#[test]
fn what_does_not_parse_fails() {
    assert_eq!(
        the_fault(&with(&[("src/a.rs", "fn f() {}\nfn g( {}\n")]), "syntax", "src/a.rs").path,
        "src/a.rs"
    );
    assert_eq!(the_fault(&with(&[("src/a.rs", "fn f() {}\nfn 1() {}\n")]), "syntax", "src/a.rs").line, 2);
    the_fault(&with(&[("xtask/Cargo.toml", "[package\n")]), "syntax", "xtask/Cargo.toml");
}
