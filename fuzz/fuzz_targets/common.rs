//! Drives one target by libFuzzer. Half of the changes are libFuzzer's own, half those that know the format.

use libfuzzer_sys::fuzzer_mutate;
use mpota_fuzz::mutate::Mutator;
use mpota_fuzz::targets::{ALL, Target};
use std::sync::LazyLock;

/// The target of this name.
pub fn target(name: &str) -> &'static Target {
    ALL.iter().find(|target| target.name == name).expect("a target of this name")
}

/// Changes `data`, of which `size` bytes count, and says how many count then.
pub fn mutate(
    target: &Target,
    seeds: &LazyLock<Vec<Vec<u8>>>,
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
) -> usize {
    if seed % 2 == 0 {
        return fuzzer_mutate(data, size, max_size);
    }
    let mut mutator = Mutator::new(seed.into(), target.words);
    let mut bytes = data[..size].to_vec();
    for _ in 0..=mutator.below(3) {
        mutator.change(&mut bytes, seeds);
    }
    if let Some(repair) = target.repair
        && mutator.once_in(2)
    {
        bytes = repair(&bytes);
    }
    bytes.truncate(max_size);
    data[..bytes.len()].copy_from_slice(&bytes);
    bytes.len()
}

/// The whole of a target's program.
#[macro_export]
macro_rules! drive {
    ($name:literal) => {
        static SEEDS: std::sync::LazyLock<Vec<Vec<u8>>> =
            std::sync::LazyLock::new(|| (common::target($name).seeds)());
        libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
            static RUN: std::sync::LazyLock<fn(&[u8]) -> bool> =
                std::sync::LazyLock::new(|| common::target($name).run);
            RUN(bytes);
        });
        libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            common::mutate(common::target($name), &SEEDS, data, size, max_size, seed)
        });
    };
}
