//! A Jupyter kernel: what stands behind a notebook and computes. Its language is that of a pocket calculator ([`calculator`]).
//!
//! A kernel has five sockets, and a thread for each that it receives from:
//!
//! | socket | type | thread | carries |
//! |---|---|---|---|
//! | shell | ROUTER | the main one | requests to execute, and their replies |
//! | control | ROUTER | `control` | interrupt and shutdown, while the main thread computes |
//! | heartbeat | REP | `heartbeat` | bytes that go back as they came |
//! | stdin | ROUTER | the main one | requests for input, from the kernel to the front end |
//! | iopub | PUB | the first two | what happens, for all front ends: output, results, errors, busy and idle |
//!
//! Threads share sockets as they share anything else: two publish on iopub, and the one that receives the shutdown closes the
//! sockets of the others, which ends their blocked calls.
//!
//! To use it from Jupyter, put the file `kernel.json` into a folder `calculator` below one of the folders that `jupyter --paths`
//! lists as data, in its folder `kernels`:
//!
//! ```json
//! {"argv": ["/path/to/jupyter-kernel", "{connection_file}"], "display_name": "Calculator", "language": "calculator",
//!  "interrupt_mode": "message", "metadata": {"supported_encryption": "curve"}}
//! ```
//!
//! Then `jupyter console --kernel calculator` starts it. The protocol is that of
//! <https://jupyter-client.readthedocs.io/en/stable/messaging.html>; [`wire`] has its messages, [`sockets`] the sockets, [`kernel`]
//! the replies.

mod calculator;
mod kernel;
mod sockets;
mod wire;

use std::error::Error;

use kernel::Kernel;
use sockets::{Connection, Sockets};
use zeroxide::Context;

fn main() -> Result<(), Box<dyn Error>> {
    let [file] = &std::env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("argument: the connection file, which Jupyter writes".into());
    };
    let connection: Connection = serde_json::from_str(&std::fs::read_to_string(file)?)?;
    let context = Context::new();
    let sockets = Sockets::bind(&context, &connection)?;
    Kernel::new(sockets, connection.session()?).run()?;
    // The reply to the shutdown is the last message, and is still to be sent.
    context.term().wait();
    Ok(())
}
