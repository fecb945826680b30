//! Messages from an input.

use std::io::BufRead;

use zeroxide::Message;

use super::form::{Form, Format};
use super::{binary, json, lines};

/// Reads messages from an input.
pub(crate) struct Reader<R> {
    format: Format,
    input: R,
    /// Messages read so far: where a line is wrong.
    count: u64,
}

impl<R: BufRead> Reader<R> {
    pub(crate) fn new(format: Format, input: R) -> Reader<R> {
        Reader { format, input, count: 0 }
    }

    /// Returns the next message; `None` at the end of the input. The last line may lack its newline.
    ///
    /// # Errors
    /// Returns what is wrong with the input, and where.
    pub(crate) fn read(&mut self) -> Result<Option<Message>, String> {
        let read = self.read_one();
        self.count += 1;
        let place = if matches!(self.format.form, Form::Length | Form::Raw) { "message" } else { "line" };
        read.map_err(|what| format!("input, {place} {}: {what}", self.count))
    }

    fn read_one(&mut self) -> Result<Option<Message>, String> {
        let message = match self.format.form.clone() {
            Form::Length => binary::read(&mut self.input).map_err(|error| error.to_string())?,
            Form::Raw if self.count > 0 => None,
            Form::Raw => {
                let mut all = Vec::new();
                self.input.read_to_end(&mut all).map_err(|error| error.to_string())?;
                Some(all.into())
            }
            Form::Json => match self.line()? {
                // Its group and number are in fields.
                Some(line) => return json::read(&line).map(Some),
                None => None,
            },
            Form::Hex => self.line()?.map(|line| lines::from_hex(&line)).transpose()?,
            Form::Lines { split, .. } => self.line()?.map(|line| lines::split(&line, split.as_deref())),
        };
        message.map(|message| self.format.take_address(message)).transpose()
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, String> {
        let mut line = Vec::new();
        let read = self.input.read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        Ok((read > 0).then_some(line))
    }
}
