//! The options that let in what is refused otherwise.

use mpota::check::allow::Allow;

/// What goes into the release all the same.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Yes, I mean it")]
pub struct AllowArgs {
    /// Release this file though it looks like a secret, or is excluded. Can be repeated
    #[arg(long, value_name = "PATH")]
    allow_secret: Vec<String>,
    /// Release this Python file though no board compiles it. Can be repeated
    #[arg(long, value_name = "PATH")]
    allow_syntax: Vec<String>,
    /// Release what this link leads to, though that is not in the folder. Can be repeated
    #[arg(long, value_name = "PATH")]
    allow_link: Vec<String>,
    /// Release a file that hides this module of the firmware from the app, like json. Can be repeated
    /// [also: `shadow` under [allow] in mpota.toml]
    #[arg(long, value_name = "MODULE")]
    allow_shadow: Vec<String>,
    /// Release a boot.py that does not start the updater, or an ota_keys without a key: boards with it
    /// never update again
    #[arg(long)]
    allow_no_updater: bool,
}

impl From<AllowArgs> for Allow {
    fn from(args: AllowArgs) -> Self {
        Self {
            secrets: args.allow_secret,
            syntax: args.allow_syntax,
            links: args.allow_link,
            shadow: args.allow_shadow,
            modules: false,
            no_updater: args.allow_no_updater,
        }
    }
}
