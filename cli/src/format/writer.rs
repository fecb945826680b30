//! Messages to an output.

use std::io::{self, BufWriter, Write};
use std::time::SystemTime;

use zeroxide::Message;

use super::form::{Form, Format};
use super::{binary, json, lines};

/// Writes messages to an output, through a buffer.
pub(crate) struct Writer<W: Write> {
    format: Format,
    output: BufWriter<W>,
}

impl<W: Write> Writer<W> {
    pub(crate) fn new(format: Format, output: W) -> Writer<W> {
        Writer { format, output: BufWriter::with_capacity(64 << 10, output) }
    }

    /// Writes a message that was received at `time`, in seconds since 1970.
    pub(crate) fn write(&mut self, message: &Message, time: f64) -> io::Result<()> {
        let out = &mut self.output;
        match &self.format.form {
            Form::Json => writeln!(out, "{}", json::write(message, time).map_err(io::Error::other)?),
            Form::Hex => writeln!(out, "{}", lines::to_hex(&self.format.with_address(message))),
            Form::Length => binary::write(&self.format.with_address(message), out),
            Form::Raw => message.iter().try_for_each(|frame| out.write_all(frame)),
            Form::Lines { joined, .. } => {
                let all = self.format.with_address(message);
                out.write_all(&lines::join(&all, joined, self.format.terminal))?;
                out.write_all(b"\n")
            }
        }
    }

    /// Writes what is in the buffer.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// Returns the seconds since 1970, exact to the microsecond.
pub(crate) fn now() -> f64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 have 51 bits until 2041")]
    let micros = since.as_micros() as f64;
    micros / 1e6
}
