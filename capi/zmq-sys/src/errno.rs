//! The error numbers that the functions leave in `errno`.

#![allow(missing_docs)] // C's own names

pub use libc::{
    EACCES, EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EBUSY, ECONNREFUSED, EFAULT, EHOSTUNREACH, EINPROGRESS, EINTR,
    EINVAL, EMFILE, EMSGSIZE, ENAMETOOLONG, ENETDOWN, ENOBUFS, ENODEV, ENOENT, ENOMEM, ENOTCONN, ENOTSOCK,
    ENOTSUP, EPROTO, EPROTONOSUPPORT,
};

/// libzmq's own numbers start here.
const HAUSNUMERO: i32 = 156_384_712;

pub const EFSM: i32 = HAUSNUMERO + 51;
pub const ENOCOMPATPROTO: i32 = HAUSNUMERO + 52;
pub const ETERM: i32 = HAUSNUMERO + 53;
pub const EMTHREAD: i32 = HAUSNUMERO + 54;

// What libzmq answers where the platform has no such number. None of ours does; programs compare with them.
pub const ENOTSUP_ALT: i32 = HAUSNUMERO + 1;
pub const EPROTONOSUPPORT_ALT: i32 = HAUSNUMERO + 2;
pub const ENOBUFS_ALT: i32 = HAUSNUMERO + 3;
pub const ENETDOWN_ALT: i32 = HAUSNUMERO + 4;
pub const EADDRINUSE_ALT: i32 = HAUSNUMERO + 5;
pub const EADDRNOTAVAIL_ALT: i32 = HAUSNUMERO + 6;
pub const ECONNREFUSED_ALT: i32 = HAUSNUMERO + 7;
pub const EINPROGRESS_ALT: i32 = HAUSNUMERO + 8;
pub const ENOTSOCK_ALT: i32 = HAUSNUMERO + 9;
pub const EMSGSIZE_ALT: i32 = HAUSNUMERO + 10;
pub const EAFNOSUPPORT_ALT: i32 = HAUSNUMERO + 11;
pub const ENETUNREACH_ALT: i32 = HAUSNUMERO + 12;
pub const ECONNABORTED_ALT: i32 = HAUSNUMERO + 13;
pub const ECONNRESET_ALT: i32 = HAUSNUMERO + 14;
pub const ENOTCONN_ALT: i32 = HAUSNUMERO + 15;
pub const ETIMEDOUT_ALT: i32 = HAUSNUMERO + 16;
pub const EHOSTUNREACH_ALT: i32 = HAUSNUMERO + 17;
pub const ENETRESET_ALT: i32 = HAUSNUMERO + 18;
