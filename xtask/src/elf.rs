//! What an ELF executable asks the system to load: the proof that a binary is static.

/// The program header that names the dynamic loader (`PT_INTERP`, System V ABI chapter 5).
const PT_INTERP: u32 = 3;

/// Whether the 64-bit little-endian ELF file `bytes` asks for a dynamic loader; `None` when it is no such file.
pub(crate) fn wants_loader(bytes: &[u8]) -> Option<bool> {
    let header = bytes.get(..64)?;
    if header.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let table = usize::try_from(u64::from_le_bytes(field(header, 32)?)).ok()?;
    let size = usize::from(u16::from_le_bytes(field(header, 54)?));
    let number = usize::from(u16::from_le_bytes(field(header, 56)?));
    for row in 0..number {
        let at = table.checked_add(row.checked_mul(size)?)?;
        if u32::from_le_bytes(field(bytes, at)?) == PT_INTERP {
            return Some(true);
        }
    }
    Some(false)
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one program header of kind `kind`.
    fn file(kind: u32) -> Vec<u8> {
        let mut bytes = vec![0; 64 + 56];
        bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
        bytes[32..40].copy_from_slice(&64u64.to_le_bytes());
        bytes[54..56].copy_from_slice(&56u16.to_le_bytes());
        bytes[56..58].copy_from_slice(&1u16.to_le_bytes());
        bytes[64..68].copy_from_slice(&kind.to_le_bytes());
        bytes
    }

    #[test]
    fn a_loader_is_seen() {
        assert_eq!(wants_loader(&file(PT_INTERP)), Some(true));
        assert_eq!(wants_loader(&file(1)), Some(false));
    }

    #[test]
    fn what_is_no_elf_proves_nothing() {
        assert_eq!(wants_loader(b"#!/bin/sh"), None);
        assert_eq!(wants_loader(&file(1)[..70]), Some(false));
        assert_eq!(wants_loader(&file(1)[..66]), None);
    }

    #[test]
    #[cfg(all(
        target_os = "linux",
        target_env = "gnu",
        target_pointer_width = "64",
        target_endian = "little"
    ))]
    fn this_test_itself_is_dynamic() {
        let path = std::env::current_exe().unwrap();
        assert_eq!(wants_loader(&std::fs::read(path).unwrap()), Some(true));
    }
}
