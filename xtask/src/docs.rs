//! The documentation that rustdoc makes: it is built without a warning, the first page leads to every public item, and examples
//! use `zeroxide` alone.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use fs_err as fs;
use xshell::{Shell, cmd};

use crate::guide::{pages, values_of};
use crate::{run, suite};

/// Begins and ends an example in a page of rustdoc.
const EXAMPLE: (&str, &str) = ("<pre class=\"rust rust-example-rendered\">", "</pre>");
/// The crates below `zeroxide`, which no example names.
const LOWER: [&str; 3] = ["zeroxide_zmtp", "zeroxide_patterns", "zeroxide_transports"];
/// The lists of all items, below what the first page says itself.
const LISTS: &str = "class=\"section-header\"";

/// Builds the documentation and checks that of `zeroxide`.
pub(crate) fn step(sh: &Shell) -> Result<()> {
    let features = suite::FEATURES;
    let docs = cmd!(sh, "cargo doc --no-deps --workspace --features {features}");
    run::pass(docs.env("RUSTDOCFLAGS", "-D warnings"))?;
    let folder = run::target(sh).join("doc/zeroxide");
    let (first, all) =
        (fs::read_to_string(folder.join("index.html"))?, fs::read_to_string(folder.join("all.html"))?);
    let missing = missing(&first, &all);
    ensure!(missing.is_empty(), "src/overview.md leads to no {}", missing.join(", "));
    let mut foreign = Vec::new();
    for page in pages(&folder) {
        if examples(&fs::read_to_string(&page)?).any(is_foreign) {
            foreign.push(page.display().to_string());
        }
    }
    ensure!(foreign.is_empty(), "an example uses another crate than zeroxide: {}", foreign.join(", "));
    Ok(())
}

/// The pages of items at the root of the crate that its first page leads to from none of its sections.
fn missing<'a>(first: &str, all: &'a str) -> Vec<&'a str> {
    let own = first.split_once(LISTS).map_or(first, |(own, _)| own);
    let led: BTreeSet<&str> =
        values_of(own, "href").map(|link| link.split_once('#').map_or(link, |(page, _)| page)).collect();
    let body = all.split_once("<main>").map_or(all, |(_, body)| body);
    let is_of_root = |link: &&str| link.ends_with(".html") && !link.contains('/');
    values_of(body, "href").filter(is_of_root).filter(|link| !led.contains(link)).collect()
}

/// The examples of a page, with their markup.
fn examples(page: &str) -> impl Iterator<Item = &str> {
    let blocks = page.split(EXAMPLE.0).skip(1);
    blocks.map(|block| block.split_once(EXAMPLE.1).map_or(block, |(example, _)| example))
}

/// Whether an example names a crate that its reader does not depend on.
fn is_foreign(example: &str) -> bool {
    LOWER.iter().any(|lower| example.contains(lower))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_that_only_the_lists_name_is_missing() {
        let first = r#"<a href="struct.A.html"><a href="struct.B.html#method.b"><h2 class="section-header"><a href="struct.C.html">"#;
        let all = r#"<a href="all.html"><main><a href="struct.A.html"><a href="struct.B.html"><a href="struct.C.html"><a href="opt/constant.D.html">"#;
        assert_eq!(missing(first, all), ["struct.C.html"]);
    }

    #[test]
    fn examples_are_told_from_signatures() {
        let page = "<pre class=\"rust item-decl\">a</pre><pre class=\"rust rust-example-rendered\">b</pre>c";
        assert_eq!(examples(page).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn a_lower_crate_is_foreign_and_a_metric_is_not() {
        assert!(is_foreign("use <span>zeroxide_zmtp</span>::Message;"));
        assert!(!is_foreign(
            "context.metrics().contains(<span class=\"string\">\"zeroxide_accepted_total{\"</span>)"
        ));
    }
}
