//! The tables of [`crate::bans`] applied to a tree.

use crate::bans::{Ban, Code, Demand};

use super::Fault;
use super::tree::{Source, Token, Tree};

/// Every place where the source says what it must not, and every exception that excuses nothing.
pub(crate) fn bans(tree: &Tree, bans: &[Ban]) -> Vec<Fault> {
    bans.iter().flat_map(|ban| one_ban(tree, ban)).collect()
}

fn one_ban(tree: &Tree, ban: &Ban) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut used = vec![false; ban.allow.len()];
    let patterns: Vec<Vec<&str>> = ban.patterns.iter().map(|p| p.split(' ').collect()).collect();
    for source in tree.sources.iter().filter(|source| in_force(ban, source)) {
        let mut lines: Vec<usize> = patterns.iter().flat_map(|pattern| places(source, pattern)).collect();
        lines.sort_unstable();
        lines.dedup();
        for line in lines.into_iter().filter(|&line| meant(ban, source, line)) {
            let written = source.lines.get(line - 1).map_or("", |text| text.trim());
            let excuse = ban.allow.iter().position(|a| a.path == source.path && written.contains(a.line));
            match excuse {
                Some(at) => used[at] = true,
                None => faults.push(Fault {
                    path: source.path.clone(),
                    line,
                    rule: ban.name,
                    text: format!("`{written}`: {}", ban.why),
                }),
            }
        }
    }
    for (allow, _) in ban.allow.iter().zip(used).filter(|(_, used)| !used) {
        faults.push(Fault {
            path: allow.path.to_owned(),
            line: 0,
            rule: ban.name,
            text: format!("the exception for {:?} ({}) excuses nothing: remove it", allow.line, allow.reason),
        });
    }
    faults
}

fn in_force(ban: &Ban, source: &Source) -> bool {
    ban.places.iter().any(|place| source.path.starts_with(place))
        && !ban.homes.contains(&source.path.as_str())
}

fn meant(ban: &Ban, source: &Source, line: usize) -> bool {
    match ban.code {
        Code::All => true,
        Code::Production => !source.in_test(line),
        Code::Tests => source.in_test(line),
    }
}

/// What the source must say and does not.
pub(crate) fn demands(tree: &Tree, demands: &[Demand]) -> Vec<Fault> {
    let unmet = demands.iter().filter(|demand| {
        let pattern: Vec<&str> = demand.pattern.split(' ').collect();
        !tree.sources.iter().any(|source| source.path == demand.path && !places(source, &pattern).is_empty())
    });
    unmet
        .map(|demand| Fault {
            path: demand.path.to_owned(),
            line: 0,
            rule: "demand",
            text: format!("does not say `{}`: {}", demand.pattern.replace(' ', ""), demand.why),
        })
        .collect()
}

/// Every line of any file that contains a word of the table.
pub(crate) fn words(tree: &Tree, words: &[(&str, &str)]) -> Vec<Fault> {
    let mut faults = Vec::new();
    for text in &tree.texts {
        for (number, line) in text.text.lines().enumerate() {
            for (word, why) in words.iter().filter(|(word, _)| line.contains(word)) {
                let text_of = format!("{word:?}: {why}");
                faults.push(Fault {
                    path: text.path.clone(),
                    line: number + 1,
                    rule: "words",
                    text: text_of,
                });
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
