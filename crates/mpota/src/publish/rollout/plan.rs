//! What the next file of a rollout says. Nothing here asks a server.

use std::time::Duration;

use mpota_format::limits;
use mpota_format::rollout::{FOREVER, Rollout, Stage};
use mpota_format::version::Version;

use super::Refusal;

/// How long a rollout counts behind its last stage, where nothing else is said.
const LASTS: Duration = Duration::from_secs(30 * 24 * 3600);

/// What is to be different.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// The share of the boards from now on. `None`: as it is; 0 where there is no rollout yet.
    pub percent: Option<u8>,
    /// The share after some time.
    pub after: Vec<(Duration, u8)>,
    /// The boards that take the version whatever the share is. `None`: as they are.
    pub boards: Option<Vec<String>>,
    /// How long it counts. `None`: as it is where the shares are, for ever where the last stage is 100 percent, else 30
    /// days longer than it takes to the last stage.
    pub lasts: Option<Duration>,
}

/// The next file, not signed yet, and without its number.
pub(super) fn changed(
    change: &Change,
    before: Option<&Rollout>,
    version: &Version,
    project: &str,
    now: u64,
) -> Result<Rollout, Refusal> {
    let stages = stages(change, before, now);
    let last = stages.last().copied().unwrap_or(Stage { from: 0, percent: 0 });
    let later = |from: u64, by: Duration| from.saturating_add(by.as_secs()).min(FOREVER);
    let same = before.filter(|_| change.percent.is_none() && change.after.is_empty());
    let until = match change.lasts {
        Some(lasts) => later(now, lasts),
        // The end keeps an old file from being shown again: naming a board does not put it off.
        None if same.is_some_and(|before| before.until < now) => {
            return Err(Refusal::Ended(version.to_string()));
        }
        None if let Some(before) = same => before.until,
        None if last.percent == 100 => FOREVER,
        None => later(now.max(last.from), LASTS),
    };
    if last.from > until {
        return Err(Refusal::Short);
    }
    let boards = change.boards.clone().or_else(|| before.map(|before| before.boards.clone()));
    Ok(Rollout {
        project: Some(project.to_owned()),
        version: version.clone(),
        number: 0,
        until,
        halted: change.percent.is_none() && before.is_some_and(|before| before.halted),
        stages,
        boards: boards.unwrap_or_default(),
        signature: None,
    })
}

/// The same where no board shall take the version any more.
pub(super) fn halted(
    before: Option<&Rollout>,
    version: &Version,
    project: &str,
    now: u64,
) -> Result<Rollout, Refusal> {
    // Where none counts, there is nothing to go on from later.
    let none = || changed(&Change::default(), None, version, project, now);
    let before = before.map_or_else(none, |before| Ok(before.clone()))?;
    Ok(Rollout { halted: true, signature: None, ..before })
}

fn stages(change: &Change, before: Option<&Rollout>, now: u64) -> Vec<Stage> {
    if let (None, [], Some(before)) = (change.percent, &*change.after, before) {
        return before.stages.clone();
    }
    let as_it_is = || before.and_then(|before| before.percent(now)).unwrap_or(0);
    let first = Stage { from: 0, percent: change.percent.unwrap_or_else(as_it_is) };
    let later = change.after.iter();
    let later =
        later.map(|(after, percent)| Stage { from: now.saturating_add(after.as_secs()), percent: *percent });
    std::iter::once(first).chain(later).collect()
}

/// It grows with each file, also where two computers have different times.
pub(super) fn number(before: Option<u64>, version: &Version, now: u64) -> Result<u64, Refusal> {
    let next = before.map_or(1, |before| before + 1).max(now);
    if next > limits::NUMBER { Err(Refusal::Number(version.to_string())) } else { Ok(next) }
}

