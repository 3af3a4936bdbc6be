//! Requests a second, asked by wrk with one thread and 32 connections that are kept.

use super::servers::{PACK, Running};
use anyhow::{Context, Result, ensure};
use mpota_vboard::servers::Programs;
use std::time::Duration;

const RANGE: &str = "Range: bytes=4096-8191";

/// What is asked for, of both.
pub struct Target {
    pub key: &'static str,
    pub what: &'static str,
    ours: String,
    theirs: String,
    header: Option<&'static str>,
}

/// What a server gave, all rounds together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rate {
    /// Requests.
    requests: u64,
    /// Seconds.
    seconds: f64,
    /// Microseconds of processor time.
    cpu: u64,
}

impl Rate {
    pub fn per_second(&self) -> f64 {
        self.requests as f64 / self.seconds
    }

    /// Microseconds of processor time a request.
    pub fn cpu(&self) -> f64 {
        self.cpu as f64 / self.requests as f64
    }
}

/// What boards ask for most. Each address is tried before it is measured.
pub fn targets(ours: &Running, nginx: &Running) -> Result<[Target; 4]> {
    // GitHub's way to an asset ends at the storage host, at an address that is signed.
    let stored = |name: &str| -> Result<String> {
        let (_, head, _) = ours.ask(&format!("/octo/weather/releases/download/v1.2.0/{name}"), "")?;
        let to = head.lines().find_map(|line| line.strip_prefix("location: http://"));
        let to = to.and_then(|to| to.split_once('/')).with_context(|| format!("no redirect: {head}"))?;
        Ok(format!("/{}", to.1))
    };
    let file = |name: &str| format!("/octo/weather/v1.2.0/{name}");
    let latest = || "/octo/weather/releases/latest/download/weather.pack".to_owned();
    let (manifest, pack) = ("manifest.json", "weather.pack");
    let target = |key, what, ours, theirs, header| Target { key, what, ours, theirs, header };
    let targets = [
        target("redirect", "redirect to the latest release", latest(), latest(), None),
        target("manifest", "manifest of 17 KB", stored(manifest)?, file(manifest), None),
        target("range", "range of 4 KB", stored(pack)?, file(pack), Some(RANGE)),
        target("pack", "pack of 1 MB", stored(pack)?, file(pack), None),
    ];
    let expected = [(302, None), (200, Some(17_000)), (206, Some(4_096)), (200, Some(PACK))];
    for (target, (status, bytes)) in targets.iter().zip(expected) {
        for (server, path) in [(ours, &target.ours), (nginx, &target.theirs)] {
            let header = target.header.map(|header| format!("{header}\r\n")).unwrap_or_default();
            let (got, head, length) = server.ask(path, &header)?;
            let fits = got == status && bytes.is_none_or(|bytes| bytes == length);
            ensure!(fits, "{}, {}: {length} bytes after {head}", server.name, target.key);
        }
    }
    Ok(targets)
}

/// Ask both in turns.
pub fn compare(
    programs: &Programs,
    target: &Target,
    ours: &Running,
    nginx: &Running,
    rounds: u32,
    time: Duration,
) -> Result<[Rate; 2]> {
    let mut rates = [Rate::default(); 2];
    for _ in 0..rounds {
        for (rate, (server, path)) in rates.iter_mut().zip([(ours, &target.ours), (nginx, &target.theirs)]) {
            measure(programs, target, server, path, time, rate)?;
        }
    }
    Ok(rates)
}

fn measure(
    programs: &Programs,
    target: &Target,
    server: &Running,
    path: &str,
    time: Duration,
    rate: &mut Rate,
) -> Result<()> {
    let mut wrk = programs.wrk();
    wrk.args(["-t1", "-c32", &format!("-d{}s", time.as_secs())]);
    if let Some(header) = target.header {
        wrk.args(["-H", header]);
    }
    wrk.arg(format!("http://{}{path}", server.address));
    let before = server.usage().cpu;
    let output = wrk.output().context("wrk")?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let whole = output.status.success() && !said.contains("Non-2xx") && !said.contains("Socket errors");
    ensure!(whole, "{}, {}: {said}{}", server.name, target.key, String::from_utf8_lossy(&output.stderr));
    // "  12345 requests in 2.01s, 3.21MB read" and "Requests/sec:   6172.50"
    let number = |line: Option<&str>| line.and_then(|line| line.trim().parse::<f64>().ok());
    let requests = number(said.lines().find_map(|line| Some(line.split_once(" requests in ")?.0)));
    let per_second = number(said.lines().find_map(|line| line.strip_prefix("Requests/sec:")));
    let (requests, per_second) = requests.zip(per_second).with_context(|| format!("wrk said {said}"))?;
    ensure!(requests > 0.0, "{} answered nothing for {}", server.name, target.key);
    rate.requests += requests as u64;
    rate.seconds += requests / per_second;
    rate.cpu += server.usage().cpu - before;
    Ok(())
}
