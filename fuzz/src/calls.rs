//! Scripts of C calls, on our library and on libzmq.
//!
//! libzmq runs in a process of its own, because a script may abort it. The program is that of `fuzz/libzmq`, whose path
//! is in `ZEROXIDE_FUZZ_LIBZMQ`. Without it, a script runs on our library twice, which must do the same both times.

use std::cell::RefCell;
use std::ffi::c_void;
use std::process::{Child, Command, Stdio};

thread_local! {
    static CONTEXT: *mut c_void = zmq::zmq_ctx_new();
    static LIBZMQ: RefCell<Option<Child>> = const { RefCell::new(None) };
}

/// Names the program that runs scripts on libzmq.
const PROGRAM: &str = "ZEROXIDE_FUZZ_LIBZMQ";

/// Where our library differs from libzmq on purpose: a part of the line that shows it first, and the reason.
const KNOWN: &[(&str, &str)] = &[];

/// Tests that a script returns the same on both libraries.
pub fn calls(data: &[u8]) {
    let ours = on_ours(data);
    let Some(program) = std::env::var_os(PROGRAM) else {
        return same(&ours, &on_ours(data), "again");
    };
    // What a script left behind is let go by libzmq's threads in their own time, so what differs must do so again.
    for _ in 0..3 {
        // It did not survive, so there is nothing to compare.
        let Some(theirs) = on_libzmq(&program, data) else { return };
        match first_difference(&ours, &theirs) {
            None => return,
            Some((ours, theirs))
                if KNOWN.iter().any(|(part, _)| ours.contains(part) || theirs.contains(part)) =>
            {
                return;
            }
            Some(_) => {}
        }
    }
    let theirs = on_libzmq(&program, data).unwrap_or_default();
    same(&ours, &theirs, "libzmq");
}

fn same(ours: &str, theirs: &str, them: &str) {
    if let Some((line, other)) = first_difference(ours, theirs) {
        panic!("ours: {line}\n{them}: {other}\nthe script on ours:\n{ours}");
    }
}

fn on_ours(script: &[u8]) -> String {
    let api = fuzz_calls::api!(zmq);
    // SAFETY: all of our library, and its own context.
    CONTEXT.with(|context| unsafe { fuzz_calls::run(&api, *context, script) })
}

/// Runs a script on libzmq; `None` if it ends the process.
fn on_libzmq(program: &std::ffi::OsStr, script: &[u8]) -> Option<String> {
    LIBZMQ.with_borrow_mut(|child| {
        let running = child.get_or_insert_with(|| {
            let start = Command::new(program)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn();
            start.expect("the program that runs scripts on libzmq starts")
        });
        let (input, output) = (running.stdin.as_mut()?, running.stdout.as_mut()?);
        let answer = fuzz_calls::write(input, script).and_then(|()| fuzz_calls::read(output));
        match answer {
            Ok(text) => Some(String::from_utf8_lossy(&text).into_owned()),
            Err(_) => {
                let _ = running.wait();
                *child = None;
                None
            }
        }
    })
}

fn first_difference(ours: &str, theirs: &str) -> Option<(String, String)> {
    let mut lines = ours.lines().zip(theirs.lines()).filter(|(ours, theirs)| ours != theirs);
    let differ = lines.next().map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()));
    differ.or_else(|| (ours != theirs).then(|| ("one is longer".to_owned(), String::new())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn calls(data in prop::collection::vec(any::<u8>(), 0..300)) {
            super::calls(&data);
        }
    }
}
