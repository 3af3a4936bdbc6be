//! Secrets as people have them.

use super::*;

/// What people really write, and beside it what looks like it and tells nothing.
#[test]
fn fault_69_networks_without_names_for_their_parts() {
    let yes = [
        "NETWORKS = [('home', 'hunter22'),\n('office', 'your-password')][:]\nWIFIS = [('home', 'hunter22')]",
        "NETWORKS = {'home': 'hunter22'}",
        "WIFI = ('home', 'hunter22')",
        "wifi_config = ['home', 'hunter22']",
        "known_networks = (('home', b'hunter22'),)",
        "self.aps = {\n'home': ('hunter22', '192.168.1.9')}",
        "WIFI_LIST = [{'home': 'hunter22'}]",
        "wifi_networks: list = [['home', 'hunter22']]",
        "passwords = {'home': 'hunter22'}",
        "networks = dict(home='hunter22')",
        "networks = [{'ssid': 'home',\n'pw': 'hunter2'}]",
        "for ssid, password in [('home', 'hunter22')]: pass",
        "for ssid, pw in ((a, b),\n('home', 'hunter22')): pass",
        "WiFiMulti(networks={'home': 'hunter22'})",
        "connect_wifi([('home', 'hunter22')])",
        "CONFIG = {'wlan': ['home', 'hunter22']}",
    ];
    let no = [
        "NETWORKS = [('home', 'your-password')]",
        "NETWORKS = {'home': ''}",
        "WIFI = ('home', None)",
        "WIFI = ('home', PASSWORD)",
        "networks = ['home-network', 'office-network']",
        "wifi = {'ssid': 'home', 'hostname': 'thermometer-7', 'country': 'DE'}",
        "network = ('192.168.1.22', '255.255.255.0', '192.168.1.1')",
        "wifi_status = {'200': 'beacon timeout'}",
        "sensors = [('kitchen', 'temperature-1')]",
        "networks = dict(home='<password>')",
        "for name, unit in [('temperature', 'degrees-2')]: pass",
        "passwords = {'home': read()}",
        "wifi_errors = {'a': 'no access point found'}",
    ];
    let json = ["{\"networks\": [[\"home\",\n\"hunter22\"]]}", "{\"wifi\": {\"home\": \"hunter22\"}}"];
    let no_json =
        ["{\"networks\": [\"home-network\", \"office-network\"]}", "{\"wifi\": {\"ssid\": \"hunter22\"}}"];
    let mut cases = 0;
    for (path, yes, no) in [("net.py", &yes[..], &no[..]), ("net.json", &json[..], &no_json[..])] {
        cases += table(path, yes, no);
    }
    cases += table("net.toml", &["[networks]\nhome = 'hunter22'"], &["[networks]\nhome = '<password>'"]);
    println!("  cases {cases}: networks in lists, dicts and tuples");
    assert_eq!(cases, 35);
}

#[test]
fn fault_69_passwords_by_their_place_in_a_call() {
    let yes = [
        "connect(SSID, 'hunter22')",
        "do_connect('home', 'hunter22')",
        "wlan.connect(SSID, 'hunter22')",
        "wlan.connect(config['ssid'], 'hunter2')",
        "network.WLAN(0).connect('home', 'hunter2')",
        "wlan.connect('home', 'hun' 'ter2')",
        "connect_wifi(name, 'hunter22')",
        "wifi.add_ap('home', 'hunter22')",
        "WifiManager('home', 'hunter22')",
        "start_ap('thermometer', 'hunter22')",
        "wlan.config(password='hunter2')",
        "wlan.connect('home', auth=(WLAN.WPA2, 'hunter2'))",
        "MQTTClient('id', 'server', 1883, 'user', 'hunter2')",
        "umqtt.simple.MQTTClient(ID, SERVER, 0, USER, b'hunter2')",
        "MQTTClient('id', 'server', user='u', password='hunter2')",
        "client.username_pw_set('user', 'hunter2')",
        "ftp.login('user', 'hunter2')",
        "requests.get(url, auth=('user', 'hunter2'))",
        "config['wifi_pw'] = 'hunter2'",
        "config['password'] = 'hunter2'",
        "os.getenv('WIFI_PASSWORD', 'hunter2')",
        "x = cfg.get('password', 'hunter2')",
        "nvs.set_blob('wifi_password', b'hunter2')",
    ];
    let no = [
        "connect(SSID, PASSWORD)",
        "connect(SSID, 'your-password')",
        "do_connect('home', '')",
        "wlan.connect(SSID, config['password'])",
        "sock.connect(address, 'timeout-ms')",
        "connect_wifi(name, 'changeme')",
        "wifi.add_ap('home', '<password>')",
        "start_ap('thermometer', read())",
        "MQTTClient('id', 'server', 1883, 'user', 'password')",
        "MQTTClient('id', 'server', 1883)",
        "MQTTClient('id', 'server', 1883, USER, PASSWORD)",
        "client.username_pw_set('user', PASSWORD)",
        "requests.get(url, auth=(USER, PASSWORD))",
        "os.getenv('WIFI_PASSWORD', '')",
        "cfg.get('name', 'hunter22')",
        "log('connected', 'hunter22 again')",
        "wifi_pins(3, 'pull-up-7') if 0 else wlan.config('mac')",
    ];
    let no = &no[..no.len() - 1];
    let cases = table("net.py", &yes, no);
    println!("  cases {cases}: passwords by their place in a call");
    assert_eq!(cases, 39);
}

