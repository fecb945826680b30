//! The tree as the rules see it: every file, the tokens of every source file, and which lines are tests.
//!
//! Tests are found by their attributes, not by their names: an item under `#[cfg(test)]` (or under a `cfg` that
//! only tests, fuzzers and model checkers switch on), the file of a module declared so, and all of a crate's
//! `tests/` folder.

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use syn::visit::Visit;
use walkdir::{DirEntry, WalkDir};

use super::Fault;

/// Folders that are made, not written.
const MADE: &[&str] = &["target", ".git", "__pycache__", "artifacts", "corpus", "coverage", "node_modules"];

/// What a `cfg` names when only people who judge the code switch it on.
const JUDGES: &[&str] = &["test", "fuzzing", "loom", "miri"];

pub(crate) struct Tree {
    /// Every text file.
    pub(crate) texts: Vec<Text>,
    /// Every Rust file that can be read as such.
    pub(crate) sources: Vec<Source>,
    /// Every Cargo.toml.
    pub(crate) manifests: Vec<(String, toml::Table)>,
}

pub(crate) struct Text {
    pub(crate) path: String,
    pub(crate) text: String,
}

pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) lines: Vec<String>,
    /// The tokens in order, groups opened out.
    pub(crate) tokens: Vec<Token>,
    /// Each path that a `use` tree imports, written in full.
    pub(crate) imports: Vec<Vec<Token>>,
    /// First and last lines of test code.
    tests: Vec<(usize, usize)>,
    /// Whether the whole file is test code.
    pub(crate) is_test: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Tree {
    /// Reads the tree. What cannot be read or parsed is a fault, not a reason to stop.
    pub(crate) fn read(root: &Path) -> (Tree, Vec<Fault>) {
        let mut tree = Tree { texts: Vec::new(), sources: Vec::new(), manifests: Vec::new() };
        let mut faults = Vec::new();
        let mut test_modules = BTreeSet::new();
        let walk = WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(written);
        for entry in walk.filter_map(Result::ok).filter(|entry| entry.file_type().is_file()) {
            // What is not UTF-8 is no text.
            let Ok(text) = std::fs::read_to_string(entry.path()) else { continue };
            let path = relative(root, entry.path());
            if path.ends_with(".rs") {
                match Source::parse(&path, &text, &mut test_modules) {
                    Ok(source) => tree.sources.push(source),
                    Err(error) => faults.push(Fault {
                        path: path.clone(),
                        line: error.span().start().line,
                        rule: "syntax",
                        text: error.to_string(),
                    }),
                }
            } else if entry.file_name() == "Cargo.toml" {
                match text.parse::<toml::Table>() {
                    Ok(manifest) => tree.manifests.push((path.clone(), manifest)),
                    Err(error) => {
                        let text = error.message().to_owned();
                        faults.push(Fault { path: path.clone(), line: 0, rule: "syntax", text });
                    }
                }
            }
            tree.texts.push(Text { path, text });
        }
        for source in &mut tree.sources {
            let stem = source.path.trim_end_matches(".rs").trim_end_matches("/mod");
            let is_test = test_modules.iter().any(|module| {
                stem.strip_prefix(module.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            });
            source.is_test |= is_test || source.path.starts_with("tests/") || source.path.contains("/tests/");
        }
        (tree, faults)
    }
}

impl Source {
    fn parse(path: &str, text: &str, test_modules: &mut BTreeSet<String>) -> syn::Result<Source> {
        let stream: TokenStream = text.parse()?;
        let file: syn::File = syn::parse2(stream.clone())?;
        let mut source = Source {
            path: path.to_owned(),
            lines: text.lines().map(str::to_owned).collect(),
            tokens: Vec::new(),
            imports: Vec::new(),
            tests: Vec::new(),
            is_test: false,
        };
        flatten(stream.clone(), &mut source.tokens);
        source.find_tests(&stream.into_iter().collect::<Vec<_>>(), test_modules);
        source.visit_file(&file);
        Ok(source)
    }

    /// Whether `line` is test code.
    pub(crate) fn in_test(&self, line: usize) -> bool {
        self.is_test || self.tests.iter().any(|&(first, last)| (first..=last).contains(&line))
    }

    /// Finds items under a test attribute in `trees` and below.
    fn find_tests(&mut self, trees: &[TokenTree], test_modules: &mut BTreeSet<String>) {
        let mut at = 0;
        while at < trees.len() {
            match Attribute::read(&trees[at..]) {
                Some(attribute) if attribute.judges && attribute.inner => {
                    self.is_test = true;
                    return;
                }
                Some(attribute) if attribute.judges => {
                    let item = item_length(&trees[at..]);
                    let (first, last) = (&trees[at], &trees[at + item - 1]);
                    self.tests.push((first.span().start().line, last.span().end().line));
                    test_modules.extend(self.module_stem(&trees[at..at + item]));
                    at += item;
                }
                Some(attribute) => at += attribute.length,
                None => {
                    if let TokenTree::Group(group) = &trees[at] {
                        self.find_tests(&group.stream().into_iter().collect::<Vec<_>>(), test_modules);
                    }
                    at += 1;
                }
            }
        }
    }

    /// For an item that is `mod name;`: the path of its file without `.rs` or `/mod.rs`.
    fn module_stem(&self, item: &[TokenTree]) -> Option<String> {
        let mut tokens = Vec::new();
        flatten(item.iter().cloned().collect(), &mut tokens);
        let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
        let [.., "mod", name, ";"] = words.as_slice() else { return None };
        let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let stem = self.path.trim_end_matches(".rs");
        let explicit =
            words.windows(4).find(|w| w[..3] == ["[", "path", "="]).map(|w| w[3].trim_matches('"'));
        Some(match explicit {
            Some(file) => format!("{folder}/{}", file.trim_end_matches(".rs")),
            None if ["lib", "main", "mod"].contains(&stem.rsplit('/').next()?) => format!("{folder}/{name}"),
            None => format!("{stem}/{name}"),
        })
    }

    fn add_imports(&mut self, mut run: Vec<Token>, tree: &syn::UseTree) {
        let token = |text: String, span: Span| Token { text, line: span.start().line };
        let (name, span) = match tree {
            syn::UseTree::Path(path) => {
                run.push(token(path.ident.to_string(), path.ident.span()));
                run.push(token("::".to_owned(), path.ident.span()));
                return self.add_imports(run, &path.tree);
            }
            syn::UseTree::Group(group) => {
                return group.items.iter().for_each(|item| self.add_imports(run.clone(), item));
            }
            syn::UseTree::Name(name) => (name.ident.to_string(), name.ident.span()),
            syn::UseTree::Rename(rename) => (rename.ident.to_string(), rename.ident.span()),
            syn::UseTree::Glob(glob) => ("*".to_owned(), glob.star_token.span),
        };
        run.push(token(name, span));
        self.imports.push(run);
    }
}

impl<'ast> Visit<'ast> for Source {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_imports(Vec::new(), &item.tree);
    }
}

