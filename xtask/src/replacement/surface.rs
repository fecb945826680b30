//! What a crate like zmq-sys offers, item by item, in words that can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use syn::{Expr, ForeignItem, Item, Lit, ReturnType, Type, UseTree, Visibility};

/// Each public name, and what it is.
pub(super) type Surface = BTreeMap<String, String>;

/// What stands for an item that the crate takes from the system's.
const FOREIGN: &str = "from elsewhere";

/// Reads the crate whose sources are in `folder`.
pub(super) fn read(folder: &Path) -> Result<Surface> {
    let mut files = BTreeMap::new();
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(stem) = name.strip_suffix(".rs") {
            let file = syn::parse_file(&fs_err::read_to_string(&path)?);
            files.insert(stem.to_owned(), file.with_context(|| path.display().to_string())?);
        }
    }
    Ok(surface(&files))
}

fn surface(files: &BTreeMap<String, syn::File>) -> Surface {
    let mut items = Surface::new();
    for (_, file) in files.iter().filter(|(stem, _)| !["lib", "errno", "windows"].contains(&stem.as_str())) {
        items.extend(described(&file.items));
    }
    let mut surface = Surface::new();
    let Some(lib) = files.get("lib") else { return surface };
    for item in &lib.items {
        let Item::Use(item) = item else { continue };
        if matches!(item.vis, Visibility::Public(_)) {
            let mut names = BTreeSet::new();
            imported(&item.tree, "", files, &mut names);
            for name in names {
                let what = items.get(&name).cloned().unwrap_or_else(|| FOREIGN.to_owned());
                surface.insert(name, what);
            }
        }
    }
    if let Some(errno) = files.get("errno") {
        surface.extend(numbers(errno).into_iter().map(|(name, what)| (format!("errno::{name}"), what)));
    }
    surface
}

/// The names that a `use` tree brings in; a glob brings in what the module of that name makes public.
fn imported(tree: &UseTree, module: &str, files: &BTreeMap<String, syn::File>, names: &mut BTreeSet<String>) {
    match tree {
        UseTree::Path(path) => imported(&path.tree, &path.ident.to_string(), files, names),
        UseTree::Group(group) => group.items.iter().for_each(|tree| imported(tree, module, files, names)),
        UseTree::Name(name) => drop(names.insert(name.ident.to_string())),
        UseTree::Rename(rename) => drop(names.insert(rename.rename.to_string())),
        UseTree::Glob(_) => {
            names
                .extend(files.get(module).map(|file| described(&file.items)).unwrap_or_default().into_keys());
        }
    }
}

/// Constants, types and functions of a file.
fn described(items: &[Item]) -> Surface {
    let mut found = Surface::new();
    let mut defaults = BTreeSet::new();
    for item in items {
        match item {
            Item::Const(item) => {
                let what = format!("const {} = {}", kind(&item.ty), value(&item.expr));
                found.insert(item.ident.to_string(), what);
            }
            Item::Type(item) => {
                drop(found.insert(item.ident.to_string(), format!("type {}", kind(&item.ty))))
            }
            Item::Struct(item) => {
                let fields = item.fields.iter().map(|field| {
                    format!(
                        "{}: {}",
                        field.ident.as_ref().map(ToString::to_string).unwrap_or_default(),
                        kind(&field.ty)
                    )
                });
                let what = format!(
                    "struct {{{}}} {}",
                    fields.collect::<Vec<_>>().join(", "),
                    attributes(&item.attrs)
                );
                found.insert(item.ident.to_string(), what);
            }
            Item::Impl(item) => {
                let last = item.trait_.as_ref().and_then(|each| each.0.segments.last());
                let is_default = last.is_some_and(|word| word.ident == "Default");
                if is_default {
                    defaults.insert(kind(&item.self_ty));
                }
            }
            Item::ForeignMod(block) => {
                for item in &block.items {
                    let ForeignItem::Fn(function) = item else { continue };
                    let arguments = function.sig.inputs.iter().map(|argument| match argument {
                        syn::FnArg::Typed(argument) => kind(&argument.ty),
                        _ => String::new(),
                    });
                    let what = format!(
                        "fn({}){}",
                        arguments.collect::<Vec<_>>().join(", "),
                        answer(&function.sig.output)
                    );
                    found.insert(function.sig.ident.to_string(), what);
                }
            }
            _ => {}
        }
    }
    for name in defaults {
        found.entry(name).and_modify(|what| what.push_str(" Default"));
    }
    found
}

/// The error numbers: the system's, or how far from libzmq's first own number.
fn numbers(file: &syn::File) -> Surface {
    let mut found = Surface::new();
    for item in &file.items {
        match item {
            Item::Const(item) if matches!(item.vis, Visibility::Public(_)) => {
                let what = match &*item.expr {
                    Expr::Binary(sum) => format!("own {}", value(&sum.right)),
                    _ => FOREIGN.to_owned(),
                };
                found.insert(item.ident.to_string(), what);
            }
            Item::Use(item) if matches!(item.vis, Visibility::Public(_)) => {
                let mut names = BTreeSet::new();
                imported(&item.tree, "", &BTreeMap::new(), &mut names);
                found.extend(names.into_iter().map(|name| (name, FOREIGN.to_owned())));
            }
            _ => {}
        }
    }
    found
}

