//! What lies on a board.
//!
//! - [`updater`]: the updater's own files and imports
//! - [`lay`]: the updater's files to a folder as they lie on a board
//! - [`install`]: a release to a folder as it lies on a board
//! - [`wanted`]: all that a board needs to run a release
//! - [`mpremote`], [`script`]: the program that talks to boards, and what it has them run
//! - [`look`]: what a board is, and what lies on it
//! - [`fit`], [`plan`], [`port`]: whether a release is for a board, what goes to a board, and how it gets there
//! - [`status`]: how a board is, in words
//! - [`doctor`]: whether all is ready, from the app's folder to the board
//! - [`ca`], [`roots`]: the certificate authorities that a board trusts
//! - [`serve`]: the lines that a board needs to find `mpota serve`

pub mod ca;
pub mod doctor;
pub mod fit;
pub mod install;
pub mod lay;
pub mod look;
pub mod mpremote;
pub mod plan;
pub mod port;
pub mod roots;
pub mod script;
pub mod serve;
pub mod status;
pub mod updater;
pub mod wanted;
