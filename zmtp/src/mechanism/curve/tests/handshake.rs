//! The handshake.

use super::bench::*;
use crate::connection::Stage;
use crate::mechanism::Proof;
use crate::pair::Pair;
use crate::{Message, SocketType, Traffic, Version};

#[test]
fn client_and_server_meet_and_the_server_asks_for_the_clients_key() {
    for cut in [1, 7, 1000] {
        let mut pair = Pair::new(client_config(SocketType::Dealer), server_config(SocketType::Router));
        pair.run(cut).unwrap();
        assert_eq!(pair.b.connection.stage(), Stage::Authorising);
        assert!(pair.b.established.is_none() && pair.a.established.is_none());
        let question = pair.b.decide(accept(), pair.now).unwrap();
        assert_eq!(question.mechanism, "CURVE");
        assert!(matches!(question.proof, Proof::Curve(key) if key == client_key().public()));
        pair.run(cut).unwrap();
        let (told, heard) = (pair.a.established.as_ref().unwrap(), pair.b.established.as_ref().unwrap());
        assert_eq!(
            (told.socket_type, heard.socket_type),
            (Some(SocketType::Router), Some(SocketType::Dealer))
        );
        assert_eq!((told.version, heard.user_id.as_str()), (Some(Version::V3_1), "anna"));
        pair.a.send(Message::from("Hi"));
        pair.b.send(Message::from(("two", "frames")));
        pair.run(cut).unwrap();
        assert_eq!(pair.b.received, [Traffic::from(Message::from("Hi"))]);
        assert_eq!(pair.a.received, [Traffic::from(Message::from(("two", "frames")))]);
    }
}

#[test]
fn the_commands_have_rfc_26s_layout() {
    let Handshake { hello, welcome, initiate, ready, .. } = Handshake::done();
    let metadata = 0x29 - 6;
    assert_eq!((hello.len(), &hello[..10]), (202, &b"\x04\xC8\x05HELLO\x01\x00"[..]));
    assert_eq!((&hello[10..82], &hello[114..122]), (&[0; 72][..], &1_u64.to_be_bytes()[..]));
    assert_eq!((welcome.len(), &welcome[..10]), (170, &b"\x04\xA8\x07WELCOME"[..]));
    assert_eq!((initiate.len(), &initiate[..9]), (9 + 257 + metadata, &b"\x06\0\0\0\0\0\0\x01\x24"[..]));
    assert_eq!((&initiate[9..18], &initiate[114..122]), (&b"\x08INITIATE"[..], &2_u64.to_be_bytes()[..]));
    assert_eq!((ready.len(), &ready[..8]), (2 + 30 + metadata, &b"\x04\x41\x05READY"[..]));
    assert_eq!(&ready[8..16], &1_u64.to_be_bytes());
}
