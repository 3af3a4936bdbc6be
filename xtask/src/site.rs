//! `cargo xtask site`: the pages in `docs/` as a site, with every link of them looked after.

mod links;

use anyhow::{Context, Result, bail, ensure};
use mpota_vboard::{clients, repository};
use std::path::{Path, PathBuf};

/// Where the files of the repository are looked at; the workflow that publishes the site says another one.
const PAGE: &str = "https://github.com/OWNER/mpota";
/// The pages of the repository that are no part of the site, but link to it.
const OUTSIDE: [&str; 5] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];

/// Build it into `target/site/book`. `--page URL`: the address of the repository.
pub fn run(args: &[String]) -> Result<()> {
    let page = match args {
        [] => PAGE,
        [option, url] if option == "--page" => url,
        _ => bail!("site [--page URL]"),
    };
    let book = build(&repository(), &repository().join("target/site"), page)?;
    println!("{}", book.display());
    Ok(())
}

/// Build the site of a repository below `out`, and check its links.
fn build(root: &Path, out: &Path, page: &str) -> Result<PathBuf> {
    let (source, book) = (out.join("src"), out.join("book"));
    for folder in [&source, &book] {
        if folder.exists() {
            std::fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
    }
    let docs = root.join("docs");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).context("docs/SUMMARY.md")?;
    for path in files(&docs)? {
        let name = path.strip_prefix(&docs)?.to_string_lossy().replace('\\', "/");
        let to = source.join(&name);
        std::fs::create_dir_all(to.parent().unwrap_or(&source))?;
        if !name.ends_with(".md") {
            std::fs::copy(&path, &to).with_context(|| name)?;
            continue;
        }
        ensure!(
            name == "SUMMARY.md" || summary.contains(&format!("({name})")),
            "docs/{name} is not in docs/SUMMARY.md: add a line for it"
        );
        let text = std::fs::read_to_string(&path)?;
        std::fs::write(to, links::to_repository(root, &format!("docs/{name}"), &text, page)?)?;
    }
    let mut mdbook = clients::mdbook()?;
    mdbook.env("MDBOOK_OUTPUT__HTML__GIT_REPOSITORY_URL", page).arg("build").arg("--dest-dir").arg(&book);
    let made = mdbook.arg(&source).output().context("mdbook")?;
    let said = String::from_utf8_lossy(&made.stdout).into_owned() + &String::from_utf8_lossy(&made.stderr);
    ensure!(made.status.success() && !said.contains("WARN") && !said.contains("ERROR"), "mdbook: {said}");
    std::fs::remove_file(book.join("book.toml"))?;
    let checked = links::check(root, &book, page, &OUTSIDE)?;
    println!("  cases {checked}: links of the pages");
    Ok(book)
}

/// All files below a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        match path.is_dir() {
            true => found.extend(files(&path)?),
            false => found.push(path),
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "these are tests")]

    use super::*;

    #[test]
    fn the_site_is_built_and_no_link_of_it_leads_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let book = build(&repository(), dir.path(), "https://github.com/octo/mpota").unwrap();
        let index = std::fs::read_to_string(book.join("index.html")).unwrap();
        assert!(index.contains("https://github.com/octo/mpota") && !index.contains("OWNER"));
    }

    /// A repository with these files, each with its text.
    fn repository_of(pages: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in pages {
            mpota_vboard::bench::write_file(&dir.path().join(path), text.as_bytes()).unwrap();
        }
        for name in OUTSIDE.iter().filter(|name| !dir.path().join(name).exists()) {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        dir
    }

    #[test]
    fn a_link_that_leads_nowhere_is_named() {
        let book =
            "[book]\nsrc = \".\"\n[build]\ncreate-missing = false\n[output.html.search]\nenable = false\n";
        let book = ("docs/book.toml", book);
        const SUMMARY: (&str, &str) = ("docs/SUMMARY.md", "- [A](a.md)\n- [B](b/b.md)\n");
        let b = ("docs/b/b.md", "# B\n\n## Some words, here\n\n[a](../a.md)\n");
        let cases = [
            ("[x](b/b.md#some-words-here) [y](../README.md)", ""),
            ("[x](c.md)", "a.html: c.html is not there"),
            ("[x](b/b.md#other)", "b/b.html has no other"),
            ("[x](#none)", "a.html has no none"),
            ("[x](../LICENCE)", "docs/a.md: LICENCE is not there"),
            ("[x](../../etc)", "leads out of the repository"),
            ("![x](p.svg)", "p.svg is not there"),
            ("[x](http://example.org)", ""),
        ];
        let mut ran = 0;
        for (text, wrong) in cases {
            let page = format!("# A\n\n{text}\n");
            let dir = repository_of(&[book, SUMMARY, b, ("docs/a.md", &page)]);
            let said = build(dir.path(), &dir.path().join("out"), PAGE)
                .map_or_else(|e| format!("{e:#}"), |_| String::new());
            assert!(if wrong.is_empty() { said.is_empty() } else { said.contains(wrong) }, "{text}: {said}");
            ran += 1;
        }
        let readme = ("README.md", "[x](docs/b/b.md#gone)");
        let dir = repository_of(&[book, SUMMARY, b, ("docs/a.md", "# A"), readme]);
        let said = build(dir.path(), &dir.path().join("out"), PAGE).unwrap_err().to_string();
        assert!(said.contains("README.md: docs/b/b.md has no gone"), "{said}");
        let dir = repository_of(&[book, SUMMARY, b, ("docs/a.md", "# A"), ("docs/c.md", "# C")]);
        let said = build(dir.path(), &dir.path().join("out"), PAGE).unwrap_err().to_string();
        assert!(said.contains("docs/c.md is not in docs/SUMMARY.md"), "{said}");
        println!("  cases {}: links that are looked after", ran + 2);
    }
}
