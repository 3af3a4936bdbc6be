//! Accepting connections and speaking HTTP/1.1 on them.

use std::mem::take;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use super::conns::{Conn, Conns, Place, Watched, WatchedBody};
use crate::app::{App, Cx};
use crate::faults::{FaultKind, Faults};
use crate::log::{ListenerKind, LoggedBody, RequestLog, describe};
use crate::web::quick;

/// How long to wait when the system gives no more sockets.
const NO_SOCKETS: Duration = Duration::from_millis(50);

/// What a request handler knows about its connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Via {
    pub tls: bool,
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed on demand")]
pub(crate) struct Closed;

/// One listening socket and what answers behind it.
#[derive(Clone)]
pub(crate) struct Listener {
    pub kind: ListenerKind,
    pub tls: Option<TlsAcceptor>,
    pub app: Arc<App>,
    pub router: Router,
    pub conns: Arc<Conns>,
    pub log: Arc<RequestLog>,
    pub faults: Arc<Faults>,
    pub header_bytes: usize,
    /// Where connections are answered, in turn. The first is where they are accepted.
    pub workers: Vec<Handle>,
}

impl Listener {
    /// Accepts for ever.
    pub async fn run(self, socket: TcpListener) {
        let me = Arc::new(self);
        for worker in me.workers.iter().cycle() {
            // The newcomer is taken first: only then is it known that a place
            // is wanted, and another connection may have to give way for it.
            let Ok((stream, peer)) = socket.accept().await else {
                tokio::time::sleep(NO_SOCKETS).await;
                continue;
            };
            let Some(place) = me.conns.enter(Some(peer.ip())).await else {
                return;
            };
            // The other thread watches the socket from now on.
            let (me, stream) = (Arc::clone(&me), stream.into_std());
            worker.spawn(async move {
                if let Ok(stream) = stream.and_then(TcpStream::from_std) {
                    me.connection(stream, place).await;
                }
            });
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, place: Place) {
        // A board waits for the end of every answer: do not hold back its tail.
        let _ = stream.set_nodelay(true);
        let conn = Arc::clone(&place.conn);
        let watched = Watched::new(stream, Arc::clone(&conn));
        let talk = async {
            match &self.tls {
                None => self.talk(watched, &conn).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(watched).await {
                        conn.expects_head();
                        self.talk(stream, &conn).await;
                    }
                }
            }
        };
        let mut talk = pin!(talk);
        loop {
            // What lies in the socket is read first, and answered: only then is it decided whether to end.
            tokio::select! {
                biased;
                () = &mut talk => break,
                () = conn.to_end() => if conn.goes(self.conns.limits()) { break },
            }
        }
        drop(place);
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(&self, stream: S, conn: &Arc<Conn>) {
        let service = service_fn(|request| self.answer(request, conn));
        // An error here is a client that broke off or spoke no HTTP: hyper has
        // answered what could be answered.
        let _ = http1::Builder::new()
            .header_read_timeout(None)
            .max_buf_size(self.header_bytes.max(8 * 1024))
            .serve_connection(TokioIo::new(stream), service)
            .await;
    }

    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        conn: &Arc<Conn>,
    ) -> Result<Response<LoggedBody>, Closed> {
        conn.answering();
        let tls = self.tls.is_some();
        let mut logged = describe(&request, conn.id, tls, self.kind);
        let fault = self.faults.next(&logged.method, &logged.path);
        if fault == Some(FaultKind::CloseBefore) {
            return Err(Closed);
        }
        let (mut parts, body) = request.into_parts();
        let cx = Cx {
            method: take(&mut parts.method),
            uri: take(&mut parts.uri),
            headers: take(&mut parts.headers),
            via: Via { tls },
            fault,
        };
        if let (Some(fleet), ListenerKind::Api) = (&self.app.fleet, self.kind) {
            fleet.hear(&self.app, &cx, conn.peer).await;
        }
        let response = match quick::answer(&self.app, &cx, self.kind) {
            Some(response) => response,
            None => {
                (parts.method, parts.uri, parts.headers) = (cx.method, cx.uri, cx.headers);
                parts.extensions.insert(cx.via);
                if let Some(kind) = &cx.fault {
                    parts.extensions.insert(kind.clone());
                }
                let body = Body::new(WatchedBody::new(body, Arc::clone(conn)));
                let Ok(response) = self.router.clone().call(Request::from_parts(parts, body)).await;
                response
            }
        };
        if cx.fault == Some(FaultKind::CloseAfter) {
            return Err(Closed);
        }
        logged.status = response.status().as_u16();
        let (head, body) = response.into_parts();
        let body = LoggedBody::new(body, logged, Arc::clone(&self.log), Arc::clone(conn));
        Ok(Response::from_parts(head, body))
    }
}
