//! Starting and stopping.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, available_parallelism};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use crate::api::auth::Access;
use crate::api::rate::Rates;
use crate::app::App;
use crate::catalog::digest::Digests;
use crate::catalog::store::{self, Store};
use crate::catalog::{Catalog, ReleaseSummary};
use crate::error::{Error, Result};
use crate::faults::{Fault, Faults};
use crate::fleet::{self, Fleet};
use crate::log::{Event, ListenerKind, LoggedRequest, RequestLog};
use crate::net::conns::Conns;
use crate::net::files;
use crate::net::listen::Listener;
use crate::net::tls::{self, pem_certificate};
use crate::options::{Limits, Options};
use crate::web::pieces::Shared;
use crate::web::signed::Signer;
use crate::{api, web};

/// Threads that answer: as many as there are processors, within these.
const THREADS: RangeInclusive<usize> = 2..=8;
/// Threads for what may take long: reading the folder, large files, uploads. Whatever asks waits for one of them.
const DISK_THREADS: usize = 32;
/// Connections that wait for a place. The system may have a lower bound (on Linux `net.core.somaxconn`).
const WAITING: i32 = 4096;
/// How long a stop waits for a disk that does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// A running server. It serves on threads of its own until it is stopped or
/// dropped.
pub struct Server {
    app: Arc<App>,
    conns: Arc<Conns>,
    faults: Arc<Faults>,
    base_url: String,
    asset_url: String,
    addresses: (SocketAddr, SocketAddr),
    trust_der: Option<Vec<u8>>,
    inside: Option<(Handle, Listener)>,
    /// What stops each worker, and its thread.
    running: Vec<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("base_url", &self.base_url)
            .field("asset_url", &self.asset_url)
            .finish_non_exhaustive()
    }
}

