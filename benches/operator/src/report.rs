//! The report: figures beside their targets, met or missed.

use std::{fmt::Write as _, fs, path::Path};

use crate::{
    burst::Round,
    count::{Counts, writes},
    idle::Idle,
    measure::Measured,
};

/// Writes of one order with one artifact, from creation to success.
const WRITES_MAX: u64 = 6;
/// Time to all Workflows of a burst, in times of a bare client.
const RATIO_MAX: f64 = 1.5;
/// 99 of 100 Workflows of a steady stream are there after so many milliseconds.
const P99_MAX: f64 = 1000.0;
/// Resident memory in an empty cluster, in MiB.
const EMPTY_MAX: f64 = 25.0;
/// Resident memory with all finished orders, in MiB.
const FINISHED_MAX: f64 = 100.0;
/// Percent of a core with all finished orders.
const PROCESSOR_MAX: f64 = 1.0;

/// Prints the report; writes it and the raw figures when asked to.
pub(crate) fn report(measured: &Measured, write: bool) {
    let text = text(measured);
    println!("{text}");
    if !write {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::create_dir_all(root.join("results")).unwrap();
    let raw = serde_json::to_string_pretty(measured).unwrap();
    let file = if measured.server.contains("memory") { "memory.json" } else { "real.json" };
    fs::write(root.join("results").join(file), raw + "\n").unwrap();
    let name = match file {
        "memory.json" => "benchmarks-operator.md",
        _ => "benchmarks-operator-real.md",
    };
    fs::write(root.join("../../docs").join(name), text).unwrap();
}

fn text(measured: &Measured) -> String {
    let machine = &measured.machine;
    let mut out = String::from("# Benchmarks of the operator\n\n");
    out += "Written by `cargo run --release -p arc-bench-operator`; `--kubeconfig FILE` points it at any API server. ";
    out += "Raw figures are in `benches/operator/results/`.\n\n";
    out += "- The operator, the API server and the clients are processes of their own on the same machine and share its cores.\n";
    out += "- What Argo does is played from recordings of a real one, as fast as it can where time is measured.\n";
    out += "- Requests are counted where the operator sends them.\n";
    out += "- Where the load before the start is above the number of cores, times say little; requests and memory stand.\n\n";
    let _ = writeln!(
        out,
        "Machine: {} with {} cores and {} GiB, Linux {}, load before the start {}; {}; commit {}; {}. API server: {}.{}\n",
        machine.processor,
        machine.cores,
        machine.memory_gib,
        machine.kernel,
        machine.load,
        machine.rustc,
        machine.commit,
        machine.date,
        measured.server,
        if measured.quick { " Quick: the figures mean nothing." } else { "" },
    );
    single(&mut out, measured);
    burst(&mut out, &measured.burst);
    steady(&mut out, measured);
    wide(&mut out, measured);
    idle(&mut out, "An empty cluster", measured.empty.as_ref(), EMPTY_MAX);
    idle(&mut out, "Finished orders", measured.finished.as_ref(), FINISHED_MAX);
    out
}

fn verdict(met: bool) -> &'static str {
    if met { "met" } else { "**missed**" }
}

fn list(counts: &Counts) -> String {
    if counts.is_empty() {
        return "none".to_owned();
    }
    let items: Vec<String> =
        counts.iter().map(|(name, count)| format!("{count} × `{name}`")).collect();
    items.join(", ")
}

fn single(out: &mut String, measured: &Measured) {
    let Some(single) = &measured.single else { return };
    *out += "## One order with one artifact\n\n";
    let met = verdict(single.writes <= WRITES_MAX);
    let _ = writeln!(
        out,
        "- writes from creation to success: {met} ({}, target ≤ {WRITES_MAX}): {}",
        single.writes,
        list(&single.requests)
    );
    let _ = writeln!(
        out,
        "- requests while nothing happened for {} s: {} ({})\n",
        single.idle_seconds,
        verdict(single.idle_requests.is_empty()),
        list(&single.idle_requests)
    );
}

