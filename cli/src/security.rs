//! PLAIN and CURVE from the command line.

use std::path::{Path, PathBuf};

use clap::Args;
use zeroxide::{AccessList, Context, Mechanism, Options, PublicKey, Security, generate_secret_key};

use crate::exit::{End, Outcome};
use crate::keys::{self, text_of};

/// Who this side is, and whom it lets in.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct SecurityArgs {
    /// CURVE: the server's public key, as 40 characters or in a file; this side is the client
    #[arg(help_heading = "Security", long, value_name = "KEY|FILE")]
    server_key: Option<String>,
    /// CURVE: this side's secret key (a file of `zx keygen`); a client without one makes a new one
    #[arg(help_heading = "Security", long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// CURVE: be the server; needs --key, and --client-key or --any-client
    #[arg(help_heading = "Security", long, requires = "key", conflicts_with = "server_key")]
    curve_server: bool,
    /// CURVE server: a client that is let in, by its public key; repeatable
    #[arg(help_heading = "Security", long, value_name = "KEY|FILE", requires = "curve_server")]
    client_key: Vec<String>,
    /// CURVE server: every client is let in, whatever its key
    #[arg(help_heading = "Security", long, requires = "curve_server")]
    any_client: bool,
    /// PLAIN: the name for the server; needs --password-file
    #[arg(help_heading = "Security", long, value_name = "NAME", requires = "password_file", conflicts_with_all = ["server_key", "curve_server"])]
    user: Option<String>,
    /// PLAIN: the first line of this file is the password
    #[arg(help_heading = "Security", long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// PLAIN: be the server; the file has a line NAME:PASSWORD for each user
    #[arg(help_heading = "Security", long, value_name = "FILE", conflicts_with_all = ["user", "server_key", "curve_server"])]
    users: Option<PathBuf>,
}

impl SecurityArgs {
    /// Adds the mechanism to the options of a socket, and who may come in to its context.
    pub(crate) fn apply(&self, context: &Context, options: Options) -> Outcome<Options> {
        let Some((security, list)) = self.chosen()? else { return Ok(options) };
        if let Some(list) = list {
            context.authenticator("", list)?;
        }
        Ok(options.security(security))
    }

    /// Returns the mechanism that the flags select.
    pub(crate) fn mechanism(&self) -> Mechanism {
        if self.server_key.is_some() || self.curve_server {
            Mechanism::Curve
        } else if self.user.is_some() || self.users.is_some() {
            Mechanism::Plain
        } else {
            Mechanism::Null
        }
    }

    /// Adds the mechanism of a client to the options of a socket.
    pub(crate) fn client(&self, options: Options) -> Outcome<Options> {
        Ok(match self.chosen()? {
            Some((security, _)) => options.security(security),
            None => options,
        })
    }

    fn chosen(&self) -> Outcome<Option<(Security, Option<AccessList>)>> {
        if let Some(server) = &self.server_key {
            let me = self.key.as_deref().map(keys::secret).transpose()?;
            let me = me.map_or_else(generate_secret_key, Ok)?;
            return Ok(Some((Security::CurveClient { server: keys::public(server)?, me }, None)));
        }
        if let (true, Some(key)) = (self.curve_server, &self.key) {
            return Ok(Some((Security::CurveServer(keys::secret(key)?), Some(self.clients()?))));
        }
        if let (Some(user), Some(file)) = (&self.user, &self.password_file) {
            let text = text_of(file)?;
            let password = text.lines().next().unwrap_or_default().into();
            return Ok(Some((Security::PlainClient { user: user.clone(), password }, None)));
        }
        if let Some(file) = &self.users {
            return Ok(Some((Security::PlainServer, Some(users(file)?))));
        }
        match &self.key {
            Some(_) => {
                Err(End::failed("--key is for CURVE: give --server-key as a client, or --curve-server"))
            }
            None => Ok(None),
        }
    }

    fn clients(&self) -> Outcome<AccessList> {
        let known: Vec<PublicKey> =
            self.client_key.iter().map(|key| keys::public(key)).collect::<Outcome<_>>()?;
        if known.is_empty() && !self.any_client {
            return Err(End::failed(
                "a CURVE server lets nobody in: give --client-key for each client, or --any-client",
            ));
        }
        let list = known.into_iter().fold(AccessList::new(), AccessList::curve_key);
        Ok(if self.any_client { list.allow_any_curve_key() } else { list })
    }
}

/// Returns the users of a file. Empty lines and those that begin with `#` do not count.
fn users(file: &Path) -> Outcome<AccessList> {
    let text = text_of(file)?;
    let mut list = AccessList::new();
    for (n, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
        let Some((name, password)) = line.split_once(':') else {
            return Err(End::failed(format!("{}, line {n}: write NAME:PASSWORD", file.display())));
        };
        list = list.plain_user(name, password);
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_wrong_line_of_users_is_named() {
        let wrong = file("# users\nann:secret\n\nbob\n");
        let error = users(wrong.path()).unwrap_err();
        assert!(error.text().unwrap().ends_with("line 4: write NAME:PASSWORD"), "{error:?}");
        users(file("ann:a:b\n").path()).unwrap();
    }

    #[test]
    fn a_curve_server_says_who_may_come_in() {
        let arguments = SecurityArgs { curve_server: true, ..SecurityArgs::default() };
        assert!(arguments.clients().unwrap_err().text().unwrap().contains("--any-client"));
        SecurityArgs { any_client: true, ..arguments }.clients().unwrap();
    }
}
