//! The sample app of Home Assistant on a board, with a real broker between it and who presses "Install".

#![allow(clippy::unwrap_used, reason = "these are tests")]

#[path = "home_assistant/broker.rs"]
mod broker;
mod common;
#[path = "home_assistant/leash.rs"]
mod leash;

use broker::{Broker, Message};
use common::{World, confirmed, version};
use leash::Leash;
use mpota::release::build::{BuildOptions, build};
use mpota_vboard::bench::{App, config, write_file};
use mpota_vboard::{Board, Run, repository};
use serde_json::{Value, json};
use std::thread::{ScopedJoinHandle, scope};

/// What <https://www.home-assistant.io/integrations/update.mqtt> lists for the entity.
const ENTITY: [&str; 31] = [
    "availability",
    "availability_topic",
    "availability_mode",
    "availability_template",
    "payload_available",
    "payload_not_available",
    "command_topic",
    "default_entity_id",
    "device",
    "device_class",
    "display_precision",
    "enabled_by_default",
    "encoding",
    "entity_category",
    "entity_picture",
    "icon",
    "json_attributes_template",
    "json_attributes_topic",
    "latest_version_template",
    "latest_version_topic",
    "name",
    "origin",
    "payload_install",
    "qos",
    "release_summary",
    "release_url",
    "retain",
    "state_topic",
    "title",
    "unique_id",
    "value_template",
];

/// The id of every virtual board: "virtual!" in hex.
const ID: &str = "7669727475616c21";

/// A board with the sample app, the server of its releases, and a broker.
struct Home {
    world: World,
    broker: Broker,
    leash: Leash,
}

impl Home {
    fn new() -> Self {
        let world = World::new();
        world.bench.withdraw("v1.0.0").unwrap();
        let home = Self { world, broker: Broker::start(), leash: Leash::new() };
        home.world.publish("v1.0.0", home.app("v1.0.0"));
        home
    }

    /// The sample app, which looks every few seconds, and has something to download.
    fn app(&self, version: &str) -> App {
        let app = mpota_vboard::broker::home_assistant().unwrap();
        let source = String::from_utf8(app.0["app.py"].clone()).unwrap();
        assert!(source.contains("HOURS = 24 ") && source.contains("    pass  # your code"), "{source}");
        let mut seed = version.bytes().fold(7_u32, |seed, byte| (seed << 5) ^ u32::from(byte));
        let noise = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 24) as u8
        });
        app.replacing("app.py", "HOURS = 24 ", "HOURS = 0.0005 ")
            .replacing("home_assistant.py", "KEEPALIVE = 60 ", "KEEPALIVE = 6000 ") // the board says nothing unasked
            .replacing("app.py", "Greenhouse", "Gew\u{e4}chshaus")
            .replacing("app.py", "    pass  # your code", &self.leash.work())
            .with("noise.bin", noise.take(60_000).collect::<Vec<u8>>())
    }

    fn board(&self) -> Board {
        let server = format!("'{}'", self.world.server.base_url());
        let own = config(&[("base_url", &server)])
            + &format!("BROKER = {{'server': '127.0.0.1', 'port': {}}}\n", self.broker.port);
        let folder =
            self.world.bench.board_folder("v1.0.0", self.world.agent, &[("secrets.py", own.as_bytes())]);
        Board::with_size(&self.world.micropython, self.world.file_system, self.world.flash, &folder.unwrap())
            .unwrap()
    }

    /// Waits for a state of which this is a part, and gives the whole.
    fn state(&self, part: &Value) -> Value {
        let fits = |message: &Message| {
            message.topic == topic("state") && {
                let state = message.json();
                part.as_object().unwrap().iter().all(|(key, value)| state.get(key) == Some(value))
            }
        };
        self.broker.wait(&format!("a state with {part}"), fits).json()
    }

    fn press_install(&self) {
        self.broker.publish(&topic("command"), "install");
    }

    /// Waits for the board to be called this.
    fn available(&self, how: &str) {
        self.broker.wait(how, |message| message.topic == topic("available") && message.text == how);
    }

    /// Unplugs the board.
    fn end(&self, board: ScopedJoinHandle<'_, Run>) -> String {
        self.leash.pull();
        let output = board.join().unwrap().output;
        eprintln!("{output}");
        output
    }
}

