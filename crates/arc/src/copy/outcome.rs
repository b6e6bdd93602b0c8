//! What a copy did, for people and for machines.

use std::fmt::Display;

use arc_oci::copy::{CopyReport, TransferPlan};
use arc_oci::{Digest, Reference};
use serde::Serialize;

use crate::report::Failure;

/// How a copy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) enum Outcome {
    /// It is at the destination now.
    Copied,
    /// It was there already.
    Unchanged,
    /// It would be copied.
    WouldCopy,
}

/// One image, and what became of it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Copied {
    pub(crate) outcome: Outcome,
    pub(crate) source: Side,
    pub(crate) destination: Side,
    pub(crate) blobs_sent: u64,
    pub(crate) bytes_sent: u64,
    pub(crate) blobs_mounted: u64,
    pub(crate) blobs_present: u64,
    pub(crate) manifests_written: u64,
    pub(crate) manifests_present: u64,
    pub(crate) referrers: u64,
    /// Cosign's tags that came along.
    pub(crate) legacy_tags: Vec<String>,
    /// Cosign's tags that the destination has with other content; they were left alone.
    pub(crate) conflicts: Vec<String>,
    /// Layers that the source itself does not hold.
    pub(crate) foreign: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) selection: Option<Selection>,
    /// What a real run would send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) planned: Option<Planned>,
}

/// One end of a copy.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Side {
    pub(crate) reference: String,
    pub(crate) digest: String,
}

/// What was chosen from an index.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Selection {
    pub(crate) platforms: Vec<String>,
    pub(crate) left_out: u64,
}

/// What a real run would send at most: what the destination could mount from another of its repositories is counted.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Planned {
    pub(crate) blobs: u64,
    pub(crate) bytes: u64,
    pub(crate) manifests: u64,
}

impl Copied {
    /// What a finished copy says.
    pub(crate) fn new(from: &impl Display, to: &impl Display, report: CopyReport) -> Self {
        let texts = |digests: Vec<Digest>| digests.iter().map(Digest::to_string).collect();
        let selection = report.selection.map(|selection| Selection {
            platforms: selection.chosen.iter().map(ToString::to_string).collect(),
            left_out: selection.left_out,
        });
        Self {
            outcome: if report.is_unchanged { Outcome::Unchanged } else { Outcome::Copied },
            source: Side { reference: from.to_string(), digest: report.source.to_string() },
            destination: Side { reference: to.to_string(), digest: report.destination.to_string() },
            blobs_sent: report.blobs_sent,
            bytes_sent: report.bytes_sent,
            blobs_mounted: report.blobs_mounted,
            blobs_present: report.blobs_present,
            manifests_written: report.manifests_written,
            manifests_present: report.manifests_present,
            referrers: report.referrers,
            legacy_tags: report.legacy_tags,
            conflicts: report.conflicts.into_iter().map(|conflict| conflict.tag).collect(),
            foreign: texts(report.foreign),
            selection,
            planned: None,
        }
    }

    /// What only looking says; without a plan there is nothing to do.
    pub(crate) fn looked(
        from: &Reference,
        to: &Reference,
        digest: &Digest,
        plan: Option<&TransferPlan>,
    ) -> Self {
        let digest = digest.to_string();
        let planned = plan.map(|plan| Planned {
            blobs: plan.blobs_missing,
            bytes: plan.bytes_missing,
            manifests: plan.manifests_missing,
        });
        Self {
            outcome: if plan.is_some() { Outcome::WouldCopy } else { Outcome::Unchanged },
            source: Side { reference: from.to_string(), digest: digest.clone() },
            destination: Side { reference: to.to_string(), digest },
            blobs_sent: 0,
            bytes_sent: 0,
            blobs_mounted: 0,
            blobs_present: plan.map_or(0, |plan| plan.blobs_total - plan.blobs_missing),
            manifests_written: 0,
            manifests_present: 0,
            referrers: 0,
            legacy_tags: Vec::new(),
            conflicts: Vec::new(),
            foreign: Vec::new(),
            selection: None,
            planned,
        }
    }

    /// What moved, in one phrase.
    pub(crate) fn moved(&self) -> String {
        if let Some(planned) = &self.planned {
            return format!(
                "would send at most {} blobs, {}, and {} manifests",
                planned.blobs,
                arc_steps::bytes(planned.bytes),
                planned.manifests
            );
        }
        if self.outcome == Outcome::Unchanged {
            return "nothing to do".to_owned();
        }
        let sent = format!("{} blobs, {}", self.blobs_sent, arc_steps::bytes(self.bytes_sent));
        let mounted = match self.blobs_mounted {
            0 => String::new(),
            count => format!("; {count} mounted"),
        };
        let present = match self.blobs_present {
            0 => String::new(),
            count => format!("; {count} there already"),
        };
        format!("sent {sent}{mounted}{present}")
    }

    /// What one should know besides, one line each.
    pub(crate) fn notes(&self) -> Vec<String> {
        let conflicts = self
            .conflicts
            .iter()
            .map(|tag| format!("the destination has its own {tag}, which was left alone"));
        let foreign = self.foreign.iter().map(|digest| {
            format!(
                "layer {digest} is licensed to be fetched elsewhere; the source does not hold it"
            )
        });
        conflicts.chain(foreign).collect()
    }
}

/// Prints one JSON document.
#[expect(clippy::print_stdout, reason = "the outcome")]
pub(crate) fn print_json(copied: &Copied) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(copied).map_err(|error| Failure::failed(&error))?;
    println!("{text}");
    Ok(())
}

/// Prints for people.
#[expect(clippy::print_stdout, reason = "the outcome")]
pub(crate) fn print_text(copied: &Copied) {
    println!("{}", copied.destination.reference);
    println!("  digest       {}", copied.destination.digest);
    println!("  source       {}", copied.source.reference);
    if let Some(selection) = &copied.selection {
        println!(
            "  platforms    {}; {} left out of index {}",
            selection.platforms.join(", "),
            selection.left_out,
            copied.source.digest
        );
    }
    println!("  moved        {}", copied.moved());
    if copied.referrers > 0 || !copied.legacy_tags.is_empty() {
        let tags = copied.legacy_tags.len();
        println!("  referrers    {}; {tags} tags of cosign", copied.referrers);
    }
    for note in copied.notes() {
        println!("  note         {note}");
    }
}
