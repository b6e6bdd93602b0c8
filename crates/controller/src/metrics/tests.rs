//! The text that is scraped, and that the documentation names exactly what is in it.

use std::collections::BTreeSet;

use arc_api::Phase;

use super::*;

/// Metrics in which everything happened once.
fn busy() -> Metrics {
    let metrics = Metrics::new();
    metrics.set_leader(true);
    metrics.count_with(|| {
        let mut census = Census::default();
        census.add_order(Phase::Running);
        census.add_order(Phase::Running);
        census.add_artifact(Phase::Pending, "EndpointNotFound");
        census.add_endpoint("True");
        census
    });
    metrics.pass("Order", true, Duration::from_millis(3), Duration::from_millis(1));
    metrics.watch_error("Secret");
    metrics.malformed("Endpoint");
    metrics.delivered(Phase::Succeeded, Duration::from_secs(90), 1_234);
    let request =
        ApiRequest { verb: "patch", resource: "orders/status".to_owned(), code: "200".to_owned() };
    metrics.api_requests.get_or_create(&request).inc();
    metrics
}

#[test]
fn what_happened_is_in_the_text() {
    let text = busy().text().unwrap();
    for line in [
        "arc_orders{phase=\"Running\"} 2.0",
        "arc_artifacts{phase=\"Pending\",reason=\"EndpointNotFound\"} 1.0",
        "arc_endpoints{ready=\"True\"} 1.0",
        "arc_reconcile_total{kind=\"Order\"} 1",
        "arc_reconcile_errors_total{kind=\"Order\",reason=\"Error\"} 1",
        "arc_watch_restarts_total{kind=\"Secret\"} 1",
        "arc_malformed_objects_total{kind=\"Endpoint\"} 1",
        "arc_delivery_duration_seconds_sum{outcome=\"Succeeded\"} 90.0",
        "arc_delivery_bytes_total 1234",
        "arc_leader 1",
        "arc_api_requests_total{verb=\"patch\",resource=\"orders/status\",code=\"200\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is missing in:\n{text}");
    }
}

#[test]
fn a_replica_that_does_not_lead_counts_nothing_in_stores() {
    let metrics = busy();
    metrics.set_leader(false);
    let text = metrics.text().unwrap();
    assert!(!text.contains("arc_orders{"), "{text}");
    assert!(text.contains("\narc_leader 0\n"), "{text}");
}

/// `name type` of every metric in the text, under the name that a query uses.
fn documented_by_code() -> BTreeSet<String> {
    let text = busy().text().unwrap();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types
        .map(|line| {
            let (name, kind) = line.split_once(' ').unwrap();
            match kind {
                "counter" => format!("{name}_total {kind}"),
                "info" => format!("{name}_info {kind}"),
                _ => format!("{name} {kind}"),
            }
        })
        .collect()
}

#[test]
fn the_reference_names_exactly_these_metrics() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations/metrics.md");
    let reference = std::fs::read_to_string(path).unwrap();
    let rows = reference.lines().filter_map(|line| line.strip_prefix("| `arc_"));
    let documented: BTreeSet<String> = rows
        .map(|row| {
            let mut cells = row.split('|').map(str::trim);
            let name = cells.next().unwrap().split(['{', '`']).next().unwrap();
            format!("arc_{name} {}", cells.next().unwrap())
        })
        .collect();
    assert_eq!(documented, documented_by_code());
}