fn topic(below: &str) -> String {
    format!("mpota/{ID}/{below}")
}

fn live(board: &Board) -> Run {
    board.run_with(&json!({"limit_ms": 300_000})).unwrap()
}

fn is_a_state(state: &Value) {
    let state = state.as_object().unwrap();
    for (key, value) in state {
        let good = match key.as_str() {
            "installed_version" | "latest_version" | "release_url" => {
                value.as_str().is_some_and(|s| !s.is_empty())
            }
            "release_summary" => value.as_str().is_some_and(|s| s.chars().count() < 256),
            "in_progress" => value.is_boolean(),
            "update_percentage" => value.is_null() || value.as_u64().is_some_and(|n| n <= 100),
            _ => false,
        };
        assert!(good, "Home Assistant refuses {key}: {state:?}");
    }
}

#[test]
fn an_update_is_installed_when_home_assistant_says_so_and_not_before() {
    let home = Home::new();
    let board = home.board();
    scope(|threads| {
        let _guard = home.leash.guard();
        let running = threads.spawn(|| live(&board));
        let discovery = home.broker.wait("discovery", |m| m.topic.starts_with("homeassistant/"));
        assert_eq!(discovery.topic, format!("homeassistant/update/mpota-{ID}/config"));
        let entity = discovery.json();
        for key in entity.as_object().unwrap().keys() {
            assert!(ENTITY.contains(&key.as_str()), "not a key of Home Assistant: {key}");
        }
        for (key, value) in [
            ("state_topic", topic("state")),
            ("command_topic", topic("command")),
            ("availability_topic", topic("available")),
            ("payload_install", "install".into()),
            ("unique_id", format!("mpota-{ID}")),
            ("title", "weather".into()),
            ("device_class", "firmware".into()),
        ] {
            assert_eq!(entity[key], value, "{key}");
        }
        assert_eq!(entity["device"]["name"], "Gew\u{e4}chshaus");
        assert_eq!(entity["device"]["identifiers"], json!([format!("mpota-{ID}")]));
        home.available("online");
        home.state(&json!({"installed_version": "v1.0.0", "latest_version": "v1.0.0", "in_progress": false}));

        // What the broker says of a connection that was lost before comes late.
        home.broker.publish(&topic("available"), "offline");
        home.available("offline");
        home.available("online");

        home.world.publish("v1.1.0", home.app("v1.1.0"));
        let offered =
            json!({"installed_version": "v1.0.0", "latest_version": "v1.1.0", "in_progress": false});
        let state = home.state(&offered);
        let url = format!("{}/octo/weather/releases/tag/v1.1.0", home.world.server.base_url());
        assert_eq!(state["release_url"], url);
        home.broker.publish(&topic("command"), "uninstall");
        for _ in 0..3 {
            home.state(&offered); // it looks again and again, and installs nothing
        }

        home.press_install();
        let trial = json!({"installed_version": "v1.0.0", "latest_version": "v1.1.0", "in_progress": true,
            "release_summary": "v1.1.0 is on trial"});
        home.available("offline"); // the restart
        home.available("online");
        home.state(&trial);
        let done = json!({"installed_version": "v1.1.0", "latest_version": "v1.1.0", "in_progress": false,
            "update_percentage": null, "release_summary": ""});
        home.state(&done);
        let log = home.end(running);
        assert_eq!(log.matches("trial of v1.1.0").count(), 1, "{log}");
        home.available("offline");
    });
    assert_eq!(version(&board), confirmed("v1.1.0"));

    let states: Vec<Value> =
        home.broker.all().iter().filter(|m| m.topic == topic("state")).map(Message::json).collect();
    states.iter().for_each(is_a_state);
    let percent: Vec<u64> = states.iter().filter_map(|s| s["update_percentage"].as_u64()).collect();
    assert!(percent.len() > 5 && percent.is_sorted() && percent[0] == 0, "{percent:?}");
    assert!(
        states.iter().all(|s| s["update_percentage"].is_null() || s["in_progress"] == true),
        "{states:?}"
    );
    println!("  cases {}: states, {} of them with a percentage", states.len(), percent.len());

    // What Home Assistant finds when it starts later.
    let retained = home.broker.retained();
    let text = |topic: &str| retained.iter().find(|m| m.topic == topic).map(|m| m.text.clone());
    assert_eq!(retained.len(), 3, "{retained:?}");
    assert!(text(&format!("homeassistant/update/mpota-{ID}/config")).is_some());
    assert_eq!(text(&topic("available")).as_deref(), Some("offline"));
    assert!(text(&topic("state")).unwrap().contains("\"installed_version\": \"v1.1.0\""));
}

