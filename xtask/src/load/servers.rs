//! The folder, both servers, and what they use of the machine.

use anyhow::{Context, Result, bail, ensure};
use mpota_vboard::repository;
use mpota_vboard::servers::Programs;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Releases of `octo/weather`; the last is the latest.
const TAGS: [&str; 3] = ["v1.0.0", "v1.1.0", "v1.2.0"];
/// Bytes of a manifest of 100 files.
const MANIFEST: usize = 17_000;
/// Bytes of a pack.
pub const PACK: usize = 1024 * 1024;
/// A server that was forgotten ends by itself.
const LIFE: &str = "600";
const START: Duration = Duration::from_secs(20);

/// The program, built now: optimized where times are measured.
pub fn build(optimized: bool) -> Result<PathBuf> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(repository()).args(["build", "--quiet", "--package", "mpota"]);
    if optimized {
        cargo.arg("--release");
    }
    ensure!(cargo.status().context("cargo")?.success(), "mpota was not built");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from);
    Ok(target.join(if optimized { "release/mpota" } else { "debug/mpota" }))
}

/// What both serve, and where they keep what is theirs.
pub struct Folder {
    dir: TempDir,
}

impl Folder {
    pub fn new() -> Result<Self> {
        let folder = Self { dir: tempfile::tempdir()? };
        for tag in TAGS {
            let release = folder.releases().join("octo/weather").join(tag);
            fs::create_dir_all(&release)?;
            fs::write(release.join("manifest.json"), "m".repeat(MANIFEST))?;
            let pack: Vec<u8> = (0..PACK).map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[2]).collect();
            fs::write(release.join("weather.pack"), pack)?;
        }
        Ok(folder)
    }

    fn releases(&self) -> PathBuf {
        self.dir.path().join("releases")
    }

    fn own(&self, name: &str) -> Result<PathBuf> {
        let own = self.dir.path().join(name);
        fs::create_dir_all(&own)?;
        Ok(own)
    }
}

/// A server; ended when dropped.
pub struct Running {
    pub name: &'static str,
    pub address: SocketAddr,
    child: Child,
    said: PathBuf,
}

/// `timeout` ends what it starts, and hands on the signal that ends itself.
fn bounded(command: &Command) -> Command {
    let mut bounded = Command::new("timeout");
    bounded.args(["--kill-after=5", LIFE]).arg(command.get_program()).args(command.get_args());
    bounded
}

/// `mpota serve`, which says a line a request, as nginx does. With reports it keeps what boards say of themselves.
pub fn mpota(program: &Path, folder: &Folder, reports: bool) -> Result<Running> {
    let home = folder.own(if reports { "mpota-reports" } else { "mpota" })?;
    let (said, printed) = (home.join("said"), home.join("printed"));
    let mut serve = Command::new(program);
    serve.args(["serve", "--listen", "127.0.0.1:0"]).arg(folder.releases());
    if reports {
        serve.arg("--reports").arg(home.join("reports.db")).args(["--most-new", "1000000"]);
    }
    let mut serve = bounded(&serve);
    let child =
        serve.stdout(File::create(&printed)?).stderr(File::create(&said)?).spawn().context("timeout")?;
    let mut running = Running { name: "mpota", address: (Ipv4Addr::LOCALHOST, 0).into(), child, said };
    let begun = Instant::now();
    running.address = loop {
        let text = fs::read_to_string(&printed)?;
        let line = text.lines().find_map(|line| line.strip_prefix("CONFIG[\"base_url\"] = \"http://"));
        if let Some(address) = line.and_then(|line| line.strip_suffix('"')) {
            break address.parse()?;
        }
        let starting = begun.elapsed() < START && running.alive();
        ensure!(starting, "mpota serve has not started: {}", running.said());
        std::thread::sleep(Duration::from_millis(20));
    };
    Ok(running)
}