impl Server {
    /// Binds, and serves from then on.
    pub fn start(options: Options) -> Result<Self> {
        if let Some(fleet) = &options.fleet {
            fleet.check(options.listen)?;
        }
        let catalog = Catalog::open(options.root.clone(), options.repo.clone())?;
        let access = Access::new(options.token.as_deref(), options.write.as_ref())?;
        if access.writable {
            store::sweep(&catalog);
        }
        let log = Arc::new(RequestLog::new(options.limits.logged_requests, options.log.clone()));
        let (connections, problem) = files::connections(options.limits.connections);
        if let Some(problem) = problem {
            log.tell(&Event::Problem(problem));
        }
        let conns = Conns::new(Limits { connections, ..options.limits.clone() });

        let faults = Arc::new(Faults::new(&options.faults));

        let mut names = vec![own_name(options.listen.ip()), "localhost".to_owned()];
        names.extend(options.host.clone());
        names.extend(options.asset_host.clone());
        let api_tls = tls::setup(&options.tls, &names, None)?;
        let asset_tls = match &options.asset_tls {
            Some(tls) => tls::setup(tls, &names, Some(&api_tls))?,
            None => api_tls.clone(),
        };

        let (api_socket, api_address) = bind(options.listen)?;
        let host = options.host.clone().unwrap_or_else(|| own_name(api_address.ip()));
        let authority = format!("{}:{}", bracketed(&host), api_address.port());
        let scheme = |tls: &tls::Setup| if tls.acceptor.is_some() { "https" } else { "http" };
        let base_url = format!("{}://{authority}", scheme(&api_tls));
        let mut sockets = vec![(ListenerKind::Api, api_socket)];
        let mut asset_address = api_address;
        let asset_base = match &options.asset_host {
            None => None,
            Some(host) => {
                let wanted = options.asset_listen.unwrap_or_else(|| SocketAddr::new(options.listen.ip(), 0));
                let (socket, address) = bind(wanted)?;
                sockets.push((ListenerKind::Asset, socket));
                sockets.extend(also_on_ipv6(host, address).map(|s| (ListenerKind::Asset, s)));
                asset_address = address;
                let port = address.port();
                let scheme = scheme(&asset_tls);
                Some(format!("{scheme}://{}:{port}", bracketed(host)))
            }
        };

        // Behind the sockets: two servers may not have one file, and the second one is told about the address first.
        let fleet = options.fleet.as_ref().map(|fleet| Fleet::open(fleet, &log)).transpose()?;
        let app = Arc::new(App {
            catalog,
            digests: Digests::default(),
            signer: Signer::new(options.url_lifetime)?,
            rates: Rates::new(),
            access,
            store: Store::default(),
            fleet: fleet.map(Arc::new),
            write: options.write.clone(),
            digests_shown: options.digests,
            stall_timeout: options.limits.stall_timeout,
            redirects: options.redirects,
            asset_base: asset_base.clone(),
            authority,
            named_base: options.host.is_some().then(|| base_url.clone()),
            trust: api_tls.trust_der.as_deref().or(asset_tls.trust_der.as_deref()).map(tls::fingerprint),
            trusted: options.trusted.clone(),
            pieces: Shared::new(Arc::clone(&conns)),
            log: Arc::clone(&log),
            told: Mutex::new(HashSet::new()),
        });

        let workers = workers()?;
        let handles: Vec<Handle> = workers.iter().map(|worker| worker.handle().clone()).collect();
        let [runtime, ..] = &workers[..] else {
            return Err(Error::Threads(io::ErrorKind::Unsupported.into()));
        };
        let mut first = None;
        for (kind, socket) in sockets {
            let (tls, router) = match kind {
                ListenerKind::Api => {
                    let routes = web::pages::routes().merge(api::routes());
                    let routes = match asset_base {
                        None => routes.merge(web::storage::routes()),
                        Some(_) => routes,
                    };
                    let routes = match app.fleet {
                        Some(_) => routes.merge(fleet::web::routes()),
                        None => routes,
                    };
                    let routes = routes.fallback(api::unknown);
                    (&api_tls, routes.method_not_allowed_fallback(api::unknown))
                }
                ListenerKind::Asset => {
                    let routes = web::storage::routes().fallback(web::storage::unknown);
                    let routes = routes.method_not_allowed_fallback(web::storage::unknown);
                    (&asset_tls, routes)
                }
            };
            let listener = Listener {
                kind,
                tls: tls.acceptor.clone(),
                app: Arc::clone(&app),
                router: router.with_state(Arc::clone(&app)),
                conns: Arc::clone(&conns),
                log: Arc::clone(&log),
                faults: Arc::clone(&faults),
                header_bytes: options.limits.header_bytes,
                workers: handles.clone(),
            };
            first.get_or_insert_with(|| listener.clone());
            let guard = runtime.enter();
            let socket = tokio::net::TcpListener::from_std(socket).map_err(Error::Threads)?;
            drop(guard);
            runtime.spawn(listener.run(socket));
        }
        runtime.spawn(Arc::clone(&conns).watch());

        Ok(Self {
            app,
            conns,
            faults,
            asset_url: asset_base.unwrap_or_else(|| base_url.clone()),
            base_url,
            addresses: (api_address, asset_address),
            trust_der: api_tls.trust_der.or(asset_tls.trust_der),
            inside: first.map(|listener| (runtime.handle().clone(), listener)),
            running: workers.into_iter().map(keep).collect::<Result<_>>()?,
        })
    }

    /// Scheme, host and port of the download paths and the REST API, without a
    /// slash at the end.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Scheme, host and port of the storage host; the same as
    /// [`Server::base_url`] when it has no name of its own.
    #[must_use]
    pub fn asset_url(&self) -> &str {
        &self.asset_url
    }

