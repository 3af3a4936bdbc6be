//! Work on all cores with results in order, and no more of them in memory than a window has.

use rayon::prelude::*;

/// Bytes of the items that are worked on at the same time.
const WINDOW: u64 = 16 << 20;

/// Does `work` for each item on all cores, and `put` with the results in the order of the items. While the results of one
/// window are put, those of the next are made. The error that is returned is that of the first item that has one.
pub(crate) fn ordered<T: Sync, R: Send, E: Send>(
    items: &[T],
    size: impl Fn(&T) -> u64,
    work: impl Fn(&T) -> Result<R, E> + Sync,
    mut put: impl FnMut(&T, R) -> Result<(), E> + Send,
) -> Result<(), E> {
    let mut all = |window: &[T], results: Vec<Result<R, E>>| {
        window.iter().zip(results).try_for_each(|(item, result)| put(item, result?))
    };
    let (mut before, mut made): (&[T], Vec<Result<R, E>>) = (&[], Vec::new());
    for window in windows(items, size) {
        let next = || window.par_iter().map(&work).collect();
        let (done, results) = rayon::join(|| all(before, made), next);
        done?;
        (before, made) = (window, results);
    }
    all(before, made)
}

/// The items in parts of [`WINDOW`] bytes. An item that is larger by itself has a part of its own.
fn windows<T>(mut items: &[T], size: impl Fn(&T) -> u64) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let mut sum = 0_u64;
        let fits = |item: &&T| {
            sum = sum.saturating_add(size(item).max(1));
            sum <= WINDOW
        };
        let count = items.iter().take_while(fits).count().max(1).min(items.len());
        let (window, rest) = items.split_at(count);
        items = rest;
        (!window.is_empty()).then_some(window)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn results_come_in_order_and_no_more_than_two_windows_of_them_are_held() {
        let items: Vec<u64> = (0..400).map(|n| n * 7919 % 997 * 1024).collect();
        let (held, most) = (AtomicU64::new(0), AtomicU64::new(0));
        let mut got = Vec::new();
        let work = |item: &u64| {
            let now = held.fetch_add(*item, Ordering::SeqCst) + item;
            most.fetch_max(now, Ordering::SeqCst);
            Ok::<_, ()>(*item)
        };
        let put = |item: &u64, result: u64| {
            assert_eq!(*item, result);
            held.fetch_sub(result, Ordering::SeqCst);
            got.push(result);
            Ok(())
        };
        ordered(&items, |item| *item, work, put).unwrap();
        assert_eq!(got, items);
        let (most, sum) = (most.into_inner(), items.iter().sum::<u64>());
        assert!(most <= 2 * WINDOW && sum > 8 * WINDOW, "{most} of {sum} bytes");
        println!("  cases {}: results in order, {most} of {sum} bytes held", items.len());
    }

    #[test]
    fn the_first_error_counts_and_nothing_behind_it_is_put() {
        let items: Vec<u64> = (0..100).collect();
        let mut got = Vec::new();
        let work = |item: &u64| if item % 40 == 39 { Err(*item) } else { Ok(*item) };
        let put = |_: &u64, result| {
            got.push(result);
            Ok(())
        };
        assert_eq!(ordered(&items, |_| 1 << 20, work, put), Err(39));
        assert_eq!(got, (0..39).collect::<Vec<u64>>());
    }

    #[test]
    fn every_item_is_in_one_window() {
        let items = [0, WINDOW, 1, WINDOW + 1, 5, 5, WINDOW - 5, 0];
        let sizes: Vec<usize> = windows(&items, |item| *item).map(<[u64]>::len).collect();
        assert_eq!(sizes, [1, 1, 1, 1, 2, 2]);
        assert_eq!(windows(&items[..0], |item| *item).count(), 0);
    }
}
