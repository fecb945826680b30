//! Known answers: NaCl's vectors, libzmq's test keys, and the two crates compared.

use proptest::prelude::*;

use crate::mechanism::curve::bench::{
    CLIENT_PUBLIC, CLIENT_SECRET, SERVER_PUBLIC, SERVER_SECRET, client_key, server_key,
};
use crate::mechanism::curve::boxes::{BoxKey, Forged};
use crate::mechanism::curve::{KeyError, PublicKey, SecretKey};
use crate::mechanism::z85::Z85Error;
use crate::pair::{dice, hex};

fn array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

/// "Cryptography in NaCl" (Bernstein 2009), §2 to §10: Alice's and Bob's keys, a nonce, a message of 131 bytes, its box.
const ALICE: &str = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
const ALICE_PUBLIC: &str = "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a";
const BOB: &str = "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb";
const BOB_PUBLIC: &str = "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f";
const NONCE: &str = "69696ee955b62b73cd62bda875fc73d68219e0036b7a0b37";
const PLAIN: &str = "be075fc53c81f2d5cf141316ebeb0c7b5228c52a4c62cbd44b66849b64244ffce5ecbaaf33bd751a1ac728d45e6c6129\
                     6cdc3c01233561f41db66cce314adb310e3be8250c46f06dceea3a7fa1348057e2f6556ad6b1318a024a838f21af1fde\
                     048977eb48f59ffd4924ca1c60902e52f0a089bc76897040e082f937763848645e0705";
const BOX: &str = "f3ffc7703f9400e52a7dfb4b3d3305d98e993b9f48681273c29650ba32fc76ce48332ea7164d96a4476fb8c531a1186a\
                   c0dfc17c98dce87b4da7f011ec48c97271d2c20f9b928fe2270d6fb863d51738b48eeee314a7cc8ab932164548e526ae\
                   90224368517acfeabd6bb3732bc0e9da99832b61ca01b6de56244a9e88d5f9b37973f622a43d14a6599b1f654cb45a74\
                   e355a5";

#[test]
fn the_box_of_the_nacl_paper() {
    let (alice, bob) = (SecretKey::from_bytes(array(ALICE)), SecretKey::from_bytes(array(BOB)));
    assert_eq!(alice.public().as_bytes(), &array(ALICE_PUBLIC));
    assert_eq!(bob.public().as_bytes(), &array(BOB_PUBLIC));
    let key = BoxKey::agree(&alice, &bob.public()).unwrap();
    let mut sealed = Vec::new();
    key.seal_onto(&array(NONCE), &hex(PLAIN), &mut sealed);
    assert_eq!(sealed, hex(BOX));
    let key = BoxKey::agree(&bob, &alice.public()).unwrap();
    assert_eq!(key.open_box(&array(NONCE), &sealed).unwrap()[..], hex(PLAIN));
}

#[test]
fn the_keys_of_libzmqs_manual() {
    assert_eq!(client_key().public().to_string(), CLIENT_PUBLIC);
    assert_eq!(server_key().public().to_string(), SERVER_PUBLIC);
    assert_eq!(client_key().expose_z85().expose(), CLIENT_SECRET.as_bytes());
    assert_eq!(SERVER_PUBLIC.parse::<PublicKey>().unwrap(), server_key().public());
}

#[test]
fn what_is_no_key_is_refused() {
    assert_eq!("".parse::<PublicKey>(), Err(KeyError::Length(0)));
    assert_eq!(CLIENT_PUBLIC[1..].parse::<PublicKey>(), Err(KeyError::Length(39)));
    let spaced = format!("{} ", &CLIENT_PUBLIC[..39]);
    assert_eq!(spaced.parse::<PublicKey>(), Err(KeyError::Z85(Z85Error::Character { at: 39 })));
    assert!(spaced.parse::<SecretKey>().is_err());
}

#[test]
fn a_secret_key_does_not_print() {
    let printed = format!("{:?} {:?}", server_key(), server_key().expose_z85());
    assert!(printed.contains(SERVER_PUBLIC) && !printed.contains(SERVER_SECRET), "{printed}");
}

