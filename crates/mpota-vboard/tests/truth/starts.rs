//! `machine.reset_cause()`, and scripts of starts.

use crate::{board, said};
use mpota_vboard::{Board, End, Port, Start, Step};
use serde_json::json;

/// Says what it was started by: the number, and each name that this number has. The file `end` says how it ends.
const MAIN: &str = "import machine
cause = machine.reset_cause()
names = [k for k in dir(machine) if k.endswith('_RESET') and getattr(machine, k) == cause]
print('cause', cause, *names)
import network
import socket
try:
    reached = bool(socket.getaddrinfo('localhost', 80))
except OSError:
    reached = False
print('online', network.WLAN(0).isconnected(), reached)
try:
    with open('end') as f:
        steps = f.read().split()
except OSError:
    steps = []
if steps:
    with open('end', 'w') as f:
        f.write(' '.join(steps[1:]))
    exec(steps[0])
machine.deepsleep(1)
";

fn sayer(port: Port) -> Board {
    let mut board = board(&[("main.py", MAIN)]);
    board.set_port(port);
    board
}

/// After power on, `machine.reset()`, wake, watchdog, brown-out and pin, in this order: docs/boards.md.
fn wanted(port: Port) -> [&'static str; 6] {
    match port {
        Port::Esp32 => [
            "1 PWRON_RESET",
            "2 HARD_RESET",
            "4 DEEPSLEEP_RESET",
            "3 WDT_RESET",
            "1 PWRON_RESET",
            "1 PWRON_RESET",
        ],
        Port::Rp2 => {
            ["1 PWRON_RESET", "3 WDT_RESET", "3 WDT_RESET", "3 WDT_RESET", "1 PWRON_RESET", "1 PWRON_RESET"]
        }
        Port::Esp8266 => {
            ["0 PWRON_RESET", "4 SOFT_RESET", "5 DEEPSLEEP_RESET", "3", "0 PWRON_RESET", "6 HARD_RESET"]
        }
        Port::Stm32 => [
            "1 PWRON_RESET",
            "2 HARD_RESET",
            "4 DEEPSLEEP_RESET",
            "3 WDT_RESET",
            "1 PWRON_RESET",
            "2 HARD_RESET",
        ],
    }
}

#[test]
fn a_test_chooses_what_a_board_was_started_by() {
    let mut ran = 0;
    for port in Port::ALL {
        let board = sayer(port);
        for (start, cause) in Start::ALL.into_iter().zip(wanted(port)) {
            let runs = board.live(&[start.into()]).unwrap();
            assert_eq!(said(&runs[0], "cause"), [cause], "{port:?} {start:?}");
            ran += 1;
        }
    }
    println!("  cases {ran}: starts of ports");
    assert_eq!(ran, 24);
}

#[test]
fn a_board_knows_how_it_ended_before() {
    let mut ran = 0;
    // {} keeps its cause where the port does not tell a soft reset.
    for (port, soft) in [
        (Port::Esp32, "5 SOFT_RESET"),
        (Port::Rp2, "{}"),
        (Port::Esp8266, "{}"),
        (Port::Stm32, "0 SOFT_RESET"),
    ] {
        let board = sayer(port);
        let [power, reset, wake, watchdog, ..] = wanted(port);
        let wdt = if port == Port::Esp8266 { "machine.WDT()" } else { "machine.WDT(timeout=50)" };
        let hang = format!("exec(\"{wdt}\\nwhile\\tTrue:pass\")");
        let ends =
            format!("machine.reset() machine.soft_reset() {hang} machine.soft_reset() machine.deepsleep(5)");
        board.write("/end", ends.as_bytes()).unwrap();
        let run = board.run_with(&json!({"sleeps": 2})).unwrap();
        let soft = |before| soft.replace("{}", before);
        let causes =
            [power.to_owned(), reset.into(), soft(reset), watchdog.into(), soft(watchdog), wake.into()];
        assert_eq!(said(&run, "cause"), causes, "{port:?}: {}", run.output);
        assert_eq!(run.end, End::Sleep, "{port:?}");
        // Whoever says nothing has just got its power.
        assert_eq!(said(&board.run().unwrap(), "cause"), [power], "{port:?}");
        // An update's cut is a loss of power.
        board.write("/end", b"open('x','w').close()").unwrap();
        let runs = board.live(&[Start::Reset.cut_at_write(3), Start::PowerOn.into()]).unwrap();
        assert_eq!((runs[0].end, runs[1].end), (End::PowerLost, End::Sleep), "{port:?}");
        assert_eq!(said(&runs[1], "cause"), [power], "{port:?}");
        ran += 1;
    }
    println!("  cases {ran}: ports that end in all ways");
    assert_eq!(ran, 4);
}

#[test]
fn a_script_of_starts_is_lived_through() {
    let board = sayer(Port::Esp32);
    let script: [Step; 5] = [
        Start::PowerOn.times(3),
        Start::Wake.offline().times(4),
        Start::Wake.into(),
        Start::PowerOn.unplugged_after(300).offline(),
        Start::BrownOut.into(),
    ];
    // The fourth power on is the one that hangs until it is unplugged.
    let hang = "exec(\"while\\tTrue:pass\")";
    let ends = ["0"; 8].join(" ") + " " + hang;
    board.write("/end", ends.as_bytes()).unwrap();
    let runs = board.live(&script).unwrap();
    let seen: Vec<(&str, &str, End)> =
        runs.iter().map(|run| (said(run, "cause")[0], said(run, "online")[0], run.end)).collect();
    let (power, wake) = ("1 PWRON_RESET", "4 DEEPSLEEP_RESET");
    let mut wanted = vec![(power, "True True", End::Sleep); 3];
    wanted.extend([(wake, "False False", End::Sleep); 4]);
    wanted.extend([
        (wake, "True True", End::Sleep),
        (power, "False False", End::Unplugged),
        ("1 PWRON_RESET", "True True", End::Sleep),
    ]);
    assert_eq!(seen, wanted);
    println!("  cases {}: starts of a script", seen.len());
    // Who was unplugged cannot wake up.
    board.write("/end", hang.as_bytes()).unwrap();
    let awake = board.live(&[Start::PowerOn.unplugged_after(300), Start::Wake.into()]);
    assert!(awake.unwrap_err().to_string().contains("it does not sleep"));
}
