//! `zx keygen`: a new pair of CURVE keys, as Z85 or as the files of CZMQ and pyzmq.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use zeroxide::{SecretKey, generate_secret_key};

use crate::exit::{End, Outcome};

/// What `keygen` takes.
#[derive(Args, Clone, Debug)]
pub(crate) struct KeygenArgs {
    /// Write NAME.key (public) and NAME.key_secret (for this side alone) instead of printing both keys
    #[arg(value_name = "NAME")]
    name: Option<PathBuf>,
    /// Replace files that are there
    #[arg(long, requires = "name")]
    force: bool,
}

pub(crate) fn run(arguments: &KeygenArgs) -> Outcome {
    let key = generate_secret_key()?;
    let Some(name) = &arguments.name else {
        println!("public-key = {}\nsecret-key = {}", key.public(), text(&key));
        return Ok(());
    };
    let with = |ending: &str| PathBuf::from(format!("{}{ending}", name.display()));
    let (public, secret) = (with(".key"), with(".key_secret"));
    // The secret first: a public key alone has no use.
    write(&secret, &certificate(&key, true), arguments.force)?;
    write(&public, &certificate(&key, false), arguments.force)?;
    println!("{}: give this to the others\n{}: keep this here", public.display(), secret.display());
    Ok(())
}

fn text(key: &SecretKey) -> String {
    String::from_utf8_lossy(key.expose_z85().expose()).into_owned()
}

/// Returns a certificate in the form of ZPL (RFC 4), as CZMQ and pyzmq read it.
fn certificate(key: &SecretKey, with_secret: bool) -> String {
    let (kind, secret) = if with_secret {
        (
            "**Secret** Certificate\n#   Do not give this file to others",
            format!("    secret-key = \"{}\"\n", text(key)),
        )
    } else {
        ("Public Certificate\n#   Give this file to the others", String::new())
    };
    format!("#   ZeroMQ CURVE {kind}\n\nmetadata\ncurve\n    public-key = \"{}\"\n{secret}", key.public())
}

/// Writes a file that only its owner can read.
fn write(path: &PathBuf, content: &str, force: bool) -> Outcome {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).create_new(!force);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(content.as_bytes()));
    written.map_err(|error| {
        let advice =
            if error.kind() == std::io::ErrorKind::AlreadyExists { "; --force replaces it" } else { "" };
        End::failed(format!("cannot write {}: {error}{advice}", path.display()))
    })
}
