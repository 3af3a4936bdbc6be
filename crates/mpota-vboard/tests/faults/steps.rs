//! An update in small steps, faults 58, 59, 63 and 64: a watchdog is fed, other tasks have their turn, a
//! second update is told, and what was cut goes on.

use crate::common::{World, confirmed, new_key, tiny, version};
use crate::link::Link;
use crate::still::{Bad, BadServer, metered, stills};
use mpota_vboard::bench::{App, Release};
use mpota_vboard::{Board, End, Run};
use serde_json::json;

/// Bytes that do not get shorter by compressing.
fn noise(n: u32) -> Vec<u8> {
    let mut x = 0x2545_F491_u32;
    let mut next = || {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        (x >> 8) as u8
    };
    (0..n).map(|_| next()).collect()
}

/// Text that does.
fn large(lines: u32) -> String {
    (0..lines).map(|i| format!("line {i} of a large file, {}\n", i * i % 977)).collect()
}

/// A world whose boards reach the server over a line of so many bytes a second.
fn behind(rate: u64) -> (World, Link) {
    let mut world = World::with(|o| o.asset_host = None);
    let link = Link::to(world.server.base_url(), rate);
    world.set("base_url", &format!("'{}'", link.url()));
    (world, link)
}

/// The app starts a watchdog in boot.py, which is fed while files are exchanged.
fn watched(app: App, ms: u32) -> App {
    let boot =
        format!("import machine\n    wdt = machine.WDT(timeout={ms})\n    ota_updater.boot(wdt.feed)\n");
    app.replacing("boot.py", "ota_updater.boot()\n", &boot)
}

#[test]
fn fault_58_a_watchdog_is_fed_through_a_whole_update() {
    let mut ran = 0;
    for (ms, fed) in [(8000, true), (1000, true), (1000, false)] {
        let (mut world, _link) = behind(12_000);
        if fed {
            world.set("feed", &format!("__import__('machine').WDT(timeout={ms}).feed"));
        }
        world.bench.withdraw("v1.0.0").unwrap();
        world.publish("v1.0.0", watched(tiny("v1.0.0"), ms));
        let board = world.board();
        let app = watched(tiny("v1.1.0"), ms).with("assets/big.bin", noise(30_000));
        world.publish("v1.1.0", app.with("assets/text.txt", large(3000)));
        // Flash as slow as that of a board.
        let run = board.run_with(&json!({"erase_us": 8000, "program_us": 200})).unwrap();
        eprintln!("{}", run.output);
        assert_eq!(run.output.contains("board: watchdog"), !fed, "{ms} {fed}: {}", run.output);
        if fed {
            assert!(run.output.contains("v1.1.0 is installed"), "{}", run.output);
            assert_eq!(version(&board), confirmed("v1.1.0"));
            println!(
                "  a watchdog of {ms} ms: {} ms from the first start to the last",
                run.microseconds / 1000
            );
        }
        ran += 1;
    }
    println!("  cases {ran}: watchdogs, one of them not fed");
    assert_eq!(ran, 3);
}

/// `main.py` that takes the steps of an update that fails, and does not wait.
const NO_WAIT: &str = "import machine, ota_updater, secrets, time
ota_updater.boot()
work, waits = ota_updater.steps('update', secrets.CONFIG, 'steps'), []
try:
    while True:
        waits.append(next(work))
        time.sleep_ms(min(waits[-1], 2))
except ota_updater.OtaError as e:
    print('said', e)
print('waits', sum(waits), max(waits))
machine.deepsleep(1)
";

#[test]
fn fault_58_a_wait_for_a_busy_server_is_a_number_of_short_ones() {
    let server = BadServer::start(Bad::Answers503);
    let mut world = World::new();
    world.set("base_url", &format!("'{}'", server.url()));
    world.set("limits", "{'retries': 3}");
    world.bench.withdraw("v1.0.0").unwrap();
    world.publish("v1.0.0", tiny("v1.0.0").with("main.py", NO_WAIT));
    let log = world.board().run().unwrap().output;
    assert!(log.contains("\nsaid ") && log.contains("503"), "{log}");
    let waits = log.lines().find_map(|l| l.strip_prefix("waits ")?.split_once(' ')).unwrap();
    let waits = (waits.0.parse::<u32>().unwrap(), waits.1.parse::<u32>().unwrap());
    println!("  cases 1: {} ms of waiting, {} ms at once", waits.0, waits.1);
    assert!(waits.0 >= 2000 && waits.1 <= 100, "{waits:?}: {log}");
}

