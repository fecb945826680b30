//! The items of capi/zmq-sys beside those of the real zmq-sys. The names are compared here; the compiler compares values,
//! types and layouts, in the crate `xtask/zmq-items`.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use fs_err as fs;
use syn::{Item, UseTree, Visibility};
use xshell::{Shell, cmd};

use super::{SOURCES, built};
use crate::registry;

/// Compares our items with the real crate's.
pub(super) fn step(sh: &Shell) -> Result<()> {
    compare(sh, &registry::source(sh, SOURCES, "zmq-sys")?.join("src"))
}

/// Compares our items with those of the crate whose sources are in `real`.
fn compare(sh: &Shell, real: &Path) -> Result<()> {
    let ours = sh.current_dir().join("capi/zmq-sys/src");
    let mut constants = String::new();
    for (file, module, our_module) in [("lib", "ffi", "constants"), ("errno", "errno", "errno")] {
        let (theirs, ours) = (names(real, file)?, names(&ours, file)?);
        let differing: Vec<&String> = theirs.symmetric_difference(&ours).collect();
        ensure!(differing.is_empty(), "{file}.rs of one crate alone has {differing:?}");
        println!("{file}.rs: {} items", ours.len());
        for name in
            ours.iter().filter(|name| name.starts_with(|c: char| c.is_uppercase()) && *name != "RawFd")
        {
            constants += &format!("const _: () = assert!(real::{module}::{name} == {our_module}::{name});\n");
        }
    }
    let target = built(sh);
    let list = target.join("constants.rs");
    fs::create_dir_all(&target)?;
    fs::write(&list, constants)?;
    let check = cmd!(sh, "cargo check --quiet --locked --manifest-path xtask/zmq-items/Cargo.toml");
    let check = check.env("CARGO_TARGET_DIR", &target).env("REAL", real).env("CONSTANTS", &list);
    check.run().context("the compiler finds items that differ, see above")
}

/// The public names of a file: what it defines, and what it takes from elsewhere.
fn names(folder: &Path, file: &str) -> Result<BTreeSet<String>> {
    let path = folder.join(file).with_extension("rs");
    let mut names = BTreeSet::new();
    for item in
        syn::parse_file(&fs::read_to_string(&path)?).with_context(|| path.display().to_string())?.items
    {
        match item {
            Item::Const(item) if matches!(item.vis, Visibility::Public(_)) => {
                names.insert(item.ident.to_string());
            }
            Item::Use(item) if matches!(item.vis, Visibility::Public(_)) => {
                add_imported(&item.tree, "", folder, &mut names)?;
            }
            _ => {}
        }
    }
    Ok(names)
}

/// Adds the names that a `use` brings in; a glob brings in the public names of `module`.
fn add_imported(tree: &UseTree, module: &str, folder: &Path, to: &mut BTreeSet<String>) -> Result<()> {
    match tree {
        UseTree::Path(path) => return add_imported(&path.tree, &path.ident.to_string(), folder, to),
        UseTree::Group(group) => {
            return group.items.iter().try_for_each(|tree| add_imported(tree, module, folder, to));
        }
        UseTree::Name(name) => drop(to.insert(name.ident.to_string())),
        UseTree::Rename(rename) => drop(to.insert(rename.rename.to_string())),
        UseTree::Glob(_) => to.extend(names(folder, module)?),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares our sources with a copy of them, laid out as the real crate's, after `change` in one of its files.
    fn compared(change: Option<(&str, &str, &str)>) -> Result<()> {
        let (sh, folder) = (Shell::new().unwrap(), tempfile::tempdir().unwrap());
        sh.change_dir(crate::workspace_root());
        let read =
            |file: &str| fs::read_to_string(sh.current_dir().join("capi/zmq-sys/src").join(file)).unwrap();
        let inner = |text: String| -> String {
            text.lines()
                .filter(|line| !line.starts_with("//!") && !line.starts_with("#!"))
                .map(|line| format!("{line}\n"))
                .collect()
        };
        let mut files = [
            ("lib.rs", read("lib.rs").replace("constants::", "ffi::").replace("functions::", "ffi::")),
            ("ffi.rs", inner(read("constants.rs")) + &inner(read("functions.rs"))),
            ("errno.rs", inner(read("errno.rs"))),
        ];
        // What the real crate does not export is no difference.
        let exported = names(&crate::workspace_root().join("capi/zmq-sys/src"), "constants").unwrap();
        let exported: Vec<String> = exported.into_iter().collect();
        files[0].1 = files[0].1.replace("ffi::*", &format!("ffi::{{{}}}", exported.join(", ")));
        for (file, text) in &mut files {
            if let Some((_, from, to)) = change.filter(|(changed, ..)| changed == file) {
                assert!(text.contains(from), "{from}");
                *text = text.replace(from, to);
            }
            fs::write(folder.path().join(*file), text).unwrap();
        }
        compare(&sh, folder.path())
    }

    #[test]
    fn another_name_value_or_type_is_a_difference() {
        compared(None).unwrap();
        for change in [
            ("lib.rs", "zmq_z85_decode", "zmq_z85_decoded"),
            ("lib.rs", "zmq_bind, ", ""),
            ("errno.rs", "EFSM", "EFSN"),
            ("errno.rs", "HAUSNUMERO + 51", "HAUSNUMERO + 50"),
            ("ffi.rs", "ZMQ_SUB: u32 = 2;", "ZMQ_SUB: u32 = 3;"),
            ("ffi.rs", "ZMQ_SUB: u32", "ZMQ_SUB: i32"),
            ("ffi.rs", "fn zmq_errno() -> c_int;", "fn zmq_errno();"),
            ("ffi.rs", "fn zmq_ctx_new() -> *mut c_void;", "fn zmq_ctx_new() -> *const c_void;"),
            ("ffi.rs", "fn zmq_ctx_term(context: *mut c_void)", "fn zmq_ctx_term(context: c_int)"),
            ("ffi.rs", "[c_uchar; 64]", "[c_uchar; 63]"),
            ("ffi.rs", "revents: c_short", "revent: c_short"),
            ("ffi.rs", "hint: *mut c_void)>", "hint: *const c_void)>"),
        ] {
            assert!(compared(Some(change)).is_err(), "{change:?}");
        }
    }
}
