//! `mpota sign`

use std::path::PathBuf;

use mpota::release::sign;

use super::output;

/// Sign a release that is built, with a key or with ssh-keygen
///
/// With a key in an ssh-agent, on a card, or wherever else OpenSSH finds it:
///   mpota sign dist --key KEY.pub
///
/// With a key that is on another machine:
///   mpota sign dist --signed-part > part
///   ssh-keygen -Y sign -n mpota -O hashalg=sha256 -f KEY part
///   mpota sign dist --signature part.sig
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
#[command(group = clap::ArgGroup::new("how").required(true))]
pub struct Args {
    /// The release's folder, or its manifest.json
    #[arg(default_value = "dist")]
    target: PathBuf,
    /// Sign with this SSH key: the private one, or the .pub of one that an ssh-agent has
    #[arg(long, value_name = "FILE", group = "how")]
    key: Option<PathBuf>,
    /// Put in the signature that ssh-keygen made
    #[arg(long, value_name = "FILE", group = "how")]
    signature: Option<PathBuf>,
    /// Print the bytes that are to be signed
    #[arg(long, group = "how")]
    signed_part: bool,
}

pub fn run(args: &Args) -> miette::Result<()> {
    if let Some(path) = &args.key {
        let key = super::load_key(path)?;
        sign::sign_file(&args.target, &key)?;
        super::tell_signature(Some(&key));
    } else if let Some(signature) = &args.signature {
        let key = sign::attach(&args.target, signature)?;
        output::note(format_args!("signed with {}", key.fingerprint()));
    } else {
        output::raw(&sign::signed_part(&args.target)?);
    }
    Ok(())
}
