//! The templates of `device/template`, from end to end: each life is installed, is updated, is confirmed, and goes
//! back when it is broken; and what they read and say.

use crate::broken::{template, with_template};
use crate::common::{World, confirmed, tiny, version};
use mpota::app::scaffold::Life;
use mpota_vboard::bench::App;
use mpota_vboard::{Board, End, Run};
use serde_json::{Value, json};

/// The app of one life as `mpota init` writes it, with its work in the place of the template's.
fn app_of(life: Life, version: &str, work: &str) -> mpota_vboard::bench::App {
    let app = template(&format!("{}/app.py", life.name()));
    let places = app.matches("print(\"your code\")").count();
    assert_eq!(places, 1, "{life}");
    let app = with_template(version, &app.replace("print(\"your code\")", work));
    if life == Life::Asyncio && !mpota_vboard::repository().join("device/ota_aio.py").exists() {
        return app.with(
            "ota_aio.py",
            "import ota_updater\nasync def update(config):\n    return ota_updater.update(config)\n",
        );
    }
    app
}

fn run_with(board: &Board, options: &Value) -> Run {
    let run = board.run_with(options).unwrap();
    eprintln!("{}", run.output);
    run
}

#[test]
fn fault_71_each_template_is_updated_confirmed_and_undone() {
    let mut ran = 0;
    for life in Life::ALL {
        let world = World::new();
        world.bench.withdraw("v1.0.0").unwrap();
        let good = "print('work', V)";
        world.publish("v1.0.0", app_of(life, "v1.0.0", good));
        world.publish("v1.1.0", app_of(life, "v1.1.0", good));
        let board = world.board();
        // Its days are seconds. Chance has no say.
        let main = crate::common::text(&board, "/main.py");
        let main = main.replace("updates.look)", "updates.look, reset=0, power=0, wake=0)");
        board.write("/main.py", main.as_bytes()).unwrap();
        let soon = crate::common::text(&board, "/app.py").replace("due(24", "due(1 / 3600");
        board.write("/app.py", soon.as_bytes()).unwrap();
        let options = json!({"boots": 14, "limit_ms": 9000, "sleep_divide": 10});
        let end = if life == Life::Sleeps { End::Sleep } else { End::Unplugged };
        let run = run_with(&board, &options);
        assert_eq!(version(&board), confirmed("v1.1.0"), "{life}: {}", run.output);
        assert!(run.output.contains("work v1.1.0"), "{life}: {}", run.output);
        assert_eq!(run.end, end, "{life}: {}", run.output);
        // A broken one goes back, and the old one works.
        let soon = crate::common::text(&board, "/app.py").replace("due(24", "due(1 / 3600");
        board.write("/app.py", soon.as_bytes()).unwrap();
        world.publish("v1.2.0", app_of(life, "v1.2.0", "{}['broken']"));
        let end = if life == Life::Full { End::Reset } else { end }; // its looks are restarts
        let run = run_with(&board, &options);
        assert!(run.output.contains("v1.2.0 is blocked: KeyError"), "{life}: {}", run.output);
        assert_eq!((version(&board), run.end), (confirmed("v1.1.0"), end), "{life}: {}", run.output);
        ran += 1;
    }
    println!("  cases {ran}: templates");
    assert_eq!(ran, 4);
}

/// Each way in which people write down a Wi-Fi, and what the template finds.
const SECRETS: [(&str, &str); 17] = [
    ("CONFIG = {'ssid': 'home', 'password': 'pw'}", "[('home', 'pw')]"),
    ("SSID = 'home'\nPASSWORD = 'pw'", "[('home', 'pw')]"),
    ("ssid = 'home'\npassword = 'pw'", "[('home', 'pw')]"),
    ("WIFI_SSID = 'home'\nWIFI_PASSWORD = 'pw'", "[('home', 'pw')]"),
    ("wifi_ssid = 'home'\nwifi_pass = 'pw'", "[('home', 'pw')]"),
    ("WLAN_SSID = 'home'\nPSK = 'pw'", "[('home', 'pw')]"),
    ("secrets = {'ssid': 'home', 'password': 'pw', 'timezone': 'UTC'}", "[('home', 'pw')]"),
    ("secrets = {'WIFI_SSID': 'home', 'WIFI_PW': 1, 'pw': 'pw'}", "[('home', 'pw')]"),
    ("wifi = {'ssid': 'home', 'key': 'pw'}", "[('home', 'pw')]"),
    ("SSID = 'home'\nDNS = ('1.1.1.1', '8.8.8.8')\nPORTS = [1, 2]", "[('home', None)]"),
    (
        "networks = [{'ssid': 'home', 'password': 'pw'}, {'ssid': 'b', 'psk': 'q'}]",
        "[('home', 'pw'), ('b', 'q')]",
    ),
    ("NETWORKS = [('home', 'pw'), ('b', None)]", "[('home', 'pw'), ('b', None)]"),
    ("wifi = ('home', 'pw')", "[('home', 'pw')]"),
    ("KNOWN_NETWORKS = {'home': 'pw'}", "[('home', 'pw')]"),
    ("secrets = {'wifi': [['home', 'pw']]}", "[('home', 'pw')]"),
    ("TOKEN = 'x'", "no Wi-Fi: secrets.py has no name of a network (SSID)"),
    ("SSID = ''\nPASSWORD = ''", "no Wi-Fi: secrets.py has no name of a network (SSID)"),
];

