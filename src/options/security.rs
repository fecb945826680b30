//! What the security options together mean.

use zeroxide_transports::Endpoint;
use zeroxide_transports::endpoint::Host;
use zeroxide_zmtp::SocketType;

use super::Values;
use crate::security::{Mechanism, Role};

impl Values {
    /// This side's mechanism and its part in it.
    pub(crate) fn role(&self) -> Role {
        Role { mechanism: Mechanism::Null, server: false }
    }

    /// Whether somebody is asked about peers (libzmq null_mechanism.cpp, plain_server.cpp, curve_server.cpp).
    pub(crate) fn asks(&self) -> bool {
        match self.role() {
            Role { mechanism: Mechanism::Null, .. } => self.zap_domain.is_some(),
            Role { server: false, .. } => false,
            Role { mechanism: Mechanism::Plain, .. } => true,
            // Without a domain, and enforcing, libzmq does not even ask (the "Stonehouse" of its manual).
            Role { mechanism: Mechanism::Curve, .. } => {
                self.auth_required || self.zap_domain.is_some() || !self.zap_enforce_domain
            }
        }
    }

    /// Whether anybody who reaches `endpoint` may come in, and more than this machine reaches it.
    pub(crate) fn exposes(&self, endpoint: &Endpoint, t: SocketType) -> bool {
        let open = self.role().mechanism == Mechanism::Null && !self.asks() && !self.is_raw(t);
        let Endpoint::Tcp { host, .. } = endpoint else { return false };
        open && match host {
            Host::V4(address) => !address.is_loopback(),
            Host::V6 { address, .. } => !address.to_canonical().is_loopback(),
            Host::Any | Host::Name(_) => true,
        }
    }

    /// Whether a peer comes in although there is nobody to be asked about it.
    pub(crate) fn admits_unasked(&self) -> bool {
        let enforced = self.zap_enforce_domain && self.zap_domain.is_some();
        !self.auth_required && !enforced && self.role().mechanism != Mechanism::Plain
    }
}
