//! What all links of a run share: contexts, keys, a folder, counters.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, bail};
use zeroxide::{
    AccessList, Context, Mechanism, Options, PublicKey, SecretKey, Security, generate_secret_key, opt,
};

const USER: &str = "soak";
const PASSWORD: &str = "well soaked";
/// So many violations are described; the others are counted only.
const DESCRIBED: u64 = 20;

/// Two contexts, as two processes would have them.
#[derive(Clone)]
pub(super) struct Contexts {
    /// Of the ends that bind.
    pub(super) ours: Context,
    /// Of the ends that connect, except over inproc.
    pub(super) theirs: Context,
}

impl Contexts {
    pub(super) fn new() -> Result<Contexts> {
        let contexts = Contexts { ours: Context::new(), theirs: Context::new() };
        let list = || AccessList::new().plain_user(USER, PASSWORD).allow_any_curve_key();
        contexts.ours.authenticator("", list())?;
        Ok(contexts)
    }

    /// Ends both, and waits until their threads have ended.
    pub(super) fn end(self, limit: Duration) -> Result<()> {
        for context in [self.ours, self.theirs] {
            if context.term().wait_timeout(limit).is_err() {
                bail!("a context did not end within {limit:?}");
            }
        }
        Ok(())
    }
}

/// What is shared.
pub(super) struct World {
    /// Those that live as long as the run.
    pub(super) contexts: Contexts,
    /// Of the ipc endpoints.
    pub(super) folder: PathBuf,
    server: (SecretKey, PublicKey),
    numbers: AtomicU64,
    messages: AtomicU64,
    reconnects: AtomicU64,
    violations: AtomicU64,
}

impl World {
    pub(super) fn new(folder: PathBuf) -> Result<World> {
        let secret = generate_secret_key()?;
        let server = (secret.clone(), secret.public());
        let none = || AtomicU64::new(0);
        let contexts = Contexts::new()?;
        let (numbers, messages, reconnects, violations) = (none(), none(), none(), none());
        Ok(World { contexts, folder, server, numbers, messages, reconnects, violations })
    }

    /// Options of the end that binds, or of the one that connects.
    pub(super) fn options(&self, mechanism: Mechanism, binds: bool) -> Result<Options> {
        let options = Options::new().set(opt::RECONNECT_IVL, Some(Duration::from_millis(2)));
        let security = match (mechanism, binds) {
            (Mechanism::Plain, true) => Security::PlainServer,
            (Mechanism::Plain, false) => {
                Security::PlainClient { user: USER.to_owned(), password: PASSWORD.into() }
            }
            (Mechanism::Curve, true) => Security::CurveServer(self.server.0.clone()),
            (Mechanism::Curve, false) => {
                Security::CurveClient { server: self.server.1, me: generate_secret_key()? }
            }
            _ => return Ok(options),
        };
        Ok(options.security(security))
    }

    /// A number that nothing else of this run has.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::SeqCst)
    }

    /// So many messages were received and checked.
    pub(super) fn count_messages(&self, more: u64) {
        self.messages.fetch_add(more, Ordering::SeqCst);
    }

    /// A connection was ended and made again.
    pub(super) fn count_reconnect(&self) {
        self.reconnects.fetch_add(1, Ordering::SeqCst);
    }

    /// Something broke a rule.
    pub(super) fn violation(&self, link: &str, what: &str) {
        if self.violations.fetch_add(1, Ordering::SeqCst) < DESCRIBED {
            println!("BROKEN {link}: {what}");
        }
    }

    /// Messages, reconnects, violations.
    pub(super) fn counts(&self) -> [u64; 3] {
        [&self.messages, &self.reconnects, &self.violations].map(|count| count.load(Ordering::SeqCst))
    }
}
