//! What `mpota publish` and `mpota rollout` say while they work.

use std::cell::RefCell;

use indicatif::{ProgressBar, ProgressStyle};
use mpota::publish::Step;

use super::output;

/// Says what happens, with a bar for what is being sent.
pub(super) struct Talk {
    quiet: bool,
    bar: RefCell<Option<ProgressBar>>,
}

impl Talk {
    pub(super) fn new(quiet: bool) -> Self {
        Self { quiet, bar: RefCell::new(None) }
    }

    pub(super) fn teller(self) -> impl Fn(&Step) {
        move |step| self.tell(step)
    }

    fn tell(&self, step: &Step) {
        match step {
            Step::Upload(name, size) => self.begin(name, *size),
            Step::Sent(bytes) => {
                if let Some(bar) = &*self.bar.borrow() {
                    bar.inc(*bytes);
                }
            }
            step => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
                self.say(step);
            }
        }
    }

    /// On a terminal only: elsewhere nothing is drawn.
    fn begin(&self, name: &str, size: u64) {
        if self.quiet {
            return;
        }
        let style = ProgressStyle::with_template("{msg} [{bar:30}] {bytes}/{total_bytes} {eta}");
        let bar = ProgressBar::new(size).with_message(super::visible::text(name).into_owned());
        *self.bar.borrow_mut() = Some(style.map_or(bar.clone(), |style| bar.with_style(style)));
    }

    fn say(&self, step: &Step) {
        let text = match step {
            Step::Waiting(wait, why) => {
                output::warning(
                    "publish::waiting",
                    format_args!("{why}: trying again in {} s", wait.as_secs()),
                );
                return;
            }
            Step::Left(name) => {
                output::warning(
                    "publish::left",
                    format_args!("{name} is there too: it is not of this release, and stays"),
                );
                return;
            }
            Step::ChannelImmutable(name) => {
                output::warning(
                    "channel::fixed",
                    format_args!("the channel {name} is immutable: it can never be moved"),
                );
                return;
            }
            Step::RolloutUnsigned(version) => {
                output::warning(
                    "rollout::replaced",
                    format_args!(
                        "the rollout of {version} that is there is not signed by this key: it is replaced, and nothing of it stays"
                    ),
                );
                return;
            }
            Step::RolloutImmutable => {
                output::warning(
                    "rollout::fixed",
                    "the release rollout is immutable: it can never be changed",
                );
                return;
            }
            Step::Lowered(from, to) => {
                output::warning(
                    "rollout::lowered",
                    format_args!(
                        "the share goes down from {from} to {to} percent: boards that have the version keep it"
                    ),
                );
                return;
            }
            Step::Draft(url) => format!("draft {url}"),
            Step::Resumed(url) => format!("going on with the draft {url}"),
            Step::Bare(url) => format!("{url} is published without a manifest: its files are added"),
            Step::Kept(name) => format!("{name} is there already"),
            Step::Removed(name) => format!("removed another {name}"),
            Step::Uploaded(name) => format!("uploaded {name}"),
            Step::StaysLatest(tag) => format!("{tag} stays the latest release: it is newer"),
            Step::Published(_) => "published".to_owned(),
            Step::WasPublished(_) => "it is published already, just as it lies here".to_owned(),
            Step::ReadBack(place) => format!("read back {place}"),
            Step::Rollout(version) => format!("the rollout of {version} is there"),
            Step::RolloutKept(version) => {
                format!("{version} has a rollout already, which stays: `mpota rollout {version}` shows it")
            }
            Step::RolloutMissing(version) => {
                format!("no board takes {version} before it has a rollout: mpota rollout {version} 5%")
            }
            Step::Channel(name) => format!("the channel {name} has it"),
            _ => return,
        };
        if !self.quiet {
            output::note(text);
        }
    }
}
