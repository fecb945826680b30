//! What a program attacks: another implementation that listens on loopback, or a victim that it starts.

use anyhow::{Context as _, Result, ensure};
use rustix::process::Pid;
use zeroxide::PublicKey;

use crate::process;
use crate::victim::{Settings, Victim};

/// Where to find another implementation.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Given {
    /// Attacks this endpoint (tcp, on loopback) and starts no victim.
    #[arg(long)]
    pub target: Option<String>,
    /// The process behind it, whose memory and processor time are measured.
    #[arg(long, requires = "target")]
    pub pid: Option<i32>,
    /// Its public key (Z85), if it is a CURVE server.
    #[arg(long, requires = "target")]
    pub server_key: Option<PublicKey>,
}

/// Who is attacked.
#[derive(Debug)]
pub struct Target {
    /// Where it listens.
    pub endpoint: String,
    /// Its public key, with CURVE.
    pub key: Option<PublicKey>,
    pid: Option<Pid>,
    victim: Option<Victim>,
}

impl Target {
    /// The given one, or a victim with these settings.
    ///
    /// # Errors
    /// The victim does not start.
    pub fn new(given: &Given, settings: &Settings) -> Result<Target> {
        if let Some(endpoint) = &given.target {
            let pid = given.pid.and_then(Pid::from_raw);
            return Ok(Target { endpoint: endpoint.clone(), key: given.server_key, pid, victim: None });
        }
        Target::of(Victim::start(settings)?)
    }

    /// A victim that runs.
    ///
    /// # Errors
    /// Its key is none.
    pub fn of(victim: Victim) -> Result<Target> {
        let key = victim.key.as_deref().map(str::parse).transpose().context("the victim's key")?;
        let (endpoint, pid) = (victim.endpoint.clone(), Some(victim.pid()));
        Ok(Target { endpoint, key, pid, victim: Some(victim) })
    }

    /// Whether it is a victim that this program has started, which ticks and echoes.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.victim.is_some()
    }

    /// MiB that are resident; 0 where the process is not known.
    ///
    /// # Errors
    /// It is gone.
    pub fn resident(&self) -> Result<f64> {
        self.pid.map_or(Ok(0.0), process::resident)
    }

    /// Its processor time in seconds; 0 where the process is not known.
    ///
    /// # Errors
    /// It is gone.
    pub fn processor_time(&self) -> Result<f64> {
        self.pid.map_or(Ok(0.0), |pid| Ok(process::processor_time(pid)?.as_secs_f64()))
    }

    /// The process.
    #[must_use]
    pub fn pid(&self) -> Option<Pid> {
        self.pid
    }

    /// Fails if it has ended.
    ///
    /// # Errors
    /// It has.
    pub fn expect_alive(&mut self) -> Result<()> {
        if let Some(victim) = &mut self.victim {
            ensure!(victim.runs()?, "the victim has ended");
        }
        Ok(())
    }
}
