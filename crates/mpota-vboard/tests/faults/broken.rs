//! Fault 71: a version that was confirmed breaks later, with nobody there, and a fix on the server reaches the
//! board. Fault 81: the template confirms only after the server was reached in that start.

use crate::common::{World, confirmed, tiny, version};
use mpota_vboard::bench::App;
use mpota_vboard::{Board, End, Port, Run, Start, repository};
use serde_json::json;

/// A file of the template.
pub fn template(path: &str) -> String {
    std::fs::read_to_string(repository().join("device/template").join(path)).unwrap()
}

/// The template with this app. The Wi-Fi of the virtual board needs no name.
pub fn with_template(version: &str, app: &str) -> App {
    tiny(version)
        .with("main.py", template("main.py"))
        .with("updates.py", template("updates.py"))
        .with("wifi.py", template("wifi.py"))
        .with("app.py", format!("V = '{version}'\nprint('app', V)\n{app}"))
}

/// Looks at its start, as a good version does, and sleeps.
const GOOD: &str = "import machine
import ota_main
import updates
def run():
    ota_main.look()
    updates.install()
    machine.deepsleep(1)
";

/// Runs on, until the board is unplugged.
const RUNS: &str = "import time
def run():
    time.sleep(30)
";

/// A board with v1.0.0, which is this app, and its settings of run().
fn board_of(app: &str, settings: &str) -> (World, Board) {
    let world = World::new();
    world.bench.withdraw("v1.0.0").unwrap();
    let app = with_template("v1.0.0", app).replacing(
        "main.py",
        "updates.look)",
        &format!("updates.look{settings})"),
    );
    world.publish("v1.0.0", app);
    let board = world.board();
    (world, board)
}

fn live(board: &Board, start: Start, options: &[(&str, serde_json::Value)]) -> Run {
    let mut step = mpota_vboard::Step::from(start);
    for (key, value) in options {
        step = step.with(key, value.clone());
    }
    let run = board.live(&[step]).unwrap().remove(0);
    eprintln!("{}", run.output);
    run
}

/// Without chance.
const NEVER: &str = ", reset=0, power=0, wake=0";

#[test]
fn fault_71_an_app_that_raises_looks_for_its_fix_and_restarts() {
    let mut ran = 0;
    let fast = [("sleep_divide", json!(1000)), ("boots", json!(12))];
    for (what, app, said) in [
        ("at import", "1 / 0\n", "the app has ended: ZeroDivisionError"),
        ("is no Python", "def run(:\n", "the app has ended: SyntaxError"),
        (
            "after a while",
            "import time\ndef run():\n    time.sleep_ms(300)\n    {}['x']\n",
            "the app has ended: KeyError",
        ),
        (
            "in a task",
            "import asyncio\nasync def f():\n    await asyncio.sleep_ms(9)\n    1 / 0\ndef run():\n    asyncio.run(f())\n",
            "the app has ended: ZeroDivisionError",
        ),
        (
            "no memory",
            "def run():\n    x = []\n    while True:\n        x.append(bytearray(9000))\n",
            "the app has ended: MemoryError",
        ),
        (
            "is cancelled",
            "import asyncio\ndef run():\n    raise asyncio.CancelledError\n",
            "the app has ended: CancelledError",
        ),
    ] {
        let (world, board) = board_of(app, NEVER);
        // Nothing new yet: it crashes again and again, and writes nothing.
        let run = live(&board, Start::PowerOn, &[("sleep_divide", json!(1000)), ("boots", json!(3))]);
        assert_eq!((run.end, run.boots, run.writes), (End::Reset, 3, 0), "{what}: {}", run.output);
        assert_eq!(run.output.matches(said).count(), 3, "{what}: {}", run.output);
        assert_eq!(run.output.matches("s, Ctrl-C leads to the prompt").count(), 3, "{what}");
        world.publish("v1.1.0", with_template("v1.1.0", GOOD));
        let run = live(&board, Start::Reset, &fast);
        assert_eq!(version(&board), confirmed("v1.1.0"), "{what}: {}", run.output);
        assert_eq!(run.end, End::Sleep, "{what}");
        ran += 1;
    }
    println!("  cases {ran}: apps that raise");
    assert_eq!(ran, 6);
}

