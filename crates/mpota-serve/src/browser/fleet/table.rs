//! The table of boards.

use maud::{Markup, html};

use super::super::text::{Shown, size};
use crate::catalog::release::timestamp_of;
use crate::fleet::query::{Query, Sort};
use crate::fleet::record::Board;

/// The boards of one page, and the way to the others.
pub(super) fn table(boards: &[(&str, &Board)], matching: usize, query: &Query, now: u64) -> Markup {
    let pages = matching.div_ceil(query.per_page);
    let to = |page: usize| format!("/fleet?{}", Query { page, ..query.clone() }.write());
    html! {
        @if matching == 0 {
            p { "No board is like that." }
        } @else {
            table.boards {
                caption {
                    (matching) @if matching == 1 { " board" } @else { " boards" }
                    @if pages > 1 { ", page " (query.page) " of " (pages) }
                }
                thead {
                    tr {
                        (head(query, Sort::Id, "Board", ""))
                        (head(query, Sort::Version, "Version", ""))
                        (head(query, Sort::State, "State", ""))
                        (head(query, Sort::Seen, "Heard", ""))
                        th.wide scope="col" { "MicroPython" }
                        (head(query, Sort::Flash, "Flash", "number wide"))
                        (head(query, Sort::Memory, "Memory", "number wide"))
                    }
                }
                tbody { @for (id, board) in boards { (row(id, board, now)) } }
            }
            @if pages > 1 {
                nav.pages aria-label="Pages" {
                    @if query.page > 1 { a rel="prev" href=(to((query.page - 1).min(pages))) { "Back" } }
                    @if query.page < pages { a rel="next" href=(to(query.page + 1)) { "More" } }
                }
            }
        }
    }
}

/// The head of a column, which sorts by it, and the other way round if it is sorted by it already.
fn head(query: &Query, sort: Sort, name: &str, class: &str) -> Markup {
    let here = query.sort == sort;
    let first_down = matches!(sort, Sort::Seen | Sort::Version | Sort::Back);
    let descending = if here { !query.descending } else { first_down };
    let to = Query { sort, descending, page: 1, ..query.clone() }.write();
    let order = here.then_some(if query.descending { "descending" } else { "ascending" });
    html! {
        th scope="col" class=(class) aria-sort=[order] {
            a data-sort href={ "/fleet?" (to) } { (name) }
        }
    }
}

fn row(id: &str, board: &Board, now: u64) -> Markup {
    let bytes = |bytes: Option<u64>| bytes.map(size).unwrap_or_default();
    html! {
        tr {
            th scope="row" {
                a href={ "/fleet?board=" (id) } { (Shown(id)) }
                @if let Some(name) = &board.board { br; span.dim { (Shown(name)) } }
            }
            td {
                @match &board.version { Some(version) => (Shown(version)), None => span.dim { "not said" } }
                (back(board))
            }
            td { (state(board)) }
            td { (ago(board.last_seen, now)) }
            td.wide { (Shown(board.micropython.as_deref().unwrap_or_default())) }
            td.number.wide { (bytes(board.flash)) }
            td.number.wide { (bytes(board.memory)) }
        }
    }
}

/// What a board came back from, and why.
pub(super) fn back(board: &Board) -> Markup {
    html! {
        @if let Some(bad) = board.bad.as_ref().filter(|_| board.came_back()) {
            br;
            span.bad { "came back from " (Shown(bad)) }
            @if let Some(why) = board.why.as_ref().filter(|why| !why.is_empty()) { ": " (Shown(why)) }
        }
    }
}

pub(super) fn state(board: &Board) -> Markup {
    let class = match board.state.as_deref() {
        Some("trial" | "staged" | "swapping" | "undoing" | "undone") => "warn",
        _ => "",
    };
    html! { span class=(class) { (Shown(board.state.as_deref().unwrap_or_default())) } }
}

/// How long ago, and when.
pub(super) fn ago(at: u64, now: u64) -> Markup {
    let silent = now.saturating_sub(at);
    let shown = match silent {
        0..60 => "now".to_owned(),
        60..3_600 => format!("{} min", silent / 60),
        3_600..86_400 => format!("{} h", silent / 3_600),
        _ => format!("{} d", silent / 86_400),
    };
    let class = if silent >= 86_400 { "warn" } else { "" };
    let at = timestamp_of(at);
    html! { time class=(class) datetime=(at) title=(at) { (shown) } }
}
