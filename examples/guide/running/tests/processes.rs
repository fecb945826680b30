//! Programs of the shell as processes: what is read, and how they end.
#![cfg(unix)]
#![allow(clippy::unwrap_used)] // a test's helpers

use std::panic::{AssertUnwindSafe, catch_unwind};

use guide_running::Program;

fn shell(script: &str) -> Program {
    Program::start("/bin/sh", &["-c", script])
}

#[test]
fn a_line_is_found_by_its_text_and_the_next_search_goes_on_behind_it() {
    let mut program = shell("echo bound one; echo other; echo bound two >&2; exit 3");
    let mut found = [program.line("bound "), program.line("bound ")];
    found.sort();
    assert_eq!(found, ["one", "two"]);
    let ended = program.end();
    assert_eq!((ended.success, ended.code, ended.count("bound")), (false, Some(3), 2));
    assert_eq!(ended.after("oth"), "er");
}

#[test]
fn a_line_that_never_comes_fails_with_what_was_printed() {
    let mut program = shell("echo something else");
    let fault = catch_unwind(AssertUnwindSafe(|| program.line("bound "))).unwrap_err();
    let text = fault.downcast_ref::<String>().unwrap();
    assert!(text.contains("sh: no line with \"bound \"") && text.ends_with("something else"), "{text}");
}

#[test]
fn a_killed_program_has_no_exit_code_and_keeps_what_it_printed() {
    let mut program = shell("echo ready; exec tail -f /dev/null");
    program.line("ready");
    let ended = program.kill();
    assert_eq!((ended.code, ended.has("ready")), (None, true));
}

#[test]
fn an_interrupted_program_ends_by_itself() {
    let mut program = shell(
        "tail -f /dev/null >/dev/null 2>&1 & trap 'kill $!; echo caught; exit 7' INT; echo ready; wait",
    );
    program.line("ready");
    let ended = program.interrupt();
    assert_eq!((ended.code, ended.has("caught")), (Some(7), true));
}

#[test]
fn a_stopped_program_goes_on_when_it_is_resumed() {
    let mut program = shell("trap 'echo resumed' CONT; echo ready; while :; do sleep 0.01; done");
    program.line("ready");
    program.stop();
    program.resume();
    program.line("resumed");
}

#[test]
fn a_program_that_has_ended_cannot_be_stopped() {
    let mut program = shell("echo ready; exit 3");
    program.line("ready");
    assert!(catch_unwind(AssertUnwindSafe(|| program.line("never"))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| program.stop())).is_err());
    assert_eq!(program.end().code, Some(3));
}
