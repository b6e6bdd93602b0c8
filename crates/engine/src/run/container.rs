//! Runs one container of a pod.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};

use super::folders::PodFolders;
use super::invocation::{Filled, Runtime, SideFile, as_child, own_environment};
use super::lines::Sink;
use super::machine::Machine;
use super::outputs::result_of;
use super::process::{run, run_quietly};
use super::stop::Stop;
use super::{chain, inside};
use crate::template::{Container, MAIN, OutputSource, Template};
use crate::text::Scope;

/// The exit code that Argo's executor uses for itself.
pub(super) const EXECUTOR_FAILED: i32 = 64;
/// What a container that was asked to end exits with.
pub(super) const TERMINATED: i32 = 143;

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct End {
    pub(super) exit_code: i32,
    /// Why, where the engine and not the program knows it.
    pub(super) message: String,
    /// What `outputs.result` would be.
    pub(super) result: String,
}

impl End {
    /// A container that never started.
    pub(super) fn unstarted(exit_code: i32, message: String) -> Self {
        Self { exit_code, message, result: String::new() }
    }
}

/// The pod a container belongs to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Inside<'run> {
    pub(super) machine: &'run Machine,
    pub(super) template: &'run Template,
    pub(super) folders: &'run PodFolders,
    pub(super) scope: &'run Scope,
    pub(super) stop: &'run Stop,
    pub(super) pod_id: &'run str,
}

/// Runs a container to its end; `node_id` is the node that its output belongs to.
pub(super) async fn run_container(pod: Inside<'_>, container: &Container, node_id: &str) -> End {
    if pod.stop.cause().is_some() {
        return End::unstarted(TERMINATED, String::new());
    }
    let filled = match Filled::new(container, pod.scope) {
        Ok(filled) => filled,
        Err(error) => return End::unstarted(EXECUTOR_FAILED, error.to_string()),
    };
    let sink = Sink { machine: pod.machine, node_id, container: &container.name };
    let own = own_environment();
    if filled.is_arc() {
        let invocation = as_child(&filled, &pod.machine.ready.programs, pod.folders, &own);
        return match run(&invocation, pod.stop, sink).await {
            Ok(exit) => End {
                exit_code: exit.code,
                message: String::new(),
                result: result_of(&exit.stdout),
            },
            Err(error) => End::unstarted(
                EXECUTOR_FAILED,
                format!("failed to start {}: {error}", invocation.program.display()),
            ),
        };
    }
    run_in_runtime(pod, container, &filled, (&own, sink)).await
}

async fn run_in_runtime(
    pod: Inside<'_>,
    container: &Container,
    filled: &Filled,
    (own, sink): (&BTreeMap<String, String>, Sink<'_>),
) -> End {
    let Some(program) = pod.machine.ready.programs.container_runtime.as_deref() else {
        let message = format!("image {:?} needs podman or docker", filled.image);
        return End::unstarted(EXECUTOR_FAILED, message);
    };
    let runtime = Runtime {
        program,
        name: format!("arc-{}-{}-{}", std::process::id(), pod.pod_id, container.name),
        folders: pod.folders,
        own,
        container: &container.name,
    };
    if pod.folders.pod.to_string_lossy().contains(':') {
        let folder = pod.folders.pod.display();
        let message = format!("a container cannot mount {folder}: the path has a colon");
        return End::unstarted(EXECUTOR_FAILED, message);
    }
    let user =
        format!("{}:{}", rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let (invocation, files) = runtime.run(filled, &user);
    if let Err(error) = files.iter().try_for_each(write) {
        return End::unstarted(
            EXECUTOR_FAILED,
            format!("failed to write a file of the pod: {error}"),
        );
    }
    let end = match run(&invocation, pod.stop, sink).await {
        Ok(exit) => {
            End { exit_code: exit.code, message: String::new(), result: result_of(&exit.stdout) }
        }
        Err(error) => End::unstarted(
            EXECUTOR_FAILED,
            format!("failed to start {}: {error}", invocation.program.display()),
        ),
    };
    if end.exit_code == 0 && container.name == MAIN {
        copy_outputs(pod, &runtime).await;
    }
    if let Err(error) = run_quietly(&runtime.remove()).await {
        tracing::warn!(container = %runtime.name, error = %chain(&error), "container is left over");
    }
    end
}

/// Files outside of volumes vanish with the container, so output parameters are copied out of it first.
async fn copy_outputs(pod: Inside<'_>, runtime: &Runtime<'_>) {
    for output in &pod.template.outputs {
        let OutputSource::Path(path) = &output.source else { continue };
        if pod.folders.is_mounted(path) {
            continue;
        }
        let place = inside(&pod.folders.root, path);
        if let Some(parent) = place.parent()
            && fs::create_dir_all(parent).is_ok()
        {
            // A file that cannot be copied is reported as missing, as Argo does.
            let _missing = run_quietly(&runtime.copy(path, &place)).await;
        }
    }
}

fn write(file: &SideFile) -> io::Result<()> {
    let mut open = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(file.mode)
        .open(&file.path)?;
    open.write_all(file.text.as_bytes())?;
    open.set_permissions(fs::Permissions::from_mode(file.mode))
}
