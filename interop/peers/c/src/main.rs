//! Starts the peer, which is written in C: `peer.c`.

use std::ffi::c_int;

// Nothing of it is called from here; libzmq needs it linked.
use libsodium_sys as _;

unsafe extern "C" {
    safe fn peer_main() -> c_int;
}

fn main() {
    std::process::exit(peer_main());
}
