//! How long an asyncio app stands still while `update()` runs. What it prints is today's figure for each
//! server; what it asserts is that the meter sees a stand-still, and sees none where there is none.

use crate::common::{World, tiny};
use crate::still::{Bad, BadServer, Still, metered, stills};
use mpota_vboard::{End, Run};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The meters of an app that does this, on a board that cannot be left waiting for ever.
fn measured(world: &mut World, works: &[(&str, &str)]) -> (Run, Vec<Still>) {
    world.set("limits", "{'timeout_s': 2, 'deadline_s': 8, 'retries': 1}");
    world.bench.withdraw("v1.0.0").unwrap();
    world.publish("v1.0.0", metered(tiny("v1.0.0"), works));
    let run = world.board().run_with(&json!({"limit_ms": 30_000})).unwrap();
    let seen = stills(&run);
    assert_eq!(seen.len(), works.len(), "{}", run.output);
    assert_eq!(run.end, End::Sleep, "{}", run.output);
    (run, seen)
}

#[test]
fn the_meter_sees_a_stand_still_and_none_where_there_is_none() {
    let works = [
        ("none", "asyncio.sleep_ms(300)"),
        ("sleep", "time.sleep_ms(300)"),
        ("short", "time.sleep_ms(60)"),
        ("raises", "1 // 0"),
    ];
    // Other programs of the host may hold the board up as well: the best of a few.
    let mut best = u32::MAX;
    for _ in 0..5 {
        let (run, seen) = measured(&mut World::new(), &works);
        assert!(seen[1].longest >= 150 && seen[1].took >= 300, "{}", run.output);
        assert!(seen[2].longest >= 30 && seen[2].took >= 60, "{}", run.output);
        assert!(seen[0].took >= 300 && seen[3].said.starts_with("ZeroDivisionError"), "{}", run.output);
        best = best.min(seen[0].longest);
        if best < 40 {
            println!("  cases {}: {best} ms between two ticks where nobody stood still", works.len());
            return;
        }
    }
    panic!("{best} ms between two ticks where nobody stood still");
}

#[test]
fn the_meter_sees_a_stand_still_on_a_busy_host_and_none_where_there_is_none() {
    let works = [("none", "asyncio.sleep_ms(300)"), ("sleep", "time.sleep(2)"), ("loop", "meter.spin(2000)")];
    let stop = Arc::new(AtomicBool::new(false));
    let busy: Vec<_> = (0..4)
        .map(|_| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || while !stop.load(Ordering::Relaxed) {})
        })
        .collect();
    let (run, seen) = measured(&mut World::new(), &works);
    stop.store(true, Ordering::Relaxed);
    busy.into_iter().for_each(|thread| thread.join().unwrap());
    let [none, sleep, looped] = [0, 1, 2].map(|i: usize| seen[i].longest);
    println!("  cases 3: still for {none}, {sleep} and {looped} ms on a busy host");
    assert!(none * 4 < sleep.min(looped) && sleep >= 1000 && looped >= 1000, "{}", run.output);
}

#[test]
fn the_figures_of_update_for_every_bad_server() {
    let work = [("update", "ota_updater.update(secrets.CONFIG)")];
    let mut ran = 0;
    for (bad, why) in
        Bad::ALL.into_iter().zip(["cannot connect", "no answer", "gave up", "in the middle", "503"])
    {
        let server = BadServer::start(bad);
        let mut world = World::new();
        world.set("base_url", &format!("'{}'", server.url()));
        let (run, seen) = measured(&mut world, &work);
        let Still { longest, took, said, .. } = &seen[0];
        assert!(said.contains("Error(") && said.contains(why), "{bad:?}: {}", run.output);
        println!("  {bad:?}: still for {longest} ms, over after {took} ms: {said}");
        ran += 1;
    }
    for (what, newer) in [("nothing is new", false), ("a release is fetched", true)] {
        let mut world = World::new();
        if newer {
            world.publish("v1.1.0", tiny("v1.1.0"));
        }
        let (run, seen) = measured(&mut world, &work);
        let Still { longest, took, said, .. } = &seen[0];
        assert_eq!(said, if newer { "v1.1.0" } else { "None" }, "{}", run.output);
        println!("  {what}: still for {longest} ms, over after {took} ms");
        ran += 1;
    }
    println!("  cases {ran}: servers");
    assert_eq!(ran, 7);
}
