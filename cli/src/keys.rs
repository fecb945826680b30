//! Files of CURVE keys: what CZMQ and pyzmq call certificates, and files with nothing but a key.
//!
//! `NAME.key` has the public key, `NAME.key_secret` both. A line `public-key = "..."` or `secret-key = "..."` has a key in Z85.

use std::fs;
use std::path::Path;

use zeroxide::{PublicKey, SecretKey};

use crate::exit::{End, Outcome};

/// Returns the public key of a text: the key itself, or the path of a file that has it.
pub(crate) fn public(text: &str) -> Outcome<PublicKey> {
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let file = Path::new(text);
    if !file.exists() {
        let what = "it is neither 40 characters of Z85 nor a file";
        return Err(End::failed(format!("{text:?} is no public key: {what}; `zx keygen NAME` makes both")));
    }
    let content = text_of(file)?;
    let found = field(&content, "public-key").unwrap_or(content.trim());
    found.parse().map_err(|error| End::failed(format!("{text}: no public key there: {error}")))
}

/// Returns the secret key of a file.
pub(crate) fn secret(file: &Path) -> Outcome<SecretKey> {
    let content = text_of(file)?;
    let found = field(&content, "secret-key");
    if found.is_none() && field(&content, "public-key").is_some() {
        let name = file.display();
        return Err(End::failed(format!("{name} has only the public key; give the file {name}_secret")));
    }
    let found = found.unwrap_or(content.trim());
    found.parse().map_err(|error| End::failed(format!("{}: no secret key there: {error}", file.display())))
}

/// Returns the value of a line `name = "value"`.
fn field<'a>(content: &'a str, name: &str) -> Option<&'a str> {
    content.lines().find_map(|line| {
        let value = line.trim().strip_prefix(name)?.trim_start().strip_prefix('=')?.trim();
        Some(value.trim_matches(['"', '\'']))
    })
}

/// Returns the text of a file.
pub(crate) fn text_of(file: &Path) -> Outcome<String> {
    fs::read_to_string(file).map_err(|error| End::failed(format!("cannot read {}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PUBLIC: &str = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
    const SECRET: &str = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

    /// The pair of zmq_curve(7) in the form that CZMQ and pyzmq write.
    fn certificate() -> String {
        format!(
            "#   ZeroMQ CURVE **Secret** Certificate\n\nmetadata\n    name = \"x\"\ncurve\n    \
             public-key = \"{PUBLIC}\"\n    secret-key = \"{SECRET}\"\n"
        )
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn a_key_is_given_as_text_as_a_bare_file_or_as_a_certificate() {
        let expected: PublicKey = PUBLIC.parse().unwrap();
        assert_eq!(public(PUBLIC).unwrap(), expected);
        for content in [format!("{PUBLIC}\n"), certificate()] {
            assert_eq!(public(file(&content).path().to_str().unwrap()).unwrap(), expected);
        }
        for content in [format!("{SECRET}\n"), certificate()] {
            assert_eq!(secret(file(&content).path()).unwrap().public(), expected);
        }
    }

    #[test]
    fn what_is_no_key_says_what_to_give() {
        assert!(public("nonsense").unwrap_err().text().unwrap().contains("zx keygen"));
        let public_alone = file(&format!("curve\n    public-key = \"{PUBLIC}\"\n"));
        assert!(secret(public_alone.path()).unwrap_err().text().unwrap().contains("_secret"));
        let error = secret(file("short").path()).unwrap_err();
        assert!(error.text().unwrap().contains("40 characters"), "{error:?}");
    }

    #[test]
    fn no_secret_is_in_an_error() {
        let wrong = format!("secret-key = \"{}\"", &SECRET[1..]);
        let error = secret(file(&wrong).path()).unwrap_err();
        assert!(!error.text().unwrap().contains(&SECRET[1..]), "{error:?}");
    }
}
