//! The command line: exactly what can be typed, nothing about what it does.

mod author;
mod controller;
mod evidence;
mod order;
mod transfer;

use std::path::PathBuf;

pub(crate) use transfer::{Copy, CopyHow, Digest, Inspect, Referrers, Sync, Tags};

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use self::author::{Lint, LintOutput, Plan, PlanOutput, Schema, SchemaOutput};
pub(crate) use self::controller::{Cluster, Controller, LogFormat};
pub(crate) use self::evidence::{Audit, Demands, Verify};
pub(crate) use self::order::{
    Order, OrderCancel, OrderCreate, OrderList, OrderLogs, OrderOutput, OrderRetry, OrderStatus,
    Place,
};

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed; a retry may help
  2  wrong input; a retry cannot help
  3  refused by policy: the scan or a signature said no";

/// Carries artifacts from one registry into another: copy, scan, sign, attest.
#[derive(Debug, Parser)]
#[command(name = "arc", version, about, after_help = EXIT_CODES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole job on this machine, with a registry of its own and nothing else.
    Demo(Demo),
    /// Run orders from files on this machine, with the same pipeline that a cluster runs.
    Run(Run),
    /// Check the signature, attestations and scan verdict of a delivered artifact.
    Verify(Verify),
    /// Copy an image, with everything that belongs to it, from registry to registry.
    Copy(Copy),
    /// Copy many images as a file says: tags by name, pattern or version, whole repositories and registries.
    Sync(Sync),
    /// Print the digest of a tag.
    Digest(Digest),
    /// List the tags of a repository.
    Tags(Tags),
    /// Show platforms, layers, sizes and annotations of an image.
    Inspect(Inspect),
    /// Show what refers to an image: signatures, attestations, bills of materials.
    Referrers(Referrers),
    /// Tell the story of a delivered artifact from its evidence, and export it for others to check.
    Audit(Audit),
    /// Check manifests, workflow templates and policies before anybody applies them.
    Lint(Lint),
    /// Show the workflows that orders would create, and where each parameter comes from.
    Plan(Plan),
    /// Print JSON Schemas of the manifests, for editors.
    Schema(Schema),
    /// Make and inspect signing keys.
    #[command(subcommand)]
    Keys(Keys),
    /// Serve a folder as an OCI registry, open or for one account: for hand-over and tests.
    Registry(Registry),
    /// Order on a cluster: create, list, watch, retry and cancel orders; also as `kubectl arc order`.
    #[command(subcommand)]
    Order(Order),
    /// Run the operator: carry out the orders of a Kubernetes cluster, with Argo Workflows.
    Controller(Box<Controller>),
    /// Print completions for a shell.
    Completions(Completions),
    /// Write manual pages into a folder.
    Man(Man),
    /// One step of a pipeline; called by the workflow templates.
    #[command(hide = true)]
    Step(Step),
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  arc demo --keep-serving")]
pub(crate) struct Demo {
    /// Folder for the registry's data, the manifests and the keys.
    #[arg(long, default_value = ".arc/demo", value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Leave the registry up until interrupted, so that the printed commands work.
    #[arg(long)]
    pub(crate) keep_serving: bool,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_field_names, reason = "the flag is called --dry-run")]
#[command(after_help = "Examples:
  arc run -f my-order.yaml -f endpoints/ --dry-run
  arc run -f deliveries/ --order alpine -o json --work-dir ./work")]
pub(crate) struct Run {
    /// A manifest file, a folder of them, or - for standard input; may be repeated.
    #[arg(short, long = "file", required = true, value_name = "PATH")]
    pub(crate) files: Vec<PathBuf>,
    /// Run only the order of this name.
    #[arg(long, value_name = "NAME")]
    pub(crate) order: Option<String>,
    /// Resolve everything and say what would move; write nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How to print the outcome.
    #[arg(short, long, default_value = "text")]
    pub(crate) output: Output,
    /// Keep images and results here; a run that was interrupted resumes from it. Default: a temporary folder.
    #[arg(long, value_name = "DIR")]
    pub(crate) work_dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// A table for people.
    Text,
    /// One JSON document for machines.
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct RegistryAccess {
    /// File with extra trusted certificates, PEM.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_bundle: Option<PathBuf>,
    /// Folder with `username` and `password`, or `.dockerconfigjson`. Default: the Docker configuration of this user.
    #[arg(long, value_name = "DIR")]
    pub(crate) credentials: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Make a key pair that cosign can use too; the password is read from `COSIGN_PASSWORD`, or made up.
    Generate(KeysGenerate),
    /// Print the public key of a private key file; the password is read from `COSIGN_PASSWORD`.
    Public {
        /// The private key file.
        key: PathBuf,
    },
    /// Say what a key file is and how it is encrypted; never shows key material. An encrypted key is opened for its
    /// hint only where `COSIGN_PASSWORD` is set.
    Inspect {
        /// A private or public key file.
        key: PathBuf,
        /// How to print it.
        #[arg(short, long, default_value = "text")]
        output: Output,
    },
}

#[derive(Debug, Args)]
pub(crate) struct KeysGenerate {
    /// Folder for cosign.key, cosign.password and cosign.pub; existing files are never overwritten.
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Also write cosign-key.yaml, the Kubernetes Secret that the pipelines mount, for this namespace.
    #[arg(long, value_name = "NAMESPACE")]
    pub(crate) secret: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  arc registry --dir ./data --listen 127.0.0.1:5000
  arc registry --dir ./data --user robot --password-file ./password")]
pub(crate) struct Registry {
    /// Folder of the registry's data.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Address to listen on; port 0 takes a free one. There is no TLS: keep it on loopback.
    #[arg(long, default_value = "127.0.0.1:5000", value_name = "ADDRESS")]
    pub(crate) listen: std::net::SocketAddr,
    /// Name of the one account: every request then needs its login. Without, nobody has to log in.
    #[arg(long, requires = "password_file", value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// File with the password of that account; a line end after it does not count.
    #[arg(long, requires = "user", value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  arc completions bash > ~/.local/share/bash-completion/completions/arc
  arc completions zsh > ~/.zfunc/_arc")]
pub(crate) struct Completions {
    /// Which shell.
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  arc man --dir ~/.local/share/man/man1")]
pub(crate) struct Man {
    /// Folder for the pages, one for each command.
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Step {
    /// Which step.
    pub(crate) step: StepName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StepName {
    /// Resolve the artifact and copy it into the work folder.
    Fetch,
    /// Judge it by the advisories.
    Scan,
    /// Copy it to the destination, sign, attest, and tag it last.
    Publish,
    /// Look whether an endpoint answers and lets us in.
    Probe,
}
