//! `/fleet`: the boards that report, for people. The page is whole without its script, which only asks for it again.

mod board;
mod table;

use std::sync::LazyLock;

use axum::response::Response;
use hyper::StatusCode;
use hyper::header::{CONTENT_SECURITY_POLICY, ETAG, WWW_AUTHENTICATE};
use maud::{Markup, html};

pub(crate) use board::board;

use super::layout::{self, moment};
use super::respond;
use super::text::Shown;
use crate::catalog::release::timestamp_of;
use crate::fleet::overview::{Overview, Row};
use crate::fleet::query::Query;
use crate::fleet::record::{Halt, Release};
use crate::fleet::{Fleet, now};

const SCRIPT: &str = include_str!("live.js");
/// Boards on one page.
const PER_PAGE: usize = 200;
/// Versions in the table of versions.
const MOST_VERSIONS: usize = 50;

/// What other pages have, this one script, and what it may ask: this server.
static POLICY: LazyLock<String> = LazyLock::new(|| layout::policy(Some(SCRIPT)));

/// The page with the table.
pub(crate) fn list(fleet: &Fleet, query: &str, mark: String) -> Response {
    let query = Query { per_page: PER_PAGE, ..Query::read(query, PER_PAGE) };
    let now = now();
    let state = fleet.state();
    let overview = Overview::of(&state, now);
    let (boards, matching) = query.select(&state);
    let halted: Vec<_> = state.halted().collect();
    let main = html! {
        h1 { "Fleet" }
        p #pulse.warn role="status" {}
        section #figures data-live {
            @for (release, halt) in halted { (notice(release, halt)) }
            (figures(fleet, &overview))
            (versions(&overview))
        }
        h2 { "Boards" }
        (filter(&query, &overview))
        section #boards data-live { (table::table(&boards, matching, &query, now)) }
    };
    let page = layout::scripted("Fleet", &main, SCRIPT);
    respond(StatusCode::OK, &[(CONTENT_SECURITY_POLICY, POLICY.clone()), (ETAG, mark)], &page)
}

/// Asks for the token of the fleet.
pub(crate) fn login(challenge: &str) -> Response {
    let main = html! {
        h1 { "A token is needed" }
        p { "Enter any user name, and the token of the fleet as the password." }
        p { a href="/fleet" { "Try again" } }
    };
    let headers = [(WWW_AUTHENTICATE, challenge.to_owned())];
    respond(StatusCode::UNAUTHORIZED, &headers, &layout::whole("A token is needed", &main, false))
}

/// To who has come here under another name than this machine's own.
pub(crate) fn elsewhere() -> Response {
    let main = html! {
        h1 { "Not under this name" }
        p { "Without " code { "--fleet-token-env" } " the fleet is shown at " code { "http://localhost" } " only." }
    };
    respond(StatusCode::FORBIDDEN, &[], &layout::whole("Not under this name", &main, false))
}

fn notice(release: &Release, halt: &Halt) -> Markup {
    let Release { project, version } = release;
    html! {
        div.notice {
            p {
                strong.bad { "The rollout of " bdi { (Shown(version)) } " of " bdi { (Shown(project)) } " is withheld" }
                " since " (moment(&timestamp_of(halt.at))) ": " (halt.tally.back) " of the " (halt.tally.tried)
                " boards that tried it came back. No other board takes it."
            }
            p {
                "To stop it for good, sign a halt with " code { "mpota halt " (Shown(version)) }
                ". To go on with it, start the server with " code { "--resume " (Shown(version)) } "."
            }
        }
    }
}

fn figures(fleet: &Fleet, all: &Overview) -> Markup {
    let strange: u64 =
        fleet.counts.all().iter().filter(|(outcome, ..)| *outcome != "kept").map(|(.., n)| n).sum();
    html! {
        dl {
            dt { "Boards" }
            dd { (all.boards) ", " (all.seen_in_hour) " heard in the last hour, " (all.seen_in_day) " in the last day" }
            dt { "State" }
            dd {
                @for (place, (state, boards)) in all.states.iter().take(12).enumerate() {
                    @if place > 0 { ", " }
                    (boards) " " (Shown(state))
                }
                @if all.states.is_empty() { "no board has said" }
            }
            dt { "Came back" }
            dd {
                @if all.back == 0 { "none" }
                @else { a.bad href="/fleet?back=1" { (all.back) " boards" } ", from a version that did not work on them" }
            }
            @if strange > 0 {
                dt { "Not counted" }
                dd.warn { (strange) " reports: " (why_not(fleet)) }
            }
        }
    }
}

