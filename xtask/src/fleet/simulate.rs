//! The fleet, second by second: which boards ask, what the server has left to do, who gets the release.

use super::model::{Costs, Fleet, Place, Rollout};
use fastrand::Rng;

/// A board gives up on an answer after this many seconds: `timeout_s` of its CONFIG. It asks again at its next look.
const PATIENCE: u32 = 20;
/// The release is published in this second: the looks before it show what a day without one costs.
pub const PUBLISHED: u32 = DAY;
pub const DAY: u32 = 86_400;
/// The longest time that is looked at.
const END: u32 = 30 * DAY;

/// What has happened.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Outcome {
    /// Requests and bytes of the last day before the release.
    pub quiet: Traffic,
    /// The same, from the release until 99 percent have it.
    pub release: Traffic,
    /// The most requests that came in one second.
    pub peak: u64,
    /// The most bytes that the answers of one second have.
    pub peak_bytes: u64,
    /// The longest time in seconds that an answer took.
    pub slowest: u32,
    /// Looks that got no answer in time.
    pub unanswered: u64,
    /// Seconds from the release until 99 percent of the boards have it; `None`: not in 30 days.
    pub done: Option<u32>,
}

/// What went over the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Traffic {
    pub requests: u64,
    pub bytes: u64,
}

impl Traffic {
    fn add(&mut self, requests: u64, bytes: u64) {
        self.requests += requests;
        self.bytes += bytes;
    }
}

/// Lets the fleet live until 99 percent of it have the release.
pub fn run(fleet: &Fleet, place: &Place, costs: &Costs, rollout: &Rollout, seed: u64) -> Outcome {
    let mut chance = Rng::with_seed(seed);
    // Which boards look in which second; a ring, as no look is further away than this.
    let ring = fleet.interval as usize * 2;
    let mut calendar: Vec<Vec<u32>> = vec![Vec::new(); ring];
    // A number below which a rollout's share has to be for a board to be its turn, once for all.
    let turns: Vec<u8> = (0..fleet.boards).map(|_| chance.u8(0..100)).collect();
    let mut has = vec![false; fleet.boards as usize];
    for board in 0..fleet.boards {
        calendar[chance.u32(0..fleet.spread.clamp(1, fleet.interval)) as usize].push(board);
    }
    let wanted = u64::from(fleet.boards) * 99 / 100;
    let (mut have, mut out) = (0_u64, Outcome::default());
    // Seconds of work that the server has not done yet, by its requests and by its link.
    let mut waiting = 0.0_f64;
    for now in 0..END {
        let looking = std::mem::take(&mut calendar[now as usize % ring]);
        let share = now.checked_sub(PUBLISHED).map_or(0, |since| rollout.share(since));
        let (mut requests, mut bytes) = (0, 0);
        for board in looking {
            let jitter = fleet.interval / 10;
            let next = fleet.interval - jitter + chance.u32(0..=2 * jitter);
            calendar[(now + next) as usize % ring].push(board);
            let board = board as usize;
            let turn = now >= PUBLISHED && !has[board] && turns[board] < share;
            let waits = now >= PUBLISHED && !has[board] && !turn;
            let mut cost = costs.look;
            if turn {
                cost = cost.and(costs.update);
            }
            if rollout.is_one() && (turn || waits) {
                cost = cost.and(costs.rollout);
            }
            requests += cost.requests;
            bytes += cost.bytes;
            waiting += place.seconds(cost);
            if waiting > f64::from(PATIENCE) {
                // It hangs up, and what it asked for is not sent.
                waiting -= place.seconds(cost);
                out.unanswered += 1;
                continue;
            }
            out.slowest = out.slowest.max(waiting.ceil() as u32);
            if turn {
                has[board] = true;
                have += 1;
            }
        }
        waiting = (waiting - 1.0).max(0.0);
        (out.peak, out.peak_bytes) = (out.peak.max(requests), out.peak_bytes.max(bytes));
        if now < PUBLISHED { &mut out.quiet } else { &mut out.release }.add(requests, bytes);
        if have >= wanted {
            out.done = Some(now - PUBLISHED);
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::model::Cost;
    use super::*;

    const COSTS: Costs = Costs {
        look: Cost { requests: 1, bytes: 1_000 },
        update: Cost { requests: 10, bytes: 50_000 },
        rollout: Cost { requests: 1, bytes: 500 },
    };
    const FLEET: Fleet = Fleet { boards: 2_000, interval: 3_600, spread: 3_600 };
    const AT_ONCE: Rollout = Rollout(&[]);

    #[test]
    fn a_fleet_that_looks_each_hour_has_a_release_in_an_hour_and_pays_for_it_once() {
        let out = run(&FLEET, &Place::unlimited(), &COSTS, &AT_ONCE, 1);
        let done = out.done.unwrap();
        assert!((3_400..4_000).contains(&done), "{done}");
        // A day of looks, give or take what the chance of one look more or less for a board is.
        let looks = out.quiet.requests as f64 / f64::from(FLEET.boards);
        assert!((23.0..25.0).contains(&looks), "{looks}");
        assert_eq!(out.quiet.bytes, out.quiet.requests * 1_000);
        // 99 percent of the boards have updated: 10 requests each besides the looks, which have 1,000 bytes each.
        let updates = u64::from(FLEET.boards) * 99 / 100;
        let looks = out.release.requests - 10 * updates;
        assert_eq!(out.release.bytes, looks * 1_000 + updates * 50_000);
        assert_eq!((out.unanswered, out.slowest), (0, 0));
        assert_eq!(out, run(&FLEET, &Place::unlimited(), &COSTS, &AT_ONCE, 1));
        assert_ne!(out, run(&FLEET, &Place::unlimited(), &COSTS, &AT_ONCE, 2));
    }

    #[test]
    fn a_rollout_gives_each_stage_its_share_and_costs_a_request_more() {
        let stages = Rollout(&[(0, 5), (DAY, 25), (2 * DAY, 100)]);
        let all = run(&FLEET, &Place::unlimited(), &COSTS, &AT_ONCE, 1);
        let slow = run(&FLEET, &Place::unlimited(), &COSTS, &stages, 1);
        let done = slow.done.unwrap();
        assert!((2 * DAY..2 * DAY + 4_000).contains(&done), "{done}");
        assert!(slow.release.requests > all.release.requests && slow.peak < all.peak, "{slow:?} {all:?}");
        // Those who wait for ever do not get it.
        assert_eq!(run(&FLEET, &Place::unlimited(), &COSTS, &Rollout(&[(0, 5)]), 1).done, None);
    }

    #[test]
    fn a_server_that_is_too_slow_makes_boards_wait_and_then_fail() {
        let at_once = Fleet { spread: 1, ..FLEET };
        // 2,000 looks in one second, of which the server answers 1,000 or 10 in a second.
        let slower = run(&at_once, &Place::new(1_000.0, f64::INFINITY), &COSTS, &AT_ONCE, 1);
        assert_eq!((slower.slowest, slower.unanswered), (2, 0));
        let slow = run(&at_once, &Place::new(10.0, f64::INFINITY), &COSTS, &AT_ONCE, 1);
        assert!(slow.slowest == PATIENCE && slow.unanswered >= 1_800, "{slow:?}");
        let narrow = run(&at_once, &Place::new(f64::INFINITY, 1_000_000.0), &COSTS, &AT_ONCE, 1);
        assert_eq!((narrow.slowest, narrow.unanswered), (2, 0));
    }
}
