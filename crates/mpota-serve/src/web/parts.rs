//! Several parts of a file in one answer (RFC 9110, section 14.6), as boards ask for those of a pack.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::pieces::{Pieces, Shared};

/// What follows in the body.
enum Next {
    /// The head of a part, or the end of the last one.
    Text(Bytes),
    /// So many bytes of the file, from one of them on.
    File(u64, u64),
}

/// The body of such an answer.
pub(crate) struct Parts {
    file: File,
    next: VecDeque<Next>,
    now: Option<Pieces>,
    /// Bytes that are still to be sent.
    left: u64,
    shared: Shared,
}

impl Parts {
    /// The parts `wanted` of a file of `len` bytes: the first and the last byte of each. `kind` is the content type.
    pub fn new(
        file: File,
        wanted: &[(u64, u64)],
        len: u64,
        kind: &str,
        boundary: &str,
        shared: Shared,
    ) -> Self {
        let mut next = VecDeque::new();
        for &(first, last) in wanted {
            let head = format!(
                "\r\n--{boundary}\r\nContent-Type: {kind}\r\nContent-Range: bytes {first}-{last}/{len}\r\n\r\n"
            );
            next.push_back(Next::Text(head.into()));
            next.push_back(Next::File(first, last - first + 1));
        }
        next.push_back(Next::Text(format!("\r\n--{boundary}--\r\n").into()));
        let length = |next: &Next| match next {
            Next::Text(text) => text.len() as u64,
            Next::File(_, length) => *length,
        };
        let left = next.iter().map(length).sum();
        Self { file, next, now: None, left, shared }
    }

    /// How long the whole body is.
    pub fn len(&self) -> u64 {
        self.left
    }

    fn part(&self, begin: u64, length: u64) -> io::Result<Pieces> {
        // The place in the file is that of both; they are read one after the other.
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(begin))?;
        Ok(Pieces::new(file, length, self.shared.clone()))
    }
}

impl Body for Parts {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        loop {
            let frame = match &mut self.now {
                Some(pieces) => ready!(Pin::new(pieces).poll_frame(cx)),
                None => match self.next.pop_front() {
                    None => return Poll::Ready(None),
                    Some(Next::Text(text)) => Some(Ok(Frame::data(text))),
                    Some(Next::File(begin, length)) => {
                        self.now = Some(self.part(begin, length)?);
                        continue;
                    }
                },
            };
            match frame {
                None => self.now = None,
                Some(Ok(frame)) => {
                    self.left -= frame.data_ref().map_or(0, |data| data.len() as u64);
                    return Poll::Ready(Some(Ok(frame)));
                }
                failed => return Poll::Ready(failed),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