/// nginx as Debian has it: a process for each processor, `sendfile`, a log of requests.
pub fn nginx(programs: &Programs, folder: &Folder) -> Result<Running> {
    let home = folder.own("nginx")?;
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let (at, root) = (home.display(), folder.releases().display().to_string());
    let latest = TAGS[TAGS.len() - 1];
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("  {kind}_temp_path {at}/{kind};\n"))
        .collect();
    let text = format!(
        "user root;\nworker_processes auto;\nworker_rlimit_nofile 16384;\ndaemon off;\npid {at}/pid;\n\
         error_log {at}/said;\nevents {{ worker_connections 8192; }}\nhttp {{\n  access_log {at}/access;\n{temporary}\
         \x20 sendfile on;\n  tcp_nopush on;\n  keepalive_requests 100000000;\n  types {{}}\n\
         \x20 default_type application/octet-stream;\n  server {{\n    listen {address} backlog=4096;\n\
         \x20   root {root};\n    absolute_redirect off;\n\
         \x20   location = /octo/weather/releases/latest {{ return 302 /octo/weather/releases/tag/{latest}; }}\n\
         \x20   location ~ ^/octo/weather/releases/latest/download/(.*)$ {{\n\
         \x20     return 302 /octo/weather/releases/download/{latest}/$1;\n    }}\n  }}\n}}\n"
    );
    let config = home.join("nginx.conf");
    fs::write(&config, text)?;
    let said = home.join("said");
    let mut nginx = programs.nginx();
    nginx.arg("-e").arg(&said).arg("-p").arg(&home).arg("-c").arg(&config);
    let child = bounded(&nginx).stdout(Stdio::null()).stderr(Stdio::null()).spawn().context("timeout")?;
    let mut running = Running { name: "nginx", address, child, said };
    let begun = Instant::now();
    while TcpStream::connect(address).is_err() {
        let starting = begun.elapsed() < START && running.alive();
        ensure!(starting, "nginx has not started: {}", running.said());
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(running)
}

impl Running {
    /// What it has complained of: its last lines, without those of requests.
    pub fn said(&self) -> String {
        let text = fs::read_to_string(&self.said).unwrap_or_default();
        let lines: Vec<&str> = text.lines().rev().filter(|line| !line.contains(" GET ")).take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// Whether it has not ended.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What all its processes use.
    pub fn usage(&self) -> Usage {
        processes(self.child.id()).iter().fold(Usage::default(), |sum, id| sum.and(id))
    }

    /// Status, head in small letters, and bytes of the body of one answer.
    pub fn ask(&self, path: &str, header: &str) -> Result<(u16, String, usize)> {
        let mut socket = TcpStream::connect(self.address)?;
        socket.set_read_timeout(Some(Duration::from_secs(20)))?;
        let host = self.address;
        write!(socket, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{header}\r\n")?;
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer)?;
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.with_context(|| format!("{} sent no head for {path}", self.name))?;
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let Some(status) = status else { bail!("{}: {head}", self.name) };
        Ok((status, head, answer.len() - end - 4))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // To `timeout`, which hands it on: this one ends by itself and has nothing to lose.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// What processes use of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Microseconds of processor time, in steps of 10,000.
    pub cpu: u64,
    /// Memory that is in use, in KB; what processes share counts for each.
    pub memory: u64,
    pub threads: u64,
}

impl Usage {
    fn and(self, process: &Process) -> Self {
        let of = |name: &str| fs::read_to_string(format!("/proc/{}/{name}", process.id)).unwrap_or_default();
        let status = of("status");
        let field = |key: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
        };
        // Fields 14 and 15, and the name, the second, may hold spaces. The system counts hundredths of a second.
        let stat = of("stat");
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks: u64 = fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Self {
            cpu: self.cpu + ticks * 10_000,
            memory: self.memory + field("VmRSS:"),
            threads: self.threads + field("Threads:"),
        }
    }
}

struct Process {
    id: u32,
}

/// The descendants of `timeout`: a server and its workers.
fn processes(of: u32) -> Vec<Process> {
    let mut all = Vec::new();
    let children = |id: u32| {
        let path = format!("/proc/{id}/task/{id}/children");
        let text = fs::read_to_string(path).unwrap_or_default();
        text.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<u32>>()
    };
    let mut next = children(of);
    while let Some(id) = next.pop() {
        next.extend(children(id));
        all.push(Process { id });
    }
    all
}
