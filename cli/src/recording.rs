//! The file of recorded messages, which `record` and `proxy --capture` write and `replay` reads.
//!
//! ```text
//! file    = magic *record
//! magic   = "zxrec 1" LF                    8 bytes
//! record  = time count *frame check
//! time    = 8 bytes, microseconds since 1970
//! count   = 4 bytes, the number of frames, at least 1
//! frame   = length bytes                    length: 4 bytes
//! check   = 4 bytes, the CRC-32 (IEEE) of the record before it
//! ```
//!
//! All numbers are big-endian. A file that was cut anywhere, as by kill -9 or a full disk, is read up to its last whole record: what
//! is left is a torn tail, which the reader counts. A whole record whose check is wrong is an error.

use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::time::{Duration, SystemTime};

use zeroxide::Message;

const MAGIC: &[u8; 8] = b"zxrec 1\n";

/// Writes messages to a file.
pub(crate) struct Recorder<W: Write> {
    file: BufWriter<W>,
}

impl<W: Write> Recorder<W> {
    pub(crate) fn new(file: W) -> io::Result<Recorder<W>> {
        let mut file = BufWriter::with_capacity(64 << 10, file);
        file.write_all(MAGIC)?;
        Ok(Recorder { file })
    }

    /// Writes a message that was received so long after 1970.
    pub(crate) fn write(&mut self, message: &Message, time: Duration) -> io::Result<()> {
        let mut out = Checked { file: &mut self.file, check: crc32fast::Hasher::new() };
        out.write(&u64::try_from(time.as_micros()).unwrap_or(u64::MAX).to_be_bytes())?;
        out.write(&number(message.len())?)?;
        for frame in message.iter() {
            out.write(&number(frame.len())?)?;
            out.write(frame)?;
        }
        let check = out.check.finalize();
        self.file.write_all(&check.to_be_bytes())
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

struct Checked<W> {
    file: W,
    check: crc32fast::Hasher,
}

impl<W: Write> Checked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.check.update(bytes);
        self.file.write_all(bytes)
    }
}

fn number(n: usize) -> io::Result<[u8; 4]> {
    let n = u32::try_from(n).map_err(|_| io::Error::other("a frame of 4 GiB or more cannot be recorded"))?;
    Ok(n.to_be_bytes())
}

/// Returns the time since 1970.
pub(crate) fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Reads messages from a file.
pub(crate) struct Player<R> {
    file: R,
    /// Whole records that were read.
    pub(crate) count: u64,
    /// Bytes of a torn tail.
    pub(crate) torn: u64,
}

/// Why a record was not read.
enum Unread {
    /// The file ends; so many bytes of the record are there.
    Ends(u64),
    Failed(String),
}

