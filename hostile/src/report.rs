//! Figures, one on a line as `name value unit`, and the rules that they keep or break.

use std::fmt::Display;

/// With this variable in the environment, a figure of time or of a share of time breaks no rule: a machine that does other work
/// is slow. It is told all the same.
pub const TIMES_ARE_TOLD: &str = "HOSTILE_TIMES_ARE_TOLD";

const UNITS_OF_TIME: [&str; 4] = ["µs", "ms", "s", "%"];

/// A bound of a figure, and where the bound is from.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    bound: Bound,
    source: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Rule {
    /// The figure is at most `limit`.
    #[must_use]
    pub const fn at_most(limit: f64, source: &'static str) -> Rule {
        Rule { bound: Bound::AtMost(limit), source }
    }

    /// The figure is at least `limit`.
    #[must_use]
    pub const fn at_least(limit: f64, source: &'static str) -> Rule {
        Rule { bound: Bound::AtLeast(limit), source }
    }

    fn is_kept(&self, value: f64) -> bool {
        match self.bound {
            Bound::AtMost(limit) => value <= limit,
            Bound::AtLeast(limit) => value >= limit,
        }
    }
}

impl Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.bound {
            Bound::AtMost(limit) => write!(f, "at most {limit}: {}", self.source),
            Bound::AtLeast(limit) => write!(f, "at least {limit}: {}", self.source),
        }
    }
}

/// Prints figures and remembers whether a rule was broken.
#[derive(Debug, Default)]
pub struct Report {
    broken: usize,
}

impl Report {
    /// Prints a figure. At most three digits follow the point.
    pub fn figure(&mut self, name: impl Display, value: f64, unit: &str) {
        println!("{name} {} {unit}", (value * 1000.0).round() / 1000.0);
    }

    /// Prints a figure that has a rule, and after it what is broken.
    pub fn judge(&mut self, name: impl Display, value: f64, unit: &str, rule: &Rule) {
        self.figure(&name, value, unit);
        if rule.is_kept(value) {
            return;
        }
        if UNITS_OF_TIME.contains(&unit) && std::env::var_os(TIMES_ARE_TOLD).is_some() {
            println!("SLOW {name}: {value} {unit}, should be {rule}");
        } else {
            self.broken += 1;
            println!("BROKEN {name}: {value} {unit}, must be {rule}");
        }
    }

    /// Says that something broke a rule which a process of its own has judged.
    pub fn fail(&mut self, name: impl Display, why: impl Display) {
        self.broken += 1;
        println!("BROKEN {name}: {why}");
    }

    /// Says that something could not run here. It breaks no rule, and nobody overlooks it.
    pub fn skip(&mut self, name: impl Display, why: impl Display) {
        println!("SKIPPED {name}: {why}");
    }

    /// How many rules are broken.
    #[must_use]
    pub fn broken(&self) -> usize {
        self.broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_beyond_its_bound_breaks_the_rule_and_one_at_it_does_not() {
        let (most, least) = (Rule::at_most(2.0, "a test"), Rule::at_least(2.0, "a test"));
        let mut report = Report::default();
        report.judge("at the bound", 2.0, "things", &most);
        report.judge("at the bound", 2.0, "things", &least);
        assert_eq!(report.broken(), 0);
        report.judge("above", 2.1, "things", &most);
        report.judge("below", 1.9, "things", &least);
        report.judge("no number", f64::NAN, "things", &most);
        assert_eq!(report.broken(), 3);
    }
}
