//! Links: those out of `docs/` become links to the repository, and every link leads to something that exists.

use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::path::Path;

/// The text of a page, in which links out of `docs/` are those of the repository at `page`.
pub fn to_repository(root: &Path, name: &str, text: &str, page: &str) -> Result<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, target, after)) = next_link(rest) {
        out.push_str(before);
        let path =
            if is_elsewhere(target) || target.starts_with('#') { None } else { Some(joined(name, target)) };
        match path {
            Some(None) => bail!("{name}: {target} leads out of the repository"),
            Some(Some(path)) if !path.starts_with("docs/") => {
                let file = path.split('#').next().unwrap_or(&path);
                ensure!(root.join(file).exists(), "{name}: {file} is not there");
                out.push_str(&format!("{page}/blob/main/{path}"));
            }
            _ => out.push_str(target),
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// What stands before the next target of a Markdown link, the target, and the rest. Code has no links.
fn next_link(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find("](")? + 2;
        let end = at + text[at..].find(')')?;
        let in_code = text[..at].matches('`').count() % 2 == 1;
        if !in_code && !text[at..end].contains([' ', '\n']) {
            return Some((&text[..at], &text[at..end], &text[end..]));
        }
        from = at;
    }
}

fn is_elsewhere(target: &str) -> bool {
    target.contains("://") || target.starts_with("mailto:")
}

/// The path of what a page links to, from the root; nothing where that is outside.
fn joined(page: &str, target: &str) -> Option<String> {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()?),
            other => parts.push(other),
        }
    }
    Some(parts.join("/"))
}

/// The names in the pages of a site that links may end with: by page, from the root of the site.
type Anchors = BTreeMap<String, Vec<String>>;

/// Every link in the site, and in the pages of the repository outside of it, leads somewhere; returns how many
/// were looked at.
pub fn check(root: &Path, book: &Path, page: &str, outside: &[&str]) -> Result<u64> {
    let mut pages = BTreeMap::new();
    for path in super::files(book)?.iter().filter(|path| path.extension().is_some_and(|e| e == "html")) {
        let name = path.strip_prefix(book)?.to_string_lossy().replace('\\', "/");
        pages.insert(name, std::fs::read_to_string(path)?);
    }
    let anchors: Anchors = pages.iter().map(|(name, html)| (name.clone(), values(html, "id"))).collect();
    let (mut wrong, mut checked) = (Vec::new(), 0);
    for (name, html) in &pages {
        // A page for what is not there has links from the root of the server; the list is in a frame of its own.
        let content = html.split_once("<main>").and_then(|(_, rest)| rest.split_once("</main>"));
        let Some((content, _)) = content.filter(|_| name != "404.html") else { continue };
        for target in values(content, "href").iter().chain(&values(content, "src")) {
            checked += 1;
            if target.starts_with(page) || is_elsewhere(target) {
                continue;
            }
            let says = followed(book, &anchors, name, target);
            wrong.extend(says.map(|says| format!("{name}: {says}")));
        }
    }
    for name in outside {
        let text = std::fs::read_to_string(root.join(name)).with_context(|| (*name).to_owned())?;
        let mut rest = text.as_str();
        while let Some((_, target, after)) = next_link(rest) {
            rest = after;
            checked += 1;
            if !is_elsewhere(target) {
                let says = in_repository(root, &anchors, name, target);
                wrong.extend(says.map(|says| format!("{name}: {says}")));
            }
        }
    }
    ensure!(wrong.is_empty(), "links that lead nowhere:\n  {}", wrong.join("\n  "));
    Ok(checked)
}

/// What is wrong with a link of the site.
fn followed(book: &Path, anchors: &Anchors, name: &str, target: &str) -> Option<String> {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let file = if file.is_empty() { Some(name.to_owned()) } else { joined(name, file) };
    let Some(file) = file.filter(|file| book.join(file).is_file()) else {
        return Some(format!("{target} is not there"));
    };
    lacks(anchors, &file, anchor).then(|| format!("{file} has no {anchor}"))
}

/// What is wrong with a link between the files of the repository.
fn in_repository(root: &Path, anchors: &Anchors, name: &str, target: &str) -> Option<String> {
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let Some(path) = joined(name, file).filter(|path| root.join(path).exists()) else {
        return Some(format!("{target} is not there"));
    };
    let html = path.strip_prefix("docs/").map(|page| page.replace(".md", ".html"));
    html.is_some_and(|html| lacks(anchors, &html, anchor)).then(|| format!("{path} has no {anchor}"))
}

fn lacks(anchors: &Anchors, file: &str, anchor: &str) -> bool {
    !anchor.is_empty() && !anchors.get(file).is_some_and(|ids| ids.iter().any(|id| id == anchor))
}

/// The values of an attribute, as mdBook writes it.
fn values(html: &str, attribute: &str) -> Vec<String> {
    let start = format!(" {attribute}=\"");
    html.split(&start).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}
