//! The items are of the C library's layout, and the functions are there.

use std::ffi::{CStr, c_int, c_void};

#[test]
fn a_message_goes_through_both_of_the_crates_types() {
    let mut message = zmq_sys::zmq_msg_t::default();
    let mut item = zmq_sys::zmq_pollitem_t::default();
    let mut text = [0u8; 8];
    // SAFETY: each handle is used while it is open, and each buffer is as long as it is said to be.
    unsafe {
        let context = zmq_sys::zmq_ctx_new();
        let push = zmq_sys::zmq_socket(context, zmq_sys::ZMQ_PUSH as c_int);
        let pull = zmq_sys::zmq_socket(context, zmq_sys::ZMQ_PULL as c_int);
        assert_eq!(zmq_sys::zmq_bind(pull, c"inproc://items".as_ptr()), 0);
        assert_eq!(zmq_sys::zmq_connect(push, c"inproc://items".as_ptr()), 0);

        assert_eq!(zmq_sys::zmq_msg_init_size(&mut message, 4), 0);
        zmq_sys::zmq_msg_data(&mut message).cast::<[u8; 4]>().write(*b"well");
        assert_eq!(zmq_sys::zmq_msg_send(&mut message, push, 0), 4);
        assert_eq!(zmq_sys::zmq_msg_size(&message), 0);

        item.socket = pull;
        item.events = zmq_sys::ZMQ_POLLIN as i16;
        assert_eq!(zmq_sys::zmq_poll(&mut item, 1, 5000), 1);
        assert_eq!(item.revents, zmq_sys::ZMQ_POLLIN as i16);
        let buffer: *mut c_void = text.as_mut_ptr().cast();
        assert_eq!(zmq_sys::zmq_recv(pull, buffer, text.len(), 0), 4);
        assert_eq!(&text[..4], b"well");

        assert_eq!(zmq_sys::zmq_close(push), 0);
        assert_eq!(zmq_sys::zmq_close(pull), 0);
        assert_eq!(zmq_sys::zmq_ctx_term(context), 0);
    }
}

#[test]
fn an_error_has_its_number_and_its_words() {
    // SAFETY: no handle at all is an error and nothing worse.
    unsafe {
        assert_eq!(zmq_sys::zmq_close(std::ptr::null_mut()), -1);
        assert_eq!(zmq_sys::zmq_errno(), zmq_sys::errno::ENOTSOCK);
        let words = CStr::from_ptr(zmq_sys::zmq_strerror(zmq_sys::errno::ETERM));
        assert_eq!(words, c"Context was terminated");
    }
}

#[test]
fn the_types_are_of_the_abis_size() {
    assert_eq!(size_of::<zmq_sys::zmq_msg_t>(), 64);
    assert_eq!(align_of::<zmq_sys::zmq_msg_t>(), 8);
    #[cfg(target_pointer_width = "64")]
    assert_eq!(size_of::<zmq_sys::zmq_pollitem_t>(), 16);
}
