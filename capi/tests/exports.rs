//! What the shared library exports, held against `zmq.h`.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::process::Command;

mod common;

/// The functions that a part of the header declares.
fn declared(header: &str) -> BTreeSet<&str> {
    let declarations = header.split("ZMQ_EXPORT ").skip(1).filter_map(|rest| rest.split_once('('));
    declarations.map(|(head, _)| function(head)).filter(|name| name.starts_with("zmq_")).collect()
}

/// The name at the end of `void *zmq_ctx_new `.
fn function(head: &str) -> &str {
    head.trim().rsplit([' ', '*']).next().unwrap()
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "knows the names of Linux's libraries only")]
fn every_function_of_the_header_is_exported_and_no_other() {
    let header = include_str!("../include/zmq.h");
    let (stable, draft) = header.split_once("#ifdef ZMQ_BUILD_DRAFT_API").unwrap();
    let (stable, draft) = (declared(stable), declared(draft));
    // libzmq 4.3.5 has 26; zmq_disconnect_peer is 4.3.6's.
    assert_eq!((stable.len(), draft.len()), (70, 27));
    assert!(draft.contains("zmq_disconnect_peer"));

    let library = std::env::current_exe().unwrap().with_file_name("libzmq.so");
    let Ok(symbols) = Command::new("nm").args(["-D", "--defined-only"]).arg(&library).output() else {
        common::not_run("the exports; there is no nm on this machine");
        return;
    };
    assert!(symbols.status.success(), "{}", String::from_utf8_lossy(&symbols.stderr));
    let symbols = String::from_utf8(symbols.stdout).unwrap();
    let exported: BTreeSet<&str> = symbols
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .filter(|name| name.starts_with("zmq_"))
        .collect();
    assert_eq!(exported, &stable | &draft);
}
