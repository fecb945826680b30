//! The decision about a peer in its handshake.
//!
//! The authenticator of the socket's domain decides, or if there is none the ZAP handler. If there is neither, the peer is
//! denied, unless AUTH_REQUIRED is off. Nothing here waits: the answer comes as an order, and the handshake goes on then. If
//! no answer comes, the handshake ends at its deadline. An answer for a connection that is gone is ignored.

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
    /// Asks for a decision about the peer of a connection, whose handshake waits for it.
    pub(super) fn authorise(&mut self, id: u64, shown: mechanism::Credentials) {
        let Some(connected) = self.connections.get_mut(&id) else { return };
        let domain = connected.values.zap_domain.clone().unwrap_or_default();
        let who = credentials(connected, &domain, shown);
        connected.claim = claim(&who.proof);
        let answer = if let Some(questions) = self.context.authorities.of(&domain) {
            let (engine, reactor) = (Arc::downgrade(&connected.engine), self.link.clone());
            questions.ask(Question { who, connection: id, engine, reactor }).err().map(denied)
        } else {
            match zap::Question::ask(&self.context, id, (&domain, &who), self.link.clone()) {
                Some(Ok(question)) => {
                    connected.question = Some(question);
                    // The first look. A pipe announces input only after it was found empty.
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

    /// Looks for the reply of the ZAP handler.
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

    /// Gives the decision about a peer to its connection.
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
        // Nothing is lost for an authenticator, because its domain is UTF-8.
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

/// Returns the decision about a peer if there is no authenticator and no ZAP handler.
fn unasked(connected: &Connected) -> Answer {
    if connected.values.admits_unasked() {
        (Decision::Accept { user_id: String::new(), metadata: Vec::new() }, None)
    } else if !connected.values.auth_required && connected.base.context.had_zap_handler() {
        // As in libzmq, no ERROR is sent: after an ERROR its peers give up, and would not come back when the handler does.
        denied(Denial::HandlerGone)
    } else {
        denied(Denial::NobodyToAsk)
    }
}

impl Denial {
    /// Creates the denial with the reply of the authenticator or the handler.
    pub(crate) fn said(status: Status, text: &str) -> Denial {
        Denial::Said { status, text: text.into() }
    }
}
