//! The groups of the user at the other end of a local socket, from the machine's user database.
//!
//! The system reports a peer's user and primary group (SO_PEERCRED). It reports the other groups only through
//! SO_PEERGROUPS, which needs unsafe code. The groups in /proc are those of the process that has the number now, which
//! may be another one than the peer, so they cannot be trusted. Therefore this module checks the same as libzmq
//! (ipc_listener.cpp): whether a group lists the peer's user as a member. Groups that exist only in a directory service
//! are not found.

use std::fs;

use crate::credentials::Credentials;

impl Credentials {
    /// Returns whether /etc/group lists the user as a member of one of these groups. It reads two files, and returns
    /// `false` if they cannot be read.
    #[must_use]
    pub fn is_member(&self, groups: &[u32]) -> bool {
        let read = |path| fs::read(path).unwrap_or_default();
        user_name(&read("/etc/passwd"), self.uid)
            .is_some_and(|user| names_member(&read("/etc/group"), groups, &user))
    }
}

/// Returns the name of a user: `name:password:uid:...` (passwd(5)).
fn user_name(passwd: &[u8], uid: u32) -> Option<Vec<u8>> {
    lines(passwd).find_map(|line| match fields(line)[..] {
        [name, _, number, ..] if !name.is_empty() && is_number(number, uid) => Some(name.to_vec()),
        _ => None,
    })
}

/// Returns whether one of the groups lists the user: `name:password:gid:user,user` (group(5)).
fn names_member(group: &[u8], gids: &[u32], user: &[u8]) -> bool {
    lines(group).any(|line| match fields(line)[..] {
        [_, _, number, members] if !user.is_empty() => {
            gids.iter().any(|gid| is_number(number, *gid)) && members.split(|b| *b == b',').any(|m| m == user)
        }
        _ => false,
    })
}

fn lines(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    file.split(|b| *b == b'\n')
}

fn fields(line: &[u8]) -> Vec<&[u8]> {
    line.split(|b| *b == b':').collect()
}

fn is_number(text: &[u8], number: u32) -> bool {
    text == number.to_string().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] =
        b"root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:\n\nbroken\n:x:7:7:::\n";
    const GROUP: &[u8] = b"root:x:0:\nwheel:x:10:bob,ann\nusers:x:100:anna\nbroken:x:10\nodd:x:11:ann:more\n";

    #[test]
    fn a_user_has_the_name_of_his_number() {
        assert_eq!(user_name(PASSWD, 1000).as_deref(), Some(&b"ann"[..]));
        assert_eq!(user_name(PASSWD, 0).as_deref(), Some(&b"root"[..]));
        assert_eq!([100, 7, u32::MAX].map(|uid| user_name(PASSWD, uid)), [None, None, None]);
    }

    #[test]
    fn a_group_has_the_users_that_it_names_and_no_others() {
        assert!(names_member(GROUP, &[10], b"ann") && names_member(GROUP, &[100, 10], b"bob"));
        assert!(!names_member(GROUP, &[100], b"ann"), "anna is another");
        assert!(!names_member(GROUP, &[0], b""), "a group without members has none without a name");
        assert!(!names_member(GROUP, &[11], b"ann"), "a line that is not one of the file's form");
        assert!(!names_member(GROUP, &[], b"ann"));
    }
}
