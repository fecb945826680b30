//! The heartbeats of ZMTP: both sides notice a peer that hangs, although its connection stays open.
#![cfg(unix)]

use guide_running::{ANY, Program};

const BEAT: &str = "50";

#[test]
fn each_side_notices_when_the_other_one_hangs_and_when_it_goes_on() {
    let mut server = Program::start(env!("CARGO_BIN_EXE_beat_server"), &[ANY, BEAT]);
    let endpoint = server.line("bound ");
    let mut client = Program::start(env!("CARGO_BIN_EXE_beat_client"), &[&endpoint, "bert", BEAT]);
    server.line("\"bert\" is here");

    client.stop();
    server.line("\"bert\" is lost");
    client.resume();
    client.line("server is lost");
    server.line("\"bert\" is here");

    server.stop();
    client.line("server is lost");
    server.resume();
    server.line("\"bert\" is here");

    client.kill();
    server.line("\"bert\" is lost");
}
