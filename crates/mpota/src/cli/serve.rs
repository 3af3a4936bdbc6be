//! `mpota serve`

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use mpota::board::serve::{self, Https, ServeOptions};
use mpota::release::keys;
use mpota::remote::names::is_project;
use mpota_format::version::Version;
use mpota_serve::{Event, FleetOptions, HaltAt, WriteOptions};

use super::output::{self, Usage};

/// Serve releases on the local network, on the paths that GitHub has.
///
/// DIR is a folder that `mpota build` made, or holds OWNER/REPO/TAG/ASSETS, or, with --repo,
/// TAG/ASSETS. Runs until it is stopped.
///
/// In a browser it shows what it serves, and the lines that a board needs.
///
/// With --write-token-env it also takes releases, as GitHub's API does: `gh release create`,
/// octokit and PyGithub work with it as with a GitHub Enterprise server. The token is read from
/// the environment, so that it shows neither in the list of processes nor in the shell's history.
/// Whoever holds it can delete every release in DIR.
///
/// With --reports it keeps what boards with CONFIG["report"] tell of themselves, and shows it at
/// /fleet, /fleet.json and, for Prometheus, /metrics. Where it listens to other machines,
/// --report-token-env and --fleet-token-env are required. With --halt-at it withholds the rollout
/// file of a version that too many boards came back from. It has no key and cannot sign a halt:
/// `mpota halt` does.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder of releases
    #[arg(default_value = "dist")]
    dir: PathBuf,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The name or address under which boards know this computer
    #[arg(long)]
    host: Option<String>,
    /// Owner and repository, for a folder that does not say
    #[arg(long, value_name = "OWNER/NAME", value_parser = repo)]
    repo: Option<(String, String)>,
    /// Be private: the environment variable that holds the token to ask for
    #[arg(long, value_name = "NAME")]
    token_env: Option<String>,
    /// Take releases: the environment variable that holds the token that may create, change and
    /// delete them
    #[arg(long, value_name = "NAME")]
    write_token_env: Option<String>,
    /// What is published cannot be changed any more, as with GitHub's immutable releases
    #[arg(long, requires = "write_token_env")]
    immutable: bool,
    /// Serve https, with a certificate made on the spot unless one is given
    #[arg(long)]
    https: bool,
    /// Keep the authority of that certificate in this file, so that boards go on trusting it
    #[arg(long, value_name = "FILE", requires = "https", conflicts_with = "cert")]
    ca: Option<PathBuf>,
    /// The certificate chain to use, PEM
    #[arg(long, value_name = "FILE", requires_all = ["https", "key"])]
    cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Call signatures of the keys in this list good on the pages, authorized_keys or allowed_signers.
    /// Can be repeated
    #[arg(long, value_name = "FILE")]
    allowed: Vec<PathBuf>,
    /// Keep what boards report in this database; it is made if it is missing
    #[arg(long, value_name = "FILE", help_heading = "Reports of boards")]
    reports: Option<PathBuf>,
    /// The environment variable that holds the token that boards report with. Other reports are
    /// counted as a stranger's
    #[arg(long, value_name = "NAME", requires = "reports", help_heading = "Reports of boards")]
    report_token_env: Option<String>,
    /// The environment variable that holds the token, or password, for /fleet, /fleet.json and
    /// /metrics
    #[arg(long, value_name = "NAME", requires = "reports", help_heading = "Reports of boards")]
    fleet_token_env: Option<String>,
    /// Withhold the rollout of a version when more than this share of the boards that tried it came
    /// back from it, as in 10%
    #[arg(long, value_name = "PERCENT", value_parser = percent, requires = "reports",
        help_heading = "Reports of boards")]
    halt_at: Option<u8>,
    /// Withhold nothing before so many boards have tried the version
    #[arg(long, value_name = "BOARDS", default_value_t = 5, requires = "halt_at",
        value_parser = clap::value_parser!(u64).range(1..), help_heading = "Reports of boards")]
    halt_after: u64,
    /// Withhold the rollout of this version no longer. Boards that came back until now count no
    /// more. Can be repeated
    #[arg(long, value_name = "VERSION", requires = "reports", help_heading = "Reports of boards")]
    resume: Vec<Version>,
    /// Keep at most so many boards
    #[arg(
        long,
        value_name = "BOARDS",
        default_value_t = 100_000,
        requires = "reports",
        help_heading = "Reports of boards"
    )]
    most_boards: usize,
    /// Take at most so many boards an hour that are not known yet from one address, or from one /64
    /// network of IPv6. A board that is known always may report
    #[arg(
        long,
        value_name = "BOARDS",
        default_value_t = 256,
        requires = "reports",
        help_heading = "Reports of boards"
    )]
    most_new: u32,
    /// Do not print requests
    #[arg(short, long)]
    quiet: bool,
}

