//! `arc digest`: what a tag stands for.

use arc_steps::Exit;

use crate::cli::Digest;
use crate::registry_access::{connect, failed, nothing_at, parse_reference};
use crate::report::Failure;

/// Runs the command.
#[expect(clippy::print_stdout, reason = "the digest is the outcome")]
pub(crate) async fn run(args: &Digest) -> Result<Exit, Failure> {
    let (remote, reference) = parse_reference(&args.reference)?;
    let client = connect(&args.registry, remote, &reference.repository)?;
    let found = client.resolve(&reference.repository, &reference.tag_or_digest()).await;
    let found = found.map_err(failed)?.ok_or_else(|| nothing_at(&reference))?;
    println!("{}", found.digest);
    Ok(Exit::Done)
}
