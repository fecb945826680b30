//! The list of cases that do not pass, each with its reason.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

use super::program::{Case, Verdict, WHOLE};

/// `[program]` and below it `case = "reason"`. `left_out = "reason"` leaves the whole program out; a reason that begins
/// with `sometimes` allows a case to pass as well. No reason excuses a hang or a crash: a program that cannot but do that
/// is left out, and one whose `(whole)` says `sometimes hangs` is run once more.
pub(crate) struct Expected(BTreeMap<String, BTreeMap<String, String>>);

const LEFT_OUT: &str = "left_out";
const SOMETIMES: &str = "sometimes";
const SOMETIMES_HANGS: &str = "sometimes hangs";

impl Expected {
    pub(crate) fn read(path: &Path) -> Result<Expected> {
        Expected::parse(&fs_err::read_to_string(path)?).with_context(|| path.display().to_string())
    }

    pub(crate) fn parse(text: &str) -> Result<Expected, toml::de::Error> {
        toml::from_str(text).map(Expected)
    }

    /// Why a program is not run.
    pub(super) fn left_out(&self, program: &str) -> Option<&str> {
        self.reason(program, LEFT_OUT)
    }

    /// Whether a hang may be the program's own, so that a second run decides.
    pub(super) fn may_hang(&self, program: &str) -> bool {
        self.reason(program, WHOLE).is_some_and(|reason| reason.starts_with(SOMETIMES_HANGS))
    }

    fn reason(&self, program: &str, case: &str) -> Option<&str> {
        self.0.get(program)?.get(case).map(String::as_str)
    }

    /// Where the cases of a program differ from the list.
    pub(crate) fn faults(&self, program: &str, cases: &[Case]) -> Vec<String> {
        let mut faults = Vec::new();
        for case in cases {
            let reason = self.reason(program, &case.name);
            match (&case.verdict, reason) {
                (Verdict::Hung(why), _) => faults.push(format!("{} hangs: {why}", case.name)),
                (Verdict::Crashed(why), _) => faults.push(format!("{} crashes: {why}", case.name)),
                (Verdict::Failed(_), None) => faults.push(format!("{} fails and is not listed", case.name)),
                (Verdict::Failed(_), Some(reason)) if reason.starts_with(SOMETIMES_HANGS) => {
                    faults.push(format!("{} fails and is listed for a hang alone", case.name));
                }
                (Verdict::Passed, Some(reason)) if !reason.starts_with(SOMETIMES) => {
                    faults.push(format!("{} passes and is listed ({reason})", case.name));
                }
                _ => {}
            }
        }
        faults
    }

    /// Listed cases of a program that were not among those it ran, all of which it has.
    pub(crate) fn absent(&self, program: &str, cases: &[Case]) -> Vec<String> {
        let listed = self.0.get(program).into_iter().flat_map(BTreeMap::keys);
        let absent = listed.filter(|name| *name != WHOLE && cases.iter().all(|case| case.name != **name));
        absent.map(|name| format!("{name} is listed and did not run")).collect()
    }

    /// Listed programs that there are not.
    pub(crate) fn unknown<'a>(&'a self, programs: &[&str]) -> Vec<&'a str> {
        self.0.keys().map(String::as_str).filter(|name| !programs.contains(name)).collect()
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

    #[test]
    fn no_reason_excuses_a_hang_or_a_crash() {
        let expected = Expected::parse(
            "[t]\n\"(whole)\" = \"sometimes: a race\"\n[u]\n\"(whole)\" = \"sometimes hangs: its own race\"\n",
        )
        .unwrap();
        let why = || "why".to_owned();
        for program in ["t", "u"] {
            assert_eq!(expected.faults(program, &[case(WHOLE, Verdict::Hung(why()))]).len(), 1);
            assert_eq!(expected.faults(program, &[case(WHOLE, Verdict::Crashed(why()))]).len(), 1);
        }
        assert_eq!(expected.faults("t", &[case(WHOLE, Verdict::Failed(why()))]).len(), 0);
        assert_eq!(expected.faults("u", &[case(WHOLE, Verdict::Failed(why()))]).len(), 1);
        assert!(expected.may_hang("u") && !expected.may_hang("t") && !expected.may_hang("other"));
    }

    #[test]
    fn what_is_listed_must_be_there() {
        let expected = Expected::parse("[t]\none = \"no\"\n\"(whole)\" = \"sometimes: no\"\n").unwrap();
        assert_eq!(expected.absent("t", &[case("one", Verdict::Passed)]), Vec::<String>::new());
        assert_eq!(expected.absent("t", &[case("two", Verdict::Passed)]).len(), 1);
        assert_eq!(expected.unknown(&["t", "u"]), Vec::<&str>::new());
        assert_eq!(expected.unknown(&["u"]), ["t"]);
    }
}