#[test]
fn the_usual_kinds_of_secrets_are_read() {
    let world = World::new();
    let main = "import wifi\nimport ota_updater\ntry:\n    print('found', wifi.networks())\nexcept ota_updater.OtaError as e:\n    print('found', e)\nimport machine\nmachine.deepsleep(1)\n";
    let board = world.board();
    board.write("/wifi.py", template("wifi.py").as_bytes()).unwrap();
    board.write("/main.py", main.as_bytes()).unwrap();
    let found =
        |log: &str| log.lines().find_map(|l| l.strip_prefix("found ")).unwrap_or("nothing").to_owned();
    let mut ran = 0;
    for (secrets, want) in SECRETS {
        board.write("/secrets.py", secrets.as_bytes()).unwrap();
        let log = board.run().unwrap().output;
        assert_eq!(found(&log), want, "{secrets}: {log}");
        ran += 1;
    }
    assert!(board.run().unwrap().output.contains("was searched for ssid wifi_ssid"), "which names");
    board.remove("/secrets.py").unwrap();
    let log = board.run().unwrap().output;
    assert!(
        found(&log).starts_with("no Wi-Fi: secrets.py is not on the board, with the lines SSID"),
        "{log}"
    );
    println!("  cases {}: kinds of secrets.py", ran + 1);
    assert_eq!(ran, 17);
}

/// The template with this app, and no look before it: chance would have one at every sixteenth start.
fn in_turn(app: &str) -> App {
    with_template("v1.0.0", app).replacing("main.py", "updates.look)", "updates.look, power=0)")
}

#[test]
fn the_template_says_what_is_wrong_with_network_and_clock() {
    let app = "import machine\nimport ota_main\ndef run():\n    ota_main.look()\n    machine.deepsleep(1)\n";
    let mut ran = 0;
    // No Wi-Fi: which one, and what the port says.
    let status = "import network\nnetwork.STAT_WRONG_PASSWORD = 1\n";
    for (before, said) in [("", "no Wi-Fi: home: status 1"), (status, "no Wi-Fi: home: STAT_WRONG_PASSWORD")]
    {
        let world = World::new();
        let board = world.board();
        for (path, content) in in_turn(&format!("{before}{app}")).0 {
            board.write(&format!("/{path}"), &content).unwrap();
        }
        board.write("/secrets.py", b"SSID = 'home'\nPASSWORD = 'pw'\n").unwrap();
        let options = json!({"wifi": false, "sleep_divide": 1000, "limit_ms": 60_000});
        let run = run_with(&board, &options);
        assert!(run.output.contains(&format!("ota W no update: {said}")), "{}", run.output);
        assert_eq!((run.end, run.writes), (End::Sleep, 0), "{}", run.output);
        ran += 1;
    }
    // No answer of the time server: over http it goes on.
    let world = World::new();
    world.publish("v1.1.0", tiny("v1.1.0"));
    let board = world.board();
    let no_time = "import ntptime\ndef settime():\n    raise OSError(110)\nntptime.settime = settime\n";
    for (path, content) in in_turn(&format!("{no_time}{app}")).0 {
        board.write(&format!("/{path}"), &content).unwrap();
    }
    let run = run_with(&board, &json!({"clock": 946_684_800, "boots": 1}));
    assert!(
        run.output.contains("ota W the clock is not set: no answer of the time server"),
        "{}",
        run.output
    );
    assert!(run.output.contains("v1.1.0 is staged"), "{}", run.output);
    ran += 1;
    println!("  cases {ran}: what is wrong with the network");
    assert_eq!(ran, 3);
}

#[test]
fn fault_58_the_template_feeds_the_watchdog_while_it_waits_for_the_network() {
    let feeds = "import machine\nimport ota_main\nimport updates\nwdt = machine.WDT(timeout=1000)\n";
    let look = "def run():\n    ota_main.look()\n    machine.deepsleep(1)\n";
    let mut ran = 0;
    for (feed, end) in [("updates.CONFIG['feed'] = wdt.feed\n", End::Sleep), ("", End::Watchdog)] {
        let world = World::new();
        let board = world.board();
        let app =
            in_turn(&format!("{feeds}{feed}{look}")).replacing("wifi.py", "seconds=20, ", "seconds=4, ");
        for (path, content) in app.0 {
            board.write(&format!("/{path}"), &content).unwrap();
        }
        board.write("/secrets.py", b"SSID = 'home'\nPASSWORD = 'pw'\n").unwrap();
        let run = run_with(&board, &json!({"wifi": false, "boots": 1}));
        assert_eq!(run.end, end, "{feed:?}: {}", run.output);
        assert_eq!(run.output.contains("no Wi-Fi: home"), !feed.is_empty(), "{}", run.output);
        ran += 1;
    }
    println!("  cases {ran}: watchdogs and no network");
    assert_eq!(ran, 2);
}