#[test]
fn a_broken_release_comes_back_and_home_assistant_is_told_why() {
    let home = Home::new();
    let broken =
        home.app("v1.1.0").replacing("app.py", "NAME = ", "raise ValueError('no sensor \u{b0}C')\nNAME = ");
    home.world.publish("v1.1.0", broken);
    let board = home.board();
    scope(|threads| {
        let _guard = home.leash.guard();
        let running = threads.spawn(|| live(&board));
        home.state(&json!({"installed_version": "v1.0.0", "latest_version": "v1.1.0"}));
        home.press_install();
        home.available("offline");
        home.available("online");
        // The version that came back is no news: Home Assistant shows no update.
        let back = json!({"installed_version": "v1.0.0", "latest_version": "v1.0.0", "in_progress": false});
        let told = home.state(&back)["release_summary"].as_str().unwrap().to_owned();
        assert!(told.starts_with("v1.1.0 was undone: ") && told.contains("ValueError"), "{told}");

        home.world.publish("v1.2.0", home.app("v1.2.0"));
        home.state(&json!({"latest_version": "v1.2.0"}));
        let pack = home.world.bench.release_dir("v1.2.0").join("weather-v1.2.0.pack");
        let content = std::fs::read(&pack).unwrap();
        std::fs::remove_file(&pack).unwrap();
        home.press_install();
        let failed = |m: &Message| m.topic == topic("state") && m.text.contains("not installed: ");
        let failed = home.broker.wait("a failure", failed).json();
        assert_eq!((&failed["in_progress"], &failed["update_percentage"]), (&json!(false), &Value::Null));
        std::fs::write(&pack, content).unwrap();
        home.press_install();
        home.state(&json!({"installed_version": "v1.2.0", "in_progress": false, "release_summary": ""}));
        home.end(running);
    });
    assert_eq!(version(&board), confirmed("v1.2.0"));
    home.broker.all().iter().filter(|m| m.topic == topic("state")).for_each(|m| is_a_state(&m.json()));
}

/// v1.1.0 has this line at its top; it is tried, and not kept, until `seen`.
fn is_not_kept(line: &str, seen: impl FnOnce(&Home)) -> String {
    let home = Home::new();
    let app = home.app("v1.1.0").replacing("app.py", "NAME = ", &format!("{line}\nNAME = "));
    home.world.publish("v1.1.0", app);
    let board = home.board();
    let log = scope(|threads| {
        let _guard = home.leash.guard();
        let running = threads.spawn(|| live(&board));
        home.state(&json!({"installed_version": "v1.0.0", "latest_version": "v1.1.0"}));
        home.press_install();
        home.available("offline");
        seen(&home);
        home.end(running)
    });
    assert!(log.contains("trial of v1.1.0") && !log.contains("v1.1.0 is installed"), "{log}");
    assert!(!version(&board).1, "{:?}", version(&board));
    log
}

#[test]
fn a_version_that_does_not_reach_the_broker_is_not_kept() {
    let log = is_not_kept("wifi.secrets.BROKER['port'] = 1", |home| {
        home.leash.turns(10); // in the first of them it looks for an update, and that is a success
    });
    assert!(log.contains("no broker: "), "{log}");
}