    /// The address that the download paths and the REST API are bound to.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.addresses.0
    }

    /// The address that the storage host is bound to.
    #[must_use]
    pub fn asset_address(&self) -> SocketAddr {
        self.addresses.1
    }

    /// The certificate that a board has to trust, as DER: the authority's, or
    /// the last of a given chain. None for plain http.
    #[must_use]
    pub fn certificate_der(&self) -> Option<&[u8]> {
        self.trust_der.as_deref()
    }

    /// The same as PEM, for curl and browsers.
    #[must_use]
    pub fn certificate_pem(&self) -> Option<String> {
        self.certificate_der().map(pem_certificate)
    }

    /// What was asked so far, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<LoggedRequest> {
        self.app.log.requests()
    }

    /// Forgets what was asked so far.
    pub fn clear_requests(&self) {
        self.app.log.clear();
    }

    /// Lets requests fail from now on.
    pub fn add_fault(&self, fault: Fault) {
        self.faults.add(fault);
    }

    /// How many connections were accepted so far, those without any request
    /// among them.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.conns.accepted()
    }

    /// What is served, read from the folder now.
    #[must_use]
    pub fn releases(&self) -> Vec<ReleaseSummary> {
        self.app.catalog.summary()
    }

    /// What is answered to these bytes on a connection of their own that is no socket. For fuzzing; not to be called
    /// from within a runtime.
    #[must_use]
    pub fn talk(&self, said: &[u8]) -> Vec<u8> {
        let Some((runtime, listener)) = self.inside.as_ref().filter(|_| !self.running.is_empty()) else {
            return Vec::new();
        };
        runtime.block_on(crate::inside::talk(listener, said))
    }

    /// Closes every connection and frees the ports. Stopping twice is fine.
    pub fn stop(&mut self) {
        let (stops, threads): (Vec<_>, Vec<_>) = self.running.drain(..).unzip();
        for stop in stops {
            let _ = stop.send(());
        }
        for thread in threads {
            let _ = thread.join();
        }
        if let Some(fleet) = &self.app.fleet {
            fleet.close();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A runtime for each thread. A connection stays with one of them: nothing about it is handed from thread to thread.
fn workers() -> Result<Vec<Runtime>> {
    let count = available_parallelism().map_or(1, NonZero::get).clamp(*THREADS.start(), *THREADS.end());
    let worker = |_| {
        let mut builder = Builder::new_current_thread();
        builder.thread_name("mpota-serve").max_blocking_threads(DISK_THREADS / count).enable_all();
        builder.build().map_err(Error::Threads)
    };
    (0..count).map(worker).collect()
}

/// Holds the runtime on a thread of its own, so that it can be stopped from
/// anywhere, another runtime included.
fn keep(runtime: Runtime) -> Result<(oneshot::Sender<()>, JoinHandle<()>)> {
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("mpota-serve".into())
        .spawn(move || {
            let _ = runtime.block_on(stopped);
            runtime.shutdown_timeout(PATIENCE);
        })
        .map_err(Error::Threads)?;
    Ok((stop, thread))
}

fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr)> {
    let fail = |source| Error::Bind { address, source };
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).map_err(fail)?;
    // A restart takes the same port at once. On Windows the option would let two servers share it.
    socket.set_reuse_address(cfg!(unix)).map_err(fail)?;
    socket.bind(&address.into()).map_err(fail)?;
    socket.listen(WAITING).map_err(fail)?;
    socket.set_nonblocking(true).map_err(fail)?;
    let socket = TcpListener::from(socket);
    let bound = socket.local_addr().map_err(fail)?;
    Ok((socket, bound))
}

/// `localhost` is ::1 first on most systems, and not every client tries the
/// second address. If the port is not free there, that client is out of luck.
fn also_on_ipv6(host: &str, bound: SocketAddr) -> Option<TcpListener> {
    let twin = SocketAddr::new(Ipv6Addr::LOCALHOST.into(), bound.port());
    let wanted = host.eq_ignore_ascii_case("localhost") && bound.ip() == Ipv4Addr::LOCALHOST;
    if wanted { bind(twin).ok().map(|(socket, _)| socket) } else { None }
}

/// How this machine itself reaches the address.
fn own_name(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.to_string(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.to_string(),
        ip => ip.to_string(),
    }
}

fn bracketed(host: &str) -> String {
    if host.parse::<Ipv6Addr>().is_ok() { format!("[{host}]") } else { host.to_owned() }
}
