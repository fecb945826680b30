//! The language: a line, or what stands between two `;`, is one of
//!
//! ```text
//! name = expression     sets a variable
//! print expression      prints a number
//! ask name              asks whoever is at the front end for a number
//! expression            is the result, if it is the last one
//! ```
//!
//! Expressions have numbers, names, `+ - * / ^`, parentheses, and `sum(n)`, which adds up the numbers from 1 to n one by one, so
//! that there is something to interrupt.

use std::collections::HashMap;
use std::fmt;

/// Parentheses and signs in one another. Each is a call on the stack.
const DEEPEST: u32 = 100;

/// What a program talks to.
pub(crate) trait Console {
    fn print(&mut self, text: &str) -> Result<(), Fault>;
    fn ask(&mut self, prompt: &str) -> Result<String, Fault>;
    fn is_interrupted(&self) -> bool;
}

/// Why a program ends early.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// What was expected, and what is there.
    Syntax(&'static str, String),
    TooDeep,
    UnknownName(String),
    DivisionByZero,
    NotANumber(String),
    Interrupted,
    /// Why the front end cannot be asked.
    NoInput(String),
    /// The kernel ends.
    Closed,
}

impl Fault {
    /// Its name, as front ends show it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Fault::Syntax(..) | Fault::TooDeep => "SyntaxError",
            Fault::UnknownName(_) => "NameError",
            Fault::DivisionByZero => "ZeroDivisionError",
            Fault::NotANumber(_) => "ValueError",
            Fault::Interrupted => "Interrupted",
            Fault::NoInput(_) => "NoInput",
            Fault::Closed => "Closed",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Syntax(expected, found) => write!(f, "{expected} expected, found {found:?}"),
            Fault::TooDeep => write!(f, "more than {DEEPEST} parentheses or signs in one another"),
            Fault::UnknownName(name) => write!(f, "{name} has no value"),
            Fault::DivisionByZero => f.write_str("division by zero"),
            Fault::NotANumber(text) => write!(f, "{text:?} is not a number"),
            Fault::Interrupted => f.write_str("interrupted"),
            Fault::NoInput(why) => write!(f, "nobody can be asked: {why}"),
            Fault::Closed => f.write_str("the kernel ends"),
        }
    }
}

/// The variables.
#[derive(Default)]
pub(crate) struct Calculator(HashMap<String, f64>);

impl Calculator {
    /// Runs a program; returns the value of its last expression.
    pub(crate) fn run(&mut self, code: &str, console: &mut dyn Console) -> Result<Option<f64>, Fault> {
        let mut result = None;
        for statement in code.split(['\n', ';']).map(str::trim).filter(|statement| !statement.is_empty()) {
            result = self.statement(statement, console)?;
        }
        Ok(result)
    }

    fn statement(&mut self, text: &str, console: &mut dyn Console) -> Result<Option<f64>, Fault> {
        if let Some(expression) = text.strip_prefix("print ") {
            let value = self.evaluate(expression, console)?;
            console.print(&format!("{value}\n"))?;
        } else if let Some(name) = text.strip_prefix("ask ") {
            let name = only_name(name)?;
            let input = console.ask(&format!("{name} = "))?;
            let value = input.trim().parse().map_err(|_| Fault::NotANumber(input))?;
            self.0.insert(name, value);
        } else if let Some((name, expression)) = text.split_once('=') {
            let (name, value) = (only_name(name)?, self.evaluate(expression, console)?);
            self.0.insert(name, value);
        } else {
            return self.evaluate(text, console).map(Some);
        }
        Ok(None)
    }

    fn evaluate(&self, text: &str, console: &dyn Console) -> Result<f64, Fault> {
        let mut parser = Parser { rest: text.trim_start(), depth: 0, variables: &self.0, console };
        let value = parser.expression()?;
        if parser.rest.is_empty() { Ok(value) } else { Err(parser.expected("an operator")) }
    }
}

fn only_name(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    if !text.is_empty() && text.chars().all(char::is_alphabetic) {
        Ok(text.to_owned())
    } else {
        Err(Fault::Syntax("a name", text.to_owned()))
    }
}

/// Computes while it reads.
struct Parser<'a> {
    /// What is not read; it begins with no space.
    rest: &'a str,
    depth: u32,
    variables: &'a HashMap<String, f64>,
    console: &'a dyn Console,
}

