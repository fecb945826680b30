use zeroxide::{Message, SocketType};

use super::form::unescape;
use super::*;

fn format(arguments: &FormatArgs, t: SocketType) -> Format {
    arguments.form(t, false, false)
}

fn all(arguments: &FormatArgs, t: SocketType, input: &[u8]) -> Result<Vec<Message>, String> {
    let mut reader = Reader::new(format(arguments, t), input);
    std::iter::from_fn(|| reader.read().transpose()).collect()
}

fn written(format: Format, messages: &[Message]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(format, &mut out);
    messages.iter().for_each(|message| writer.write(message, 1.5).unwrap());
    writer.flush().unwrap();
    drop(writer);
    out
}

fn lines() -> FormatArgs {
    FormatArgs::default()
}

fn json() -> FormatArgs {
    FormatArgs { json: true, ..lines() }
}

fn hex() -> FormatArgs {
    FormatArgs { hex: true, ..lines() }
}

fn len() -> FormatArgs {
    FormatArgs { len: true, ..lines() }
}

fn m(frames: &[&[u8]]) -> Message {
    frames.to_vec().into()
}

#[test]
fn one_line_is_one_message_and_the_last_may_lack_its_newline() {
    let read = all(&lines(), SocketType::Push, b"a\n\nb\tc\r\nlast").unwrap();
    assert_eq!(read, [m(&[b"a"]), m(&[b""]), m(&[b"b\tc\r"]), m(&[b"last"])]);
    assert_eq!(all(&lines(), SocketType::Push, b"").unwrap(), []);
    assert_eq!(all(&lines(), SocketType::Push, b"\n").unwrap(), [m(&[b""])]);
}

#[test]
fn lines_are_split_only_where_asked_or_where_a_peer_must_be_named() {
    let comma = FormatArgs { frames: Some(", ".to_owned()), ..lines() };
    assert_eq!(all(&comma, SocketType::Push, b"a, b,, c\n").unwrap(), [m(&[b"a", b"b,", b"c"])]);
    assert_eq!(all(&lines(), SocketType::Router, b"id\t\thi\n").unwrap(), [m(&[b"id", b"", b"hi"])]);
    assert_eq!(written(format(&comma, SocketType::Pull), &[m(&[b"a", b"b"])]), b"a, b\n");
    assert_eq!(written(format(&lines(), SocketType::Pull), &[m(&[b"a", b"\xff"])]), b"a\t\xff\n");
}

#[test]
fn a_terminal_gets_no_control_characters() {
    let terminal = lines().form(SocketType::Pull, false, true);
    let message = m(&["\x1b[2Jé\u{9b}".as_bytes(), b"\xff\n"]);
    assert_eq!(
        String::from_utf8(written(terminal, &[message])).unwrap(),
        "\\x1b[2Jé\\xc2\\x9b\t\\xff\\x0a\n"
    );
}

#[test]
fn json_keeps_every_byte_and_the_order_of_its_fields() {
    let message = m(&[b"text \"\x01", b"\x00\xff", b""]);
    let text = written(format(&json(), SocketType::Pull), std::slice::from_ref(&message));
    let expected = r#"{"time":1.5,"frames":["text \"\u0001",{"hex":"00ff"},""]}"#.to_owned() + "\n";
    assert_eq!(String::from_utf8(text.clone()).unwrap(), expected);
    assert_eq!(all(&json(), SocketType::Push, &text).unwrap(), [message]);
}

#[test]
fn json_that_is_wrong_names_its_line_and_the_form() {
    for wrong in ["{}", "[]", "{\"frames\":[]}", "{\"frames\":[1]}", "{\"frame\":[\"a\"]}", "x"] {
        let input = format!("{{\"frames\":[\"a\"]}}\n{wrong}\n");
        let error = all(&json(), SocketType::Push, input.as_bytes()).unwrap_err();
        assert!(error.starts_with("input, line 2: "), "{error}");
    }
    let error = all(&json(), SocketType::Push, b"{\"frames\":[{\"hex\":\"0\"}]}").unwrap_err();
    assert!(error.contains("hexadecimal"), "{error}");
}

