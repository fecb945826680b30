//! Which user a routing id belongs to, where users are known.
//!
//! A peer chooses its routing id, which proves nothing. So with AUTH_REQUIRED two things belong to a user. A peer of another
//! user that would take one of them is refused with `AnothersRoutingId`:
//!
//! - **A routing id**, as long as a pipe has it. ROUTER_HANDOVER is for peers that come back, and does not hand the messages for
//!   one user to another. The pattern says which pipe a newcomer would displace (`Pattern::displaced_by`): none if
//!   CONNECT_ROUTING_ID has named the newcomer, or if it gets an automatic id. The check is made before our READY where READY can
//!   wait (`io/connections`), and when the peer joins (`socket/base`).
//! - **The pipe of a session**, on types that address their peers. It holds messages for the user that was found first. The
//!   check is made before the connection gets the pipe (`io/connections`), because then the messages leave. With IMMEDIATE each
//!   connection has a pipe of its own.
//!
//! With libzmq's rules (AUTH_REQUIRED off) the user does not matter.

use crate::options::Values;

impl Values {
    /// Returns whether a newcomer may take over the routing id of a peer. An unknown user counts as a user of its own here:
    /// it may take over from another unknown one alone.
    pub(crate) fn may_take_name(&self, holder: &str, newcomer: &str) -> bool {
        !self.auth_required || holder == newcomer
    }

    /// Returns whether a peer of `user` may have the pipe of a session whose first peer was of user `first`. If that was an
    /// unknown user, any may.
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
