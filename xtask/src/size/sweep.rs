//! Finds the smallest size from which every larger one works. Where the memory lies in pieces, a larger
//! heap may fail although a smaller one works: no bisection sees that.

use super::run::Outcome;
use anyhow::{Result, ensure};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Tries at a time.
const WORKERS: usize = 2;

/// What a sweep has found.
#[derive(Debug, Clone)]
pub struct Found {
    /// The smallest size from which every larger one worked.
    pub from: u32,
    /// The smallest that worked at all.
    pub first: u32,
    /// Sizes in between that failed.
    pub between: Vec<u32>,
    /// What was said at the largest that failed.
    pub why: String,
}

/// Sizes to go through: from `least` in steps of `step`, `most` being enough.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// The smallest that is tried.
    pub least: u32,
    /// One that has to work.
    pub most: u32,
    /// The step, in the unit of the sizes.
    pub step: u32,
    /// So many sizes in a row have to work before those above them are believed, and to fail before
    /// those below them are.
    pub row: u32,
    /// How often each is tried. All of the tries have to work: addresses and the sizes of what comes
    /// from the network differ from one to the next.
    pub repeats: usize,
}

/// The heap in KB.
pub const HEAP: Range = Range { least: 2, most: 512, step: 1, row: 10, repeats: 3 };

type Try<'a> = &'a (dyn Fn(u32) -> Result<Outcome> + Sync);

/// Go through the sizes.
pub fn sweep(range: Range, work: Try) -> Result<Found> {
    let near = bisect(range, work)?;
    let mut seen = BTreeMap::new();
    let row = range.row * range.step;
    let mut top = near;
    let mut low = near;
    loop {
        let failed = seen.iter().rev().find(|(_, why): &(&u32, &Option<String>)| why.is_some());
        let last = failed.map_or(near, |(size, _)| *size);
        if top < last + row {
            at(&sizes(top, last + row, range.step), range.repeats, work, &mut seen)?;
            top = last + row;
            continue;
        }
        let end = low.saturating_sub(row).max(range.least);
        if end == low
            || (low < near && seen.range(low..).take(range.row as usize).all(|(_, why)| why.is_some()))
        {
            break;
        }
        at(&sizes(end, low, range.step), range.repeats, work, &mut seen)?;
        low = end;
    }
    let works = |why: &Option<String>| why.is_none();
    let last = seen.iter().rev().find(|(_, why)| !works(why));
    let from = last.map_or(range.least, |(size, _)| size + range.step);
    let first = seen.iter().find(|(_, why)| works(why)).map_or(from, |(size, _)| *size);
    let between = seen.range(first..from).filter(|(_, why)| !works(why)).map(|(size, _)| *size).collect();
    Ok(Found { from, first, between, why: last.and_then(|(_, why)| why.clone()).unwrap_or_default() })
}

/// About where it begins to work: right where everything above a size works, which a sweep has to show.
pub fn bisect(range: Range, work: Try) -> Result<u32> {
    let outcome = work(range.most)?;
    ensure!(outcome.worked, "it fails even at {}: {}", range.most, outcome.last());
    let (mut low, mut high) = (range.least / range.step, range.most / range.step);
    while high - low > 1 {
        let middle = (low + high) / 2;
        if work(middle * range.step)?.worked { high = middle } else { low = middle }
    }
    Ok(high * range.step)
}

/// The sizes of a range that fail, and why.
pub fn failing(from: u32, to: u32, range: Range, work: Try) -> Result<Vec<(u32, String)>> {
    let mut seen = BTreeMap::new();
    at(&sizes(from, to, range.step), range.repeats, work, &mut seen)?;
    Ok(seen.into_iter().filter_map(|(size, why)| Some((size, why?))).collect())
}

fn sizes(from: u32, to: u32, step: u32) -> Vec<u32> {
    (from..=to).step_by(step as usize).collect()
}

/// Try each of the sizes, and note why those fail that do.
fn at(sizes: &[u32], repeats: usize, work: Try, seen: &mut BTreeMap<u32, Option<String>>) -> Result<()> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some(size) = sizes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = tries(*size, repeats, work);
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((*size, result));
                }
            });
        }
    });
    for (size, result) in done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        seen.insert(size, result?);
    }
    Ok(())
}

fn tries(size: u32, repeats: usize, work: Try) -> Result<Option<String>> {
    for _ in 0..repeats {
        let outcome = work(size)?;
        if !outcome.worked {
            return Ok(Some(outcome.last().to_owned()));
        }
    }
    Ok(None)
}

/// Sizes as people write them: `72-75, 78`.
pub fn spans(sizes: &[u32], step: u32) -> String {
    let mut out: Vec<(u32, u32)> = Vec::new();
    for &size in sizes {
        match out.last_mut() {
            Some((_, end)) if *end + step == size => *end = size,
            _ => out.push((size, size)),
        }
    }
    let span = |(a, b): &(u32, u32)| if a == b { a.to_string() } else { format!("{a}-{b}") };
    out.iter().map(span).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn works_where(range: Range, works: impl Fn(u32) -> bool + Sync) -> Found {
        sweep(range, &|size| Ok(Outcome { worked: works(size), output: format!("said at {size}") })).unwrap()
    }

    #[test]
    fn a_size_that_fails_above_one_that_works_is_seen() {
        let range = Range { repeats: 1, ..HEAP };
        let mut cases = 0;
        for (bad, from, first, between) in [
            (vec![], 2, 2, ""),
            ((2..80).collect(), 80, 80, ""),
            ((2..72).chain([74, 75, 78, 79, 80]).collect(), 81, 72, "74-75, 78-80"),
            ((2..20).chain([29, 38, 47]).collect(), 48, 20, "29, 38, 47"),
        ] {
            let found = works_where(range, |size| !bad.contains(&size));
            assert_eq!((found.from, found.first, spans(&found.between, 1).as_str()), (from, first, between));
            cases += 1;
        }
        assert_eq!(cases, 4);
        println!("  cases {cases}: sizes that fail above one that works");
    }

    #[test]
    fn steps_of_16_bytes() {
        let range = Range { least: 64, most: 8192, step: 16, row: 10, repeats: 1 };
        let found = works_where(range, |size| size >= 1040);
        assert_eq!((found.from, found.first, found.why.as_str()), (1040, 1040, "said at 1024"));
    }
}