#[test]
fn hex_keeps_every_byte() {
    let message = m(&[b"\x00\xff", b"", b"hi"]);
    let text = written(format(&hex(), SocketType::Pull), std::slice::from_ref(&message));
    assert_eq!(text, b"00ff,,6869\n");
    assert_eq!(all(&hex(), SocketType::Push, &text).unwrap(), [message]);
    assert_eq!(all(&hex(), SocketType::Push, b"00 FF ,, 68 69").unwrap(), [m(&[b"\x00\xff", b"", b"hi"])]);
    for wrong in [&b"0"[..], b"zz", b"0x00", "é".as_bytes()] {
        assert!(all(&hex(), SocketType::Push, wrong).unwrap_err().contains("line 1"), "{wrong:?}");
    }
}

#[test]
fn lengths_keep_every_byte() {
    let messages = [m(&[b"a\n", b"", b"\xff"]), m(&[b""])];
    let bytes = written(format(&len(), SocketType::Pull), &messages);
    assert_eq!(&bytes[..6], b"\x80\x00\x00\x02a\n");
    assert_eq!(all(&len(), SocketType::Push, &bytes).unwrap(), messages);
}

#[test]
fn an_input_that_ends_inside_a_message_is_an_error_wherever_it_ends() {
    let bytes = written(format(&len(), SocketType::Pull), &[m(&[b"abc", b"d"])]);
    for end in 1..bytes.len() {
        let error = all(&len(), SocketType::Push, &bytes[..end]).unwrap_err();
        assert_eq!(error, "input, message 1: the input ends inside a message", "{end}");
    }
}

#[test]
fn a_length_that_the_input_does_not_have_takes_no_memory() {
    let error = all(&len(), SocketType::Push, b"\x7f\xff\xff\xffabc").unwrap_err();
    assert!(error.contains("ends inside"), "{error}");
}

#[test]
fn raw_input_is_one_message_and_raw_output_is_the_bytes() {
    let raw = FormatArgs { raw: true, ..lines() };
    assert_eq!(all(&raw, SocketType::Push, b"a\nb").unwrap(), [m(&[b"a\nb"])]);
    assert_eq!(written(format(&raw, SocketType::Pull), &[m(&[b"a", b"b"]), m(&[b"c"])]), b"abc");
}

#[test]
fn groups_and_numbers_are_a_frame_before_the_others_or_a_field() {
    let grouped = m(&[b"12 degrees"]).with_group("weather");
    assert_eq!(
        written(format(&lines(), SocketType::Dish), std::slice::from_ref(&grouped)),
        b"weather\t12 degrees\n"
    );
    let read = all(&lines(), SocketType::Radio, b"weather\t12 degrees").unwrap();
    assert_eq!((read[0].group(), &read[0]), (&b"weather"[..], &grouped));
    let text = written(format(&json(), SocketType::Dish), &[grouped]);
    assert_eq!(text, b"{\"time\":1.5,\"group\":\"weather\",\"frames\":[\"12 degrees\"]}\n");
    assert_eq!(all(&json(), SocketType::Radio, &text).unwrap()[0].group(), b"weather");

    let numbered = all(&lines(), SocketType::Server, b"7\thi").unwrap();
    assert_eq!((numbered[0].routing_id(), &numbered[0][0][..]), (7, &b"hi"[..]));
    assert_eq!(written(format(&lines(), SocketType::Server), &numbered), b"7\thi\n");
    assert!(all(&lines(), SocketType::Server, b"hi").unwrap_err().contains("NUMBER"));
    assert!(all(&lines(), SocketType::Server, b"x\thi").unwrap_err().contains("\"x\" is no number"));
    assert!(all(&lines(), SocketType::Radio, b"hi").unwrap_err().contains("--group"));
}

#[test]
fn separators_have_escapes() {
    assert_eq!(unescape(r"\t\\\0x").unwrap(), "\t\\\0x");
    for wrong in ["", r"\", r"\n", "a\nb"] {
        unescape(wrong).unwrap_err();
    }
}

#[test]
fn a_text_is_one_message_whatever_the_form() {
    let message = |form: &FormatArgs, text: &str, t| form.message(text, t, false);
    assert_eq!(message(&json(), "a\nb", SocketType::Req).unwrap(), m(&[b"a\nb"]));
    assert_eq!(message(&hex(), "", SocketType::Req).unwrap(), m(&[b""]));
    assert_eq!(message(&lines(), "g\thi", SocketType::Radio).unwrap().group(), b"g");
    message(&lines(), "hi", SocketType::Radio).unwrap_err();
}
