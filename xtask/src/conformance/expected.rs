//! The list of cases that do not pass, each with its reason.

use std::collections::BTreeMap;
use std::path::Path;

use super::program::{Case, Verdict};

/// `[program]` and below it `case = "reason"`. `left_out = "reason"` leaves the whole program out; a reason that begins
/// with `sometimes` allows a case to pass as well.
pub(super) struct Expected(BTreeMap<String, BTreeMap<String, String>>);

const LEFT_OUT: &str = "left_out";
const SOMETIMES: &str = "sometimes";

impl Expected {
    pub(super) fn read(path: &Path) -> Result<Expected, String> {
        let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Expected::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn parse(text: &str) -> Result<Expected, toml::de::Error> {
        toml::from_str(text).map(Expected)
    }

    /// Why a program is not run.
    pub(super) fn left_out(&self, program: &str) -> Option<&str> {
        self.reason(program, LEFT_OUT)
    }

    fn reason(&self, program: &str, case: &str) -> Option<&str> {
        self.0.get(program)?.get(case).map(String::as_str)
    }

    /// Where the cases of a program differ from the list.
    pub(super) fn faults(&self, program: &str, cases: &[Case]) -> Vec<String> {
        let mut faults = Vec::new();
        for case in cases {
            let reason = self.reason(program, &case.name);
            match (&case.verdict, reason) {
                (Verdict::Failed(_), None) => faults.push(format!("{} fails and is not listed", case.name)),
                (Verdict::Passed, Some(reason)) if !reason.starts_with(SOMETIMES) => {
                    faults.push(format!("{} passes and is listed ({reason})", case.name));
                }
                _ => {}
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(name: &str, verdict: Verdict) -> Case {
        Case { name: name.to_owned(), verdict }
    }

    #[test]
    fn what_differs_from_the_list_is_a_fault_both_ways() {
        let expected = Expected::parse(
            "[t]\nlisted = \"no CURVE\"\nnow_and_then = \"sometimes: a race\"\n[u]\nleft_out = \"TIPC\"\n",
        )
        .unwrap();
        let failed = || Verdict::Failed("why".to_owned());
        assert_eq!(expected.left_out("u"), Some("TIPC"));
        assert_eq!(expected.left_out("t"), None);
        assert!(expected.faults("t", &[case("listed", failed()), case("other", Verdict::Passed)]).is_empty());
        assert!(expected.faults("t", &[case("now_and_then", Verdict::Passed)]).is_empty());
        assert_eq!(expected.faults("t", &[case("listed", Verdict::Passed)]).len(), 1);
        assert_eq!(expected.faults("t", &[case("other", failed())]).len(), 1);
        assert_eq!(expected.faults("new", &[case("other", failed())]).len(), 1);
    }
}
