//! The crate `zmq-sys` without libzmq: the same items, on `zeroxide-capi`.
//!
//! Named in `[patch.crates-io]`, it takes the place of `zmq-sys` 0.12, and what is built on the crate `zmq` needs neither
//! libzmq nor a C++ compiler:
//!
//! ```toml
//! [patch.crates-io]
//! zmq-sys = { git = "https://github.com/zeroxide/zeroxide" }
//! ```
//!
//! `cargo xtask test` compares its items with those of the real crate; `examples/zmq-crate` is a whole project.

// Defines the functions. Nothing else mentions it, so that the linker has to be told.
extern crate capi as _;

mod constants;
pub mod errno;
mod functions;

pub use constants::*;
pub use functions::{
    zmq_bind, zmq_close, zmq_connect, zmq_ctx_get, zmq_ctx_new, zmq_ctx_set, zmq_ctx_shutdown, zmq_ctx_term,
    zmq_curve_keypair, zmq_device, zmq_disconnect, zmq_errno, zmq_free_fn, zmq_getsockopt, zmq_has,
    zmq_msg_close, zmq_msg_copy, zmq_msg_data, zmq_msg_get, zmq_msg_gets, zmq_msg_init, zmq_msg_init_data,
    zmq_msg_init_size, zmq_msg_more, zmq_msg_move, zmq_msg_recv, zmq_msg_send, zmq_msg_set, zmq_msg_size,
    zmq_msg_t, zmq_poll, zmq_pollitem_t, zmq_proxy, zmq_proxy_steerable, zmq_recv, zmq_recviov, zmq_recvmsg,
    zmq_send, zmq_send_const, zmq_sendiov, zmq_sendmsg, zmq_setsockopt, zmq_socket, zmq_socket_monitor,
    zmq_strerror, zmq_unbind, zmq_version, zmq_z85_decode, zmq_z85_encode,
};

#[cfg(unix)]
pub use std::os::fd::RawFd;
#[cfg(windows)]
pub use std::os::windows::io::RawSocket as RawFd;
