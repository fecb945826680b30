//! Reads the files of `interop/corpus`. Its README describes them.

use std::fs;
use std::path::{Path, PathBuf};

use zeroxide_zmtp::{SocketType, Version};

/// One recorded connection.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) sides: [Side; 2],
}

/// One side of a connection.
pub(crate) struct Side {
    pub(crate) program: String,
    pub(crate) version: Version,
    pub(crate) socket_type: SocketType,
    pub(crate) identity: Vec<u8>,
    /// The items that it sent.
    pub(crate) items: Vec<Item>,
    /// The bytes that it sent.
    pub(crate) bytes: Vec<u8>,
}

pub(crate) enum Item {
    Message(Vec<Vec<u8>>),
    Subscribe(Vec<u8>),
    Cancel(Vec<u8>),
    /// The context.
    Ping(Vec<u8>),
    /// The context.
    Pong(#[allow(dead_code)] Vec<u8>),
    Error(String),
}

impl Item {
    /// Returns the bytes of the PONG that answers a PING.
    pub(crate) fn pong_due(&self) -> Option<Vec<u8>> {
        let Item::Ping(context) = self else { return None };
        let size = 5 + context.len() as u8;
        Some([&[4, size, 4][..], b"PONG", context].concat())
    }
}

impl Side {
    pub(crate) fn has_pings(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Ping(_)))
    }

    /// Returns whether the bytes are determined by the items alone. Heartbeats depend on time, and a refusal on the
    /// decision of a mechanism. libzmq's XSUB sends some requests as the messages that its application wrote, even to
    /// 3.1.
    pub(crate) fn is_repeatable(&self) -> bool {
        let told = |item: &Item| matches!(item, Item::Message(_) | Item::Subscribe(_) | Item::Cancel(_));
        self.socket_type != SocketType::XSub && self.items.iter().all(told)
    }
}

/// Returns all files, ordered by name.
pub(crate) fn all() -> Vec<File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop/corpus");
    let mut paths: Vec<PathBuf> = entries(&root).into_iter().filter(|path| path.is_dir()).collect();
    paths = paths.iter().flat_map(|folder| entries(folder)).collect();
    paths.sort();
    let files: Vec<File> = paths.iter().map(|path| read(&root, path)).collect();
    assert!(!files.is_empty(), "{} has no recordings", root.display());
    files
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("a readable folder").path()).collect()
}

fn read(root: &Path, path: &Path) -> File {
    let name = path.strip_prefix(root).expect("a file of the corpus").display().to_string();
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"));
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut sides = Vec::new();
    let mut in_bytes = false;
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        match (&words[..], sides.last_mut()) {
            ([_, program, version, socket_type, identity], _) if line.starts_with(['l', 'r']) => {
                in_bytes = false;
                sides.push(Side {
                    program: (*program).to_owned(),
                    version: version_of(version),
                    socket_type: SocketType::from_name(socket_type.as_bytes()).expect("a socket type"),
                    identity: frame(identity),
                    items: Vec::new(),
                    bytes: Vec::new(),
                });
            }
            (["bytes"], Some(_)) => in_bytes = true,
            ([digits], Some(side)) if in_bytes => side.bytes.extend(bytes(digits)),
            (words, Some(side)) => side.items.push(item(words).unwrap_or_else(|| panic!("{name}: {line}"))),
            (_, None) => panic!("{name}: {line}"),
        }
    }
    File { sides: sides.try_into().unwrap_or_else(|_| panic!("{name}: not two sides")), name }
}

fn item(words: &[&str]) -> Option<Item> {
    Some(match words {
        ["message", frames @ ..] => Item::Message(frames.iter().map(|word| frame(word)).collect()),
        ["subscribe", topic] => Item::Subscribe(frame(topic)),
        ["cancel", topic] => Item::Cancel(frame(topic)),
        ["ping", _, context] => Item::Ping(frame(context)),
        ["pong", context] => Item::Pong(frame(context)),
        ["error", reason] => Item::Error(String::from_utf8(frame(reason)).expect("a reason in ASCII")),
        _ => return None,
    })
}

fn version_of(text: &str) -> Version {
    let versions = [Version::V1_0, Version::V2_0, Version::V3_0, Version::V3_1];
    versions.into_iter().find(|version| version.to_string() == text).expect("a version")
}

/// Parses a frame.
fn frame(word: &str) -> Vec<u8> {
    if word == "-" {
        return Vec::new();
    }
    let (kind, rest) = word.split_once(':').expect("a word with a colon");
    match kind {
        "t" => rest.as_bytes().to_vec(),
        "h" => bytes(rest),
        "f" => {
            let (size, seed) = rest.split_once(':').expect("a size and a seed");
            let number = |text: &str| text.parse::<u64>().expect("a number");
            let (size, seed) = (number(size), number(seed));
            (0..size).map(|n| ((seed + n) % 251) as u8).collect()
        }
        _ => panic!("{word}"),
    }
}

fn bytes(digits: &str) -> Vec<u8> {
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits"))
        .collect()
}