/// What became of the reports that were not kept.
fn why_not(fleet: &Fleet) -> String {
    let say = |outcome: &str, code: Option<&str>| match (outcome, code) {
        ("stranger", _) => "without the token".to_owned(),
        ("elsewhere", _) => "of no project here".to_owned(),
        ("full", _) => "of more boards than may be".to_owned(),
        ("too-many-new", _) => "of too many new boards by one sender in an hour".to_owned(),
        ("failed", _) => "that the disk did not take".to_owned(),
        (_, code) => format!("not of the form ({})", code.unwrap_or_default()),
    };
    let counts = fleet.counts.all();
    let counts = counts.iter().filter(|(outcome, _, count)| *outcome != "kept" && *count > 0);
    let said: Vec<_> =
        counts.map(|(outcome, code, count)| format!("{count} {}", say(outcome, *code))).collect();
    said.join(", ")
}

fn versions(all: &Overview) -> Markup {
    if all.versions.is_empty() {
        return html! { p { "No board has reported a version yet." } };
    }
    let share = |row: &Row| match row.tally.tried {
        0 => String::new(),
        tried => format!(" ({} %)", row.tally.back * 100 / tried),
    };
    let to = |release: &Release| {
        let query = Query {
            project: release.project.clone(),
            version: release.version.clone(),
            ..Query::read("", PER_PAGE)
        };
        format!("/fleet?{}", query.write())
    };
    html! {
        h2 { "Versions" }
        table {
            caption { "Boards that have a version, have ever reported to have tried it, and came back from it" }
            thead {
                tr {
                    th scope="col" { "Version" }
                    th.number scope="col" { "Have it" }
                    th.number scope="col" { "Tried it" }
                    th.number scope="col" { "Came back" }
                }
            }
            tbody {
                @for (release, row) in all.versions.iter().take(MOST_VERSIONS) {
                    tr {
                        th scope="row" {
                            a href=(to(release)) { bdi { (Shown(&release.version)) } }
                            @if row.halted { " " span.tag.bad { "withheld" } }
                            @if all.projects().len() > 1 { br; span.dim { (Shown(&release.project)) } }
                        }
                        td.number { (row.installed) }
                        td.number { (row.tally.tried) }
                        td.number { span.bad[row.tally.back > 0] { (row.tally.back) (share(row)) } }
                    }
                }
            }
        }
        @if all.versions.len() > MOST_VERSIONS {
            p { "And " (all.versions.len() - MOST_VERSIONS) " more: " a href="/fleet.json" { "fleet.json" } " has all." }
        }
    }
}

fn filter(query: &Query, all: &Overview) -> Markup {
    let order = if query.descending { "desc" } else { "asc" };
    let versions: std::collections::BTreeSet<&str> =
        all.versions.iter().take(MOST_VERSIONS).map(|(release, _)| release.version.as_str()).collect();
    let choice = |value: &str, chosen: &str| {
        html! {
            option value=(Shown(value)) selected[value == chosen] { (Shown(value)) }
        }
    };
    html! {
        form.filter method="get" action="/fleet" {
            input type="hidden" name="sort" value=(query.sort.word());
            input type="hidden" name="order" value=(order);
            @if !query.project.is_empty() { input type="hidden" name="project" value=(Shown(&query.project)); }
            label { "Text " input type="search" name="q" maxlength="100" value=(Shown(&query.text)); }
            label {
                "Version "
                select name="version" {
                    option value="" { "all" }
                    @if !query.version.is_empty() && !versions.contains(&*query.version) {
                        (choice(&query.version, &query.version))
                    }
                    @for version in &versions { (choice(version, &query.version)) }
                }
            }
            label {
                "State "
                select name="state" {
                    option value="" { "all" }
                    @for state in all.states.keys().take(20) { (choice(state, &query.state)) }
                }
            }
            label { input type="checkbox" name="back" value="1" checked[query.back]; " came back" }
            button type="submit" { "Show" }
        }
    }
}
