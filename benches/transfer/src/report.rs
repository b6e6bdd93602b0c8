//! The figures as tables: medians, ratios to the best peer, and what misses its target.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::run::{Outcome, Results, Sample, Series};

const COMMAND: &str = "cargo run --release -p arc-bench";

/// Prints the report, and writes it into the repository unless told otherwise.
#[expect(clippy::print_stdout, reason = "this is the outcome")]
pub(crate) fn publish(results: &Results, only_print: bool) {
    let text = markdown(results);
    println!("{text}");
    if only_print {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::write(root.join("../../docs/benchmarks.md"), text).unwrap();
    let mut json = serde_json::to_string_pretty(results).unwrap();
    json.push('\n');
    fs::create_dir_all(root.join("results")).unwrap();
    fs::write(root.join("results/latest.json"), json).unwrap();
}

fn markdown(results: &Results) -> String {
    let mut text = format!(
        "# Benchmarks\n\n\
        Written by `{COMMAND}`; raw figures are in `benches/transfer/results/latest.json`.\n\n\
        - Real registries (docker-registry) on loopback at both sides, an empty one as destination for every run. They keep \
        their content in memory (`/dev/shm`, where there is one), log errors only and collect garbage seldom: what is \
        measured is their clients.\n\
        - All tools go through a proxy of ours in front of each registry; it counts requests and bytes and adds the delay, \
        and splices bodies from socket to socket in the kernel.\n\
        - Median of {} runs, tools in turn; the range is lowest to highest.\n\
        - Memory is the peak of the largest single process, as the kernel reports it when the process ends.\n\
        - Tools that copy one image at a time run as 8 processes together where there are many images.\n\
        - Nothing is subtracted for anybody: tools, proxies and registries share the machine's cores, so on few cores \
        the registries' own work is a floor under every time here.\n\
        - After every run the digests of all tags are compared with the source's.\n\n",
        results.repetitions
    );
    let machine = &results.machine;
    writeln!(
        text,
        "Machine: {} with {} cores and {} GiB, Linux {}, load before the start {}; {}; commit {}; {}.\n",
        machine.processor, machine.cores, machine.memory_gib, machine.kernel, machine.load, machine.rustc,
        machine.commit, machine.date
    )
    .unwrap();
    let versions: Vec<_> =
        results.versions.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let absent: Vec<_> =
        results.absent.iter().map(|(name, why)| format!("{name} ({why})")).collect();
    writeln!(
        text,
        "Measured: {}.\n\nAbsent, not measured: {}.\n",
        versions.join(", "),
        absent.join(", ")
    )
    .unwrap();
    for outcome in &results.outcomes {
        text.push_str(&section(outcome));
    }
    text
}

/// The figures of one way, as medians.
struct Figures<'a> {
    series: &'a Series,
    seconds: f64,
    range: (f64, f64),
    cpu: f64,
    memory: f64,
    requests: f64,
    sent: f64,
}

impl<'a> Figures<'a> {
    fn new(series: &'a Series) -> Option<Self> {
        if series.samples.iter().any(|sample| !sample.usage.failures.is_empty()) {
            return None;
        }
        let of = |value: fn(&Sample) -> f64| series.samples.iter().map(value).collect::<Vec<_>>();
        let seconds = of(|sample| sample.usage.seconds);
        let range = (
            seconds.iter().copied().fold(f64::INFINITY, f64::min),
            seconds.iter().copied().fold(0.0, f64::max),
        );
        Some(Self {
            series,
            seconds: median(seconds),
            range,
            cpu: median(of(|sample| sample.usage.cpu_seconds)),
            memory: median(of(|sample| mebibytes(sample.usage.peak_memory))),
            requests: median(of(|sample| {
                count(sample.source.total()) + count(sample.destination.total())
            })),
            sent: median(of(|sample| mebibytes(sample.destination.bytes_received))),
        })
    }
}

/// What the best peer needs, each figure by itself.
struct Best {
    seconds: f64,
    memory: f64,
    requests: f64,
}

impl Best {
    fn of(figures: &[Figures]) -> Self {
        let least = |value: fn(&Figures) -> f64| {
            let peers = figures.iter().filter(|figures| !figures.series.is_ours);
            peers.map(value).fold(f64::INFINITY, f64::min)
        };
        Self {
            seconds: least(|figures| figures.seconds),
            memory: least(|figures| figures.memory),
            requests: least(|figures| figures.requests),
        }
    }
}

fn section(outcome: &Outcome) -> String {
    let figures: Vec<_> = outcome.series.iter().filter_map(Figures::new).collect();
    let best = Best::of(&figures);
    let mut text = format!(
        "## {}\n\n| tool | time s (range) | to best peer | CPU s | peak MiB | requests | MiB sent to the destination |\n\
        | --- | --- | --- | --- | --- | --- | --- |\n",
        outcome.title
    );
    for one in &figures {
        writeln!(
            text,
            "| `{}` | {:.2} ({:.2}–{:.2}) | {:.2} | {:.2} | {:.1} | {:.0} | {:.1} |",
            one.series.label,
            one.seconds,
            one.range.0,
            one.range.1,
            one.seconds / best.seconds,
            one.cpu,
            one.memory,
            one.requests,
            one.sent
        )
        .unwrap();
    }
    for series in &outcome.series {
        let why = series.samples.iter().flat_map(|sample| &sample.usage.failures).next();
        if let Some(why) = why {
            let why = why.replace('|', "/");
            writeln!(text, "| `{}` | failed: {why} | | | | | |", series.label).unwrap();
        }
    }
    text.push('\n');
    if let Some(ours) = figures.iter().find(|figures| figures.series.is_ours) {
        verdicts(&mut text, outcome, ours, &best);
    }
    text
}

fn verdicts(text: &mut String, outcome: &Outcome, ours: &Figures, best: &Best) {
    let ratio = ours.seconds / best.seconds;
    let time = format!("{ratio:.2} of the best peer, target ≤ {}", outcome.target);
    verdict(text, "time", ratio <= outcome.target, &time);
    let memory = format!("{:.1} MiB, smallest peer {:.1} MiB", ours.memory, best.memory);
    verdict(text, "memory", ours.memory <= best.memory, &memory);
    let requests = format!("{:.0}, fewest of a peer {:.0}", ours.requests, best.requests);
    verdict(text, "requests", ours.requests < best.requests, &requests);
    if outcome.name == "again" {
        let limit = count(2 * outcome.tags as u64);
        let figures = format!("{:.0} for {limit:.0}", ours.requests);
        verdict(text, "one request per tag and side", ours.requests <= limit, &figures);
    }
    text.push('\n');
}

fn verdict(text: &mut String, what: &str, is_met: bool, figures: &str) {
    writeln!(text, "- {what}: {} ({figures})", if is_met { "met" } else { "**missed**" }).unwrap();
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.get((values.len().max(1) - 1) / 2), values.get(values.len() / 2));
    f64::midpoint(low.copied().unwrap_or(f64::NAN), high.copied().unwrap_or(f64::NAN))
}

#[expect(clippy::cast_precision_loss, reason = "counts and sizes here are far below 2^52")]
fn count(value: u64) -> f64 {
    value as f64
}

fn mebibytes(bytes: u64) -> f64 {
    count(bytes) / f64::from(1 << 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_are_the_middle() {
        for (values, expected) in
            [(vec![3.0, 1.0, 2.0], 2.0), (vec![4.0, 1.0, 2.0, 3.0], 2.5), (vec![7.0], 7.0)]
        {
            assert!((median(values) - expected).abs() < 1e-9);
        }
        assert!(median(Vec::new()).is_nan());
    }
}
