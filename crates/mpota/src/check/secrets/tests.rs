use super::*;

mod people;

fn suspicion(path: &str, bytes: &[u8]) -> Option<Suspicion> {
    suspicions(path, bytes).into_iter().next()
}

#[test]
fn secrets_are_known_by_name_in_any_folder_and_letter_case() {
    let names = ["secrets.py", "lib/Secrets.py", "WIFI_CONFIG.py", ".env", ".env.local", "a/k.PEM"];
    for name in names {
        assert!(suspicion(name, b"").is_some(), "{name}");
    }
    for name in ["main.py", "secrets_test.py", "environment.py", "lib/pem.py"] {
        assert!(suspicion(name, b"").is_none(), "{name}");
    }
}

#[test]
fn private_keys_and_tokens_are_known_by_content() {
    let token = format!("TOKEN = \"ghp_{}\"", "a1".repeat(18));
    let fine_grained = format!("github_pat_{}", "Z9".repeat(41));
    let gitlab = format!("x = 'glpat-{}'", "a-1_Z".repeat(4));
    let aws = format!("AKIA{}", "Z9".repeat(8));
    let slack = ["b", "p"].map(|kind| format!("xox{kind}-{}", "123456789012-".repeat(2)));
    let yes = [
        "-----BEGIN PRIVATE KEY-----\n",
        "x = '''-----BEGIN OPENSSH PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----",
        &token,
        &fine_grained,
        &gitlab,
        &aws,
        &slack[0],
        &slack[1],
    ];
    for text in yes {
        assert!(suspicion("x.bin", text.as_bytes()).is_some(), "{text}");
    }
    let short = "ghp_short and not_ghp_".to_owned() + &"a".repeat(40);
    let no = [
        "-----BEGIN CERTIFICATE-----\n",
        "-----BEGIN PUBLIC KEY-----",
        "starts = line == '-----BEGIN RSA PRIVATE KEY-----'",
        &short,
        "glpat-short",
        "AKIASHORT",
        "MAKIAWOODENCHAIRSANDTABLES",
        "xoxb-short",
    ];
    for text in no {
        assert!(suspicion("x.bin", text.as_bytes()).is_none(), "{text}");
    }
    println!("  cases {}: tokens and keys by content", yes.len() + no.len());
    assert_eq!((yes.len(), no.len()), (9, 8));
}

/// Each text in a file of this name; the last line is the one that has it.
#[track_caller]
fn table(path: &str, yes: &[&str], no: &[&str]) -> usize {
    for text in yes {
        let found = suspicion(path, text.as_bytes()).unwrap_or_else(|| panic!("{path}: not seen: {text}"));
        assert_eq!(found.line, Some(text.trim_end().lines().count()), "{path}: {text}");
        assert!(!found.why.contains("hunter2"), "{path}: the secret is told: {}", found.why);
    }
    for text in no {
        let found = suspicion(path, text.as_bytes());
        assert!(found.is_none(), "{path}: {found:?} in {text}");
    }
    yes.len() + no.len()
}

#[test]
fn passwords_in_python_are_known_by_the_name_of_what_holds_them() {
    let yes = [
        "PASSWORD = 'hunter2'",
        "ssid = 'home'\nwifi_password = 'hunter2'",
        "WIFI_PASS = \"hunter2\"",
        "wlan_key = 'hunter2'",
        "psk = b'hunter2'",
        "wifiPassphrase = 'hunter2 hunter2'",
        "passwd: str = 'hunter2'",
        "self.mqtt_password = 'hunter2'",
        "SSID, PASSWORD = 'home', 'hunter2'",
        "password2 = 'hunter2'",
        "config['password'] = 'hunter2'",
        "CONFIG = {\n    'ssid': 'home',\n    'password': 'hunter2'}",
        "connect(password='hunter2')",
        "def connect(ssid, password='hunter2'): pass",
        "wlan.connect('home', 'hunter2')",
        "wlan.connect('home', key='hunter2')",
        "ap.config(ssid='x', key='hunter2!')",
        "client_secret = 'hunter2'",
        "API_KEY = 'hunter2hunter2'",
        "token = 'hunter2hunter2'",
        "def f():\n    if x:\n        password = 'hunter2'",
    ];
    let no = [
        "password = ''",
        "password = None",
        "password = input('password: ')",
        "password = secrets.PASSWORD",
        "password = CONFIG['password']",
        "password = f'{x}'",
        "wlan.connect(ssid, password)",
        "wlan.connect(CONFIG['ssid'], CONFIG['password'])",
        "wlan.connect('home', '')",
        "sock.connect(('example.com', 80))",
        "# password = 'hunter2'",
        "'''password = 'hunter2' '''",
        "if password == 'hunter2': pass",
        "print('password', 'hunter2')",
        "password = 'your-password'",
        "password = '<password>'",
        "password = 'xxxx'",
        "password = 'XXXX-xxxx'",
        "password = 'changeme'",
        "password = 'password'",
        "password = 'MY_WIFI_PASSWORD'",
        "password = '********'",
        "password = '...'",
        "password = 'Enter your password here'",
        "token_url = 'https://example.org/token2'",
        "password_file = '/data/hunter2'",
        "token = 'NUMBER'",
        "self.token = '('",
        "token = 'https://example.org/1234567890'",
        "keyboard = 'hunter2'",
        "passenger = 'hunter2'",
        "monkey = 'hunter2'",
        "key = 'hunter2'",
        "bypass_filter = 'hunter2'",
    ];
    let cases = table("config.py", &yes, &no);
    println!("  cases {cases}: passwords in Python");
    assert_eq!((yes.len(), no.len()), (21, 34));
}

