//! The part of `zmq.h` that the comparisons call. The crates that bind it build a libzmq without CURVE.
#![expect(missing_docs, reason = "the names are those of zmq.h, which documents them")]

use std::ffi::{c_char, c_int, c_long, c_short, c_void};

pub const PUB: c_int = 1;
pub const SUB: c_int = 2;
pub const REQ: c_int = 3;
pub const REP: c_int = 4;
pub const DEALER: c_int = 5;
pub const ROUTER: c_int = 6;
pub const PULL: c_int = 7;
pub const PUSH: c_int = 8;
/// A PUB that tells who subscribed: the same code sends.
pub const XPUB: c_int = 9;

pub const SUBSCRIBE: c_int = 6;
pub const LAST_ENDPOINT: c_int = 32;
pub const XPUB_VERBOSE: c_int = 40;
pub const CURVE_SERVER: c_int = 47;
pub const CURVE_PUBLICKEY: c_int = 48;
pub const CURVE_SECRETKEY: c_int = 49;
pub const CURVE_SERVERKEY: c_int = 50;
pub const XPUB_NODROP: c_int = 69;

pub const DONTWAIT: c_int = 1;
pub const SNDMORE: c_int = 2;
pub const POLLIN: c_short = 1;

/// `zmq_msg_t`: 64 bytes, aligned like a pointer.
#[repr(C, align(8))]
pub struct Msg(pub [u8; 64]);

/// `zmq_pollitem_t`, with the descriptor of a Unix.
#[repr(C)]
pub struct PollItem {
    pub socket: *mut c_void,
    pub fd: c_int,
    pub events: c_short,
    pub revents: c_short,
}

unsafe extern "C" {
    pub fn zmq_ctx_new() -> *mut c_void;
    pub fn zmq_socket(context: *mut c_void, kind: c_int) -> *mut c_void;
    pub fn zmq_setsockopt(socket: *mut c_void, option: c_int, value: *const c_void, length: usize) -> c_int;
    pub fn zmq_getsockopt(
        socket: *mut c_void,
        option: c_int,
        value: *mut c_void,
        length: *mut usize,
    ) -> c_int;
    pub fn zmq_bind(socket: *mut c_void, endpoint: *const c_char) -> c_int;
    pub fn zmq_connect(socket: *mut c_void, endpoint: *const c_char) -> c_int;
    pub fn zmq_send(socket: *mut c_void, body: *const c_void, length: usize, flags: c_int) -> c_int;
    pub fn zmq_msg_init(message: *mut Msg) -> c_int;
    pub fn zmq_msg_init_size(message: *mut Msg, length: usize) -> c_int;
    pub fn zmq_msg_data(message: *mut Msg) -> *mut c_void;
    pub fn zmq_msg_size(message: *const Msg) -> usize;
    pub fn zmq_msg_more(message: *const Msg) -> c_int;
    pub fn zmq_msg_copy(to: *mut Msg, from: *mut Msg) -> c_int;
    pub fn zmq_msg_send(message: *mut Msg, socket: *mut c_void, flags: c_int) -> c_int;
    pub fn zmq_msg_recv(message: *mut Msg, socket: *mut c_void, flags: c_int) -> c_int;
    pub fn zmq_poll(items: *mut PollItem, count: c_int, timeout: c_long) -> c_int;
    pub fn zmq_has(capability: *const c_char) -> c_int;
}

// What libzmq calls of libsodium for each message.
#[cfg(all(sodium, feature = "curve"))]
unsafe extern "C" {
    pub fn crypto_box_easy_afternm(
        sealed: *mut u8,
        body: *const u8,
        length: u64,
        nonce: *const u8,
        key: *const u8,
    ) -> c_int;
    pub fn crypto_box_open_easy_afternm(
        body: *mut u8,
        sealed: *const u8,
        length: u64,
        nonce: *const u8,
        key: *const u8,
    ) -> c_int;
}
