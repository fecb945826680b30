//! Accept filters: which connections a bound endpoint accepts.
//!
//! A connection is checked as soon as it is accepted, before it takes a place among the handshakes. If the system does not
//! tell which process has connected, a filter for processes refuses it. One matching entry is enough, and the three lists of
//! ipc count as one (libzmq tcp_listener.cpp, ipc_listener.cpp).

use zeroxide_transports::{Accepted, Credentials};

use crate::events::Filter;
use crate::options::Values;

impl Values {
    /// Checks whether a connection may stay.
    ///
    /// # Errors
    /// Returns the filter that refuses it.
    pub(crate) fn filter(&self, accepted: &Accepted) -> Result<(), Filter> {
        match accepted.ip {
            Some(ip) => {
                let nets = &self.tcp_accept_filter;
                let admitted = nets.is_empty() || nets.iter().any(|net| net.contains(ip));
                admitted.then_some(()).ok_or(Filter::Address)
            }
            None if self.has_process_filter() => {
                let known = accepted.credentials.is_some_and(|who| self.admits_process(who));
                known.then_some(()).ok_or(Filter::Process)
            }
            None => Ok(()),
        }
    }

    fn has_process_filter(&self) -> bool {
        let lists = [&self.ipc_filter_uid, &self.ipc_filter_gid, &self.ipc_filter_pid];
        lists.iter().any(|list| !list.is_empty())
    }

    fn admits_process(&self, who: Credentials) -> bool {
        let pid = u32::try_from(who.pid).ok();
        self.ipc_filter_uid.contains(&who.uid)
            || pid.is_some_and(|pid| self.ipc_filter_pid.contains(&pid))
            || self.ipc_filter_gid.contains(&who.gid)
            // Last, because it reads two files of this machine, in the time of handshakes like all of accepting. No name service
            // is asked, which could keep the I/O thread waiting: libzmq's getpwuid and getgrgid may ask one.
            || (!self.ipc_filter_gid.is_empty() && who.is_member(&self.ipc_filter_gid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over_tcp(ip: &str) -> Accepted {
        Accepted {
            address: ip.to_owned(),
            remote: format!("tcp://{ip}:1"),
            ip: Some(ip.parse().unwrap()),
            credentials: None,
        }
    }

    fn over_ipc(credentials: Option<Credentials>) -> Accepted {
        Accepted { address: "localhost".into(), remote: "ipc://".into(), ip: None, credentials }
    }

    /// Nobody's numbers, so that no group file speaks of them.
    const WHO: Credentials = Credentials { uid: 4_000_000_001, gid: 4_000_000_002, pid: 77 };

    #[test]
    fn without_filters_everybody_may_stay() {
        let values = Values::native(None);
        for accepted in [over_tcp("203.0.113.9"), over_ipc(Some(WHO)), over_ipc(None)] {
            assert_eq!(values.filter(&accepted), Ok(()));
        }
    }

    #[test]
    fn one_network_that_matches_is_enough_and_ipc_is_not_asked_for_an_address() {
        let nets = ["10.0.0.0/8", "::1"].map(|net| net.parse().unwrap()).to_vec();
        let values = Values { tcp_accept_filter: nets, ..Values::native(None) };
        for ip in ["10.1.2.3", "::ffff:10.1.2.3", "::1"] {
            assert_eq!(values.filter(&over_tcp(ip)), Ok(()), "{ip}");
        }
        for ip in ["11.0.0.1", "::2"] {
            assert_eq!(values.filter(&over_tcp(ip)), Err(Filter::Address), "{ip}");
        }
        assert_eq!(values.filter(&over_ipc(None)), Ok(()));
    }

    #[test]
    fn one_of_user_group_and_process_is_enough() {
        let with = |uid: u32, gid: u32, pid: u32| Values {
            ipc_filter_uid: vec![0, uid],
            ipc_filter_gid: vec![gid],
            ipc_filter_pid: vec![pid],
            ..Values::native(None)
        };
        let who = over_ipc(Some(WHO));
        assert_eq!(with(WHO.uid, 1, 1).filter(&who), Ok(()));
        assert_eq!(with(1, WHO.gid, 1).filter(&who), Ok(()));
        assert_eq!(with(1, 1, 77).filter(&who), Ok(()));
        assert_eq!(with(1, 4_000_000_003, 1).filter(&who), Err(Filter::Process));
        assert_eq!(with(1, 4_000_000_003, 1).filter(&over_tcp("203.0.113.9")), Ok(()), "tcp has no process");
    }

    #[test]
    fn a_peer_whose_process_is_not_known_is_out_once_there_is_a_filter() {
        let values = Values { ipc_filter_pid: vec![77], ..Values::native(None) };
        assert_eq!(values.filter(&over_ipc(None)), Err(Filter::Process));
    }
}