#[test]
fn passwords_in_json_and_toml_are_known_by_their_keys() {
    let json = [
        "{\"password\": \"hunter2\"}",
        "{\"wifi\": [\n{\"ssid\": \"home\",\n\"psk\": \"hunter2\"}]}",
        "{\"apiKey\": \"hunter2hunter2\"}",
        // A comment: no JSON, and read all the same.
        "{ // mine\n\"password\": \"hunter2\",",
    ];
    let no_json = [
        "{}",
        "{\"password\": \"\"}",
        "{\"password\": null}",
        "{\"password\": {\"min\": 8}}",
        "{\"name\": \"password\"}",
        "{\"password\": \"<your password>\"}",
        "{\"password_hint\": \"hunter2\"}",
    ];
    let toml = [
        "password = \"hunter2\"",
        "[wifi]\nssid = \"home\"\npassword = 'hunter2'",
        "mqtt.password = 'hunter2'",
    ];
    let no_toml = [
        "password = \"\"",
        "password = true",
        "[password]\nmin = 8",
        "name = \"password\"",
        "# password = 'hunter2'",
    ];
    let cases = table("a/settings.json", &json, &no_json) + table("settings.toml", &toml, &no_toml);
    println!("  cases {cases}: passwords in JSON and TOML");
    assert_eq!(cases, 19);
}

#[test]
fn passwords_in_files_of_lines_are_known_by_the_words_before_them() {
    let yes = [
        "password = hunter2",
        "[wifi]\npassword=hunter2",
        "wifi:\n  - ssid: home\n    password: hunter2",
        "export API_TOKEN='hunter2hunter2'",
        "\"password\": \"hunter2\"",
        "Wifi password: hunter2",
        "wifi.psk = hunter2 # at home",
        "- password: hunter2",
        "password: 12345678",
    ];
    let no = [
        "# password = hunter2",
        "; password = hunter2",
        "// password: hunter2",
        "password =",
        "password: ''",
        "password: !secret wifi_password",
        "password: ${WIFI_PASSWORD}",
        "password = $WIFI_PASSWORD",
        "password: |",
        "password: !vault router2",
        "password: *router2",
        "password: none",
        "password = changeme",
        "token: true",
        "password",
        "whoever has the password: hunter2 or another one",
        "tokens = 512",
    ];
    let mut cases = 0;
    for path in ["a.ini", "a.cfg", "a.env", "a.txt", "a.yaml", "A.YML", "a.conf"] {
        cases += table(path, &yes, &no);
    }
    cases += table("readme.txt", &[], &["Password: the one of your router", "Token: ask for one on the web"]);
    cases += table("a.ini", &["passphrase = correct horse hunter2"], &[]);
    cases += table("a.csv", &[], &["password = hunter2"]);
    println!("  cases {cases}: passwords in files of lines");
    assert_eq!(cases, 7 * 26 + 4);
}

#[test]
fn everything_in_a_file_is_told_once() {
    let text = "PASSWORD = 'hunter2'\nx = 1\nNETWORKS = [\n('a', 'hunter22'),\n('b', 'hunter33')]\n";
    let lines: Vec<Option<usize>> =
        suspicions("a.py", text.as_bytes()).iter().map(|seen| seen.line).collect();
    assert_eq!(lines, [Some(1), Some(4), Some(5)]);
}