impl<'a> Parser<'a> {
    fn expression(&mut self) -> Result<f64, Fault> {
        let mut value = self.product()?;
        loop {
            if self.next_is('+') {
                value += self.product()?;
            } else if self.next_is('-') {
                value -= self.product()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<f64, Fault> {
        let mut value = self.power()?;
        loop {
            if self.next_is('*') {
                value *= self.power()?;
            } else if self.next_is('/') {
                let divisor = self.power()?;
                if divisor == 0.0 {
                    return Err(Fault::DivisionByZero);
                }
                value /= divisor;
            } else {
                return Ok(value);
            }
        }
    }

    /// `2^3^2` is `2^9`, and `-2^2` is `-4`.
    fn power(&mut self) -> Result<f64, Fault> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Fault::TooDeep);
        }
        let value = if self.next_is('-') {
            -self.power()?
        } else {
            let base = self.atom()?;
            if self.next_is('^') { base.powf(self.power()?) } else { base }
        };
        self.depth -= 1;
        Ok(value)
    }

    fn atom(&mut self) -> Result<f64, Fault> {
        if self.next_is('(') {
            return self.rest_of_parentheses();
        }
        let name = self.take_while(char::is_alphabetic);
        if name == "sum" && self.next_is('(') {
            let last = self.rest_of_parentheses()?;
            return self.sum(last);
        }
        if !name.is_empty() {
            return self.variables.get(name).copied().ok_or_else(|| Fault::UnknownName(name.to_owned()));
        }
        let number = self.take_while(|c| c.is_ascii_digit() || c == '.');
        number.parse().map_err(|_| self.expected("a number, a name or a parenthesis"))
    }

    fn rest_of_parentheses(&mut self) -> Result<f64, Fault> {
        let value = self.expression()?;
        if self.next_is(')') { Ok(value) } else { Err(self.expected("a closing parenthesis")) }
    }

    fn sum(&self, last: f64) -> Result<f64, Fault> {
        let (mut sum, mut number) = (0.0, 1.0);
        while number <= last {
            if self.console.is_interrupted() {
                return Err(Fault::Interrupted);
            }
            sum += number;
            number += 1.0;
        }
        Ok(sum)
    }

    fn next_is(&mut self, wanted: char) -> bool {
        let rest = self.rest.strip_prefix(wanted);
        self.rest = rest.map_or(self.rest, str::trim_start);
        rest.is_some()
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        taken
    }

    fn expected(&self, what: &'static str) -> Fault {
        Fault::Syntax(what, self.rest.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Paper {
        printed: String,
        interrupted: bool,
    }

    impl Console for Paper {
        fn print(&mut self, text: &str) -> Result<(), Fault> {
            self.printed.push_str(text);
            Ok(())
        }

        fn ask(&mut self, prompt: &str) -> Result<String, Fault> {
            self.printed.push_str(prompt);
            Ok(" 21\n".to_owned())
        }

        fn is_interrupted(&self) -> bool {
            self.interrupted
        }
    }

    fn run(code: &str) -> Result<Option<f64>, Fault> {
        Calculator::default().run(code, &mut Paper::default())
    }

    #[test]
    fn operators_bind_as_in_arithmetic() {
        for (code, value) in [
            ("1 + 2 * 3", 7.0),
            ("(1 + 2) * 3", 9.0),
            ("7 - 2 - 1", 4.0),
            ("2^3^2", 512.0),
            ("-2^2", -4.0),
            ("2 * -3", -6.0),
            ("1.5/3", 0.5),
            ("sum(100)", 5050.0),
        ] {
            assert_eq!(run(code), Ok(Some(value)), "{code}");
        }
    }

    #[test]
    fn statements_print_ask_and_remember() {
        let (mut calculator, mut paper) = (Calculator::default(), Paper::default());
        assert_eq!(calculator.run("ask x\n\n y = 2 * x; print y", &mut paper), Ok(None));
        assert_eq!(paper.printed, "x = 42\n");
        assert_eq!(calculator.run("y + 1", &mut paper), Ok(Some(43.0)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(run("1 / (2 - 2)"), Err(Fault::DivisionByZero));
        assert_eq!(run("nothing"), Err(Fault::UnknownName("nothing".to_owned())));
        for code in ["1 +", "(1", "1 2", "2 = 3", "ask 1", "1..2", "print ", "*"] {
            assert!(matches!(run(code), Err(Fault::Syntax(..) | Fault::UnknownName(_))), "{code}");
        }
        assert_eq!(run(&"(".repeat(100_000)), Err(Fault::TooDeep));
        assert_eq!(run(&"-".repeat(100_000)), Err(Fault::TooDeep));
        let mut paper = Paper { interrupted: true, ..Paper::default() };
        assert_eq!(Calculator::default().run("sum(1)", &mut paper), Err(Fault::Interrupted));
    }
}
