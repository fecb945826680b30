//! The contract of a transport, rule by rule, for every scheme that moves bytes; then the rules for one scheme only.
//!
//! To test a new scheme: add a `Case` in `kit.rs`, and a line in `conformance!` below.

// The kit is test code although it has no #[test]. Skipped tests must be reported in spite of the harness' capture.
#![allow(clippy::unwrap_used, clippy::explicit_write)]

mod kit;
mod rules;

#[cfg(unix)]
mod ipc;
mod tcp;

/// One module per scheme, one test per rule in it.
macro_rules! conformance {
    ($($(#[$meta:meta])* $scheme:ident,)*) => {$(
        $(#[$meta])*
        mod $scheme {
            rules! {
                $scheme:
                a_bound_endpoint_is_resolved,
                accepting_nobody_would_block,
                both_ends_are_named,
                bytes_go_both_ways,
                slices_arrive_in_order,
                a_full_kernel_takes_part_and_then_would_block,
                reading_nothing_would_block,
                a_shut_direction_ends_after_its_last_byte,
                a_closed_peer_is_an_error_to_send_to,
                dialling_nobody_is_refused,
                a_closed_endpoint_can_be_bound_again_at_once,
                a_second_bind_is_address_in_use,
                a_source_can_move_to_another_poll,
                the_quantum_is_what_was_measured,
                what_does_not_fit_into_one_send_is_cut_into_equal_pieces,
                buffer_options_reach_both_ends,
                descriptors_are_closed_on_exec_and_do_not_block,
                sending_raises_no_sigpipe,
            }
        }
    )*};
}

macro_rules! rules {
    ($scheme:ident: $($rule:ident,)*) => {$(
        #[test]
        fn $rule() {
            if let Some(mut case) = crate::kit::$scheme() {
                case.test = concat!(stringify!($scheme), "::", stringify!($rule));
                crate::rules::$rule(&case);
            }
        }
    )*};
}

conformance! {
    tcp_v4,
    tcp_v6,
    tcp_localhost,
    tcp_any,
    #[cfg(unix)]
    ipc_path,
    #[cfg(any(target_os = "linux", target_os = "android"))]
    ipc_abstract,
    #[cfg(unix)]
    ipc_wildcard,
}
