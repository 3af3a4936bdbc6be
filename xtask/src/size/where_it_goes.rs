//! Where the memory of an update goes: module by module, and outside of MicroPython's heap.

use super::place::{Kind, Place, script};
use super::report::Report;
use super::run::{PLENTY, Task, Trial};
use anyhow::{Context, Result, ensure};
use mpota_vboard::{MicroPython, agent_files};
use serde_json::json;

/// What each module takes as it is loaded, and what is in use at that moment.
pub fn phases(report: &mut Report, micropython: &MicroPython) -> Result<()> {
    let place = Place::new(&Kind::default())?;
    let mut trial = Trial::new(micropython, &place, Task::Update)?;
    let ours: Vec<String> = agent_files()?.iter().map(|(name, _)| module(name)).collect();
    trial.before = format!("OURS = {ours:?}\n{}", script("phases.py")?);
    trial.after = script("phases_end.py")?;
    let outcome = trial.with(PLENTY)?;
    report.line("\nWhere it goes, in bytes of the heap (32 bit, .mpy, signed, garbage collected)");
    report.line("   in use    module  what is loaded then");
    let mut loads = Vec::new();
    for line in outcome.output.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["load", n, name, before, own] => {
                let (n, before, own): (u32, i64, i64) = (n.parse()?, before.parse()?, own.parse()?);
                loads.push((n, before, own, name.to_owned()));
            }
            ["end", used] => {
                loads.sort();
                for (_, before, own, name) in &loads {
                    report.line(&format!("{before:>9} {own:>9}  {name}"));
                }
                report.line(&format!("{used:>9}            at the end"));
            }
            _ => {}
        }
    }
    ensure!(!loads.is_empty(), "no module was seen loading:\n{}", outcome.output);
    let rows: Vec<_> = loads
        .iter()
        .map(|(_, before, own, name)| json!({ "module": name, "own": own, "before": before }))
        .collect();
    report.detail("loads", rows.into());
    Ok(())
}

/// `mpota/http.py` is imported as `mpota.http`.
fn module(file: &str) -> String {
    file.trim_end_matches(".py").trim_end_matches("/__init__").replace('/', ".")
}

/// What checked certificates take: of MicroPython's heap, as swept before, and of the C library's.
pub fn tls(report: &mut Report, micropython: &MicroPython, heaps: Option<(&u32, &u32)>) -> Result<()> {
    let mut grown = Vec::new();
    for https in [false, true] {
        let place = Place::new(&Kind { https, ..Kind::default() })?;
        let mut trial = Trial::new(micropython, &place, Task::Update)?;
        trial.before = script("libc.py")?;
        trial.after = script("libc_end.py")?;
        let outcome = trial.with(PLENTY)?;
        ensure!(outcome.worked, "the update fails:\n{}", outcome.output);
        grown.push(outcome.number("libc")?);
    }
    let (http, https) = grown.first().zip(grown.get(1)).context("two figures")?;
    report.line("\nCertificates checked");
    if let Some((https, http)) = heaps {
        let more = u64::from(https.saturating_sub(*http));
        report.figure("https-more", more, "KB", "more of MicroPython's heap than over http");
    }
    let what = "more of the C library's heap at its largest, where Mbed TLS lives in this port; \
                a board takes it from its own heap (rp2) or the system's (esp32)";
    report.figure("https-libc", https.saturating_sub(*http), "bytes", what);
    Ok(())
}
