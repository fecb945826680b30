//! The guide (`docs/guide`): mdBook builds it into target/guide. Then each link of a page to another must lead somewhere.
//!
//! mdBook goes on where an `{{#include}}` finds no file, and says so in its log: each warning fails the step.

mod programs;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use fs_err as fs;
use walkdir::{DirEntry, WalkDir};
use xshell::{Shell, cmd};

use crate::report::Report;
use crate::run;

/// The version of mdBook: a later one may warn of more.
const MDBOOK: &str = "0.5.4";

/// What begins a line of mdBook's log that tells of a fault.
const FAULTS: [&str; 2] = ["WARN", "ERROR"];

pub(crate) fn steps(sh: &Shell, report: &mut Report) {
    report.step("guide", |_| step(sh));
}

/// Builds the book and checks its links.
fn step(sh: &Shell) -> Result<()> {
    programs::check(&sh.current_dir())?;
    let mdbook = run::tool(sh, "mdbook", MDBOOK, &["--no-default-features"])?;
    let book = run::target(sh).join("guide");
    let output = cmd!(sh, "{mdbook} build docs/guide --dest-dir {book}").ignore_status().output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    print!("{log}");
    ensure!(output.status.success(), "mdbook: {}", output.status);
    let faults = log.lines().filter(|line| FAULTS.iter().any(|fault| line.trim_start().starts_with(fault)));
    ensure!(faults.count() == 0, "mdBook warns, see above");
    let pages = pages(&book);
    let broken: Vec<String> =
        pages.iter().map(|page| broken_links(page)).collect::<Result<Vec<_>>>()?.concat();
    broken.iter().for_each(|link| println!("{link}"));
    ensure!(broken.is_empty(), "{} links lead nowhere, see above", broken.len());
    println!("guide: {} pages in {}", pages.len(), book.display());
    Ok(())
}

/// The pages below a folder.
pub(crate) fn pages(folder: &Path) -> Vec<PathBuf> {
    let files = WalkDir::new(folder).sort_by_file_name().into_iter().filter_map(Result::ok);
    files.map(DirEntry::into_path).filter(|path| path.extension().is_some_and(|end| end == "html")).collect()
}

/// The links of a page to files and headings of the book that are not there, each as `page: link`.
fn broken_links(page: &Path) -> Result<Vec<String>> {
    let text = fs::read_to_string(page)?;
    let folder = page.parent().context("a page is in a folder")?;
    let mut broken = Vec::new();
    for link in values_of(&text, "href").chain(values_of(&text, "src")).filter(|link| is_inside(link)) {
        let (path, heading) = link.split_once('#').unwrap_or((link, ""));
        let target = if path.is_empty() { page.to_owned() } else { folder.join(path) };
        let found = if heading.is_empty() {
            target.exists()
        } else {
            fs::read_to_string(&target).is_ok_and(|text| values_of(&text, "id").any(|id| id == heading))
        };
        if !found {
            broken.push(format!("{}: {link}", page.display()));
        }
    }
    Ok(broken)
}

/// Whether a link leads to a file of the book.
fn is_inside(link: &str) -> bool {
    !link.is_empty() && !link.contains(':') && !link.starts_with('/')
}

/// The values of an attribute in a page of mdBook, which writes `name="value"`.
pub(crate) fn values_of<'a>(text: &'a str, attribute: &str) -> impl Iterator<Item = &'a str> {
    let begin = format!(" {attribute}=\"");
    let ends: Vec<usize> = text.match_indices(&begin).map(|(at, _)| at + begin.len()).collect();
    ends.into_iter().filter_map(move |at| text[at..].split_once('"').map(|(value, _)| value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The broken links of a page with this text, beside a page `other.html` that has the heading `there`.
    fn broken(text: &str) -> usize {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("other.html"), "<h2 id=\"there\">").unwrap();
        let page = folder.path().join("page.html");
        fs::write(&page, text).unwrap();
        broken_links(&page).unwrap().len()
    }

    #[test]
    fn a_link_to_a_page_or_heading_that_is_not_there_is_found() {
        assert_eq!(
            broken(r##"<a href="other.html"><a href="other.html#there"><h1 id="top"><a href="#top">"##),
            0
        );
        assert_eq!(
            broken(
                r##"<a href="missing.html"><a href="other.html#missing"><a href="#missing"><img src="no.png">"##
            ),
            4
        );
    }

    #[test]
    fn links_to_other_places_are_not_looked_at() {
        assert_eq!(broken(r#"<a href="https://example.org/x"><a href="mailto:a@b"><a href="">"#), 0);
    }
}
