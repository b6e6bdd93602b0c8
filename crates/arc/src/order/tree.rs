//! Draws an order as a tree: its artifacts, their attempts and steps. Pure: a story and a moment in, lines out.

use arc_api::{ArtifactWorkflowStatus, DeliveryResult, OrderArtifactStatus, Phase, StepStatus};
use indicatif::DecimalBytes;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;

use super::story::Story;
use super::style::Style;

/// Digits of a digest that people compare.
const SHORT_DIGEST: usize = 12;

/// Draws the tree as it stands at `now`.
pub(super) fn lines(story: &Story, style: Style, now: Timestamp) -> Vec<String> {
    let mut lines = vec![head(story, style, now)];
    let rows = story.rows();
    let widest = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or_default();
    for (index, row) in rows.iter().enumerate() {
        let (branch, below) =
            if index + 1 == rows.len() { ("└─", "  ") } else { ("├─", "│ ") };
        let record = story.record(row).unwrap_or_default();
        lines.push(format!(
            "{branch} {} {:widest$}  {}",
            style.mark(row.phase),
            row.name,
            artifact(row, &record, style, now)
        ));
        for line in details(row, &record, style, now) {
            lines.push(format!("{below}    {line}").trim_end().to_owned());
        }
    }
    lines
}

fn head(story: &Story, style: Style, now: Timestamp) -> String {
    let order = &story.order;
    let name = format!("{}/{}", order.namespace().unwrap_or_default(), order.name_any());
    let Some(status) = &order.status else {
        return format!(
            "{} {name}  the controller has not looked at it yet",
            style.mark(Phase::Pending)
        );
    };
    let phase = status.phase.unwrap_or_default();
    let progress = status.progress.as_deref().unwrap_or("0/0");
    let since = order.creation_timestamp().map(|made| age(&made, now)).unwrap_or_default();
    format!("{} {name}  {phase}  {progress} delivered  {}", style.mark(phase), style.faint(&since))
}

/// The rest of an artifact's line.
fn artifact(
    row: &OrderArtifactStatus,
    record: &ArtifactWorkflowStatus,
    style: Style,
    now: Timestamp,
) -> String {
    let mut parts = vec![row.reason.clone().unwrap_or_else(|| row.phase.to_string())];
    parts.extend(record.result.iter().flat_map(result));
    if record.attempt > 1 {
        parts.push(format!("attempt {}", record.attempt));
    }
    parts.extend(row.started_at.as_ref().map(|began| {
        let ended = row.completed_at.as_ref().map_or(now, |ended| ended.0);
        style.faint(&age(began, ended))
    }));
    parts.join("  ")
}

/// What a result says in a few words.
fn result(result: &DeliveryResult) -> Vec<String> {
    let mut parts = Vec::new();
    if result.blobs_moved > 0 {
        parts.push(format!("{} blobs, {}", result.blobs_moved, DecimalBytes(result.bytes_moved)));
    }
    parts.extend(
        result.scan.as_ref().map(|scan| {
            format!("{}C {}H {}M {}L", scan.critical, scan.high, scan.medium, scan.low)
        }),
    );
    parts
}

/// The lines below an artifact: its steps, why it stands where it stands, and where it went.
fn details(
    row: &OrderArtifactStatus,
    record: &ArtifactWorkflowStatus,
    style: Style,
    now: Timestamp,
) -> Vec<String> {
    let mut lines = Vec::new();
    if !record.steps.is_empty() {
        let steps: Vec<String> = record.steps.iter().map(|one| step(one, style, now)).collect();
        lines.push(steps.join("   "));
    }
    let is_news = !matches!(row.phase, Phase::Succeeded | Phase::Running);
    lines.extend(row.message.clone().filter(|_| is_news || style.is_wide));
    if style.is_wide {
        let place = row.destination.as_deref();
        let digest = row.digest.as_deref().map(short);
        lines.extend(place.map(|place| format!("→ {place}@{}", digest.unwrap_or_default())));
        lines.extend(record.workflow.as_ref().map(|name| style.faint(&format!("workflow {name}"))));
    }
    lines
}

fn step(step: &StepStatus, style: Style, now: Timestamp) -> String {
    let spent = step.started_at.as_ref().map(|began| {
        let ended = step.completed_at.as_ref().map_or(now, |ended| ended.0);
        age(began, ended)
    });
    let spent = spent.map(|spent| format!(" {}", style.faint(&spent))).unwrap_or_default();
    format!("{} {}{spent}", style.mark(step.phase), step.name)
}

fn short(digest: &str) -> &str {
    let hex = digest.split_once(':').map_or(digest, |(_, hex)| hex);
    hex.get(..SHORT_DIGEST).unwrap_or(hex)
}

