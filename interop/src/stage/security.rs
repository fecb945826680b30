//! What the sockets of a stage are told about security.

use super::Stage;
use crate::mechanism::Proof;
use crate::pair::Side;
use crate::peer::Failure;

impl Stage<'_> {
    /// Gives a socket its part in the mechanism, before it is attached: a server demands, a client shows `proof`.
    pub(super) fn secure(&mut self, side: Side, socket: &str, proof: Proof) -> Result<(), Failure> {
        let mechanism = self.setting.mechanism;
        let options = match mechanism.server(self.setting.binder) {
            None => return Ok(()),
            Some(server) if server == side => {
                self.let_client_in(side)?;
                mechanism.demands()
            }
            Some(_) => mechanism.shows(proof),
        };
        let peer = &mut self.peers[side as usize];
        for (option, value) in options {
            peer.ask(format!("set {socket} {option} {value}"))?;
        }
        Ok(())
    }

    /// Has the ZAP handler of a server let the client in, and nobody else. An implementation that has none lets
    /// everybody in, or nobody, which contact shows.
    fn let_client_in(&mut self, side: Side) -> Result<(), Failure> {
        match self.tell_rule(side) {
            Err(failure) if failure.code() == "usage" => {
                self.lacking.push((side, "zap"));
                Ok(())
            }
            told => told,
        }
    }

    /// The failure of a server that can refuse nobody, which is a lack.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn needs_zap(&mut self) -> Result<(), Failure> {
        match self.setting.mechanism.server(self.setting.binder) {
            Some(side) if self.lacks("zap") => self.tell_rule(side),
            _ => Ok(()),
        }
    }

    fn tell_rule(&mut self, side: Side) -> Result<(), Failure> {
        let rule = self.setting.mechanism.rule();
        self.peers[side as usize].ask(format!("zap {rule}")).map(drop)
    }
}
