//! What the fuzzers run. Each target is an ordinary function from bytes to a panic, so that it is driven in two
//! ways: by short seeded runs in the tests, on stable Rust, and by libFuzzer in `cargo xtask fuzz`.
//!
//! # Layout
//!
//! - [`targets`]: what must hold for any bytes, one function for each reader
//! - [`seeds`]: where mutations begin: the vectors of `spec/vectors`, and requests and answers of HTTP
//! - [`mutate`]: seeded mutations by lines, tokens, numbers and bytes
//! - [`repair`]: makes a mutation fit again: signature, checksum, offsets
//! - [`verdict`]: what the Rust readers say, in one line
//! - `board`, `differ`, `http`: the same inputs on a MicroPython (with the feature `board`)

pub mod mutate;
pub mod repair;
pub mod seeds;
pub mod targets;
pub mod verdict;

#[cfg(feature = "board")]
pub mod board;
#[cfg(feature = "board")]
pub mod differ;
#[cfg(feature = "board")]
pub mod http;
