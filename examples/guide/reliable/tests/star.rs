//! Binary star as processes: servers are killed, stopped and started again, and the client goes on.
#![cfg(unix)]

use std::path::PathBuf;

use guide_running::Program;

/// Endpoints that are known before the servers run, as each must know the other one's. They are files of a folder.
struct Endpoints(PathBuf);

impl Endpoints {
    #[track_caller]
    fn new(test: &str) -> Endpoints {
        let folder = std::env::temp_dir().join(format!("zeroxide-star-{}-{test}", std::process::id()));
        assert!(std::fs::create_dir_all(&folder).is_ok());
        Endpoints(folder)
    }

    fn of(&self, name: &str) -> String {
        format!("ipc://{}", self.0.join(name).display())
    }

    /// Starts one of the two servers.
    fn server(&self, role: &str) -> Program {
        let peer = if role == "primary" { "backup" } else { "primary" };
        let own = [self.of(&format!("{role}-clients")), self.of(role), self.of(peer)];
        Program::start(env!("CARGO_BIN_EXE_star_server"), &[role, &own[0], &own[1], &own[2], "100"])
    }

    fn client(&self) -> Program {
        let servers = [self.of("primary-clients"), self.of("backup-clients")];
        Program::start(env!("CARGO_BIN_EXE_star_client"), &[&servers[0], &servers[1], "200", "1000000000"])
    }
}

impl Drop for Endpoints {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Ends the client. Its replies must be those of its requests, each once and in order.
#[track_caller]
fn assert_replies(client: Program) {
    let lines = client.kill().lines;
    let replies: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("reply ")).collect();
    for (at, reply) in replies.iter().enumerate() {
        assert_eq!(reply.split(' ').next(), Some(&*(at + 1).to_string()), "{reply}");
    }
}

#[test]
fn the_passive_server_takes_over_from_one_that_is_killed_and_back() {
    let endpoints = Endpoints::new("kill");
    let (mut primary, mut backup) = (endpoints.server("primary"), endpoints.server("backup"));
    primary.line("primary is Active");
    backup.line("backup is Passive");
    let mut client = endpoints.client();
    client.line("from primary");
    primary.kill();
    client.line("from backup");
    let mut primary = endpoints.server("primary");
    primary.line("primary is Passive");
    client.line("from backup");
    backup.kill();
    client.line("from primary");
    assert_replies(client);
}

#[test]
fn a_server_that_hangs_and_goes_on_is_outdated_and_ends() {
    let endpoints = Endpoints::new("hang");
    let (mut primary, mut backup) = (endpoints.server("primary"), endpoints.server("backup"));
    primary.line("primary is Active");
    backup.line("backup is Passive");
    let mut client = endpoints.client();
    client.line("from primary");
    primary.stop();
    client.line("from backup");
    primary.resume();
    let ended = primary.end();
    assert_eq!((ended.code, ended.has("primary is Outdated")), (Some(1), true));
    for _ in 0..10 {
        client.line("from backup");
    }
    assert_replies(client);
}

#[test]
fn a_backup_alone_serves_nobody() {
    let endpoints = Endpoints::new("alone");
    let _backup = endpoints.server("backup");
    let mut client = endpoints.client();
    for _ in 0..6 {
        client.line("trying the other server");
    }
    let mut primary = endpoints.server("primary");
    primary.line("primary is Active");
    client.line("from primary");
    assert_replies(client);
}
