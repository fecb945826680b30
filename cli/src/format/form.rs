//! Which form messages have, and what they have beside their frames.

use std::io::{self, IsTerminal};

use clap::Args;
use zeroxide::{Message, SocketType};

use super::lines;

/// The form of messages, as it is given on the command line.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct FormatArgs {
    /// One JSON object a line: {"time":1764519454.12,"frames":["text",{"hex":"00ff"}]}
    #[arg(help_heading = "Form of messages (default: one line is one message)", long, group = "form")]
    pub(super) json: bool,
    /// One line of hexadecimal digits a message, a comma between frames
    #[arg(help_heading = "Form of messages (default: one line is one message)", long, group = "form")]
    pub(super) hex: bool,
    /// Each frame after its length (4 bytes, big-endian; the topmost bit says that another frame follows)
    #[arg(help_heading = "Form of messages (default: one line is one message)", long, group = "form")]
    pub(super) len: bool,
    /// Nothing but the bytes; all of the input is one message
    #[arg(help_heading = "Form of messages (default: one line is one message)", long, group = "form")]
    pub(super) raw: bool,
    /// The separator of frames in a line [default: a tab between frames that are received; lines that are sent are not split]
    #[arg(help_heading = "Form of messages (default: one line is one message)", long, value_name = "SEP", conflicts_with = "form", value_parser = unescape)]
    pub(super) frames: Option<String>,
}

/// The form of messages of one socket.
#[derive(Clone, Debug)]
pub(crate) struct Format {
    pub(super) form: Form,
    address: Address,
    /// Control characters are escaped.
    pub(super) terminal: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Form {
    Lines {
        /// Between frames that are written.
        joined: String,
        /// Between frames that are read.
        split: Option<String>,
    },
    Json,
    Hex,
    Length,
    Raw,
}

/// What a message has beside its frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Address {
    None,
    /// The group of RADIO and DISH.
    Group,
    /// The number of a peer of SERVER and PEER.
    Number,
}

impl FormatArgs {
    /// Returns the form of what a socket of type `t` receives.
    pub(crate) fn output(&self, t: SocketType) -> Format {
        self.form(t, false, io::stdout().is_terminal())
    }

    /// Returns the form of what a socket of type `t` sends. With `grouped` its group is given elsewhere.
    pub(crate) fn input(&self, t: SocketType, grouped: bool) -> Format {
        self.form(t, grouped, false)
    }

    /// Returns the message of a text, which is one line whatever the form of the others.
    pub(crate) fn message(&self, text: &str, t: SocketType, grouped: bool) -> Result<Message, String> {
        let format = FormatArgs { frames: self.frames.clone(), ..FormatArgs::default() }.input(t, grouped);
        let Form::Lines { split, .. } = &format.form else { return Ok(text.into()) };
        format.take_address(lines::split(text.as_bytes(), split.as_deref()))
    }

    pub(super) fn form(&self, t: SocketType, grouped: bool, terminal: bool) -> Format {
        let address = match t {
            _ if grouped => Address::None,
            SocketType::Server | SocketType::Peer => Address::Number,
            t if t.has_groups() => Address::Group,
            _ => Address::None,
        };
        // What is sent must name a peer or a group in a frame of its own.
        let addressed = t.addresses() || address != Address::None;
        let form = match self {
            FormatArgs { json: true, .. } => Form::Json,
            FormatArgs { hex: true, .. } => Form::Hex,
            FormatArgs { len: true, .. } => Form::Length,
            FormatArgs { raw: true, .. } => Form::Raw,
            FormatArgs { frames, .. } => Form::Lines {
                joined: frames.clone().unwrap_or_else(|| "\t".to_owned()),
                split: frames.clone().or_else(|| addressed.then(|| "\t".to_owned())),
            },
        };
        Format { form, address, terminal }
    }
}

impl Format {
    /// Puts the group or the number before the frames.
    pub(super) fn with_address(&self, message: &Message) -> Message {
        let mut all: Message = message.iter().cloned().collect::<Vec<_>>().into();
        match self.address {
            Address::None => {}
            Address::Group => all.push_front(message.group()),
            Address::Number => all.push_front(message.routing_id().to_string()),
        }
        all
    }

    /// Takes the group or the number off the frames.
    pub(super) fn take_address(&self, mut message: Message) -> Result<Message, String> {
        if self.address == Address::None {
            return Ok(message);
        }
        let frame = message.pop_front().unwrap_or_default();
        if message.is_empty() {
            return Err(match self.address {
                Address::Group => "no group; write GROUP, a tab and the message, or give --group".to_owned(),
                _ => "no number of a peer; write NUMBER, a tab and the message".to_owned(),
            });
        }
        if self.address == Address::Group {
            return Ok(message.with_group(frame));
        }
        let number = frame.as_str().ok().and_then(|text| text.parse().ok());
        let number = number.ok_or_else(|| format!("{:?} is no number of a peer", lines::escaped(&frame)))?;
        Ok(message.with_routing_id(number))
    }
}

/// Returns a separator with `\t`, `\n`, `\0` and `\\` replaced.
pub(super) fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => out.push(match chars.next() {
                Some('t') => '\t',
                Some('0') => '\0',
                Some('\\') => '\\',
                _ => return Err(r"after a backslash write t, 0 or another backslash".to_owned()),
            }),
            (c, false) => out.push(c),
        }
    }
    if out.is_empty() || out.contains('\n') {
        return Err(r"a separator has at least one character and no newline; try ' ' or '\t'".to_owned());
    }
    Ok(out)
}
