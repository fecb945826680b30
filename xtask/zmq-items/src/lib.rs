//! Compiles only if the items of capi/zmq-sys are those of the real zmq-sys. `cargo xtask zmq-sys` sets `REAL` to the folder
//! with the real crate's sources, and `CONSTANTS` to a file that asserts each constant to be equal.
#![deny(clashing_extern_declarations)] // two declarations of one function must agree in each type, structures included
#![allow(dead_code, non_camel_case_types, clippy::all)]

mod real {
    pub mod ffi {
        include!(concat!(env!("REAL"), "/ffi.rs"));
    }
    pub mod errno {
        include!(concat!(env!("REAL"), "/errno.rs"));
    }
}

#[path = "../../../capi/zmq-sys/src/constants.rs"]
mod constants;
#[path = "../../../capi/zmq-sys/src/errno.rs"]
mod errno;
#[path = "../../../capi/zmq-sys/src/functions.rs"]
mod functions;

include!(env!("CONSTANTS"));

/// The fields have the same names and types.
fn ours(
    real::ffi::zmq_msg_t { __ }: real::ffi::zmq_msg_t,
    real::ffi::zmq_pollitem_t { socket, fd, events, revents }: real::ffi::zmq_pollitem_t,
) -> (functions::zmq_msg_t, functions::zmq_pollitem_t) {
    (functions::zmq_msg_t { __ }, functions::zmq_pollitem_t { socket, fd, events, revents })
}

const _: fn(real::ffi::zmq_free_fn) -> functions::zmq_free_fn = |free| free;

/// The traits that the real ones have.
const _: fn() = {
    fn both<T: Copy + Default>() {}
    fn printed<T: std::fmt::Debug>() {}
    || {
        both::<functions::zmq_msg_t>();
        both::<functions::zmq_pollitem_t>();
        printed::<functions::zmq_pollitem_t>();
    }
};