#[test]
fn fault_69_passwords_in_other_forms_of_text() {
    let yes = [
        "PASSWORD = const('hunter2')",
        "_PASSWORD = micropython.const('hunter2')",
        "password = f'hunter2'",
        "password = 'hun' 'ter2'",
        "password = 'hun' + 'ter2'",
        "password = ('hun'\n'ter2')\n\nif 1: password = b'hunter2'.decode()",
        "password = bytes('hunter2', 'utf-8')",
        "password = a2b_base64('aHVudGVyMg==')",
        "password = stored or 'hunter2'",
        "password = 'hunter2' if home else None",
        "password = f'{start}hunter22'",
        "password = start + 'hunter22'",
        "URL = 'https://user:' + 'hunter2' + '@host'",
        "URL = 'https://user:' 'hunter2@host'",
        "KEY = '-----BEGIN PRIVATE KEY-----' '\\nMC4C'",
    ];
    let no = [
        "PASSWORD = const('')",
        "PASSWORD = const(0x0e)",
        "password = f'{password}'",
        "password = 'your-' 'password'",
        "password = 'change' + 'me'",
        "password = read().decode()",
        "password = bytes(password, 'utf-8')",
        "password = stored or ''",
        "password = f'{user}-{host}'",
        "password = start + 'word'",
        "URL = 'https://user:' + password + '@host'",
        "password = ''.join(parts)",
    ];
    let lines = |text: &str| text.lines().count();
    let several = yes[5];
    let found = suspicions("a.py", several.as_bytes());
    assert_eq!(found.iter().map(|one| one.line).collect::<Vec<_>>(), [Some(1), Some(lines(several))]);
    let yes: Vec<&str> = yes.into_iter().filter(|text| *text != several).collect();
    let cases = table("net.py", &yes, &no) + 1;
    println!("  cases {cases}: passwords in other forms of text");
    assert_eq!(cases, 27);
}