/// An attribute at the head of some tokens.
struct Attribute {
    /// How many tokens it is.
    length: usize,
    /// Written `#![...]`.
    inner: bool,
    /// Only tests, fuzzers or model checkers see what it stands on.
    judges: bool,
}

impl Attribute {
    fn read(trees: &[TokenTree]) -> Option<Attribute> {
        let mark = |at: usize, c| matches!(trees.get(at), Some(TokenTree::Punct(p)) if p.as_char() == c);
        if !mark(0, '#') {
            return None;
        }
        let inner = mark(1, '!');
        let at = 1 + usize::from(inner);
        let Some(TokenTree::Group(group)) = trees.get(at) else { return None };
        if group.delimiter() != Delimiter::Bracket {
            return None;
        }
        let content: Vec<TokenTree> = group.stream().into_iter().collect();
        let judges = match content.as_slice() {
            [TokenTree::Ident(name)] => name == "test",
            [TokenTree::Ident(name), TokenTree::Group(predicate)] => {
                name == "cfg" && judges_only(&predicate.stream().into_iter().collect::<Vec<_>>())
            }
            _ => false,
        };
        Some(Attribute { length: at + 1, inner, judges })
    }
}

/// Whether a `cfg` predicate holds for judges of the code alone.
fn judges_only(predicate: &[TokenTree]) -> bool {
    match predicate {
        [TokenTree::Ident(name)] => JUDGES.iter().any(|judge| name == judge),
        [TokenTree::Ident(name), TokenTree::Group(arms)] => {
            let arms: Vec<TokenTree> = arms.stream().into_iter().collect();
            let mut arms = arms
                .split(|token| matches!(token, TokenTree::Punct(p) if p.as_char() == ','))
                .filter(|a| !a.is_empty());
            // A feature beside `test` (`any(test, feature = "fake")`) lends test code to other crates' tests.
            if name == "any" {
                let features = |arm: &[TokenTree]| matches!(arm, [TokenTree::Ident(n), ..] if n == "feature");
                let arms: Vec<_> = arms.collect();
                arms.iter().any(|arm| judges_only(arm))
                    && arms.iter().all(|arm| judges_only(arm) || features(arm))
            } else {
                name == "all" && arms.any(judges_only)
            }
        }
        _ => false,
    }
}

