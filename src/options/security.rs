//! What the security options together mean.

use zeroxide_transports::Endpoint;
use zeroxide_transports::endpoint::Host;
use zeroxide_zmtp::mechanism::Settings;
use zeroxide_zmtp::{Config, SocketType};

use super::Values;
use crate::security::{Mechanism, Role, SecurityError};
#[cfg(feature = "curve")]
use crate::security::{SecretKey, entropy};

impl Values {
    /// This side's mechanism and its part in it.
    pub(crate) fn role(&self) -> Role {
        self.role
    }

    /// PLAIN_SERVER was set (libzmq options.cpp, here and below).
    pub(super) fn plain_server_set(&mut self) {
        let mechanism = if self.plain_server { Mechanism::Plain } else { Mechanism::Null };
        self.play(Role { mechanism, server: self.plain_server });
    }

    /// PLAIN_USERNAME or PLAIN_PASSWORD was set.
    pub(super) fn plain_client_set(&mut self) {
        self.play(Role { mechanism: Mechanism::Plain, server: false });
    }

    /// CURVE_SERVER was set.
    pub(super) fn curve_server_set(&mut self) {
        let mechanism = if self.curve_server { Mechanism::Curve } else { Mechanism::Null };
        self.play(Role { mechanism, server: self.curve_server });
    }

    /// CURVE_PUBLICKEY or CURVE_SECRETKEY was set, which both sides have.
    pub(super) fn curve_key_set(&mut self) {
        self.play(Role { mechanism: Mechanism::Curve, server: self.role.server });
    }

    /// CURVE_SERVERKEY was set.
    pub(super) fn curve_client_set(&mut self) {
        self.play(Role { mechanism: Mechanism::Curve, server: false });
    }

    /// An option of a mechanism was copied from `from`.
    pub(super) fn take_role(&mut self, from: &Values) {
        // Another key alone does not make a client of a CURVE server.
        let key_alone =
            from.role.mechanism == Mechanism::Curve && !from.role.server && from.curve_serverkey.is_none();
        if !key_alone || self.role.mechanism != Mechanism::Curve {
            self.play(from.role);
        }
    }

    /// The last option that was set decides; the others are forgotten, as far as they say otherwise.
    fn play(&mut self, role: Role) {
        self.role = role;
        self.plain_server = role == Role { mechanism: Mechanism::Plain, server: true };
        self.curve_server = role == Role { mechanism: Mechanism::Curve, server: true };
    }

    /// Returns the mechanism with its credentials, for one connection.
    ///
    /// # Errors
    /// Returns an error if credentials are missing, or if the mechanism needs a cargo feature that is off. No connection is made
    /// then, because it would not be secured.
    pub(crate) fn settings(&self) -> Result<Settings, SecurityError> {
        match self.role {
            Role { mechanism: Mechanism::Null, .. } => Ok(Settings::Null),
            #[cfg(feature = "plain")]
            Role { mechanism: Mechanism::Plain, server: true } => Ok(Settings::PlainServer),
            #[cfg(feature = "plain")]
            Role { mechanism: Mechanism::Plain, server: false } => Ok(Settings::PlainClient {
                username: self.plain_username.clone().unwrap_or_default(),
                password: self.plain_password.clone().unwrap_or_default(),
            }),
            #[cfg(feature = "curve")]
            Role { mechanism: Mechanism::Curve, server } => self.curve_settings(server),
            #[allow(unreachable_patterns)] // with all features on, no mechanism is left
            Role { mechanism, .. } => Err(SecurityError::NotBuilt { mechanism }),
        }
    }

    /// Without AUTH_REQUIRED (C library), random keys replace missing ones. So the handshake fails, and both sides report that, as
    /// with libzmq. libzmq uses zeros for missing keys, which every peer knows.
    #[cfg(feature = "curve")]
    fn curve_settings(&self, server: bool) -> Result<Settings, SecurityError> {
        match self.complete_curve_settings(server) {
            Err(_) if !self.auth_required => {
                let unknown = || SecretKey::generate(&entropy()).map_err(|_| SecurityError::NoEntropy);
                if server {
                    Ok(Settings::CurveServer(unknown()?))
                } else {
                    Ok(Settings::CurveClient { server: unknown()?.public(), secret: unknown()? })
                }
            }
            settings => settings,
        }
    }

    #[cfg(feature = "curve")]
    fn complete_curve_settings(&self, server: bool) -> Result<Settings, SecurityError> {
        let missing = |option| SecurityError::Incomplete { security: self.role, option };
        let secret = self.curve_secretkey.clone().ok_or(missing("CURVE_SECRETKEY"))?;
        match self.curve_publickey {
            Some(public) if public != secret.public() => Err(SecurityError::KeysDiffer { public }),
            _ if server => Ok(Settings::CurveServer(secret)),
            _ => {
                let server = self.curve_serverkey.ok_or(missing("CURVE_SERVERKEY"))?;
                Ok(Settings::CurveClient { server, secret })
            }
        }
    }

    /// Adds the mechanism to the configuration of a connection.
    ///
    /// # Errors
    /// Returns the errors of [`Values::settings`].
    pub(crate) fn secured(&self, config: Config) -> Result<Config, SecurityError> {
        Ok(if config.raw {
            config
        } else {
            let mechanism = self.settings()?;
            Config { mechanism, authorise: self.asks(), entropy: crate::security::entropy(), ..config }
        })
    }

    /// Returns whether an authenticator or the ZAP handler is asked about peers (libzmq null_mechanism.cpp, plain_server.cpp,
    /// curve_server.cpp).
    pub(crate) fn asks(&self) -> bool {
        match self.role() {
            Role { mechanism: Mechanism::Null, .. } => self.zap_domain.is_some(),
            Role { server: false, .. } => false,
            Role { mechanism: Mechanism::Plain, .. } => true,
            // Without a domain and with ZAP_ENFORCE_DOMAIN libzmq does not ask (the pattern "Stonehouse" of its manual).
            Role { mechanism: Mechanism::Curve, .. } => {
                self.auth_required || self.zap_domain.is_some() || !self.zap_enforce_domain
            }
        }
    }

    /// Returns whether every peer may use `endpoint`, and peers on other machines can reach it.
    pub(crate) fn exposes(&self, endpoint: &Endpoint, t: SocketType) -> bool {
        let open = self.role().mechanism == Mechanism::Null && !self.asks() && !self.is_raw(t);
        let Endpoint::Tcp { host, .. } = endpoint else { return false };
        open && match host {
            Host::V4(address) => !address.is_loopback(),
            Host::V6 { address, .. } => !address.to_canonical().is_loopback(),
            Host::Any | Host::Name(_) => true,
        }
    }

    /// Returns whether a peer is accepted if there is no authenticator and no ZAP handler to ask.
    pub(crate) fn admits_unasked(&self) -> bool {
        let enforced = self.zap_enforce_domain && self.zap_domain.is_some();
        !self.auth_required && !enforced && self.role().mechanism != Mechanism::Plain
    }
}
