//! https, with certificates made on the spot, kept or given.
#![allow(missing_docs, clippy::unwrap_used)]

mod support;

use std::time::{Duration, SystemTime};

use mpota_serve::{Authority, Error, Options, Server, Tls};
use support::{Folder, agent, agent_trusting, bytes, get_by, header, pack, text};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn serve(folder: &Folder, tls: Tls) -> Server {
    let options = Options { tls, ..folder.options() };
    Server::start(options).unwrap()
}

fn self_signed() -> Tls {
    Tls::SelfSigned { names: vec![] }
}

fn latest(server: &Server) -> String {
    let base = server.base_url();
    format!("{base}/octo/weather/releases/latest/download/weather.pack")
}

#[test]
fn its_own_authority_vouches_for_both_hosts() {
    let folder = Folder::with_releases();
    let server = serve(&folder, self_signed());
    assert!(server.base_url().starts_with("https://127.0.0.1:"));
    assert!(server.asset_url().starts_with("https://localhost:"));
    let agent = agent_trusting(server.certificate_der().unwrap());
    let first = get_by(&agent, &latest(&server), &[]);
    let second = get_by(&agent, header(&first, "location"), &[]);
    let storage = header(&second, "location").to_owned();
    assert!(storage.starts_with(server.asset_url()));
    assert_eq!(bytes(get_by(&agent, &storage, &[])), pack("v1.11.0"));
    let log = server.requests();
    assert_eq!(log.len(), 3);
    assert!(log.iter().all(|request| request.tls));
    assert_eq!(server.connections(), 2, "one to each host");
}

#[test]
fn who_does_not_trust_the_authority_does_not_connect() {
    let folder = Folder::with_releases();
    let server = serve(&folder, self_signed());
    let other = serve(&folder, self_signed());
    assert!(agent().get(latest(&server)).call().is_err());
    let wrong = agent_trusting(other.certificate_der().unwrap());
    assert!(wrong.get(latest(&server)).call().is_err());
    assert!(server.requests().is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_in_the_certificate_is_refused_and_can_be_added() {
    let folder = Folder::with_releases();
    // 127.0.0.1 is in every certificate, 127.0.0.2 leads to the same machine.
    let reach = |server: &Server| {
        let agent = agent_trusting(server.certificate_der().unwrap());
        let url = latest(server).replace("127.0.0.1", "127.0.0.2");
        agent.get(url).call()
    };
    let on_all_addresses = |names: Vec<String>| {
        let options = Options {
            listen: "0.0.0.0:0".parse().unwrap(),
            tls: Tls::SelfSigned { names },
            ..folder.options()
        };
        Server::start(options).unwrap()
    };
    let error = reach(&on_all_addresses(vec![])).unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
    assert_eq!(reach(&on_all_addresses(vec!["127.0.0.2".into()])).unwrap().status(), 302);
}

#[test]
fn a_kept_authority_is_trusted_after_a_restart() {
    let folder = Folder::with_releases();
    let pem = Authority::generate().unwrap().to_pem();
    let start = || {
        let authority = Authority::from_pem(&pem).unwrap();
        serve(&folder, Tls::Authority { authority, names: vec![] })
    };
    let first = start();
    let trusted = first.certificate_der().unwrap().to_vec();
    let agent = agent_trusting(&trusted);
    for server in [first, start()] {
        assert_eq!(server.certificate_der().unwrap(), trusted);
        assert_eq!(get_by(&agent, &latest(&server), &[]).status(), 302);
    }
}

#[test]
fn a_given_certificate_is_used_as_it_is() {
    let folder = Folder::with_releases();
    let authority = Authority::generate().unwrap();
    let now = SystemTime::now();
    let names = ["127.0.0.1".to_owned()];
    let agent = agent_trusting(authority.certificate_der());
    let given = |until| {
        let leaf = authority.issue(&names, now - DAY * 2, until).unwrap();
        let tls =
            Tls::Given { cert_pem: leaf.cert_pem + &authority.certificate_pem(), key_pem: leaf.key_pem };
        serve(&folder, tls)
    };
    let good = given(now + DAY);
    assert_eq!(good.certificate_der().unwrap(), authority.certificate_der());
    assert_eq!(get_by(&agent, &latest(&good), &[]).status(), 302);
    let expired = given(now - DAY);
    let error = agent.get(latest(&expired)).call().unwrap_err().to_string();
    assert!(error.to_lowercase().contains("expired"), "{error}");
}

#[test]
fn the_storage_host_may_have_other_tls_than_the_rest() {
    let folder = Folder::with_releases();
    let options = Options { tls: self_signed(), asset_tls: Some(Tls::None), ..folder.options() };
    let server = Server::start(options).unwrap();
    assert!(server.asset_url().starts_with("http://"));
    let agent = agent_trusting(server.certificate_der().unwrap());
    let url = format!("{}/octo/weather/releases/download/v1.6.0/manifest.json", server.base_url());
    let response = get_by(&agent, &url, &[]);
    let content = get_by(&agent, header(&response, "location"), &[]);
    assert_eq!(text(content), "manifest of v1.6.0\n");
}

#[test]
fn a_certificate_that_cannot_be_used_is_an_error() {
    let folder = Folder::with_releases();
    let authority = Authority::generate().unwrap();
    let now = SystemTime::now();
    let issue = || authority.issue(&["x".to_owned()], now, now + DAY).unwrap();
    let (one, other) = (issue(), issue());
    let cases = [
        ("".to_owned(), one.key_pem.clone()),
        ("nonsense".to_owned(), one.key_pem.clone()),
        (one.cert_pem.clone(), String::new()),
        (one.cert_pem.clone(), other.key_pem),
    ];
    for (cert_pem, key_pem) in cases {
        let options = Options { tls: Tls::Given { cert_pem, key_pem }, ..folder.options() };
        let error = Server::start(options).unwrap_err();
        assert!(matches!(error, Error::Certificate(_) | Error::Tls(_)), "{error}");
    }
    assert!(Authority::from_pem("nonsense").is_err());
    assert!(Authority::from_pem(&authority.certificate_pem()).is_err());
}

#[test]
fn plain_http_has_no_certificate() {
    let folder = Folder::with_releases();
    let server = folder.serve();
    assert!(server.certificate_der().is_none() && server.certificate_pem().is_none());
}

#[test]
fn a_client_that_never_finishes_its_handshake_is_dropped() {
    use std::io::Read;

    let folder = Folder::with_releases();
    let options = Options {
        tls: self_signed(),
        limits: mpota_serve::Limits { header_timeout: Duration::from_millis(400), ..Default::default() },
        ..folder.options()
    };
    let server = Server::start(options).unwrap();
    let mut socket = std::net::TcpStream::connect(server.address()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    assert_eq!(socket.read(&mut [0]).unwrap(), 0);
}
