//! Rollouts.

use mpota_format::limits;
use mpota_format::rollout::{Asked, Rollout, draw, is_within, signed_part, signer};

use super::KEYS;

/// A rollout that is taken is written again to the same bytes, is JSON, keeps to the limits, and decides by its share
/// and its names. With keys it is taken only if one of them has signed just these bytes.
pub(super) fn read_rollout(bytes: &[u8]) -> bool {
    let Ok(read) = Rollout::parse(bytes) else { return false };
    assert!(
        read.to_bytes().is_ok_and(|again| again == bytes),
        "it is written in another way than it was read"
    );
    assert!(bytes.is_ascii() && serde_json::from_slice::<serde_json::Value>(bytes).is_ok(), "it is not JSON");
    assert!(bytes.len() <= limits::ROLLOUT && (1..=limits::NUMBER).contains(&read.number));
    assert!((1..=limits::STAGES).contains(&read.stages.len()) && read.boards.len() <= limits::BOARDS);
    assert!(read.stages.iter().all(|stage| stage.percent <= 100));
    assert!(read.stages.is_sorted_by(|a, b| a.from < b.from), "two stages at one time");
    for now in read.stages.iter().map(|stage| stage.from).chain([0, read.until]) {
        for id in read.boards.iter().map(String::as_str).chain(["e6614c311b7e6f35"]) {
            let takes = read.decide(id, now).takes();
            assert!(!(takes && read.halted), "a halted version is taken");
            let share = read.percent(now).is_some_and(|p| is_within(draw(read.version.as_str(), id), p));
            assert_eq!(takes, !read.halted && (share || read.boards.iter().any(|board| board == id)));
        }
    }
    signed(bytes, &read);
    true
}

fn signed(bytes: &[u8], read: &Rollout) {
    let project = read.project.clone().unwrap_or_default();
    let asked = |keys| Asked {
        version: read.version.as_str(),
        project: &project,
        keys,
        now: read.until,
        number: read.number,
    };
    let taken = Rollout::read(bytes, &asked(&KEYS));
    let by = signer(bytes).ok().filter(|by| KEYS.iter().any(|key| key.key == by.key));
    assert_eq!(taken.is_ok(), by.is_some() && read.project.is_some(), "{taken:?}");
    if taken.is_ok() {
        // One bit of what is signed, chosen by the bytes themselves.
        let at = mpota_format::digest::crc32(bytes) as usize % (signed_part(bytes).len() * 8);
        let mut other = bytes.to_vec();
        other[at / 8] ^= 1 << (at % 8);
        assert!(Rollout::read(&other, &asked(&KEYS)).is_err(), "bit {at} is not signed");
        assert!(mpota_format::sshsig::check(bytes, &KEYS).is_err(), "it counts as a manifest's signature");
    }
}
