//! Every tool, every workload, several times in turn, each time into an empty registry.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use arc_tests::peers::{DockerRegistry, Peer, Setup, require};
use serde::Serialize;

use crate::Options;
use crate::machine::Machine;
use crate::measure::{Job, Usage, measure};
use crate::proxy::{Counts, Proxy};
use crate::report;
use crate::tools::{self, Absent, PROCESSES, Way};
use crate::workloads::{self, Item, Workload};

/// One tool doing one piece of work once.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Sample {
    #[serde(flatten)]
    pub(crate) usage: Usage,
    pub(crate) source: Counts,
    pub(crate) destination: Counts,
}

/// All samples of one way to do one piece of work.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Series {
    pub(crate) label: String,
    pub(crate) is_ours: bool,
    pub(crate) samples: Vec<Sample>,
}

/// All ways to do one piece of work.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) title: String,
    pub(crate) target: f64,
    /// Images copied, each with one tag.
    pub(crate) tags: usize,
    pub(crate) series: Vec<Series>,
}

/// Everything that was measured, and with what.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) versions: Vec<(String, String)>,
    pub(crate) absent: Vec<(String, String)>,
    pub(crate) repetitions: usize,
    pub(crate) outcomes: Vec<Outcome>,
}

/// Runs the bench.
pub(crate) async fn run(options: &Options) {
    let registry = require(Peer::DockerRegistry)
        .expect("without docker-registry there is nothing to copy between");
    let registry = std::fs::canonicalize(registry).unwrap();
    let arc = options.arc.clone().unwrap_or_else(build);
    let (mut tools, absent) = tools::find(&std::fs::canonicalize(arc).unwrap());
    let named = options.tool.as_deref().unwrap_or_default();
    tools.retain(|tool| tool.name.contains(named));
    let repetitions = if options.quick { 1 } else { options.repetitions };
    let mut results = Results {
        machine: Machine::look(),
        versions: tools.iter().map(|tool| (tool.name.to_owned(), tool.version.clone())).collect(),
        absent: absent
            .iter()
            .map(|Absent { name, why }| ((*name).to_owned(), (*why).to_owned()))
            .collect(),
        repetitions,
        outcomes: Vec::new(),
    };
    let wanted = options.only.as_deref().unwrap_or_default();
    for mut workload in workloads::all(options.quick) {
        workload.delay = options.delay.map_or(workload.delay, Duration::from_millis);
        if workload.name.contains(wanted) {
            let ways = tools::ways(&tools, workload.images);
            results
                .outcomes
                .extend(Bench { registry: &registry, workload, ways, repetitions }.run().await);
        }
    }
    let is_part = options.only.is_some() || options.tool.is_some() || options.delay.is_some();
    report::publish(&results, options.no_write || options.quick || is_part);
}

/// Builds what is measured.
fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let status = Command::new(cargo)
        .args(["build", "--release", "--package", "arc"])
        .current_dir(&root)
        .status()
        .unwrap();
    assert!(status.success(), "arc does not build");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    target.join("release/arc")
}

struct Bench<'a> {
    registry: &'a Path,
    workload: Workload,
    ways: Vec<Way>,
    repetitions: usize,
}

impl Bench<'_> {
    async fn run(&self) -> Vec<Outcome> {
        let Workload { name, title, delay, images, target, again } = &self.workload;
        say(&format!("{title}: making the images"));
        let origin = DockerRegistry::start(self.registry, lean()).await;
        let items = images.push(&origin.client()).await;
        let source = Proxy::start(origin.host()).await;
        let mut outcomes = vec![self.outcome(name, title, *target, items.len())];
        outcomes.extend(
            again
                .iter()
                .map(|again| self.outcome(again.name, &again.title, again.target, items.len())),
        );
        for repetition in 0..self.repetitions {
            for turn in 0..self.ways.len() {
                // Everybody is first once: what the machine does otherwise hits all alike.
                let number = (turn + repetition) % self.ways.len();
                let way = &self.ways[number];
                let target = DockerRegistry::start(self.registry, lean()).await;
                let destination = Proxy::start(target.host()).await;
                for proxy in [&source, &destination] {
                    proxy.set_delay(*delay);
                }
                for outcome in &mut outcomes {
                    let mut sample = once(way, &items, &source, &destination).await;
                    sample.usage.failures.extend(check(&items, &origin, &target).await);
                    say(&format!(
                        "{} {}/{}: {} took {:.2} s{}",
                        outcome.name,
                        repetition + 1,
                        self.repetitions,
                        way.label,
                        sample.usage.seconds,
                        sample
                            .usage
                            .failures
                            .first()
                            .map(|why| format!(", FAILED: {why}"))
                            .unwrap_or_default(),
                    ));
                    outcome.series[number].samples.push(sample);
                }
            }
        }
        outcomes
    }

    fn outcome(&self, name: &'static str, title: &str, target: f64, tags: usize) -> Outcome {
        let series = self.ways.iter().map(|way| Series {
            label: way.label.clone(),
            is_ours: way.is_ours(),
            samples: Vec::new(),
        });
        Outcome { name, title: title.to_owned(), target, tags, series: series.collect() }
    }
}

async fn once(way: &Way, items: &[Item], source: &Proxy, destination: &Proxy) -> Sample {
    let folder = tempfile::tempdir().unwrap();
    let commands = way.commands(items, &source.host(), &destination.host(), folder.path());
    for proxy in [source, destination] {
        proxy.take_counts();
    }
    let job = Job { commands, parallel: PROCESSES, folder: folder.path().to_owned() };
    let usage = measure(&job).await;
    // An answer that nobody read to its end may still be under way.
    tokio::time::sleep(Duration::from_millis(100)).await;
    Sample { usage, source: source.take_counts(), destination: destination.take_counts() }
}

/// Compares the digests of all tags, past the proxies.
async fn check(items: &[Item], origin: &DockerRegistry, target: &DockerRegistry) -> Vec<String> {
    let mut problems = Vec::new();
    for Item { repository, tag } in items {
        let expected = origin.client().digest(repository, tag).await;
        let own = target.client().digest(&format!("mirror/{repository}"), tag).await;
        if own != expected {
            problems.push(format!("mirror/{repository}:{tag} is {own:?}, not {expected:?}"));
        }
    }
    problems.truncate(3);
    problems
}

#[expect(clippy::print_stderr, reason = "this is how one sees that it goes on")]
fn say(line: &str) {
    eprintln!("{line}");
}

/// How all registries run here.
fn lean() -> Setup {
    Setup { is_lean: true, ..Setup::default() }
}