/// Where a share becomes smaller: from how many percent to how many.
pub(super) fn lowered(before: Option<&Rollout>, after: &Rollout, now: u64) -> Option<(u8, u8)> {
    let before = before.filter(|before| !before.halted).and_then(|before| before.percent(now));
    let shares: Vec<u8> = before.into_iter().chain(after.stages.iter().map(|stage| stage.percent)).collect();
    shares.windows(2).find_map(|two| (two[0] > two[1]).then(|| (two[0], two[1])))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_795_000_000;
    const DAY: u64 = 24 * 3600;

    fn days(count: u64) -> Duration {
        Duration::from_secs(count * DAY)
    }

    fn version() -> Version {
        Version::parse("v1.2.0").unwrap()
    }

    fn next(change: &Change, before: Option<&Rollout>) -> Rollout {
        let next = refusable(change, before).unwrap();
        next.to_bytes().unwrap();
        next
    }

    fn numbered(before: Option<&Rollout>, next: Rollout) -> Result<Rollout, Refusal> {
        let number = number(before.map(|before| before.number), &version(), NOW)?;
        Ok(Rollout { number, ..next })
    }

    fn refusable(change: &Change, before: Option<&Rollout>) -> Result<Rollout, Refusal> {
        numbered(before, changed(change, before, &version(), "octo/weather", NOW)?)
    }

    fn halt(before: Option<&Rollout>) -> Result<Rollout, Refusal> {
        numbered(before, halted(before, &version(), "octo/weather", NOW)?)
    }

    fn to(percent: u8) -> Change {
        Change { percent: Some(percent), ..Change::default() }
    }

    fn stage(from: u64, percent: u8) -> Stage {
        Stage { from, percent }
    }

    #[test]
    fn times_are_from_now_and_the_end_is_thirty_days_behind_the_last_stage() {
        let change = Change { after: vec![(days(2), 25), (days(5), 50)], ..to(5) };
        let rollout = next(&change, None);
        assert_eq!(rollout.stages, [stage(0, 5), stage(NOW + 2 * DAY, 25), stage(NOW + 5 * DAY, 50)]);
        assert_eq!((rollout.number, rollout.until), (NOW, NOW + 35 * DAY));
        assert_eq!(next(&to(5), None).until, NOW + 30 * DAY);
        assert_eq!(next(&Change { lasts: Some(days(3)), ..to(5) }, None).until, NOW + 3 * DAY);
    }

    #[test]
    fn what_ends_at_100_percent_has_no_end() {
        assert_eq!(next(&to(100), None).until, FOREVER);
        let change = Change { after: vec![(days(7), 100)], ..to(5) };
        assert_eq!(next(&change, None).until, FOREVER);
        assert_eq!(next(&Change { lasts: Some(days(8)), ..change.clone() }, None).until, NOW + 8 * DAY);
        let short = Change { lasts: Some(days(6)), ..change };
        let refused = refusable(&short, None);
        assert!(matches!(refused, Err(Refusal::Short)));
    }

    #[test]
    fn boards_that_are_named_do_not_put_off_the_end() {
        let named = Change { boards: Some(vec!["b".into()]), ..Change::default() };
        let mut before = next(&Change { lasts: Some(days(1)), ..to(5) }, None);
        assert_eq!(next(&named, Some(&before)).until, NOW + DAY);
        assert_eq!(
            next(&Change { lasts: Some(days(2)), ..named.clone() }, Some(&before)).until,
            NOW + 2 * DAY
        );
        assert_eq!(next(&named, Some(&next(&to(100), None))).until, FOREVER);
        before.until = NOW - 1;
        let refused = refusable(&named, Some(&before));
        assert!(matches!(refused, Err(Refusal::Ended(_))), "{refused:?}");
        let again = Change { lasts: Some(days(2)), ..named };
        assert_eq!(next(&again, Some(&before)).until, NOW + 2 * DAY);
        assert_eq!(next(&to(5), Some(&before)).until, NOW + 30 * DAY);
    }

    #[test]
    fn the_number_grows_whatever_the_clock_says() {
        let mut before = next(&to(5), None);
        assert_eq!(next(&to(25), Some(&before)).number, NOW + 1);
        before.number = NOW - 5;
        assert_eq!(next(&to(25), Some(&before)).number, NOW);
        before.number = NOW + 500;
        assert_eq!(next(&to(25), Some(&before)).number, NOW + 501);
        assert_eq!(halt(Some(&before)).unwrap().number, NOW + 501);
        before.number = limits::NUMBER;
        assert!(matches!(halt(Some(&before)), Err(Refusal::Number(_))));
        let fresh = halt(None).unwrap();
        assert_eq!((fresh.number, fresh.halted, fresh.stages), (NOW, true, vec![stage(0, 0)]));
    }

    #[test]
    fn what_is_not_named_stays_and_a_share_goes_on_after_a_halt() {
        let change = Change { boards: Some(vec!["a".into()]), after: vec![(days(1), 50)], ..to(5) };
        let before = next(&change, None);
        let halted = halt(Some(&before)).unwrap();
        assert!(halted.halted && halted.stages == before.stages && halted.boards == before.boards);
        assert_eq!(halted.until, before.until);
        let named = next(&Change { boards: Some(vec!["b".into()]), ..Change::default() }, Some(&halted));
        assert!(named.halted && named.stages == before.stages && named.boards == ["b"]);
        let on = next(&to(25), Some(&halted));
        assert!(!on.halted && on.stages == [stage(0, 25)] && on.boards == ["a"]);
        let none = next(&Change { boards: Some(Vec::new()), ..to(25) }, Some(&halted));
        assert!(none.boards.is_empty());
        let later = next(&Change { after: vec![(days(3), 25)], ..Change::default() }, Some(&before));
        assert_eq!(later.stages, [stage(0, 5), stage(NOW + 3 * DAY, 25)]);
        let canaries = next(&Change { boards: Some(vec!["b".into()]), ..Change::default() }, None);
        assert_eq!((canaries.stages, canaries.halted), (vec![stage(0, 0)], false));
    }

    #[test]
    fn a_smaller_share_is_seen() {
        let before = next(&to(25), None);
        assert_eq!(lowered(Some(&before), &next(&to(5), None), NOW), Some((25, 5)));
        assert_eq!(lowered(Some(&before), &next(&to(25), None), NOW), None);
        assert_eq!(lowered(None, &next(&to(5), None), NOW), None);
        let halted = halt(Some(&before)).unwrap();
        assert_eq!(lowered(Some(&halted), &next(&to(5), None), NOW), None);
        let change = Change { after: vec![(days(1), 3)], ..to(5) };
        assert_eq!(lowered(None, &next(&change, None), NOW), Some((5, 3)));
    }
}