#[test]
fn fault_71_an_app_that_has_gone_without_the_network_restarts_and_looks_later() {
    let (world, board) = board_of("1 / 0\n", NEVER);
    world.publish("v1.1.0", with_template("v1.1.0", GOOD));
    let options = [("sleep_divide", json!(1000)), ("boots", json!(2)), ("wifi", json!(false))];
    let run = live(&board, Start::PowerOn, &options);
    assert_eq!((run.end, run.writes), (End::Reset, 0), "{}", run.output);
    assert!(run.output.contains("no update: no Wi-Fi"), "{}", run.output);
    live(&board, Start::Reset, &[("sleep_divide", json!(1000))]);
    assert_eq!(version(&board), confirmed("v1.1.0"));
    println!("  cases 1: no network when the app has ended");
}

#[test]
fn fault_71_an_app_that_resets_or_hangs_under_a_watchdog_is_looked_for_before_it_starts() {
    let mut ran = 0;
    for (port, what, app) in [
        (Port::Esp32, "resets", "import machine\ndef run():\n    machine.reset()\n"),
        (Port::Esp32, "resets at import", "import machine\nmachine.reset()\n"),
        (
            Port::Esp32,
            "hangs with a watchdog",
            "import machine\ndef run():\n    machine.WDT(timeout=50)\n    while True:\n        pass\n",
        ),
        (
            Port::Rp2,
            "hangs with a watchdog",
            "import machine\ndef run():\n    machine.WDT(timeout=50)\n    while True:\n        pass\n",
        ),
        (Port::Stm32, "resets", "import machine\ndef run():\n    machine.reset()\n"),
    ] {
        let (world, board) = board_of(app, "");
        // One start in 4 asks: that nobody asks in 60 starts has a chance of 1 in 30 million.
        let run = live(&board, Start::Reset, &[("boots", json!(60))]);
        let asked = world.server.requests().len();
        assert_eq!((run.boots, run.writes), (60, 0), "{what}: {}", run.output);
        assert!((1..40).contains(&asked), "{what}: asked in {asked} of 60 starts");
        world.publish("v1.1.0", with_template("v1.1.0", GOOD));
        live(&board, Start::Reset, &[("boots", json!(80))]);
        assert_eq!(version(&board), confirmed("v1.1.0"), "{port:?} {what}");
        println!("  {port:?}, {what}: asked in {asked} of 60 starts");
        ran += 1;
    }
    println!("  cases {ran}: apps that reset");
    assert_eq!(ran, 5);
}

#[test]
fn fault_71_an_app_that_never_looks_again_is_restarted_after_hours() {
    let mut ran = 0;
    for (what, app, writes) in [
        ("runs on without a look", RUNS, 0),
        ("hangs", "def run():\n    while True:\n        pass\n", 0),
        ("returns", "def run():\n    pass\n", 0),
        (
            "leaves no memory",
            "import gc\ndef run():\n    global x\n    x = None\n    gc.collect()\n    while gc.mem_free() > 6000:\n        x = (bytearray(64), x)\n        if gc.mem_free() < 9000:\n            gc.collect()\n    while True:\n        pass\n",
            0,
        ),
    ] {
        let (world, mut board) = board_of(app, ", hours=1, reset=0, power=0, wake=0");
        board.set_heap("400K");
        // Half an hour: nothing.
        let hour = [
            ("timer_divide", json!(600)),
            ("boots", json!(12)),
            ("repl_ms", json!(9000)),
            ("limit_ms", json!(20_000)),
        ];
        let run = live(
            &board,
            Start::PowerOn,
            &[("timer_divide", json!(600)), ("limit_ms", json!(3000)), ("repl_ms", json!(2000))],
        );
        assert_eq!((run.boots, run.writes), (1, writes), "{what}: {}", run.output);
        assert!(world.server.requests().is_empty(), "{what}");
        world.publish("v1.1.0", with_template("v1.1.0", GOOD));
        let run = live(&board, Start::PowerOn, &hour);
        assert!(
            run.output.contains("the app has not looked for an update for 1 hours"),
            "{what}: {}",
            run.output
        );
        assert_eq!(version(&board), confirmed("v1.1.0"), "{what}");
        ran += 1;
    }
    // One that does look is left alone.
    let looks = "import time\nimport ota_main\ndef run():\n    for _ in range(12):\n        time.sleep(2)\n        ota_main.look()\n";
    let (world, board) = board_of(looks, ", hours=1, reset=0, power=0, wake=0");
    let run = live(&board, Start::PowerOn, &[("timer_divide", json!(600)), ("limit_ms", json!(16_000))]);
    assert_eq!((run.boots, run.writes, run.end), (1, 0, End::Unplugged), "{}", run.output);
    assert!(world.server.requests().len() > 3);
    ran += 1;
    println!("  cases {ran}: apps that run on");
    assert_eq!(ran, 5);
}