/// What a meter says of this work, the best of a few: other programs of the host may hold the board up as well.
fn stood_still(make: &dyn Fn() -> (Board, Box<dyn std::any::Any>)) -> (u32, u32, String, Run) {
    let mut best: Option<(u32, u32, String, Run)> = None;
    for _ in 0..5 {
        let (board, _alive) = make();
        let run = board.run_with(&json!({"limit_ms": 60_000})).unwrap();
        assert_eq!(run.end, End::Sleep, "{}", run.output);
        let seen = stills(&run);
        assert_eq!(seen.len(), 1, "{}", run.output);
        if best.as_ref().is_none_or(|b| seen[0].longest < b.0) {
            best = Some((seen[0].longest, seen[0].took, seen[0].said.clone(), run));
        }
        if best.as_ref().is_some_and(|b| b.0 < 40) {
            break;
        }
    }
    best.unwrap()
}

const AIO: (&str, &str) = ("aio", "__import__('ota_aio').update(secrets.CONFIG)");

/// A board whose app takes one update as a task of asyncio.
fn asking(world: &mut World) -> Board {
    world.set("limits", "{'timeout_s': 2, 'deadline_s': 8, 'retries': 1}");
    world.bench.withdraw("v1.0.0").unwrap();
    world.publish("v1.0.0", metered(tiny("v1.0.0"), &[AIO]));
    world.board()
}

#[test]
fn fault_59_no_other_task_stands_still_whatever_the_server_does() {
    let mut ran = 0;
    for scheme in ["http", "https"] {
        let why = ["cannot connect", "no answer", "gave up", "in the middle", "503"];
        for (bad, why) in Bad::ALL.into_iter().zip(why) {
            let (longest, took, said, run) = stood_still(&|| {
                let server = BadServer::start(bad);
                let mut world = World::new();
                world.set("base_url", &format!("'{}'", server.url().replace("http", scheme)));
                world.set("insecure_skip_tls_verification", "True");
                (asking(&mut world), Box::new((server, world)))
            });
            let why = if scheme == "https" && bad != Bad::DoesNotAccept { "no answer" } else { why };
            assert!(said.contains("Error(") && said.contains(why), "{bad:?}: {}", run.output);
            println!("  {scheme}, {bad:?}: still for {longest} ms, over after {took} ms");
            assert!(longest < 50, "{bad:?}: {longest} ms, {}", run.output);
            ran += 1;
        }
    }
    println!("  cases {ran}: servers that make a board wait");
    assert_eq!(ran, 10);
}

#[test]
fn fault_59_no_other_task_stands_still_while_a_release_comes_in() {
    let mut ran = 0;
    for tls in [false, true] {
        let (longest, took, said, run) = stood_still(&|| {
            let dir = tempfile::tempdir().unwrap();
            let (line, key) = new_key(&dir, "a");
            let mut world = World::with(|o| {
                if tls {
                    o.tls = mpota_serve::Tls::SelfSigned { names: vec!["localhost".into()] };
                }
            });
            world.set("insecure_skip_tls_verification", "True");
            world.set("keys", &format!("['{line}']"));
            let board = asking(&mut world);
            let mut release = Release::new("v1.1.0", tiny("v1.1.0").with("big.txt", large(9000)));
            release.key = Some(key);
            world.bench.publish(&release).unwrap();
            (board, Box::new((world, dir)))
        });
        assert_eq!(said, "v1.1.0", "{}", run.output);
        println!("  signed, TLS {tls}: still for {longest} ms, over after {took} ms");
        assert!(longest < 50, "{longest} ms, {}", run.output);
        ran += 1;
    }
    println!("  cases {ran}: whole updates");
    assert_eq!(ran, 2);
}

/// `main.py` that takes the steps by hand: how long is the longest, in times of a KB hashed?
const BY_HAND: &str = "import ota_updater
ota_updater.boot()
import gc, hashlib, machine, secrets, sys, time

kb, best = bytes(1024), 1000000
for _ in range(200):
    h, t = hashlib.sha256(), time.ticks_us()
    h.update(kb)
    best = min(best, time.ticks_diff(time.ticks_us(), t))
