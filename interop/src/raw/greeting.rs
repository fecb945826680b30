//! What each version says before the first message. Nobody waits for the other: a peer sends all that its RFC lets it
//! send, and then reads.

use std::io::{Read, Write};

use super::frames::{Framing, bytes, command};
use super::{Fault, Kind, Version};

/// RFC 15 and 23, for peers that do not look for version 1.0.
const SIGNATURE: [u8; 10] = [0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f];
const WITH_COMMANDS: Framing = Framing::FlagsFirst { commands: true };

/// How frames are written after the greeting of a version.
#[must_use]
pub fn framing(version: Version) -> Framing {
    match version {
        Version::One => Framing::LengthFirst,
        Version::Two => Framing::FlagsFirst { commands: false },
        Version::Three => WITH_COMMANDS,
    }
}

/// Greets as a socket of this type and identity; the peer's identity, empty for none.
///
/// # Errors
/// The stream ended, or the peer broke a rule.
pub fn greet(
    version: Version,
    kind: Kind,
    identity: &[u8],
    from: &mut impl Read,
    to: &mut impl Write,
) -> Result<Vec<u8>, Fault> {
    match version {
        Version::One => one(identity, from, to),
        Version::Two => two(kind, identity, from, to),
        Version::Three => three(kind, identity, from, to),
    }
}

/// RFC 13: a frame with the identity each way. Nothing tells what the other is.
fn one(identity: &[u8], from: &mut impl Read, to: &mut impl Write) -> Result<Vec<u8>, Fault> {
    to.write_all(&Framing::LengthFirst.message(&[identity.to_vec()]))?;
    let (_, identity) = Framing::LengthFirst.read_unchecked(from)?;
    if identity.len() > 255 {
        return Err(Fault::Breach("an identity has at most 255 octets"));
    }
    Ok(identity)
}

/// RFC 15: signature, revision, type and identity.
fn two(kind: Kind, identity: &[u8], from: &mut impl Read, to: &mut impl Write) -> Result<Vec<u8>, Fault> {
    let framing = framing(Version::Two);
    to.write_all(&[&SIGNATURE[..], &[1, kind as u8], &framing.message(&[identity.to_vec()])].concat())?;
    read_signature(from)?;
    // A later version answers with its own revision, and goes on as this one.
    let [revision, number] = bytes(from)?;
    if revision < 1 {
        return Err(Fault::Breach("a revision is 1 or more"));
    }
    match Kind::from_number(number) {
        Some(other) if kind.talks_to(other) => {}
        _ => return Err(Fault::Breach("the socket types may talk to each other")),
    }
    let identity = framing.read(from)?;
    if identity.more || identity.body.len() > 255 {
        return Err(Fault::Breach("an identity is one short frame"));
    }
    Ok(identity.body)
}

/// RFC 23: the whole greeting at once, then READY each way.
fn three(kind: Kind, identity: &[u8], from: &mut impl Read, to: &mut impl Write) -> Result<Vec<u8>, Fault> {
    let mut greeting = [0; 64];
    greeting[..10].copy_from_slice(&SIGNATURE);
    greeting[10] = 3;
    greeting[12..16].copy_from_slice(b"NULL");
    to.write_all(&greeting)?;
    read_signature(from)?;
    let [major, _minor] = bytes(from)?;
    if major < 3 {
        return Err(Fault::Breach("the version is 3.0 or more"));
    }
    if bytes::<20>(from)? != greeting[12..32] {
        return Err(Fault::Breach("both have the same mechanism"));
    }
    // The role has no meaning in NULL; the filler is not looked at.
    bytes::<32>(from)?;
    let mut metadata = property("Socket-Type", kind.name().as_bytes());
    if !identity.is_empty() && [Kind::Req, Kind::Dealer, Kind::Router].contains(&kind) {
        metadata.extend(property("Identity", identity));
    }
    to.write_all(&command("READY", &metadata))?;
    match read_ready(kind, from) {
        Err(Fault::Breach(rule)) => {
            to.write_all(&command("ERROR", &[&[rule.len() as u8], rule.as_bytes()].concat()))?;
            Err(Fault::Breach(rule))
        }
        read => read,
    }
}

fn read_signature(from: &mut impl Read) -> Result<(), Fault> {
    let signature: [u8; 10] = bytes(from)?;
    // What stands between is not looked at (RFC 23), and other versions look at one bit of the last (RFC 15).
    if signature[0] == 0xff && signature[9] & 1 == 1 {
        Ok(())
    } else {
        Err(Fault::Breach("a greeting begins with the signature"))
    }
}