#[test]
fn a_version_that_does_not_reach_the_update_server_is_not_kept() {
    let line = "updates.CONFIG.update({'base_url': 'http://127.0.0.1:1', 'limits': {'retries': 1}})";
    is_not_kept(line, |home| {
        home.available("online");
        let wrong = |m: &Message| m.topic == topic("state") && m.text.contains("no look for a new version: ");
        let state = home.broker.wait("an error", wrong).json();
        is_a_state(&state);
        assert_eq!(state["in_progress"], true);
        home.leash.turns(5);
    });
}

#[test]
fn a_broker_that_was_silent_or_gone_is_found_again_and_told_everything() {
    let home = Home::new();
    home.world.bench.withdraw("v1.0.0").unwrap();
    let from = "connect(self, clean_session=True):\n        self.sock = socket.socket()\n";
    let to = "connect(self, clean_session=True, timeout=None):\n        self.sock = socket.socket()\n        \
              self.sock.settimeout(timeout)\n";
    let app = home.app("v1.0.0");
    let quick =
        [("KEEPALIVE = 6000", "KEEPALIVE = 2"), ("RETRY = 15", "RETRY = 1"), ("TIMEOUT = 10", "TIMEOUT = 1")];
    let source = |app: &App, path: &str| String::from_utf8(app.0[path].clone()).unwrap();
    assert!(quick.iter().all(|(from, _)| source(&app, "home_assistant.py").contains(from)));
    assert!(source(&app, "lib/umqtt/simple.py").contains(from));
    // As umqtt is since it has a timeout.
    let app = app.replacing("lib/umqtt/simple.py", from, to);
    let app = quick.iter().fold(app, |app, (from, to)| app.replacing("home_assistant.py", from, to));
    home.world.publish("v1.0.0", app);
    let board = home.board();
    scope(|threads| {
        let _guard = home.leash.guard();
        let running = threads.spawn(|| live(&board));
        let here = json!({"installed_version": "v1.0.0"});
        home.state(&here);
        for _ in 0..3 {
            let next = home.broker.wait("a word", |m| m.topic == topic("available"));
            assert_eq!(next.text, "online", "the board speaks before the broker gives it up");
        }
        home.broker.signal("STOP");
        home.leash.turns(80); // the app goes on
        home.broker.signal("CONT");
        home.available("offline");
        home.available("online");
        home.state(&here);

        home.broker.kill();
        let new = Broker::at(home.broker.port);
        new.wait("discovery", |m| m.topic.starts_with("homeassistant/"));
        new.wait("online", |m| m.topic == topic("available") && m.text == "online");
        new.wait("a state", |m| m.topic == topic("state") && m.json()["installed_version"] == "v1.0.0");
        let log = home.end(running);
        assert!(log.contains("the broker is gone: it does not answer"), "{log}");
        assert_eq!(log.matches("board: ").count(), 2, "one start, and its end: {log}");
    });
}

#[test]
fn the_folder_that_the_guide_describes_makes_a_release() {
    let folder = tempfile::tempdir().unwrap();
    // As `mpota init` writes it.
    let toml = std::fs::read_to_string(repository().join("crates/mpota/src/app/mpota.toml")).unwrap();
    let app = mpota_vboard::broker::home_assistant()
        .unwrap()
        .with("mpota.toml", toml.replace("owner/name", "octo/weather"))
        .with("secrets.py", "SSID = 'octo'\n");
    for (path, content) in &app.0 {
        write_file(&folder.path().join(path), content).unwrap();
    }
    // The updater is put onto the board by `mpota install`.
    let mut options = BuildOptions::load(folder.path()).unwrap();
    options.version = Some("v1.0.0".into());
    let output = folder.path().join("dist");
    options.output = Some(output.clone());
    build(&options).unwrap();
    let manifest = std::fs::read_to_string(output.join("manifest.json")).unwrap();
    let mut ran = 0;
    for path in app.0.keys().filter(|path| !["mpota.toml", "secrets.py"].contains(&path.as_str())) {
        assert!(manifest.contains(&format!("\"{path}\"")), "{path}: {manifest}");
        ran += 1;
    }
    assert!(!manifest.contains("secrets.py"), "{manifest}");
    println!("  cases {ran}: files of the sample app");
    assert_eq!(ran, 7);
}
