//! The programs of chapter 3 as processes.
#![allow(clippy::unwrap_used)] // a test's helpers

use guide_running::{ANY, LONG, Program};
use zeroxide::{Context, Frame, Message, Socket, SocketType};

#[test]
fn a_router_addresses_its_peers_by_their_routing_ids() {
    let ended = Program::start(env!("CARGO_BIN_EXE_routing_ids"), &[]).end();
    assert!(ended.success);
    assert_eq!(
        ended.lines,
        [
            r#"REQ: 3 frames, the first of 5 bytes, then "" "hello""#,
            r#"REQ has received ["hello", "and welcome"]"#,
            r#"DEALER: "alice" has sent ["hello"]"#,
            r#"DEALER has received ["one"] and ["two", "of", "three frames"]"#,
            r#"bob: no peer with routing id "bob"; 2 peers known, see peers()"#,
            r#"DEALER has received ["still there?"]"#,
        ]
    );
}

/// A worker that has one request and does not reply to it yet.
struct Busy {
    worker: Socket,
    request: Message,
    client: Program,
}

impl Busy {
    /// Starts a client whose one request this worker gets, which is ready.
    fn start(worker: Socket, clients_at: &str) -> Busy {
        let client = client(clients_at, "1");
        let request = worker.recv_timeout(LONG).unwrap();
        Busy { worker, request, client }
    }

    /// Replies at last.
    fn finish(self) {
        let (mut reply, _) = self.request.split_envelope();
        for frame in ["", "late", "from the test"] {
            reply.push_back(Frame::from(frame));
        }
        self.worker.send(reply).unwrap();
        assert_eq!(self.client.end().lines, [r#""late" "from the test""#]);
    }
}

/// Returns a worker that has said that it is ready.
fn ready(context: &Context, workers_at: &str) -> Socket {
    let worker = context.socket(SocketType::Req).unwrap();
    worker.connect(workers_at).unwrap();
    worker.send("ready").unwrap();
    worker
}

fn client(at: &str, requests: &str) -> Program {
    Program::start(env!("CARGO_BIN_EXE_balancing_client"), &[at, requests])
}

fn worker(at: &str, name: &str) -> Program {
    Program::start(env!("CARGO_BIN_EXE_balancing_worker"), &[at, name])
}

#[test]
fn a_balancing_broker_gives_nothing_to_a_worker_that_is_busy() {
    let mut broker = Program::start(env!("CARGO_BIN_EXE_balancing_broker"), &[ANY, ANY]);
    let (clients_at, workers_at) = (broker.line("clients at "), broker.line("workers at "));
    let context = Context::new();
    let busy = Busy::start(ready(&context, &workers_at), &clients_at);
    // No worker is idle: these requests wait.
    let clients = [client(&clients_at, "20"), client(&clients_at, "20")];
    let _worker = worker(&workers_at, "quick");
    for client in clients {
        let ended = client.end();
        assert_eq!((ended.lines.len(), ended.count("from worker quick")), (20, 20), "{:?}", ended.lines);
    }
    busy.finish();
}

#[test]
fn an_asynchronous_server_sends_each_client_its_own_replies() {
    let mut server = Program::start(env!("CARGO_BIN_EXE_async_server"), &[ANY]);
    let at = server.line("bound ");
    let names = ["ann", "ben", "cat", "dan", "eve"];
    let clients = names.map(|name| Program::start(env!("CARGO_BIN_EXE_async_client"), &[name, "20", &at]));
    for (client, name) in clients.into_iter().zip(names) {
        let ended = client.end();
        assert_eq!(ended.after("60 replies to "), "20 requests");
        assert_eq!((ended.count(&format!("{name}: x")), ended.count("part 3")), (60, 20));
        let position = |line: &str| ended.lines.iter().position(|found| found == line).unwrap();
        let parts = [1, 2, 3].map(|part| position(&format!("{name}: x part {part}")));
        assert!(parts.is_sorted(), "the replies to one request are in order");
    }
}

#[cfg(unix)]
#[test]
fn brokers_give_to_their_peers_what_their_own_workers_cannot_do() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let names = ["north", "south", "west"];
    let start = |name: &str| {
        let peers = names.into_iter().filter(|peer| *peer != name);
        let arguments: Vec<&str> = [folder, name].into_iter().chain(peers).collect();
        let mut broker = Program::start(env!("CARGO_BIN_EXE_peering_broker"), &arguments);
        broker.line("is ready");
        broker
    };
    let [north, south, west] = names.map(start);
    let at = |broker: &str, what: &str| format!("ipc://{folder}/{broker}-{what}");
    let _workers = ["one", "two"].map(|name| worker(&at("south", "workers"), name));

    // South has workers.
    let ended = client(&at("south", "clients"), "10").end();
    assert_eq!((ended.lines.len(), ended.count("from worker ")), (10, 10));
    // North has none.
    let ended = client(&at("north", "clients"), "10").end();
    assert_eq!((ended.lines.len(), ended.count("from worker ")), (10, 10));
    // West has one, which is busy.
    let context = Context::new();
    let states = context.socket(SocketType::Sub).unwrap();
    states.subscribe("west").unwrap();
    states.connect(at("west", "state")).unwrap();
    let worker = ready(&context, &at("west", "workers"));
    while states.recv_timeout(LONG).unwrap()[1] != "1" {}
    let busy = Busy::start(worker, &at("west", "clients"));
    let ended = client(&at("west", "clients"), "10").end();
    assert_eq!((ended.lines.len(), ended.count("from worker ")), (10, 10));
    busy.finish();

    let to_south = [north, south, west].map(|broker| broker.kill().count("a request goes to \"south\""));
    assert_eq!(to_south, [10, 0, 10]);
}
