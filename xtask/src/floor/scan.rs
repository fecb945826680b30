//! The tables of [`crate::bans`] applied to a tree.

use crate::bans::{Ban, CORE, OPENING, STRICT};

use super::Fault;
use super::tree::{Source, Token, Tree};

/// Every place where the source says what it must not.
pub(crate) fn bans(tree: &Tree, bans: &[Ban]) -> Vec<Fault> {
    bans.iter().flat_map(|ban| one_ban(tree, ban)).collect()
}

fn one_ban(tree: &Tree, ban: &Ban) -> Vec<Fault> {
    let mut faults = Vec::new();
    let patterns: Vec<Vec<&str>> = ban.patterns.iter().map(|p| p.split(' ').collect()).collect();
    for source in tree.sources.iter().filter(|source| in_force(ban, source)) {
        let lines = patterns.iter().flat_map(|pattern| places(source, pattern));
        for line in lines.filter(|&line| ban.in_tests || !source.in_test(line)) {
            let written = source.lines.get(line - 1).map_or("", |text| text.trim());
            let text = format!("`{written}`: {}", ban.why);
            faults.push(Fault { path: source.path.clone(), line, rule: ban.name, text });
        }
    }
    faults
}

fn in_force(ban: &Ban, source: &Source) -> bool {
    ban.places.iter().any(|place| source.path.starts_with(place))
        && !ban.homes.contains(&source.path.as_str())
}

/// The lines that a crate of the core must say and does not.
pub(crate) fn openings(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for path in CORE.iter().map(|place| format!("{place}lib.rs")) {
        let source = tree.sources.iter().find(|source| source.path == path);
        let says = |line: &str| source.is_some_and(|source| source.lines.iter().any(|other| other == line));
        let strict = if path == "src/lib.rs" { &[] } else { STRICT };
        for line in OPENING.iter().chain(strict).filter(|line| !says(line)) {
            let text = format!("does not say `{line}`");
            faults.push(Fault { path: path.clone(), line: 0, rule: "opening", text });
        }
    }
    faults
}

/// Every line of any file that contains a word of the table.
pub(crate) fn words(tree: &Tree, words: &[(&str, &str)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for text in &tree.texts {
        for (number, line) in text.text.lines().enumerate() {
            for (word, why) in words.iter().filter(|(word, _)| line.contains(word)) {
                let (path, why) = (text.path.clone(), format!("{word:?}: {why}"));
                faults.push(Fault { path, line: number + 1, rule: "words", text: why });
            }
        }
    }
    faults
}

/// The lines where `pattern` stands in the code or the unfolded imports of `source`.
fn places(source: &Source, pattern: &[&str]) -> Vec<usize> {
    let imports = source.imports.iter().map(Vec::as_slice);
    std::iter::once(source.tokens.as_slice()).chain(imports).flat_map(|run| in_run(run, pattern)).collect()
}

fn in_run(run: &[Token], pattern: &[&str]) -> Vec<usize> {
    (0..run.len()).filter(|&at| begins(&run[at..], pattern)).map(|at| run[at].line).collect()
}

/// Whether `tokens` begin with `pattern`.
fn begins(tokens: &[Token], pattern: &[&str]) -> bool {
    let Some((&head, rest)) = pattern.split_first() else { return true };
    if head == "..." {
        let statement = tokens.iter().take_while(|token| ![";", "="].contains(&token.text.as_str())).count();
        return (0..=statement).any(|skip| begins(&tokens[skip..], rest));
    }
    tokens.first().is_some_and(|token| stands_for(head, &token.text)) && begins(&tokens[1..], rest)
}

fn stands_for(word: &str, token: &str) -> bool {
    match word {
        "<any>" => true,
        "<Variant>" => {
            token.starts_with(|c: char| c.is_ascii_uppercase())
                && token.contains(|c: char| c.is_ascii_lowercase())
        }
        _ => word == token,
    }
}
