//! What the layers below need of the options.

use bytes::Bytes;
use zeroxide_patterns::{PatternOptions, RoutingId};

use super::Values;

impl Values {
    /// What the socket's pattern obeys.
    pub(crate) fn pattern_options(&self) -> PatternOptions {
        PatternOptions {
            router_mandatory: self.router_mandatory,
            router_handover: self.router_handover,
            router_raw: self.router_raw,
            probe_router: self.probe_router,
            req_correlate: self.req_correlate,
            req_relaxed: self.req_relaxed,
            xpub_verbose: self.xpub_verbose,
            xpub_verboser: self.xpub_verboser,
            xpub_manual: self.xpub_manual,
            xpub_nodrop: self.xpub_nodrop,
            xpub_welcome_msg: self.xpub_welcome_msg.clone(),
            xsub_verbose_unsubscribe: self.xsub_verbose_unsubscribe,
            only_first_subscribe: self.only_first_subscribe,
            invert_matching: self.invert_matching,
            stream_notify: self.stream_notify,
        }
    }

    /// The routing id to announce; empty for none.
    pub(crate) fn routing_id_bytes(&self) -> Bytes {
        self.routing_id.as_ref().map(RoutingId::to_frame).unwrap_or_default().into_bytes()
    }
}
