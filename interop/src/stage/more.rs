//! Further sockets, beside the one of each side.

use super::endpoint::Endpoint;
use super::{PATIENCE, SOCKET, Stage};
use crate::mechanism::Proof;
use crate::pair::Side;
use crate::peer::Failure;

impl Stage<'_> {
    /// One more socket of the type of `side`, attached to the first socket of the other: to its endpoint, or if it has
    /// none, to one of its own.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn open_more(&mut self, side: Side, name: &str, options: &[(&str, &str)]) -> Result<(), Failure> {
        self.make(side, name, Proof::Right, options)?;
        if side == self.setting.binder {
            let endpoint = self.bind_more(side, name)?;
            return self.ask(side.other(), "connect", &endpoint).map(drop);
        }
        let endpoint = self.endpoint.name.clone();
        self.ask_more(side, name, "connect", &endpoint).map(drop)
    }

    /// One more socket on each side, attached to each other as the first ones are; with the options of the one that
    /// binds, and of the one that connects.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn meet_more(
        &mut self,
        binder: Side,
        name: &str,
        bound: &[(&str, &str)],
        connected: &[(&str, &str)],
    ) -> Result<(), Failure> {
        self.make(binder, name, Proof::Right, bound)?;
        let endpoint = self.bind_more(binder, name)?;
        self.make(binder.other(), name, Proof::Right, connected)?;
        self.ask_more(binder.other(), name, "connect", &endpoint).map(drop)
    }

    /// One more socket on each side, attached to each other, of which the client shows this proof.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn meet_with(&mut self, name: &str, proof: Proof) -> Result<(), Failure> {
        let binder = self.setting.binder;
        self.make(binder, name, proof, &[])?;
        let endpoint = self.bind_more(binder, name)?;
        self.make(binder.other(), name, proof, &[])?;
        self.ask_more(binder.other(), name, "connect", &endpoint).map(drop)
    }

    /// Gives a command about a further socket and waits for the answer.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn ask_more(
        &mut self,
        side: Side,
        name: &str,
        command: &str,
        rest: &str,
    ) -> Result<Vec<String>, Failure> {
        self.tell_more(side, name, command, rest)?;
        self.answer_of(side, PATIENCE)
    }

    /// Gives a command about a further socket.
    ///
    /// # Errors
    /// Any [`Failure`].
    pub fn tell_more(&mut self, side: Side, name: &str, command: &str, rest: &str) -> Result<(), Failure> {
        debug_assert_ne!(name, SOCKET, "the first socket has this name");
        let space = if rest.is_empty() { "" } else { " " };
        self.peers[side as usize].tell(format!("{command} {name}{space}{rest}"))
    }

    fn make(
        &mut self,
        side: Side,
        name: &str,
        proof: Proof,
        options: &[(&str, &str)],
    ) -> Result<(), Failure> {
        let socket_type = self.setting.socket_type(side);
        self.ask_more(side, name, "socket", socket_type)?;
        self.more.push((side, name.to_owned()));
        self.let_old_peers_in(side, name)?;
        self.secure(side, name, proof)?;
        for (option, value) in options {
            self.ask_more(side, name, "set", &format!("{option} {value}"))?;
        }
        Ok(())
    }

    fn bind_more(&mut self, side: Side, name: &str) -> Result<String, Failure> {
        let endpoint = Endpoint::fresh(self.setting.transport, false)?;
        let resolved = self.ask_more(side, name, "bind", &endpoint.name)?.concat();
        self.more_endpoints.push(endpoint);
        Ok(resolved)
    }
}
