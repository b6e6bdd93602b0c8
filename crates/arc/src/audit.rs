//! `arc audit`: the story of a digest, told by its evidence.
//!
//! Where it came from, who ordered it, what the scan found, which policy passed it, who signed, whether a log holds
//! it. Only what one of the given keys signed is told, and each line names the evidence it was read from.

mod export;
mod facts;
mod print;
mod story;

use arc_evidence::Evidence;
use arc_evidence::verify::{self, LogPolicy, Policy, Report};
use arc_oci::RawManifest;
use arc_steps::Exit;
use jiff::Timestamp;

use self::export::Package;
pub(crate) use self::story::clean;
use self::story::{Header, Judged, Story};
use crate::cli::{Audit, Output};
use crate::report::Failure;
use crate::verify::subject::Subject;
use crate::verify::{log_keys, public_keys};

/// One manifest with everything that was found for it.
struct Level {
    /// The platform; absent for what was asked for.
    platform: Option<String>,
    manifest: RawManifest,
    evidence: Evidence,
    report: Report,
}

/// Runs the command.
pub(crate) async fn run(args: &Audit) -> Result<Exit, Failure> {
    let mut policy = Policy::new(public_keys(&args.key)?);
    if !args.log_key.is_empty() {
        // Entries of these logs must hold; that a piece is in none of them is told and refuses nothing.
        policy.log = Some(LogPolicy { keys: log_keys(&args.log_key)?, required: false });
    }
    let subject = Subject::find(&args.reference, &args.registry).await?;
    let now = Timestamp::now();
    let levels = collect(&subject, &policy, now).await?;
    let story = tell(&subject, &levels, &policy, now);
    if let Some(dir) = &args.export {
        let package = Package {
            subject: &subject,
            levels: &levels,
            story: &story,
            keys: &policy.keys,
            log_keys: &args.log_key,
        };
        export::export(dir, &package).await?;
    }
    match args.output {
        Output::Json => print::json(&story)?,
        Output::Text => print::text(&story),
    }
    let is_sound = story.signed && story.problems.is_empty();
    Ok(if is_sound { Exit::Done } else { Exit::Refused })
}

/// Reads and judges the evidence of the digest and of each platform's manifest.
async fn collect(
    subject: &Subject,
    policy: &Policy,
    now: Timestamp,
) -> Result<Vec<Level>, Failure> {
    let mut levels = vec![level(subject, None, subject.root.clone(), (policy, now)).await?];
    for platform in subject.platforms().await? {
        let manifest = subject.manifest(&platform.digest).await?;
        levels.push(level(subject, Some(platform.name), manifest, (policy, now)).await?);
    }
    Ok(levels)
}

async fn level(
    subject: &Subject,
    platform: Option<String>,
    manifest: RawManifest,
    (policy, now): (&Policy, Timestamp),
) -> Result<Level, Failure> {
    let evidence = subject.evidence(&manifest.digest).await?;
    let report = verify::verify(&manifest.digest.to_string(), &evidence, policy, now)
        .map_err(|error| Failure::new(Exit::Refused, format!("{}: {error}", manifest.digest)))?;
    Ok(Level { platform, manifest, evidence, report })
}

fn tell(subject: &Subject, levels: &[Level], policy: &Policy, now: Timestamp) -> Story {
    let header = Header {
        reference: subject.name.clone(),
        digest: subject.root.digest.to_string(),
        media_type: subject.root.media_type.clone(),
        audited_on: now.to_string(),
        has_log_keys: policy.log.is_some(),
    };
    let judged: Vec<_> = levels
        .iter()
        .map(|level| Judged { platform: level.platform.as_deref(), report: &level.report })
        .collect();
    story::tell(header, &judged)
}
