//! A large answer: read piece by piece, on threads that may wait for the disk.

use std::fs::File;
use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::task::{JoinHandle, spawn_blocking};

use crate::net::conns::Conns;

/// The pieces of all answers together, more or less, in bytes.
const ALL: u64 = 32 * 1024 * 1024;

/// The next bytes of a file, from where it stands.
pub(crate) struct Pieces {
    /// None: a piece of it is being read.
    file: Option<File>,
    /// Bytes that are still to be read.
    left: u64,
    conns: Arc<Conns>,
    reading: Option<JoinHandle<io::Result<(File, Bytes)>>>,
}

impl Pieces {
    pub fn new(file: File, length: u64, conns: Arc<Conns>) -> Self {
        Self { file: Some(file), left: length, conns, reading: None }
    }
}

/// Bytes of a piece while so many connections are open: a client that takes nothing holds one in memory.
fn size(connections: usize) -> u64 {
    (ALL / connections.max(1) as u64).clamp(16 * 1024, 256 * 1024)
}

fn read(mut file: File, length: u64) -> io::Result<(File, Bytes)> {
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0));
    // A file that has become shorter ends the answer before its time, and the connection with it.
    if Read::take(&mut file, length).read_to_end(&mut bytes)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((file, bytes.into()))
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let length = size(self.conns.open()).min(self.left);
        if let Some(file) = self.file.take() {
            self.reading = Some(spawn_blocking(move || read(file, length)));
        }
        // Neither file nor reading: a piece could not be read.
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let piece = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        let (file, bytes) = piece.map_err(io::Error::other)??;
        self.left -= bytes.len() as u64;
        self.file = Some(file);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
