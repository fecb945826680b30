//! The tables of the guide's page "Coming from zmq, zeromq, tmq and pyzmq". The tests that try their cells are in three workspaces,
//! because a program has one crate that `links` libzmq and Zeroxide's own workspace has no other implementation.

const PAGE: &str = include_str!("../../../../../docs/guide/src/pages/migrating.md");

/// A column of a table: the library that one comes from, or Zeroxide.
#[derive(Clone, Copy)]
pub enum Column {
    /// What is left behind.
    #[allow(dead_code)] // each file of tests looks at one column
    From = 1,
    /// Its counterpart.
    #[allow(dead_code)]
    To = 2,
}

/// Asserts that each piece of code in this column, below the heading `From …`, is in the text of `tests`.
pub fn assert_tried(from: &str, column: Column, tests: &str) {
    let codes = codes(&format!("## From {from}\n"), column);
    assert!(codes.len() > 10, "From {from}: {codes:?}");
    let tests = dense(tests);
    let missing: Vec<&str> = codes.into_iter().filter(|code| !tests.contains(&dense(code))).collect();
    assert!(missing.is_empty(), "From {from}: not tried: {missing:#?}");
}

fn codes(heading: &str, column: Column) -> Vec<&'static str> {
    let (_, section) = PAGE.split_once(heading).expect(heading);
    let section = section.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with('|') && line.contains('`'));
    let cells = rows.map(|row| row.trim_matches('|').split(" | ").nth(column as usize).unwrap_or_default());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

/// The text without white space, which the page and rustfmt place differently.
fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}