pub(super) fn repo(text: &str) -> Result<(String, String), String> {
    let (owner, name) = text.split_once('/').ok_or("it is not of the form OWNER/NAME")?;
    if is_project(text) {
        Ok((owner.to_owned(), name.to_owned()))
    } else {
        Err("it is not of the form OWNER/NAME".to_owned())
    }
}

fn percent(text: &str) -> Result<u8, String> {
    let share = super::share::percent(text).ok();
    share.filter(|percent| *percent < 100).ok_or_else(|| "it is not a share of 0% to 99%".to_owned())
}

impl Args {
    fn fleet(&self) -> Result<Option<FleetOptions>, Usage> {
        let Some(file) = &self.reports else { return Ok(None) };
        Ok(Some(FleetOptions {
            report_token: token("--report-token-env", self.report_token_env.as_deref())?,
            view_token: token("--fleet-token-env", self.fleet_token_env.as_deref())?,
            halt: self.halt_at.map(|percent| HaltAt { percent, boards: self.halt_after }),
            resume: self.resume.iter().map(ToString::to_string).collect(),
            boards: self.most_boards,
            new_per_hour: self.most_new,
            ..FleetOptions::new(mpota::files::expand_home(file))
        }))
    }
}

pub fn run(args: &Args) -> miette::Result<()> {
    let https = match (args.https, &args.ca, args.cert.clone().zip(args.key.clone())) {
        (false, ..) => Https::No,
        (true, _, Some((certificate, key))) => Https::Given { certificate, key },
        (true, Some(path), None) => Https::Kept(path.clone()),
        (true, None, None) => Https::OnTheSpot,
    };
    let mut trusted = Vec::new();
    for path in &args.allowed {
        trusted.extend(keys::load_public(&mpota::files::expand_home(path))?);
    }
    let server = serve::start(&ServeOptions {
        root: args.dir.clone(),
        listen: args.listen,
        host: args.host.clone(),
        repo: args.repo.clone(),
        token: token("--token-env", args.token_env.as_deref())?,
        write: token("--write-token-env", args.write_token_env.as_deref())?
            .map(|secret| WriteOptions { immutable: args.immutable, ..WriteOptions::new(secret) }),
        trusted,
        fleet: args.fleet()?,
        https,
        log: Some(Arc::new(log(args.quiet))),
    })?;
    for release in server.releases() {
        let latest = if release.latest { " (latest)" } else { "" };
        output::note(format_args!("serving {}/{} {}{latest}", release.owner, release.repo, release.tag));
    }
    if server.releases().is_empty() {
        output::warning("serve::empty", format_args!("no release in {}", args.dir.display()));
    }
    for hint in hints(args.listen.ip(), args.host.is_some(), args.token_env.is_some() && !args.https) {
        output::hint(hint);
    }
    match &args.ca {
        Some(path) => output::note(format_args!(
            "copy {} into the board's folder ota_ca",
            serve::board_certificate(path).display()
        )),
        None if args.https && args.cert.is_none() => {
            output::hint(
                "the certificate is for this run only: --ca FILE keeps it, and writes what a board must trust",
            );
        }
        None => {}
    }
    if args.reports.is_some() {
        output::note(format_args!("the fleet is shown at {}/fleet", server.base_url()));
    }
    for line in config_lines(args, &server) {
        output::data(line);
    }
    loop {
        std::thread::park();
    }
}

