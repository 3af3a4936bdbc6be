//! A trial judges by what is known: faults 55 to 57.

use crate::common::{World, confirmed, run, tiny, version};
use crate::plan::record;
use mpota_vboard::bench::TINY_MAIN;
use mpota_vboard::{FileSystem, Port, Start};
use serde_json::json;

/// Confirms at its sixth start and not before, and sleeps in between.
const EVERY_SIXTH: &str = "import ota_updater
ota_updater.boot()
import app
import machine
s = ota_updater.status()
print('app', app.V, s['state'], s['boots'], s['wakes'])
try:
    with open('/n') as f:
        n = int(f.read())
except OSError:
    n = 0
with open('/n', 'w') as f:
    f.write(str(n + 1))
if n % 6 == 5:
    import secrets
    try:
        staged = ota_updater.update(secrets.CONFIG)
        ota_updater.confirm()
        if staged:
            machine.reset()
    except ota_updater.OtaError as e:
        print('refused:', e)
machine.deepsleep(1)
";

#[test]
fn fault_55_an_app_that_asks_at_every_sixth_wake_is_not_taken_for_a_crash() {
    let mut ran = 0;
    for (port, most) in [(Port::Esp32, 12), (Port::Stm32, 12), (Port::Esp8266, 12)] {
        let world = World::new();
        world.publish("v1.1.0", tiny("v1.1.0").with("main.py", EVERY_SIXTH));
        let mut board = world.board();
        board.set_port(port);
        let mut starts = 0;
        while version(&board) != confirmed("v1.1.0") {
            starts += 1;
            assert!(starts <= most, "{port:?}: not confirmed");
            let step = if starts == 1 { Start::PowerOn } else { Start::Wake };
            let runs = board.live(&[step.into()]).unwrap();
            assert!(!runs[0].output.contains("failed:"), "{port:?}: {}", runs[0].output);
        }
        assert!(starts >= 6, "{port:?}: confirmed in {starts} starts");
        ran += 1;
    }
    println!("  cases {ran}: ports on which a wake from sleep is none of the trial's resets");
    assert_eq!(ran, 3);
}

#[test]
fn fault_56_a_good_version_survives_what_it_cannot_help() {
    let mut ran = 0;
    // The Wi-Fi is away for many wakes; a person, or the sun, has the power come and go.
    for (what, step) in [
        ("wakes without Wi-Fi", Start::Wake.offline().times(20)),
        ("power on without Wi-Fi", Start::PowerOn.offline().times(10)),
        ("brown-outs", Start::BrownOut.offline().times(10)),
    ] {
        let world = World::new();
        world.publish("v1.1.0", tiny("v1.1.0"));
        let board = world.board();
        board.run_with(&json!({"boots": 3})).unwrap(); // staged and exchanged, not started yet
        let runs = board.live(&[Start::PowerOn.offline(), step, Start::PowerOn.into()]).unwrap();
        let log: String = runs.iter().map(|run| run.output.as_str()).collect();
        assert!(log.contains("app v1.1.0 trial"), "{what}: {log}");
        assert!(!log.contains("failed:"), "{what}: {log}");
        assert_eq!(version(&board), confirmed("v1.1.0"), "{what}");
        ran += 1;
    }
    println!("  cases {ran}: lives in which a good version cannot confirm for a while");
    assert_eq!(ran, 3);
}