impl<R: Read> Player<R> {
    /// Begins to read a file.
    ///
    /// # Errors
    /// Returns an error if it is no recording.
    pub(crate) fn new(mut file: R) -> Result<Player<R>, String> {
        let mut magic = [0; 8];
        match file.read_exact(&mut magic) {
            Ok(()) if &magic == MAGIC => Ok(Player { file, count: 0, torn: 0 }),
            Ok(()) => Err("it is no recording of zx".to_owned()),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                Err("it is no recording of zx".to_owned())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    /// Returns the next message and its time since 1970; `None` at the end, or at a torn tail.
    ///
    /// # Errors
    /// Returns an error for a record that was changed, and if the file cannot be read.
    pub(crate) fn next(&mut self) -> Result<Option<(Duration, Message)>, String> {
        match self.record() {
            Ok(record) => {
                self.count += 1;
                Ok(Some(record))
            }
            Err(Unread::Ends(bytes)) => {
                self.torn = bytes;
                Ok(None)
            }
            Err(Unread::Failed(what)) => Err(format!("record {}: {what}", self.count + 1)),
        }
    }

    fn record(&mut self) -> Result<(Duration, Message), Unread> {
        let mut input = Input { file: &mut self.file, read: 0, check: crc32fast::Hasher::new() };
        let time = Duration::from_micros(u64::from_be_bytes(input.array()?));
        let count = u32::from_be_bytes(input.array()?);
        let mut message = Message::new();
        for _ in 0..count {
            let length = u32::from_be_bytes(input.array()?);
            message.push_back(input.bytes(u64::from(length))?);
        }
        let check = input.check.clone().finalize();
        if u32::from_be_bytes(input.array()?) != check || message.is_empty() {
            return Err(Unread::Failed("its check is wrong: the file was changed".to_owned()));
        }
        Ok((time, message))
    }
}

/// The bytes of one record.
struct Input<R> {
    file: R,
    read: u64,
    check: crc32fast::Hasher,
}

impl<R: Read> Input<R> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unread> {
        self.bytes(N as u64)?.try_into().map_err(|_| Unread::Ends(self.read))
    }

    /// Reads so many bytes. The memory grows with what is there.
    fn bytes(&mut self, length: u64) -> Result<Vec<u8>, Unread> {
        let mut bytes = Vec::new();
        let read = (&mut self.file).take(length).read_to_end(&mut bytes);
        read.map_err(|error| Unread::Failed(error.to_string()))?;
        self.read += bytes.len() as u64;
        self.check.update(&bytes);
        if bytes.len() as u64 == length { Ok(bytes) } else { Err(Unread::Ends(self.read)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages() -> Vec<(Duration, Message)> {
        let frames: [&[&[u8]]; 3] = [&[b"a"], &[b"topic", b"", b"\x00\xff"], &[b""]];
        (1..)
            .zip(frames)
            .map(|(n, frames)| (Duration::from_micros(n * 1_000_001), frames.to_vec().into()))
            .collect()
    }

    fn file() -> Vec<u8> {
        let mut recorder = Recorder::new(Vec::new()).unwrap();
        messages().iter().for_each(|(time, message)| recorder.write(message, *time).unwrap());
        recorder.file.into_inner().unwrap()
    }

    fn read(file: &[u8]) -> Result<(Vec<(Duration, Message)>, u64), String> {
        let mut player = Player::new(file)?;
        let all = std::iter::from_fn(|| player.next().transpose()).collect::<Result<_, _>>()?;
        Ok((all, player.torn))
    }

    #[test]
    fn what_was_recorded_is_read_with_its_times() {
        assert_eq!(read(&file()), Ok((messages(), 0)));
        assert_eq!(&file()[..21], b"zxrec 1\n\0\0\0\0\0\x0f\x42\x41\0\0\0\x01\0", "the documented layout");
    }

    #[test]
    fn a_file_cut_anywhere_is_read_up_to_its_last_whole_record() {
        let file = file();
        for end in MAGIC.len()..file.len() {
            let (all, torn) = read(&file[..end]).unwrap();
            assert!(all.len() < 3 && all[..] == messages()[..all.len()], "{end}");
            let whole: usize = MAGIC.len()
                + all.iter().map(|(_, m)| 16 + m.iter().map(|f| 4 + f.len()).sum::<usize>()).sum::<usize>();
            assert_eq!(torn, (end - whole) as u64, "{end}");
        }
        for end in 0..MAGIC.len() {
            read(&file[..end]).unwrap_err();
        }
    }

    #[test]
    fn a_changed_record_is_no_torn_tail() {
        let mut file = file();
        let at = MAGIC.len() + 16;
        file[at] ^= 1;
        assert_eq!(read(&file).unwrap_err(), "record 1: its check is wrong: the file was changed");
    }

    #[test]
    fn a_length_that_is_not_there_takes_no_memory() {
        let file = [&MAGIC[..], &[0; 8], &[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff], b"short"].concat();
        assert_eq!(read(&file), Ok((Vec::new(), 21)));
    }
}
