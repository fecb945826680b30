//! The page of the guide that lists its programs, each with the tests that run it. A test is named after what it asserts, so its name is
//! the text.
//!
//! The page is made from the sources: a program is a binary whose source a page includes; a test runs it if its function, or a helper
//! that it uses, names the program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use fs_err as fs;
use syn::spanned::Spanned;
use walkdir::WalkDir;

/// The page, in the guide's sources.
const PAGE: &str = "docs/guide/src/pages/programs.md";
const HEAD: &str = "\
# Programs and their tests

Every program of this guide is compiled and run by the project's tests, as a process, with the others that it talks to. Each test is named
after what it asserts. `cargo test -p xtask programs` checks this page; with `ZEROXIDE_WRITE_DOCS=1` it writes it anew.

| program | its tests |
|---|---|
";

/// Compares the page with what the sources say, or writes it anew if the environment asks for that.
pub(crate) fn check(root: &Path) -> Result<()> {
    let (path, page) = (root.join(PAGE), page(root)?);
    if std::env::var_os("ZEROXIDE_WRITE_DOCS").is_some() {
        fs::write(&path, &page)?;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    ensure!(found == page, "{PAGE} is out of date: cargo test -p xtask programs, with ZEROXIDE_WRITE_DOCS=1");
    Ok(())
}

/// A program as a page shows it.
struct Program {
    name: String,
    /// The folder of its package, from the root.
    package: String,
}

/// The page's text.
fn page(root: &Path) -> Result<String> {
    let mut page = HEAD.to_owned();
    let mut tests: BTreeMap<String, Vec<Test>> = BTreeMap::new();
    for (link, programs) in pages(root)? {
        for program in programs {
            if !tests.contains_key(&program.package) {
                tests.insert(program.package.clone(), Test::all(&root.join(&program.package).join("tests"))?);
            }
            let ours = tests[&program.package].iter().filter(|test| test.runs.contains(&program.name));
            let told: Vec<String> = ours.map(|test| test.name.replace('_', " ")).collect();
            ensure!(!told.is_empty(), "{} of {}: no test runs it", program.name, program.package);
            page += &format!("| [`{}`]({link}) | {} |\n", program.name, told.join("; "));
        }
    }
    Ok(page)
}

/// The pages in the order of the guide: the link from the page of programs, and the programs that they are the first to show.
fn pages(root: &Path) -> Result<Vec<(String, Vec<Program>)>> {
    let sources = root.join("docs/guide/src");
    let summary = fs::read_to_string(sources.join("SUMMARY.md"))?;
    let (mut pages, mut seen) = (Vec::new(), BTreeSet::new());
    for line in summary.lines().filter_map(|line| line.trim().strip_prefix("- [")) {
        let (_, rest) = line.split_once("](").context("a line of SUMMARY.md has a link")?;
        let link = rest.trim_end_matches(')');
        let text = fs::read_to_string(sources.join(link))?;
        let shown =
            text.lines().filter_map(shown).filter(|(package, name)| seen.insert(format!("{package} {name}")));
        let programs: Vec<Program> = shown.map(|(package, name)| Program { name, package }).collect();
        if !programs.is_empty() {
            pages.push((format!("../{link}"), programs));
        }
    }
    Ok(pages)
}

/// The package and the name of the program whose source this line of a page includes.
fn shown(line: &str) -> Option<(String, String)> {
    let path = line.strip_prefix("{{#include ../../../../")?.strip_suffix("}}")?;
    let (package, file) = path.split_once("/src/bin/")?;
    Some((package.to_owned(), file.strip_suffix(".rs")?.to_owned()))
}

/// A test, and the programs that it starts.
struct Test {
    name: String,
    runs: BTreeSet<String>,
}

/// A function, a method or a constant of the tests.
struct Item {
    name: String,
    /// The type whose method it is.
    of: Option<String>,
    is_test: bool,
    is_function: bool,
    text: String,
}

impl Test {
    /// The tests in the files of a folder, in the order of files and lines. Their helpers are in the same file or below the folder.
    fn all(folder: &Path) -> Result<Vec<Test>> {
        let files = WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
        let files = files.map(walkdir::DirEntry::into_path);
        let files = files.filter(|path| path.extension().is_some_and(|end| end == "rs"));
        let (programs, shared): (Vec<PathBuf>, Vec<PathBuf>) =
            files.partition(|path| path.parent() == Some(folder));
        let read = |path: &PathBuf| {
            Item::all(&fs::read_to_string(path)?).with_context(|| path.display().to_string())
        };
        let shared: Vec<Vec<Item>> = shared.iter().map(read).collect::<Result<_>>()?;
        let mut tests = Vec::new();
        for program in &programs {
            let own = read(program)?;
            let items: Vec<&Item> = own.iter().chain(shared.iter().flatten()).collect();
            let of_program = own.iter().filter(|item| item.is_test);
            tests.extend(
                of_program.map(|test| Test { name: test.name.clone(), runs: programs_of(test, &items) }),
            );
        }
        Ok(tests)
    }
}

impl Item {
    fn all(text: &str) -> Result<Vec<Item>> {
        let lines: Vec<&str> = text.lines().collect();
        let mut items = Vec::new();
        let mut add = |name: String,
                       of: Option<&str>,
                       attributes: Option<&[syn::Attribute]>,
                       span: proc_macro2::Span| {
            let (from, to) = (span.start().line, span.end().line);
            let text = lines.get(from - 1..to).unwrap_or_default().join("\n");
            let is_function = attributes.is_some();
            let is_test = attributes
                .into_iter()
                .flatten()
                .any(|one| one.path().segments.last().is_some_and(|word| word.ident == "test"));
            items.push(Item { name, of: of.map(str::to_owned), is_test, is_function, text });
        };
        for item in syn::parse_file(text)?.items {
            match item {
                syn::Item::Fn(item) => add(item.sig.ident.to_string(), None, Some(&item.attrs), item.span()),
                syn::Item::Const(item) => add(item.ident.to_string(), None, None, item.span()),
                syn::Item::Impl(block) => {
                    let of = lines.get(block.self_ty.span().start().line - 1).copied().unwrap_or_default();
                    let of = words(of).last().unwrap_or_default().to_owned();
                    for item in &block.items {
                        if let syn::ImplItem::Fn(item) = item {
                            add(item.sig.ident.to_string(), Some(&of), Some(&[]), item.span());
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(items)
    }
}

/// The programs that a test names, or a helper that it uses, or one that this uses.
fn programs_of<'a>(test: &'a Item, items: &[&'a Item]) -> BTreeSet<String> {
    let mut reached: Vec<&Item> = vec![test];
    let mut said: BTreeSet<&str> = words(&test.text).collect();
    let mut called: BTreeSet<&str> = calls(&test.text).collect();
    loop {
        let is_new =
            |item: &&&Item| !item.is_test && !reached.iter().any(|other| std::ptr::eq(*other, **item));
        let is_used = |item: &&&Item| {
            let used = if item.is_function { &called } else { &said };
            used.contains(&item.name[..]) && item.of.as_ref().is_none_or(|of| said.contains(&of[..]))
        };
        let more: Vec<&Item> = items.iter().filter(is_new).filter(is_used).copied().collect();
        if more.is_empty() {
            return said
                .iter()
                .filter_map(|word| word.strip_prefix("CARGO_BIN_EXE_"))
                .map(str::to_owned)
                .collect();
        }
        for item in &more {
            said.extend(words(&item.text));
            called.extend(calls(&item.text));
        }
        reached.extend(more);
    }
}

/// The names that a text calls.
fn calls(text: &str) -> impl Iterator<Item = &str> {
    text.split('(').filter_map(|before| words(before).last().filter(|name| before.ends_with(name)))
}

/// The names in a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_programs_is_made_from_their_sources() {
        check(&crate::workspace_root()).unwrap();
    }

    #[test]
    fn a_test_runs_what_it_names_and_what_its_helpers_name() {
        let text = "const B: &str = env!(\"CARGO_BIN_EXE_b\");\nfn helper() { start(B) }\nstruct Farm;\nimpl Farm {\n    fn new() { \
                    start(env!(\"CARGO_BIN_EXE_c\")) }\n}\n#[test]\nfn one() { helper() }\n#[test]\nfn two() { Farm::new() \
                    }\n#[test]\nfn three() { start(env!(\"CARGO_BIN_EXE_a\")); Vec::new() }\n";
        let items = Item::all(text).unwrap();
        let items: Vec<&Item> = items.iter().collect();
        let runs = |name: &str| {
            let test = items.iter().find(|item| item.name == name).unwrap();
            programs_of(test, &items).into_iter().collect::<Vec<_>>().join(" ")
        };
        assert_eq!((&runs("one")[..], &runs("two")[..], &runs("three")[..]), ("b", "c", "a"));
    }

    #[test]
    fn a_page_shows_a_program_by_including_it() {
        let line = "{{#include ../../../../examples/guide/basics/src/bin/sink.rs}}";
        assert_eq!(shown(line), Some(("examples/guide/basics".to_owned(), "sink".to_owned())));
        assert_eq!(shown("{{#include ../drawings/hello.html}}"), None);
    }
}