/// Reads the peer's READY; its identity.
fn read_ready(kind: Kind, from: &mut impl Read) -> Result<Vec<u8>, Fault> {
    let frame = WITH_COMMANDS.read(from)?;
    if !frame.command {
        return Err(Fault::Breach("READY is the first that follows the greeting"));
    }
    let Some(mut metadata) = frame.body.strip_prefix(b"\x05READY") else {
        return Err(if frame.body.starts_with(b"\x05ERROR") {
            Fault::Io(std::io::ErrorKind::ConnectionRefused.into())
        } else {
            Fault::Breach("READY is the first that follows the greeting")
        });
    };
    let mut identity = Vec::new();
    while !metadata.is_empty() {
        let (name, value) =
            read_property(&mut metadata).ok_or(Fault::Breach("metadata is a list of properties"))?;
        if name.eq_ignore_ascii_case(b"Identity") {
            identity = value.to_vec();
        }
        let named = name.eq_ignore_ascii_case(b"Socket-Type");
        if named && !Kind::from_peer(value).is_some_and(|other| kind.talks_to(other)) {
            return Err(Fault::Breach("the socket types may talk to each other"));
        }
    }
    Ok(identity)
}

/// Takes a property off a list: its name and its value.
fn read_property<'a>(list: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (length, rest) = list.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
    *list = rest;
    Some((name, value)).filter(|(name, _)| !name.is_empty())
}

fn property(name: &str, value: &[u8]) -> Vec<u8> {
    let mut bytes = vec![name.len() as u8];
    bytes.extend_from_slice(name.as_bytes());
    bytes.extend((value.len() as u32).to_be_bytes());
    bytes.extend_from_slice(value);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a PUSH called `me` says when it hears this, and what it makes of it.
    fn hear(version: Version, heard: &[u8]) -> (Vec<u8>, Result<Vec<u8>, Fault>) {
        let mut said = Vec::new();
        let outcome = greet(version, Kind::Push, b"me", &mut &heard[..], &mut said);
        (said, outcome)
    }

    fn breach(version: Version, heard: &[u8]) -> &'static str {
        match hear(version, heard).1 {
            Err(Fault::Breach(rule)) => rule,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn version_1_says_its_identity_and_takes_a_signature_for_the_header_of_one() {
        let (said, heard) = hear(Version::One, &[0xff, 0, 0, 0, 0, 0, 0, 0, 3, 0x7f, b'y', b'o']);
        assert_eq!(said, [3, 0, b'm', b'e']);
        assert_eq!(heard.unwrap(), b"yo");
        assert_eq!(hear(Version::One, &[1, 0]).1.unwrap(), b"");
    }

    #[test]
    fn version_2_says_all_at_once_and_takes_a_later_revision() {
        let heard = [&[0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 7][..], &[0, 2, b'y', b'o']].concat();
        let (said, outcome) = hear(Version::Two, &heard);
        assert_eq!(said, [&SIGNATURE[..], &[1, 8, 0, 2, b'm', b'e']].concat());
        assert_eq!(outcome.unwrap(), b"yo");
        assert_eq!(
            breach(Version::Two, &[&SIGNATURE[..], &[1, 2, 0, 0]].concat()),
            "the socket types may talk to each other"
        );
        assert_eq!(
            breach(Version::Two, &[1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            "a greeting begins with the signature"
        );
    }

    #[test]
    fn version_3_says_its_greeting_and_type_and_answers_a_breach_with_error() {
        let mut greeting = [&SIGNATURE[..], &[3, 1], b"NULL"].concat();
        greeting.resize(64, 0);
        let ready = |kind: &[u8]| command("READY", &property("socket-TYPE", kind));
        let (said, outcome) = hear(Version::Three, &[&greeting[..], &ready(b"PULL")].concat());
        assert_eq!(outcome.unwrap(), b"");
        let mut own = greeting.clone();
        own[11] = 0;
        own.extend(command("READY", &property("Socket-Type", b"PUSH")));
        assert_eq!(said, own);
        let (said, outcome) = hear(Version::Three, &[&greeting[..], &ready(b"XSUB")].concat());
        assert!(matches!(outcome, Err(Fault::Breach(_))));
        assert!(said.ends_with(b"talk to each other"));
        let open = [&greeting[..], &command("READY", &[4, b'n', b'a'])].concat();
        assert_eq!(breach(Version::Three, &open), "metadata is a list of properties");
        greeting[12] = b'C';
        assert_eq!(breach(Version::Three, &greeting), "both have the same mechanism");
    }
}
