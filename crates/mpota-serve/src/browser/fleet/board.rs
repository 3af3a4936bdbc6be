//! One board, and its history.

use axum::response::Response;
use hyper::StatusCode;
use maud::{Markup, html};

use super::super::layout::{self, moment};
use super::super::text::{Shown, size};
use super::super::{not_found, respond};
use super::table::{ago, back, state};
use crate::app::App;
use crate::catalog::release::timestamp_of;
use crate::fleet::record::{Board, Change};
use crate::fleet::{Fleet, now};

/// `/fleet?board=ID`
pub(crate) fn board(app: &App, fleet: &Fleet, id: &str, history: &[Change]) -> Response {
    let Some(board) = fleet.state().board(id).cloned() else { return not_found(app) };
    let main = html! {
        nav.trail aria-label="Breadcrumb" {
            ol { li { a href="/fleet" { "Fleet" } } li aria-current="page" { (Shown(id)) } }
        }
        h1 { "Board " (Shown(id)) }
        (facts(&board))
        (changes(history))
    };
    respond(StatusCode::OK, &[], &layout::whole(&format!("Board {id}"), &main, false))
}

fn facts(board: &Board) -> Markup {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "not said".to_owned());
    let bytes = |bytes: Option<u64>| bytes.map_or_else(|| "not said".to_owned(), size);
    let rows = [
        ("Project", board.project.clone()),
        ("Board", text(&board.board)),
        ("MicroPython", text(&board.micropython)),
        ("Free flash", bytes(board.flash)),
        ("Free memory", bytes(board.memory)),
        ("Starts in the trial", board.boots.map_or_else(|| "not said".to_owned(), |boots| boots.to_string())),
    ];
    html! {
        dl {
            dt { "Version" }
            dd { (Shown(&text(&board.version))) (back(board)) }
            dt { "State" }
            dd { (state(board)) }
            dt { "Heard last" }
            dd { (moment(&timestamp_of(board.last_seen))) " (" (ago(board.last_seen, now())) ")" }
            dt { "Heard first" }
            dd { (moment(&timestamp_of(board.first_seen))) }
            @for (name, value) in &rows { dt { (name) } dd { (Shown(value)) } }
        }
    }
}

fn changes(history: &[Change]) -> Markup {
    html! {
        h2 { "History" }
        @if history.is_empty() {
            p { "There is none." }
        } @else {
            table {
                caption { "The last changes, the newest first" }
                thead { tr { th scope="col" { "When" } th scope="col" { "Version" } th scope="col" { "Came back from" } } }
                tbody {
                    @for change in history.iter().rev() {
                        tr {
                            th scope="row" { (moment(&timestamp_of(change.at))) }
                            td { (Shown(change.version.as_deref().unwrap_or("not said"))) }
                            td {
                                @if let Some(bad) = change.bad.as_ref().filter(|bad| change.version.as_ref() != Some(bad)) {
                                    span.bad { (Shown(bad)) }
                                    @if let Some(why) = &change.why { ": " (Shown(why)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
