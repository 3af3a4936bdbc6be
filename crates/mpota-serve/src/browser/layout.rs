//! What every page has around it. Nothing is loaded from anywhere, the style stands in the page itself, and the policy
//! lets a browser take that one style, and a script on no page but one.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use ring::digest::{SHA256, digest};

use super::text::Shown;

const STYLE: &str = include_str!("style.css");
/// Without an icon in the page browsers ask for one.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
    %3Crect width='16' height='16' rx='3' fill='%230b5cad'/%3E\
    %3Cpath d='M8 12V5M5 8l3-3 3 3' stroke='%23fff' stroke-width='2' fill='none'/%3E%3C/svg%3E";

/// The policy of all pages but one.
pub(crate) static POLICY: LazyLock<String> = LazyLock::new(|| policy(None));

/// Nothing but the style of this very text, and the icon. With a script: that one too, and it may ask this server.
pub(crate) fn policy(script: Option<&str>) -> String {
    let hash = |text: &str| STANDARD.encode(digest(&SHA256, text.as_bytes()));
    let (more, forms) = match script {
        Some(script) => (format!("script-src 'sha256-{}'; connect-src 'self'; ", hash(script)), "'self'"),
        None => (String::new(), "'none'"),
    };
    format!(
        "default-src 'none'; style-src 'sha256-{}'; {more}img-src data:; base-uri 'none'; form-action {forms}; \
         frame-ancestors 'none'",
        hash(STYLE)
    )
}

/// A whole page.
pub(crate) fn whole(title: &str, main: &Markup, login: bool) -> Markup {
    page(title, main, login, None)
}

/// A whole page with a script.
pub(crate) fn scripted(title: &str, main: &Markup, script: &str) -> Markup {
    page(title, main, false, Some(script))
}

fn page(title: &str, main: &Markup, login: bool, script: Option<&str>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (Shown(title)) " · mpota" }
                link rel="icon" href=(ICON);
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header {
                    nav aria-label="Site" {
                        a href="/" { "mpota" }
                        @if login { a href="/login" { "Log in" } }
                    }
                }
                main #main tabindex="-1" { (main) }
                footer { p { "Served by " code { "mpota serve" } " " (env!("CARGO_PKG_VERSION")) } }
                @if let Some(script) = script { script { (PreEscaped(script)) } }
            }
        }
    }
}

/// The way from the front page to here.
pub(crate) fn trail(steps: &[(&str, &str)], here: &str) -> Markup {
    html! {
        nav.trail aria-label="Breadcrumb" {
            ol {
                li { a href="/" { "Projects" } }
                @for (name, href) in steps { li { a href=(href) { bdi { (Shown(name)) } } } }
                li aria-current="page" { bdi { (Shown(here)) } }
            }
        }
    }
}

/// The day of it, for tables.
pub(crate) fn day(text: &str) -> Markup {
    html! { time datetime=(Shown(text)) { (Shown(text.get(..10).unwrap_or(text))) } }
}

/// A moment, as a machine writes it and as people read it.
pub(crate) fn moment(text: &str) -> Markup {
    let short = text.get(..16).map(|short| short.replace('T', " ") + " UTC");
    // Only what ends in Z is UTC; `release.json` may have other offsets.
    let shown = short.filter(|_| text.ends_with('Z')).unwrap_or_else(|| text.to_owned());
    html! { time datetime=(Shown(text)) { (Shown(&shown)) } }
}
