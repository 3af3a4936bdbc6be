//! What the pages say of the board is what its modules do.

#![allow(clippy::unwrap_used, reason = "these are tests")]

mod common;

use common::{World, tiny};
use mpota_vboard::bench::Agent;
use std::collections::BTreeSet;

/// What stands in quotes behind `before`, up to the end of that statement.
fn quoted(source: &str, before: &str) -> Vec<String> {
    let (_, rest) = source.split_once(before).unwrap();
    let statement = rest.split_once("\n\n").unwrap().0.split_once("\n#").map_or(rest, |(first, _)| first);
    let statement = statement.split_once("\n_").map_or(statement, |(first, _)| first);
    statement.split('"').skip(1).step_by(2).flat_map(str::split_whitespace).map(str::to_owned).collect()
}

#[test]
fn every_key_that_a_board_reads_stands_in_the_table_and_no_other() {
    let path = mpota_vboard::repository().join("device/mpota/config.py");
    let source = std::fs::read_to_string(path).unwrap();
    let mut read = BTreeSet::from(["keys", "limits", "headers", "feed", "progress"].map(str::to_owned));
    for list in ["\n_TEXTS = ", "\n_FLAGS = ", "\n_COUNTS = ", "\n_AMOUNTS = "] {
        let names = quoted(&source, list);
        assert!(names.len() > 2, "{list}: {names:?}");
        read.extend(names);
    }
    let text = std::fs::read_to_string(mpota_vboard::repository().join("docs/config.md")).unwrap();
    let mut told = BTreeSet::new();
    for line in text.lines().filter(|l| l.starts_with("| `")) {
        let keys = line.split('|').nth(1).unwrap();
        told.extend(keys.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    assert_eq!(read, told);
    assert!(told.len() > 15, "{told:?}");
    println!("  cases {}: keys of CONFIG", told.len());
}

/// What apps import, the file of each, and the files with what its `__getattr__` has elsewhere.
const IMPORTED: [(&str, &[&str]); 3] =
    [("ota_updater", &["ota_app.py", "ota_due.py"]), ("ota_main", &[]), ("ota_aio", &[])];

/// Every function that pages, templates and the guard itself tell apps to call: (module, function).
fn told_to_apps() -> BTreeSet<(&'static str, String)> {
    let root = mpota_vboard::repository();
    let mut texts = vec![root.join("README.md")];
    for folder in ["docs", "device/template", "examples/weather", "examples/home-assistant"] {
        let mut folders = vec![root.join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let ending = path.extension().unwrap_or_default().to_owned();
                match path.is_dir() {
                    true => folders.push(path),
                    false if ending == "md" || ending == "py" => texts.push(path),
                    false => {}
                }
            }
        }
    }
    assert!(texts.len() > 15, "{texts:?}");
    let name =
        |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap().to_owned();
    let mut told = BTreeSet::new();
    for text in texts.iter().map(|path| std::fs::read_to_string(path).unwrap()) {
        for (module, _) in IMPORTED {
            for rest in text.split(&format!("{module}.")).skip(1) {
                let function = name(rest);
                if rest[function.len()..].starts_with('(') {
                    told.insert((module, function));
                }
            }
        }
    }
    let guard = std::fs::read_to_string(root.join("device/ota_updater.py")).unwrap();
    let own = guard.split_once("\nAn app calls ").unwrap().1.split_once("\n\n").unwrap().0;
    for before in own.split('(').filter(|part| part.ends_with(|c: char| c.is_ascii_lowercase())) {
        let from = before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |at| at + 1);
        told.insert(("ota_updater", before[from..].to_owned()));
    }
    told
}

/// The names of the parameters of the functions at the left margin.
fn parameters(files: &[(String, Vec<u8>)], file: &str, function: &str) -> Option<Vec<String>> {
    let (_, source) = files.iter().find(|(name, _)| name == file).unwrap();
    let source = String::from_utf8(source.clone()).unwrap();
    let head = source.lines().find_map(|line| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        Some(
            line.strip_prefix("def ")?
                .strip_prefix(function)?
                .strip_prefix('(')?
                .split_once("):")?
                .0
                .to_owned(),
        )
    })?;
    let name = |one: &str| one.split('=').next().unwrap().trim().to_owned();
    Some(head.split(',').map(name).filter(|n| !n.is_empty()).collect())
}

