//! Names and passwords, compared without telling by the time where they differ, or which names there are.

use std::fmt;

use subtle::{ConditionallySelectable, ConstantTimeEq};
use zeroxide_zmtp::mechanism::Secret;

use super::Verdict;

/// The longest name or password that PLAIN can carry (RFC 24).
const LONGEST: usize = 255;

/// The users of an access list.
#[derive(Clone, Default)]
pub(super) struct Users(Vec<User>);

#[derive(Clone)]
struct User {
    name: String,
    record: Record,
}

/// Name and password as they are compared: each with its length and 255 bytes, so that neither a length nor a beginning
/// shows in the time.
#[derive(Clone)]
struct Record(Secret);

impl Users {
    pub(super) fn add(&mut self, name: &str, password: &Secret) {
        self.0.retain(|user| user.name != name);
        if let (1..=LONGEST, Some(record)) = (name.len(), Record::new(name.as_bytes(), password)) {
            self.0.push(User { name: name.to_owned(), record });
        }
    }

    /// Every user is compared with, whoever is shown: a look-up by name would tell by its time who exists.
    pub(super) fn check(&self, name: &[u8], password: &Secret) -> Verdict {
        let Some(shown) = Record::new(name, password) else { return Verdict::Deny };
        let mut found = 0_u64;
        for (number, user) in (1..).zip(&self.0) {
            found.conditional_assign(&number, shown.0.expose().ct_eq(user.record.0.expose()));
        }
        match usize::try_from(found).ok().and_then(|number| self.0.get(number.checked_sub(1)?)) {
            Some(user) => Verdict::allow(&*user.name),
            None => Verdict::Deny,
        }
    }
}

impl Record {
    /// `None` for what is longer than PLAIN can carry.
    fn new(name: &[u8], password: &Secret) -> Option<Record> {
        let mut padded = vec![0; 2 * (1 + LONGEST)];
        for (half, bytes) in padded.chunks_exact_mut(1 + LONGEST).zip([name, password.expose()]) {
            half[0] = u8::try_from(bytes.len()).ok()?;
            half[1..=bytes.len()].copy_from_slice(bytes);
        }
        Some(Record(Secret::new(padded)))
    }
}

/// The names alone.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|user| &user.name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(users: &Users, name: &str, password: &str) -> bool {
        users.check(name.as_bytes(), &password.into()) == Verdict::allow(name)
    }

    #[test]
    fn a_user_needs_his_own_password() {
        let mut users = Users::default();
        users.add("ann", &"secret".into());
        users.add("bob", &"other".into());
        assert!(check(&users, "ann", "secret") && check(&users, "bob", "other"));
        for (name, password) in [
            ("ann", "other"),
            ("ann", ""),
            ("ann", "secre"),
            ("ann", "secret\0"),
            ("eve", "secret"),
            ("", ""),
        ] {
            assert!(!check(&users, name, password), "{name} {password}");
        }
        assert_eq!(users.check(b"\xff", &"secret".into()), Verdict::Deny);
    }

    #[test]
    fn nobody_gets_in_with_an_empty_password_that_was_not_given_to_him() {
        let mut users = Users::default();
        assert!(!check(&users, "eve", ""));
        users.add("ann", &"".into());
        assert!(check(&users, "ann", ""));
        assert!(!check(&users, "eve", ""));
    }

    #[test]
    fn of_the_same_name_the_last_counts() {
        let mut users = Users::default();
        users.add("ann", &"old".into());
        users.add("ann", &"new".into());
        assert!(check(&users, "ann", "new") && !check(&users, "ann", "old"));
    }

    #[test]
    fn what_plain_cannot_carry_never_matches() {
        let mut users = Users::default();
        let long = "x".repeat(256);
        users.add("ann", &long.as_str().into());
        users.add(&long, &"secret".into());
        assert!(!check(&users, "ann", &long) && !check(&users, &long, "secret"));
        users.add("ann", &long[1..].into());
        assert!(check(&users, "ann", &long[1..]));
    }

    #[test]
    fn no_password_prints() {
        let mut users = Users::default();
        users.add("ann", &"hunter2".into());
        assert_eq!(format!("{users:?}"), r#"{"ann"}"#);
    }
}
