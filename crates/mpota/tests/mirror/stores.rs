//! Real servers to mirror to, and to read mirrors from. Those of objects check signatures.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use hyper_util::rt::TokioIo;
use mpota_vboard::clients;
use mpota_vboard::servers::Programs;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s::{S3Result, s3_error};
use s3s_fs::FileSystem;
use tempfile::TempDir;

pub const KEY: &str = "mirror";
pub const SECRET: &str = "c2VjcmV0IG9mIHRoZSBtaXJyb3IgdGVzdHM=";
pub const BUCKET: &str = "releases";
/// A server that was forgotten ends by itself.
const LIFE: &str = "600";

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A server in a process of its own; ended when dropped.
pub struct Running {
    pub address: SocketAddr,
    child: Child,
    _home: TempDir,
}

impl Running {
    fn start(command: &Command, address: SocketAddr, home: TempDir) -> Self {
        let said = fs::File::create(home.path().join("said")).unwrap();
        // `timeout` ends what it starts, and hands on the signal that ends itself.
        let mut bounded = Command::new("timeout");
        bounded.args(["--kill-after=5", LIFE]).arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            bounded.env(name, value.unwrap_or_default());
        }
        let child =
            bounded.stdin(Stdio::null()).stdout(said.try_clone().unwrap()).stderr(said).spawn().unwrap();
        let mut running = Self { address, child, _home: home };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            let text = fs::read_to_string(running._home.path().join("said")).unwrap();
            let starting =
                begun.elapsed() < Duration::from_secs(60) && running.child.try_wait().unwrap().is_none();
            assert!(starting, "{:?} does not start: {text}", command.get_program());
            std::thread::sleep(Duration::from_millis(50));
        }
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// Everybody reads, as from a public bucket; only who signs may list and write.
struct PublicRead;

#[async_trait::async_trait]
impl S3Access for PublicRead {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let reads = ["GetObject", "HeadObject"].contains(&context.s3_op().name());
        match context.credentials() {
            None if !reads => Err(s3_error!(AccessDenied, "only reading is public")),
            _ => Ok(()),
        }
    }
}

/// s3s-fs in this process: objects are files below `root`.
pub struct S3 {
    pub address: SocketAddr,
    pub root: TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl S3 {
    pub fn start() -> Self {
        let root = TempDir::new().unwrap();
        fs::create_dir(root.path().join(BUCKET)).unwrap();
        let service = {
            let mut builder = S3ServiceBuilder::new(FileSystem::new(root.path()).unwrap());
            builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
            builder.set_access(PublicRead);
            builder.build()
        };
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let connection = hyper::server::conn::http1::Builder::new();
                    let _ = connection.serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { address, root, _runtime: runtime }
    }

    /// Where the objects lie as files.
    pub fn objects(&self) -> PathBuf {
        self.root.path().join(BUCKET)
    }
}

/// What a mirror is told of an S3 server at this address.
pub fn s3_environment(command: &mut Command, address: SocketAddr) {
    command.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_REGION", "us-east-1");
    command.env("AWS_ENDPOINT", format!("http://{address}")).env("AWS_ALLOW_HTTP", "true");
}

/// `rclone serve`.
pub fn rclone(what: &str, folder: &Path) -> Running {
    let key = format!("{KEY},{SECRET}");
    let s3 = ["--auth-key", key.as_str()];
    // It reads a folder once in five minutes otherwise, and gives old answers until then. As an S3 server it hangs with
    // this, and needs it not: it sees what it has written itself.
    let files = ["--dir-cache-time", "0s"];
    rclone_with(what, folder, if what == "s3" { &s3 } else { &files })
}

pub fn rclone_with(what: &str, folder: &Path, more: &[&str]) -> Running {
    let (address, home) = (free(), TempDir::new().unwrap());
    let mut command = clients::rclone().unwrap();
    command.args(["serve", what, "--config", "/dev/null", "--addr", &address.to_string()]);
    command.args(more).arg(folder);
    Running::start(&command, address, home)
}

/// What nginx does.
pub enum Nginx<'a> {
    /// It gives the files of a folder.
    Folder(&'a Path),
    /// It stands before another server and keeps answers for an hour, unless they say something else.
    Cache(SocketAddr),
    /// It keeps only what is in the folders of versions.
    CacheOfVersions(SocketAddr),
}

pub fn nginx(what: &Nginx<'_>) -> Running {
    let (address, home) = (free(), TempDir::new().unwrap());
    let at = home.path().display();
    let cache = "proxy_cache mirror; proxy_cache_valid 200 1h; proxy_force_ranges on;";
    let inside = match what {
        Nginx::Folder(folder) => format!("root {};", folder.display()),
        Nginx::Cache(server) => format!("proxy_pass http://{server}; {cache}"),
        // With a cache, nginx does not hand on `If-None-Match`: all of what may not be kept would be fetched.
        Nginx::CacheOfVersions(server) => format!(
            "proxy_pass http://{server};\n\
             location ~ \"/releases/download/v?[0-9]\" {{ proxy_pass http://{server}; {cache} }}"
        ),
    };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {at}/{kind};\n"))
        .collect();
    let config = home.path().join("nginx.conf");
    let text = format!(
        "user root;\nworker_processes 1;\ndaemon off;\npid {at}/pid;\nerror_log {at}/errors;\nevents {{}}\n\
         http {{\naccess_log off;\n{temporary}proxy_cache_path {at}/cache keys_zone=mirror:1m;\ntypes {{}}\n\
         default_type application/octet-stream;\nserver {{ listen {address}; location / {{ {inside} }} }}\n}}\n"
    );
    fs::write(&config, text).unwrap();
    let mut command = Programs::find().unwrap().nginx();
    command.arg("-e").arg(home.path().join("errors")).arg("-p").arg(home.path()).arg("-c").arg(&config);
    Running::start(&command, address, home)
}

/// Azurite with one container.
pub struct Azure {
    pub server: Running,
}

fn signature(text: &str) -> String {
    let secret = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, SECRET).unwrap();
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
    base64::Engine::encode(&base64::prelude::BASE64_STANDARD, ring::hmac::sign(&key, text.as_bytes()))
}

