//! Messages that carry values of the application's types (feature `serde`).
//!
//! Which bytes a value becomes is the application's choice: it names a [`Format`]. JSON, postcard and others are a few lines
//! each, and no format is among the dependencies.

use serde::{Deserialize, Serialize};

use crate::{Frame, Message};

/// A way to write values as bytes and to read them.
///
/// ```
/// # extern crate zeroxide_zmtp as zeroxide;
/// use serde::{Deserialize, Serialize};
/// use zeroxide::{Format, Message};
///
/// struct Json;
///
/// impl Format for Json {
///     type Error = serde_json::Error;
///
///     fn write<T: Serialize + ?Sized>(&self, value: &T) -> Result<Vec<u8>, Self::Error> {
///         serde_json::to_vec(value)
///     }
///
///     fn read<'a, T: Deserialize<'a>>(&self, bytes: &'a [u8]) -> Result<T, Self::Error> {
///         serde_json::from_slice(bytes)
///     }
/// }
///
/// let message = Message::of_value(&Json, &("weather", 12))?;
/// assert_eq!(&message[0][..], br#"["weather",12]"#);
/// let (topic, degrees): (&str, i32) = message.value(&Json)?;
/// assert_eq!((topic, degrees), ("weather", 12));
/// # Ok::<(), serde_json::Error>(())
/// ```
pub trait Format {
    /// Why a value cannot be written, or bytes cannot be read.
    type Error;

    /// Writes a value.
    ///
    /// # Errors
    /// Returns the error of the format.
    fn write<T: Serialize + ?Sized>(&self, value: &T) -> Result<Vec<u8>, Self::Error>;

    /// Reads a value. It may refer to the bytes.
    ///
    /// # Errors
    /// Returns the error of the format if the bytes are not such a value. They come from a peer.
    fn read<'a, T: Deserialize<'a>>(&self, bytes: &'a [u8]) -> Result<T, Self::Error>;
}

impl Message {
    /// Creates a message of one frame, which is this value.
    ///
    /// # Errors
    /// Returns the error of the format.
    pub fn of_value<F: Format, T: Serialize + ?Sized>(format: &F, value: &T) -> Result<Message, F::Error> {
        format.write(value).map(|bytes| Message::from(Frame::from(bytes)))
    }

    /// Appends a value as a frame, behind a topic or a routing id.
    ///
    /// # Errors
    /// Returns the error of the format. Then the message is as it was.
    pub fn push_value<F: Format, T: Serialize + ?Sized>(
        &mut self,
        format: &F,
        value: &T,
    ) -> Result<(), F::Error> {
        format.write(value).map(|bytes| self.push_back(Frame::from(bytes)))
    }

    /// Reads the value in the last frame; of a message without frames, the value of no bytes.
    ///
    /// # Errors
    /// Returns the error of the format if the frame is not such a value.
    pub fn value<'a, F: Format, T: Deserialize<'a>>(&'a self, format: &F) -> Result<T, F::Error> {
        let last = self.len().checked_sub(1).and_then(|last| self.get(last));
        format.read(last.map_or(&[], |frame| frame))
    }
}
