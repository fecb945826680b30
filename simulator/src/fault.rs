//! A rule that did not hold.

use std::fmt;

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The rule. A shrunk session must break the same one.
    pub(crate) rule: &'static str,
    pub(crate) text: String,
}

impl Fault {
    pub(crate) fn new(rule: &'static str, text: impl Into<String>) -> Fault {
        Fault { rule, text: text.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.rule, self.text)
    }
}

/// What a step of a session returns.
pub(crate) type Checked<T = ()> = Result<T, Fault>;
