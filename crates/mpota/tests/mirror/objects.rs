//! What a mirror writes, in which order, and what it leaves alone.

use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::common::{Said, mpota};
use crate::proxy::{Asked, Proxy, When};
use crate::stores::{BUCKET, KEY, S3, SECRET, rclone, s3_environment};
use crate::world::{PREFIX, RELEASES, World, dest, files, run, same};

fn mirror(world: &World, proxy: &Proxy, more: &[&str]) -> Said {
    let mut command = world.command(&dest());
    s3_environment(&mut command, proxy.address);
    run(command.args(more))
}

fn puts(log: &[Asked]) -> Vec<String> {
    let put = |asked: &&Asked| asked.method == "PUT";
    log.iter().filter(put).map(|asked| asked.path.split('?').next().unwrap().to_owned()).collect()
}

/// Everything that can be in a mirror.
fn full() -> World {
    let world = World::new(&["v1.0.0", "v1.1.0", "v1.2.0-rc.1"]);
    world.channel("beta", "v1.2.0-rc.1");
    world.rollout("v1.1.0", 7);
    world
}

#[test]
fn a_mirror_in_a_folder_is_what_boards_read() {
    let world = full();
    let folder = TempDir::new().unwrap();
    let place = folder.path().join("www of ü/deep~1");
    let url = url::Url::from_file_path(&place).unwrap().to_string();
    let said = run(&mut world.command(&url)).ok();
    assert!(said.out.contains("octo/weather: 3 versions, latest v1.1.0, 9 objects sent"), "{}", said.out);
    let expected = world.expected(&["v1.0.0", "v1.1.0", "v1.2.0-rc.1"], "v1.1.0", &["beta", "rollout"]);
    assert_eq!(expected.len(), 9);
    same(&files(&place.join(RELEASES)), &expected);
    // Again, by its path: nothing is sent.
    let said = run(&mut world.command(place.to_str().unwrap())).ok();
    assert!(said.out.contains("latest v1.1.0, 0 objects sent, 0 bytes"), "{}", said.out);
}

#[test]
fn every_form_of_a_release_is_taken_over_with_its_manifests_last() {
    let mut cases = 0;
    for (compiled, plain) in [(true, false), (false, true), (true, true)] {
        let (world, s3) = (World::new(&[]), S3::start());
        world.publish_form("v1.0.0+7", compiled, plain);
        let proxy = Proxy::before(s3.address);
        mirror(&world, &proxy, &[]).ok();
        let there = files(&s3.objects().join(PREFIX).join(RELEASES));
        same(&there, &world.expected(&["v1.0.0+7"], "v1.0.0+7", &[]));
        let order = puts(&proxy.take());
        let last: Vec<&str> = order.iter().map(|key| key.rsplit('/').next().unwrap()).collect();
        let manifests = if compiled { 3 } else { 2 };
        let wanted = &["manifest-mpy-6.json", "manifest.json", "manifest.json"][3 - manifests..];
        assert_eq!(&last[last.len() - manifests..], wanted, "{order:?}");
        assert!(!last[..last.len() - manifests].iter().any(|name| name.starts_with("manifest")));
        mirror(&world, &proxy, &[]).ok();
        assert_eq!(puts(&proxy.take()), [""; 0]);
        cases += 1;
    }
    println!("  cases {cases}: forms of a release");
}

#[test]
fn what_moves_is_asked_for_each_time_and_the_rest_is_kept_for_a_year() {
    let (world, s3) = (full(), S3::start());
    let proxy = Proxy::before(s3.address);
    mirror(&world, &proxy, &[]).ok();
    let log = proxy.take();
    let mut seen = [0, 0];
    for asked in log.iter().filter(|asked| asked.method == "PUT") {
        let moves = ["/latest/", "/beta/", "/rollout/"].iter().any(|part| asked.path.contains(part));
        let cache = if moves { "no-cache" } else { "public, max-age=31536000, immutable" };
        assert_eq!(asked.header("cache-control"), Some(cache), "{}", asked.path);
        let kind =
            if asked.path.ends_with(".json") { "application/json" } else { "application/octet-stream" };
        assert_eq!(asked.header("content-type"), Some(kind), "{}", asked.path);
        seen[usize::from(moves)] += 1;
    }
    assert_eq!(seen, [6, 3]);
    println!("  cases 9: objects with their type and their time in caches");
}

