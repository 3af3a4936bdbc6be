//! One connection without a socket, for the tests that say strange things very often.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::net::listen::Listener;

/// What a client says, and what it is told.
struct Script {
    said: io::Cursor<Vec<u8>>,
    told: Arc<Mutex<Vec<u8>>>,
}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let at = usize::try_from(self.said.position()).unwrap_or(usize::MAX);
        let rest = self.said.get_ref().get(at..).unwrap_or_default();
        let taken = rest.len().min(buf.remaining());
        buf.put_slice(&rest[..taken]);
        self.said.set_position((at + taken) as u64);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Script {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).extend(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// All that is answered to a client that says this and no more.
pub(crate) async fn talk(listener: &Listener, said: &[u8]) -> Vec<u8> {
    let Some(place) = listener.conns.enter(None).await else { return Vec::new() };
    let told = Arc::new(Mutex::new(Vec::new()));
    let script = Script { said: io::Cursor::new(said.to_vec()), told: Arc::clone(&told) };
    let service = service_fn(|request| listener.answer(request, &place.conn));
    // An error is a client that spoke no HTTP, or too little of it.
    let _ = http1::Builder::new()
        .header_read_timeout(None)
        .half_close(true) // it is over when the last answer is, not when the last request is
        .max_buf_size(listener.header_bytes.max(8 * 1024))
        .serve_connection(TokioIo::new(script), service)
        .await;
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    std::mem::take(&mut *told)
}
