//! Nothing secret gets into a release unless it is asked for by name.

#![allow(clippy::unwrap_used, reason = "what cannot go on here is a failed test")]

mod common;

use common::App;

/// Files that must not be released, with what is in them.
fn secrets() -> Vec<(&'static str, String)> {
    vec![
        ("secrets.py", String::new()),
        ("lib/WIFI_CONFIG.py", String::new()),
        (".env", String::new()),
        ("cert.pem", String::new()),
        ("id_ed25519", String::new()),
        ("lib/key.txt", "-----BEGIN EC PRIVATE KEY-----\n".to_owned()),
        ("config.py", format!("TOKEN = 'ghp_{}'\n", "x7".repeat(18))),
        ("net.py", "wlan.connect('home', 'hunter2')\n".to_owned()),
        ("settings.json", "{\"wifi\": {\"password\": \"hunter2\"}}\n".to_owned()),
        ("settings.toml", "psk = \"hunter2\"\n".to_owned()),
        ("settings.ini", "passphrase = hunter2\n".to_owned()),
    ]
}

#[test]
fn a_secret_is_refused_and_is_released_when_asked_for_by_name() {
    let mut tried = 0;
    for (path, content) in secrets() {
        let app = App::new();
        app.write(path, content);
        if path.starts_with('.') {
            app.write("mpota.toml", "project = \"octo/weather\"\ninclude = [\"**\", \".*\"]\n");
        }
        app.run("build --version v1.0.0").refused(&[path, &format!("--allow-secret {path}")]);
        assert!(!app.path("dist").exists());
        app.run("build --version v1.0.0 --allow-secret main.py").refused(&[path]);
        app.run(&format!("build --version v1.0.0 --allow-secret {path}")).ok();
        assert!(app.released().contains(&path.to_owned()));
        tried += 1;
    }
    println!("  cases {tried}: secrets refused and asked for");
    assert_eq!(tried, 11);
}

#[test]
fn what_is_asked_for_by_name_comes_in_past_gitignore_and_exclude() {
    let app = App::new();
    app.write(".gitignore", "secrets.py\n");
    app.write("secrets.py", "");
    app.write("lib/secrets.py", "");
    app.write("mpota.toml", "project = \"octo/weather\"\nexclude = [\"lib/secrets.py\"]\n");
    app.run("build --version v1.0.0").ok();
    assert_eq!(app.released(), ["boot.py", "lib/util.py", "main.py"]);
    app.run("build --version v1.0.0 --allow-secret secrets.py --allow-secret ./lib/secrets.py").ok();
    assert_eq!(app.released(), ["boot.py", "lib/secrets.py", "lib/util.py", "main.py", "secrets.py"]);
    app.run("build --version v1.0.0 --allow-secret gone.py").refused(&["gone.py"]);
}

#[test]
fn a_link_with_a_harmless_name_does_not_carry_a_secret_in() {
    let app = App::new();
    app.write("mpota.toml", "project = \"octo/weather\"\nexclude = [\"secrets.py\"]\n");
    app.write("secrets.py", "");
    std::os::unix::fs::symlink("secrets.py", app.path("settings.py")).unwrap();
    app.run("build --version v1.0.0").refused(&["settings.py"]);
}

#[test]
fn the_line_is_told_and_the_secret_is_not() {
    let app = App::new();
    app.write("lib/net.py", "ssid = 'home'\n\npassword = 'hunter2'\n");
    let said = app.run("build --version v1.0.0").refused(&["lib/net.py, line 3", "password"]);
    assert!(!said.err.contains("hunter2"), "{}", said.err);
}

#[test]
fn a_link_is_read_as_what_it_leads_to() {
    let app = App::new();
    app.write("mpota.toml", "project = \"octo/weather\"\nexclude = [\"net.py\"]\n");
    app.write("net.py", "password = 'hunter2'\n");
    std::os::unix::fs::symlink("net.py", app.path("data.bin")).unwrap();
    app.run("build --version v1.0.0").refused(&["data.bin, line 1"]);
}

#[test]
fn fault_69_all_secrets_are_told_in_one_run() {
    let app = App::new();
    app.write("lib/net.py", "NETWORKS = [\n    ('home', 'hunter22'),\n    ('office', 'hunter33'),\n]\n");
    app.write("wifi.dat", "home;hunter22\n");
    app.write("settings.py.bak", "\nMQTT = MQTTClient('id', 'server', 1883, 'user', 'hunter22')\n");
    app.write("secrets.py~", "");
    let places = [
        "lib/net.py, line 2",
        "lib/net.py, line 3",
        "wifi.dat, line 1",
        "settings.py.bak, line 2",
        "secrets.py~",
    ];
    let files = ["lib/net.py", "wifi.dat", "settings.py.bak", "secrets.py~"];
    let build = "build --version v1.0.0".to_owned();
    let commands = [
        build.clone(),
        format!("manifest --version v1.0.0 boot.py {}", files.join(" ")),
        "publish --version v1.0.0 --dry-run".to_owned(),
    ];
    for command in &commands {
        let said = app.run(command).refused(&places);
        assert!(!said.err.contains("hunter"), "{command}: {}", said.err);
        assert!(
            files.iter().all(|file| said.err.contains(&format!("--allow-secret {file}"))),
            "{}",
            said.err
        );
    }
    let allowed: String = files.iter().map(|file| format!(" --allow-secret {file}")).collect();
    app.run(&(build + &allowed)).ok();
    println!("  cases {}: commands that tell {} secrets", commands.len(), places.len());
}

#[test]
fn manifest_refuses_secrets_too() {
    let app = App::new();
    app.write("secrets.py", "");
    app.run("manifest --version v1.0.0 boot.py secrets.py").refused(&["secrets.py", "--allow-secret"]);
    app.run("manifest --version v1.0.0 boot.py secrets.py --allow-secret secrets.py").ok();
    app.run("manifest --version v1.0.0 boot.py --allow-secret secrets.py").refused(&["not one of the files"]);
}