/// A type without the paths of its names.
fn kind(ty: &Type) -> String {
    match ty {
        Type::Ptr(pointer) => {
            let word =
                if matches!(pointer.mutability, syn::PointerMutability::Mut(_)) { "*mut" } else { "*const" };
            format!("{word} {}", kind(&pointer.elem))
        }
        Type::Array(array) => format!("[{}; {}]", kind(&array.elem), value(&array.len)),
        Type::FnPtr(function) => {
            let arguments = function.inputs.iter().map(|argument| kind(&argument.ty));
            format!("fn({}){}", arguments.collect::<Vec<_>>().join(", "), answer(&function.output))
        }
        Type::Path(path) => path.path.segments.last().map(segment).unwrap_or_default(),
        _ => "?".to_owned(),
    }
}

fn segment(segment: &syn::PathSegment) -> String {
    let syn::PathArguments::AngleBracketed(list) = &segment.arguments else {
        return segment.ident.to_string();
    };
    let kinds = list.args.iter().filter_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(kind(ty)),
        _ => None,
    });
    format!("{}<{}>", segment.ident, kinds.collect::<Vec<_>>().join(", "))
}

fn answer(output: &ReturnType) -> String {
    match output {
        ReturnType::Type(_, ty) => format!(" -> {}", kind(ty)),
        ReturnType::Default => String::new(),
    }
}

/// A number, whatever its notation.
fn value(expr: &Expr) -> String {
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_digits().to_owned(),
            _ => "?".to_owned(),
        },
        Expr::Unary(minus) => format!("-{}", value(&minus.expr)),
        _ => "?".to_owned(),
    }
}

/// The words of `repr` and `derive`, in order of the alphabet.
fn attributes(attributes: &[syn::Attribute]) -> String {
    let lists =
        attributes.iter().filter(|each| each.path().is_ident("repr") || each.path().is_ident("derive"));
    let lists = lists.filter_map(|each| each.meta.require_list().ok()).map(|list| list.tokens.to_string());
    let words: BTreeSet<String> = lists
        .flat_map(|list| list.split(',').map(|word| word.replace(' ', "")).collect::<Vec<_>>())
        .collect();
    words.into_iter().collect::<Vec<_>>().join(" ")
}

/// Where two differ, a line for each name.
pub(super) fn differences(real: &Surface, ours: &Surface) -> Vec<String> {
    let names: BTreeSet<&String> = real.keys().chain(ours.keys()).collect();
    let missing = "nothing".to_owned();
    let pairs = names
        .into_iter()
        .map(|name| (name, real.get(name).unwrap_or(&missing), ours.get(name).unwrap_or(&missing)));
    let differing = pairs.filter(|(_, real, ours)| real != ours);
    differing.map(|(name, real, ours)| format!("{name}: {real} there, {ours} here")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lib: &str, other: &str) -> Surface {
        let files = [("lib", lib), ("ffi", other)];
        surface(
            &files
                .map(|(stem, text)| (stem.to_owned(), syn::parse_file(text).unwrap()))
                .into_iter()
                .collect(),
        )
    }

    #[test]
    fn notation_is_no_difference() {
        let real = of(
            "pub use crate::ffi::{A, t, f};",
            "pub const A: u32 = 65535; pub const B: u32 = 1;
             #[repr(C)] #[repr(align(8))] #[derive(Copy, Clone)] pub struct t { pub x: [::std::os::raw::c_uchar; 64usize] }
             extern \"C\" { pub fn f(a_: *mut ::std::os::raw::c_void) -> ::std::os::raw::c_int; }",
        );
        let ours = of(
            "pub use ffi::*;",
            "pub const A: u32 = 0xFFFF; #[derive(Clone, Copy)] #[repr(C, align(8))] pub struct t { pub x: [c_uchar; 64] }
             unsafe extern \"C\" { pub fn f(socket: *mut c_void) -> c_int; }",
        );
        assert_eq!(real.len(), 3);
        assert_eq!(differences(&real, &ours), Vec::<String>::new());
    }

    #[test]
    fn another_value_type_or_name_is_one() {
        let real = of("pub use ffi::*;", "pub const A: u32 = 1; extern \"C\" { pub fn f(a: *mut c_void); }");
        for (ours, differing) in [
            ("pub const A: u32 = 2; extern \"C\" { pub fn f(a: *mut c_void); }", 1),
            ("pub const A: i32 = 1; extern \"C\" { pub fn f(a: *mut c_void); }", 1),
            ("pub const A: u32 = 1; extern \"C\" { pub fn f(a: *const c_void); }", 1),
            ("pub const A: u32 = 1; extern \"C\" { pub fn f(a: *mut c_void) -> c_int; }", 1),
            ("pub const A: u32 = 1; extern \"C\" { pub fn g(a: *mut c_void); }", 2),
        ] {
            assert_eq!(differences(&real, &of("pub use ffi::*;", ours)).len(), differing, "{ours}");
        }
    }
}
