//! What a release would hand out: the packages of crates.io, and the first minute of somebody who reads the README.
//!
//! `cargo publish` packages each crate, builds it from its package alone, and then uploads it. Here it does the first two, without
//! the network: a crate that depends on another of the workspace finds that one's new package.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{MetadataCommand, Package};
use fs_err as fs;
use xshell::{Shell, cmd};

use crate::report::Report;
use crate::run;

/// What every package contains, because its own Cargo.toml names both licences.
const LICENCES: [&str; 2] = ["LICENSE-APACHE", "LICENSE-MIT"];

pub(crate) fn steps(sh: &Shell, report: &mut Report) {
    report.step("packages", |_| step(sh));
    report.step("the README's first program", |_| readme(sh));
}

/// Packages every crate that is for crates.io, and builds each from its package.
pub(crate) fn step(sh: &Shell) -> Result<()> {
    let published = published()?;
    for package in &published {
        let docs_rs = &package.metadata["docs"]["rs"];
        ensure!(docs_rs.is_object(), "{}: no [package.metadata.docs.rs] in its Cargo.toml", package.name);
        let name = package.name.as_str();
        let files = cmd!(sh, "cargo package --offline --allow-dirty --list -p {name}").read()?;
        let missing = missing_licences(&files);
        ensure!(missing.is_empty(), "{name}: its package has no {}", missing.join(" and no "));
    }
    let names: Vec<&str> = published.iter().map(|package| package.name.as_str()).collect();
    let all = names.iter().flat_map(|name| ["-p", name]);
    run::pass(cmd!(sh, "cargo package --offline --allow-dirty {all...}"))?;
    println!("packages: {}", names.join(", "));
    Ok(())
}

/// The crates of the workspace that do not say `publish = false`.
fn published() -> Result<Vec<Package>> {
    let metadata = MetadataCommand::new().no_deps().exec()?;
    let is_published = |package: &Package| package.publish.as_ref().is_none_or(|to| !to.is_empty());
    Ok(metadata.packages.into_iter().filter(is_published).collect())
}

/// The licences that are not among these files of a package, one a line.
fn missing_licences(files: &str) -> Vec<&'static str> {
    LICENCES.into_iter().filter(|licence| !files.lines().any(|file| file == *licence)).collect()
}

/// Does in a fresh folder what the README's first screen says, and compares what its program prints.
pub(crate) fn readme(sh: &Shell) -> Result<()> {
    let (root, text) = (sh.current_dir(), fs::read_to_string("README.md")?);
    let add = block(&text, "sh")?.split('#').next().unwrap_or_default().trim();
    let path = add.strip_prefix("cargo add --path ").with_context(|| format!("not understood: {add}"))?;
    let folder = run::target(sh).join("readme");
    let _ = fs::remove_dir_all(&folder); // of an earlier run
    fs::create_dir_all(folder.join("src"))?;
    let manifest = "[package]\nname = \"readme\"\nedition = \"2024\"\n\n[workspace]\n";
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/main.rs"), block(&text, "rust")?)?;
    // The same versions as everywhere, so that nothing is fetched.
    fs::copy("Cargo.lock", folder.join("Cargo.lock"))?;
    ensure!(Path::new(path).file_name() == Some("zeroxide".as_ref()), "{path} is not a clone's folder");
    let target = run::target(sh);
    let _there = sh.push_dir(&folder);
    run::pass(cmd!(sh, "cargo add --offline --path {root}"))?;
    let printed = cmd!(sh, "cargo run --offline --target-dir {target}").read()?;
    println!("{printed}");
    ensure!(printed.trim() == block(&text, "text")?.trim(), "the README says that it prints something else");
    Ok(())
}

/// The first block of this language in a page.
fn block<'a>(text: &'a str, language: &str) -> Result<&'a str> {
    let begin = format!("```{language}\n");
    let (_, rest) = text.split_once(&begin).with_context(|| format!("no block of {language}"))?;
    rest.split_once("```").map(|(block, _)| block).context("the block has no end")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_and_tools_are_not_for_crates_io() {
        let mut names: Vec<String> =
            published().unwrap().iter().map(|package| package.name.to_string()).collect();
        names.sort();
        let own = ["capi", "cli", "patterns", "transports", "zmtp"].map(|name| format!("zeroxide-{name}"));
        assert_eq!(names, [&["zeroxide".to_owned()][..], &own[..]].concat());
    }

    #[test]
    fn a_package_has_both_licences() {
        assert_eq!(missing_licences("Cargo.toml\nLICENSE-APACHE\nLICENSE-MIT\nsrc/lib.rs\n"), [""; 0]);
        assert_eq!(
            missing_licences("Cargo.toml\nLICENSE-MIT\nlicences/LICENSE-APACHE\n"),
            ["LICENSE-APACHE"]
        );
    }

    #[test]
    fn the_first_block_of_a_language_is_found() {
        let text = "a\n```sh\nls\n```\n```rust\nfn main() {}\n```\n```rust\nother\n```\n";
        assert_eq!((block(text, "sh").unwrap(), block(text, "rust").unwrap()), ("ls\n", "fn main() {}\n"));
        assert!(block(text, "text").is_err());
    }
}