impl Azure {
    /// Everybody may read.
    pub fn start() -> Self {
        Self::with_container(&[("x-ms-blob-public-access", "blob")])
    }

    /// Nobody reads without a signature.
    pub fn private() -> Self {
        Self::with_container(&[])
    }

    fn with_container(access: &[(&str, &str)]) -> Self {
        let (address, home) = (free(), TempDir::new().unwrap());
        let mut command = clients::azurite().unwrap();
        command.args(["--blobHost", "127.0.0.1", "--blobPort", &address.port().to_string(), "--silent"]);
        command.args(["--disableTelemetry", "--skipApiVersionCheck", "--inMemoryPersistence"]);
        command.env("AZURITE_ACCOUNTS", format!("{KEY}:{SECRET}"));
        let azure = Self { server: Running::start(&command, address, home) };
        azure.create_container(access);
        azure
    }

    /// As Azure's documents say it is signed: no client of mpota makes containers.
    fn create_container(&self, access: &[(&str, &str)]) {
        let date = httpdate::fmt_http_date(SystemTime::now());
        let headers = [access, &[("x-ms-date", date.as_str()), ("x-ms-version", "2021-08-06")]].concat();
        let signed: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let text = format!("PUT{}{signed}/{KEY}/{KEY}/{BUCKET}\nrestype:container", "\n".repeat(12));
        let signature = signature(&text);
        let mut request = ureq::put(format!("{}/{BUCKET}?restype=container", self.endpoint()));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.header("Authorization", format!("SharedKey {KEY}:{signature}")).send_empty();
        assert_eq!(answer.unwrap().status(), 201);
    }

    /// The query that lets who has it read all objects of the container, a shared access signature. No client of mpota
    /// makes one either: as Azure's page "Create a service SAS" says.
    pub fn read_only(&self) -> String {
        let (until, version) = ("2099-01-01", "2021-08-06");
        let text = format!("r\n\n{until}\n/blob/{KEY}/{BUCKET}\n\n\n\n{version}\nc\n\n\n\n\n\n\n");
        let signature = signature(&text).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        format!("sv={version}&se={until}&sr=c&sp=r&sig={signature}")
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}/{KEY}", self.server.address)
    }

    pub fn environment(&self, command: &mut Command) {
        command.env("AZURE_STORAGE_ACCOUNT_NAME", KEY).env("AZURE_STORAGE_ACCOUNT_KEY", SECRET);
        command.env("AZURE_STORAGE_ENDPOINT", self.endpoint()).env("AZURE_ALLOW_HTTP", "true");
    }
}
