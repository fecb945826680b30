//! The end of a socket, on the application's side. What follows on the reactor is in `io/reaper`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::base::{SocketBase, SocketEnd, SocketState};
use super::pipes::Link;
use crate::io::command::{Command, Control};
use crate::monitor::EventKind;

impl SocketBase {
    /// Closes the socket, once: nothing can be sent or received any more, what is unsent lingers. Never waits.
    pub(crate) fn close(self: &Arc<Self>) {
        if self.context.is_forked() {
            return;
        }
        let closing = self.enter(|state| {
            if std::mem::replace(&mut state.closed, true) {
                return None;
            }
            // Who is told of the context's end goes on being told so.
            state.end.get_or_insert(SocketEnd::Closed);
            let loaded = state.pipes.loaded_endpoints();
            self.let_pipes_go(state);
            Some((state.reactor.clone(), loaded))
        });
        let Some((reactor, loaded)) = closing else { return };
        self.wake_everybody();
        self.free_names();
        self.give_up_names(&loaded);
        match reactor {
            Some(reactor) => reactor.send(Command::Close(Arc::clone(self))),
            None => self.forget(),
        }
    }

    /// The context is shut down: blocked and later calls end with `Terminated`.
    pub(crate) fn terminate(self: &Arc<Self>) {
        self.enter(|state| state.end = state.end.or(Some(SocketEnd::Terminated)));
        self.wake_everybody();
    }

    /// Nothing of the socket is left: those who wait for its closing are told.
    pub(crate) fn forget(&self) {
        self.monitors.emit(0, "", "", EventKind::Closed);
        self.context.forget(self.id);
        self.closure.complete();
    }

    fn wake_everybody(&self) {
        self.gone.store(true, Ordering::SeqCst);
        for signal in [&self.input, &self.output, &self.watch] {
            signal.notify_all();
        }
    }

    /// Every pipe says that nothing more will come; input is thrown away.
    fn let_pipes_go(&self, state: &mut SocketState) {
        for (writer, _) in std::mem::take(&mut state.pipes.past.leaving) {
            self.closure.keep(writer);
        }
        for mut entry in state.pipes.take_all() {
            state.pipes.errands.let_go(&mut entry.pipe);
            match &entry.link {
                Link::Inproc(owner) => state.pipes.errands.tell(owner, Control::Ended),
                Link::Engine(engine) => state.pipes.errands.drive(engine),
                Link::Offline => {}
            }
            if let Some(writer) = state.pipes.close_account(entry) {
                self.closure.keep(writer);
            }
        }
    }
}