CALLS = []
secrets.CONFIG['feed'] = lambda: CALLS.append(1) if len(CALLS) < 3 else None
PROGRESS = []
secrets.CONFIG['progress'] = lambda *a: PROGRESS.append(a) if not PROGRESS or a[0] - PROGRESS[-1][0] > 999 else None
work, times, most = ota_updater.steps('update', secrets.CONFIG, 'steps'), [], 0
try:
    while True:
        gc.collect()
        there = set(sys.modules)
        held, read, t = machine.held_us(), machine.flash_us(), time.ticks_us()
        ms = next(work)
        t = time.ticks_diff(time.ticks_us(), t) - time.ticks_diff(machine.held_us(), held)
        read = machine.flash_us() - read
        new = ' '.join(sorted(set(sys.modules) - there))
        times.append((t, len(times), new, read))
        most = max(most, ms)
        time.sleep_ms(ms)
except StopIteration as e:
    print('staged', e.value)
times.sort()
# Modules come in a piece each, and so does what the flash keeps of it: the other steps are compared.
reads = sorted([t[3] for t in times if not t[2]])
times = [t[0] for t in times if not t[2]]
print('steps', len(times), best, times[-1], times[-5], times[len(times) // 2], most, reads[-1], reads[-5])
print('fed', len(CALLS), 'progress', PROGRESS[0], PROGRESS[-1])
machine.deepsleep(1)
";

#[test]
fn fault_59_a_step_is_a_small_piece_of_work() {
    let dir = tempfile::tempdir().unwrap();
    let (line, key) = new_key(&dir, "a");
    let mut best: Option<Vec<u32>> = None;
    for _ in 0..3 {
        let mut world = World::new();
        world.set("keys", &format!("['{line}']"));
        world.bench.withdraw("v1.0.0").unwrap();
        world.publish("v1.0.0", tiny("v1.0.0").with("main.py", BY_HAND));
        let board = world.board();
        let app = tiny("v1.1.0").with("main.py", BY_HAND).with("big.txt", large(9000));
        let mut release = Release::new("v1.1.0", app);
        release.key = Some(key.clone());
        world.bench.publish(&release).unwrap();
        // By this clock a KB that is hashed takes a ms, and nothing else takes time.
        let run = board.run_with(&json!({"hash_us": 1000, "flash_clock": true})).unwrap();
        assert!(run.output.contains("staged v1.1.0"), "{}", run.output);
        assert!(
            run.output.contains("fed 3 progress (") && run.output.contains("'big.txt')"),
            "{}",
            run.output
        );
        let line = run.output.lines().find_map(|l| l.strip_prefix("steps ")).unwrap();
        let n: Vec<u32> = line.split(' ').map(|w| w.parse().unwrap()).collect();
        if best.as_ref().is_none_or(|b| n[2] < b[2]) {
            best = Some(n);
        }
    }
    let n = best.unwrap();
    println!(
        "  {} steps; 1 KB is hashed in {} us; the longest step {} us, the fifth {}, the middle one {}; waits up to {} ms; up to {} KB are hashed in one, and {} in the fifth",
        n[0],
        n[1],
        n[2],
        n[3],
        n[4],
        n[5],
        n[6] / 1000,
        n[7] / 1000
    );
    assert!(n[6] > 0 && n[6] <= 2000, "{} us of hashing in a step", n[6]);
    assert!(n[0] > 900 && n[5] <= 100, "{n:?}");
    assert!(n[3] < 50_000 / 5, "a step takes {} us on this machine", n[3]);
}

/// `main.py` of an app with tasks: the second update is told, what else is asked works, and a cancelled
/// update leaves nothing open.
const TASKS: &str = "import ota_updater
ota_updater.boot()
import asyncio, gc, machine, ota_aio, secrets, sys, time

C = secrets.CONFIG


def tried(name, call, *args):
    try:
        print('said', name, call(*args))
    except ota_updater.OtaError as e:
        print('said', name, 'error', e)


async def second():
    tried('update', ota_updater.update, C)
    tried('check', ota_updater.check, C)
    for name, work in (('aio.update', ota_aio.update(C)), ('aio.check', ota_aio.check(C))):
        try:
            print('said', name, await work)
        except ota_updater.OtaError as e:
            print('said', name, 'error', e)
    tried('status', lambda: ota_updater.status()['version'])
    tried('confirm', ota_updater.confirm)
    tried('rollback', ota_updater.rollback)
    tried('unblock', ota_updater.unblock)
    tried('early', ota_updater.early)


def left(when):
    gc.collect()
    ours = sorted([k for k in sys.modules if k[:5] == 'mpota' or k[:4] == 'ota_'])
    print('left', when, gc.threshold(), ours)


async def main():
    gc.threshold(100000)
    left('before')
    for wait in (1, 60, 400, 800, 1200):
        task = asyncio.create_task(ota_aio.update(C))
        await asyncio.sleep_ms(wait)
        if wait == 400:
            await second()
        task.cancel()
        try:
            print('not cancelled', await task)
        except asyncio.CancelledError:
            print('cancelled', wait)
        left(wait)
    try:
        print('in time', await asyncio.wait_for_ms(ota_aio.update(C), 300))
    except asyncio.TimeoutError:
        print('timeout')
    left('timeout')
    for key, what in (('feed', 7), ('progress', 'x')):
        tried(key, ota_updater.update, dict(C, **{key: what}))
    for key in ('feed', 'progress'):
        tried(key, ota_updater.update, dict(C, **{key: lambda *a: 1 // 0}))
    left('raised')
    try:
        import _thread
        said = []
        def other():
            try:
                said.append(ota_updater.update(C))
            except ota_updater.OtaError as e:
                said.append(e)
        task = asyncio.create_task(ota_aio.update(C))
        await asyncio.sleep_ms(300)
        _thread.start_new_thread(other, ())
        while not said:
            time.sleep_ms(1)
        print('thread', said[0])
        print('first', await task)
    except ImportError:
        print('first', await ota_aio.update(C))
    left('done')
    tried('after', ota_updater.update, C)

asyncio.run(main())
machine.deepsleep(1)
";

#[test]
fn fault_63_a_second_update_is_told_and_a_cancelled_one_leaves_nothing() {
    let (mut world, link) = behind(30_000);
    world.set("limits", "{'retries': 1}");
    world.bench.withdraw("v1.0.0").unwrap();
    world.publish("v1.0.0", tiny("v1.0.0").with("main.py", TASKS));
    let board = world.board();
    let app = tiny("v1.1.0").with("a.bin", noise(40_000)).with("b.bin", noise(20_000));
    world.publish("v1.1.0", app);
    let run = board.run_with(&json!({"limit_ms": 60_000})).unwrap();
    let log = run.output;
    assert_eq!(run.end, End::Sleep, "{log}");
    let said = |name: &str| {
        let start = format!("said {name} ");
        log.lines().filter_map(move |l| l.strip_prefix(&start).map(str::to_owned)).collect::<Vec<_>>()
    };
    let mut ran = 0;
    for name in ["update", "check", "aio.update", "aio.check"] {
        assert_eq!(said(name), ["error another update() or check() is running"], "{log}");
        ran += 1;
    }
    for (name, wanted) in [("status", "v1.0.0"), ("confirm", "False"), ("unblock", ""), ("early", "False")] {
        assert_eq!(said(name), [wanted], "{name}: {log}");
        ran += 1;
    }
    assert!(said("rollback")[0].starts_with("error nothing to go back to"), "{log}");
    for key in ["feed", "progress"] {
        let said = said(key);
        assert_eq!(said[0], format!("error CONFIG: {key} cannot be called: a function is needed"), "{log}");
        assert!(said[1].starts_with(&format!("error CONFIG: {key} raised ZeroDivisionError")), "{log}");
        ran += 2;
    }
    let left: Vec<_> = log.lines().filter_map(|l| l.strip_prefix("left ")?.split_once(' ')).collect();
    assert_eq!(left.len(), 9, "{log}");
    for (when, what) in left {
        assert_eq!(what, "100000 ['ota_aio', 'ota_updater']", "{when}: {log}");
        ran += 1;
    }
    assert_eq!(log.matches("\ncancelled ").count(), 5, "{log}");
    assert!(log.contains("\ntimeout") && log.contains("\nfirst v1.1.0"), "{log}");
    assert_eq!(said("after"), ["v1.1.0"], "{log}");
    assert!(log.contains("thread another update() or check() is running"), "{log}");
    // Eight tries were cut, each costs its look-up, and at most a piece of 16 KB.
    println!(
        "  cases {ran}: calls beside an update; {} KB came in for a release of 60 KB",
        link.sent() >> 10
    );
    assert!(link.sent() < 60_000 + 9 * 20_000, "{}", link.sent());
}

/// `main.py` that asks until there is something staged, and sleeps then.
const AGAIN: &str = "import ota_updater
ota_updater.boot()
import machine, secrets
secrets.CONFIG['progress'] = lambda come, total, path: print('left', total - come, path)
for n in range(TRIES):
    try:
        print('begins')
        print('staged', n, ota_updater.update(secrets.CONFIG))
        break
    except ota_updater.OtaError as e:
        print('cut', e)
machine.deepsleep(1)
";

/// How many bytes came twice, at most, between two tries.
fn twice(log: &str) -> u64 {
    let (mut last, mut fresh, mut most) = (u64::MAX, true, 0);
    for line in log.lines() {
        fresh |= line == "begins";
        if let Some(left) = line.strip_prefix("left ").and_then(|l| l.split(' ').next()?.parse().ok()) {
            if fresh {
                most = most.max(u64::saturating_sub(left, last));
            }
            (last, fresh) = (left, false);
        }
    }
    most
}

#[test]
fn fault_64_a_download_that_is_cut_at_any_byte_goes_on_there() {
    let mut ran = 0;
    for compress in [true, false] {
        let (mut world, link) = behind(10_000_000);
        world.set("limits", "{'retries': 1}");
        world.bench.withdraw("v1.0.0").unwrap();
        world.publish("v1.0.0", tiny("v1.0.0").with("main.py", AGAIN.replace("TRIES", "99")));
        let board = world.board();
        let app = tiny("v1.1.0").with("a.txt", large(4000)).with("b.bin", noise(150_000));
        let release = Release { compress, ..Release::new("v1.1.0", app) };
        world.bench.publish(&release).unwrap();
        let size = std::fs::read_dir(world.bench.release_dir("v1.1.0")).unwrap();
        let size: u64 = size.map(|e| e.unwrap().metadata().unwrap().len()).max().unwrap();
        // Each connection ends a little further on than the one before it.
        link.cut_after(20_011, 237);
        let run = board.run_with(&json!({"limit_ms": 60_000})).unwrap();
        let cuts = run.output.matches("\ncut ").count() as u64;
        assert_eq!(run.output.matches("\nstaged ").count(), 1, "{}", run.output);
        ran += cuts;
        let most = size + cuts * (16_384 + 3000) + 5000;
        let twice = twice(&run.output);
        println!("  {size} bytes, cut {cuts} times, came as {}, up to {twice} twice", link.sent());
        assert!(twice <= 16_384, "{twice}: {}", run.output);
        assert!(cuts > 5 && link.sent() < most, "{} of {most}", link.sent());
    }
    println!("  cases {ran}: cuts");
}

#[test]
fn fault_64_a_board_that_lives_for_20_seconds_at_a_time_gets_a_large_release() {
    // Twenty times as fast: a life is 1 s, and the line has 100 KB a second, as 5 KB a second in 20 s.
    let (mut world, link) = behind(100_000);
    world.bench.withdraw("v1.0.0").unwrap();
    world.set("limits", "{'retries': 1}");
    world.publish("v1.0.0", tiny("v1.0.0").with("main.py", AGAIN.replace("TRIES", "1")));
    let board = Board::with_size(&world.micropython, world.file_system, 2 << 20, &{
        let config = mpota_vboard::bench::config(&[
            ("base_url", &format!("'{}'", link.url())),
            ("limits", "{'retries': 1}"),
        ]);
        world.bench.board_folder("v1.0.0", world.agent, &[("secrets.py", config.as_bytes())]).unwrap()
    })
    .unwrap();
    world.publish("v1.1.0", tiny("v1.1.0").with("a.bin", noise(500_000)));
    let (mut lives, mut all) = (0, String::new());
    loop {
        lives += 1;
        let before = link.sent();
        let run = board.run_with(&json!({"limit_ms": 1000})).unwrap();
        println!("  life {lives}: {} bytes, {:?}", link.sent() - before, run.end);
        all += &run.output;
        if run.output.contains("\nstaged ") {
            break;
        }
        assert_eq!(run.end, End::Unplugged, "{}", run.output);
        assert!(lives < 25, "{}", run.output);
    }
    let twice = twice(&all);
    println!(
        "  cases {lives}: lives of a second for 500,000 bytes; {} KB were sent, up to {twice} bytes came twice",
        link.sent() >> 10
    );
    assert!(lives > 4 && twice <= 16_384, "{twice}");
}