fn burst(out: &mut String, rounds: &[Round]) {
    let Some(first) = rounds.first() else { return };
    let _ = writeln!(out, "## {} orders at once\n", first.orders);
    *out += "The clock runs from the first order's request to the last Workflow; orders are created by another process. ";
    *out += "The bare client creates the same ArtifactWorkflows and Workflows, two requests an order, and nothing else.\n\n";
    *out += "| round | orders created s | all Workflows s | bare client s | ratio | operator CPU s | peak MiB | operator writes |\n";
    *out += "| --- | --- | --- | --- | --- | --- | --- | --- |\n";
    for (index, round) in rounds.iter().enumerate() {
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {:.2} | {} | {:.1} | {} |",
            index + 1,
            seconds(round.created_ms),
            seconds(round.workflows_ms),
            seconds(round.bare_ms),
            round.ratio,
            seconds(round.processor_ms),
            round.peak_mib,
            writes(&round.requests),
        );
    }
    let mut ratios: Vec<f64> = rounds.iter().map(|round| round.ratio).collect();
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).copied().unwrap_or_default();
    let met = verdict(median <= RATIO_MAX);
    let _ = writeln!(
        out,
        "\n- all Workflows: {met} (median ratio {median:.2}, target ≤ {RATIO_MAX})\n- requests of the first round: {}\n",
        list(&first.requests)
    );
}

fn steady(out: &mut String, measured: &Measured) {
    let Some(latency) = &measured.steady else { return };
    let _ = writeln!(
        out,
        "## {} orders, {} a second\n\nFrom before an order is sent until its Workflow is seen: p50 {:.1} ms, p99 {:.1} ms, worst {:.1} ms.\n",
        latency.orders, latency.per_second, latency.p50_ms, latency.p99_ms, latency.worst_ms
    );
    let met = verdict(latency.p99_ms < P99_MAX);
    let _ = writeln!(out, "- p99: {met} (target < {P99_MAX} ms)\n");
}

fn wide(out: &mut String, measured: &Measured) {
    let Some(wide) = &measured.wide else { return };
    let _ = writeln!(out, "## One order with {} artifacts\n", wide.artifacts);
    let _ = writeln!(
        out,
        "- all Workflows after {} s, all delivered after {} s, operator CPU {} s: {}",
        seconds(wide.workflows_ms),
        seconds(wide.done_ms),
        seconds(wide.processor_ms),
        list(&wide.requests)
    );
    let _ = writeln!(
        out,
        "- one artifact changed, delivered after {} s, operator CPU {} s: {} writes: {}\n",
        seconds(wide.change_ms),
        seconds(wide.change_processor_ms),
        writes(&wide.change_requests),
        list(&wide.change_requests)
    );
}

fn idle(out: &mut String, title: &str, idle: Option<&Idle>, most: f64) {
    let Some(idle) = idle else { return };
    let _ = writeln!(out, "## {title}: {} orders, nothing to do\n", idle.orders);
    let _ = writeln!(
        out,
        "- resident: {} ({:.1} MiB, target < {most} MiB; {}; peak since its start {:.1} MiB)",
        verdict(idle.resident_mib < most),
        idle.resident_mib,
        idle.program,
        idle.peak_mib
    );
    let _ = writeln!(
        out,
        "- processor: {} ({:.2} % of a core over {} s, target < {PROCESSOR_MAX} %)",
        verdict(idle.processor_percent < PROCESSOR_MAX),
        idle.processor_percent,
        idle.seconds
    );
    if let Some(worked) = &idle.worked {
        let _ = writeln!(
            out,
            "- the operator that made them: all done after {} s, CPU {} s, resident {:.1} MiB, peak {:.1} MiB: {}",
            worked.seconds,
            seconds(worked.processor_ms),
            worked.resident_mib,
            worked.peak_mib,
            list(&worked.requests)
        );
    }
    out.push('\n');
}

fn seconds(milliseconds: u128) -> String {
    format!("{}.{:02}", milliseconds / 1000, milliseconds % 1000 / 10)
}