#[test]
fn fault_56_a_full_flash_does_not_undo_a_good_version() {
    // Its log has filled the flash; it makes room only once it has run for a while without the network.
    let main = TINY_MAIN.replace(
        "import app\n",
        "import app, os\nif app.V == 'v1.1.0':\n    if network.WLAN(0).isconnected():\n        try:\n            \
         os.remove('/log')\n        except OSError:\n            pass\n    else:\n        try:\n            \
         with open('/log', 'ab') as f:\n                while True:\n                    f.write(bytes(512))\n        \
         except OSError as e:\n            print('full', e)\n",
    );
    let mut ran = 0;
    for file_system in [FileSystem::Lfs, FileSystem::LfsSmall, FileSystem::Fat] {
        let mut world = World::new();
        world.file_system = file_system;
        world.publish("v1.1.0", tiny("v1.1.0").with("main.py", main.as_str()));
        let board = world.board();
        board.run_with(&json!({"boots": 3})).unwrap(); // staged and exchanged, not started yet
        let runs = board.live(&[Start::PowerOn.offline().times(8), Start::PowerOn.into()]).unwrap();
        let log: String = runs.iter().map(|run| run.output.as_str()).collect();
        assert!(log.contains("full 28"), "{file_system:?}: {log}");
        assert!(!log.contains("failed:"), "{file_system:?}: {log}");
        assert_eq!(version(&board), confirmed("v1.1.0"), "{file_system:?}: {log}");
        ran += 1;
    }
    println!("  cases {ran}: file systems that a version on trial has filled");
    assert_eq!(ran, 3);
}

#[test]
fn fault_56_a_version_that_was_not_confirmed_comes_up_again() {
    let mut world = World::new();
    world.set("limits", "{'trial_starts': 2, 'retries': 1}");
    world.publish("v1.1.0", tiny("v1.1.0"));
    let board = world.board();
    board.run_with(&json!({"boots": 3})).unwrap();
    let runs = board.live(&[Start::PowerOn.offline().times(4)]).unwrap();
    let log: String = runs.iter().map(|run| run.output.as_str()).collect();
    assert!(log.contains("back on v1.0.0; v1.1.0 comes up again: not confirmed in 2 starts"), "{log}");
    // Not at once.
    let log = run(&board).output;
    assert!(log.contains("v1.1.0 was undone, and is not tried now"), "{log}");
    assert_eq!(version(&board), confirmed("v1.0.0"));
    // After an hour.
    let mut known = record(&board);
    assert!(known.again == 1 && known.since > 1_700_000_000, "{known:?}");
    (known.seq, known.since) = (known.seq + 1, known.since - 3700);
    board.write(&format!("/.ota/state.{}", known.seq % 2), &known.to_bytes().unwrap()).unwrap();
    let log = board.run_with(&json!({"sleeps": 2})).unwrap().output;
    assert!(log.contains("v1.1.0 is installed"), "{log}");
    println!("  cases 1: a version that was given up without a crash");
}

#[test]
fn fault_57_a_version_that_crashed_is_taken_by_its_tag_once_and_after_unblock() {
    let mut ran = 0;
    let world = World::new();
    world.publish("v1.1.0", tiny("v1.1.0").with("app.py", "1 / 0\n"));
    let board = world.board();
    let log = board.run_with(&json!({"sleeps": 2})).unwrap().output;
    assert!(log.contains("back on v1.0.0; v1.1.0 is blocked: ZeroDivisionError"), "{log}");
    assert!(!run(&board).output.contains("trial of"));
    ran += 1;
    // By its tag it has one more turn, and one only: CONFIG may have the tag for ever.
    let tagged = |s: &str| s.replace("CONFIG = {", "CONFIG = {'tag': 'v1.1.0', ");
    let settings = crate::common::text(&board, "/secrets.py");
    board.write("/secrets.py", tagged(&settings).as_bytes()).unwrap();
    let log = board.run_with(&json!({"sleeps": 4})).unwrap().output;
    assert_eq!(log.matches("installing v1.1.0").count(), 2, "{log}"); // each exchange is looked at twice
    assert!(log.contains("is not tried"), "{log}");
    ran += 1;
    // The owner at the prompt.
    board.write("/secrets.py", settings.as_bytes()).unwrap();
    let main = crate::common::text(&board, "/main.py");
    board
        .write(
            "/main.py",
            format!("{main}\n")
                .replace("import app\n", "import app\nprint('was', ota_updater.unblock())\n")
                .as_bytes(),
        )
        .unwrap();
    let log = board.run_with(&json!({"boots": 1})).unwrap().output;
    assert!(log.contains("was v1.1.0") && log.contains("v1.1.0 is staged"), "{log}");
    ran += 1;
    println!("  cases {ran}: ways to lift a block");
    assert_eq!(ran, 3);
}
