//! Clone, step 6, as processes: both servers are killed, one after the other, while two clients make changes.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a test's helpers

use std::path::PathBuf;

use guide_publish::Entry;
use guide_running::{LONG, Program};
use zeroxide::{Context, Message, SocketType};

const BEAT: &str = "100";

/// The endpoints of two servers that must know each other's before they run: files in a folder for each.
struct Folder(PathBuf);

impl Folder {
    #[track_caller]
    fn new(test: &str) -> Folder {
        let folder = std::env::temp_dir().join(format!("zeroxide-clone-{}-{test}", std::process::id()));
        for role in ["primary", "backup"] {
            assert!(std::fs::create_dir_all(folder.join(role)).is_ok());
        }
        Folder(folder)
    }

    fn base(&self, role: &str) -> String {
        format!("ipc://{}", self.0.join(role).display())
    }

    fn server(&self, role: &str) -> Program {
        let other = if role == "primary" { "backup" } else { "primary" };
        let (own, other) = (self.base(role), self.base(other));
        Program::start(env!("CARGO_BIN_EXE_clone6_server"), &[role, &own, &other, BEAT])
    }

    fn client(&self, name: &str, changes: &str) -> Program {
        let (primary, backup) = (self.base("primary"), self.base("backup"));
        let arguments = [&primary[..], &backup, name, changes, "10", BEAT];
        Program::start(env!("CARGO_BIN_EXE_clone6_client"), &arguments)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn no_change_is_lost_when_one_server_after_the_other_is_killed() {
    let folder = Folder::new("kill");
    let mut primary = folder.server("primary");
    let mut backup = folder.server("backup");
    primary.line("primary is Active");
    backup.line("copy of 0 keys");
    let (mut anna, bert) = (folder.client("anna", "100"), folder.client("bert", "100"));

    anna.line("/anna/20 = 20");
    primary.kill();
    backup.line("backup is Active");
    anna.line("server 1 has");
    let mut primary = folder.server("primary");
    primary.line("primary is Passive");
    primary.line("copy of");
    anna.line("/anna/60 = 60");
    backup.kill();

    for client in [anna, bert] {
        let ended = client.end();
        assert!(ended.success && ended.has("all 100 changes are safe"), "{:#?}", ended.lines);
    }
    let mut reader = folder.client("reader", "0");
    let has = reader.line("server 0 has ");
    primary.line("primary is Active");
    assert_eq!(has.split(' ').next(), Some("200"), "{has}");
}

/// The other server is this test, which says what it has copied.
#[test]
fn a_change_is_safe_when_the_other_server_has_copied_it() {
    let folder = Folder::new("safe");
    let context = Context::new();
    let socket = |socket_type| context.socket(socket_type).unwrap();
    let at = |role, name| format!("{}/{name}", folder.base(role));
    let reports = socket(SocketType::Pub);
    reports.bind(at("backup", "reports")).unwrap();
    let (primary, backup) = (folder.base("primary"), folder.base("backup"));
    // It would take three intervals of silence until the primary knows that it is alone.
    let arguments = ["primary", &primary[..], &backup, "500"];
    let mut primary = Program::start(env!("CARGO_BIN_EXE_clone6_server"), &arguments);
    reports.wait_for_subscribers("", 1, LONG).unwrap();
    reports.send(["waiting 0", "0"]).unwrap();
    primary.line("primary is Active");

    let updates = socket(SocketType::Sub);
    updates.subscribe("").unwrap();
    updates.connect(at("primary", "updates")).unwrap();
    let next = || updates.recv_timeout(LONG).unwrap();
    let copied = |message: &Message| u64::from_be_bytes(message[1][..].try_into().unwrap());
    next();
    let changes = socket(SocketType::Push);
    changes.connect(at("primary", "changes")).unwrap();
    changes.send(Entry::new("key", "value").to_message()).unwrap();
    let update = std::iter::repeat_with(next).find_map(Entry::from_message).unwrap();
    assert_eq!((&update.key[..], update.sequence), ("key", 1));

    reports.send(["passive 1", "0"]).unwrap();
    assert_eq!(copied(&next()), 0);
    reports.send(["passive 1", "1"]).unwrap();
    while copied(&next()) != 1 {}
}
