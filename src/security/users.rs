//! Names and passwords, compared without telling by the time where they differ.

use std::collections::HashMap;
use std::fmt;

use subtle::ConstantTimeEq;
use zeroxide_zmtp::mechanism::Secret;

use super::Verdict;

/// The longest name or password that PLAIN can carry (RFC 24).
const LONGEST: usize = 255;

/// The users of an access list.
#[derive(Clone, Default)]
pub(super) struct Users(HashMap<String, Password>);

/// A password as it is compared: its length and 255 bytes, so that neither its length nor its beginning shows in the
/// time.
#[derive(Clone)]
struct Password(Secret);

impl Users {
    pub(super) fn add(&mut self, name: &str, password: &Secret) {
        let password = Password::new(password.expose());
        if let (1..=LONGEST, Some(password)) = (name.len(), password) {
            self.0.insert(name.to_owned(), password);
        } else {
            self.0.remove(name);
        }
    }

    /// An unknown name costs the same comparison as a known one.
    pub(super) fn check(&self, name: &[u8], password: &Secret) -> Verdict {
        let shown = Password::new(password.expose());
        let known = std::str::from_utf8(name).ok().and_then(|name| self.0.get_key_value(name));
        let expected = known.map_or_else(Password::nobodys, |(_, password)| password.clone());
        let same = shown.is_some_and(|shown| shown.0.expose().ct_eq(expected.0.expose()).into());
        match known {
            Some((name, _)) if same => Verdict::allow(name),
            _ => Verdict::Deny,
        }
    }
}

impl Password {
    fn new(bytes: &[u8]) -> Option<Password> {
        let mut padded = vec![0; 1 + LONGEST];
        padded[0] = u8::try_from(bytes.len()).ok()?;
        padded[1..=bytes.len()].copy_from_slice(bytes);
        Some(Password(Secret::new(padded)))
    }

    fn nobodys() -> Password {
        Password(Secret::new(vec![0; 1 + LONGEST]))
    }
}

/// The names alone.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
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
