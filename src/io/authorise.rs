//! Whether a peer may come in: who is asked, and what becomes of the answer.
//!
//! Asked is the authenticator of the socket's domain, else the ZAP handler. Where there is neither, the peer stays
//! out, unless libzmq's own rules were asked for (AUTH_REQUIRED off). Nothing here waits: the handshake goes on when
//! the answer comes as an order, and ends at its deadline when none does. An answer for a connection that is gone
//! is ignored.

use std::sync::Arc;

use zeroxide_zmtp::mechanism::{self, Decision, Proof, Status};

use super::connections::Connected;
use super::reactor::Reactor;
use super::zap;
use crate::error::Denial;
use crate::security::Credentials;
use crate::socket::authorities::Question;
use crate::socket::orders::{Answer, denied};

impl Reactor {
    /// The handshake of a connection waits for a decision about its peer.
    pub(super) fn authorise(&mut self, id: u64, shown: mechanism::Credentials) {
        let Some(connected) = self.connections.get_mut(&id) else { return };
        let domain = connected.values.zap_domain.clone().unwrap_or_default();
        let who = credentials(connected, &domain, shown);
        connected.claim = claim(&who.proof);
        let answer = if let Some(desk) = self.context.authorities.of(&domain) {
            let (engine, reactor) = (Arc::downgrade(&connected.engine), self.link.clone());
            desk.ask(Question { who, connection: id, engine, reactor }).err().map(denied)
        } else {
            match zap::Question::ask(&self.context, id, (&domain, &who), self.link.clone()) {
                Some(Ok(question)) => {
                    connected.question = Some(question);
                    // The first look: a pipe tells nobody of input who has not found it empty.
                    return self.replied(id);
                }
                Some(Err(denial)) => Some(denied(denial)),
                None => Some(unasked(connected)),
            }
        };
        if let Some(answer) = answer {
            self.decided(id, answer);
        }
    }

    /// The ZAP handler may have replied.
    pub(super) fn replied(&mut self, id: u64) {
        let Some(connected) = self.connections.get_mut(&id) else { return };
        let Some(answer) = connected.question.as_ref().and_then(zap::Question::look) else { return };
        connected.question = None;
        let answer = match answer {
            Ok(reply) => match reply.decision {
                Decision::Refuse(status) => denied(Denial::said(status, &reply.text)),
                accept @ Decision::Accept { .. } => (accept, None),
            },
            Err(denial) => denied(denial),
        };
        self.decided(id, answer);
    }

    /// The decision about a peer is there.
    pub(super) fn decided(&mut self, id: u64, (decision, denial): Answer) {
        let Some(connected) = self.connections.get_mut(&id) else { return };
        connected.base.counters.count_denial(denial.as_ref());
        connected.denial = denial;
        let engine = Arc::clone(&connected.engine);
        engine.decide(decision);
        self.turn(id);
    }
}

fn credentials(connected: &Connected, domain: &[u8], shown: mechanism::Credentials) -> Credentials {
    Credentials {
        // Lossless for an authenticator, which only a domain of UTF-8 has.
        domain: String::from_utf8_lossy(domain).into_owned(),
        address: connected.address.clone(),
        routing_id: connected.values.routing_id_bytes(),
        mechanism: shown.mechanism,
        proof: shown.proof,
    }
}

fn claim(proof: &Proof) -> Option<Box<str>> {
    match proof {
        #[cfg(feature = "plain")]
        Proof::Plain { username, .. } => Some(String::from_utf8_lossy(username).into()),
        #[cfg(feature = "curve")]
        Proof::Curve(key) => Some(key.to_string().into()),
        _ => None,
    }
}

/// What happens to a peer where there is nobody to be asked.
fn unasked(connected: &Connected) -> Answer {
    if connected.values.admits_unasked() {
        (Decision::Accept { user_id: String::new(), metadata: Vec::new() }, None)
    } else if !connected.values.auth_required && connected.base.context.had_zap_handler() {
        // In libzmq this is EPIPE and no ERROR: after one its peers give up, and would not come back with the handler.
        denied(Denial::HandlerGone)
    } else {
        denied(Denial::NobodyToAsk)
    }
}

impl Denial {
    /// Returns what the authenticator or the handler said.
    pub(crate) fn said(status: Status, text: &str) -> Denial {
        Denial::Said { status, text: text.into() }
    }
}