/// How many tokens the item (or field, or statement) at the head of `trees` is, attributes included.
fn item_length(trees: &[TokenTree]) -> usize {
    const ITEMS: &str =
        "mod fn impl use struct enum const static trait type extern unsafe async macro_rules union let";
    let mut at = 0;
    while let Some(attribute) = Attribute::read(&trees[at..]) {
        at += attribute.length;
    }
    let word = trees[at..].iter().find_map(|token| match token {
        TokenTree::Ident(name) if name != "pub" => Some(name.to_string()),
        _ => None,
    });
    // `struct` also ends at its brace; a field, a variant or an argument at its comma.
    let is_item = word.is_some_and(|word| ITEMS.split(' ').any(|item| item == word));
    let runs_to_semicolon =
        matches!(&trees[at..], [TokenTree::Ident(first), ..] if ["use", "let"].iter().any(|w| first == w));
    for (offset, token) in trees[at..].iter().enumerate() {
        let ends = match token {
            TokenTree::Punct(mark) => mark.as_char() == ';' || (!is_item && mark.as_char() == ','),
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !runs_to_semicolon,
            _ => false,
        };
        if ends {
            return at + offset + 1;
        }
    }
    trees.len()
}

/// Opens groups out and joins `::` and lifetimes into one token each.
fn flatten(stream: TokenStream, out: &mut Vec<Token>) {
    let mut joined: Option<char> = None;
    for tree in stream {
        let line = tree.span().start().line;
        let mut push = |text: String, line: usize| out.push(Token { text, line });
        let before = joined.take();
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                push(open.to_owned(), line);
                let last = group.span_close().end().line;
                flatten(group.stream(), out);
                out.push(Token { text: close.to_owned(), line: last });
            }
            TokenTree::Ident(name) if before == Some('\'') => push(format!("'{name}"), line),
            TokenTree::Ident(name) => push(name.to_string(), line),
            TokenTree::Literal(literal) => push(literal.to_string(), line),
            TokenTree::Punct(mark) => match (before, mark.as_char(), mark.spacing()) {
                (Some(':'), ':', _) => push("::".to_owned(), line),
                (_, c @ (':' | '\''), Spacing::Joint) => joined = Some(c),
                (_, c, _) => push(c.to_string(), line),
            },
        }
    }
}

fn written(entry: &DirEntry) -> bool {
    let name = entry.file_name().to_string_lossy();
    // In a further work tree `.git` is a file that names the folder of the first.
    !(name == ".git" || entry.file_type().is_dir() && MADE.contains(&name.as_ref()))
}

fn relative(root: &Path, path: &Path) -> String {
    let path = path.strip_prefix(root).unwrap_or(path);
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