#[test]
fn all_is_read_back_before_anything_names_it() {
    let (world, s3) = (full(), S3::start());
    let proxy = Proxy::before(s3.address);
    mirror(&world, &proxy, &[]).ok();
    let log = proxy.take();
    let named = |key: &str| match () {
        () if key.contains("/latest/") || key.contains("/rollout/") => Some("v1.1.0"),
        () if key.contains("/beta/") => Some("v1.2.0-rc.1"),
        () => None,
    };
    let at = |method: &str, key: &str| log.iter().position(|a| a.method == method && a.path.starts_with(key));
    let all = puts(&log);
    let mut cases = 0;
    for key in &all {
        // The read follows the write at once, and what names something follows the reads of all of it.
        let put = at("PUT", key).unwrap();
        assert_eq!((log[put + 1].method.as_str(), log[put + 1].status), ("GET", 200), "{key}");
        if let Some(version) = named(key) {
            for file in all.iter().filter(|file| file.contains(&format!("/{version}/"))) {
                assert!(at("GET", file).unwrap() < put, "{file} is read after {key} is written");
                cases += 1;
            }
        }
        if key.contains("/download/v") && key.ends_with("/manifest.json") {
            let pack = all.iter().position(|file| file.starts_with(key.trim_end_matches("manifest.json")));
            assert!(all[pack.unwrap()].ends_with(".pack"), "{key} before its files");
            cases += 1;
        }
    }
    let last = all.last().unwrap();
    assert!(last.ends_with("/latest/download/manifest.json"), "{last}");
    assert_eq!((all.len(), cases), (9, 9));
    println!("  cases {}: objects that are read before something names them", all.len() + cases);
}

