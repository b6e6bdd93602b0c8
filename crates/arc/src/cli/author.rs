//! The arguments of the commands for who writes manifests: lint, plan, schema.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
#[command(after_help = "\
Orders, endpoints, artifact types, workflow templates and policies are looked at together; the pipelines that come
with ARC are known. A finding that is meant to be is allowed in the text, on its line or the one above:
  # arc-lint: allow plain-http — a lab without certificates

Examples:
  arc lint
  arc lint -f orders/ -f endpoints.yaml -o sarif > lint.sarif
  arc lint -f policy.yaml
  arc lint -f orders/ --live")]
pub(crate) struct Lint {
    /// A manifest or policy, a folder of them, or - for standard input; may be repeated.
    #[arg(short, long = "file", default_value = ".", value_name = "PATH")]
    pub(crate) files: Vec<PathBuf>,
    /// Ask the cluster what exists besides the files.
    #[arg(long)]
    pub(crate) live: bool,
    /// Context of the kubeconfig to ask. Default: its current one.
    #[arg(long, requires = "live", value_name = "NAME")]
    pub(crate) context: Option<String>,
    /// End with exit code 2 for warnings, too.
    #[arg(long)]
    pub(crate) strict: bool,
    /// How to print the findings.
    #[arg(short, long, default_value = "text")]
    pub(crate) output: LintOutput,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LintOutput {
    /// With source lines and carets, for people.
    Text,
    /// One JSON document, for scripts.
    Json,
    /// SARIF 2.1.0, for code hosts.
    Sarif,
}

#[derive(Debug, Args)]
#[command(after_help = "\
Nothing is created and no registry is asked. What only a cluster knows is empty: uid, generation and age of the order.
Exit code 2 says that an artifact is held.

Examples:
  arc plan -f deliveries/
  arc plan -f deliveries/ --order quickstart -o yaml")]
pub(crate) struct Plan {
    /// A manifest file, a folder of them, or - for standard input; may be repeated.
    #[arg(short, long = "file", required = true, value_name = "PATH")]
    pub(crate) files: Vec<PathBuf>,
    /// Plan only the order of this name.
    #[arg(long, value_name = "NAME")]
    pub(crate) order: Option<String>,
    /// How to print the plan.
    #[arg(short, long, default_value = "text")]
    pub(crate) output: PlanOutput,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanOutput {
    /// Tables of where each parameter comes from.
    Text,
    /// The workflows as they would be created.
    Yaml,
    /// Workflows, parameters and problems as one JSON document.
    Json,
}

#[derive(Debug, Args)]
#[command(after_help = "\
With files, what their artifact types say in `specSchema` holds for the artifacts of an order.

Examples:
  arc schema > arc.schema.json
  arc schema Order
  arc schema Order -f types/ --type oci")]
pub(crate) struct Schema {
    /// A kind of ARC, such as `Order` or `clusterartifacttypes`. Default: one schema for all of them.
    pub(crate) kind: Option<String>,
    /// A manifest file with artifact types, a folder, or - for standard input; may be repeated.
    #[arg(short, long = "file", value_name = "PATH")]
    pub(crate) files: Vec<PathBuf>,
    /// Only this artifact type of the files; may be repeated. Default: all that have a specSchema.
    #[arg(long = "type", requires = "files", value_name = "NAME")]
    pub(crate) types: Vec<String>,
    /// How to print the schema.
    #[arg(short, long, default_value = "json")]
    pub(crate) output: SchemaOutput,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOutput {
    /// JSON, which every editor reads.
    Json,
    /// The same as YAML.
    Yaml,
}