#[test]
fn fault_69_addresses_and_webhooks() {
    let snow = "123456789012345678";
    let made = "aB3dE5gH7jK9mN1pQ3sT5vX7zA2cD4fG6hJ8";
    let hook = |place: &str| format!("url = 'https://{place}'");
    let yes = [
        "url = 'https://user:hunter2@example.org/x'",
        "url = f'mqtt://user:hunter2@{host}:1883'",
        "# ftp://user:hunter2@example.org",
        &hook(&format!("{made}@example.org/repo.git")),
        "url = 'https://example.org/data?api_key=0a1b2c3d4e'",
        "url = 'https://example.org/data?a=1&token=0a1b2c3d4e'",
        "see https://example.org/?password=hunter2",
        "url = 'https://example.org/w?q=x&appid=0123456789abcdef0123456789abcdef'",
        "h = {'Authorization': 'Bearer 0a1b2c3d4e5f6a7b'}",
        "h = {'Authorization': 'Basic dXNlcjpodW50ZXIy'}",
        "h = {'X-API-Key': '0a1b2c3d4e'}",
        &hook(&format!("discord.com/api/webhooks/{snow}/{made}{made}")),
        &hook(&format!("hooks.slack.com/services/T0{made}/B0/{made}")),
        &hook(&format!("api.telegram.org/bot123456789:{}/send", &made[..35])),
        &format!("BOT = '123456789:{}'", &made[..35]),
        &hook(&format!("maker.ifttt.com/trigger/x/with/key/{}", &made[..22])),
    ];
    let no = [
        "url = 'https://user:password@example.org/x'",
        "url = f'mqtt://user:{password}@{host}:1883'",
        "url = 'mqtt://%s:%s@%s' % (user, password, host)",
        "url = 'https://USER:PASSWORD@example.org'",
        "url = 'https://example.org:8080/@user'",
        "url = 'https://git@example.org/repo.git'",
        "url = 'https://example.org/data?api_key=' + key",
        "url = 'https://example.org/data?api_key={}'",
        "url = 'https://example.org/data?api_key=YOUR_API_KEY'",
        "url = 'https://example.org/data?key=temperature'",
        "if a & token == 'x' and b & key: pass",
        "h = {'Authorization': 'Bearer ' + token}",
        "h = {'Authorization': 'Bearer YOUR_TOKEN_1234'}",
        "h = {'Authorization': 'Basic dXNlcjpwYXNzd29yZA=='}",
        "url = 'https://discord.com/api/webhooks/ID/TOKEN'",
        "url = 'https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX'",
        "url = 'https://api.telegram.org/bot{}/send'.format(token)",
        "BOT = '123456789:your-token'",
        "url = 'https://maker.ifttt.com/trigger/x/with/key/YOUR_KEY'",
    ];
    let cases = table("net.py", &yes, &no) + table("README", &yes[..8], &no[..11]);
    println!("  cases {cases}: addresses and webhooks");
    assert_eq!(cases, 35 + 19);
}

#[test]
fn fault_69_tokens_by_their_look() {
    let made = "aB3dE5gH7jK9mN1pQ3sT5vX7zA2cD4fG6hJ8";
    let long = made.repeat(3);
    let starts = [
        "ghs_",
        "glpat-",
        "xapp-",
        "sk-",
        "sk-proj-",
        "sk_live_",
        "rk_live_",
        "whsec_",
        "AIza",
        "GOCSPX-",
        "npm_",
        "pypi-AgEI",
        "hf_",
        "SG.",
        "dop_v1_",
        "dckr_pat_",
        "shpat_",
        "glsa_",
        "aio_",
    ];
    let yes: Vec<String> = starts.iter().map(|start| format!("x = '{start}{long}'")).collect();
    let web = "x = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dBjftJeZ4CVPmB92K27uhbUJU1p1r'".to_owned();
    let aws = "x = 'AKIAZ9Z8Z7Z6Z5Z4Z3Z2'".to_owned();
    let key = "x = 'MC4CAQAwBQYDK2VwBCIEIaB3dE5gH7jK9mN1pQ3sT5vX7zA2cD4fG6hJ8kL0nP2r'".to_owned();
    let yes: Vec<&str> = yes.iter().chain([&web, &aws, &key]).map(String::as_str).collect();
    let no: Vec<String> = starts
        .iter()
        .flat_map(|start| {
            let placeholder = format!("x = '{start}{}'", "x".repeat(90));
            [placeholder, format!("x = '{start}short1'"), format!("x = 'a{made}{start}{long}'")]
        })
        .collect();
    let more = [
        "x = 'eyJhbGciOiJIUzI1NiJ9'",
        "x = 'AKIAIOSFODNN7EXAMPLE'",
        "x = 'sk-ssh-ed25519-cert-v01@openssh.com'",
    ];
    let no: Vec<&str> = no.iter().map(String::as_str).chain(more).collect();
    let cases = table("a.py", &yes, &no) + table("a.bin", &yes, &no);
    println!("  cases {cases}: tokens by their look");
    assert_eq!((yes.len(), no.len()), (22, 60));
}

