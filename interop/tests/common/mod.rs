//! The matrix of one foreign program against Zeroxide, as tests.

use std::io::Write;

use interop::Program;

/// Zeroxide's own peer, as cargo built it for this test.
pub(crate) fn zeroxide() -> Program {
    Program::zeroxide(env!("CARGO_BIN_EXE_zeroxide-peer"))
}

/// The program, if it is there. If it is not, says so past the test harness's capture, and fails where
/// `ZEROXIDE_REQUIRE_PEERS` is 1.
pub(crate) fn there(program: Option<Program>, name: &str, needs: &str) -> Option<Program> {
    let found = program.and_then(|program| match interop::Peer::start(&program) {
        Ok(_) => Some(program),
        Err(failure) => {
            say(&format!("SKIPPED: {name}: {failure}"));
            None
        }
    });
    if found.is_none() {
        say(&format!("SKIPPED: tests against {name}: set {needs}, or run `cargo xtask test`"));
        let required = std::env::var_os("ZEROXIDE_REQUIRE_PEERS").is_some_and(|value| value == "1");
        assert!(!required, "{name} is required (ZEROXIDE_REQUIRE_PEERS=1) and is not there");
    }
    found
}

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// One test for each pair, and one more for each that kills each side in the middle.
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

        fn play(pair: &str, run: fn(&'static interop::Pair, &interop::Program, &interop::Program) -> Result<(), String>) {
            let Some(theirs) = $program else { return };
            if let Err(report) = run(interop::pair::find(pair).unwrap(), &common::zeroxide(), &theirs) {
                panic!("{report}");
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
