//! What of an order's status is worth an event: artifacts that are held, released, or failed. Success is none.

use std::collections::BTreeMap;

use arc_api::{OrderArtifactStatus, OrderStatus, Phase, Reason};

/// Events of one pass at most; the status has them all.
const MAX_NEWS: usize = 5;

/// Something that changed and that a human should know of.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct News {
    pub(super) reason: String,
    pub(super) message: String,
    pub(super) is_warning: bool,
}

/// What changed between two statuses.
pub(super) fn between(before: Option<&OrderStatus>, after: &OrderStatus) -> Vec<News> {
    let rows = before.map(|status| status.artifacts.as_slice()).unwrap_or_default();
    let earlier: BTreeMap<&str, &OrderArtifactStatus> =
        rows.iter().map(|row| (row.name.as_str(), row)).collect();
    let news: Vec<News> = after
        .artifacts
        .iter()
        .filter_map(|row| of_row(earlier.get(row.name.as_str()).copied(), row))
        .collect();
    let more = news.len().saturating_sub(MAX_NEWS);
    let mut shown: Vec<News> = news.into_iter().take(MAX_NEWS).collect();
    if let Some(last) = shown.last_mut().filter(|_| more > 0) {
        last.message = format!("{} (and {more} more artifacts)", last.message);
    }
    shown
}

fn of_row(before: Option<&OrderArtifactStatus>, after: &OrderArtifactStatus) -> Option<News> {
    let was_held = before.is_some_and(is_held);
    let is_same = before.is_some_and(|row| row.phase == after.phase && row.reason == after.reason);
    let reason = after.reason.clone().unwrap_or_default();
    let message = after.message.clone().unwrap_or_default();
    let name = &after.name;
    match after.phase {
        _ if is_same => None,
        Phase::Failed | Phase::Error => Some(News {
            reason,
            message: format!("artifact {name:?}: {message}"),
            is_warning: true,
        }),
        _ if is_held(after) => Some(News {
            reason,
            message: format!("artifact {name:?} is held: {message}"),
            is_warning: true,
        }),
        _ if was_held => Some(News {
            reason: Reason::Accepted.as_str().to_owned(),
            message: format!("artifact {name:?} is no longer held"),
            is_warning: false,
        }),
        _ => None,
    }
}

/// Whether a problem holds the artifact back.
fn is_held(row: &OrderArtifactStatus) -> bool {
    const WAITING: [Reason; 4] =
        [Reason::Pending, Reason::Suspended, Reason::Scheduled, Reason::SameDeliveryRunning];
    let reason = row.reason.as_deref().unwrap_or_default();
    row.phase == Phase::Pending
        && row.artifact_workflow.is_none()
        && !reason.is_empty()
        && !WAITING.iter().any(|waiting| waiting.as_str() == reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(rows: &[(&str, Phase, &str)]) -> OrderStatus {
        let artifacts = rows.iter().map(|(name, phase, reason)| OrderArtifactStatus {
            name: (*name).to_owned(),
            phase: *phase,
            reason: Some((*reason).to_owned()),
            message: Some("why".to_owned()),
            ..OrderArtifactStatus::default()
        });
        OrderStatus { artifacts: artifacts.collect(), ..OrderStatus::default() }
    }

    #[test]
    fn only_what_needs_a_human_is_news_and_only_once() {
        let held = status(&[("a", Phase::Pending, "EndpointNotFound")]);
        let running = status(&[("a", Phase::Running, "Running")]);
        let failed = status(&[("a", Phase::Failed, "ScanRefused")]);
        let done = status(&[("a", Phase::Succeeded, "Succeeded")]);
        let cases = [
            (None, &held, vec!["EndpointNotFound"]),
            (Some(&held), &held, vec![]),
            (Some(&held), &running, vec!["Accepted"]),
            (None, &running, vec![]),
            (Some(&running), &failed, vec!["ScanRefused"]),
            (Some(&running), &done, vec![]),
        ];
        for (before, after, expected) in cases {
            let reasons: Vec<String> =
                between(before, after).into_iter().map(|news| news.reason).collect();
            assert_eq!(reasons, expected);
        }
    }

    #[test]
    fn many_held_artifacts_are_few_events() {
        let rows: Vec<(String, Phase, &str)> =
            (0..100).map(|n| (n.to_string(), Phase::Pending, "SecretNotFound")).collect();
        let rows: Vec<(&str, Phase, &str)> =
            rows.iter().map(|(name, phase, reason)| (name.as_str(), *phase, *reason)).collect();
        let news = between(None, &status(&rows));
        assert_eq!(news.len(), MAX_NEWS);
        assert!(news[4].message.ends_with("(and 95 more artifacts)"));
    }
}
