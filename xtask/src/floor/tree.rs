//! The tree as the rules see it: every file, the tokens of every source file, and which lines are tests.
//!
//! Tests are found by their attributes, not by their names: an item under `#[cfg(test)]` (or under a `cfg` that
//! only tests, fuzzers and model checkers switch on), the file of a module declared so, and all of a crate's
//! `tests/` folder.

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};
use syn::Meta;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
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
        let mut tokens = Vec::new();
        flatten(stream, &mut tokens);
        let mut reader = Reader {
            path,
            nodes: Vec::new(),
            imports: Vec::new(),
            tests: Vec::new(),
            is_test: false,
            test_modules,
        };
        reader.visit_file(&file);
        let Reader { imports, tests, is_test, .. } = reader;
        let lines = text.lines().map(str::to_owned).collect();
        Ok(Source { path: path.to_owned(), lines, tokens, imports, tests, is_test })
    }

    /// Whether `line` is test code.
    pub(crate) fn in_test(&self, line: usize) -> bool {
        self.is_test || self.tests.iter().any(|&(first, last)| (first..=last).contains(&line))
    }
}

/// Finds the imports and the test code of one file.
struct Reader<'a, 'ast> {
    path: &'a str,
    /// What an attribute can stand on, from the outermost to where the reader is.
    nodes: Vec<&'ast dyn Spanned>,
    imports: Vec<Vec<Token>>,
    tests: Vec<(usize, usize)>,
    is_test: bool,
    test_modules: &'a mut BTreeSet<String>,
}

impl Reader<'_, '_> {
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

    /// The path of the file of `mod name;`, without `.rs` or `/mod.rs`.
    fn module_stem(&self, module: &syn::ItemMod) -> String {
        let (folder, file) = self.path.rsplit_once('/').unwrap_or(("", self.path));
        let explicit = module.attrs.iter().find_map(|attribute| match &attribute.meta {
            Meta::NameValue(path) if path.path.is_ident("path") => path.value.span().source_text(),
            _ => None,
        });
        match explicit {
            Some(file) => format!("{folder}/{}", file.trim_matches('"').trim_end_matches(".rs")),
            None if ["lib.rs", "main.rs", "mod.rs"].contains(&file) => format!("{folder}/{}", module.ident),
            None => format!("{}/{}", self.path.trim_end_matches(".rs"), module.ident),
        }
    }
}

/// Notes each node on the way to its parts.
macro_rules! on_the_way {
    ($($visit:ident: $node:ident),+) => {
        $(fn $visit(&mut self, node: &'ast syn::$node) {
            self.nodes.push(node);
            visit::$visit(self, node);
            self.nodes.pop();
        })+
    };
}

impl<'ast> Visit<'ast> for Reader<'_, 'ast> {
    on_the_way!(
        visit_item: Item, visit_impl_item: ImplItem, visit_trait_item: TraitItem, visit_foreign_item: ForeignItem,
        visit_field: Field, visit_variant: Variant, visit_fn_arg: FnArg, visit_generic_param: GenericParam,
        visit_stmt: Stmt, visit_expr: Expr, visit_arm: Arm, visit_field_value: FieldValue, visit_field_pat: FieldPat
    );

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.add_imports(Vec::new(), &item.tree);
        visit::visit_item_use(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_none() && item.attrs.iter().any(is_for_tests) {
            self.test_modules.insert(self.module_stem(item));
        }
        visit::visit_item_mod(self, item);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        match self.nodes.last() {
            _ if !is_for_tests(attribute) => {}
            Some(node) => self.tests.push((node.span().start().line, node.span().end().line)),
            None => self.is_test = true,
        }
    }
}

/// Whether only tests, fuzzers or model checkers see what an attribute stands on.
fn is_for_tests(attribute: &syn::Attribute) -> bool {
    let is_cfg = attribute.path().is_ident("cfg");
    attribute.path().is_ident("test") || is_cfg && attribute.parse_args().is_ok_and(|cfg| judges_only(&cfg))
}

/// Whether a `cfg` predicate holds for judges of the code alone.
fn judges_only(predicate: &Meta) -> bool {
    let Meta::List(list) = predicate else {
        return JUDGES.iter().any(|judge| predicate.path().is_ident(judge));
    };
    let arms = list.parse_args_with(Punctuated::<Meta, syn::Token![,]>::parse_terminated).unwrap_or_default();
    if list.path.is_ident("any") {
        // A feature beside `test` (`any(test, feature = "fake")`) lends test code to other crates' tests.
        arms.iter().any(judges_only)
            && arms.iter().all(|arm| judges_only(arm) || arm.path().is_ident("feature"))
    } else {
        list.path.is_ident("all") && arms.iter().any(judges_only)
    }
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
