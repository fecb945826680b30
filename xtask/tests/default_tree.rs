//! What a user of `zeroxide` links without any feature: these crates and no others. A feature adds to them and is off by default.
#![allow(clippy::unwrap_used)] // a test's helpers

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// On Linux. A new one is defended beside its line in Cargo.toml.
const CRATES: [&str; 17] = [
    "bitflags",
    "bytes",
    "crossbeam-channel",
    "crossbeam-utils",
    "if-addrs",
    "libc",
    "linux-raw-sys",
    "log",
    "memchr",
    "mio",
    "nom",
    "rustix",
    "socket2",
    "zeroxide",
    "zeroxide-patterns",
    "zeroxide-transports",
    "zeroxide-zmtp",
];

#[test]
fn the_default_tree_has_these_crates_and_no_others() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let target = ["--target", "x86_64-unknown-linux-gnu"];
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "-p", "zeroxide", "-e", "normal", "--prefix", "none", "-f", "{p}"])
        .args(target)
        .current_dir(root)
        .output()
        .unwrap();
    let text = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let found: BTreeSet<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(found, BTreeSet::from(CRATES));
}