/// The time from `since` to `until`, in at most two units.
pub(super) fn age(since: &Time, until: Timestamp) -> String {
    let seconds = until.duration_since(since.0).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m{}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{}m", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{}d{}h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time(Timestamp::from_second(1_700_000_000 + second).unwrap())
    }

    fn story() -> Story {
        let order = serde_json::json!({
            "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "Order",
            "metadata": {"name": "demo", "namespace": "team-a", "generation": 2, "creationTimestamp": at(0)},
            "spec": {},
            "status": {
                "observedGeneration": 2, "phase": "Running", "progress": "1/3",
                "artifacts": [
                    {"name": "alpine", "phase": "Succeeded", "reason": "Succeeded", "artifactWorkflow": "demo-1",
                     "destination": "r.example/alpine:3", "digest": format!("sha256:{}", "a".repeat(64)),
                     "startedAt": at(1), "completedAt": at(42)},
                    {"name": "debian", "phase": "Failed", "reason": "ScanRefused", "message": "step \"scan\" said no",
                     "artifactWorkflow": "demo-2", "startedAt": at(1), "completedAt": at(9)},
                    {"name": "go", "phase": "Pending", "reason": "EndpointNotFound", "message": "no endpoint \"x\""},
                ],
            },
        });
        let delivery = |name: &str, status: serde_json::Value| {
            let object = serde_json::json!({
                "apiVersion": "arc.opendefense.cloud/v1alpha1", "kind": "ArtifactWorkflow",
                "metadata": {"name": name, "namespace": "team-a"},
                "spec": {"workflowTemplateRef": {"name": "t"}}, "status": status,
            });
            (name.to_owned(), serde_json::from_value(object).unwrap())
        };
        let steps = |phase: &str| {
            serde_json::json!([
                {"name": "fetch", "phase": "Succeeded", "startedAt": at(1), "completedAt": at(4)},
                {"name": "scan", "phase": phase, "startedAt": at(4), "completedAt": at(6)},
            ])
        };
        Story {
            order: serde_json::from_value(order).unwrap(),
            deliveries: [
                delivery("demo-1", serde_json::json!({
                    "phase": "Succeeded", "attempt": 2, "workflow": "demo-1-2", "steps": steps("Succeeded"),
                    "result": {"blobsMoved": 6, "bytesMoved": 555_400,
                        "scan": {"critical": 0, "high": 0, "medium": 1, "low": 2, "unknown": 0}},
                })),
                delivery("demo-2", serde_json::json!({"phase": "Failed", "attempt": 1, "steps": steps("Failed")})),
            ]
            .into(),
            workflows: std::collections::BTreeMap::default(),
        }
    }

    #[test]
    fn an_order_reads_from_top_to_bottom() {
        let drawn = lines(&story(), Style::default(), at(125).0).join("\n");
        assert_eq!(
            drawn,
            "\
● team-a/demo  Running  1/3 delivered  2m5s
├─ ✔ alpine  Succeeded  6 blobs, 555.40 kB  0C 0H 1M 2L  attempt 2  41s
│     ✔ fetch 3s   ✔ scan 2s
├─ ✖ debian  ScanRefused  8s
│     ✔ fetch 3s   ✖ scan 2s
│     step \"scan\" said no
└─ ○ go      EndpointNotFound
      no endpoint \"x\""
        );
    }

    #[test]
    fn wide_trees_say_where_and_by_what() {
        let style = Style { is_wide: true, ..Style::default() };
        let drawn = lines(&story(), style, at(125).0).join("\n");
        assert!(drawn.contains("→ r.example/alpine:3@aaaaaaaaaaaa"), "{drawn}");
        assert!(drawn.contains("workflow demo-1-2"), "{drawn}");
    }

    #[test]
    fn colours_are_asked_for() {
        let style = Style { has_colours: true, ..Style::default() };
        assert!(lines(&story(), style, at(0).0)[0].starts_with("\x1b[34m●\x1b[0m"));
    }

    #[test]
    fn the_exit_code_tells_the_worst() {
        use arc_steps::Exit;
        let mut story = story();
        assert!(!story.has_ended());
        let rows = &mut story.order.status.as_mut().unwrap().artifacts;
        rows.pop();
        assert!(story.has_ended());
        assert_eq!(story.exit(), Exit::Refused);
        story.order.status.as_mut().unwrap().artifacts.pop();
        assert_eq!(story.exit(), Exit::Done);
        story.order.metadata.generation = Some(3);
        assert!(!story.has_ended(), "the controller has not seen the new spec");
    }

    #[test]
    fn ages_have_two_units() {
        for (seconds, text) in
            [(0, "0s"), (59, "59s"), (61, "1m1s"), (3661, "1h1m"), (90_000, "1d1h"), (-5, "0s")]
        {
            assert_eq!(age(&at(0), at(seconds).0), text);
        }
    }
}