#[test]
fn what_apps_call_keeps_the_names_of_its_parameters_in_the_compiled_updater() {
    let sources = mpota_vboard::agent_files().unwrap();
    let short = mpota_vboard::bench::shortened_agent().unwrap();
    let script = mpota_vboard::repository().join("crates/mpota-vboard/src/shorten.py");
    let script = std::fs::read_to_string(script).unwrap();
    let called = quoted(&script, "\nCALLED = ");
    let (mut ran, mut compared) = (0, 0);
    for (module, function) in told_to_apps() {
        assert!(called.contains(&function), "CALLED lacks {function}, which apps call of {module}");
        let elsewhere = IMPORTED.iter().find(|(name, _)| *name == module).unwrap().1;
        let own = format!("{module}.py");
        let mut there = 0;
        for file in [own.as_str()].iter().chain(elsewhere) {
            if let Some(names) = parameters(&sources, file, &function) {
                let kept = parameters(&short, file, &function);
                assert_eq!(kept.as_ref(), Some(&names), "{function} of {file}: CALLED or IMPORTED lacks it");
                there += 1;
                compared += names.len();
            }
        }
        assert!(there > 0, "{module} has no {function}");
        ran += 1;
    }
    println!("  cases {ran}: functions that apps call, with {compared} parameters");
    assert!(ran > 15 && compared > 20, "{ran} {compared}");
}

/// `main.py` that gives every argument by its name.
const BY_NAME: &str = "import ota_updater
ota_updater.boot(feed=None)
import asyncio, machine, ota_aio, ota_main, secrets
from ota_updater import status, unblock

C = secrets.CONFIG


def look():
    return ota_updater.check(config=C)


def start():
    ota_updater.log(level='I', text='by name')
    print('said status', status()['version'], repr(unblock()), hasattr(ota_updater, 'not_there'))
    print('said window', ota_updater.window(first=1, last=1, offset_h=3), ota_updater.window(last=1, first=1))
    try:
        ota_updater.rollback(why='by name')
    except ota_updater.OtaError as e:
        print('said rollback', e)
    print('said due', ota_updater.due(sleep_s=3600, hours=1), ota_updater.due(hours=1, sleep_s=0))
    print('said early', ota_updater.early(ask=None), ota_updater.confirm())
    print('said look', ota_main.look())
    print('said aio', asyncio.run(ota_aio.check(config=C)))
    work, n = ota_updater.steps(what='update', config=C, how='steps'), 0
    try:
        while True:
            next(work)
            n += 1
    except StopIteration as e:
        print('said steps', n > 5, e.value)
    finally:
        work.close()
    ota_updater.rollback(why='by name')
    print('said why', status()['state'], status()['why'])
    print('said update', ota_updater.update(config=C))
    machine.deepsleep(1)


ota_main.run(start=start, look=look, hours=0, reset=0, power=0, wake=0)
";

#[test]
fn an_app_gives_arguments_by_their_names() {
    let mut ran = 0;
    for agent in [Agent::Py, Agent::Mpy] {
        let mut world = World::new();
        world.agent = agent;
        world.bench.withdraw("v1.0.0").unwrap();
        world.publish("v1.0.0", tiny("v1.0.0").with("main.py", BY_NAME));
        let board = world.board();
        world.publish("v1.1.0", tiny("v1.1.0"));
        let log = board.run().unwrap().output;
        for said in [
            "status v1.0.0 '' False",
            "window True True",
            "rollback nothing to go back to: v1.0.0 is confirmed; install an older one by tag",
            // At power on an app that sleeps asks, and one that stays awake lets other boards ask first.
            "due True False",
            "early False False",
            "look v1.1.0",
            "aio v1.1.0",
            "steps True v1.1.0",
            "why idle by name",
            "update v1.1.0",
        ] {
            assert!(log.contains(&format!("\nsaid {said}\n")), "{agent:?}: {said}: {log}");
            ran += 1;
        }
        assert!(log.contains("ota I by name\n"), "{agent:?}: {log}");
    }
    println!("  cases {ran}: calls with named arguments, from .py and from .mpy");
    assert_eq!(ran, 20);
}

#[test]
fn the_sample_app_has_the_files_of_the_template() {
    let read = |folder: &str, name: &str| {
        std::fs::read_to_string(mpota_vboard::repository().join(folder).join(name)).unwrap()
    };
    let mut ran = 0;
    for name in ["boot.py", "main.py", "wifi.py", "updates.py"] {
        let [template, sample] = ["device/template", "examples/weather"].map(|folder| read(folder, name));
        // The CONFIG of the sample is shorter, and its comments at the left margin are its own.
        let code = |text: &str| {
            let config = text.split_once("\n}\n").filter(|_| name == "updates.py");
            let code = config.map_or(text, |(_, rest)| rest);
            code.lines().filter(|line| !line.starts_with("# ")).collect::<Vec<_>>().join("\n")
        };
        assert!(code(&template).len() > 200, "{name}");
        assert_eq!(code(&template), code(&sample), "{name} of examples/weather is a copy of device/template");
        ran += 1;
    }
    println!("  cases {ran}: files of the sample app");
}