#[test]
fn fault_71_a_person_at_the_prompt_is_left_alone() {
    let mut ran = 0;
    for (what, app, end) in [
        ("Ctrl-C", "def run():\n    raise KeyboardInterrupt\n", End::Repl),
        ("Ctrl-C at import", "raise KeyboardInterrupt\n", End::Repl),
        ("sys.exit", "import sys\ndef run():\n    sys.exit()\n", End::SoftReset),
    ] {
        let (world, board) = board_of(app, ", hours=1, reset=0, power=0, wake=0");
        world.publish("v1.1.0", with_template("v1.1.0", GOOD));
        let options = [("timer_divide", json!(2000)), ("boots", json!(1)), ("repl_ms", json!(4000))];
        let run = live(&board, Start::PowerOn, &options);
        assert_eq!((run.end, run.boots, run.writes), (end, 1, 0), "{what}: {}", run.output);
        assert!(world.server.requests().is_empty(), "{what}");
        assert!(!run.output.contains("ota "), "{what}: {}", run.output);
        ran += 1;
    }
    println!("  cases {ran}: ways to the prompt");
    assert_eq!(ran, 3);
}

#[test]
fn fault_71_what_breaks_on_trial_is_undone_as_ever() {
    let mut ran = 0;
    for (what, app, said) in [
        ("raises at import", "1 / 0\n", "v1.1.0 is blocked: ZeroDivisionError"),
        ("raises", "def run():\n    1 / 0\n", "v1.1.0 is blocked: ZeroDivisionError"),
        (
            "the look raises",
            "import updates\nupdates.wifi = None\ndef run():\n    updates.look()\n",
            "v1.1.0 is blocked: AttributeError",
        ),
    ] {
        let (world, board) = board_of(GOOD, ", reset=1, power=1, wake=1");
        world.publish("v1.1.0", with_template("v1.1.0", app));
        let run = live(&board, Start::PowerOn, &[("boots", json!(14))]);
        assert!(run.output.contains(said), "{what}: {}", run.output);
        assert_eq!(version(&board), confirmed("v1.0.0"), "{what}");
        ran += 1;
    }
    println!("  cases {ran}: versions on trial that raise");
    assert_eq!(ran, 3);
}

#[test]
fn fault_71_an_ordinary_start_of_the_template_writes_nothing() {
    let (world, board) = board_of(&GOOD.replace("    ota_main.look()\n", ""), NEVER);
    for start in [Start::PowerOn, Start::Wake, Start::Reset, Start::Watchdog] {
        let run = live(&board, start, &[]);
        assert_eq!((run.boots, run.writes), (1, 0), "{start:?}: {}", run.output);
    }
    assert!(world.server.requests().is_empty());
    println!("  cases 4: ordinary starts");
}

#[test]
fn fault_81_the_template_confirms_only_when_the_server_was_reached_in_that_start() {
    // The Wi-Fi comes just after it was waited for in vain.
    let late = "import network
network.WLAN.isconnected = lambda self: False
def status(self):
    network.WLAN.isconnected = lambda self: True
network.WLAN.status = status
";
    // The server is reached before the app, which then does not run.
    let before = "import os
import ota_main
try:
    os.stat('flag')
except OSError:
    open('flag', 'w').close()
    ota_main.restart()
1 / 0
";
    let mut ran = 0;
    for (what, app, server, said) in [
        ("the Wi-Fi comes too late", format!("{late}{GOOD}"), true, "no update: no Wi-Fi: home"),
        ("the server is away", GOOD.to_owned(), false, "no update: cannot connect"),
        ("the app does not run", before.to_owned(), true, "v1.1.0 is blocked: ZeroDivisionError"),
    ] {
        let (world, board) = board_of(GOOD, NEVER);
        world.publish("v1.1.0", with_template("v1.1.0", &app));
        let run = live(&board, Start::PowerOn, &[("boots", json!(3))]);
        assert_eq!(run.end, End::Reset, "{what}: {}", run.output); // exchanged, and not started yet
        let mut secrets = crate::common::text(&board, "/secrets.py") + "SSID = 'home'\n";
        if !server {
            secrets += "CONFIG['base_url'] = 'http://127.0.0.1:9'\n";
        }
        board.write("/secrets.py", secrets.as_bytes()).unwrap();
        let run = live(&board, Start::Wake, &[("sleep_divide", json!(1000))]);
        assert!(run.output.contains("app v1.1.0") && run.output.contains(said), "{what}: {}", run.output);
        assert!(!run.output.contains("v1.1.0 is installed"), "{what}: {}", run.output);
        ran += 1;
    }
    println!("  cases {ran}: trials in which the server was not reached by a running app");
    assert_eq!(ran, 3);
}