#[test]
fn only_what_is_not_there_and_right_is_sent() {
    let (world, s3) = (full(), S3::start());
    let proxy = Proxy::before(s3.address);
    mirror(&world, &proxy, &[]).ok();
    proxy.take();
    mirror(&world, &proxy, &[]).ok();
    let log = proxy.take();
    assert_eq!(puts(&log), [""; 0]);
    let pack = format!("{PREFIX}/{RELEASES}/download/v1.0.0/weather-v1.0.0.pack");
    let path = s3.objects().join(&pack);
    let good = fs::read(&path).unwrap();
    // One bit of the same length, a part, and nothing.
    let mut flipped = good.clone();
    flipped[100] ^= 1;
    for (broken, what) in [(Some(&flipped[..]), "flipped"), (Some(&good[..50]), "short"), (None, "gone")] {
        match broken {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        mirror(&world, &proxy, &[]).ok();
        assert_eq!(puts(&proxy.take()), [format!("/{BUCKET}/{pack}")], "{what}");
        assert!(fs::read(&path).unwrap() == good, "{what}");
    }
    // A dry run looks and says, and writes nothing.
    world.publish("v1.3.0");
    let said = mirror(&world, &proxy, &["--dry-run"]).ok();
    assert!(said.out.contains("latest v1.3.0, 3 objects to send, 0 bytes"), "{}", said.out);
    assert_eq!(puts(&proxy.take()), [""; 0]);
    println!("  cases 5: what is there");
}

#[test]
fn an_object_that_changes_on_its_way_is_named_by_nothing() {
    let (world, s3) = (World::new(&["v1.0.0"]), S3::start());
    let direct = Proxy::before(s3.address);
    mirror(&world, &direct, &[]).ok();
    world.publish("v1.1.0");
    let mut cases = 0;
    for wanted in [".pack", "/v1.1.0/manifest.json"] {
        let objects = s3.objects();
        let proxy = Proxy::with(s3.address, move |asked, when| {
            let key = asked.path.split('?').next().unwrap();
            if when == When::After && asked.method == "PUT" && key.ends_with(wanted) {
                let path = objects.join(key.trim_start_matches('/').split_once('/').unwrap().1);
                let mut bytes = fs::read(&path).unwrap();
                bytes[100] ^= 1;
                fs::write(path, bytes).unwrap();
            }
            true
        });
        mirror(&world, &proxy, &[]).refused(&["error[mirror::differs]", wanted, "read back"]);
        let log = proxy.take();
        assert!(puts(&log).last().unwrap().ends_with(wanted), "{:?}", puts(&log));
        let latest = s3.objects().join(format!("{PREFIX}/{RELEASES}/latest/download/manifest.json"));
        assert!(
            fs::read(latest).unwrap() == fs::read(world.release("v1.0.0").join("manifest.json")).unwrap()
        );
        cases += 1;
    }
    mirror(&world, &direct, &[]).ok();
    let there = files(&s3.objects().join(PREFIX).join(RELEASES));
    same(&there, &world.expected(&["v1.0.0", "v1.1.0"], "v1.1.0", &[]));
    println!("  cases {cases}: objects that are changed behind the mirror's back");
}

#[test]
fn versions_that_nothing_needs_are_removed() {
    let world = World::new(&["v1.0.0", "v1.1.0", "v1.2.0", "v1.3.0", "v1.4.0"]);
    world.channel("slow", "v1.0.0");
    world.rollout("v1.2.0", 3);
    let folder = TempDir::new().unwrap();
    let place = folder.path().to_str().unwrap();
    let at = folder.path().join(RELEASES);
    run(&mut world.command(place)).ok();
    let all = files(&at);
    assert!(all.keys().any(|key| key.contains("v1.3.0")));
    let keep = ["--keep", "1", "--prune"];
    let said = run(world.command(place).args(keep).arg("--dry-run")).ok();
    assert!(
        said.err.contains("would remove v1.1.0") && said.err.contains("would remove v1.3.0"),
        "{}",
        said.err
    );
    same(&files(&at), &all);
    let other = at.join("download/by-hand/notes.txt");
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    fs::write(&other, "mine").unwrap();
    let said = run(world.command(place).args(keep)).ok();
    assert!(said.out.contains("2 versions removed"), "{}", said.out);
    assert_eq!(fs::read(&other).unwrap(), b"mine");
    fs::remove_dir_all(other.parent().unwrap()).unwrap();
    // The newest, and what a channel and a rollout name.
    same(&files(&at), &world.expected(&["v1.0.0", "v1.2.0", "v1.4.0"], "v1.4.0", &["slow", "rollout"]));
    // Nothing is removed after a refusal, and --prune alone is not enough.
    fs::write(world.release("v1.4.0").join("weather-v1.4.0.pack"), "broken").unwrap();
    world.publish("v1.5.0");
    fs::remove_file(world.release("v1.5.0").join("weather-v1.5.0.pack")).unwrap();
    let said = run(world.command(place).args(keep));
    assert!(said.code == 1 && said.err.contains("warning[mirror::not_pruned]"), "{}", said.err);
    let said = run(world.command(place).arg("--prune"));
    assert_eq!(said.code, 2, "{}", said.err);
}

#[test]
fn releases_of_a_server_and_private_ones_are_taken_over() {
    let world = full();
    for token in [None, Some("hunter2-hunter2")] {
        let server = mpota_serve::Server::start(mpota_serve::Options {
            token: token.map(str::to_owned),
            ..mpota_serve::Options::new(world.bench.releases())
        })
        .unwrap();
        let folder = TempDir::new().unwrap();
        let mut command = mpota();
        command
            .args(["mirror", "octo/weather", "--json", "--base-url", server.base_url()])
            .arg(folder.path());
        command.env("MPOTA_TOKEN", token.unwrap_or("not-asked-for"));
        let said = run(&mut command).ok();
        let told: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        let project = &told["projects"][0];
        assert_eq!(project["versions"], serde_json::json!(["v1.2.0-rc.1", "v1.1.0", "v1.0.0"]));
        assert_eq!((&project["latest"], &project["sent"].as_array().unwrap().len()), (&"v1.1.0".into(), &9));
        assert_eq!(project["token"].as_str(), token.map(|_| "MPOTA_TOKEN"));
        assert!(!format!("{}{}", said.out, said.err).contains("hunter2"));
        let expected = world.expected(&["v1.0.0", "v1.1.0", "v1.2.0-rc.1"], "v1.1.0", &["beta", "rollout"]);
        same(&files(&folder.path().join(RELEASES)), &expected);
    }
    println!("  cases 2: a public and a private repository");
}

#[test]
fn rclone_takes_a_mirror_as_an_s3_server() {
    let (world, folder) = (full(), TempDir::new().unwrap());
    fs::create_dir(folder.path().join(BUCKET)).unwrap();
    let server = rclone("s3", folder.path());
    let proxy = Proxy::before(server.address);
    mirror(&world, &proxy, &[]).ok();
    let expected = world.expected(&["v1.0.0", "v1.1.0", "v1.2.0-rc.1"], "v1.1.0", &["beta", "rollout"]);
    same(&files(&folder.path().join(BUCKET).join(PREFIX).join(RELEASES)), &expected);
    proxy.take();
    mirror(&world, &proxy, &["--keep", "2", "--prune"]).ok();
    assert_eq!(puts(&proxy.take()), [""; 0]);
    let expected = world.expected(&["v1.1.0", "v1.2.0-rc.1"], "v1.1.0", &["beta", "rollout"]);
    same(&files(&folder.path().join(BUCKET).join(PREFIX).join(RELEASES)), &expected);
}

#[test]
fn secrets_of_the_environment_are_told_to_nobody() {
    let (world, s3) = (World::new(&["v1.0.0"]), S3::start());
    let wrong = "d3Jvbmcgc2VjcmV0IG9mIHNvbWVib2R5";
    let mut command = world.command(&dest());
    s3_environment(&mut command, s3.address);
    let said = run(command.env("AWS_SECRET_ACCESS_KEY", wrong))
        .refused(&["error[mirror::store]", "AWS_SECRET_ACCESS_KEY"]);
    assert!(![wrong, SECRET].iter().any(|secret| format!("{}{}", said.out, said.err).contains(secret)));
    // Nobody listens there, and the query of a SAS is part of the address.
    let mut command = world.command("az://releases/a");
    command.env("AZURE_STORAGE_ACCOUNT_NAME", KEY).env("AZURE_ALLOW_HTTP", "true");
    command.env("AZURE_STORAGE_ENDPOINT", "http://127.0.0.1:9/mirror");
    command.env("AZURE_STORAGE_SAS_KEY", format!("sv=2021-08-06&sr=c&sig={wrong}"));
    let said = run(&mut command).refused(&["error[mirror::store]", "az://releases/a"]);
    assert!(!format!("{}{}", said.out, said.err).contains(wrong), "{}", said.err);
    println!("  cases 2: secrets in errors");
}

#[test]
fn a_watched_mirror_follows_asks_little_and_outlives_its_server() {
    let (world, s3) = (World::new(&["v1.0.0"]), S3::start());
    let down = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let dead = std::sync::Arc::clone(&down);
    let proxy = Proxy::with(s3.address, move |_, _| !dead.load(std::sync::atomic::Ordering::Relaxed));
    let said = TempDir::new().unwrap();
    let log = said.path().join("err");
    let mut command = world.command(&dest());
    s3_environment(&mut command, proxy.address);
    command.args(["--watch", "1s"]).stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
    let mut child = command.spawn().unwrap();
    let latest = s3.objects().join(format!("{PREFIX}/{RELEASES}/latest/download/manifest.json"));
    let wait = |what: &str, done: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !done() {
            let text = fs::read_to_string(&log).unwrap();
            assert!(begun.elapsed() < Duration::from_secs(120), "{what}: {text}");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let names = |version: &str| {
        let there = fs::read(&latest).unwrap_or_default();
        there == fs::read(world.release(version).join("manifest.json")).unwrap()
    };
    wait("the first version", &|| names("v1.0.0"));
    // A round with nothing new: the list, and what moves.
    let rounds = || fs::read_to_string(&log).unwrap().matches("latest: v1.0.0 is there").count();
    // What was sent in one round is read once more in the next.
    wait("rounds with nothing new", &|| rounds() > 1);
    proxy.take();
    let (begun, more) = (rounds(), 4);
    wait("rounds with nothing new", &|| rounds() >= begun + more);
    let asked = proxy.take();
    // Another round may have begun on either side.
    assert!(asked.len() <= 2 * (more + 1), "{} requests: {asked:?}", asked.len());
    world.publish("v1.1.0");
    wait("the second version", &|| names("v1.1.0"));
    down.store(true, std::sync::atomic::Ordering::Relaxed);
    wait("a warning", &|| fs::read_to_string(&log).unwrap().contains("warning[mirror::round]"));
    down.store(false, std::sync::atomic::Ordering::Relaxed);
    world.publish("v1.2.0");
    wait("the third version", &|| names("v1.2.0"));
    child.kill().unwrap();
    child.wait().unwrap();
    println!(
        "  cases 3: versions that a watched mirror brought over; {} requests in {more} rounds with nothing new",
        asked.len()
    );
}

#[test]
fn a_project_that_has_moved_is_where_its_boards_look() {
    let world = World::new(&["v1.0.0"]);
    let moved = world.bench.releases().join("new/name");
    fs::create_dir_all(moved.parent().unwrap()).unwrap();
    fs::rename(world.release("v1.0.0").parent().unwrap(), &moved).unwrap();
    let folder = TempDir::new().unwrap();
    let said = run(&mut world.command(folder.path().to_str().unwrap()));
    assert!(said.code == 1 && said.err.contains("it is for octo/weather"), "{}", said.err);
    run(world.command(folder.path().to_str().unwrap()).args(["--project", "octo/weather"])).ok();
    assert!(folder.path().join(RELEASES).join("download/v1.0.0/manifest.json").exists());
}