#[test]
fn fault_69_files_of_wifi_managers_and_copies() {
    let wifi = [
        ("wifi.dat", "home;hunter22\n"),
        ("lib/wifi.dat", "home;your-password\noffice;hunter22\n"),
        ("wifi.txt", "home\nhunter22\n"),
        ("networks.csv", "home,hunter22\n"),
        ("wifi.json", "{\"home\": \"hunter22\"}"),
        ("profiles.json", "{\"networks\": {\"home\": \"hunter22\"}}"),
        ("wifi.json", "[[\"home\", \"hunter22\"]]"),
        ("home.nmconnection", "[wifi-security]\npsk=hunter22\n"),
    ];
    let no_wifi = [
        ("wifi.dat", "\n"),
        ("wifi.dat", "ssid;password\n"),
        ("wifi.txt", "the name\nand below it your password\n"),
        ("networks.csv", "name,channel\nhome,11\n"),
        ("wifi.json", "{\"ssid\": \"home-network\", \"hostname\": \"thermometer\"}"),
        ("profiles.json", "{\"slow\": 10, \"fast\": 20}"),
        ("sensors.dat", "home;hunter22\n"),
        ("home.nmconnection", "[wifi-security]\npsk=\n"),
    ];
    for (path, text) in wifi {
        let found = suspicion(path, text.as_bytes()).unwrap_or_else(|| panic!("{path}: {text}"));
        assert_eq!(found.line, Some(text.lines().count()), "{path}: {text}");
        assert!(!found.why.contains("hunter22"), "{path}: {found}");
    }
    for (path, text) in no_wifi {
        assert_eq!(suspicion(path, text.as_bytes()), None, "{path}: {text}");
    }
    let ends = ["~", ".bak", ".orig", ".save", ".old"];
    let mut copies = 0;
    for end in ends {
        assert!(suspicion(&format!("lib/secrets.py{end}"), b"").is_some(), "{end}");
        let named = |content: &[u8]| suspicion(&format!("net.py{end}"), content);
        assert_eq!(named(b"\npassword = 'hunter2'").and_then(|seen| seen.line), Some(2), "{end}");
        assert_eq!(named(b"\npassword = read()"), None, "{end}");
        copies += 3;
    }
    for name in ["secrets_old.py", "secrets copy.py", "secrets.mpy", "secrets.json", "WIFI_CONFIG-bak.py"] {
        assert!(suspicion(name, b"").is_some(), "{name}");
        copies += 1;
    }
    for name in ["secrets.py.example", "secrets.example.py", "secretary.py", "old.py", "bak.py~"] {
        assert_eq!(suspicion(name, b"PASSWORD = 'your-password'"), None, "{name}");
        copies += 1;
    }
    println!("  cases {}: files of Wi-Fi managers", wifi.len() + no_wifi.len());
    println!("  cases {copies}: copies of files of secrets");
    assert_eq!((wifi.len(), no_wifi.len(), copies), (8, 8, 25));
}

/// Keys as OpenSSL writes them for boards, which read no PEM.
#[test]
fn fault_69_private_keys_in_der() {
    let sequence = |parts: &[&[u8]]| {
        let body = parts.concat();
        let length = u8::try_from(body.len()).unwrap();
        if length < 128 {
            [&[0x30, length], &body[..]].concat()
        } else {
            [&[0x30, 0x81, length], &body[..]].concat()
        }
    };
    let (zero, one, three) = ([2, 1, 0], [2, 1, 1], [2, 1, 3]);
    let curve = [&[0x30, 5, 6, 3][..], &[0x2b, 0x65, 0x70]].concat();
    let seed = [&[4, 34, 4, 32][..], &[7; 32]].concat();
    let number = [&[2, 65, 0][..], &[9; 64]].concat();
    let with_passphrase =
        [&[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13][..], &[5, 0]].concat();
    let yes = [
        sequence(&[&zero, &curve, &seed]),
        sequence(&[&zero, &number, &[2, 3, 1, 0, 1]]),
        sequence(&[&one, &[4, 32], &[5; 32]]),
        sequence(&[&with_passphrase, &[4, 16], &[5; 16]]),
        sequence(&[&three, &sequence(&[&[6, 3, 1, 2, 3]])]),
    ];
    let no = [
        // A certificate, a public key, and what only begins so.
        sequence(&[&sequence(&[&three, &number]), &curve, &[3, 2, 0, 0]]),
        sequence(&[&curve, &[3, 33, 0], &[8; 32]]),
        sequence(&[&zero, &[12, 4], b"text"]),
        sequence(&[&zero]),
        vec![0x30, 0x82, 0xff],
        b"0.".to_vec(),
        Vec::new(),
    ];
    for bytes in &yes {
        assert!(suspicion("ota_ca/key.der", bytes).is_some(), "{bytes:x?}");
    }
    for bytes in &no {
        assert_eq!(suspicion("ota_ca/root.der", bytes), None, "{bytes:x?}");
    }
    println!("  cases {}: keys in DER", yes.len() + no.len());
    assert_eq!((yes.len(), no.len()), (5, 7));
}
