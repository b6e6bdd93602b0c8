//! Runs Argo workflow templates on one machine, without a cluster.
//!
//! # Invariants
//!
//! Everything that is not supported is refused by [`prepare`], by name and line, before anything runs; nothing is
//! skipped silently except the fields that have no meaning on one machine ([`IGNORED_FIELDS`]).
//! A value is filled in once and never looked at again, so a parameter cannot become a template.
//! Phases, node names and messages are Argo's own words.
//! No Kubernetes client and no registry access: the programs of the steps do the work.
//!
//! # How a pod maps to this machine
//!
//! Every pod has a root folder; each of its volume mounts is a symbolic link `<root><mountPath>` to the volume's
//! folder, and `ARC_MOUNT_ROOT` tells the program where its root is.
//! A container whose image is called `arc` and whose command is `arc` runs as a child process; every other image runs
//! through podman or docker with `--network host`, as the user who started the engine.
//! `emptyDir` volumes belong to their pod and `volumeClaimTemplates` to the workflow; both stay after the run for
//! inspection and are used again when a workflow of the same name runs in the same work folder, so that a killed
//! download resumes. Secret files exist only during the run.
//!
//! # Where to start
//!
//! [`Library`] reads the files, [`prepare`] refuses or returns a [`Ready`], [`run`] runs it.

mod duration;
mod event;
mod expression;
mod fields;
mod library;
mod prepare;
mod problem;
mod run;
mod template;
mod text;
pub mod yaml;

pub use event::{Event, Stream};
pub use library::{Library, TemplateSource};
pub use prepare::{Objects, Programs, Ready, prepare};
pub use problem::Problem;
pub use run::{RunOptions, RunReport, run};
pub use template::IGNORED_FIELDS;
