//! Fault 62: CONFIG with typing errors.

use crate::common::{World, new_key, run, tiny};
use std::collections::BTreeSet;

/// The keys in the tables of docs/config.md: those of CONFIG, and those of `limits`.
fn keys() -> (Vec<String>, Vec<String>) {
    let text = std::fs::read_to_string(mpota_vboard::repository().join("docs/config.md")).unwrap();
    let (mut config, mut limits, mut inside) = (Vec::new(), Vec::new(), false);
    for line in text.lines().filter(|l| l.starts_with('|')) {
        inside |= line.starts_with("| in `limits`");
        let first = line.split('|').nth(1).unwrap();
        let names = first.split('`').skip(1).step_by(2).map(str::to_owned);
        if line.starts_with("| `") && inside {
            limits.extend(names)
        } else if line.starts_with("| `") {
            config.extend(names)
        }
    }
    (config, limits)
}

/// What a typing error makes of a key.
fn misspelt(key: &str, known: &[String]) -> BTreeSet<String> {
    let mut all = BTreeSet::from([
        key.to_uppercase(),
        key[..1].to_uppercase() + &key[1..],
        format!(" {key}"),
        key.replace('_', "-"),
    ]);
    for i in 0..key.len() {
        all.insert(key[..i].to_owned() + &key[i + 1..]);
        all.insert(key[..i].to_owned() + &key[i..=i] + &key[i..]);
        if i + 1 < key.len() {
            all.insert(key[..i].to_owned() + &key[i + 1..i + 2] + &key[i..=i] + &key[i + 2..]);
        }
    }
    all.retain(|s| !known.contains(s));
    all
}

#[test]
fn fault_62_a_misspelt_key_is_an_error_that_names_the_right_one() {
    let (config, limits) = keys();
    assert_eq!((config.len(), limits.len()), (24, 8), "{config:?} {limits:?}");
    let world = World::new();
    let board = world.board();
    world.publish("v1.1.0", tiny("v1.1.0"));
    let mut main = "import machine, ota_updater, secrets\ndef try_it(**more):\n    c = dict(secrets.CONFIG)\n    \
                    c.update(more)\n    for call in (ota_updater.check, ota_updater.update):\n        try:\n            \
                    print('TAKEN', call(c))\n        except ota_updater.OtaError as e:\n            print('said', e)\n"
        .to_owned();
    let mut wanted = Vec::new();
    for (known, inside) in [(&config, false), (&limits, true)] {
        for key in known {
            for wrong in misspelt(key, known) {
                let dict = format!("{{'{wrong}': None}}");
                let place = if inside { "limits" } else { "CONFIG" };
                main +=
                    &if inside { format!("try_it(limits={dict})\n") } else { format!("try_it(**{dict})\n") };
                wanted.push(format!("said {place}: no such key: '{wrong}'; did you mean '{key}'?"));
            }
        }
    }
    main += "machine.deepsleep(1)\n";
    board.write("/main.py", main.as_bytes()).unwrap();
    let log = run(&board).output;
    let lines: Vec<&str> = log.lines().filter(|l| l.starts_with("said ") || l.starts_with("TAKEN")).collect();
    assert_eq!(lines.len(), 2 * wanted.len(), "{log}");
    let wrong: Vec<_> =
        wanted.iter().enumerate().filter(|(i, w)| lines[2 * i] != *w || lines[2 * i + 1] != *w).collect();
    let said: Vec<_> = wrong.iter().map(|(i, w)| (w, lines[2 * i])).collect();
    // A letter less of a word with two letters is hardly any word.
    assert!(said.is_empty(), "{} of {}: {said:#?}", said.len(), wanted.len());
    println!("  cases {}: misspelt keys, each in check() and update()", wanted.len());
    assert!(wanted.len() > 500, "{}", wanted.len());
}

#[test]
fn fault_62_signatures_are_never_off_by_a_typing_error() {
    let dir = tempfile::tempdir().unwrap();
    let (line, _) = new_key(&dir, "key");
    let mut ran = 0;
    for wrong in misspelt("keys", &["keys".to_owned()]) {
        let mut world = World::new();
        world.set(&wrong, &format!("['{line}']"));
        world.publish("v1.1.0", tiny("v1.1.0"));
        let board = world.board();
        let log = run(&board).output;
        assert!(log.contains("did you mean 'keys'?") && !log.contains("v1.1.0 found"), "{wrong}: {log}");
        ran += 1;
    }
    println!("  cases {ran}: spellings of keys, before an unsigned release");
    assert!(ran > 10, "{ran}");
}