fn config_lines(args: &Args, server: &mpota_serve::Server) -> Vec<String> {
    let mut lines = serve::config_lines(server, args.token_env.is_some());
    if args.reports.is_some() {
        lines.push("CONFIG[\"report\"] = True".to_owned());
    }
    if args.report_token_env.is_some() {
        lines.push("CONFIG[\"headers\"] = {\"Authorization\": \"Bearer ...\"}".to_owned());
    }
    lines
}

/// What somebody who wants boards to reach the server may have overlooked.
fn hints(listen: IpAddr, named: bool, token_over_http: bool) -> Vec<&'static str> {
    let mut hints = Vec::new();
    if listen.is_loopback() {
        hints.push(
            "only this computer reaches it: --listen 0.0.0.0:8080 --host ADDRESS lets boards in, \
             ADDRESS being this computer's in their network",
        );
    } else if listen.is_unspecified() && !named {
        hints.push(
            "CONFIG[\"base_url\"] has to have this computer's address in the boards' network: \
             --host ADDRESS names it",
        );
    }
    if token_over_http {
        hints.push(
            "boards send a token over http only with CONFIG[\"insecure_token_over_http\"]: \
             better serve with --https --ca FILE",
        );
    }
    hints
}

fn token(option: &str, variable: Option<&str>) -> Result<Option<String>, Usage> {
    let Some(name) = variable else { return Ok(None) };
    match std::env::var(name) {
        Ok(token) if !token.is_empty() => Ok(Some(token)),
        _ => Err(Usage::new(
            "usage::token_variable",
            format!("the environment variable {name} holds no token"),
            format!("set it, as in {name}=... mpota serve {option} {name}"),
        )),
    }
}

fn log(quiet: bool) -> impl Fn(&Event) {
    move |event| match event {
        Event::Request(request) if !quiet => output::note(format_args!(
            "{} {} {} {} bytes",
            request.status, request.method, request.path, request.bytes_sent
        )),
        Event::Halted { project, version, tried, back } => {
            output::warning(
                "serve::halted",
                format_args!(
                    "the rollout of {version} of {project} is withheld: {back} of the {tried} boards that tried it came back"
                ),
            );
            output::hint(
                "`mpota halt VERSION` signs a halt that boards see everywhere; --resume VERSION at the next start lifts this one",
            );
        }
        Event::Problem(text) => output::warning("serve::problem", text),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::hints;
    use std::net::{Ipv4Addr, Ipv6Addr};

    #[test]
    fn a_server_that_boards_cannot_use_as_printed_says_so() {
        let said = |listen, named, token| {
            hints(listen, named, token).iter().map(|h| h.split(' ').next().unwrap_or_default()).collect()
        };
        let cases: [(_, _, _, Vec<&str>); 7] = [
            (Ipv4Addr::LOCALHOST.into(), false, false, vec!["only"]),
            (Ipv6Addr::LOCALHOST.into(), true, true, vec!["only", "boards"]),
            (Ipv4Addr::UNSPECIFIED.into(), false, false, vec!["CONFIG[\"base_url\"]"]),
            (Ipv6Addr::UNSPECIFIED.into(), false, true, vec!["CONFIG[\"base_url\"]", "boards"]),
            (Ipv4Addr::UNSPECIFIED.into(), true, false, vec![]),
            (Ipv4Addr::new(192, 168, 1, 5).into(), false, false, vec![]),
            (Ipv4Addr::new(192, 168, 1, 5).into(), false, true, vec!["boards"]),
        ];
        for (listen, named, token, expected) in &cases {
            let said: Vec<&str> = said(*listen, *named, *token);
            assert_eq!(said, *expected, "{listen} {named} {token}");
        }
        println!("  cases {}: hints", cases.len());
    }
}
