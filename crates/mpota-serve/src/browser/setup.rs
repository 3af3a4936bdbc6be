//! How a board is pointed at this server.

use maud::{Markup, html};

use super::Site;
use super::text::{Lines, python};
use crate::catalog::Repo;

/// One setting more than server and project.
pub(crate) type Setting<'a> = (&'a str, &'a str);

/// The lines for a board's CONFIG, and what it has to trust.
pub(crate) fn board(site: &Site<'_>, repo: Option<&Repo>, setting: Option<Setting<'_>>) -> Markup {
    let base = site.app.named_base.clone().unwrap_or_else(|| site.app.base(site.cx));
    let mut lines = vec![("base_url", python(&base))];
    if let Some(repo) = repo {
        lines.extend([("owner", python(&repo.owner)), ("repo", python(&repo.name))]);
    }
    lines.extend(setting.map(|(key, value)| (key, python(value))));
    if site.app.access.private {
        lines.push(("token", python("...")));
    }
    let lines: Vec<String> =
        lines.iter().map(|(key, value)| format!("CONFIG[\"{key}\"] = {value}")).collect();
    let lines = lines.join("\n");
    let near = ["localhost", "127.", "[::1]"].iter().any(|host| after_scheme(&base).starts_with(host));
    html! {
        h2 #board { "Point a board at this server" }
        p { "These lines go into " code { "updates.py" } " on the board, after " code { "CONFIG" } "." }
        pre.copy { code { (Lines(&lines)) } }
        @if near {
            p.warn {
                "Only this computer reaches this address. Start the server with "
                code { "--listen 0.0.0.0:8080 --host ADDRESS" }
                ", where ADDRESS is this computer's in the network of the boards."
            }
        }
        @if site.app.access.private {
            p { "The token belongs into " code { "secrets.py" } " on the board, which no release brings." }
            @if base.starts_with("http:") {
                p.warn {
                    "Over http a board sends it only with " code { "CONFIG[\"insecure_token_over_http\"]" }
                    ". Serve with " code { "--https --ca FILE" } " instead."
                }
            }
        }
        @if let Some(fingerprint) = &site.app.trust {
            p {
                "A board has to trust the certificate with this SHA-256 fingerprint. Its file, in DER, goes into the "
                "folder " code { "ota_ca" } " on the board."
            }
            pre.copy { code { (fingerprint) } }
            p { "To see a file's fingerprint: " code { "openssl x509 -inform der -in FILE -noout -fingerprint -sha256" } }
        }
    }
}

fn after_scheme(base: &str) -> &str {
    base.split_once("://").map_or(base, |(_, host)| host)
}
