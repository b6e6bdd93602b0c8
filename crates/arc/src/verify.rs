//! `arc verify`: does this reference hold what a policy demands?
//!
//! From a registry or from an image layout; of an index, each platform's manifest as well where asked. Nothing is
//! decided here: the demands are a policy ([`demands`]), the verdict is that of `arc_evidence::verify`.

mod demands;
mod print;
pub(crate) mod subject;

use arc_evidence::verify::{self, Policy, Report};
use arc_oci::Digest;
use arc_steps::Exit;
use jiff::Timestamp;

pub(crate) use self::demands::{log_keys, public_keys};
use self::subject::Subject;
use crate::cli::{Output, Verify};
use crate::report::Failure;

/// The verdict on one manifest.
struct Level {
    /// The platform; absent for what was asked for.
    platform: Option<String>,
    digest: Digest,
    report: Report,
}

/// Runs the command.
pub(crate) async fn run(args: &Verify) -> Result<Exit, Failure> {
    // The demands first: a policy that cannot be read must not depend on what a registry answers.
    demands::policies(&args.demands, args.platforms)?;
    let subject = Subject::find(&args.reference, &args.registry).await?;
    let has_platforms = args.platforms && subject.is_index();
    let policies = demands::policies(&args.demands, has_platforms)?;
    let now = Timestamp::now();
    let root = judge(&subject, &subject.root.digest, &policies.root, now).await?;
    let mut levels =
        vec![Level { platform: None, digest: subject.root.digest.clone(), report: root }];
    if has_platforms {
        let platforms = subject.platforms().await?;
        if platforms.is_empty() {
            let message = format!("{} is an index without any platform", subject.root.digest);
            return Err(Failure::new(Exit::Refused, message));
        }
        for platform in platforms {
            let report = judge(&subject, &platform.digest, &policies.platform, now).await?;
            let (platform, digest) = (Some(platform.name), platform.digest);
            levels.push(Level { platform, digest, report });
        }
    }
    match args.output {
        Output::Json => print::json(&subject.name, &levels)?,
        Output::Text => print::text(&subject.name, &levels),
    }
    print::hint(&levels, subject.is_index() && !args.platforms);
    let accepted = levels.iter().all(|level| level.report.accepted());
    Ok(if accepted { Exit::Done } else { Exit::Refused })
}

/// Collects the evidence for a manifest and judges it.
pub(crate) async fn judge(
    subject: &Subject,
    digest: &Digest,
    policy: &Policy,
    now: Timestamp,
) -> Result<Report, Failure> {
    let evidence = subject.evidence(digest).await?;
    verify::verify(&digest.to_string(), &evidence, policy, now)
        .map_err(|error| Failure::new(Exit::Refused, format!("{digest}: {error}")))
}
