//! `machine.WDT`: it bites whatever the board is at, and nobody stops it.

use crate::{board, said};
use mpota_vboard::{End, Port};
use serde_json::{Value, json};

/// Starts a watchdog at the first start, does `what`, and says after how long it got through.
fn main_py(timeout: u32, what: &str) -> String {
    format!(
        "import machine, socket, time\nprint('cause', machine.reset_cause())\n\
         if machine.reset_cause() == machine.WDT_RESET:\n    machine.deepsleep(1)\n\
         wdt = machine.WDT(timeout={timeout})\n{what}\nprint('through')\n"
    )
}

/// Whether it gets through, and how it ends.
fn bites(timeout: u32, what: &str, options: &Value) -> bool {
    let board = board(&[("main.py", &main_py(timeout, what))]);
    let run = board.run_with(options).unwrap();
    let bitten = run.output.contains("board: watchdog");
    assert_eq!(said(&run, "cause").len(), if bitten { 2 } else { 1 }, "{what}: {}", run.output);
    assert_eq!(run.output.contains("through"), !bitten, "{what}: {}", run.output);
    assert_eq!(run.end, End::Sleep, "{what}: {}", run.output);
    bitten
}

/// A socket that waits for what never comes.
const WAIT: &str = "l = socket.socket()\nl.bind(socket.getaddrinfo('127.0.0.1', 0)[0][-1])\nl.listen(1)\n\
                    l.settimeout(SECONDS)\ntry:\n    l.accept()\nexcept OSError:\n    pass";
const FEED: &str =
    "t = machine.Timer(0)\nt.init(mode=t.PERIODIC, period=MS, callback=lambda _: wdt.feed())\n";
const END: &str = "\nprint('through')\nmachine.deepsleep(1)";

#[test]
fn it_bites_wherever_the_time_goes() {
    let mut ran = 0;
    let fill = "with open('x', 'wb') as f:\n    for _ in range(8):\n        f.write(bytearray(4096))";
    let feed = FEED.replace("MS", "60");
    let slow = FEED.replace("MS", "4000");
    for (what, timeout, options, wanted) in [
        ("while True:\n    pass".to_owned(), 100, json!({}), true),
        ("time.sleep(60)".into(), 100, json!({}), true),
        (WAIT.replace("SECONDS", "None"), 100, json!({}), true),
        (WAIT.replace("SECONDS", "0.1") + END, 2000, json!({}), false),
        // It sits at the REPL, and nobody feeds it there.
        ("raise ValueError".into(), 100, json!({}), true),
        // What it was fed by is gone, or does not come in time.
        ("del wdt\nimport gc\ngc.collect()\ntime.sleep(60)".into(), 100, json!({}), true),
        (
            "for i in range(9):\n    wdt.feed()\n    time.sleep_ms(30)".to_owned() + END,
            1000,
            json!({}),
            false,
        ),
        ("for i in range(9):\n    wdt.feed()\n    time.sleep_ms(30 * i * i)".into(), 300, json!({}), true),
        (format!("{feed}time.sleep_ms(900)\nt.deinit(){END}"), 400, json!({}), false),
        // The last timeout that was asked for is the one that counts.
        ("machine.WDT(timeout=100)\nwdt.feed()\ntime.sleep(60)".into(), 60_000, json!({}), true),
        // Flash that takes its time: 8 blocks of 4 KB are erased, and more.
        (fill.to_owned() + END, 1500, json!({}), false),
        (fill.into(), 300, json!({"erase_us": 45_000, "program_us": 500}), true),
        // Sleeps that are cut short are as long as they say, and no shorter than timers that are fast.
        ("time.sleep(30)".into(), 8000, json!({"sleep_divide": 1000}), true),
        ("time.sleep(5)".to_owned() + END, 8000, json!({"sleep_divide": 1000}), false),
        (
            "for _ in range(9):\n    wdt.feed()\n    time.sleep(5)".to_owned() + END,
            8000,
            json!({"sleep_divide": 1000}),
            false,
        ),
        ("time.sleep_ms(500)".to_owned() + END, 20_000, json!({"timer_divide": 100}), false),
        ("time.sleep(3)".into(), 2500, json!({"timer_divide": 100}), true),
        (
            format!("{slow}time.sleep(60)\nt.deinit(){END}"),
            40_000,
            json!({"timer_divide": 100, "sleep_divide": 100}),
            false,
        ),
        (format!("{slow}time.sleep(60)"), 3000, json!({"timer_divide": 100, "sleep_divide": 100}), true),
    ] {
        assert_eq!(bites(timeout, &what, &options), wanted, "{what}, {timeout} ms, {options}");
        ran += 1;
    }
    println!("  cases {ran}: what a board is at when its watchdog runs");
    assert_eq!(ran, 19);
}

#[test]
fn a_soft_reset_does_not_stop_it_and_a_reset_does() {
    let mut ran = 0;
    for (how, bitten) in
        [("machine.soft_reset()", true), ("machine.reset()", false), ("machine.deepsleep(1)", false)]
    {
        let main = format!(
            "import machine, time\nprint('cause', machine.reset_cause())\n\
             if machine.reset_cause() == machine.PWRON_RESET:\n    machine.WDT(timeout=1000)\n    {how}\n\
             if machine.reset_cause() != machine.WDT_RESET:\n    time.sleep_ms(2000)\nmachine.deepsleep(1)\n"
        );
        let board = board(&[("main.py", &main)]);
        let run = board.run_with(&json!({"sleeps": if how.contains("sleep") { 2 } else { 1 }})).unwrap();
        assert_eq!(run.output.contains("board: watchdog"), bitten, "{how}: {}", run.output);
        assert_eq!((run.end, run.boots), (End::Sleep, if bitten { 3 } else { 2 }), "{how}: {}", run.output);
        ran += 1;
    }
    println!("  cases {ran}: resets with a watchdog on");
    assert_eq!(ran, 3);
}

#[test]
fn the_times_that_a_port_does_not_take_are_refused_as_there() {
    let mut ran = 0;
    for (port, call, said_) in [
        (Port::Esp32, "timeout=0", "ValueError WDT timeout too short"),
        (Port::Esp32, "timeout=600000", "taken"),
        (Port::Esp32, "1", "ValueError WDT(1) doesn't exist"),
        (Port::Rp2, "timeout=8388", "taken"),
        (Port::Rp2, "timeout=8389", "ValueError timeout exceeds 8388"),
        (Port::Rp2, "timeout=-1", "ValueError timeout exceeds 8388"),
        (Port::Rp2, "0, 60000", "ValueError timeout exceeds 8388"),
        (Port::Rp2, "", "taken"),
        (Port::Stm32, "timeout=32767", "taken"),
        (Port::Stm32, "timeout=32768", "ValueError WDT timeout too long"),
        (Port::Stm32, "timeout=0", "ValueError WDT timeout too short"),
        (Port::Esp8266, "", "taken"),
        (Port::Esp8266, "timeout=5000", "TypeError"),
    ] {
        let main = format!(
            "import machine\ntry:\n    machine.WDT({call})\n    print('said taken')\n\
             except ValueError as e:\n    print('said ValueError', e)\n\
             except TypeError:\n    print('said TypeError')\nmachine.deepsleep(1)\n"
        );
        let mut board = board(&[("main.py", &main)]);
        board.set_port(port);
        assert_eq!(said(&board.run().unwrap(), "said"), [said_], "{port:?} WDT({call})");
        ran += 1;
    }
    println!("  cases {ran}: watchdogs of ports");
    assert_eq!(ran, 13);
}