#[test]
fn generated_keys_come_from_the_entropy() {
    let entropy = dice(7);
    let (a, b) = (SecretKey::generate(&entropy).unwrap(), SecretKey::generate(&entropy).unwrap());
    assert_ne!(a.public(), b.public());
    assert_eq!(SecretKey::generate(&dice(7)).unwrap().public(), a.public());
    assert!(SecretKey::generate(&crate::Entropy::none()).is_err());
}

/// The points of order 1, 2, 4 and 8 on the curve and its twist, in every encoding (Bernstein, "Curve25519", "How do I
/// validate public keys"), with and without the bit that X25519 ignores.
#[test]
fn points_of_low_order_are_no_keys() {
    for point in [
        "00*32",
        "01 00*31",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ec ff*30 7f",
        "ed ff*30 7f",
        "ee ff*30 7f",
    ] {
        for ignored in [0, 0x80] {
            let mut bytes: [u8; 32] = array(point);
            bytes[31] |= ignored;
            assert!(BoxKey::agree(&server_key(), &PublicKey::from_bytes(bytes)).is_none(), "{point}");
        }
    }
}

#[test]
fn a_second_spelling_of_a_key_is_no_key() {
    let mut bytes = *client_key().public().as_bytes();
    assert!(BoxKey::agree(&server_key(), &PublicKey::from_bytes(bytes)).is_some());
    bytes[31] |= 0x80;
    assert!(BoxKey::agree(&server_key(), &PublicKey::from_bytes(bytes)).is_none());
    // 9, the base point, and 9 + 2^255 - 19.
    assert!(BoxKey::agree(&server_key(), &PublicKey::from_bytes(array("09 00*31"))).is_some());
    assert!(BoxKey::agree(&server_key(), &PublicKey::from_bytes(array("f6 ff*30 7f"))).is_none());
}

#[test]
fn what_does_not_open_is_left_as_it_was() {
    let key = BoxKey::of([7; 32]);
    let mut body = *b"some words";
    let tag = key.seal(&[1; 24], &mut body);
    let sealed = body;
    assert_eq!(key.open(&[2; 24], &tag, &mut body), Err(Forged));
    assert_eq!(body, sealed);
    key.open(&[1; 24], &tag, &mut body).unwrap();
    assert_eq!(&body, b"some words");
    assert_eq!(key.open_box(&[1; 24], &[0; 15]).unwrap_err(), Forged);
}

proptest! {
    /// With `curve-simd` this compares two independent implementations, else one with itself.
    #[test]
    fn the_crates_agree(key: [u8; 32], nonce: [u8; 24], length in 0..5000_usize, fill: u8) {
        use crypto_secretbox::{AeadInPlace, KeyInit, XSalsa20Poly1305};
        let plain: Vec<u8> = (0..length).map(|at| fill.wrapping_add(at as u8)).collect();
        let mut ours = plain.clone();
        let tag = BoxKey::of(key).seal(&nonce, &mut ours);
        let mut theirs = plain.clone();
        let cipher = XSalsa20Poly1305::new(&key.into());
        let other = cipher.encrypt_in_place_detached(&nonce.into(), &[], &mut theirs).unwrap();
        prop_assert_eq!(&tag[..], &other[..]);
        prop_assert_eq!(&ours, &theirs);
        cipher.decrypt_in_place_detached(&nonce.into(), &[], &mut ours, &tag.into()).unwrap();
        BoxKey::of(key).open(&nonce, &tag, &mut theirs).unwrap();
        prop_assert!(ours == plain && theirs == plain);
    }
}

#[test]
fn a_secret_is_not_copied_when_its_owner_moves() {
    // Zeroizing overwrites the last place of a value, not the places it was moved from.
    assert_eq!(size_of::<BoxKey>(), size_of::<usize>());
    assert_eq!(size_of::<SecretKey>(), size_of::<(usize, PublicKey)>());
}
