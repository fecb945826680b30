//! The matrix of one foreign program against Zeroxide, as tests.

#![allow(dead_code)] // each test file uses its part

use std::io::Write;
use std::sync::OnceLock;

use interop::Program;

/// Runs a pair with two programs.
pub(crate) type Run = fn(&'static interop::Pair, &Program, &Program) -> Result<usize, String>;

/// Zeroxide's own peer, as cargo built it for this test.
pub(crate) fn zeroxide() -> Program {
    Program::zeroxide(env!("CARGO_BIN_EXE_zeroxide-peer"))
}

/// The foreign program of this test file, if it was named. If not, says so once, past the test harness's capture, and
/// fails where `ZEROXIDE_REQUIRE_PEERS` is 1. One that was named and does not start is a failure.
pub(crate) fn there(program: Option<Program>, name: &str, needs: &str) -> Option<Program> {
    static FOUND: OnceLock<Option<Program>> = OnceLock::new();
    let found = FOUND.get_or_init(|| {
        if program.is_none() {
            let advice = format!("set {needs}, or run `cargo xtask test`");
            let _ = writeln!(std::io::stderr(), "SKIPPED: every test against {name}: {advice}");
        }
        program
    });
    let required = std::env::var_os("ZEROXIDE_REQUIRE_PEERS").is_some_and(|value| value == "1");
    assert!(found.is_some() || !required, "{name} is required (ZEROXIDE_REQUIRE_PEERS=1) and is not there");
    found.clone()
}

/// One test for each pair, and one more for each that kills each side in the middle.
#[allow(unused_macros)]
macro_rules! matrix {
    ($program:expr; $($test:ident $restarts:ident $pair:literal),+ $(,)?) => {
        $(
            #[test]
            fn $test() {
                play($pair, interop::cell::run_pair);
            }

            #[test]
            fn $restarts() {
                play($pair, interop::cell::run_restarts);
            }
        )+

        #[test]
        fn every_pair_has_its_tests() {
            let mut tested = vec![$($pair.to_owned()),+];
            let mut pairs: Vec<String> = interop::PAIRS.iter().map(|pair| pair.name()).collect();
            tested.sort();
            pairs.sort();
            assert_eq!(tested, pairs);
        }

        fn play(pair: &str, run: common::Run) {
            let Some(theirs) = $program else { return };
            match run(interop::pair::find(pair).unwrap(), &common::zeroxide(), &theirs) {
                Ok(cells) => assert!(cells > 0, "the two have no transport in common"),
                Err(report) => panic!("{report}"),
            }
        }
    };
    ($program:expr) => {
        matrix! {
            $program;
            pair_pair pair_pair_restart "PAIR-PAIR",
            pub_sub pub_sub_restart "PUB-SUB",
            pub_xsub pub_xsub_restart "PUB-XSUB",
            xpub_sub xpub_sub_restart "XPUB-SUB",
            xpub_xsub xpub_xsub_restart "XPUB-XSUB",
            req_rep req_rep_restart "REQ-REP",
            req_router req_router_restart "REQ-ROUTER",
            dealer_rep dealer_rep_restart "DEALER-REP",
            dealer_dealer dealer_dealer_restart "DEALER-DEALER",
            dealer_router dealer_router_restart "DEALER-ROUTER",
            router_router router_router_restart "ROUTER-ROUTER",
            push_pull push_pull_restart "PUSH-PULL",
        }
    };
}
