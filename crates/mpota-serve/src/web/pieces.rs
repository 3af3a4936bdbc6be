//! A large answer, piece by piece: at once while the system has the file in memory, and otherwise on threads that may
//! wait for the disk.

use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::net::conns::Conns;

/// Bytes of a piece while few connections are open.
const LARGEST: usize = 256 * 1024;
/// Buffers of that size that wait for the next piece; more are given back to the system.
const MOST_SPARE: usize = 16;

/// Bytes of a piece while so many connections are open. A client that takes nothing holds one in memory: all of them
/// together some 32 MB.
fn size(connections: usize) -> usize {
    match connections {
        0..=128 => LARGEST,
        129..=512 => 64 * 1024,
        _ => 16 * 1024,
    }
}

/// The next bytes of a file, from where it stands.
pub(crate) struct Pieces {
    /// None: a piece of it is being read.
    file: Option<File>,
    /// Bytes that are still to be read.
    left: u64,
    shared: Shared,
    reading: Option<JoinHandle<io::Result<(File, Piece)>>>,
}

/// What all answers share: how many there may be, and buffers.
#[derive(Clone)]
pub(crate) struct Shared {
    conns: Arc<Conns>,
    spare: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Shared {
    pub fn new(conns: Arc<Conns>) -> Self {
        Self { conns, spare: Arc::default() }
    }

    /// A buffer for the next piece.
    fn piece(&self, left: u64) -> Piece {
        let size = size(self.conns.open());
        let length = usize::try_from(left).unwrap_or(size).min(size);
        let spare = || self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut bytes = if size == LARGEST { spare() } else { None }.unwrap_or_default();
        bytes.resize(size, 0);
        Piece { bytes, length, spare: Arc::clone(&self.spare) }
    }
}

/// A buffer, which goes back to the others.
struct Piece {
    bytes: Vec<u8>,
    length: usize,
    spare: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if self.bytes.len() == LARGEST && spare.len() < MOST_SPARE {
            spare.push(std::mem::take(&mut self.bytes));
        }
    }
}

impl Pieces {
    pub fn new(file: File, length: u64, shared: Shared) -> Self {
        Self { file: Some(file), left: length, shared, reading: None }
    }
}

/// Reads what the system has in memory: so many bytes. None: it would have to wait for the disk, or cannot say.
#[cfg(target_os = "linux")]
pub(crate) fn read_now(file: &File, buffer: &mut [u8]) -> Option<usize> {
    use rustix::io::{ReadWriteFlags, preadv2};
    // From where the file stands.
    let place = u64::MAX;
    let read = preadv2(file, &mut [io::IoSliceMut::new(buffer)], place, ReadWriteFlags::NOWAIT);
    read.ok().filter(|read| *read > 0)
}

/// Other systems cannot say.
#[cfg(not(target_os = "linux"))]
pub(crate) fn read_now(_: &File, _: &mut [u8]) -> Option<usize> {
    None
}

fn read(mut file: File, mut piece: Piece) -> io::Result<(File, Piece)> {
    let length = piece.length;
    // A file that has become shorter ends the answer before its time, and the connection with it.
    file.read_exact(&mut piece.bytes[..length])?;
    Ok((file, piece))
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let mut done = None;
        if let Some(file) = self.file.take() {
            let mut piece = self.shared.piece(self.left);
            let length = piece.length;
            match read_now(&file, &mut piece.bytes[..length]) {
                Some(read) => {
                    piece.length = read;
                    done = Some((file, piece));
                }
                None => self.reading = Some(spawn_blocking(move || read(file, piece))),
            }
        }
        let (file, piece) = match (done, &mut self.reading) {
            (Some(done), _) => done,
            (None, Some(reading)) => {
                let done = ready!(Pin::new(reading).poll(cx));
                self.reading = None;
                done.map_err(io::Error::other)??
            }
            // A piece could not be read, and that was said.
            (None, None) => return Poll::Ready(None),
        };
        self.left -= piece.length as u64;
        self.file = Some(file);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
