//! `arc run`: orders from files, decided by the core, run by the engine.
//!
//! The same functions serve the demo. What a cluster's controller decides is decided here by the same code.

mod deliver;
mod outcome;
mod print;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use arc_api::Order;
use arc_core::Fetched;
use arc_engine::{Library, Objects, Programs};
use arc_steps::Exit;

pub(crate) use outcome::{Row, exit};
pub(crate) use print::{details, table};

use crate::cli::{Output, Run};
use crate::manifests::{Key, Manifests};
use crate::progress::Display;
use crate::report::Failure;

/// Runs the command.
pub(crate) async fn run(args: &Run) -> Result<Exit, Failure> {
    let manifests = Manifests::read(&args.files).map_err(|error| Failure::input(&error))?;
    print::ignored(&manifests.ignored);
    let work = WorkDir::new(args.work_dir.as_deref())?;
    let workshop = Workshop::new(&manifests)?;
    let mut rows = Vec::new();
    for (key, order) in chosen(&manifests, args.order.as_deref())? {
        let mut order = local(key, order);
        order.spec.dry_run |= args.dry_run;
        rows.extend(workshop.run(&order, work.path()).await?);
    }
    match args.output {
        Output::Text => print::text(&rows),
        Output::Json => print::json(&rows)?,
    }
    Ok(exit(&rows))
}

/// The orders that are meant: all, or the one that is named.
pub(crate) fn chosen<'a>(
    manifests: &'a Manifests,
    name: Option<&str>,
) -> Result<Vec<(&'a Key, &'a Order)>, Failure> {
    let orders: Vec<_> = manifests
        .orders
        .iter()
        .filter(|((_, own), _)| name.is_none_or(|name| name == own))
        .collect();
    if !orders.is_empty() {
        return Ok(orders);
    }
    let known: Vec<_> =
        manifests.orders.keys().map(|(namespace, name)| format!("{namespace}/{name}")).collect();
    let failure = match name {
        Some(name) => Failure::new(Exit::WrongInput, format!("no order is called {name:?}")),
        None => Failure::new(Exit::WrongInput, "the files hold no Order"),
    };
    Err(if known.is_empty() {
        failure.hint("give a file with `kind: Order` of apiVersion arc.opendefense.cloud/v1alpha1")
    } else {
        failure.hint(format!("the orders are {}", known.join(", ")))
    })
}

/// An order as an API server would have stored it: with namespace, uid and generation.
///
/// The uid derives from the name, so that running the same file again finds what it did before.
pub(crate) fn local((namespace, name): &Key, order: &Order) -> Order {
    let mut order = order.clone();
    order.metadata.namespace = Some(namespace.clone());
    order.metadata.uid.get_or_insert_with(|| uid(&format!("{namespace}/{name}")));
    order.metadata.generation.get_or_insert(1);
    order
}

/// A UUID (version 8) that derives from a name.
fn uid(name: &str) -> String {
    let digest = arc_oci::Digest::sha256(name.as_bytes());
    let hex = digest.hex();
    format!("{}-{}-8{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// Everything orders are run with.
pub(crate) struct Workshop<'a> {
    manifests: &'a Manifests,
    library: Library,
    programs: Programs,
    display: Display,
}

impl<'a> Workshop<'a> {
    /// Reads the templates and finds the programs.
    pub(crate) fn new(manifests: &'a Manifests) -> Result<Self, Failure> {
        let library = Library::parse(&manifests.templates).map_err(|problems| {
            let lines: Vec<_> = problems.iter().map(ToString::to_string).collect();
            let mut failure = Failure::new(Exit::WrongInput, lines.join("\n       "));
            failure.hints = problems.into_iter().filter_map(|problem| problem.hint).collect();
            failure.hints.dedup();
            failure
        })?;
        let arc = std::env::current_exe().map_err(|error| {
            Failure::new(Exit::Failed, format!("failed to find this program: {error}"))
        })?;
        let programs = Programs { arc, container_runtime: container_runtime() };
        Ok(Self { manifests, library, programs, display: Display::new() })
    }

    /// What the core may know about an order's namespace.
    pub(crate) fn fetched(&self, namespace: &str) -> Fetched {
        let manifests = self.manifests;
        let templates = |cluster: bool| {
            let names = self.library.names().filter(|(_, is_cluster)| *is_cluster == cluster);
            let pairs = names.filter_map(|(name, _)| {
                Some((name.to_owned(), self.library.parameters(name, cluster)?))
            });
            pairs
                .map(|(name, parameters)| (name, arc_core::TemplateParameters { parameters }))
                .collect()
        };
        Fetched {
            endpoints: within(&manifests.endpoints, namespace),
            artifact_types: within(&manifests.artifact_types, namespace),
            cluster_artifact_types: within(&manifests.cluster_artifact_types, ""),
            secrets: within(&manifests.secrets, namespace).into_keys().collect::<BTreeSet<_>>(),
            workflow_templates: templates(false),
            cluster_workflow_templates: templates(true),
            limits: arc_core::Limits::NONE,
        }
    }

    /// What a template declares, with defaults.
    pub(crate) fn parameters(
        &self,
        name: &str,
        cluster_scope: bool,
    ) -> BTreeMap<String, Option<String>> {
        self.library.parameters(name, cluster_scope).unwrap_or_default()
    }

    /// Secrets and `ConfigMaps` that pods of a namespace may mount.
    fn objects(&self, namespace: &str) -> Objects {
        Objects {
            secrets: within(&self.manifests.secrets, namespace),
            config_maps: within(&self.manifests.config_maps, namespace),
        }
    }
}

/// The objects of one namespace by name.
fn within<T: Clone>(objects: &BTreeMap<Key, T>, namespace: &str) -> BTreeMap<String, T> {
    let own = objects.iter().filter(|((own, _), _)| own == namespace);
    own.map(|((_, name), object)| (name.clone(), object.clone())).collect()
}

/// The first container runtime on the search path, for steps of foreign images.
fn container_runtime() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let found =
        |name: &str| folders.iter().map(|folder| folder.join(name)).find(|file| file.is_file());
    found("podman").or_else(|| found("docker"))
}

/// Where images and results are kept: a folder of the user's, or one that goes with the process.
pub(crate) enum WorkDir {
    /// Kept, so that an interrupted run resumes.
    Kept(PathBuf),
    /// Removed at the end.
    Temporary(tempfile::TempDir),
}

impl WorkDir {
    fn new(dir: Option<&Path>) -> Result<Self, Failure> {
        let failed = |error: std::io::Error| {
            Failure::new(Exit::Failed, format!("failed to make the work folder: {error}"))
        };
        match dir {
            Some(dir) => {
                std::fs::create_dir_all(dir).map_err(failed)?;
                Ok(Self::Kept(std::path::absolute(dir).map_err(failed)?))
            }
            None => Ok(Self::Temporary(
                tempfile::Builder::new().prefix("arc-run-").tempdir().map_err(failed)?,
            )),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(dir) => dir.path(),
        }
    }
}
