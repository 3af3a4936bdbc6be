//! Fault 82: rollouts that count for nothing. The board waits, says why, and takes the version once there is a good one.

use crate::keys::Key;
use crate::rig::{Rig, Setup, is_pack, outside};
use crate::server::Step;
use mpota_vboard::End;

pub const NAME: &str = "v1.1.0.json";
/// Above the time of any machine that runs this.
const LATER: &str = "9999999999";

/// A rollout of v1.1.0 to all boards, as it is without a signature.
pub fn text(number: u32) -> String {
    format!(
        "{{\"mpota-rollout\":1,\"project\":\"octo/weather\",\"version\":\"v1.1.0\",\"number\":{number},\
         \"until\":{LATER},\"stages\":[[0,100]]}}\n"
    )
}

/// A rig whose v1.1.0 goes out in stages.
fn rig() -> Rig {
    let rig = Setup::default().rig();
    mark(&rig);
    rig
}

/// A manifest with the mark that makes boards ask for a rollout.
pub fn marked(manifest: &str) -> String {
    manifest.replacen("\"files\":[", "\"more\":{\"rollout\":1},\"files\":[", 1)
}

pub fn mark(rig: &Rig) {
    rig.offer_signed(|text| marked(&text));
}

pub fn offer(rig: &Rig, rollout: Vec<u8>) {
    rig.server.store().put("rollout", NAME, rollout);
}

pub fn signed(rig: &Rig, text: &str) -> Vec<u8> {
    rig.key.sign_rollout("mpota-rollout", text)
}

/// Run the board, which must wait for this reason, and fetch nothing of the version.
pub fn waits(rig: &Rig, name: &str, why: &str) -> String {
    rig.server.forget();
    let before = outside(&rig.board);
    let run = rig.board.run().unwrap();
    let output = run.output;
    eprintln!("--- {name}\n{output}");
    assert_eq!((run.end, run.boots), (End::Sleep, 1), "{name}: {output}");
    assert!(output.contains(&format!("ota I v1.1.0 waits: {why}")), "{name}: {output}");
    assert!(output.contains("app goes on v1.0.0\n") && !output.contains("no update"), "{name}: {output}");
    assert_eq!(outside(&rig.board), before, "{name}");
    let asked = rig.server.asked();
    assert!(asked.iter().any(|a| a.name() == NAME), "{name}: {asked:#?}");
    assert!(!asked.iter().any(|a| a.host == 1 && is_pack(a)), "{name}: {asked:#?}");
    output
}

/// A good rollout is there: the version is installed.
fn goes_on(rig: &Rig, name: &str) {
    offer(rig, signed(rig, &text(9)));
    rig.updates(name);
    rig.rewind();
}

#[test]
fn fault_82_a_rollout_that_does_not_count_makes_the_board_wait() {
    let rig = rig();
    let halted = text(5).replace("\"stages\"", "\"halted\":true,\"stages\"");
    let later = text(5).replace("[[0,100]]", "[[0,0],[9999999998,100]]");
    let bare = |text: String| text.into_bytes();
    let other = Key::new(2).sign_rollout("mpota-rollout", &text(5));
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("unsigned", bare(text(5)), "signature refused: this board takes signed releases only"),
        ("of another key", other, "signature refused: by a key that this board does not trust"),
        (
            "signed as a manifest",
            rig.key.sign_rollout("mpota", &text(5)),
            "signature refused: made for another purpose",
        ),
        ("expired", signed(&rig, &text(5).replace(LATER, "1700000000")), "its rollout is refused: expired"),
        (
            "of another version",
            signed(&rig, &text(5).replace("v1.1.0", "v1.0.9")),
            "its rollout is refused: version",
        ),
        (
            "of another project",
            signed(&rig, &text(5).replace("octo", "evil")),
            "its rollout is refused: project",
        ),
        (
            "of no project",
            signed(&rig, &text(5).replace("\"project\":\"octo/weather\",", "")),
            "its rollout is refused: project",
        ),
        (
            "of tomorrow",
            signed(&rig, &text(5).replace("rollout\":1", "rollout\":2")),
            "its rollout is refused: format-version",
        ),
        ("not JSON", signed(&rig, &text(5).replace("[[0", "[[[[")), "its rollout is refused: form"),
        ("a web page", b"<html>log in".to_vec(), "its rollout is refused: not-a-rollout"),
        ("nothing", Vec::new(), "its rollout is refused: not-a-rollout"),
        ("the manifest", rig.manifest(), "its rollout is refused: "),
        ("4 KB", [signed(&rig, &text(5)), vec![b' '; 4096]].concat(), "its rollout is refused: too-large"),
        ("halted", signed(&rig, &halted), "it is halted"),
        ("0 percent", signed(&rig, &text(5).replace(",100]", ",0]")), "its turn comes later, 0 percent"),
        ("later", signed(&rig, &later), "its turn comes later, 0 percent"),
    ];
    let mut ran = 0;
    for (name, rollout, why) in cases {
        offer(&rig, rollout);
        waits(&rig, name, why);
        goes_on(&rig, name);
        ran += 1;
    }
    // Bits of a good one.
    let good = signed(&rig, &text(5));
    for at in (0..good.len()).step_by(good.len() / 12) {
        let mut bad = good.clone();
        bad[at] ^= 1 << (at % 7);
        offer(&rig, bad);
        waits(&rig, &format!("a bit of byte {at}"), "");
        rig.rewind();
        ran += 1;
    }
    rig.server.store().assets.remove(&("rollout".to_owned(), NAME.to_owned()));
    waits(&rig, "none", "the server has no rollout for it");
    goes_on(&rig, "none");
    ran += 1;
    println!("  cases {ran}: rollouts that do not count");
    assert!(ran > 27);
}

