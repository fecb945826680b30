//! What an ELF file asks the system to load, and what it offers to programs.

use std::path::Path;

use anyhow::{Context, Result};
use object::elf::{DF_1_NODELETE, DT_FLAGS_1, DT_NEEDED, DT_SONAME};
use object::read::elf::{Dyn, ElfFile64, ProgramHeader};
use object::{Endianness, Object, ObjectSymbol};

/// A 64-bit ELF file as programs and the loader see it.
#[derive(Debug, Default)]
pub(crate) struct Elf {
    /// Whether it asks for a dynamic loader (`PT_INTERP`): a static program does not.
    pub(crate) wants_loader: bool,
    pub(crate) soname: Option<String>,
    /// The sonames of the libraries that it needs.
    pub(crate) needed: Vec<String>,
    /// Whether dlclose leaves it in place.
    pub(crate) stays_loaded: bool,
    /// The symbols that others may link, sorted.
    pub(crate) exported: Vec<String>,
}

impl Elf {
    pub(crate) fn read(path: &Path) -> Result<Elf> {
        Elf::parse(&fs_err::read(path)?).with_context(|| path.display().to_string())
    }

    fn parse(bytes: &[u8]) -> object::Result<Elf> {
        let file = ElfFile64::<Endianness>::parse(bytes)?;
        let (endian, sections) = (file.endian(), file.elf_section_table());
        let mut elf = Elf::default();
        for header in file.elf_program_headers() {
            elf.wants_loader |= header.interpreter(endian, bytes)?.is_some();
        }
        if let Some((entries, strings)) = sections.dynamic(endian, bytes)? {
            let strings = sections.strings(endian, bytes, strings)?;
            for entry in entries {
                let text = || Ok(String::from_utf8_lossy(entry.string(endian, strings)?).into_owned());
                match entry.tag32(endian) {
                    Some(DT_SONAME) => elf.soname = Some(text()?),
                    Some(DT_NEEDED) => elf.needed.push(text()?),
                    Some(DT_FLAGS_1) => {
                        elf.stays_loaded =
                            entry.val32(endian).is_some_and(|flags| flags & DF_1_NODELETE != 0);
                    }
                    _ => {}
                }
            }
        }
        for symbol in file.dynamic_symbols().filter(|symbol| symbol.is_definition()) {
            elf.exported.push(symbol.name()?.to_owned());
        }
        elf.exported.sort();
        Ok(elf)
    }
}

#[cfg(test)]
mod tests {
    use object::elf::{PT_INTERP, PT_LOAD};

    use super::*;

    /// A file with one program header of kind `kind`.
    fn file(kind: u32) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes.extend_from_slice(b"/ld\0");
        bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        bytes[32..40].copy_from_slice(&64u64.to_le_bytes());
        bytes[54..56].copy_from_slice(&56u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&1u16.to_le_bytes());
        bytes[64..68].copy_from_slice(&kind.to_le_bytes());
        bytes[72..80].copy_from_slice(&120u64.to_le_bytes());
        bytes[96..104].copy_from_slice(&4u64.to_le_bytes());
        bytes
    }

    #[test]
    fn a_loader_is_seen() {
        assert!(Elf::parse(&file(PT_INTERP)).unwrap().wants_loader);
        assert!(!Elf::parse(&file(PT_LOAD)).unwrap().wants_loader);
    }

    #[test]
    fn what_is_no_elf_proves_nothing() {
        assert!(Elf::parse(b"#!/bin/sh").is_err());
        assert!(Elf::parse(&file(PT_LOAD)[..66]).is_err());
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
    fn libraries_and_symbols_are_read() {
        let this = Elf::read(&std::env::current_exe().unwrap()).unwrap();
        assert!(this.wants_loader && this.soname.is_none() && !this.stays_loaded);
        assert!(this.needed.iter().any(|name| name == "libc.so.6"), "{this:?}");
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let libc = maps.lines().filter_map(|line| line.split_whitespace().nth(5));
        let libc = libc.into_iter().find(|path| path.ends_with("/libc.so.6")).unwrap();
        let libc = Elf::read(Path::new(libc)).unwrap();
        assert_eq!(libc.soname.as_deref(), Some("libc.so.6"));
        let has = |name: &str| libc.exported.iter().any(|other| other == name);
        assert!(has("getenv") && !has("no_such_function"));
    }
}
