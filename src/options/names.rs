//! Whose a peer's name is, where it is known who the peers are.
//!
//! A routing id is what a peer calls itself, and proves nothing. So with AUTH_REQUIRED two things belong to a user, and
//! whoever wants them as another is turned away for `AnothersRoutingId`:
//!
//! - **A routing id**, as long as a pipe has it. ROUTER_HANDOVER is for peers that come back, not for the messages of
//!   others. Whom a newcomer would displace is the pattern's to say (`Pattern::displaced_by`): nobody where it keeps the
//!   name that CONNECT_ROUTING_ID gave it, or gets an automatic one. Asked before the newcomer has our READY where that can
//!   wait for it (`io/connections`), and when it joins (`socket/base`).
//! - **The pipe of a session**, on the types that address their peers: it has the name of the user that was found first,
//!   and messages for it. Asked before the connection gets the pipe (`io/connections`), for then they leave. With IMMEDIATE each
//!   connection has its own.
//!
//! libzmq's rules (AUTH_REQUIRED off) do not look at the user.

use crate::options::Values;

impl Values {
    /// Whether a newcomer may take the routing id of a peer over. Nobody in particular is a user like another here: what
    /// is known about one is not known about the other.
    pub(crate) fn may_take_name(&self, holder: &str, newcomer: &str) -> bool {
        !self.auth_required || holder == newcomer
    }

    /// Whether `user`, whom a session has found, may have its pipe. A pipe of nobody in particular is anybody's.
    pub(crate) fn may_take_pipe(&self, first: Option<&str>, user: &str) -> bool {
        let free = !self.auth_required || self.immediate;
        free || first.is_none_or(|first| first.is_empty() || first == user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_handed_over_to_the_same_user_alone() {
        let values = Values::native(None);
        assert!(values.may_take_name("ann", "ann") && values.may_take_name("", ""));
        assert!(!values.may_take_name("ann", "eve") && !values.may_take_name("ann", ""));
        assert!(!values.may_take_name("", "eve"));
        assert!(Values { auth_required: false, ..values }.may_take_name("ann", "eve"));
    }

    #[test]
    fn a_pipe_is_its_first_users_unless_that_was_nobody_in_particular() {
        let values = Values::native(None);
        for (first, user, may) in [
            (None, "eve", true),
            (Some(""), "eve", true),
            (Some("ann"), "ann", true),
            (Some("ann"), "eve", false),
            (Some("ann"), "", false),
        ] {
            assert_eq!(values.may_take_pipe(first, user), may, "{first:?} {user}");
        }
        assert!(Values { immediate: true, ..values.clone() }.may_take_pipe(Some("ann"), "eve"));
        assert!(Values { auth_required: false, ..values }.may_take_pipe(Some("ann"), "eve"));
    }
}