#[test]
fn fault_82_an_older_rollout_is_refused_once_a_newer_one_was_seen() {
    let rig = rig();
    let halted = text(7).replace("\"stages\"", "\"halted\":true,\"stages\"");
    offer(&rig, signed(&rig, &halted));
    waits(&rig, "halted", "it is halted");
    // Somebody sends what was true before.
    offer(&rig, signed(&rig, &text(6)));
    let writes = rig.board.run().unwrap().writes;
    assert_eq!(writes, 0, "a board that waits writes nothing");
    waits(&rig, "older", "its rollout is refused: older");
    // Nothing of it was believed.
    offer(&rig, signed(&rig, &halted));
    waits(&rig, "halted again", "it is halted");
    offer(&rig, signed(&rig, &text(8)));
    rig.updates("newer");
    println!("  cases 1: an older rollout");
}

#[test]
fn fault_82_boards_that_have_a_halted_version_keep_it_and_a_tag_passes_by() {
    let rig = rig();
    offer(&rig, signed(&rig, &text(5)));
    rig.updates("all boards");
    let halted = text(7).replace("\"stages\"", "\"halted\":true,\"stages\"");
    offer(&rig, signed(&rig, &halted));
    rig.server.forget();
    let output = rig.board.run().unwrap().output;
    assert!(output.contains("app v1.1.0 idle"), "{output}");
    assert!(!rig.server.asked().iter().any(|a| a.name() == NAME), "asked for though nothing is new");
    rig.rewind();
    waits(&rig, "halted", "it is halted");
    rig.configure("tag", "'v1.1.0'");
    rig.server.forget();
    rig.updates("by its tag");
    assert!(!rig.server.asked().iter().any(|a| a.name() == NAME), "the owner has named this version");
    println!("  cases 2: boards that have it, and boards that are told to have it");
}

/// The mark is not in what is asked for first, and in what is signed.
#[test]
fn fault_82_the_mark_cannot_be_taken_away() {
    let rig = rig();
    let marked = rig.store().get("v1.1.0", "manifest.json");
    let mpy = String::from_utf8(marked).unwrap().replacen(
        "\"version\":\"v1.1.0\",",
        "\"version\":\"v1.1.0\",\"requires\":{\"mpy\":\"6\"},",
        1,
    );
    // `requires` stands behind `created`.
    let created = format!("\"created\":{},", crate::rig::CREATED);
    let mpy = mpy.replacen(&created, "", 1);
    rig.server.store().put("v1.1.0", "manifest-mpy-6.json", rig.key.sign(mpy.as_bytes()));
    rig.offer_signed(|text| text.replacen("\"files\":[", "\"more\":{\"mpy\":[6]},\"files\":[", 1));
    let seen = rig.refused("without the mark", &["v1.1.0 goes out in stages"], &serde_json::json!({}));
    assert!(!seen.asked.iter().any(|a| a.host == 1 && is_pack(a)), "{:#?}", seen.asked);
    println!("  cases 1: a mark that was taken away");
}

#[test]
fn fault_82_a_server_that_breaks_off_is_asked_again() {
    let rig = rig();
    let good = signed(&rig, &text(5));
    offer(&rig, good.clone());
    rig.server.script(move |asked| {
        let cut = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", good.len()).into_bytes();
        (asked.name() == NAME).then(|| vec![Step::Send([&cut[..], &good[..100]].concat()), Step::Cut])
    });
    let output = rig.board.run().unwrap().output;
    assert!(
        output.contains("no update: connection to ") && output.contains("app goes on v1.0.0"),
        "{output}"
    );
    rig.server.behave();
    rig.updates("whole");
    println!("  cases 1: a rollout that is cut");
}
