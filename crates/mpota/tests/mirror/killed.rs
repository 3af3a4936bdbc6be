//! The program is killed at every request, and run again.

use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mpota_format::manifest::Manifest;

use crate::hosts::copy;
use crate::proxy::{Asked, Proxy, When};
use crate::stores::{S3, s3_environment};
use crate::world::{PREFIX, RELEASES, World, dest, files, run, same};

/// Everything that names a version does so after all of it is there. Gives how many names were looked at.
fn holds(world: &World, at: &Path) -> usize {
    let there = files(at);
    let mut names = 0;
    for (key, bytes) in &there {
        let version = match () {
            () if key.starts_with("download/rollout/") => {
                let rollout: serde_json::Value = serde_json::from_slice(bytes).unwrap();
                rollout["version"].as_str().unwrap().to_owned()
            }
            // Of a version too: its manifest names its files.
            () if key.ends_with("/manifest.json") => {
                Manifest::parse(bytes).unwrap().header.version.to_string()
            }
            () => continue,
        };
        for (name, bytes) in files(&world.release(&version)) {
            let file = format!("download/{version}/{name}");
            assert!(
                there.get(&file) == Some(&bytes),
                "{key} names {version}, and {file} is not there or not right"
            );
        }
        names += 1;
    }
    names
}

/// In the log of one run: what is named was read in that very run, after it was written.
fn compared(log: &[Asked]) {
    let key = |asked: &Asked| asked.path.split('?').next().unwrap().to_owned();
    for (at, asked) in log.iter().enumerate().filter(|(_, asked)| asked.method == "PUT") {
        let version = match key(asked) {
            key if key.contains("/latest/") || key.contains("/rollout/") => "/v1.1.0/",
            key if key.contains("/beta/") => "/v1.2.0-rc.1/",
            _ => continue,
        };
        for name in [".pack", "/manifest.json"] {
            let of_it = |a: &&Asked| key(a).contains(version) && key(a).ends_with(name);
            let last = log[..at].iter().rev().find(of_it);
            let read = last.is_some_and(|last| last.method == "GET" && last.status == 200);
            assert!(read, "{} is written, and {version}{name} was not read before", asked.path);
        }
    }
}

/// Runs a mirror that is killed where `now` says so. Gives its exit code, if it was not, and what it asked for.
fn killed(
    world: &World,
    s3: &S3,
    more: &[&str],
    now: impl Fn(&Asked, When) -> bool + Send + Sync + 'static,
) -> (Option<i32>, Vec<Asked>) {
    let child = Arc::new(Mutex::new(None::<Child>));
    let of_proxy = Arc::clone(&child);
    let proxy = Proxy::with(s3.address, move |asked, when| {
        let now = now(asked, when);
        if now {
            of_proxy.lock().unwrap().as_mut().unwrap().kill().unwrap();
        }
        !now
    });
    let mut command = world.command(&dest());
    s3_environment(&mut command, proxy.address);
    command.args(more).stdout(Stdio::null()).stderr(Stdio::null());
    // Held until it is there: the proxy may want to kill it at once.
    let mut held = child.lock().unwrap();
    *held = Some(command.spawn().unwrap());
    drop(held);
    let status = loop {
        if let Some(status) = child.lock().unwrap().as_mut().unwrap().try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    (status.code(), proxy.take())
}

/// Runs a mirror to its end.
fn again(world: &World, s3: &S3, more: &[&str]) -> Vec<Asked> {
    let proxy = Proxy::before(s3.address);
    let mut command = world.command(&dest());
    s3_environment(&mut command, proxy.address);
    run(command.args(more)).ok();
    proxy.take()
}

#[test]
fn fault_85_a_mirror_killed_at_any_request_names_nothing_that_is_not_all_there() {
    let world = World::new(&["v1.0.0"]);
    world.channel("beta", "v1.0.0");
    world.rollout("v1.0.0", 1);
    let first = S3::start();
    again(&world, &first, &[]);
    // What boards have now; then two versions more, and everything that names one moves.
    world.publish("v1.1.0");
    world.publish("v1.2.0-rc.1");
    world.channel("beta", "v1.2.0-rc.1");
    world.rollout("v1.1.0", 2);
    let expected = world.expected(&["v1.0.0", "v1.1.0", "v1.2.0-rc.1"], "v1.1.0", &["beta", "rollout"]);
    let (mut kills, mut names, mut requests) = (0, 0, 0);
    for (from_nothing, when) in
        [(false, When::Before), (false, When::After), (true, When::Before), (true, When::After)]
    {
        for number in 1.. {
            let s3 = S3::start();
            let at = s3.objects().join(PREFIX).join(RELEASES);
            if !from_nothing {
                copy(first.root.path(), s3.root.path());
            }
            let count = AtomicUsize::new(0);
            let (code, log) = killed(&world, &s3, &[], move |_, now| {
                now == when && count.fetch_add(1, Ordering::Relaxed) + 1 == number
            });
            compared(&log);
            names += holds(&world, &at);
            if let Some(code) = code {
                assert_eq!(code, 0, "it ended by itself, at {number}");
                requests += number - 1;
                same(&files(&at), &expected);
                break;
            }
            kills += 1;
            compared(&again(&world, &s3, &[]));
            names += holds(&world, &at);
            same(&files(&at), &expected);
        }
    }
    assert!(kills == requests && kills > 60 && names > kills, "{kills} kills, {requests} requests, {names}");
    println!(
        "  cases {kills}: kills at each request, before and after the server has done it; {names} names looked at"
    );
}

#[test]
fn fault_85_a_mirror_killed_while_it_removes_leaves_no_manifest_without_its_files() {
    let world = World::new(&["v1.0.0", "v1.1.0", "v1.2.0"]);
    let first = S3::start();
    again(&world, &first, &[]);
    let prune = ["--keep", "1", "--prune"];
    let mut kills = 0;
    for number in 1.. {
        let s3 = S3::start();
        copy(first.root.path(), s3.root.path());
        let at = s3.objects().join(PREFIX).join(RELEASES);
        let count = AtomicUsize::new(0);
        let (code, _) = killed(&world, &s3, &prune, move |asked, now| {
            // S3 removes objects with a POST.
            let removes = ["DELETE", "POST"].contains(&asked.method.as_str());
            now == When::After && removes && count.fetch_add(1, Ordering::Relaxed) + 1 == number
        });
        holds(&world, &at);
        if code == Some(0) {
            break;
        }
        assert_eq!(code, None);
        kills += 1;
        again(&world, &s3, &prune);
        same(&files(&at), &world.expected(&["v1.2.0"], "v1.2.0", &[]));
    }
    assert_eq!(kills, 4);
    println!("  cases {kills}: kills between what is removed");
}
