//! Zeroxide and pyzmq, which carries libzmq: every legal pair of types over tcp and ipc, either side bound, either
//! implementation on either side.
#![cfg(feature = "peers")]

#[macro_use]
mod common;

use std::time::Duration;

use interop::{Failure, Peer, Program};

const PYTHON: &str = "ZEROXIDE_PYTHON to a Python with pyzmq";

matrix!(common::there(Program::pyzmq(), "pyzmq", PYTHON));

/// Neither side names the other: each learns the name from the handshake, and the connecting side learns that the
/// handshake is over from the probe.
#[test]
fn routers_know_each_other_by_their_handshakes() {
    fn meet(binder: &Program, connecter: &Program) -> Result<(), Failure> {
        let (mut bound, mut connected) = (Peer::start(binder)?, Peer::start(connecter)?);
        for command in ["socket s ROUTER", "set s ROUTING_ID t:bound", "set s PROBE_ROUTER 1"] {
            bound.ask(command)?;
        }
        let endpoint = bound.ask("bind s tcp://127.0.0.1:*")?.concat();
        connected.ask("socket s ROUTER")?;
        connected.ask("set s ROUTING_ID t:connected")?;
        connected.ask(format!("connect s {endpoint}"))?;
        // libzmq probes whoever came only while its application is inside the library.
        bound.tell("recv s 10000")?;
        assert_eq!(connected.ask("recv s 10000")?, [told("bound"), "-".to_owned()]);
        connected.ask("send s 10000 t:bound t:hello")?;
        assert_eq!(bound.answer(Duration::ZERO)?, [told("connected"), told("hello")]);
        bound.ask("send s 10000 t:connected t:bye")?;
        assert_eq!(connected.ask("recv s 10000")?, [told("bound"), told("bye")]);
        Ok(())
    }
    let pyzmq = common::there(Program::pyzmq(), "pyzmq", PYTHON);
    let Some(pyzmq) = pyzmq else { return };
    meet(&common::zeroxide(), &pyzmq).unwrap();
    meet(&pyzmq, &common::zeroxide()).unwrap();
}

fn told(text: &str) -> String {
    interop::words::told(text.as_bytes())
}
